// The client around the core: states, listeners, and that every promise settles.
import assert from "node:assert/strict";
import { test } from "node:test";
import { client, layer, signedIn, uncaught, until } from "./fakes/scripted.mjs";

const expired = {
  code: "session_expired",
  phase: "session",
  retryable: false,
  recovery: "login",
  message: "The session has ended.",
  hint: "Sign in again.",
};

test("importing and creating a client touches nothing, so both are safe on a server", async (t) => {
  const { createAuthClient, script } = await layer(t);
  delete globalThis.isSecureContext;
  assert.equal(typeof globalThis.window, "undefined");
  const before = Reflect.ownKeys(globalThis);
  const auth = createAuthClient({ mode: "session", endpoints: { session: "/session" } });
  assert.deepEqual(auth.getState(), { status: "initializing" });
  auth.subscribe(() => {})();
  auth.on("signedIn", () => {})();
  assert.equal(auth.isolation, "pending");
  assert.deepEqual(Reflect.ownKeys(globalThis), before);
  assert.deepEqual(script.cores, []);
  await assert.rejects(auth.init(), { code: "insecure_context", message: /There is no page here/ });
});

test("preload says so, too, where the page is no secure context", async (t) => {
  const { createAuthClient } = await layer(t);
  globalThis.isSecureContext = false;
  for (const isolation of ["page", "worker"]) {
    await assert.rejects(createAuthClient({ mode: "token", isolation }).preload(), { code: "insecure_context" });
  }
});

test("each mode has its own methods and not those of the other", async (t) => {
  const { createAuthClient } = await layer(t);
  const session = createAuthClient({ mode: "session", endpoints: { session: "/session" } });
  const token = createAuthClient({ mode: "token" });
  for (const name of ["checkSession", "extendSession"]) {
    assert.equal(typeof session[name], "function");
    assert.equal(token[name], undefined);
  }
  for (const name of ["getAccessToken", "getIdTokenClaims", "revoke"]) {
    assert.equal(typeof token[name], "function");
    assert.equal(session[name], undefined);
  }
});

test("the methods pass on what they are given and give back what the core answers", async (t) => {
  const { auth, script } = await client(t, undefined, {
    login: async () => ({ user: { sub: "ada" }, session: { clockSkew: 0 }, returnTo: "/inbox", appState: [1] }),
    accessToken: async () => "a token",
    idTokenClaims: () => ({ sub: "ada" }),
  });
  const result = await auth.login({ via: "password", username: "ada", password: "x", appState: [1] });
  assert.deepEqual(result, { user: { sub: "ada" }, session: { clockSkew: 0 }, returnTo: "/inbox", appState: [1] });
  assert.equal(await auth.getAccessToken(), "a token");
  assert.equal(await auth.getAccessToken({ minValiditySeconds: 60 }), "a token");
  assert.deepEqual(await auth.getIdTokenClaims(), { sub: "ada" });
  await auth.logout({ scope: "local" });
  await auth.revoke();
  const calls = script.calls.map(([name, ...args]) => [name, ...args.map((arg) => JSON.stringify(arg))].join(" "));
  assert.deepEqual(calls, [
    "init",
    "snapshot",
    'login {"via":"password","username":"ada","password":"x","appState":[1]}',
    "accessToken 5",
    "accessToken 60",
    "idTokenClaims",
    'logout {"scope":"local"}',
    "revoke",
  ]);
});

test("init gives the same promise to every caller, and every other call waits for it", async (t) => {
  const { promise, resolve } = Promise.withResolvers?.() ?? deferred();
  const { auth, script } = await client(t, undefined, { init: () => promise, refresh: async () => {} });
  assert.equal(auth.init(), auth.init());
  const refreshed = auth.refresh();
  await until(() => script.calls.length > 0);
  assert.deepEqual(script.calls, [["init"]]);
  assert.equal(auth.isolation, "pending");
  resolve({});
  assert.deepEqual(await auth.init(), { state: { status: "unauthenticated", reason: "never" } });
  assert.equal(auth.isolation, "page");
  await refreshed;
  assert.deepEqual(script.calls, [["init"], ["snapshot"], ["refresh"]]);
});

