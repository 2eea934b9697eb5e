// Servers that are out of reach, and networks that break at the wrong moment: what was valid stays, and nobody is lost.
import { byName, cases, tokenCases } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

const unreachable = {
  code: "network_or_cors",
  retryable: true,
  recovery: "retry",
  isAuthError: true,
  hint: expect.stringMatching(/./),
};
/** The server that holds the protected resource. */
const resourceServer = (one, servers) => (one.kind === "session" ? servers.page : servers.api);
/** The server that signs in and renews. */
const authority = (one, servers) => (one.kind === "oidc" ? servers.provider : servers.page);
const tokenEndpoint = (one, { config }) =>
  one.kind === "oidc" ? `${config.issuer}/token` : `${config.pageUrl}/auth*/refresh`;

for (const one of cases) {
  test.describe(one.name, () => {
    test("a server that is down fails the sign-in and nothing else", async ({ visit, servers }) => {
      const tab = await visit(one);
      await authority(one, servers).stop();
      const { username, password } = ALICE;
      const login = one.kind === "oidc" ? { via: "redirect" } : { via: "password", username, password };
      expect(await tab.attempt("(login) => auth.login(login)", login)).toMatchObject({ error: unreachable });
      expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "never" });
      await authority(one, servers).restart();
      await tab.signIn();
      expect(await tab.state()).toMatchObject({ status: "authenticated" });
    });

    test("a server that goes down later fails the renewal and keeps the session", async ({ visit, servers }) => {
      const tab = await visit(one);
      await tab.signIn();
      expect(await tab.call()).toEqual([200]);
      await authority(one, servers).stop();
      expect(await tab.refresh()).toMatchObject({ error: unreachable });
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "offline" });
      expect(await tab.events("refreshFailed")).toMatchObject([{ fatal: false, error: unreachable }]);
      // The API is a server of its own where tokens are used, and the token has not ended.
      expect(await tab.call()).toEqual([one.kind === "session" ? "TypeError" : 200]);
      await authority(one, servers).restart();
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh" });
      expect(await tab.call()).toEqual([200]);
    });

    test("an API that is down rejects as window.fetch does, and the session stays", async ({ visit, servers }) => {
      const tab = await visit(one);
      await tab.signIn();
      await resourceServer(one, servers).stop();
      expect(await tab.call()).toEqual(["TypeError"]);
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh" });
      await resourceServer(one, servers).restart();
      expect(await tab.call()).toEqual([200]);
    });
  });
}

for (const one of tokenCases) {
  test.describe(one.name, () => {
    test("a network that is cut before the renewal arrives costs nothing once it is back", async ({
      visit,
      servers,
      context,
      clock,
    }) => {
      const tab = await visit(one);
      await tab.signIn();
      await clock.letPass(600);
      const before = tab.renewals();
      await context.route(tokenEndpoint(one, servers), (route) => route.abort("connectionreset"));
      expect(await tab.call(10)).toEqual(Array(10).fill("network_or_cors"));
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "offline" });
      await context.unroute(tokenEndpoint(one, servers));
      // After a failure the next attempt waits a moment; a call in between fails for the reason that is known.
      await expect.poll(() => tab.call()).toEqual([200]);
      expect(tab.renewals()).toBe(before + 1);
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh" });
    });
  });
}

const someCases = [
  "token by OpenID, localStorage",
  "token by password, localStorage",
  "token by password, refresh cookie",
].map(byName);

for (const one of someCases) {
  test(`an answer that is lost after the token was rotated ends the session cleanly (${one.name})`, async ({
    visit,
    servers,
    context,
    invariants,
  }) => {
    invariants.breaks("I2 again", "what was answered, nobody heard");
    const tab = await visit(one);
    await tab.signIn();
    await context.route(tokenEndpoint(one, servers), async (route) => {
      // The server answers, and nobody hears it. The cookie of the answer is lost with it.
      const headers = await route.request().allHeaders();
      await fetch(route.request().url(), { method: "POST", headers, body: route.request().postData() });
      await route.abort("connectionreset");
    });
    expect(await tab.refresh()).toMatchObject({ error: unreachable });
    expect(await tab.state()).toMatchObject({ status: "authenticated" });
    await context.unroute(tokenEndpoint(one, servers));
    expect(await tab.refresh()).toMatchObject({ error: { code: "session_expired", recovery: "login" } });
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "expired" });
    expect(await tab.call()).toEqual(["session_expired"]);
    expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
    await tab.signIn(ALICE, { known: one.kind === "oidc" });
    expect(await tab.call()).toEqual([200]);
  });

  test(`a device that was offline renews by itself when the network is back (${one.name})`, async ({
    visit,
    context,
  }) => {
    const tab = await visit(one);
    await tab.signIn();
    const before = tab.renewals();
    await context.setOffline(true);
    expect(await tab.refresh()).toMatchObject({ error: unreachable });
    expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "offline" });
    await context.setOffline(false);
    await tab.becomes({ status: "authenticated", freshness: "fresh" });
    expect(tab.renewals()).toBe(before + 1);
  });
}

test("a provider that goes down between the sign-in and the exchange is told, and the next sign-in works", async ({
  visit,
  servers,
  context,
}) => {
  const one = byName("token by OpenID, memory");
  const tab = await visit(one);
  await context.route(tokenEndpoint(one, servers), (route) => route.abort("connectionrefused"));
  const { state, error } = await tab.signIn();
  expect(error).toMatchObject({ ...unreachable, phase: "token" });
  expect(state).toMatchObject({ status: "unauthenticated", error: { code: "network_or_cors" } });
  await context.unroute(tokenEndpoint(one, servers));
  expect((await tab.signIn(ALICE, { known: true })).state).toMatchObject({ status: "authenticated" });
});

test("a token is renewed by a timer shortly before its end, without a call", async ({ visit, clock }) => {
  const tab = await visit(byName("token by OpenID, localStorage"), { options: { refresh: {} } });
  await tab.signIn();
  const before = tab.renewals();
  await clock.letPass(115);
  await expect.poll(() => tab.renewals()).toBe(before + 1);
  await tab.becomes({ status: "authenticated", freshness: "fresh" });
  expect(await tab.events("refreshed")).toMatchObject([{ by: "this-tab" }]);
});

test("F33 tabs whose token expired renew it once for all", async ({ visit, clock }) => {
  const one = byName("token by OpenID, localStorage");
  // The clock of these tabs runs ahead of the API's, which would judge the dates of proofs by its own.
  const options = { dpop: "never" };
  const tabs = [await visit(one, { options })];
  await tabs[0].signIn();
  tabs.push(await visit(one, { options }), await visit(one, { options }));
  await clock.letPass(600);
  const before = tabs[0].renewals();
  expect(await Promise.all(tabs.map((tab) => tab.call(20)))).toEqual(tabs.map(() => Array(20).fill(200)));
  expect(tabs[0].renewals()).toBe(before + 1);
});

test("a refresh token that the server has revoked ends the session in every tab", async ({ visit, servers }) => {
  const one = byName("token by password, localStorage");
  const [first, second] = [await visit(one), await visit(one)];
  await first.signIn();
  await second.becomes({ status: "authenticated" });
  await servers.firstParty.revokeAllFamilies();
  expect(await first.refresh()).toMatchObject({ error: { code: "session_expired" } });
  await first.becomes({ status: "unauthenticated", reason: "expired" });
  await second.becomes({ status: "unauthenticated", reason: "expired" });
});
