// auth.fetch around window.fetch: what is added to a request, what is sent again, and what is left alone.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { client, uncaught, until } from "./fakes/scripted.mjs";

/** An API that keeps what arrives and answers with `statuses`, one after the other, then 200. */
async function api(t, ...statuses) {
  const seen = [];
  const http = createServer(async (request, response) => {
    const chunks = await request.toArray();
    const { method, url, headers } = request;
    seen.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    const status = statuses.shift() ?? 200;
    response.writeHead(status, { "www-authenticate": `Bearer error="invalid_token"` }).end(`answer ${seen.length}`);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => http.close());
  return { seen, origin: `http://127.0.0.1:${http.address().port}` };
}

/** A core that gives each request the next token, and wants a replay as long as `retry` says so. */
function credentials(script, { retry = true, ...grant } = {}) {
  let tickets = 0;
  script.answers.authorize = async () => {
    const ticket = `${++tickets}`;
    return { headers: [["authorization", `Bearer ${ticket}`]], ticket, ...grant };
  };
  script.answers.answered = async () => retry;
}

const called = (script, name) => script.calls.filter(([call]) => call === name);

test("a credential is added, and the request is otherwise the caller's", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  credentials(script, { redirect: "error" });
  const answer = await auth.fetch(`${origin}/a?b=c`, { method: "put", headers: { "x-mine": "1" }, body: "text" });
  assert.equal(await answer.text(), "answer 1");
  const [{ method, url, headers, body }] = seen;
  assert.deepEqual([method, url, body], ["PUT", "/a?b=c", "text"]);
  assert.deepEqual([headers.authorization, headers["x-mine"]], ["Bearer 1", "1"]);
  assert.deepEqual(called(script, "authorize"), [["authorize", `${origin}/a?b=c`, "PUT"]]);
  assert.deepEqual(called(script, "answered"), []);
});

test("the core is asked about the address as the browser reads it, not as it was written", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  for (const spelling of [
    origin.replace("//", "\\\\") + "/x/../y",
    origin.toUpperCase().replace("HTTP", "hTTp") + "/%61/./y",
    new URL(`${origin}/y`),
    new Request(`${origin}/y`),
    ` ${origin}/y\t\n`,
  ]) {
    await auth.fetch(spelling);
    assert.equal(called(script, "authorize").at(-1)[1].replace("/%61", ""), `${origin}/y`);
  }
  assert.equal(seen.length, 5);
  await assert.rejects(auth.fetch("http://user:password@127.0.0.1/"), TypeError);
});

test("a request that may carry no credential goes out as it is, with the caller's own Authorization header", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t, 401);
  const init = { method: "POST", body: "text", headers: { authorization: "Basic mine" }, redirect: "manual" };
  const answer = await auth.fetch(origin, init);
  assert.equal(answer.status, 401);
  assert.deepEqual([seen.length, seen[0].headers.authorization, seen[0].body], [1, "Basic mine", "text"]);
  assert.deepEqual(called(script, "answered"), []);
});

test("a header that the credential needs is refused from the caller, and nothing is sent", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  for (const [header, ours] of [
    ["Authorization", "authorization"],
    ["Authorization", "x-csrf-token"],
    ["X-CSRF-Token", "x-csrf-token"],
  ]) {
    script.answers.authorize = async () => ({ headers: [[ours, "ours"]], ticket: "1" });
    await assert.rejects(auth.fetch(origin, { headers: { [header]: "mine" } }), {
      name: "AuthError",
      code: "request_refused",
      message: new RegExp(`the header ${header}`, "i"),
      hint: /window\.fetch/,
    });
  }
  assert.deepEqual(seen, []);
});

test("what cannot carry the credential is refused instead of being sent without it", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  credentials(script);
  await assert.rejects(auth.fetch(origin, { mode: "no-cors" }), { code: "request_refused", message: /no-cors/ });
  assert.deepEqual(seen, []);
});