test("init resolves with what a callback brought, and with why it failed", async (t) => {
  const { auth, AuthError } = await client(t, undefined, {
    init: async () => ({
      callback: { user: { sub: "ada" }, session: { clockSkew: 0 }, returnTo: "/" },
      error: expired,
    }),
    snapshot: () => signedIn(),
  });
  const { state, callback, error } = await auth.init();
  assert.equal(state, auth.getState());
  assert.deepEqual(callback, { user: { sub: "ada" }, session: { clockSkew: 0 }, returnTo: "/" });
  assert.ok(AuthError.is(error, "session_expired"));
});

test("a state keeps its reference until something changed, and its user until the user changed", async (t) => {
  let mapped = 0;
  const mapUser = (raw) => ({ sub: raw.sub, mapped: ++mapped });
  const { auth, script } = await client(
    t,
    { mode: "token", isolation: "page", mapUser },
    { snapshot: () => signedIn() },
  );
  const seen = [];
  auth.subscribe((state) => seen.push(state));
  await auth.init();
  const first = auth.getState();
  const { host } = script.cores[0];
  host.onState(signedIn());
  assert.equal(auth.getState(), first);
  host.onState(signedIn({ freshness: "refreshing" }));
  const second = auth.getState();
  assert.notEqual(second, first);
  assert.equal(second.user, first.user);
  assert.equal(first.freshness, "fresh");
  assert.equal(mapped, 1);
  host.onState(signedIn({ user: { sub: "bob" } }));
  assert.deepEqual(auth.getState().user, { sub: "bob", mapped: 2 });
  assert.deepEqual(seen, [first, second, auth.getState()]);
});

test("a user who left is not kept for the next sign-in", async (t) => {
  let mapped = 0;
  const { auth, script } = await client(t, {
    mode: "token",
    isolation: "page",
    mapUser: (raw) => ({ ...raw, mapped: ++mapped }),
  });
  await auth.init();
  for (const state of [signedIn(), { status: "unauthenticated", reason: "logged_out" }, signedIn()]) {
    script.cores[0].host.onState(state);
  }
  assert.equal(mapped, 2);
});

test("a mapUser that throws is a wrong configuration, and nobody counts as signed in", async (t) => {
  const cause = new Error("no name");
  const mapUser = () => {
    throw cause;
  };
  const { auth, AuthError } = await client(
    t,
    { mode: "token", isolation: "page", mapUser },
    { snapshot: () => signedIn(), login: async () => ({ user: {}, session: { clockSkew: 0 } }) },
  );
  const { state } = await auth.init();
  assert.equal(state.status, "unauthenticated");
  assert.equal(state.reason, "error");
  assert.ok(AuthError.is(state.error, "config_invalid"));
  assert.equal(state.error.cause, cause);
  await assert.rejects(auth.login(), { code: "config_invalid" });
});

test("a listener that throws is reported and does not keep the others from hearing", async (t) => {
  const reported = uncaught(t);
  const { auth, script } = await client(t);
  await auth.init();
  const heard = [];
  const fault = new Error("in a listener");
  for (const register of [(f) => auth.subscribe(f), (f) => auth.on("expiring", f)]) {
    register(() => {
      throw fault;
    });
    register((value) => heard.push(value));
  }
  script.cores[0].host.onState(signedIn());
  script.cores[0].host.onEvent("expiring", { secondsLeft: 30 });
  assert.deepEqual(heard, [auth.getState(), { secondsLeft: 30 }]);
  await until(() => reported.length === 2);
  assert.deepEqual(reported, [fault, fault]);
});

