// What a person does, in every mode with every storage.
import { cases, tokenCases } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

for (const one of cases) {
  test.describe(one.name, () => {
    test("signing in tells who it is, and the API lets the page in", async ({ visit }) => {
      const tab = await visit(one);
      expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "never" });
      expect(await tab.call()).toEqual([one.kind === "session" ? 401 : "login_required"]);
      const signedIn = await tab.signIn(ALICE, { returnTo: "/notes?page=2", appState: { draft: [1, "two"] } });
      const result = one.kind === "oidc" ? signedIn.callback : signedIn.value;
      expect(result).toMatchObject({
        user: { sub: "user-1001", name: ALICE.name },
        returnTo: "/notes?page=2",
        appState: { draft: [1, "two"] },
      });
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh", user: result.user });
      expect(await tab.events("signedIn")).toMatchObject([{ origin: "this-tab" }]);
      expect(await tab.call()).toEqual([200]);
      expect(new URL(tab.page.url()).search).toBe("");
    });

    test(`a reload ${one.survives ? "keeps" : "forgets"} who is signed in`, async ({ visit }) => {
      const tab = await visit(one);
      await tab.signIn();
      const { user } = await tab.state();
      const { state } = await tab.reload();
      if (one.survives) {
        expect(state).toMatchObject({ status: "authenticated", user });
        expect(await tab.events("signedIn")).toMatchObject([{ origin: "restored" }]);
        expect(await tab.call()).toEqual([200]);
      } else {
        expect(state).toMatchObject({ status: "unauthenticated", reason: "never" });
      }
    });

    test("a renewal on request reaches the server once, however many ask for it", async ({ visit }) => {
      const tab = await visit(one);
      await tab.signIn();
      const before = tab.renewals();
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      expect(tab.renewals()).toBe(before + 1);
      const many = await tab.attempt(
        "() => Promise.all(Array.from({ length: 50 }, async () => (await auth.refresh()).status))",
      );
      expect(many.value).toEqual(Array(50).fill("authenticated"));
      expect(tab.renewals()).toBe(before + 2);
      expect(await tab.call()).toEqual([200]);
    });

    test(`a second tab ${one.shared ? "follows the sign-in" : "keeps to itself"}`, async ({ visit }) => {
      const first = await visit(one);
      const second = await visit(one);
      await first.signIn();
      if (one.shared) {
        await second.becomes({ status: "authenticated", user: { sub: "user-1001" } });
        expect(await second.events("signedIn")).toMatchObject([{ origin: "other-tab" }]);
        expect(await second.call()).toEqual([200]);
      }
      const third = await visit(one);
      const startsSignedIn = one.shared || one.refreshCookie;
      expect(await third.state()).toMatchObject({ status: startsSignedIn ? "authenticated" : "unauthenticated" });
      if (!one.shared) expect(await second.state()).toMatchObject({ status: "unauthenticated", reason: "never" });
    });

    test("signing out in one tab signs the other one out", async ({ visit }) => {
      const first = await visit(one);
      await first.signIn();
      const second = await visit(one);
      if (!one.shared && !one.refreshCookie) await second.signIn(ALICE, { known: true });
      await second.becomes({ status: "authenticated" });
      expect(await first.logout()).toEqual({});
      expect(await first.state()).toMatchObject({ status: "unauthenticated", reason: "logged_out" });
      await second.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
      expect(await second.events("signedOut")).toMatchObject([{ reason: "logged_out_elsewhere", origin: "other-tab" }]);
      expect(await second.call()).toEqual([one.kind === "session" ? 401 : "login_required"]);
      expect((await first.reload()).state).toMatchObject({ status: "unauthenticated" });
      await second.signIn(ALICE, { known: one.kind === "oidc" });
      expect(await second.call()).toEqual([200]);
    });

    test("a wrong password is told as such, and the right one then works", async ({ visit }) => {
      const tab = await visit(one);
      if (one.kind === "oidc") {
        await tab.leave();
        await tab.typePassword({ ...ALICE, password: "wrong" });
        await expect(tab.page.getByRole("alert")).toContainText("do not match");
        await tab.typePassword(ALICE);
        expect((await tab.started()).state).toMatchObject({ status: "authenticated" });
        return;
      }
      const { error } = await tab.signIn({ ...ALICE, password: "wrong" });
      expect(error).toMatchObject({ code: "credentials_rejected", recovery: "login", retryable: false, status: 401 });
      expect(JSON.stringify(error)).not.toContain("wrong");
      expect(await tab.state()).toMatchObject({
        status: "unauthenticated",
        reason: "never",
        error: { code: "credentials_rejected" },
      });
      expect(await tab.signIn()).toMatchObject({ value: { user: { name: ALICE.name } } });
    });
  });
}

for (const one of tokenCases) {
  test.describe(one.name, () => {
    test("a call on an expired token renews it first; so do 50 calls, and 1,000", async ({ visit, servers, clock }) => {
      // Long enough that a thousand calls end before the token that they share does, on a slow machine, too.
      for (const { lifetimes } of [servers.provider, servers.firstParty]) lifetimes.accessTokenSeconds = 590;
      const tab = await visit(one);
      await tab.signIn();
      for (const count of [1, 50, 1000]) {
        await clock.letPass(600);
        const before = tab.renewals();
        expect(await tab.call(count)).toEqual(Array(count).fill(200));
        expect(tab.renewals()).toBe(before + 1);
      }
    });

    test("F60 a token that the API refuses is renewed once, and each of 200 calls is sent once more", async ({
      visit,
      servers,
    }) => {
      const tab = await visit(one);
      await tab.signIn();
      expect(await tab.call()).toEqual([200]);
      const before = tab.renewals();
      servers.api.denySeenTokens();
      expect(await tab.call(200)).toEqual(Array(200).fill(200));
      expect(tab.renewals()).toBe(before + 1);
    });
  });
}
