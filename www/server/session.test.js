import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { sessionMounts, startSessionServer } from "./session-server.js";
import { openStore } from "./store.js";
import { ALICE, visitor } from "./test-visitor.js";

const START = Date.UTC(2030, 0, 1);

for (const kind of Object.keys(sessionMounts)) {
  describe(`a session with ${kind} protection`, () => {
    let store;
    let server;
    let clock;
    before(async () => {
      store = await openStore();
      clock = { at: START, now: () => clock.at };
      server = await startSessionServer({ store, now: () => clock.at, idleSeconds: 100, absoluteSeconds: 250 });
    });
    after(async () => {
      await server.close();
      await store.close();
    });

    test("is not there before anyone has signed in", async () => {
      const { status, body, headers } = await visitor(server, kind).get();
      assert.deepEqual([status, body], [401, { error: "unauthenticated" }]);
      assert.equal(headers.get("cache-control"), "no-store");
    });

    test("begins with the right password and tells when it will end", async () => {
      const alice = visitor(server, kind);
      const login = await alice.signIn();
      assert.equal(login.status, 200);
      const { user, sessionId, csrfToken, ...times } = login.body;
      assert.equal(user.name, "Alice Liddell");
      assert.equal(user.sub, "user-1001");
      assert.match(sessionId, /^[\w-]{22}$/);
      assert.equal(typeof csrfToken, kind === "synchronizer" ? "string" : "undefined");
      const now = clock.at / 1000;
      assert.deepEqual(times, {
        issuedAt: now,
        expiresAt: now + 100,
        absoluteExpiresAt: now + 250,
        serverTime: now,
      });
      assert.deepEqual((await alice.get()).body, login.body);
    });

    test("is carried by a cookie that script cannot read and that never leaves its mount", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      const { attributes, path, value } = alice.browser.cookie(
        `authsafe${sessionMounts[kind].replaceAll(/[/-]/g, "_")}`,
      );
      assert.equal(attributes.has("httponly"), true);
      assert.equal(attributes.get("samesite"), "Lax");
      assert.equal(path, sessionMounts[kind]);
      const { body } = await alice.get();
      assert.equal(value.includes(body.sessionId), false);
    });

    test("does not begin with a wrong password, nor with half a request", async () => {
      const alice = visitor(server, kind);
      for (const attempt of [
        { ...ALICE, password: "x" },
        { username: "nobody", password: "x" },
        {},
        { username: ["alice"] },
      ]) {
        const { status, body } = await alice.post("/login", attempt);
        assert.deepEqual([status, body], [401, { error: "invalid_credentials" }]);
      }
      assert.equal((await alice.get()).status, 401);
    });

    test("begins from a plain form just as well", async () => {
      const alice = visitor(server, kind);
      const headers = await alice.proof();
      const mount = server.url + sessionMounts[kind];
      const body = new URLSearchParams(ALICE);
      const response = await alice.browser.fetch(`${mount}/login`, { method: "POST", body, headers });
      assert.equal(response.status, 200);
      await response.body.cancel();
    });

    test("refuses every change without proof that it comes from the page, the sign-in included", async () => {
      const alice = visitor(server, kind);
      assert.deepEqual((await alice.post("/login", ALICE, {})).body, { error: "csrf" });
      await alice.signIn();
      for (const path of ["/extend", "/logout", "/api/hello"]) {
        const { status, body } = await alice.post(path, {}, {});
        assert.deepEqual([path, status, body], [path, 403, { error: "csrf" }]);
      }
      assert.equal((await alice.get()).status, 200);
    });

    test("refuses the proof of somebody else", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      const [name, value] = Object.entries(await visitor(server, kind).proof())[0];
      const foreign = kind === "static-header" ? { [name]: "something else" } : { [name]: value };
      assert.equal((await alice.post("/extend", {}, foreign)).status, 403);
    });

    test("gets a new identifier at the sign-in, so that a planted one is worth nothing", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      const first = (await alice.get()).body.sessionId;
      await alice.signIn();
      assert.notEqual((await alice.get()).body.sessionId, first);
    });

    test("lets the page call the protected API, and nobody else", async () => {
      const alice = visitor(server, kind);
      assert.equal((await alice.get("/api/hello")).status, 401);
      assert.equal((await alice.post("/api/hello", {})).status, 401);
      await alice.signIn();
      const read = await alice.get("/api/hello");
      assert.equal(read.body.message, "Hello, Alice Liddell!");
      assert.equal(read.body.time, new Date(clock.at).toISOString());
      assert.equal((await alice.post("/api/hello", {})).status, 200);
    });

    test("ends when it was idle too long, whatever was asked meanwhile", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      clock.at += 99_000;
      assert.equal((await alice.get()).status, 200);
      assert.equal((await alice.get("/api/hello")).status, 200);
      clock.at += 1_000;
      assert.equal((await alice.get()).status, 401);
      assert.equal((await alice.post("/extend")).status, 401);
    });

    test("is prolonged by extending it, but never past its absolute end", async () => {
      const alice = visitor(server, kind);
      const { issuedAt } = (await alice.signIn()).body;
      clock.at += 90_000;
      assert.equal((await alice.post("/extend")).body.expiresAt, issuedAt + 190);
      clock.at += 90_000;
      assert.equal((await alice.post("/extend")).body.expiresAt, issuedAt + 250);
      clock.at += 70_000;
      assert.equal((await alice.get()).status, 401);
    });

    test("can be followed by a new sign-in at once after it lapsed", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      const proof = await alice.proof();
      clock.at += 1_000_000;
      assert.equal((await alice.post("/login", ALICE, proof)).status, 200);
    });

    test("ends with the sign-out, for every tab, and a second sign-out is no error", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      const logout = await alice.post("/logout");
      assert.deepEqual([logout.status, logout.body], [204, ""]);
      assert.equal((await alice.get()).status, 401);
      assert.equal((await alice.post("/logout")).status, 204);
      assert.equal((await alice.signIn()).status, 200);
    });

    test("can be ended by the operator", async () => {
      const alice = visitor(server, kind);
      await alice.signIn();
      assert.equal(await server.destroySessionsOf("user-1002"), 0);
      assert.equal((await alice.get()).status, 200);
      assert.ok((await server.destroyAllSessions()) > 0);
      assert.equal((await alice.get()).status, 401);
      assert.equal((await alice.signIn()).status, 200);
    });

    test("answers malformed JSON and unknown paths in JSON", async () => {
      const alice = visitor(server, kind);
      const headers = { "content-type": "application/json", ...(await alice.proof()) };
      const url = `${server.url}${sessionMounts[kind]}`;
      const malformed = await alice.browser.fetch(`${url}/login`, { method: "POST", body: "{", headers });
      assert.deepEqual([malformed.status, await malformed.json()], [400, { error: "invalid_request" }]);
      assert.deepEqual((await alice.get("/nothing")).body, { error: "not_found" });
    });
  });
}
