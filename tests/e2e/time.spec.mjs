// What a page shows that comes back from the back-forward cache, and who renews while nobody looks. Playwright switches that
// cache off, so this browser is started without its wish.
import config from "./playwright.config.mjs";
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const launchOptions = { ...config.use.launchOptions, ignoreDefaultArgs: ["--disable-back-forward-cache"] };
test.use({ launchOptions });

/** The client is in the worker, in the page with a medium that all tabs see, and in the page of a session server. */
const CASES = [
  { name: "token by OpenID, indexedDB", isolation: "worker" },
  { name: "token by OpenID, memory", isolation: "worker" },
  { name: "token by OpenID, localStorage", isolation: "page" },
  { name: "session, double-submit", isolation: "page" },
];

/** Keeps what the page shows from here on; `frames` are what it showed when the browser drew it after it came back. */
async function watch(page) {
  await page.evaluate(() => {
    window.kept = { states: [], frames: [] };
    window.auth.subscribe(({ status }) => window.kept.states.push(status));
    window.addEventListener("pageshow", ({ persisted }) => {
      if (persisted) requestAnimationFrame(() => window.kept.frames.push(window.auth.getState().status));
    });
  });
}

/** Leaves for another document of this origin. */
async function leave(page) {
  await page.evaluate(() => (window.location.href = "/bare/elsewhere"));
  await page.waitForURL("**/elsewhere");
}

/** Presses Back. What the page kept, if it is the same as before; why it is not, otherwise. */
async function comeBack(page) {
  await page.goBack({ waitUntil: "commit" });
  // A page out of the cache is not loaded, so nothing waits for that here.
  const ready = () =>
    location.pathname === "/bare/" && (window.kept ? window.kept.frames.length > 0 : !!window.started);
  await expect.poll(() => page.evaluate(ready).catch(() => false)).toBe(true);
  return page.evaluate(() => {
    const [{ notRestoredReasons }] = performance.getEntriesByType("navigation");
    return { kept: window.kept, reasons: notRestoredReasons?.reasons.map(({ reason }) => reason) };
  });
}

for (const { name, isolation } of CASES) {
  test(`f39: a page comes back from the back-forward cache with whoever is still signed in (${name})`, async ({
    visit,
  }) => {
    const tab = await visit(byName(name));
    await tab.signIn();
    expect(await tab.page.evaluate(() => window.auth.isolation)).toBe(isolation);
    await watch(tab.page);
    await leave(tab.page);
    const { kept } = await comeBack(tab.page);
    expect(kept, "it was in the cache").toBeTruthy();
    await tab.becomes({ status: "authenticated" });
    const { states } = await tab.page.evaluate(() => window.kept);
    expect(states).toEqual(["initializing", "authenticated"]);
    expect(await tab.call()).toEqual([200]);
  });

  test(`f39: after a sign-out in another tab, Back shows nobody (${name})`, async ({ visit }) => {
    const tab = await visit(byName(name));
    await tab.signIn();
    await watch(tab.page);
    await leave(tab.page);
    const other = await visit(byName(name));
    if ((await other.state()).status !== "authenticated") await other.signIn(undefined, { known: true });
    await other.logout();
    const { kept, reasons } = await comeBack(tab.page);
    await tab.becomes({ status: "unauthenticated" });
    if (kept) {
      expect(kept.frames).not.toContain("authenticated");
      const { states } = await tab.page.evaluate(() => window.kept);
      expect(states).toEqual(["initializing", "unauthenticated"]);
    } else {
      // What the other tab said took the page out of the cache, so it was loaded anew.
      expect(reasons).toContain("broadcastchannel-message");
      expect(await tab.page.evaluate(() => window.record.states.map(({ status }) => status))).not.toContain(
        "authenticated",
      );
    }
    expect(await tab.call()).toEqual(name.startsWith("session") ? [401] : ["login_required"]);
  });
}

/** What the browser does to a tab that another one covers. */
async function cover(page, covered) {
  await page.evaluate(
    (state) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => state });
      document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
    },
    covered ? "hidden" : "visible",
  );
}

for (const { name } of CASES.filter((one) => /indexedDB|localStorage/.test(one.name))) {
  test(`a hidden tab leaves the renewal to a visible one, and renews where there is none (${name})`, async ({
    clock,
    visit,
    servers,
  }) => {
    servers.provider.lifetimes.accessTokenSeconds = 600;
    const options = { refresh: { proactive: true } };
    const hidden = await visit(byName(name), { options });
    await hidden.signIn();
    const visible = await visit(byName(name), { options });
    await cover(hidden.page, true);
    const before = hidden.renewals();
    // A tenth of the lifetime before the end, or up to a tenth of that earlier.
    await clock.letPass(540);
    await expect.poll(() => hidden.renewals()).toBe(before + 1);
    await expect.poll(() => hidden.events("refreshed")).toMatchObject([{ by: "other-tab" }]);
    expect(await visible.events("refreshed")).toMatchObject([{ by: "this-tab" }]);
    await visible.close();
    await clock.letPass(570);
    await expect.poll(() => hidden.events("refreshed")).toMatchObject([{ by: "other-tab" }, { by: "this-tab" }]);
    expect(hidden.renewals()).toBe(before + 2);
  });
}
