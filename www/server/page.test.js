import assert from "node:assert/strict";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startPage } from "./page.js";
import { startAll } from "./testing.js";

describe("the page's server", () => {
  let folder;
  let page;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "authsafe-test-"));
    for (const name of ["www", "www/demo", "www/server", "pkg", "pkg/dist", "pkg/wasm", "extra"]) {
      await mkdir(join(folder, name));
    }
    for (const [name, text] of Object.entries({
      "www/index.html": "<!doctype html><title>page</title>",
      "www/demo.css": "body{}",
      "www/demo/main.js": "export {};",
      "www/demo/.hidden": "secret",
      "www/server/main.js": "secret",
      "www/package.json": "{}",
      "pkg/dist/index.js": "export {};",
      "pkg/wasm/authsafe_bg.wasm": "\0asm",
      "pkg/package.json": "{}",
      "extra/index.html": "extra",
    })) {
      await writeFile(join(folder, name), text);
    }
    page = await startPage({
      root: join(folder, "www"),
      packageRoot: join(folder, "pkg"),
      config: () => ({ answer: 42 }),
      connectTo: ["http://localhost:1", "http://localhost:2"],
      formTargets: ["http://localhost:1"],
      extraStatic: {
        "/extra": join(folder, "extra"),
        "/no-policy": { dir: join(folder, "extra"), csp: false },
        "/other-policy": { dir: join(folder, "extra"), csp: "script-src 'self'" },
      },
    });
  });
  after(async () => {
    await page.close();
    await rm(folder, { recursive: true });
  });

  const get = async (path) => {
    const response = await fetch(page.url + path, { redirect: "manual" });
    return {
      status: response.status,
      type: response.headers.get("content-type"),
      headers: response.headers,
      text: await response.text(),
    };
  };

  test("serves the page at its address and at the callback's", async () => {
    for (const path of ["/", "/callback", "/?code=a&state=b"]) {
      const { status, type, text } = await get(path);
      assert.deepEqual([status, type], [200, "text/html; charset=utf-8"]);
      assert.match(text, /<title>page/);
    }
  });

  test("serves scripts, styles and wasm with the types that browsers insist on", async () => {
    assert.equal((await get("/demo/main.js")).type, "text/javascript; charset=utf-8");
    assert.equal((await get("/demo.css")).type, "text/css; charset=utf-8");
    assert.equal((await get("/authsafe/dist/index.js")).type, "text/javascript; charset=utf-8");
    assert.equal((await get("/authsafe/wasm/authsafe_bg.wasm")).type, "application/wasm");
  });

  test("sends a strict policy and its companions with everything, errors included", async () => {
    for (const path of ["/", "/demo/main.js", "/config.json", "/nothing"]) {
      const { headers } = await get(path);
      assert.equal(
        headers.get("content-security-policy"),
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
          "connect-src 'self' http://localhost:1 http://localhost:2; form-action 'self' http://localhost:1; " +
          "base-uri 'none'; frame-ancestors 'none'",
      );
      assert.equal(headers.get("referrer-policy"), "no-referrer");
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(headers.get("cache-control"), "no-cache");
    }
  });

  test("serves nothing else of its folders", async () => {
    for (const path of [
      "/server/main.js",
      "/package.json",
      "/node_modules/express/package.json",
      "/demo/.hidden",
      "/demo/",
      "/demo/..%2fserver/main.js",
      "/demo/%2e%2e/server/main.js",
      "/authsafe/package.json",
      "/authsafe/dist/../package.json",
      "/authsafe/dist/missing.js",
    ]) {
      assert.deepEqual([path, (await get(path)).status], [path, 404]);
    }
  });

  test("names itself in its configuration", async () => {
    const config = JSON.parse((await get("/config.json")).text);
    assert.deepEqual(config, { application: "authsafe-demo", pageUrl: page.url, answer: 42 });
  });

  test("serves further folders, under a policy of their own or none", async () => {
    const own = await get("/extra/");
    assert.deepEqual([own.status, own.text], [200, "extra"]);
    assert.match(own.headers.get("content-security-policy"), /^default-src 'none'/);
    assert.equal((await get("/no-policy/")).headers.get("content-security-policy"), null);
    assert.equal((await get("/other-policy/")).headers.get("content-security-policy"), "script-src 'self'");
  });

  test("answers 404 for what has not been built yet", async () => {
    const bare = await startPage({
      root: join(folder, "missing"),
      packageRoot: join(folder, "missing"),
      config: () => ({}),
      connectTo: [],
      formTargets: [],
    });
    try {
      for (const path of [
        "/",
        "/demo.css",
        "/demo/main.js",
        "/authsafe/dist/index.js",
        "/authsafe/wasm/authsafe_bg.wasm",
      ]) {
        const response = await fetch(bare.url + path);
        assert.deepEqual([path, response.status, await response.text()], [path, 404, "Not found\n"]);
      }
    } finally {
      await bare.close();
    }
  });
});

describe("the whole demo", () => {
  test("tells the page where everything is and for how long it lasts", async () => {
    const stack = await startAll({ accessTokenSeconds: 5, idleSeconds: 6, absoluteSeconds: 7 });
    try {
      const read = async () => (await fetch(`${stack.pageUrl}/config.json`)).json();
      const config = await read();
      assert.equal(config.issuer, stack.issuer);
      assert.equal(config.apiUrl, stack.apiUrl);
      assert.equal(config.clientId, stack.clientId);
      const { accessTokenSeconds, idleSeconds, absoluteSeconds } = config.lifetimes;
      assert.deepEqual([accessTokenSeconds, idleSeconds, absoluteSeconds], [5, 6, 7]);
      for (const { endpoints } of config.session) {
        assert.equal((await fetch(stack.pageUrl + endpoints.session)).status, 401);
        assert.equal((await fetch(stack.pageUrl + endpoints.csrf)).status, 200);
      }
      for (const { endpoints } of config.firstParty) {
        assert.equal((await fetch(stack.pageUrl + endpoints.user)).status, 401);
      }
      stack.session.lifetimes.idleSeconds = 60;
      assert.equal((await read()).lifetimes.idleSeconds, 60);
    } finally {
      await stack.close();
    }
  });
});
