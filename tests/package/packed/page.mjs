// The packed tarball in a plain page: `<script type="module">`, no bundler.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { open, serve } from "../support/browser.mjs";
import { app, init, installed, NOBODY, NOBODY_IN_WORKER } from "./install.mjs";

const CORE = "/node_modules/authsafe/dist/core.js";
const WASM = "/node_modules/authsafe/wasm/authsafe_bg.wasm";
const WORKER = "/node_modules/authsafe/dist/worker.js";
const STRICT =
  "default-src 'none'; connect-src 'self'; worker-src 'self'; require-trusted-types-for 'script'; script-src 'self'";

before(() => {
  writeFileSync(
    join(app, "index.html"),
    '<!doctype html><title>app</title><script type="module" src="/page.js"></script>',
  );
  // Modules are run in the order in which they are imported.
  writeFileSync(join(app, "first.js"), "export const before = Reflect.ownKeys(window);");
  writeFileSync(
    join(app, "page.js"),
    `import { before } from "/first.js";
import * as authsafe from "/node_modules/authsafe/dist/index.js";
authsafe.createAuthClient({ mode: "session", endpoints: { session: "/session" } });
const added = Reflect.ownKeys(window).filter((key) => !before.includes(key));
Object.assign(window, { authsafe, added });`,
  );
});

const not = (times, answer) => (count) => (count <= times ? answer : undefined);
const NOT_FOUND = [404, "text/html", "<!doctype html>"];

test("a plain page imports it, init settles, and nothing was loaded before", async (t) => {
  const { origin, counts } = await serve(t, app);
  const page = await open(t, origin);
  assert.equal(counts[CORE], undefined);
  assert.equal(counts[WASM], undefined);
  assert.deepEqual(await init(page), NOBODY);
  assert.deepEqual([counts[CORE], counts[WASM]], [1, 1]);
  assert.deepEqual(page.uncaught, []);
});

test("the page gets no way to the core's memory: no global, and no export but the start", async (t) => {
  const { origin } = await serve(t, app);
  const page = await open(t, origin);
  await init(page);
  const [added, exported, globals] = await page.evaluate(async (core) => {
    const globals = Reflect.ownKeys(window).filter((key) => /authsafe|wasm/i.test(String(key)));
    return [window.added.map(String), Object.keys(await import(core)), globals.map(String)];
  }, CORE);
  assert.deepEqual([added, exported], [[], ["start"]]);
  assert.deepEqual(globals.sort(), ["authsafe"]);
});

test("it works under a strict policy that allows wasm and nothing else that is dangerous", async (t) => {
  const policy = `${STRICT} 'wasm-unsafe-eval'`;
  const { origin } = await serve(t, app, { headers: { "content-security-policy": policy } });
  for (const [isolation, found] of [
    ["page", NOBODY],
    ["required", NOBODY_IN_WORKER],
  ]) {
    const page = await open(t, origin);
    const violations = [];
    page.on("console", (message) => violations.push(message.text()));
    assert.deepEqual(await init(page, isolation), found);
    assert.deepEqual(violations, []);
  }
});

for (const [what, options, cause] of [
  ["is missing", { answers: { [WORKER]: () => NOT_FOUND } }, /cannot be run/],
  ["has a wrong type", { answers: { [WORKER]: () => [200, "text/html", "<!doctype html>"] } }, /cannot be run/],
  ["is forbidden", { headers: { "content-security-policy": "worker-src 'none'" } }, /cannot be run|refuses/],
]) {
  test(`F55 where the worker ${what}, the core runs in the page and says so, or fails where a worker is required`, async (t) => {
    const { origin } = await serve(t, app, options);
    const page = await open(t, origin);
    const causes = await page.evaluate(async () => {
      const causes = [];
      const { createAuthClient } = window.authsafe;
      const firstParty = { baseUrl: location.origin, endpoints: { login: "/login" } };
      const auth = createAuthClient({ mode: "token", firstParty, logger: "silent" });
      auth.on("isolationDegraded", ({ cause }) => causes.push(auth.isolation, cause));
      await auth.init();
      const strict = createAuthClient({ mode: "token", firstParty, isolation: "required" });
      const error = await strict.init().catch((error) => error);
      return [...causes, auth.isolation, error.code, error.message];
    });
    assert.match(causes[1], cause);
    assert.match(causes[4], cause);
    assert.deepEqual([causes.length, causes[2], causes[3]], [5, "page", "isolation_unavailable"]);
    assert.deepEqual(page.uncaught, []);
  });
}

