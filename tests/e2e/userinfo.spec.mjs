// The UserInfo endpoint of a real provider: it is asked once for a sign-in, and what it says is part of the user from then on.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const stored = byName("token by OpenID, localStorage");
const memory = byName("token by OpenID, memory");
/** In both, in the ID token alone, and in what the endpoint answers alone. */
const alice = { sub: "user-1001", name: "Alice Liddell", preferred_username: "alice", nickname: "alice" };

/** A tab of the client whose access tokens are for that endpoint, and a list of the requests that it made there. */
async function open({ visit, servers, context }, one, options = {}) {
  const { userInfoClientId, issuer, scope, pageUrl } = servers.config;
  const requests = [];
  context.on("request", (request) => {
    if (request.url() === `${issuer}/me` && request.method() !== "OPTIONS") requests.push(request);
  });
  const redirectUri = `${pageUrl}/bare/`;
  const oidc = { issuer, clientId: userInfoClientId, scope, redirectUri, postLogoutRedirectUri: redirectUri };
  const { userInfo = true, ...more } = options;
  const tab = await visit(one, { options: { oidc: { ...oidc, userInfo }, id: "e2e-userinfo", ...more } });
  return { tab, requests };
}

for (const isolation of ["required", "page"]) {
  for (const [dpop, scheme] of [
    ["never", /^Bearer \S+$/],
    ["always", /^DPoP \S+$/],
  ]) {
    test(`${isolation}, dpop ${dpop}: what it says is part of the user, over a reload and a renewal`, async ({
      visit,
      servers,
      context,
    }) => {
      const { tab, requests } = await open({ visit, servers, context }, stored, {
        isolation,
        dpop,
        storage: "localStorage",
      });
      // Then each proof must have one.
      servers.provider.dpop.requireNonce = dpop === "always";
      const { state, error } = await tab.signIn();
      expect(error).toBeUndefined();
      expect(state).toMatchObject({ status: "authenticated", user: alice });
      expect(state.user.iss, "the claims of the ID token are there, too").toBe(servers.config.issuer);
      expect(requests).toHaveLength(1);
      const headers = await requests[0].allHeaders();
      expect([requests[0].method(), headers.authorization]).toEqual(["GET", expect.stringMatching(scheme)]);
      expect([headers.cookie, headers.referer]).toEqual([undefined, undefined]);
      expect(headers.dpop !== undefined, "a proof goes with a bound token").toBe(dpop === "always");

      expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user: alice });
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      expect(await tab.state()).toMatchObject({ status: "authenticated", user: alice });
      const claims = await tab.page.evaluate(() => window.auth.getIdTokenClaims());
      expect([claims.sub, claims.nickname], "what was signed says nothing of it").toEqual([alice.sub, undefined]);
      expect(requests).toHaveLength(1);
    });
  }
}

test("nobody asks it without the option", async ({ visit, servers, context }) => {
  const { tab, requests } = await open({ visit, servers, context }, memory, { userInfo: false });
  const { state } = await tab.signIn();
  expect(state).toMatchObject({ status: "authenticated", user: { sub: alice.sub, name: alice.name } });
  expect([state.user.nickname, requests.length]).toEqual([undefined, 0]);
});

test("a token that it does not take signs nobody in, and says in the provider's words why", async ({
  visit,
  servers,
  context,
}) => {
  // The tokens of this client are for the API.
  const { clientId, issuer, scope, pageUrl } = servers.config;
  const oidc = { issuer, clientId, scope, redirectUri: `${pageUrl}/bare/`, userInfo: true };
  const { tab, requests } = await open({ visit, servers, context }, memory, { oidc });
  const { state, error } = await tab.signIn();
  expect(error).toMatchObject({
    code: "userinfo_invalid",
    phase: "token",
    oauth: { error: "invalid_token" },
    message: expect.stringContaining("The status is 401."),
  });
  expect(state).toMatchObject({ status: "unauthenticated", error: { code: "userinfo_invalid" } });
  expect(requests).toHaveLength(1);
});

test("one that cannot be reached keeps out who signs in, and loses nobody who was here", async ({
  visit,
  servers,
  context,
}) => {
  const { tab } = await open({ visit, servers, context }, stored);
  expect((await tab.signIn()).state).toMatchObject({ status: "authenticated", user: alice });
  await context.route(`${servers.config.issuer}/me`, (route) => route.abort());
  const { state, error } = await tab.signIn(undefined, { known: true });
  expect(error).toMatchObject({ code: "userinfo_unavailable", retryable: true });
  expect(state).toMatchObject({ status: "authenticated", user: alice });
  await context.unroute(`${servers.config.issuer}/me`);
  expect((await tab.signIn(undefined, { known: true })).error).toBeUndefined();
});
