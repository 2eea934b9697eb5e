// Loading the core: once, again after a failure, and what is said when it fails.
import assert from "node:assert/strict";
import { renameSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { EMPTY_WASM, layer } from "./fakes/scripted.mjs";

/** A server that answers as it is told: `answer` is [status, type, body]. */
async function server(t) {
  const told = { requests: 0, answer: [200, "application/wasm", EMPTY_WASM] };
  const http = createServer((_, response) => {
    told.requests++;
    const [status, type, body] = told.answer;
    response.writeHead(status, { "content-type": type }).end(body);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => http.close());
  told.url = `http://127.0.0.1:${http.address().port}/core.wasm`;
  return told;
}

function replace(t, name, value) {
  const before = WebAssembly[name];
  WebAssembly[name] = value;
  t.after(() => (WebAssembly[name] = before));
}

test("many clients load the core once, and each makes a core of its own", async (t) => {
  const { createAuthClient, setWasmSource, script } = await layer(t);
  const told = await server(t);
  setWasmSource(told.url);
  const clients = Array.from({ length: 20 }, () => createAuthClient({ mode: "token", isolation: "page" }));
  await Promise.all(clients.flatMap((auth) => [auth.preload(), auth.init(), auth.init(), auth.refresh()]));
  assert.equal(told.requests, 1);
  assert.equal(script.modules.length, 1);
  assert.ok(script.modules[0] instanceof WebAssembly.Module);
  assert.equal(script.cores.length, 20);
});

test("preload compiles and starts nothing", async (t) => {
  const { createAuthClient, setWasmSource, script } = await layer(t);
  setWasmSource(EMPTY_WASM);
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  await auth.preload();
  assert.equal(script.modules.length, 1);
  assert.deepEqual(script.cores, []);
  assert.deepEqual(auth.getState(), { status: "initializing" });
});

test("every kind of source is taken", async (t) => {
  const told = await server(t);
  const response = () => new Response(EMPTY_WASM, { headers: { "content-type": "application/wasm" } });
  const sources = {
    URL: new URL(told.url),
    string: told.url,
    Response: response(),
    "promise of a Response": Promise.resolve(response()),
    Module: new WebAssembly.Module(EMPTY_WASM),
    ArrayBuffer: EMPTY_WASM.buffer,
    view: EMPTY_WASM,
  };
  for (const [name, source] of Object.entries(sources)) {
    const { createAuthClient, setWasmSource, script } = await layer(t);
    setWasmSource(source);
    await createAuthClient({ mode: "token", isolation: "page" }).init();
    assert.ok(script.modules[0] instanceof WebAssembly.Module, name);
  }
});

test("F56 a wrong media type only costs the streaming", async (t) => {
  const told = await server(t);
  for (const type of ["application/octet-stream", "application/wasm; charset=utf-8", "text/plain"]) {
    told.answer = [200, type, EMPTY_WASM];
    const { createAuthClient, setWasmSource, script } = await layer(t);
    setWasmSource(told.url);
    await createAuthClient({ mode: "token", isolation: "page" }).init();
    assert.equal(script.modules.length, 1, type);
  }
});

test("F56 a load that failed is reported with what was found, and the next call tries again", async (t) => {
  const { createAuthClient, setWasmSource, AuthError } = await layer(t);
  const told = await server(t);
  setWasmSource(`${told.url}?signature=canary`);
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  const failures = [
    [[404, "text/html", "<!doctype html>"], /core\.wasm answered 404 with text\/html\. Not Found/],
    [[200, "text/html", "<!doctype html>"], /core\.wasm answered 200 with text\/html\. .*magic word/],
    [[200, "application/wasm", EMPTY_WASM.slice(0, 6)], /core\.wasm answered 200 with application\/wasm\./],
  ];
  for (const [answer, message] of failures) {
    told.answer = answer;
    const error = await auth.init().catch((error) => error);
    assert.ok(AuthError.is(error, "wasm_load_failed"));
    assert.match(error.message, message);
    assert.doesNotMatch(JSON.stringify(error), /canary/);
    assert.deepEqual([error.phase, error.retryable, error.recovery], ["init", true, "retry"]);
    assert.match(error.hint, /setWasmSource/);
    assert.equal(auth.getState().error, error);
  }
  told.answer = [200, "application/wasm", EMPTY_WASM];
  assert.deepEqual((await auth.init()).state, { status: "unauthenticated", reason: "never" });
});

test("F56 an unreachable source is reported, and another one can be set", async (t) => {
  const { createAuthClient, setWasmSource } = await layer(t);
  // Port 9 is discard: nothing listens there.
  setWasmSource("http://127.0.0.1:9/core.wasm");
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  await assert.rejects(auth.preload(), { code: "wasm_load_failed", message: /127\.0\.0\.1:9\/core\.wasm/ });
  setWasmSource(EMPTY_WASM);
  await auth.preload();
});

test("a response that was given once serves a second attempt too", async (t) => {
  const { createAuthClient, setWasmSource } = await layer(t);
  setWasmSource(new Response(EMPTY_WASM, { headers: { "content-type": "application/wasm" } }));
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  const { compileStreaming } = WebAssembly;
  replace(t, "compileStreaming", () => Promise.reject(new WebAssembly.CompileError("out of memory")));
  await assert.rejects(auth.preload(), { code: "wasm_load_failed" });
  WebAssembly.compileStreaming = compileStreaming;
  await auth.preload();
});

test("the script beside index.js may come late, too", async (t) => {
  const { createAuthClient, setWasmSource, folder } = await layer(t);
  setWasmSource(EMPTY_WASM);
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  renameSync(join(folder, "core.js"), join(folder, "hidden.js"));
  await assert.rejects(auth.init(), { code: "wasm_load_failed" });
  renameSync(join(folder, "hidden.js"), join(folder, "core.js"));
  await auth.init();
});

test("F56 a refusal by CSP is told from any other failure, in each browser's words", async (t) => {
  const told = await server(t);
  const directive =
    "an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\"";
  const words = {
    "Chromium 97": `Wasm code generation disallowed by embedder because 'unsafe-eval' is not ${directive}`,
    "Chromium now": `WebAssembly.compileStreaming(): Compiling or instantiating WebAssembly module violates the following Content Security policy directive because neither 'wasm-eval' nor 'unsafe-eval' is ${directive}`,
    Firefox: "call to WebAssembly.compileStreaming() blocked by CSP",
    WebKit: `Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not ${directive}`,
  };
  for (const [browser, message] of Object.entries(words)) {
    const { createAuthClient, setWasmSource } = await layer(t);
    setWasmSource(told.url);
    const cause = new WebAssembly.CompileError(message);
    replace(t, "compileStreaming", () => Promise.reject(cause));
    await assert.rejects(
      createAuthClient({ mode: "token", isolation: "page" }).init(),
      {
        code: "wasm_blocked_by_csp",
        retryable: false,
        recovery: "fix_config",
        hint: /'wasm-unsafe-eval'.*script-src/,
        cause,
      },
      browser,
    );
  }
});

test("a connection that CSP refuses is not mistaken for wasm that CSP forbids", async (t) => {
  const { createAuthClient, setWasmSource } = await layer(t);
  const message = "Failed to fetch. Refused to connect because it violates the document's Content Security Policy.";
  setWasmSource(Promise.reject(new TypeError(message)));
  await assert.rejects(createAuthClient({ mode: "token", isolation: "page" }).init(), { code: "wasm_load_failed" });
});

test("a page that is no secure context is told so, before anything is loaded", async (t) => {
  const { createAuthClient, setWasmSource } = await layer(t);
  const told = await server(t);
  setWasmSource(told.url);
  globalThis.isSecureContext = false;
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  await assert.rejects(auth.init(), { code: "insecure_context", phase: "init", hint: /https/ });
  assert.equal(told.requests, 0);
});

test("F56 a load that never ends is given up, and the next call tries again", async (t) => {
  const { createAuthClient, setWasmSource } = await layer(t);
  setWasmSource(new Promise(() => {}));
  const auth = createAuthClient({ mode: "token", isolation: "page" });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const preload = assert.rejects(auth.preload(), { code: "wasm_load_failed", message: /within 60 s/ });
  t.mock.timers.tick(60_000);
  await preload;
  setWasmSource(EMPTY_WASM);
  await auth.preload();
});
