// How options are taken apart before the core reads them, and what is found wrong at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, EMPTY_WASM, layer, uncaught, until } from "./fakes/scripted.mjs";

const endpoints = { session: "/session" };
const session = (more) => ({ mode: "session", endpoints, ...more });
const token = (more) => ({ mode: "token", isolation: "page", ...more });
const adapter = { get: () => null, set() {}, remove() {} };

/** What the core is handed for `config`. */
async function handed(t, config) {
  const { auth, script } = await client(t, config);
  await auth.init();
  const { options, host } = script.cores[0];
  return { options, host, script };
}

test("the core gets the options as plain data, and the functions by name", async (t) => {
  const parseSession = () => null;
  const isSessionExpired = () => false;
  const mapUser = (raw) => raw;
  const one = await handed(t, session({ csrf: false, mapUser, parseSession, isSessionExpired, logger: console }));
  assert.equal(JSON.stringify(one.options), '{"mode":"session","endpoints":{"session":"/session"},"csrf":false}');
  assert.deepEqual([one.host.parseSession, one.host.isSessionExpired], [parseSession, isSessionExpired]);
  assert.equal(one.host.mapUser, undefined);

  const parseTokens = () => ({});
  const two = await handed(
    t,
    token({
      firstParty: { baseUrl: "/", endpoints: { login: "/login" }, parseTokens },
      storage: { kind: "custom", adapter, dangerouslyPlaintext: true },
      allowedOrigins: ["https://api.example", { origin: "https://b.example", pathPrefix: undefined }],
    }),
  );
  assert.deepEqual(JSON.parse(JSON.stringify(two.options)), {
    mode: "token",
    isolation: "page",
    firstParty: { baseUrl: "/", endpoints: { login: "/login" } },
    storage: { kind: "custom", dangerouslyPlaintext: true },
    allowedOrigins: ["https://api.example", { origin: "https://b.example" }],
  });
  assert.deepEqual([two.host.parseTokens, two.host.adapter], [parseTokens, adapter]);
});

test("options are read when the client is made; a later change of them counts for nothing", async (t) => {
  const config = token({ oidc: { issuer: "https://a.example" } });
  const { auth, script } = await client(t, config);
  config.oidc.issuer = "https://evil.example";
  await auth.init();
  assert.equal(script.cores[0].options.oidc.issuer, "https://a.example");
});

test("an inherited property is no option, wherever it comes from", async (t) => {
  const inherited = Object.create({ clientId: "inherited" }, { scope: { value: "openid", enumerable: true } });
  const { createAuthClient, setWasmSource, script } = await layer(t);
  setWasmSource(EMPTY_WASM);
  const evil = () => ({ sub: "evil" });
  const polluted = { mapUser: evil, parseTokens: evil, logger: "debug", issuer: "https://evil.example" };
  Object.assign(Object.prototype, polluted);
  try {
    await createAuthClient(token({ oidc: inherited, ["__proto__"]: { id: "evil" } })).init();
    const [{ options, host }] = script.cores;
    // An own member of this name is like any other that the core does not know: it gets there, and is refused.
    assert.deepEqual(Object.keys(options), ["mode", "isolation", "oidc", "__proto__"]);
    assert.deepEqual(Object.keys(options.oidc), ["scope"]);
    for (const name in polluted) {
      for (const object of [options, options.oidc, host]) assert.equal(object[name], undefined, name);
    }
  } finally {
    for (const name in polluted) delete Object.prototype[name];
  }
});

