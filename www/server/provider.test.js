import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import { startAll } from "./testing.js";
import {
  authorizationRequest,
  formAction,
  follow,
  makeBrowser,
  obtainTokens,
  openSignIn,
  refresh,
  signIn,
} from "./test-client.js";

describe("signing in at the OpenID provider", () => {
  let stack;
  before(async () => {
    stack = await startAll();
  });
  after(() => stack.close());

  test("announces its issuer byte for byte, S256 alone, and the iss parameter", async () => {
    const metadata = await (await fetch(`${stack.issuer}/.well-known/openid-configuration`)).json();
    assert.equal(metadata.issuer, stack.issuer);
    assert.deepEqual(metadata.code_challenge_methods_supported, ["S256"]);
    assert.equal(metadata.authorization_response_iss_parameter_supported, true);
    assert.deepEqual(metadata.response_types_supported, ["code"]);
    assert.equal(metadata.revocation_endpoint, `${stack.issuer}/token/revocation`);
    assert.equal(metadata.end_session_endpoint, `${stack.issuer}/session/end`);
    assert.equal(metadata.userinfo_endpoint, `${stack.issuer}/me`);
  });

  test("turns a sign-in into tokens: a JWT for the API, an ID token about the user, a refresh token", async () => {
    const { authorization, callback, response, tokens } = await obtainTokens(stack);
    assert.equal(callback.origin, stack.pageUrl);
    assert.equal(callback.searchParams.get("state"), authorization.params.state);
    assert.equal(callback.searchParams.get("iss"), stack.issuer);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("access-control-allow-origin"), stack.pageUrl);
    assert.equal(tokens.token_type, "Bearer");
    assert.equal(tokens.expires_in, 120);
    assert.equal(typeof tokens.refresh_token, "string");

    const keys = createRemoteJWKSet(new URL(`${stack.issuer}/jwks`));
    const access = await jwtVerify(tokens.access_token, keys, { issuer: stack.issuer, audience: stack.apiUrl });
    assert.equal(access.protectedHeader.typ, "at+jwt");
    assert.equal(access.payload.exp - access.payload.iat, 120);
    assert.equal(access.payload.scope, "api");
    const id = await jwtVerify(tokens.id_token, keys, { issuer: stack.issuer, audience: stack.clientId });
    const { sub, name, email, preferred_username, nonce } = id.payload;
    assert.deepEqual(
      { sub, name, email, preferred_username, nonce },
      {
        sub: "user-1001",
        name: "Alice Liddell",
        email: "alice@demo.example",
        preferred_username: "alice",
        nonce: authorization.params.nonce,
      },
    );
    assert.equal(decodeProtectedHeader(tokens.id_token).alg, "RS256");
  });

  test("tells the page about the user, and more than the ID token, for a token that is meant for that", async () => {
    const about = (token) =>
      fetch(`${stack.issuer}/me`, { headers: { origin: stack.pageUrl, authorization: `Bearer ${token}` } });
    const { tokens } = await obtainTokens({ ...stack, clientId: stack.userInfoClientId });
    const answer = await about(tokens.access_token);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("access-control-allow-origin"), stack.pageUrl);
    assert.deepEqual(await answer.json(), {
      sub: "user-1001",
      name: "Alice Liddell",
      nickname: "alice",
      email: "alice@demo.example",
      preferred_username: "alice",
    });
    const keys = createRemoteJWKSet(new URL(`${stack.issuer}/jwks`));
    assert.equal("nickname" in (await jwtVerify(tokens.id_token, keys)).payload, false);

    const { tokens: forTheApi } = await obtainTokens(stack);
    assert.equal((await about(forTheApi.access_token)).status, 401);
  });

  test("knows the second user, too", async () => {
    const { tokens } = await obtainTokens(stack, { user: { username: "bob", password: "builder" } });
    const keys = createRemoteJWKSet(new URL(`${stack.issuer}/jwks`));
    assert.equal((await jwtVerify(tokens.id_token, keys)).payload.sub, "user-1002");
  });

  test("asks nobody to sign in twice in one browser, and for no consent", async () => {
    const { browser } = await obtainTokens(stack);
    const again = await openSignIn(browser, authorizationRequest(stack), stack.issuer);
    assert.equal(again.page, undefined);
    assert.ok(again.left.searchParams.get("code"));
  });

  test("says on the form that a password was wrong, keeps the user name, and takes the right one then", async () => {
    const browser = makeBrowser();
    const form = await openSignIn(browser, authorizationRequest(stack), stack.issuer);
    const failed = await signIn(browser, form, stack.issuer, { username: "alice", password: "looking-glass" });
    assert.equal(failed.status, 401);
    assert.match(failed.page, /role="alert" aria-live="assertive">That user name and password do not match\./);
    assert.match(failed.page, /value="alice"/);
    assert.doesNotMatch(failed.page, /looking-glass/);
    const done = await signIn(browser, failed, stack.issuer);
    assert.ok(done.left.searchParams.get("code"));
  });

  test("shows a login hint as text, whatever is in it", async () => {
    const request = authorizationRequest(stack, { login_hint: '"><script>alert(1)</script>' });
    const form = await openSignIn(makeBrowser(), request, stack.issuer);
    assert.match(form.page, /value="&#34;&#62;&#60;script&#62;alert\(1\)&#60;\/script&#62;"/);
    assert.doesNotMatch(form.page, /<script>/);
  });

  test("tells the client that the user cancelled", async () => {
    const browser = makeBrowser();
    const request = authorizationRequest(stack);
    const form = await openSignIn(browser, request, stack.issuer);
    const { left } = await follow(
      browser,
      await browser.submit(formAction(form, stack.issuer, "cancel")),
      stack.issuer,
    );
    assert.equal(left.searchParams.get("error"), "access_denied");
    assert.equal(left.searchParams.get("state"), request.params.state);
    assert.equal(left.searchParams.get("iss"), stack.issuer);
  });

  test("refuses a request without PKCE, and one with the plain method", async () => {
    const without = authorizationRequest(stack, { code_challenge: undefined, code_challenge_method: undefined });
    const plain = authorizationRequest(stack, { code_challenge_method: "plain" });
    for (const request of [without, plain]) {
      const { left } = await openSignIn(makeBrowser(), request, stack.issuer);
      assert.equal(left.searchParams.get("error"), "invalid_request");
    }
  });

  test("never redirects to an address that is not registered", async () => {
    const request = authorizationRequest(stack, { redirect_uri: "http://localhost:1/steal" });
    const { page, status, left } = await openSignIn(makeBrowser(), request, stack.issuer);
    assert.equal(left, undefined);
    assert.equal(status, 400);
    assert.match(page, /invalid_redirect_uri/);
  });

  test("does not show the sign-in form of one browser to another", async () => {
    const form = await openSignIn(makeBrowser(), authorizationRequest(stack), stack.issuer);
    const response = await makeBrowser().fetch(form.url, { headers: { accept: "text/html" } });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /no longer open/);
  });
});
