// Session mode: the server decides, and the page notices. CSRF protection that is wrong is told as such.
import { byName, sessionCases } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE, BOB } from "./support/tab.mjs";

for (const one of sessionCases) {
  test.describe(one.name, () => {
    test("requests that change something carry the proof, and those to other origins do not", async ({
      visit,
      recorder,
    }) => {
      const tab = await visit(one);
      await tab.signIn();
      const post = `async (address) => (await auth.fetch(address, {
        method: "POST", headers: { "content-type": "application/json" }, body: '{"note":1}' })).status`;
      expect(await tab.attempt(post, tab.resource)).toEqual({ value: 200 });
      expect(await tab.attempt(post, `${recorder.origin}/elsewhere`)).toEqual({ value: 200 });
      expect(recorder.requests).toHaveLength(1);
      expect(Object.keys(recorder.requests[0].headers)).not.toContain("x-csrf-token");
      expect(Object.keys(recorder.requests[0].headers)).not.toContain("x-requested-with");
    });

    test("a proof that the server refuses is a typed error, and the right one works afterwards", async ({
      visit,
      servers,
    }) => {
      const { csrf } = servers.config.session.find(({ kind }) => kind === one.csrf);
      const wrong = one.csrf === "static-header" ? { ...csrf, value: "wrong" } : { ...csrf, headerName: "x-wrong" };
      const failures = servers.session.stats.csrfFailures;
      const tab = await visit(one, { options: { csrf: wrong } });
      const { error } = await tab.signIn();
      expect(error).toMatchObject({ code: "csrf_rejected", phase: "login", status: 403 });
      expect(error.hint).toContain("csrf");
      expect(servers.session.stats.csrfFailures).toBeGreaterThan(failures);
      expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code: "csrf_rejected" } });
      const right = await visit(one);
      expect(await right.signIn()).toMatchObject({ value: { user: { name: ALICE.name } } });
    });

    test("a session that ended at the server is noticed by the next call", async ({ visit, servers, clock }) => {
      const tab = await visit(one);
      const other = await visit(one);
      await tab.signIn();
      await other.becomes({ status: "authenticated" });
      await servers.session.destroyAllSessions();
      // What the server said a moment ago is not asked again at once.
      await clock.letPass(15);
      expect(await tab.call()).toEqual([401]);
      await tab.becomes({ status: "unauthenticated", reason: "expired" });
      await other.becomes({ status: "unauthenticated", reason: "expired" });
      expect(await tab.events("signedOut")).toMatchObject([{ reason: "expired", origin: "server" }]);
      expect(await tab.signIn()).toMatchObject({ value: { user: { name: ALICE.name } } });
    });
  });
}

const one = byName("session, double-submit");

test("a session that nobody extends ends on the page, too, without a call", async ({ visit, servers, clock }) => {
  const tab = await visit(one);
  await tab.signIn();
  const { session } = await tab.state();
  expect(session.expiresAt).toBeGreaterThan(session.issuedAt);
  servers.session.clock.advance(servers.session.lifetimes.idleSeconds + 5);
  await clock.letPass(125);
  await tab.becomes({ status: "unauthenticated", reason: "expired" });
});

test("an extension moves the end, up to the absolute one, in both tabs", async ({ visit, servers }) => {
  const [first, second] = [await visit(one), await visit(one)];
  await first.signIn();
  await second.becomes({ status: "authenticated" });
  const { session: before } = await first.state();
  servers.session.clock.advance(60);
  const { value: after } = await first.attempt("() => auth.extendSession()");
  expect(after.expiresAt).toBeGreaterThan(before.expiresAt);
  expect(after.absoluteExpiresAt).toBe(before.absoluteExpiresAt);
  expect(await second.attempt("() => auth.checkSession()")).toMatchObject({ value: { expiresAt: after.expiresAt } });
});

test("a session is gone when it is asked for: no session, and no error", async ({ visit, servers }) => {
  const tab = await visit(one);
  await tab.signIn();
  await servers.session.destroyAllSessions();
  expect(await tab.attempt("() => auth.checkSession()")).toEqual({ value: null });
  expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "expired" });
});

test("another user who signs in in another tab is told as a change of user", async ({ visit }) => {
  const [first, second] = [await visit(one), await visit(one)];
  await first.signIn(ALICE);
  await second.becomes({ status: "authenticated", user: { name: ALICE.name } });
  await second.signIn(BOB);
  await first.becomes({ status: "authenticated", user: { name: BOB.name } });
  expect(await first.events("userChanged")).toMatchObject([
    { previous: { name: ALICE.name }, current: { name: BOB.name } },
  ]);
});

test("signing out at the server ends the session there", async ({ visit, servers }) => {
  const tab = await visit(one);
  await tab.signIn();
  const before = servers.session.stats.logouts;
  expect(await tab.logout("provider")).toEqual({});
  expect(servers.session.stats.logouts).toBe(before + 1);
  expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
  expect(await tab.call()).toEqual([401]);
});

test("the cookie of the session is out of reach for script", async ({ visit, context }) => {
  const tab = await visit(one);
  await tab.signIn();
  const cookies = (await context.cookies()).filter(({ name }) => name.startsWith("authsafe"));
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: "Lax" }]);
  expect(await tab.page.evaluate(() => document.cookie)).not.toContain(cookies[0].value);
});