test("how cookies and redirects are treated is the core's decision, and the referrer stays the caller's", async (t) => {
  const { auth, script } = await client(t);
  const { origin } = await api(t);
  credentials(script, { credentials: "include", redirect: "error" });
  const { fetch } = globalThis;
  t.after(() => (globalThis.fetch = fetch));
  let sent;
  globalThis.fetch = (request, init) => fetch((sent = new Request(request, init)));
  await auth.fetch(origin, { credentials: "omit", redirect: "follow", referrerPolicy: "no-referrer", mode: "cors" });
  const { credentials: cookies, redirect, referrerPolicy } = sent;
  assert.deepEqual([cookies, redirect, referrerPolicy], ["include", "error", "no-referrer"]);
});

test("a request whose credential was renewed is sent once more, with its body", async (t) => {
  const { auth, script } = await client(t);
  const form = new FormData();
  form.set("field", "value");
  const bodies = {
    text: "text",
    bytes: new Uint8Array([116, 101, 120, 116]),
    blob: new Blob(["text"]),
    params: new URLSearchParams("text"),
    form,
    nothing: undefined,
  };
  for (const [name, body] of Object.entries(bodies)) {
    for (const asRequest of [false, true]) {
      const { seen, origin } = await api(t, 401);
      credentials(script);
      const init = { method: "POST", body };
      const answer = await (asRequest ? auth.fetch(new Request(origin, init)) : auth.fetch(origin, init));
      assert.equal(await answer.text(), "answer 2", name);
      assert.equal(seen[1].body, seen[0].body, name);
      assert.deepEqual(
        seen.map(({ headers }) => headers.authorization),
        ["Bearer 1", "Bearer 2"],
        name,
      );
    }
  }
  const challenge = 'Bearer error="invalid_token"';
  assert.deepEqual(called(script, "answered")[0], ["answered", "1", 401, challenge]);
});

test("a request is sent at most twice, and the core hears of both refusals", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t, 401, 403, 401);
  credentials(script);
  const answer = await auth.fetch(origin);
  assert.equal(answer.status, 403);
  assert.equal(await answer.text(), "answer 2");
  assert.equal(seen.length, 2);
  assert.deepEqual(
    called(script, "answered").map((call) => call.slice(1, 3)),
    [
      ["1", 401],
      ["2", 403],
    ],
  );
});

test("only answers that may be about the credential are shown to the core", async (t) => {
  const { auth, script } = await client(t);
  credentials(script, { retry: false });
  const asked = [];
  for (const status of [200, 204, 400, 401, 403, 404, 419, 429, 500, 503]) {
    const { origin, seen } = await api(t, status);
    const before = called(script, "answered").length;
    assert.equal((await auth.fetch(origin)).status, status);
    assert.equal(seen.length, 1);
    if (called(script, "answered").length > before) asked.push(status);
  }
  assert.deepEqual(asked, [401, 403, 419]);
});

test("a stream is not sent again: the answer goes to the caller, who can make a new one", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t, 401);
  credentials(script);
  const body = new Blob(["text"]).stream();
  const answer = await auth.fetch(origin, { method: "POST", body, duplex: "half" });
  assert.deepEqual([answer.status, await answer.text()], [401, "answer 1"]);
  assert.deepEqual([seen.length, seen[0].body], [1, "text"]);
  assert.equal(called(script, "answered").length, 1);
});

test("a Request whose body was used rejects as it does with window.fetch", async (t) => {
  const { auth, script } = await client(t);
  const request = new Request("http://127.0.0.1/", { method: "POST", body: "text" });
  await request.text();
  await assert.rejects(auth.fetch(request), TypeError);
  assert.deepEqual(called(script, "authorize"), []);
});

