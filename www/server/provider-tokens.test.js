import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startAll } from "./testing.js";
import {
  authorizationRequest,
  follow,
  makeBrowser,
  obtainTokens,
  openSignIn,
  refresh,
  signIn,
  tokenRequest,
} from "./test-client.js";

describe("the OpenID provider's tokens and sessions", () => {
  let stack;
  let held;
  before(async () => {
    stack = await startAll({ onTokenRequest: (request) => held?.(request) });
  });
  after(() => stack.close());

  test("redeems a code only with its verifier", async () => {
    const browser = makeBrowser();
    const { left } = await signIn(
      browser,
      await openSignIn(browser, authorizationRequest(stack), stack.issuer),
      stack.issuer,
    );
    const response = await tokenRequest(stack, {
      grant_type: "authorization_code",
      code: left.searchParams.get("code"),
      redirect_uri: `${stack.pageUrl}/`,
      code_verifier: "a".repeat(43),
    });
    assert.equal(response.status, 400);
    assert.equal((await response.json()).error, "invalid_grant");
  });

  test("redeems a code once; a code that comes again ends what came of it", async () => {
    const { authorization, callback, tokens } = await obtainTokens(stack);
    const again = await tokenRequest(stack, {
      grant_type: "authorization_code",
      code: callback.searchParams.get("code"),
      redirect_uri: authorization.params.redirect_uri,
      code_verifier: authorization.verifier,
    });
    assert.deepEqual([again.status, (await again.json()).error], [400, "invalid_grant"]);
    assert.equal((await refresh(stack, tokens.refresh_token)).body.error, "invalid_grant");
  });

  test("grants offline access with the client's prompt for consent, and it outlives the provider's session", async () => {
    const request = { scope: "openid offline_access", prompt: "consent" };
    const { browser, tokens } = await obtainTokens(stack, { request });
    const page = await browser.fetch(`${stack.issuer}/session/end?id_token_hint=${tokens.id_token}`);
    await submitLogout(stack, browser, await page.text());
    assert.equal((await refresh(stack, tokens.refresh_token)).status, 200);
  });

  test("replaces the refresh token at each use, and a used one that comes again ends the whole family", async () => {
    const { tokens } = await obtainTokens(stack);
    const { revokedGrants } = stack.provider.stats;
    const second = await refresh(stack, tokens.refresh_token);
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refresh_token, tokens.refresh_token);
    assert.notEqual(second.body.access_token, tokens.access_token);
    const stolen = await refresh(stack, tokens.refresh_token);
    assert.deepEqual([stolen.status, stolen.body.error], [400, "invalid_grant"]);
    const honest = await refresh(stack, second.body.refresh_token);
    assert.deepEqual([honest.status, honest.body.error], [400, "invalid_grant"]);
    assert.equal(stack.provider.stats.revokedGrants, revokedGrants + 1);
  });

  test("takes a used refresh token once more within the time of grace, and ends its family after it", async () => {
    const { tokens } = await obtainTokens(stack);
    stack.provider.lifetimes.reuseGraceSeconds = 3600;
    assert.equal((await refresh(stack, tokens.refresh_token)).status, 200);
    const again = await refresh(stack, tokens.refresh_token);
    assert.equal(again.status, 200);
    stack.provider.lifetimes.reuseGraceSeconds = 0;
    assert.equal((await refresh(stack, tokens.refresh_token)).body.error, "invalid_grant");
    assert.equal((await refresh(stack, again.body.refresh_token)).body.error, "invalid_grant");
  });

  test("revokes a refresh token on request", async () => {
    const { tokens } = await obtainTokens(stack);
    const response = await fetch(`${stack.issuer}/token/revocation`, {
      method: "POST",
      headers: { origin: stack.pageUrl },
      body: new URLSearchParams({ client_id: stack.clientId, token: tokens.refresh_token }),
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("access-control-allow-origin"), stack.pageUrl);
    assert.equal((await refresh(stack, tokens.refresh_token)).body.error, "invalid_grant");
  });

  test("lets no other origin read what the token endpoint answers", async () => {
    const response = await tokenRequest(
      { ...stack, pageUrl: "http://localhost:1" },
      { grant_type: "refresh_token", refresh_token: "none" },
    );
    assert.equal(response.headers.get("access-control-allow-origin"), null);
    await response.body.cancel();
  });

  test("signs out at once where an ID token proves whose session it is, and comes back with the state", async () => {
    const { browser, tokens } = await obtainTokens(stack);
    const params = {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: `${stack.pageUrl}/`,
      state: "back again",
    };
    const page = await browser.fetch(`${stack.issuer}/session/end?${new URLSearchParams(params)}`);
    const html = await page.text();
    assert.match(html, /<input type="hidden" name="logout" value="yes" form="op.logoutForm">/);
    assert.match(html, /submit\(\);<\/script>/);
    const { left } = await submitLogout(stack, browser, html);
    assert.equal(left.href, `${stack.pageUrl}/?state=back+again`);
    assert.equal((await refresh(stack, tokens.refresh_token)).body.error, "invalid_grant");
    const next = await openSignIn(browser, authorizationRequest(stack), stack.issuer);
    assert.match(next.page, /<h1>Sign in<\/h1>/);
  });

  test("asks first where nothing proves who wants to sign out", async () => {
    const { browser } = await obtainTokens(stack);
    const page = await browser.fetch(`${stack.issuer}/session/end`);
    const html = await page.text();
    assert.match(html, /<h1>Sign out\?<\/h1>/);
    assert.doesNotMatch(html, /<script/);
    assert.match(page.headers.get("content-security-policy"), /script-src 'none'/);
    const { page: done } = await submitLogout(stack, browser, html);
    assert.match(done, /<h1>Signed out<\/h1>/);
  });

  test("counts token requests, and holds an answer for as long as it is told to", async () => {
    const { tokens } = await obtainTokens(stack);
    const counted = stack.provider.stats.tokenRequests.refresh_token;
    let release;
    const arrived = new Promise((resolve) => {
      held = (request) => new Promise((done) => resolve(request, (release = done)));
    });
    let answered = false;
    const answer = refresh(stack, tokens.refresh_token).then((result) => {
      answered = true;
      return result;
    });
    assert.deepEqual(await arrived, { grantType: "refresh_token", status: 200, error: undefined });
    held = undefined;
    assert.equal(stack.provider.stats.tokenRequests.refresh_token, counted + 1);
    assert.equal(answered, false);
    release();
    assert.equal((await answer).status, 200);
  });

  test("gives access tokens the lifetime that is set at the time", async () => {
    const { accessTokenSeconds } = stack.provider.lifetimes;
    stack.provider.lifetimes.accessTokenSeconds = 5;
    const { tokens } = await obtainTokens(stack);
    stack.provider.lifetimes.accessTokenSeconds = accessTokenSeconds;
    assert.equal(tokens.expires_in, 5);
  });

  test("can go down and come back with its keys and its refresh tokens", async () => {
    const { tokens } = await obtainTokens(stack);
    const keys = async () => (await fetch(`${stack.issuer}/jwks`)).json();
    const known = await keys();
    await stack.provider.stop();
    await assert.rejects(keys(), TypeError);
    await stack.provider.restart();
    assert.deepEqual(await keys(), known);
    assert.equal((await refresh(stack, tokens.refresh_token)).status, 200);
  });

  test("shows a token to the page of whoever is signed in, for an audience that is nobody", async () => {
    const { browser } = await obtainTokens(stack);
    const { shownToken } = await (await fetch(`${stack.pageUrl}/config.json`)).json();
    const ask = (who, origin) => who.fetch(shownToken.url, { headers: { origin } });
    const response = await ask(browser, stack.pageUrl);
    assert.equal(response.headers.get("access-control-allow-origin"), stack.pageUrl);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const { token } = await response.json();
    const keys = createRemoteJWKSet(new URL(shownToken.jwksUri));
    const { payload } = await jwtVerify(token, keys, { issuer: stack.issuer, audience: "authsafe-demo-shown" });
    assert.equal(payload.sub, "user-1001");
    assert.ok(Math.abs(payload.auth_time - payload.iat) < 60);
    const elsewhere = await ask(browser, "http://localhost:1");
    assert.equal(elsewhere.headers.get("access-control-allow-origin"), null);
    const nobody = await ask(makeBrowser(), stack.pageUrl);
    assert.deepEqual([nobody.status, await nobody.json()], [401, { error: "login_required" }]);
  });

  test("issues no refresh token without offline access, where it is set up so", async () => {
    const strict = await startAll({ provider: { alwaysIssueRefreshToken: false } });
    try {
      const { tokens } = await obtainTokens(strict);
      assert.equal("refresh_token" in tokens, false);
    } finally {
      await strict.close();
    }
  });
});

async function submitLogout(stack, browser, html) {
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(html)[1];
  const response = await browser.submit(`${stack.issuer}/session/end/confirm`, { xsrf, logout: "yes" });
  return follow(browser, response, stack.issuer);
}