test("a listener that changes the state does not make the others hear the older state last", async (t) => {
  const { auth, script } = await client(t);
  await auth.init();
  const { host } = script.cores[0];
  const heard = [];
  auth.subscribe(({ status }) => {
    if (status === "authenticated") host.onState({ status: "unauthenticated", reason: "logged_out" });
  });
  auth.subscribe(({ status }) => heard.push(status));
  host.onState(signedIn());
  assert.deepEqual(heard, ["unauthenticated"]);
});

test("listeners can be taken back, also while they are called, by signal, and after one call", async (t) => {
  const { auth, script } = await client(t);
  await auth.init();
  const { host } = script.cores[0];
  const heard = [];
  const offs = [];
  offs[0] = auth.on("expiring", () => {
    heard.push("a");
    offs[1]();
  });
  offs[1] = auth.on("expiring", () => heard.push("b"));
  auth.on("expiring", () => heard.push("once"), { once: true });
  const life = new AbortController();
  auth.on("expiring", () => heard.push("while"), { signal: life.signal });
  auth.on("expiring", () => heard.push("never"), { signal: AbortSignal.abort() });
  host.onEvent("expiring", { secondsLeft: 2 });
  assert.deepEqual(heard, ["a", "once", "while"]);
  life.abort();
  offs[0]();
  offs[0]();
  host.onEvent("expiring", { secondsLeft: 1 });
  assert.deepEqual(heard, ["a", "once", "while"]);
});

test("events carry mapped users and AuthErrors", async (t) => {
  const mapUser = (raw) => ({ sub: raw.sub, mapped: true });
  const { auth, script, AuthError } = await client(t, { mode: "token", isolation: "page", mapUser, logger: "silent" });
  await auth.init();
  const heard = {};
  for (const name of ["userChanged", "refreshFailed"]) auth.on(name, (detail) => (heard[name] = detail));
  const { host } = script.cores[0];
  host.onEvent("userChanged", { previous: { sub: "ada" }, current: { sub: "bob" } });
  host.onEvent("refreshFailed", { error: expired, fatal: true });
  assert.deepEqual(heard.userChanged, {
    previous: { sub: "ada", mapped: true },
    current: { sub: "bob", mapped: true },
  });
  assert.ok(AuthError.is(heard.refreshFailed.error, "session_expired"));
  assert.equal(heard.refreshFailed.fatal, true);
});

test("what the core rejects with arrives as an AuthError, with every field", async (t) => {
  const plain = { ...expired, status: 400, retryAfterSeconds: 3, oauth: { error: "invalid_grant" } };
  const { auth, AuthError } = await client(t, undefined, { refresh: () => Promise.reject(plain) });
  const error = await auth.refresh().catch((error) => error);
  assert.ok(error instanceof AuthError && error instanceof Error);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), plain);
});

test("a configuration that the core refuses rejects every call and shows in the state", async (t) => {
  const refused = { ...expired, code: "config_invalid", phase: "config", recovery: "fix_config" };
  const { auth } = await client(t, undefined, { constructor: refused });
  await assert.rejects(auth.init(), { name: "AuthError", code: "config_invalid" });
  await assert.rejects(auth.getAccessToken(), { code: "config_invalid" });
  assert.equal(auth.getState().error.code, "config_invalid");
});

const fault = () => new WebAssembly.RuntimeError("unreachable");

test("F57 a trap rejects the call and those that wait, and the next one finds another core with the session in it", async (t) => {
  let traps = 1;
  const { auth, script } = await client(t, undefined, {
    refresh: () => (traps-- > 0 ? Promise.reject(fault()) : undefined),
    logout: () => new Promise(() => {}),
    authorize: () => new Promise(() => {}),
    snapshot: () => signedIn(),
  });
  await auth.init();
  const before = auth.getState();
  const seen = [];
  auth.subscribe((state) => seen.push(state));
  auth.on("signedIn", (detail) => seen.push(detail));
  const waiting = [auth.logout(), auth.fetch("http://127.0.0.1/")];
  await until(() => script.calls.some(([name]) => name === "authorize"));
  for (const promise of [auth.refresh(), ...waiting]) {
    await assert.rejects(promise, { code: "core_lost", retryable: true, recovery: "retry" });
  }
  await auth.refresh();
  assert.equal(script.cores.length, 2);
  assert.equal(script.modules.length, 2);
  assert.equal(script.modules[0], script.modules[1]);
  // It does not leave the page that the user is at work in.
  assert.deepEqual(
    script.cores.map(({ options }) => options.restore),
    [undefined, "refresh-token"],
  );
  assert.equal(auth.getState(), before);
  assert.deepEqual(seen, []);
  assert.equal(auth.isolation, "page");
});