test("what can be seen to be wrong at once is thrown by createAuthClient, and the message names the option", async (t) => {
  const { createAuthClient, AuthError } = await layer(t);
  const cycle = { claims: {} };
  cycle.claims.claims = cycle;
  const cases = [
    [undefined, /`mode`/],
    [{ mode: "cookie" }, /`mode` must be "session" or "token"/],
    [token({ mapUsr: () => {} }), /`mapUsr` takes no function in token mode/],
    [token({ parseSession: () => null }), /`parseSession` takes no function in token mode/],
    [session({ firstParty: { parseTokens: () => {} } }), /`firstParty\.parseTokens` takes no function in session mode/],
    [token({ storage: { kind: "custom" } }), /`storage\.adapter` must have get, set and remove/],
    [token({ storage: { kind: "custom", adapter: { get() {} } } }), /`storage\.adapter` must have/],
    [token({ storage: { kind: "localStorage", adapter } }), /`storage\.adapter\.get` takes no function/],
    [token({ oidc: { issuer: Symbol("x") } }), /`oidc\.issuer` is not plain JSON/],
    [token({ oidc: { maxAge: 1n } }), /`oidc\.maxAge` is not plain JSON/],
    [token({ oidc: cycle }), /nested too deeply/],
    [token({ logger: "loud" }), /`logger` must be a logger or one of silent, error, warn, info, debug/],
    [token({ logger: null }), /`logger` must be a logger/],
    [token({ logger: { ...console, debug: undefined } }), /`logger` must be a logger/],
  ];
  for (const [config, message] of cases) {
    assert.throws(
      () => createAuthClient(config),
      (error) => {
        assert.ok(AuthError.is(error, "config_invalid"), String(error));
        assert.match(error.message, message);
        return error.recovery === "fix_config";
      },
    );
  }
});

test("what login and logout are given must be plain data too", async (t) => {
  const { auth, script } = await client(t);
  await assert.rejects(auth.login({ appState: { then: () => {} } }), {
    code: "config_invalid",
    message: /`appState\.then` is not plain JSON/,
  });
  await assert.rejects(auth.logout({ returnTo: () => "/" }), { code: "config_invalid", message: /`returnTo`/ });
  assert.ok(script.calls.every(([name]) => name !== "login" && name !== "logout"));
});

test("getAccessToken refuses an option that it does not know, as the token would be another than was asked for", async (t) => {
  const { auth, script } = await client(t);
  await assert.rejects(auth.getAccessToken({ minValiditySeconds: 5, resource: "https://api.example" }), {
    code: "config_invalid",
    message: /`resource` is no option of getAccessToken\(\)/,
  });
  assert.ok(script.calls.every(([name]) => name !== "accessToken"));
});

/** A logger that keeps its lines, and the lines. */
function listening() {
  const lines = [];
  const levels = ["error", "warn", "info", "debug"];
  const logger = Object.fromEntries(levels.map((level) => [level, (message) => lines.push(`${level}: ${message}`)]));
  return { lines, logger };
}

const fields = { code: "server_error", phase: "refresh", message: "The server failed.", retryable: true };

test("events are logged at their level, without what is known of the user", async (t) => {
  const { lines, logger } = listening();
  const { host } = await handed(t, token({ logger }));
  lines.length = 0;
  const user = { sub: "canary", email: "canary" };
  for (const [name, detail] of [
    ["refreshFailed", { error: fields, fatal: false, willRetryAt: 1 }],
    ["refreshFailed", { error: fields, fatal: true }],
    ["signedIn", { user, origin: "other-tab" }],
    ["userChanged", { previous: user, current: user }],
    ["refreshed", { expiresAt: 1, by: "this-tab" }],
    ["expiring", { secondsLeft: 1 }],
    ["signedOut", { reason: "expired", origin: "server" }],
    ["signedOut", { reason: "storage_lost", origin: "restored" }],
    ["signedOut", { reason: "error", origin: "server" }],
    ["storageDegraded", { wanted: "localStorage", using: "memory", cause: "It is full." }],
    ["isolationDegraded", { cause: "This version runs in the page." }],
  ]) {
    host.onEvent(name, detail);
  }
  assert.deepEqual(lines, [
    "warn: refreshFailed: The server failed.",
    "error: refreshFailed: The server failed.",
    "info: signedIn: other-tab",
    "info: userChanged",
    "info: refreshed",
    "info: expiring",
    "info: signedOut: expired: server",
    "error: signedOut: storage_lost: restored",
    "error: signedOut: error: server",
    "warn: storageDegraded: It is full.",
    "warn: isolationDegraded: This version runs in the page.",
  ]);
});

