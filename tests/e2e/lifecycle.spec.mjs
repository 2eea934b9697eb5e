// What a browser does to its tabs, done by the browser: tabs that are hidden, frozen and loaded ahead of their user, machines and
// networks that are slow. The other faults of browsers are in `faults-browser.spec.mjs`.
import { byName, optionsOf } from "./support/cases.mjs";
import { startRaw, startRealTabs } from "./support/chromium.mjs";
import { test as base, expect } from "./support/fixtures.mjs";
import { overtaken } from "./support/overtaken.mjs";
import { meetRenewal } from "./support/renewals.mjs";

const oidc = byName("token by OpenID, memory");
const password = byName("token by password, memory");
// Where a test moves the clock, it runs ahead of the API's, which would judge the dates of proofs by its own: bearer tokens.
const stored = { storage: "indexedDB", isolation: "required", id: "lifecycle", dpop: "never" };
const isolations = ["required", "page"];
const fresh = { status: "authenticated", freshness: "fresh" };
const graceful = 3600;

const test = base.extend({
  context: async ({ playwright }, use) => {
    const { context, close } = await startRealTabs(playwright);
    await use(context);
    await close();
  },
});

/** Has the browser freeze a tab, which it does to hidden ones only; what this gives lets it go on. */
async function freeze({ page }) {
  await page.evaluate(() => {
    window.frozen = false;
    document.addEventListener("freeze", () => (window.frozen = true));
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await expect.poll(() => page.evaluate(() => window.frozen)).toBe(true);
  return () => devtools.send("Page.setWebLifecycleState", { state: "active" });
}

/** Two tabs with one session, the first of which is hidden behind the second. */
async function twoTabs(visit, options) {
  const hidden = await visit(oidc, { options });
  await hidden.signIn();
  const shown = await visit(oidc, { options });
  await shown.page.bringToFront();
  const visibility = ({ page }) => page.evaluate(() => document.visibilityState);
  await expect.poll(() => Promise.all([hidden, shown].map(visibility))).toEqual(["hidden", "visible"]);
  return [hidden, shown];
}

const tokenOf = (tab) => tab.attempt("() => auth.getAccessToken()");

for (const [moment, point, requests] of [
  ["before its request has left", "cut", 1],
  ["with the answer on its way", "answer", 2],
]) {
  test(`F35 F59 a tab that the browser freezes ${moment} is overtaken after its time, and what it does later changes nothing (required)`, async ({
    clock,
    context,
    invariants,
    servers,
    visit,
  }) => {
    if (requests > 1) invariants.breaks("I2 again", "what was answered to the frozen tab, the other cannot know");
    const [holder, other] = await twoTabs(visit, stored);
    const stop = () => freeze(holder);
    await overtaken({ clock, context, servers }, [holder, other], { point, requests, stop });
  });
}

test("F35 F59 a page that the browser freezes in a renewal is overtaken in the time that it takes, and goes on with what the other has (page)", async ({
  context,
  invariants,
  servers,
  visit,
}) => {
  invariants.breaks("I2 again", "what was answered to the frozen page, the other cannot know");
  const [holder, other] = await twoTabs(visit, { ...stored, isolation: "page", exposeAccessToken: true });
  servers.provider.lifetimes.reuseGraceSeconds = graceful;
  const earlier = holder.renewals();
  let thaw;
  const { met } = await meetRenewal("answer", { context, servers }, async () => (thaw = await freeze(holder)));
  const late = holder.refresh();
  await met;
  // It waits for what it means: the clock of a test would move the timers of a frozen page, too.
  expect(await other.refresh()).toEqual({ value: "authenticated" });
  const token = await tokenOf(other);
  await thaw();
  await late;
  await holder.becomes(fresh);
  expect(await tokenOf(holder)).toEqual(token);
  expect(holder.renewals() - earlier).toBe(2);
});

for (const isolation of isolations) {
  test(`F59 a tab that the browser froze while others renewed and signed out knows it when it goes on (${isolation})`, async ({
    servers,
    visit,
  }) => {
    const options = { ...stored, isolation, exposeAccessToken: isolation === "page" };
    const [sleeper, other] = await twoTabs(visit, options);
    const { revokedGrants } = servers.provider.stats;
    let thaw = await freeze(sleeper);
    for (let time = 0; time < 2; time++) expect(await other.refresh()).toEqual({ value: "authenticated" });
    await thaw();
    expect(await sleeper.call()).toEqual([200]);
    expect(await sleeper.refresh()).toEqual({ value: "authenticated" });
    if (isolation === "page") await expect.poll(() => tokenOf(other)).toEqual(await tokenOf(sleeper));
    expect(servers.provider.stats.revokedGrants).toBe(revokedGrants);

    thaw = await freeze(sleeper);
    expect(await other.logout()).toEqual({});
    await thaw();
    await sleeper.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
    expect(await sleeper.call()).toEqual(["login_required"]);
  });

  test(`a hidden tab leaves the renewal to a visible one, and renews where there is none (${isolation})`, async ({
    clock,
    context,
    servers,
    visit,
  }) => {
    servers.provider.lifetimes.accessTokenSeconds = 600;
    const options = { ...stored, isolation, refresh: { proactive: true } };
    const [hidden, visible] = await twoTabs(visit, options);
    const before = hidden.renewals();
    // A tenth of the lifetime before the end, or up to a tenth of that earlier.
    await clock.letPass(540);
    await expect.poll(() => hidden.renewals()).toBe(before + 1);
    await expect.poll(() => hidden.events("refreshed")).toMatchObject([{ by: "other-tab" }]);
    expect(await visible.events("refreshed")).toMatchObject([{ by: "this-tab" }]);
    // A tab of something else covers it from now on.
    await (await context.newPage()).bringToFront();
    await visible.close();
    expect(await hidden.page.evaluate(() => document.visibilityState)).toBe("hidden");
    await clock.letPass(570);
    await expect.poll(() => hidden.events("refreshed")).toMatchObject([{ by: "other-tab" }, { by: "this-tab" }]);
    expect(hidden.renewals()).toBe(before + 2);
  });

  test(`F59 a page that the browser loads ahead of its user asks for nothing until it is shown (${isolation})`, async ({
    servers,
  }) => {
    servers.firstParty.lifetimes.accessTokenSeconds = 2;
    const { config } = servers;
    const { stats } = servers.firstParty;
    const options = { ...optionsOf(password, config), ...stored, isolation };
    const ahead = { ...options, refresh: { proactive: true } };
    const browser = await startRaw();
    try {
      const script = `window.authOptions = document.prerendering ? ${JSON.stringify(ahead)} : ${JSON.stringify(options)};`;
      const { page } = await browser.open(`${config.pageUrl}/bare/`, script);
      const first = page("shown");
      await expect.poll(() => first.evaluate(() => window.started !== undefined)).toBe(true);
      await first.evaluate(() => window.auth.login({ via: "password", username: "alice", password: "wonderland" }));
      const ended = () => window.auth.getState().session.expiresAt < Date.now() / 1000;
      await expect.poll(() => first.evaluate(ended)).toBe(true);
      const { refreshes } = stats;
      await first.evaluate((url) => {
        const rules = document.createElement("script");
        rules.type = "speculationrules";
        rules.textContent = JSON.stringify({ prerender: [{ source: "list", urls: [url] }] });
        document.head.append(rules);
      }, `${config.pageUrl}/bare/?ahead`);
      await expect.poll(() => page("prerender") !== undefined).toBe(true);
      const second = page("prerender");
      await expect.poll(() => second.evaluate(() => window.auth !== undefined)).toBe(true);
      // A whole turn to the server and back, in which what it had to ask would have been asked.
      await second.evaluate(async () => (await fetch("/config.json")).text());
      expect(await second.evaluate(() => [document.prerendering, window.auth.getState()])).toEqual([
        true,
        { status: "initializing" },
      ]);
      expect(stats.refreshes).toBe(refreshes);

      servers.firstParty.lifetimes.accessTokenSeconds = 120;
      await first.evaluate((url) => void (location.href = url), `${config.pageUrl}/bare/?ahead`);
      await expect.poll(() => second.evaluate(() => window.started !== undefined)).toBe(true);
      const [entry] = await second.evaluate(() =>
        performance.getEntriesByType("navigation").map((one) => one.toJSON()),
      );
      expect(entry.activationStart).toBeGreaterThan(0);
      await expect.poll(() => second.evaluate(() => window.auth.getState())).toMatchObject(fresh);
      expect(
        await second.evaluate(async (url) => (await window.auth.fetch(url)).status, `${config.apiUrl}/api/hello`),
      ).toBe(200);
      expect(stats.refreshes).toBe(refreshes + 1);
    } finally {
      await browser.close();
    }
  });
}

/** Slows down or cuts what a tab has. The network of a page is that of its worker, too; its processor is not. */
async function toolsOf({ page }) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  return {
    slowDown: (rate) => devtools.send("Emulation.setCPUThrottlingRate", { rate }),
    network(conditions) {
      const usual = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
      return devtools.send("Network.emulateNetworkConditions", { ...usual, ...conditions });
    },
  };
}

for (const isolation of isolations) {
  /** Tabs with one session, and the protocol of each. */
  const throttled = async (visit, count) => {
    const options = { ...stored, isolation };
    const tabs = [await visit(oidc, { options })];
    await tabs[0].signIn();
    while (tabs.length < count) tabs.push(await visit(oidc, { options }));
    for (const { page } of tabs) expect(page.workers()).toHaveLength(isolation === "required" ? 1 : 0);
    return { tabs, tools: await Promise.all(tabs.map(toolsOf)) };
  };

  test(`F33 tabs on a slow machine and a slow network renew once for all (${isolation})`, async ({ clock, visit }) => {
    const { tabs, tools } = await throttled(visit, 4);
    await clock.letPass(600);
    const before = tabs[0].renewals();
    for (const each of tools) {
      await each.slowDown(6);
      await each.network({ latency: 400, downloadThroughput: 20_000, uploadThroughput: 10_000 });
    }
    expect(await Promise.all(tabs.map((tab) => tab.call(3)))).toEqual(tabs.map(() => [200, 200, 200]));
    expect(tabs[0].renewals() - before).toBe(1);
    for (const each of tools) {
      await each.slowDown(1);
      await each.network({});
    }
    for (const tab of tabs) {
      await tab.becomes(fresh);
      expect(await tab.events("refreshFailed")).toEqual([]);
    }
  });

  test(`F45 F46 tabs whose network is cut renew once when it is back, though the browser calls itself online (${isolation})`, async ({
    clock,
    visit,
  }) => {
    const { tabs, tools } = await throttled(visit, 3);
    await clock.letPass(600);
    const before = tabs[0].renewals();
    for (const each of tools) await each.network({ offline: true });
    expect(await Promise.all(tabs.map((tab) => tab.call()))).toEqual(tabs.map(() => ["network_or_cors"]));
    expect(tabs[0].renewals() - before).toBe(0);
    for (const each of tools) await each.network({});
    // Between two attempts a client waits a moment; a call in between fails for the reason that is known.
    await expect.poll(() => Promise.all(tabs.map((tab) => tab.call()))).toEqual(tabs.map(() => [200]));
    expect(tabs[0].renewals() - before).toBe(1);
    for (const tab of tabs) expect(await tab.events("signedOut")).toEqual([]);
  });
}