test("F57 a session that another core does not find again has ended, and that is told", async (t) => {
  let found = signedIn();
  const { auth, script } = await client(t, undefined, {
    refresh: () => Promise.reject(fault()),
    snapshot: () => found,
  });
  await auth.init();
  const ends = [];
  auth.on("signedOut", (detail) => ends.push(detail));
  found = { status: "unauthenticated", reason: "never" };
  await assert.rejects(auth.refresh(), { code: "core_lost" });
  await until(() => auth.getState().status === "unauthenticated");
  assert.deepEqual(auth.getState(), { status: "unauthenticated", reason: "storage_lost" });
  assert.deepEqual(ends, [{ reason: "storage_lost", origin: "this-tab" }]);
  assert.equal(script.cores.length, 2);
});

test("F57 clients that share the memory of the one that trapped get another one, too", async (t) => {
  const made = await client(t, undefined, { snapshot: () => signedIn(), logout: () => new Promise(() => {}) });
  const { auth, script, createAuthClient } = made;
  const other = createAuthClient({ mode: "token", isolation: "page" });
  await Promise.all([auth.init(), other.init()]);
  const waiting = other.logout();
  await until(() => script.calls.some(([name]) => name === "logout"));
  script.answers.refresh = () => Promise.reject(fault());
  await assert.rejects(auth.refresh(), { code: "core_lost" });
  await assert.rejects(waiting, { code: "core_lost" });
  delete script.answers.refresh;
  await Promise.all([auth.refresh(), other.refresh()]);
  assert.equal(script.cores.length, 4);
  assert.equal(script.modules.length, 2);
});

test("F57 a core that traps again within a minute is given up: every call rejects, and none is made", async (t) => {
  const { auth, script } = await client(t, undefined, {
    refresh: () => Promise.reject(fault()),
    logout: () => new Promise(() => {}),
    snapshot: () => signedIn(),
  });
  await auth.init();
  await assert.rejects(auth.refresh(), { code: "core_lost" });
  const waiting = auth.logout();
  await until(() => script.calls.some(([name]) => name === "logout"));
  for (const promise of [auth.refresh(), waiting]) await assert.rejects(promise, { code: "wasm_trapped" });
  assert.deepEqual(
    { ...auth.getState(), error: auth.getState().error.code },
    { status: "unauthenticated", reason: "error", error: "wasm_trapped" },
  );
  const calls = script.calls.length;
  await assert.rejects(auth.getAccessToken(), { code: "wasm_trapped" });
  script.cores[1].host.onState(signedIn());
  assert.equal(auth.getState().status, "unauthenticated");
  auth.dispose();
  await new Promise(setImmediate);
  assert.equal(script.calls.length, calls);
});

test("F57 a core that traps again within a minute is given up when the clock was set back, too, and one that traps later is not", async (t) => {
  const { auth, script } = await client(t, undefined, {
    refresh: () => Promise.reject(fault()),
    snapshot: () => signedIn(),
  });
  t.mock.method(Date, "now", () => 1_700_000_000_000 - script.cores.length * 3_600_000);
  const start = performance.now();
  const now = t.mock.method(performance, "now", () => start);
  for (const [later, code] of [
    [0, "core_lost"],
    [60_000, "core_lost"],
    [119_000, "wasm_trapped"],
  ]) {
    now.mock.mockImplementation(() => start + later);
    await assert.rejects(auth.refresh(), { code });
  }
  assert.equal(script.cores.length, 3);
});