test("when no second attempt can be made, the caller still gets the answer", async (t) => {
  const { auth, script } = await client(t);
  const refused = { code: "login_required", phase: "request", retryable: false, recovery: "login", message: "" };
  for (const failing of ["authorize", "answered"]) {
    const { origin } = await api(t, 401);
    credentials(script);
    const { authorize } = script.answers;
    let first = true;
    script.answers[failing] = (...args) => {
      if (failing === "answered" || !first) return Promise.reject(refused);
      first = false;
      return authorize(...args);
    };
    const answer = await auth.fetch(origin);
    assert.deepEqual([answer.status, await answer.text()], [401, "answer 1"], failing);
  }
  script.answers.authorize = () => Promise.reject(refused);
  await assert.rejects(auth.fetch("http://127.0.0.1/"), { name: "AuthError", code: "login_required" });
});

test("a failed network call rejects as window.fetch does", async (t) => {
  const { auth, script } = await client(t);
  credentials(script);
  await assert.rejects(auth.fetch("http://127.0.0.1:9/"), TypeError);
});

test("a signal ends the waiting for the credential, with its own reason", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  script.answers.authorize = () => new Promise(() => {});
  const control = new AbortController();
  const waiting = auth.fetch(origin, { signal: control.signal });
  await until(() => called(script, "authorize").length === 1);
  const reason = new Error("the user went elsewhere");
  control.abort(reason);
  await assert.rejects(waiting, reason);
  await assert.rejects(auth.fetch(origin, { signal: AbortSignal.abort() }), { name: "AbortError" });
  assert.equal(called(script, "authorize").length, 1);
  assert.deepEqual(seen, []);
});

test("a signal also ends the waiting between two attempts", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t, 401);
  credentials(script);
  script.answers.answered = () => new Promise(() => {});
  const control = new AbortController();
  const waiting = auth.fetch(origin, { signal: control.signal });
  await until(() => called(script, "answered").length === 1);
  control.abort();
  await assert.rejects(waiting, { name: "AbortError" });
  assert.equal(seen.length, 1);
});

test("a backend's own way of saying that the session is gone counts as a 401", async (t) => {
  const bodies = [];
  const isSessionExpired = async (response) => {
    bodies.push(await response.text());
    return bodies.length === 1;
  };
  const endpoints = { session: "/session" };
  const { auth, script } = await client(t, { mode: "session", endpoints, isSessionExpired });
  const { origin } = await api(t);
  script.answers.authorize = async () => ({ headers: [], credentials: "include", ticket: "1" });
  script.answers.answered = async () => true;
  const answer = await auth.fetch(origin);
  assert.equal(await answer.text(), "answer 2");
  assert.deepEqual(bodies, ["answer 1", "answer 2"]);
  assert.deepEqual(
    called(script, "answered").map((call) => call.slice(1, 3)),
    [["1", 401]],
  );
});

test("an isSessionExpired that throws is reported and says nothing about the session", async (t) => {
  const reported = uncaught(t);
  const fault = new Error("in isSessionExpired");
  const isSessionExpired = () => {
    throw fault;
  };
  const endpoints = { session: "/session" };
  const { auth, script } = await client(t, { mode: "session", endpoints, isSessionExpired });
  const { origin } = await api(t);
  credentials(script);
  assert.equal(await (await auth.fetch(origin)).text(), "answer 1");
  await until(() => reported.length === 1);
  assert.deepEqual(reported, [fault]);
  assert.deepEqual(called(script, "answered"), []);
});

/** An API that answers with these statuses and headers, one after the other, then 200. */
async function apiOf(t, ...answers) {
  const seen = [];
  const http = createServer(async (request, response) => {
    const chunks = await request.toArray();
    seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
    const [status, headers] = answers.shift() ?? [200, {}];
    response.writeHead(status, headers).end(`answer ${seen.length}`);
  });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => http.close());
  return { seen, origin: `http://127.0.0.1:${http.address().port}` };
}

