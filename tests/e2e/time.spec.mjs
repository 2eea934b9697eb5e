// What a page shows that comes back from the back-forward cache. Playwright switches that cache off, so this browser is started
// without its wish.
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
  test(`F39 a page comes back from the back-forward cache with whoever is still signed in (${name})`, async ({
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

  test(`F39 after a sign-out in another tab, Back shows nobody (${name})`, async ({ visit }) => {
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
