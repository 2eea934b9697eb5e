// What happens twice: two clients on one page, two users in one browser, an address that is gone back to. And what is left to
// look into afterwards.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { meetRenewal } from "./support/renewals.mjs";
import { ALICE, BOB } from "./support/tab.mjs";

const oidc = byName("token by OpenID, memory");
const twice = (page) => page.addInitScript(() => (window.twice = true));
const other = (tab, work) => tab.page.evaluate(`(${work})(window.other)`);

for (const storage of ["sessionStorage", "localStorage", "indexedDB"]) {
  for (const isolation of ["required", "page"]) {
    const options = { storage, isolation, id: "twice" };

    test(`two clients of one page exchange the code once and renew once (${storage}, ${isolation})`, async ({
      visit,
      servers,
      clock,
    }) => {
      servers.provider.lifetimes.accessTokenSeconds = 590;
      const tab = await visit(oidc, { options: { ...options, dpop: "never" }, before: twice });
      const { authorization_code: before } = servers.provider.stats.tokenRequests;
      await tab.signIn();
      expect(servers.provider.stats.tokenRequests.authorization_code).toBe(before + 1);
      await tab.becomes({ status: "authenticated" });
      await expect.poll(() => other(tab, "(other) => other.getState().status")).toBe("authenticated");
      for (let round = 0; round < 3; round++) {
        await clock.letPass(600);
        const { refresh_token: renewed } = servers.provider.stats.tokenRequests;
        const call = `async () => Promise.all([auth, other].map(async (one) => (await one.fetch(${JSON.stringify(tab.resource)})).status))`;
        expect(await tab.attempt(call)).toEqual({ value: [200, 200] });
        expect(servers.provider.stats.tokenRequests.refresh_token).toBe(renewed + 1);
      }
      expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
      await tab.logout();
      await expect.poll(() => other(tab, "(other) => other.getState().status")).toBe("unauthenticated");
    });
  }
}

test("another user who signs in elsewhere is told as such, and no request is made as the wrong one", async ({
  context,
  visit,
}) => {
  const options = { storage: "indexedDB", isolation: "required", id: "two-users" };
  const first = await visit(oidc, { options });
  await first.signIn(ALICE);
  const second = await visit(oidc, { options });
  await second.becomes({ status: "authenticated", user: { name: ALICE.name } });
  // The provider forgets who it was.
  await context.clearCookies();
  await second.signIn(BOB);
  await first.becomes({ status: "authenticated", user: { name: BOB.name } });
  expect(await first.events("userChanged")).toMatchObject([
    { previous: { name: ALICE.name }, current: { name: BOB.name } },
  ]);
  expect(await first.events("signedIn")).toHaveLength(1);
  expect(await first.call(5)).toEqual(Array(5).fill(200));
});

test("going back to the provider's page and on again ends where the user was", async ({ visit }) => {
  const tab = await visit(oidc, { options: { storage: "indexedDB", isolation: "required", id: "back" } });
  await tab.signIn();
  await tab.becomes({ status: "authenticated" });
  await tab.page.goBack();
  await tab.page.goForward();
  const { state, error } = await tab.started();
  expect(error).toBeUndefined();
  expect(state).toMatchObject({ status: "authenticated", user: { name: ALICE.name } });
  expect(await tab.call()).toEqual([200]);
});

for (const isolation of ["required", "page"]) {
  test(`why somebody was signed out is told after a reload, without anything about the user (${isolation})`, async ({
    visit,
    servers,
  }) => {
    const tab = await visit(oidc, { options: { storage: "localStorage", isolation, id: "history" } });
    await tab.signIn();
    const { value: fine } = await tab.attempt("() => auth.diagnose()");
    expect(fine.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(fine.checks.map(({ id }) => id)).toEqual(expect.arrayContaining(["isolation", "storage", "clock"]));
    await tab.logout();
    await tab.reload();
    const { value: report } = await tab.attempt("() => auth.diagnose()");
    expect(report.history).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: "signedIn", origin: "this-tab", generation: 1 }),
        expect.objectContaining({ event: "signedOut", reason: "logged_out", origin: "this-tab" }),
      ]),
    );
    const kept = await tab.page.evaluate(() => sessionStorage.getItem("authsafe.history.history"));
    for (const secret of [ALICE.name, "user-1001", "eyJ", "http"]) expect(kept).not.toContain(secret);
  });
}

for (const isolation of ["required", "page"]) {
  test(`F51 a client that is disposed of in the middle of a renewal brings it to its end, and the next one goes on with it (${isolation})`, async ({
    context,
    servers,
    visit,
  }) => {
    const options = { storage: "indexedDB", isolation, id: "again", dpop: "never" };
    const tab = await visit(oidc, { options });
    await tab.signIn();
    const { revokedGrants } = servers.provider.stats;
    const { met } = await meetRenewal("answer", { context, servers }, () =>
      tab.page.evaluate(() => {
        window.auth.dispose();
        // As a module does that was loaded anew.
        window.auth = window.authsafe.createAuthClient(window.authOptions);
        window.again = window.attempt(async () => (await window.auth.init()).state.status);
      }),
    );
    expect(await tab.refresh()).toMatchObject({ error: { code: "disposed" } });
    await met;
    expect(await tab.page.evaluate(() => window.again)).toEqual({ value: "authenticated" });
    expect(await tab.call()).toEqual([200]);
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(servers.provider.stats.revokedGrants).toBe(revokedGrants);
  });
}