/** A core that gives each request a proof, and says of the refusals what `verdicts` say, one after the other. */
function proofs(script, ...verdicts) {
  let tickets = 0;
  script.answers.authorize = async () => {
    const ticket = `${++tickets}`;
    const headers = [
      ["authorization", "DPoP token"],
      ["dpop", `proof ${ticket}`],
    ];
    return { headers, redirect: "error", ticket };
  };
  script.answers.answered = async () => verdicts.shift() ?? false;
}

const NONCE = { "dpop-nonce": "n", "www-authenticate": 'DPoP error="use_dpop_nonce"' };
const INVALID = { "dpop-nonce": "n", "www-authenticate": 'DPoP error="invalid_token"' };

test("a request is sent again for a nonce and for a token, once for each and in either order", async (t) => {
  const { auth, script } = await client(t);
  for (const [verdicts, sent] of [
    [["nonce", true], 3],
    [[true, "nonce"], 3],
    [["nonce", "nonce"], 2],
    [[true, true], 2],
    [["nonce", true, "nonce", true], 3],
    [["nonce"], 2],
    [[false, "nonce"], 1],
  ]) {
    const { seen, origin } = await apiOf(t, [401, NONCE], [401, INVALID], [401, NONCE], [401, INVALID]);
    proofs(script, ...verdicts);
    const answer = await auth.fetch(origin, { method: "POST", body: "text" });
    assert.equal(await answer.text(), `answer ${sent}`, verdicts.join());
    const expected = Array.from({ length: sent }, (_, at) => [`proof ${at + 1}`, "text"]);
    assert.deepEqual(
      seen.map(({ headers, body }) => [headers.dpop, body]),
      expected,
    );
  }
});

test("the core learns the nonce of every answer to a proof, and the address that it came from", async (t) => {
  const { auth, script } = await client(t);
  const { origin } = await apiOf(t, [200, { "dpop-nonce": "n-1" }], [200, {}], [401, INVALID], [403, {}]);
  proofs(script);
  for (const path of ["/a?b", "/c", "/d", "/e"]) await auth.fetch(origin + path);
  assert.deepEqual(called(script, "answered"), [
    ["answered", "1", 200, null, `${origin}/a?b`, "n-1"],
    ["answered", "3", 401, INVALID["www-authenticate"], `${origin}/d`, "n"],
    ["answered", "4", 403, null, `${origin}/e`, null],
  ]);
});

test("a bearer token's answer is not looked through for a nonce", async (t) => {
  const { auth, script } = await client(t);
  const { origin } = await apiOf(t, [200, { "dpop-nonce": "n-1" }]);
  credentials(script);
  await auth.fetch(origin);
  assert.deepEqual(called(script, "answered"), []);
});

test("a nonce that cannot be read is an error, as the answer alone would not tell why", async (t) => {
  const { auth, script } = await client(t);
  const { origin, seen } = await apiOf(t, [401, { "www-authenticate": 'DPoP error="use_dpop_nonce"' }]);
  proofs(script);
  const fault = {
    code: "dpop_nonce_unavailable",
    phase: "request",
    retryable: false,
    recovery: "fix-config",
    message: "",
  };
  script.answers.answered = () => Promise.reject(fault);
  await assert.rejects(auth.fetch(origin), { name: "AuthError", code: "dpop_nonce_unavailable" });
  assert.equal(seen.length, 1);
});

test("a request with a DPoP header of its own is refused", async (t) => {
  const { auth, script } = await client(t);
  const { origin, seen } = await apiOf(t);
  proofs(script);
  await assert.rejects(auth.fetch(origin, { headers: { dpop: "mine" } }), { code: "request_refused" });
  assert.deepEqual(seen, []);
});

test("fetch works without its client, as libraries call it", async (t) => {
  const { auth, script } = await client(t);
  const { seen, origin } = await api(t);
  credentials(script);
  const { fetch } = auth;
  await Promise.all(Array.from({ length: 50 }, () => fetch(origin)));
  assert.equal(seen.length, 50);
  assert.equal(called(script, "init").length, 1);
});
