// A user who goes away: real input, and time that passes at once.
import { byName } from "./support/cases.mjs";
import { test as base, expect } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

const TIMEOUT = 600;

/** Proofs would be dated by the clock of the page, which runs ahead of the API's. */
const optionsOf = (one, onTimeout) => ({
  idle: { timeoutSeconds: TIMEOUT, warnSeconds: 60, onTimeout },
  ...(one.kind === "oidc" && { dpop: "never" }),
});

/** Time, for the pages and for the server that keeps a session. */
const test = base.extend({
  clock: async ({ clock, servers }, use) => {
    await use({
      async letPass(seconds) {
        servers.session.clock.advance(seconds);
        await clock.letPass(seconds);
      },
    });
  },
});

/** Where the core runs, and who keeps the session. */
const kinds = [
  { name: "tokens in the worker", one: byName("token by OpenID, memory"), stored: false },
  { name: "tokens in the page", one: byName("token by OpenID, localStorage"), stored: true },
  { name: "a server session", one: byName("session, double-submit"), stored: true },
];

/** What a person does, each once. */
const acts = {
  "a key": ({ page }) => page.keyboard.press("Shift"),
  "a click": ({ page }) => page.mouse.click(40, 40),
  "a pointer that moves": async ({ page }) => {
    await page.mouse.move(100, 100);
    await page.mouse.move(160, 140);
  },
  "a wheel": ({ page }) => page.mouse.wheel(0, 120),
};

const act = acts["a key"];

test.beforeEach(({ servers }) => {
  for (const { lifetimes } of [servers.provider, servers.firstParty]) lifetimes.accessTokenSeconds = 86_000;
  Object.assign(servers.session.lifetimes, { idleSeconds: 86_000, absoluteSeconds: 86_000 });
});