for (const [what, initialSession, found] of [
  ["is signed in", { user: { sub: "ada" } }, { status: "unauthenticated", reason: "logged_out" }],
  ["is not signed in", null, signedIn()],
]) {
  test(`F57 that somebody ${what} when the page is loaded is not what another core begins with`, async (t) => {
    const { auth, script } = await client(
      t,
      { mode: "session", endpoints: { session: "/session" }, initialSession },
      { refresh: () => Promise.reject(fault()), snapshot: () => found },
    );
    await auth.init();
    await assert.rejects(auth.refresh(), { code: "core_lost" });
    await until(() => script.calls.filter(([name]) => name === "init").length === 2);
    const [first, second] = script.cores.map(({ options }) => options);
    assert.equal(JSON.stringify(first.initialSession), JSON.stringify(initialSession));
    // Not there, as opposed to undefined: the core reads that as null.
    assert.deepEqual(
      Object.keys(second),
      Object.keys(first).filter((name) => name !== "initialSession"),
    );
  });
}

const nobody = (reason) => ({ status: "unauthenticated", reason });
const bob = () => signedIn({ user: { sub: "bob" }, session: { sub: "bob", clockSkew: 0 } });
const ada = signedIn().user;
const ended = (reason) => ["signedOut", { reason, origin: "this-tab" }];
for (const [what, before, after, expected] of [
  ["nothing, where it is the same user", signedIn(), signedIn({ freshness: "stale" }), []],
  ["the loss", signedIn(), nobody("never"), [ended("storage_lost")]],
  ["the loss of somebody who was away", { status: "locked", user: ada }, nobody("never"), [ended("storage_lost")]],
  ["any other reason", signedIn(), nobody("expired"), [ended("expired")]],
  ["another user", signedIn(), bob(), [["userChanged", { previous: ada, current: { sub: "bob" } }]]],
  ["somebody where nobody was", nobody("never"), signedIn(), [["signedIn", { user: ada, origin: "restored" }]]],
  ["nothing, where nobody was", nobody("logged_out"), nobody("never"), []],
  ["nothing, where it is unlocked by its reload", { status: "locked", user: ada }, signedIn(), []],
]) {
  test(`F57 one event says what another core found: ${what}`, async (t) => {
    let found = before;
    const { auth, script } = await client(t, undefined, { snapshot: () => found });
    await auth.init();
    const events = record(auth);
    found = after;
    // What the new core has to say is about itself.
    script.answers.init = async () => {
      const { host } = script.cores.at(-1);
      host.onState(found);
      if (found.user) host.onEvent("signedIn", { user: found.user, origin: "restored" });
      return {};
    };
    script.answers.refresh = () => Promise.reject(fault());
    await assert.rejects(auth.refresh(), { code: "core_lost" });
    await auth.init();
    assert.deepEqual(events, expected);
  });
}

test("F57 a session that ends with the last core, or with one that cannot be made, ends by an event", async (t) => {
  const { auth, script } = await client(t, undefined, { snapshot: () => signedIn() });
  const refused = { ...expired, code: "config_invalid", phase: "config", recovery: "fix_config" };
  await auth.init();
  const events = record(auth);
  script.answers.refresh = () => Promise.reject(fault());
  script.answers.constructor = refused;
  const start = performance.now();
  await assert.rejects(auth.refresh(), { code: "core_lost" });
  await assert.rejects(auth.init(), { code: "config_invalid" });
  assert.deepEqual(events.splice(0), [ended("error")]);
  // Another attempt may succeed.
  delete script.answers.constructor;
  script.answers.init = async () => {
    script.cores.at(-1).host.onEvent("signedIn", { user: ada, origin: "restored" });
    return {};
  };
  await auth.init();
  assert.deepEqual(events.splice(0), [["signedIn", { user: ada, origin: "restored" }]]);
  t.mock.method(performance, "now", () => start);
  await assert.rejects(auth.refresh(), { code: "wasm_trapped" });
  assert.deepEqual(events, [ended("error")]);
});