test("a worker of another version, or with a wasm in which one bit was changed, does not hold a session", async (t) => {
  const other = readFileSync(join(app, WORKER), "utf8").replaceAll(/sha256-[\w+/=]+/g, "sha256-x");
  const wasm = readFileSync(join(app, WASM));
  const changed = Buffer.from(wasm);
  changed[changed.lastIndexOf("Sign in again.")] ^= 1;
  for (const [answers, message] of [
    [{ [WORKER]: () => [200, "text/javascript", other] }, /another version/],
    [{ [WASM]: () => [200, "application/wasm", changed] }, /is not the file of this version/],
  ]) {
    const { origin } = await serve(t, app, { answers });
    const { error } = await init(await open(t, origin), "required");
    assert.equal(error.code, "wasm_load_failed");
    assert.match(error.message, message);
  }
});

test("F56 a policy that forbids wasm is named, with the directive that is missing", async (t) => {
  const { origin } = await serve(t, app, { headers: { "content-security-policy": STRICT } });
  const page = await open(t, origin);
  const { error } = await init(page);
  assert.equal(error.code, "wasm_blocked_by_csp");
  assert.match(error.hint, /'wasm-unsafe-eval'.*script-src/);
  // Compiling bytes is worded otherwise than compiling a stream.
  await page.evaluate((wasm) => window.authsafe.setWasmSource(fetch(wasm).then((r) => new Response(r.body))), WASM);
  assert.equal((await init(page)).error.code, "wasm_blocked_by_csp");
});

test("the wasm is asked for before the core's script has arrived", async (t) => {
  let asked;
  const wasmAsked = new Promise((resolve) => (asked = resolve));
  const { origin } = await serve(t, app, { answers: { [WASM]: () => asked(), [CORE]: () => wasmAsked } });
  assert.deepEqual(await init(await open(t, origin)), NOBODY);
});

for (const [isolation, script, found] of [
  ["required", WORKER, NOBODY_IN_WORKER],
  ["page", CORE, NOBODY],
]) {
  test(`the README's lines that start the downloads with the HTML cause no second one (${isolation})`, async (t) => {
    const readme = readFileSync(join(app, "node_modules/authsafe/README.md"), "utf8");
    const blocks = readme.matchAll(/^```html\n((?:<link rel="\w*preload.*>\n)+)```$/gm);
    const [lines] = [...blocks].map(([, lines]) => lines).filter((lines) => lines.includes(script.split("/").at(-1)));
    const html = `<!doctype html>${lines.replaceAll("/authsafe/", "/node_modules/authsafe/")}<script src="/page.js" type="module"></script>`;
    const { origin, counts } = await serve(t, app, {
      headers: { "cache-control": "max-age=3600" },
      answers: { "/preloads": () => [200, "text/html", html] },
    });
    const tab = await open(t, `${origin}/preloads`);
    const names = () => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
    await tab.waitForFunction(
      `[${JSON.stringify(script)}, ${JSON.stringify(WASM)}].every((path) => (${names})().includes(path))`,
    );
    assert.deepEqual(await init(tab, isolation), found);
    assert.deepEqual([counts[script], counts[WASM]], [1, 1]);
  });
}

test("F56 a wasm in which one bit was changed is not run, and the next call tries again", async (t) => {
  const wasm = readFileSync(join(app, WASM));
  // Within a text of the data section, so that it would compile and run.
  const changed = Buffer.from(wasm);
  changed[changed.lastIndexOf("Sign in again.")] ^= 1;
  assert.ok(WebAssembly.validate(changed));
  const { origin } = await serve(t, app, { answers: { [WASM]: not(1, [200, "application/wasm", changed]) } });
  const page = await open(t, origin);
  const { error } = await init(page);
  assert.equal(error.code, "wasm_load_failed");
  assert.match(error.hint, /unchanged/);
  assert.deepEqual(await init(page), NOBODY);
});