test("a change of state is logged by status and freshness, and a cause that nobody is signed in as an error", async (t) => {
  const { lines, logger } = listening();
  const { host } = await handed(t, token({ logger }));
  const user = { sub: "canary" };
  const session = { sub: "canary", sid: "canary", clockSkew: 0 };
  for (const state of [
    { status: "authenticating", via: "password" },
    { status: "authenticated", user, session, freshness: "fresh" },
    { status: "authenticated", user, session, freshness: "fresh" },
    { status: "authenticated", user, session, freshness: "stale" },
    { status: "unauthenticated", reason: "never", error: fields },
    { status: "unauthenticated", reason: "error", error: fields },
  ]) {
    host.onState(state);
  }
  assert.deepEqual(lines, [
    "debug: state: unauthenticated",
    "debug: state: authenticating",
    "debug: state: authenticated: fresh",
    "debug: state: authenticated: stale",
    "debug: state: unauthenticated",
    "debug: state: unauthenticated",
    "error: state: The server failed.",
  ]);
});

test("what keeps init from starting, or the core from going on, is logged as an error, and the rest of init as a warning", async (t) => {
  const logged = async (answers, work) => {
    const { lines, logger } = listening();
    const made = await client(t, token({ logger }), answers);
    await work(made.auth).catch(() => {});
    return lines.filter((line) => !line.startsWith("debug: "));
  };
  const init = (auth) => auth.init();
  const lost = "The core is gone; another takes its place.";
  const again = "warn: core lost";
  const trap = () => Promise.reject(new WebAssembly.RuntimeError("unreachable"));
  assert.deepEqual(await logged({ constructor: fields }, init), ["error: state: The server failed."]);
  assert.deepEqual(await logged({ init: trap }, init), [again, `error: state: ${lost}`]);
  assert.deepEqual(await logged({ refresh: trap }, (auth) => auth.refresh()), [again]);
  const twice = (auth) => auth.refresh().catch(() => auth.refresh());
  const trapped = "error: state: The core stopped at an internal fault.";
  assert.deepEqual(await logged({ refresh: trap }, twice), [again, trapped]);
  assert.deepEqual(await logged({ init: async () => ({ error: fields }) }, init), ["warn: init: The server failed."]);
  const unreachable = { status: "unauthenticated", reason: "error", error: fields };
  assert.deepEqual(await logged({ init: async () => ({ error: fields }), snapshot: () => unreachable }, init), [
    "error: state: The server failed.",
  ]);
});

test("the console hears warnings unless told otherwise, and a broken logger stops nothing", async (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  const info = t.mock.method(console, "info", () => {});
  const debug = t.mock.method(console, "debug", () => {});
  for (const [logger, counts] of [
    [undefined, [1, 0]],
    ["silent", [0, 0]],
    ["error", [0, 0]],
    ["info", [1, 1]],
    ["debug", [1, 1]],
  ]) {
    const { host } = await handed(t, token({ logger }));
    host.onEvent("storageDegraded", { cause: "It is full." });
    host.onEvent("signedOut", { reason: "expired" });
    assert.deepEqual([warn.mock.callCount(), info.mock.callCount()], counts, logger);
    assert.equal(debug.mock.callCount(), logger === "debug" ? 1 : 0, logger);
    assert.ok(warn.mock.calls.every(({ arguments: [line] }) => line === "authsafe: storageDegraded: It is full."));
    warn.mock.resetCalls();
    info.mock.resetCalls();
  }

  const failures = uncaught(t);
  const { logger } = listening();
  logger.info = () => {
    throw new Error("in the logger");
  };
  const { auth, script } = await client(t, token({ logger }));
  await auth.init();
  const heard = [];
  auth.on("signedOut", (detail) => heard.push(detail.reason));
  script.cores[0].host.onEvent("signedOut", { reason: "expired" });
  assert.deepEqual(heard, ["expired"]);
  await until(() => failures.length === 1);
});