/** The events about who is signed in, as they come. */
function record(auth) {
  const events = [];
  for (const name of ["signedIn", "signedOut", "userChanged"]) auth.on(name, (detail) => events.push([name, detail]));
  return events;
}

test("F57 a trap that no promise reports is noticed, and one of another module is not", async (t) => {
  const page = new EventTarget();
  globalThis.addEventListener = page.addEventListener.bind(page);
  t.after(() => delete globalThis.addEventListener);
  const { auth, script, folder } = await client(t, undefined, { logout: () => new Promise(() => {}) });
  await auth.init();
  const waiting = auth.logout();
  await until(() => script.calls.some(([name]) => name === "logout"));
  const happens = (stack) =>
    page.dispatchEvent(Object.assign(new Event("error"), { error: Object.assign(fault(), { stack }) }));
  happens("at http://elsewhere.example/other.wasm:wasm-function[1]");
  await new Promise(setImmediate);
  assert.equal(script.cores.length, 1);
  happens(`at file://${folder}/core.js:1:1`);
  await assert.rejects(waiting, { code: "core_lost" });
  await until(() => script.cores.length === 2);
  // What is left of the one that trapped is its own affair.
  assert.equal(auth.getState().error, undefined);
});

test("after dispose every call rejects, also those under way, and nothing is heard any more", async (t) => {
  const { auth, script } = await client(t, undefined, { refresh: () => new Promise(() => {}) });
  await auth.init();
  const heard = [];
  auth.subscribe((state) => heard.push(state));
  const waiting = auth.refresh();
  await until(() => script.calls.some(([name]) => name === "refresh"));
  auth.dispose();
  auth.dispose();
  const late = [auth.init(), auth.preload(), auth.login(), auth.logout(), auth.fetch("http://127.0.0.1/"), waiting];
  for (const promise of late) await assert.rejects(promise, { name: "AuthError", code: "disposed" });
  assert.equal(script.calls.filter(([name]) => name === "dispose").length, 1);
  script.cores[0].host.onState(signedIn());
  assert.deepEqual(heard, []);
  assert.equal(auth.getState().status, "unauthenticated");
});

test("F59 a page that is loaded ahead of its user makes no core before it is shown", async (t) => {
  globalThis.document = Object.assign(new EventTarget(), { prerendering: true });
  t.after(() => delete globalThis.document);
  const { auth, script, createAuthClient } = await client(t);
  const ahead = auth.init();
  // Another one that asks later and is not held up.
  document.prerendering = false;
  await createAuthClient({ mode: "token", isolation: "page" }).init();
  assert.equal(script.cores.length, 1);
  document.dispatchEvent(new Event("prerenderingchange"));
  assert.equal((await ahead).state.status, "unauthenticated");
  assert.equal(script.cores.length, 2);
});

test("a client that is disposed of before its page is shown starts no worker", async (t) => {
  let workers = 0;
  const stub = {
    document: Object.assign(new EventTarget(), { prerendering: true, baseURI: "https://app.example/" }),
    location: new URL("https://app.example/"),
    Worker: class {
      constructor() {
        workers++;
      }
      postMessage() {}
      addEventListener() {}
      terminate() {}
    },
    addEventListener: () => {},
  };
  Object.assign(globalThis, stub);
  t.after(() => Object.keys(stub).forEach((name) => delete globalThis[name]));
  const { auth, setWorkerSource } = await client(t, { mode: "token", isolation: "required" });
  setWorkerSource("/worker.js");
  const ahead = auth.init();
  auth.dispose();
  await assert.rejects(ahead, { code: "disposed" });
  document.dispatchEvent(new Event("prerenderingchange"));
  await new Promise(setImmediate);
  assert.equal(workers, 0);
});