for (const [name, path] of Object.entries({ "the wasm": WASM, "the core's script": CORE })) {
  test(`F56 where ${name} was not there at first, the second try succeeds`, async (t) => {
    const { origin } = await serve(t, app, { answers: { [path]: not(1, NOT_FOUND) } });
    const page = await open(t, origin);
    const { error } = await init(page);
    assert.equal(error.code, "wasm_load_failed");
    assert.equal(error.retryable, true);
    assert.ok(error.message.includes(path), error.message);
    assert.equal(await page.evaluate(() => window.auth.getState().error.code), "wasm_load_failed");
    assert.deepEqual(await init(page), NOBODY);
  });
}

test("F56 a script that fails again and again is still asked for again", async (t) => {
  const { origin, counts } = await serve(t, app, { answers: { [CORE]: not(3, NOT_FOUND) } });
  const page = await open(t, origin);
  for (let attempt = 1; attempt <= 3; attempt++) assert.equal((await init(page)).error.code, "wasm_load_failed");
  assert.deepEqual(await init(page), NOBODY);
  assert.equal(counts[CORE], 4);
});

test("F56 a wasm that is served with a wrong media type works all the same; a page in its place is reported", async (t) => {
  const bytes = readFileSync(join(installed, "wasm/authsafe_bg.wasm"));
  const answers = {
    [WASM]: (count) => (count <= 2 ? [200, "text/html", "<!doctype html>"] : [200, "text/plain", bytes]),
  };
  const { origin } = await serve(t, app, { answers });
  const page = await open(t, origin);
  const { error } = await init(page);
  assert.equal(error.code, "wasm_load_failed");
  assert.match(error.message, /answered 200 with text\/html/);
  assert.deepEqual(await init(page), NOBODY);
});

test("setWasmSource takes an address, a response and a module, and the file beside the script is left alone", async (t) => {
  const bytes = readFileSync(join(installed, "wasm/authsafe_bg.wasm"));
  const answers = { "/elsewhere.wasm": () => [200, "application/wasm", bytes], [WASM]: () => NOT_FOUND };
  const { origin, counts } = await serve(t, app, { answers });
  const sources = [
    () => window.authsafe.setWasmSource("/elsewhere.wasm"),
    () => window.authsafe.setWasmSource(new URL("/elsewhere.wasm", location.href)),
    () => window.authsafe.setWasmSource(fetch("/elsewhere.wasm")),
    async () => window.authsafe.setWasmSource(await WebAssembly.compileStreaming(fetch("/elsewhere.wasm"))),
    async () => window.authsafe.setWasmSource(await (await fetch("/elsewhere.wasm")).arrayBuffer()),
  ];
  for (const source of sources) {
    const page = await open(t, origin);
    await page.evaluate(source);
    assert.deepEqual(await init(page), NOBODY, String(source));
  }
  assert.deepEqual([counts["/elsewhere.wasm"], counts[WASM]], [sources.length, undefined]);
});

test("F56 a module that is not of this version is reported, and not run", async (t) => {
  const { origin } = await serve(t, app);
  const page = await open(t, origin);
  await page.evaluate(() => window.authsafe.setWasmSource(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0])));
  const { error } = await init(page);
  assert.equal(error.code, "wasm_load_failed");
  assert.match(error.message, /is it of this version\?/);
});

test("options that only the core can judge reject init, and the message names the one that is wrong", async (t) => {
  const { origin } = await serve(t, app);
  const page = await open(t, origin);
  const error = await page.evaluate(async () => {
    const auth = window.authsafe.createAuthClient({
      mode: "token",
      oidc: { issuer: "https://a.example", client_id: "x" },
    });
    return auth.init().catch((error) => error.toJSON());
  });
  assert.equal(error.code, "config_invalid");
  assert.match(error.message, /`?client_?[iI]d`?/);
});
