import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startFirstParty } from "./first-party.js";
import { openStore } from "./store.js";
import { makeBrowser } from "./test-client.js";
import { makeClock } from "./testing.js";

const ALICE = { username: "alice", password: "wonderland" };
const FROM_PAGE = { "x-requested-with": "authsafe" };
const NAMES = { issuer: "http://localhost/auth", apiUrl: "http://localhost:1" };

describe("the first-party backend", () => {
  let store;
  let server;
  let clock;
  before(async () => {
    store = await openStore();
    clock = makeClock();
    server = await startFirstParty({ store, ...NAMES, now: clock.now, refreshTokenSeconds: 3600 });
  });
  beforeEach(() => clock.reset());
  after(async () => {
    await server.close();
    await store.close();
  });

  const call = async (path, body, { browser = makeBrowser(), headers } = {}) => {
    const response = await browser.post(server.url + path, body, headers);
    const text = await response.text();
    return { status: response.status, body: text && JSON.parse(text) };
  };
  const refresh = (token) => call("/auth/refresh", { refresh_token: token });

  test("answers a JSON login with tokens and the user", async () => {
    const { status, body } = await call("/auth/login", ALICE);
    assert.equal(status, 200);
    assert.deepEqual(Object.keys(body).sort(), ["access_token", "expires_in", "refresh_token", "token_type", "user"]);
    assert.equal(body.token_type, "Bearer");
    assert.equal(body.expires_in, 120);
    assert.equal(body.user.email, "alice@demo.example");
    const keys = createRemoteJWKSet(new URL(`${server.url}/auth/jwks`));
    const rules = { issuer: NAMES.issuer, audience: NAMES.apiUrl, typ: "at+jwt" };
    const { payload } = await jwtVerify(body.access_token, keys, rules);
    assert.equal(payload.sub, body.user.sub);
    assert.equal(payload.exp - payload.iat, 120);
  });

  test("refuses a wrong password, and a form that another site could send", async () => {
    const wrong = await call("/auth/login", { ...ALICE, password: "x" });
    assert.deepEqual([wrong.status, wrong.body], [401, { error: "invalid_credentials" }]);
    const form = await makeBrowser().submit(`${server.url}/auth/login`, ALICE);
    assert.equal(form.status, 401);
    await form.body.cancel();
  });

  test("tells the user to whoever holds an access token, until the token ends", async () => {
    const { body } = await call("/auth/login", ALICE);
    const ask = () => fetch(`${server.url}/auth/user`, { headers: { authorization: `Bearer ${body.access_token}` } });
    assert.deepEqual(await (await ask()).json(), body.user);
    clock.advance(120);
    const refused = await ask();
    assert.equal(refused.status, 401);
    assert.equal(refused.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    await refused.body.cancel();
    assert.equal((await fetch(`${server.url}/auth/user`)).status, 401);
  });

  test("replaces the refresh token at each use", async () => {
    let { body } = await call("/auth/login", ALICE);
    const seen = new Set([body.refresh_token]);
    for (let round = 0; round < 3; round += 1) {
      ({ body } = await refresh(body.refresh_token));
      seen.add(body.refresh_token);
    }
    assert.equal(seen.size, 4);
    assert.equal("user" in body, false);
  });

  test("ends the family when a used refresh token comes again", async () => {
    const login = await call("/auth/login", ALICE);
    const { revokedFamilies } = server.stats;
    const next = await refresh(login.body.refresh_token);
    for (const token of [login.body.refresh_token, next.body.refresh_token]) {
      assert.deepEqual(await refresh(token), { status: 400, body: { error: "invalid_grant" } });
    }
    assert.equal(server.stats.revokedFamilies, revokedFamilies + 1);
  });

  test("does not let rotation prolong a sign-in for ever", async () => {
    const login = await call("/auth/login", ALICE);
    clock.advance(3599);
    const next = await refresh(login.body.refresh_token);
    assert.equal(next.status, 200);
    clock.advance(1);
    assert.equal((await refresh(next.body.refresh_token)).status, 400);
  });

  test("refuses tokens it never gave, of whatever kind", async () => {
    for (const token of ["made-up", "", null, 7, { a: 1 }, undefined]) {
      assert.deepEqual(await refresh(token), { status: 400, body: { error: "invalid_grant" } });
    }
  });

  test("ends the family with the sign-out, and a second sign-out is no error", async () => {
    const { body } = await call("/auth/login", ALICE);
    for (let time = 0; time < 2; time += 1) {
      assert.equal((await call("/auth/logout", { refresh_token: body.refresh_token })).status, 204);
    }
    assert.equal((await refresh(body.refresh_token)).status, 400);
  });

  test("can end every family at once", async () => {
    const { body } = await call("/auth/login", ALICE);
    assert.ok((await server.revokeAllFamilies()) > 0);
    assert.equal((await refresh(body.refresh_token)).status, 400);
    assert.equal(await server.revokeAllFamilies(), 0);
  });

  test("keeps the refresh token in an HttpOnly cookie and out of every body, where it is set up so", async () => {
    const browser = makeBrowser();
    const login = await call("/auth-cookie/login", ALICE, { browser });
    const first = browser.cookie("authsafe_refresh");
    assert.equal(first.path, "/auth-cookie");
    assert.deepEqual([first.attributes.has("httponly"), first.attributes.get("samesite")], [true, "Strict"]);
    const next = await call("/auth-cookie/refresh", {}, { browser, headers: FROM_PAGE });
    assert.equal(next.status, 200);
    const second = browser.cookie("authsafe_refresh");
    assert.notEqual(second.value, first.value);
    for (const { body } of [login, next]) {
      assert.equal("refresh_token" in body, false);
      assert.equal(JSON.stringify(body).includes(first.value) || JSON.stringify(body).includes(second.value), false);
    }
  });

  test("takes the refresh cookie only with the header that another site cannot send", async () => {
    const browser = makeBrowser();
    await call("/auth-cookie/login", ALICE, { browser });
    for (const path of ["/auth-cookie/refresh", "/auth-cookie/logout"]) {
      assert.deepEqual(await call(path, {}, { browser }), { status: 403, body: { error: "csrf" } });
    }
    assert.equal((await call("/auth-cookie/refresh", {}, { browser, headers: FROM_PAGE })).status, 200);
  });

  test("ends the family of a refresh cookie that was used before, and takes the cookie back", async () => {
    const browser = makeBrowser();
    await call("/auth-cookie/login", ALICE, { browser });
    const stolen = browser.cookie("authsafe_refresh");
    await call("/auth-cookie/refresh", {}, { browser, headers: FROM_PAGE });
    const thief = makeBrowser();
    thief.setCookie(`authsafe_refresh=${stolen.value}; Path=/auth-cookie`, server.url);
    for (const holder of [thief, browser]) {
      const answer = await call("/auth-cookie/refresh", {}, { browser: holder, headers: FROM_PAGE });
      assert.deepEqual(answer, { status: 400, body: { error: "invalid_grant" } });
      assert.equal(holder.cookie("authsafe_refresh"), undefined);
    }
  });

  test("signs out by the refresh cookie and removes it", async () => {
    const browser = makeBrowser();
    await call("/auth-cookie/login", ALICE, { browser });
    assert.equal((await call("/auth-cookie/logout", {}, { browser, headers: FROM_PAGE })).status, 204);
    assert.equal(browser.cookie("authsafe_refresh"), undefined);
  });

  test("still knows its families after it was restarted on the same directory", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "authsafe-test-"));
    const run = async (work) => {
      const kept = await openStore({ dataDir });
      const backend = await startFirstParty({ store: kept, ...NAMES });
      try {
        return await work(backend.url);
      } finally {
        await backend.close();
        await kept.close();
      }
    };
    try {
      const login = await run(async (url) => (await makeBrowser().post(`${url}/auth/login`, ALICE)).json());
      const body = { refresh_token: login.refresh_token };
      const again = await run(async (url) => (await makeBrowser().post(`${url}/auth/refresh`, body)).status);
      assert.equal(again, 200);
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});
