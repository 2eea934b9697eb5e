import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from "jose";
import { startApi } from "./api.js";
import { listen } from "./listen.js";
import { startAll } from "./testing.js";
import { makeBrowser, obtainTokens } from "./test-client.js";

describe("the protected API", () => {
  let stack;
  let token;
  let idToken;
  let at;
  before(async () => {
    stack = await startAll({ api: { now: () => at ?? Date.now() } });
    const { tokens } = await obtainTokens(stack);
    token = tokens.access_token;
    idToken = tokens.id_token;
  });
  beforeEach(() => {
    at = undefined;
    stack.api.stats.requests.length = 0;
  });
  after(() => stack.close());

  const call = async (path, { bearer, ...init } = {}) => {
    const headers = { origin: stack.pageUrl, ...init.headers };
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    const response = await fetch(stack.apiUrl + path, { redirect: "manual", ...init, headers });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
  };
  const assertInvalidToken = ({ status, headers, body }) => {
    assert.deepEqual([status, body], [401, { error: "invalid_token" }]);
    assert.equal(headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.equal(headers.get("access-control-expose-headers"), "www-authenticate,dpop-nonce");
    assert.equal(headers.get("access-control-allow-origin"), stack.pageUrl);
  };

  test("greets the provider's user", async () => {
    const { status, body } = await call("/api/hello", { bearer: token });
    assert.equal(status, 200);
    assert.equal(body.message, "Hello, user-1001!");
    assert.equal(body.iss, stack.issuer);
  });

  test("greets the first-party backend's user, and takes a body", async () => {
    const login = await makeBrowser().post(`${stack.pageUrl}/auth/login`, { username: "bob", password: "builder" });
    const { access_token: bearer } = await login.json();
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"a":1}', bearer };
    const { status, body } = await call("/api/hello", init);
    assert.deepEqual([status, body.sub, body.received], [200, "user-1002", { a: 1 }]);
    assert.equal(body.iss, `${stack.pageUrl}/auth`);
  });

  test("answers slowly when asked to", async () => {
    const { status, body } = await call("/api/slow?ms=1", { bearer: token });
    assert.deepEqual([status, body.sub], [200, "user-1001"]);
  });

  test("asks for a token where there is none, without calling it invalid", async () => {
    const { status, headers } = await call("/api/hello");
    assert.deepEqual([status, headers.get("www-authenticate")], [401, 'Bearer, DPoP algs="ES256"']);
  });

  test("refuses a token from the second it expires", async () => {
    const { exp } = decodeJwt(token);
    at = exp * 1000 - 1;
    assert.equal((await call("/api/hello", { bearer: token })).status, 200);
    at = exp * 1000;
    assertInvalidToken(await call("/api/hello", { bearer: token }));
  });

  test("refuses an ID token, a forged token and plain nonsense", async () => {
    const { privateKey } = await generateKeyPair("ES256");
    const forged = await new SignJWT({ sub: "user-1001", jti: "x" })
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt" })
      .setIssuer(stack.issuer)
      .setAudience(stack.apiUrl)
      .setExpirationTime("1h")
      .sign(privateKey);
    const stranger = await new SignJWT({ sub: "user-1001", jti: "x" })
      .setProtectedHeader({ alg: "ES256", typ: "at+jwt" })
      .setIssuer("https://stranger.example")
      .setAudience(stack.apiUrl)
      .setExpirationTime("1h")
      .sign(privateKey);
    for (const bearer of [idToken, forged, stranger, "nonsense", token.slice(0, -4)]) {
      assertInvalidToken(await call("/api/hello", { bearer }));
    }
  });

  test("refuses, once told, the tokens it has seen, and takes the next ones", async () => {
    const { tokens } = await obtainTokens(stack);
    assert.equal((await call("/api/hello", { bearer: tokens.access_token })).status, 200);
    assert.ok(stack.api.denySeenTokens() > 0);
    assertInvalidToken(await call("/api/hello", { bearer: tokens.access_token }));
    ({
      tokens: { access_token: token, id_token: idToken },
    } = await obtainTokens(stack));
    assert.equal((await call("/api/hello", { bearer: token })).status, 200);
  });

  test("accepts from a trusted issuer only what is an access token, for this API, of this issuer, and complete", async () => {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: "ES256" }] });
    const issuer = await listen((request, response) => response.end(keys));
    const api = await startApi({ issuers: { [issuer.url]: issuer.url, "http://other": issuer.url }, pageOrigins: [] });
    const claims = { iss: issuer.url, aud: api.url, sub: "a", jti: "b", exp: Math.floor(Date.now() / 1000) + 600 };
    const ask = async (changed, typ = "at+jwt") => {
      const bearer = await new SignJWT({ ...claims, ...changed })
        .setProtectedHeader({ alg: "ES256", typ })
        .sign(privateKey);
      return (await fetch(`${api.url}/api/hello`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    };
    try {
      assert.equal(await ask({}), 200);
      assert.equal(await ask({}, "JWT"), 401);
      for (const changed of [
        { aud: "http://other" },
        { iss: "http://third" },
        { exp: undefined },
        { exp: 1 },
        { jti: undefined },
      ]) {
        assert.deepEqual([changed, await ask(changed)], [changed, 401]);
      }
    } finally {
      await api.close();
      await issuer.close();
    }
  });

  test("lets the page's origin in by CORS, and no other", async () => {
    const preflight = (origin) =>
      call("/api/hello", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
      });
    const own = await preflight(stack.pageUrl);
    assert.equal(own.status, 204);
    assert.equal(own.headers.get("access-control-allow-origin"), stack.pageUrl);
    assert.equal(own.headers.get("access-control-allow-headers"), "authorization,content-type,dpop");
    const other = await preflight("http://localhost:1");
    assert.equal(other.headers.get("access-control-allow-origin"), null);
  });

  test("redirects as asked, on this machine only", async () => {
    const to = (target, status) => call(`/api/redirect?to=${encodeURIComponent(target)}&status=${status}`);
    for (const status of [302, 307]) {
      const answer = await to(`${stack.pageUrl}/x`, status);
      assert.deepEqual([answer.status, answer.headers.get("location")], [status, `${stack.pageUrl}/x`]);
    }
    assert.equal((await to("https://evil.example/", 302)).status, 400);
    assert.equal((await to("nonsense", 302)).status, 400);
    assert.equal((await to(stack.pageUrl, 200)).status, 400);
  });

  test("remembers each request it saw, and that there was a credential, but never the credential", async () => {
    await call("/api/hello", { bearer: token });
    await call("/api/nothing");
    assert.deepEqual(stack.api.stats.requests, [
      { method: "GET", path: "/api/hello", authorization: true, proof: false, origin: stack.pageUrl },
      { method: "GET", path: "/api/nothing", authorization: false, proof: false, origin: stack.pageUrl },
    ]);
  });

  test("answers 503, not 401, while the issuer's keys cannot be had", async () => {
    const fresh = await startAll();
    try {
      const { tokens } = await obtainTokens(fresh);
      const ask = () =>
        fetch(`${fresh.apiUrl}/api/hello`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      await fresh.provider.stop();
      const refused = await ask();
      assert.deepEqual([refused.status, await refused.json()], [503, { error: "keys_unavailable" }]);
      await fresh.provider.restart();
      assert.equal((await ask()).status, 200);
    } finally {
      await fresh.close();
    }
  });

  test("can go down and come back", async () => {
    await stack.api.stop();
    await assert.rejects(call("/api/hello", { bearer: token }), TypeError);
    await stack.api.restart();
    assert.equal((await call("/api/hello", { bearer: token })).status, 200);
  });
});