test("a client that is disposed of while it loads makes no core", async (t) => {
  const { auth, script, createAuthClient } = await client(t);
  const init = auth.init();
  auth.dispose();
  await assert.rejects(init, { code: "disposed" });
  // Loading is shared, and it is over for the first client before it is for the second.
  await createAuthClient({ mode: "token", isolation: "page" }).preload();
  assert.deepEqual(script.modules.length, 1);
  assert.deepEqual(script.cores, []);
});

test("a signal ends the waiting for a token or a sign-in, with its reason as the cause", async (t) => {
  for (const [name, call] of [
    ["accessToken", (auth, signal) => auth.getAccessToken({ signal })],
    ["login", (auth, signal) => auth.login({ via: "password", username: "ada", password: "x", signal })],
  ]) {
    const { auth, script, AuthError } = await client(t, undefined, { [name]: () => new Promise(() => {}) });
    const calls = () => script.calls.filter(([call]) => call === name);
    const reason = new Error("the user went elsewhere");
    const isAborted = (error) => AuthError.is(error, "aborted") && error.cause === reason;
    await assert.rejects(call(auth, AbortSignal.abort(reason)), isAborted);
    assert.deepEqual(script.cores, [], name);
    const control = new AbortController();
    const waiting = call(auth, control.signal);
    await until(() => calls().length === 1);
    control.abort(reason);
    await assert.rejects(waiting, isAborted);
    // It is this layer's own, and no option that the core would refuse.
    if (name === "login") assert.deepEqual(Object.keys(calls()[0][1]), ["via", "username", "password"]);
  }
});

test("what is called off while init is at work is not begun", async (t) => {
  const { promise, resolve } = deferred();
  const { auth, script } = await client(t, undefined, { init: () => promise });
  const { signal, abort } = controlled();
  const waiting = [auth.login({ signal }), auth.getAccessToken({ signal })];
  await until(() => script.calls.length > 0);
  abort();
  for (const each of waiting) await assert.rejects(each, { code: "aborted" });
  resolve({});
  await auth.logout();
  assert.deepEqual(
    script.calls.map(([name]) => name),
    ["init", "snapshot", "logout"],
  );
});

test("a sign-in that arrives after it was called off is ended again, and one that was not called off is kept", async (t) => {
  const arrived = { user: { sub: "ada" }, session: { clockSkew: 0 } };
  const refused = { ...expired, code: "server_error", phase: "logout", message: "The server failed." };
  const lines = [];
  const logger = { error() {}, warn: (line) => lines.push(line), info() {}, debug() {} };
  const { auth, script } = await client(
    t,
    { mode: "token", isolation: "page", logger },
    { revoke: () => Promise.reject(refused) },
  );
  const called = (wanted) => script.calls.filter(([name]) => name === wanted).length;
  for (const late of [false, true]) {
    const { promise, resolve } = deferred();
    script.answers.login = () => promise;
    const { signal, abort } = controlled();
    const waiting = auth.login({ signal });
    await until(() => called("login") === (late ? 2 : 1));
    if (late) abort();
    resolve(arrived);
    if (late) {
      await assert.rejects(waiting, { code: "aborted" });
      await until(() => lines.length === 1);
    } else {
      assert.deepEqual(await waiting, arrived);
      abort();
      await new Promise(setImmediate);
    }
    assert.equal(called("revoke"), late ? 1 : 0);
  }
  // That the server could not be told shows nowhere else.
  assert.deepEqual(lines, ["login: The server failed."]);
});

test("a signal that was never aborted is left without a listener", async (t) => {
  const { auth } = await client(t, undefined, { accessToken: async () => "a token" });
  const { signal } = controlled();
  let listeners = 0;
  for (const [name, change] of Object.entries({ addEventListener: 1, removeEventListener: -1 })) {
    const method = signal[name].bind(signal);
    signal[name] = (...args) => ((listeners += change), method(...args));
  }
  assert.equal(await auth.getAccessToken({ signal }), "a token");
  await until(() => listeners === 0);
});

/** A signal, and what aborts it. */
function controlled() {
  const control = new AbortController();
  return { signal: control.signal, abort: () => control.abort() };
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}