for (const { name, one, stored } of kinds) {
  test(`a user who goes away is counted down, and then signed out everywhere (${name})`, async ({
    context,
    visit,
    clock,
  }) => {
    const revoked = [];
    context.on("request", (request) => request.url().endsWith("/revocation") && revoked.push(request.url()));
    const tab = await visit(one, { options: optionsOf(one, "logout") });
    await tab.signIn();
    expect(await tab.call()).toEqual([200]);
    expect((await tab.state()).session.idleExpiresAt).toBeGreaterThan(0);
    await clock.letPass(TIMEOUT - 50);
    await expect.poll(async () => (await tab.events("idleWarning")).length).toBeGreaterThan(0);
    const [{ secondsLeft }] = await tab.events("idleWarning");
    expect(secondsLeft).toBeLessThanOrEqual(60);
    expect(await tab.state()).toMatchObject({ status: "authenticated" });
    await clock.letPass(60);
    await tab.becomes({ status: "unauthenticated", reason: "idle" });
    expect(await tab.events("signedOut")).toMatchObject([{ reason: "idle", origin: "this-tab" }]);
    expect(tab.page.url()).toBe(tab.address);
    const refused = one.kind === "session" ? 401 : "session_expired";
    await expect.poll(() => tab.call()).toEqual([refused]);
    if (one.kind === "oidc") expect(revoked.length).toBeGreaterThan(0);
    expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
  });

  test(`only what a person does moves the clock (${name})`, async ({ visit, clock }) => {
    const tab = await visit(one, { options: optionsOf(one, "logout") });
    await tab.signIn();
    for (const [what, does] of Object.entries(acts)) {
      await clock.letPass(TIMEOUT - 100);
      await does(tab);
      // What was done is noted before the next while passes.
      await expect.poll(() => left(tab), { message: what }).toBeGreaterThan(TIMEOUT - 100);
    }
    await clock.letPass(TIMEOUT - 100);
    await tab.page.evaluate(() => {
      for (const type of ["pointerdown", "keydown", "wheel", "touchmove", "visibilitychange", "mousemove"]) {
        window.dispatchEvent(new Event(type, { bubbles: true }));
        document.dispatchEvent(new Event(type, { bubbles: true }));
      }
      window.dispatchEvent(new PointerEvent("pointermove", { movementX: 9 }));
      window.scrollBy(0, 10);
    });
    expect(await tab.call()).toEqual([200]);
    if (one.kind !== "session") await tab.refresh();
    await clock.letPass(105);
    await tab.becomes({ status: "unauthenticated", reason: "idle" });
  });

  test(`what is done in one tab counts in the other (${name})`, async ({ visit, clock }) => {
    const options = optionsOf(one, "logout");
    const first = await visit(one, { options });
    await first.signIn();
    const second = await visit(one, { options });
    if (!stored) await second.signIn(ALICE, { known: true });
    await second.becomes({ status: "authenticated" });
    for (let round = 0; round < 3; round++) {
      await clock.letPass(TIMEOUT - 100);
      await first.page.bringToFront();
      await act(first);
      await expect.poll(() => left(second)).toBeGreaterThan(TIMEOUT - 100);
    }
    await clock.letPass(TIMEOUT + 5);
    for (const tab of [first, second]) await tab.becomes({ status: "unauthenticated", reason: "idle" });
  });

  test(`a device that slept wakes up to nobody, whatever is done first (${name})`, async ({ visit, clock }) => {
    const tab = await visit(one, { options: optionsOf(one, "logout") });
    await tab.signIn();
    await clock.letPass(9 * 3600);
    await act(tab);
    expect(await tab.call()).not.toEqual([200]);
    await tab.becomes({ status: "unauthenticated", reason: "idle" });
  });

  test(`a locked page shows whose it is and hands nothing out until that user is back (${name})`, async ({
    visit,
    clock,
  }) => {
    const tab = await visit(one, { options: optionsOf(one, "lock") });
    await tab.signIn();
    await clock.letPass(TIMEOUT + 5);
    await tab.becomes({ status: "locked", user: { name: ALICE.name } });
    await act(tab);
    expect(await tab.call()).toEqual(["session_locked"]);
    expect(await tab.attempt("() => auth.refresh()")).toMatchObject({ error: { code: "session_locked" } });
    if (stored) {
      const { state } = await tab.reload();
      expect(state).toMatchObject({ status: "locked", user: { name: ALICE.name } });
      expect(await tab.call()).toEqual(["session_locked"]);
    }
    await tab.signIn(ALICE, { known: one.kind === "oidc" });
    await tab.becomes({ status: "authenticated" });
    expect(await tab.call()).toEqual([200]);
  });

  if (stored) {
    test(`a page that was left alone begins with nobody, and says why (${name})`, async ({ visit, clock, servers }) => {
      const { stats } = servers.provider;
      const { revokedGrants } = stats;
      const tab = await visit(one, { options: optionsOf(one, "logout") });
      await tab.signIn();
      const { page, address } = tab;
      // Who leaves before that is kept, nobody knows to have been there.
      await expect.poll(() => page.evaluate(isNoted)).toBe(true);
      await page.goto("about:blank");
      await clock.letPass(TIMEOUT + 5);
      const { state } = await tab.open(address);
      expect(state).toMatchObject({ status: "unauthenticated", reason: "idle" });
      // Revoking the old tokens would take a new sign-in along that this provider counts to the same grant.
      if (one.kind === "oidc") await expect.poll(() => stats.revokedGrants).toBeGreaterThan(revokedGrants);
      // At the provider, the user has not signed out.
      await tab.signIn(ALICE, { known: one.kind === "oidc" });
      await tab.becomes({ status: "authenticated" });
    });
  }
}

/** Whether it is kept that the user was there. Runs in the page. */
async function isNoted() {
  const settled = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const known = await indexedDB.databases();
  if (!known.some(({ name }) => name === "authsafe")) return false;
  const database = await settled(indexedDB.open("authsafe"));
  const keys = await settled(database.transaction("texts").objectStore("texts").getAllKeys());
  database.close();
  return keys.some((key) => key.endsWith(".active"));
}

/** Seconds until the time is up, by the clock of the page. */
function left({ page }) {
  return page.evaluate(() => {
    const { session } = auth.getState();
    return session ? session.idleExpiresAt - session.clockSkew - Date.now() / 1000 : 0;
  });
}

test("a sign-in is told when it is kept that somebody was there, so that a page that is left at once is not forgotten", async ({
  visit,
}) => {
  // What is written of the activity stays on its way until the test lets it go.
  const before = (page) =>
    page.addInitScript(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (...given) {
        const request = put.apply(this, given);
        if (!String(given[1]).endsWith(".active")) return request;
        window.held = true;
        const busy = () => window.letGo || (this.get("nothing").onsuccess = busy);
        busy();
        return request;
      };
    });
  const one = byName("session, double-submit");
  const tab = await visit(one, { options: optionsOf(one, "logout"), before });
  const signedIn = tab.signIn();
  await tab.page.waitForFunction(() => window.held);
  const settled = await tab.page.evaluate(async () => {
    // A whole turn to the server and back, in which it would have been told.
    await (await fetch("/config.json")).text();
    return Object.keys(window.pending).length === 0;
  });
  await tab.page.evaluate(() => (window.letGo = true));
  await signedIn;
  expect(settled).toBe(false);
});
