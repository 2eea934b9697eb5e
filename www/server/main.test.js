import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort, isFree } from "./listen.js";

const MAIN = fileURLToPath(new URL("main.js", import.meta.url));

describe("the demo's command", () => {
  const children = [];
  let temporary;
  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), "authsafe-test-"));
  });
  after(async () => {
    // None is left but of a test that failed half-way.
    for (const child of children) child.kill("SIGKILL");
    await rm(temporary, { recursive: true });
  });

  /** Starts the command; `address` settles with what it prints last, once it has printed it. */
  const start = (...args) => {
    const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, TMPDIR: temporary } });
    children.push(child);
    const output = { out: "", err: "" };
    child.stderr.setEncoding("utf8").on("data", (text) => (output.err += text));
    const address = new Promise((resolve) => {
      child.stdout.setEncoding("utf8").on("data", (text) => {
        output.out += text;
        const [, found] = /The authsafe demo (?:is at|is running already:) (http:\S+)\n/.exec(output.out) ?? [];
        if (found) resolve(found);
      });
    });
    const exit = once(child, "close").then(([code, signal]) => ({ code, signal, ...output }));
    return { child, address, exit };
  };

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    test(`starts everything, prints the address, and ends cleanly on ${signal}`, async () => {
      const demo = start("--port", String(await freePort()), "--idle-seconds", "33");
      const address = await demo.address;
      const config = await (await fetch(`${address}config.json`)).json();
      assert.equal(config.lifetimes.idleSeconds, 33);
      const ports = [address, config.issuer, config.apiUrl].map((url) => Number(new URL(url).port));
      demo.child.kill(signal);
      const { code, out, err } = await demo.exit;
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, new RegExp(`The authsafe demo is at ${address}\n\nStopping the demo.\n$`));
      for (const port of ports) assert.equal(await isFree(port), true);
      assert.deepEqual(await readdir(temporary), []);
    });
  }

  test("says that it runs already instead of starting a second time", async () => {
    const port = String(await freePort());
    const first = start("--port", port, "--quiet");
    const address = await first.address;
    const second = await start("--port", port).exit;
    assert.deepEqual(second, {
      code: 0,
      signal: null,
      out: `The authsafe demo is running already: ${address}\n`,
      err: "",
    });
    assert.equal((await fetch(`${address}config.json`)).status, 200);
    first.child.kill();
    assert.deepEqual(await first.exit, { code: 0, signal: null, out: `The authsafe demo is at ${address}\n`, err: "" });
  });

  test("of two that are started at the same moment, one is the demo and the other says so", async () => {
    const port = String(await freePort());
    const both = [start("--port", port, "--quiet"), start("--port", port, "--quiet")];
    const results = both.map(({ exit }) => exit);
    const early = await Promise.race(results);
    assert.deepEqual([early.code, early.err], [0, ""]);
    const [, address] = /^The authsafe demo is running already: (\S+)\n$/.exec(early.out) ?? assert.fail(early.out);
    assert.deepEqual(await Promise.all(both.map((demo) => demo.address)), [address, address]);
    assert.equal((await fetch(`${address}config.json`)).status, 200);
    for (const { child } of both) child.kill();
    const outputs = (await Promise.all(results)).map(({ out, err }) => out + err);
    assert.deepEqual(outputs.sort(), [`The authsafe demo is at ${address}\n`, early.out]);
  });

  test("takes other ports where strangers have the usual ones", async () => {
    const port = await freePort();
    // The page's next try is ten further, and the others' usual places are the two below that.
    const strangers = await Promise.all([occupy(port), occupy(port + 8), occupy(port + 9)]);
    const demo = start("--port", String(port));
    try {
      const address = await demo.address;
      assert.notEqual(address, `http://localhost:${port}/`);
      const config = await (await fetch(`${address}config.json`)).json();
      for (const url of [config.issuer, config.apiUrl])
        assert.ok(![port + 8, port + 9].includes(Number(new URL(url).port)));
      assert.equal(config.pageUrl, address.slice(0, -1));
      const params = { client_id: config.clientId, response_type: "code", scope: "openid", redirect_uri: address };
      const pkce = { code_challenge: "a".repeat(43), code_challenge_method: "S256" };
      const signIn = await fetch(`${config.issuer}/auth?${new URLSearchParams({ ...params, ...pkce })}`, {
        redirect: "manual",
      });
      assert.match(signIn.headers.get("location"), /^\/interaction\//);
    } finally {
      demo.child.kill();
      assert.equal((await demo.exit).code, 0);
      for (const stranger of strangers) stranger?.close();
    }
  });

  test("explains an option it does not understand", async () => {
    for (const args of [
      ["--idle-seconds", "soon"],
      ["--port", "80"],
      ["--prot", "1"],
    ]) {
      const { code, out, err } = await start(...args).exit;
      assert.deepEqual([code, out], [2, ""]);
      assert.match(err, new RegExp(`${args[0]}[^]*Usage: `));
    }
  });

  test("explains itself", async () => {
    const { code, out } = await start("--help").exit;
    assert.equal(code, 0);
    assert.match(out, /--access-token-seconds/);
  });
});

/** Somebody else's server on this port, or nothing where the port is taken anyway. */
async function occupy(port) {
  const server = createServer((request, response) => response.end("{}"));
  server.listen(port, "127.0.0.1");
  return once(server, "listening").then(
    () => server,
    () => undefined,
  );
}
