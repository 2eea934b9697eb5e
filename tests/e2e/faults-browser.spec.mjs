// Faults that are the browser's own, each under its number: tabs that die or freeze in the middle of a renewal, storage that is
// cleared or does not answer, APIs that are missing, networks that are gone when the page starts.
import { byName } from "./support/cases.mjs";
import { kill } from "./support/crowd.mjs";
import { environment, hang, realmOf } from "./support/environment.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { overtaken } from "./support/overtaken.mjs";
import { meetRenewal } from "./support/renewals.mjs";
import { trapping } from "./support/trapping.mjs";

const oidc = byName("token by OpenID, memory");
const password = byName("token by password, memory");
// Where a test moves the clock, it runs ahead of the API's, which would judge the dates of proofs by its own: bearer tokens.
const stored = { storage: "indexedDB", isolation: "required", id: "faults", dpop: "never" };
const isolations = ["required", "page"];
const fresh = { status: "authenticated", freshness: "fresh" };

const tokenEndpoint = ({ config }) => `${config.issuer}/token`;
const devtoolsOf = ({ page }) => page.context().newCDPSession(page);

/** Signs the first of two tabs in; the second comes later, and is signed in from its beginning. */
async function twoTabs(visit, options = stored, before = undefined) {
  const first = await visit(oidc, { options, before });
  await first.signIn();
  return [first, await visit(oidc, { options, before })];
}

for (const isolation of isolations) {
  test(`F30 a database that never answers leaves the session in memory, and that is told (${isolation})`, async ({
    visit,
  }) => {
    const before = environment("silent-database.js", "worker-with-silent-database.js");
    const tab = await visit(password, { options: { ...stored, isolation }, before });
    await tab.signIn();
    expect(await tab.state()).toMatchObject(fresh);
    expect(await tab.events("storageDegraded")).toMatchObject([{ wanted: "indexedDB", using: "memory" }]);
    expect(await tab.call()).toEqual([200]);
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.call()).toEqual([200]);
    expect(await tab.events("storageDegraded")).toHaveLength(1);
  });

  test(`F30 a tab that keeps an older database open costs persistence until it is closed, and no session (${isolation})`, async ({
    context,
    servers,
    visit,
  }) => {
    const older = await context.newPage();
    await older.goto(`${servers.config.pageUrl}/bare/`);
    await older.evaluate(
      () =>
        new Promise((resolve) => {
          const request = indexedDB.open("authsafe", 1);
          request.onsuccess = () => resolve((window.held = request.result).version);
        }),
    );
    const tab = await visit(password, { options: { ...stored, isolation } });
    await tab.signIn();
    expect(await tab.state()).toMatchObject(fresh);
    expect(await tab.events("storageDegraded")).toMatchObject([{ wanted: "indexedDB", using: "memory" }]);
    expect(await tab.call()).toEqual([200]);
    await older.close();
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect((await tab.reload()).state).toMatchObject(fresh);
    expect(await tab.call()).toEqual([200]);
  });
}

const clearings = {
  async "by the user"({ page }, origin) {
    const devtools = await devtoolsOf({ page });
    await devtools.send("Storage.clearDataForOrigin", { origin, storageTypes: "local_storage,indexeddb" });
  },
  async "by Clear-Site-Data"({ page }) {
    await page.evaluate(async () => (await fetch("/bare/clear/no-locks.js")).text());
  },
};
for (const [how, clear] of Object.entries(clearings)) {
  for (const storage of ["localStorage", "indexedDB"]) {
    test(`F32 storage that is cleared ${how} costs the running tabs nothing, and a reload ends cleanly (${storage})`, async ({
      servers,
      visit,
    }) => {
      const [first, second] = await twoTabs(visit, { ...stored, storage });
      const tabs = [first, second];
      await clear(first, servers.config.pageUrl);
      for (const tab of tabs) expect(await tab.call()).toEqual([200]);
      const before = first.renewals();
      expect(await first.refresh()).toEqual({ value: "authenticated" });
      expect(first.renewals() - before).toBe(1);
      // What was renewed is stored anew, and the other tab takes it over.
      expect(await second.refresh()).toEqual({ value: "authenticated" });
      for (const tab of tabs) expect(await tab.call()).toEqual([200]);
      expect((await first.reload()).state).toMatchObject(fresh);

      await clear(first, servers.config.pageUrl);
      const { state, error } = await second.reload();
      expect(error).toBeUndefined();
      expect(state).toMatchObject({ status: "unauthenticated" });
      expect(await first.call()).toEqual([200]);
    });
  }
}

for (const isolation of isolations) {
  test(`F38 without BroadcastChannel tabs renew once, and hear of a sign-out when they are looked at (${isolation})`, async ({
    clock,
    visit,
  }) => {
    const before = environment("no-channel.js", "worker-without-channel.js");
    const [first, second] = await twoTabs(visit, { ...stored, isolation }, before);
    await clock.letPass(600);
    const renewals = first.renewals();
    expect(await Promise.all([first.call(), second.call()])).toEqual([[200], [200]]);
    expect(first.renewals() - renewals).toBe(1);
    expect(await first.logout()).toEqual({});
    await second.page.evaluate(() => window.dispatchEvent(new Event("focus")));
    await second.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
    expect(await second.call()).toEqual(["login_required"]);
  });

  test(`F44 an answer of the token endpoint that script may not read keeps the session, and the hint names the cause (${isolation})`, async ({
    liar,
    recorder,
    visit,
  }) => {
    const oidcOptions = { issuer: liar.issuer, clientId: "client" };
    const tab = await visit(oidc, {
      options: { ...stored, isolation, oidc: oidcOptions, allowedOrigins: [recorder.origin] },
    });
    await tab.signIn(undefined, { known: true });
    liar.lies.token = (honest, { json }) => ({
      ...json({ error: "temporarily_unavailable" }, 503),
      headers: { "access-control-allow-origin": "http://elsewhere.example" },
    });
    const { error } = await tab.refresh();
    expect(error).toMatchObject({ code: "network_or_cors", retryable: true, recovery: "retry" });
    expect(error.hint).toMatch(/CORS/);
    expect(await tab.state()).toMatchObject({ status: "authenticated" });
    expect(await tab.call(1, `${recorder.origin}/x`)).toEqual([200]);
    delete liar.lies.token;
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.state()).toMatchObject(fresh);
  });

  for (const [token, seconds] of [
    ["a valid token", 0],
    ["an expired token", 600],
  ]) {
    test(`F45 a page that starts offline with ${token} shows who is signed in, and goes on when the network is back (${isolation})`, async ({
      clock,
      context,
      servers,
      visit,
    }) => {
      const options = { ...stored, isolation };
      const earlier = await visit(oidc, { options });
      await earlier.signIn();
      const renewals = earlier.renewals();
      await earlier.close();
      await clock.letPass(seconds);
      // What a page needs to start is in a cache where it works offline; here it is loaded before the network goes.
      const before = (page) => page.exposeFunction("beforeInit", () => context.setOffline(true));
      const tab = await visit(oidc, { options, before });
      expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: "Alice Liddell" } });
      expect(await tab.events("signedOut")).toEqual([]);
      expect(await tab.call()).toEqual([seconds ? "network_or_cors" : "TypeError"]);
      expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: seconds ? "offline" : "fresh" });
      await context.setOffline(false);
      await tab.becomes(fresh);
      expect(await tab.call()).toEqual([200]);
      expect(tab.renewals() - renewals).toBe(seconds ? 1 : 0);
    });
  }

  for (const [moment, point, grace, after] of [
    ["before it was sent", "request", 0, fresh],
    ["after it was sent, at a server with a time of grace", "answer", 3600, fresh],
    ["after it was sent, at a strict server", "answer", 0, { status: "unauthenticated", reason: "expired" }],
  ]) {
    test(`F58 a page that is left in the middle of a renewal, ${moment}, comes back ${after.freshness ? "signed in" : "cleanly signed out"} (${isolation})`, async ({
      context,
      invariants,
      servers,
      visit,
    }) => {
      if (point === "answer") invariants.breaks("I2 again", "what was answered to the page that is gone, nobody heard");
      const tab = await visit(oidc, { options: { ...stored, isolation } });
      await tab.signIn();
      servers.provider.lifetimes.reuseGraceSeconds = grace;
      const before = tab.renewals();
      const { met } = await meetRenewal(point, { context, servers }, () => tab.page.goto("about:blank"));
      await tab.page.evaluate(() => void window.auth.refresh().catch(() => {}));
      await met;
      expect((await tab.open()).state).toMatchObject({ status: "authenticated" });
      await tab.refresh();
      expect(await tab.state()).toMatchObject(after);
      expect(await tab.call()).toEqual([after.freshness ? 200 : "session_expired"]);
      expect(tab.renewals() - before).toBeLessThanOrEqual(2);
    });
  }

  // It hangs instead of being frozen, as in `lifecycle.spec.mjs`: the clock of a test would run the timers of a frozen page.
  test(`F59 a tab that stood still for hours renews once before it calls, and is signed out if another tab was meanwhile (${isolation})`, async ({
    clock,
    context,
    visit,
  }) => {
    const [first, second] = await twoTabs(visit, { ...stored, isolation });
    const standStill = async () => {
      const releases = [];
      for (const realm of new Set([realmOf(second), second.page])) releases.push(await hang(realm, context));
      return () => Promise.all(releases.map((release) => release()));
    };
    let thaw = await standStill();
    // What falls due meanwhile is done when the tab moves again.
    const passing = clock.letPass(9 * 3600);
    await thaw();
    await passing;
    const before = first.renewals();
    expect(await second.call()).toEqual([200]);
    expect(first.renewals() - before).toBe(1);

    thaw = await standStill();
    expect(await first.logout()).toEqual({});
    await thaw();
    await second.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
    expect(await second.call()).toEqual(["login_required"]);
  });

  test(`F61 an API that refuses every token costs one renewal a minute, and no session (${isolation})`, async ({
    clock,
    context,
    visit,
  }) => {
    const tab = await visit(oidc, { options: { ...stored, isolation } });
    await tab.signIn();
    let asked = 0;
    await context.route(tab.resource, (route) => {
      if (route.request().method() === "OPTIONS") return route.continue();
      asked += 1;
      const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "www-authenticate" };
      return route.fulfill({
        status: 401,
        headers: { ...headers, "www-authenticate": 'Bearer error="invalid_token"' },
      });
    });
    const before = tab.renewals();
    expect(await tab.call(20)).toEqual(Array(20).fill(401));
    expect(tab.renewals() - before).toBe(1);
    expect(await tab.call(20)).toEqual(Array(20).fill(401));
    expect(tab.renewals() - before).toBe(1);
    expect(asked).toBe(60);
    await clock.letPass(65);
    expect(await tab.call()).toEqual([401]);
    expect(tab.renewals() - before).toBe(2);
    expect(await tab.state()).toMatchObject(fresh);
  });

  test(`F62 an API that wants another nonce each time gets each request twice, and no storm (${isolation})`, async ({
    context,
    visit,
  }) => {
    const tab = await visit(oidc, { options: { ...stored, isolation, dpop: "auto" } });
    await tab.signIn();
    let asked = 0;
    await context.route(tab.resource, (route) => {
      if (route.request().method() === "OPTIONS") return route.continue();
      const headers = {
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "www-authenticate, dpop-nonce",
        "www-authenticate": 'DPoP error="use_dpop_nonce"',
        "dpop-nonce": `nonce-${(asked += 1)}`,
      };
      return route.fulfill({ status: 401, headers });
    });
    const before = tab.renewals();
    expect(await tab.call()).toEqual([401]);
    expect(asked).toBe(2);
    expect(tab.renewals() - before).toBe(0);
    expect(await tab.state()).toMatchObject(fresh);
  });
}

/** What IndexedDB holds of the session, sealed as it is. */
const storedText = ({ page }) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open("authsafe");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const request = opening.result.transaction("texts").objectStore("texts").get("authsafe.faults.session");
          request.onsuccess = () => resolve(JSON.stringify(request.result));
          request.onerror = () => reject(request.error);
          opening.result.close();
        };
      }),
  );

const strict = 0;
const graceful = 3600;
const lost = { status: "unauthenticated", reason: "expired" };

for (const [moment, point, grace, isolation, requests, after] of [
  ["before it sends the token", "request", strict, "required", 1, fresh],
  ["before it sends the token", "request", strict, "page", 1, fresh],
  ["after it sent the token, at a server with a time of grace", "answer", graceful, "required", 2, fresh],
  ["after it sent the token, at a strict server", "answer", strict, "required", 2, lost],
  ["with the answer in its hands, at a server with a time of grace", "sealing", graceful, "page", 2, fresh],
  ["with the answer in its hands, at a strict server", "sealing", strict, "required", 2, lost],
  ["in the middle of the commit, at a server with a time of grace", "writing", graceful, "required", 2, fresh],
  ["in the middle of the commit, at a strict server", "writing", strict, "page", 2, lost],
  ["after the commit, before it tells", "telling", strict, "required", 1, fresh],
  ["after the commit, before it tells", "telling", strict, "page", 1, fresh],
]) {
  const end = after === lost ? "ends the session once and cleanly" : "costs nobody the session";
  test(`F34 a tab that dies ${moment}, ${end} (${isolation})`, async ({
    clock,
    context,
    invariants,
    servers,
    visit,
  }) => {
    if (requests > 1) invariants.breaks("I2 again", "what was answered to the tab that died, no other tab knows");
    const before = environment("stops.js", "worker-with-stops.js");
    const [holder, other] = await twoTabs(visit, { ...stored, isolation }, before);
    const kept = await storedText(other);
    expect(kept).toBeTruthy();
    await clock.letPass(600);
    servers.provider.lifetimes.reuseGraceSeconds = grace;
    const { stats } = servers.provider;
    const { revokedGrants } = stats;
    const earlier = holder.renewals();
    const realm = realmOf(holder);
    const stopped =
      point === "request" || point === "answer"
        ? undefined
        : holder.page.waitForEvent("console", (message) => message.text() === `stopped at ${point}`);
    const waiting = [];
    const { met } = await meetRenewal(point === "request" ? point : "answer", { context, servers }, async () => {
      waiting.push(other.call());
      await other.becomes({ freshness: "refreshing" });
      if (stopped) await realm.evaluate((point) => (globalThis.stopAt = point), point);
      else await kill(holder);
    });
    void holder.call().catch(() => {});
    await met;
    await stopped;
    if (stopped) await kill(holder);

    expect(await waiting[0]).toEqual([after === lost ? "session_expired" : 200]);
    expect(await other.state()).toMatchObject(after);
    expect(await other.call(3)).toEqual(Array(3).fill(after === lost ? "session_expired" : 200));
    expect(other.renewals() - earlier).toBe(requests);
    expect(stats.revokedGrants - revokedGrants).toBe(after === lost ? 1 : 0);
    expect(await other.events("signedOut")).toHaveLength(after === lost ? 1 : 0);
    // Whoever is signed out is told first; a page that is left before the record is gone leaves it to the next one.
    if (after === lost) await expect.poll(() => storedText(other)).not.toBe(kept);
    expect((await other.reload()).state).toMatchObject({ status: after.status });
  });
}

for (const [moment, point, requests] of [
  ["before its request has left", "cut", 1],
  ["with the answer on its way", "answer", 2],
]) {
  test(`F35 a tab that hangs ${moment} is overtaken after its time, and what it does later changes nothing (required)`, async ({
    clock,
    context,
    invariants,
    servers,
    visit,
  }) => {
    if (requests > 1) invariants.breaks("I2 again", "what was answered to the tab that hangs, the other cannot know");
    const [holder, other] = await twoTabs(visit);
    const stop = () => hang(realmOf(holder), context);
    await overtaken({ clock, context, servers }, [holder, other], { point, requests, stop });
  });
}

test("F35 a page that hangs is overtaken in the time that it takes, and goes on with what the other has (page)", async ({
  context,
  invariants,
  servers,
  visit,
}) => {
  invariants.breaks("I2 again", "what was answered to the page that hangs, the other cannot know");
  const [holder, other] = await twoTabs(visit, { ...stored, isolation: "page", exposeAccessToken: true });
  servers.provider.lifetimes.reuseGraceSeconds = graceful;
  const earlier = holder.renewals();
  let letGo;
  const { met } = await meetRenewal("answer", { context, servers }, async () => {
    letGo = await hang(holder.page, context);
  });
  const late = holder.refresh();
  await met;
  // The only test that waits for what it means: no clock reaches a page that hangs.
  expect(await other.refresh()).toEqual({ value: "authenticated" });
  const token = await other.attempt("() => auth.getAccessToken()");
  await letGo();
  await late;
  await holder.becomes(fresh);
  expect(await holder.attempt("() => auth.getAccessToken()")).toEqual(token);
  expect(holder.renewals() - earlier).toBe(2);
  servers.provider.lifetimes.reuseGraceSeconds = strict;
  for (const [one, another] of [
    [holder, other],
    [other, holder],
  ]) {
    expect(await one.refresh()).toEqual({ value: "authenticated" });
    // A tab that has not heard of a renewal yet would take it over in the place of its own.
    const token = await one.attempt("() => auth.getAccessToken()");
    await expect.poll(() => another.attempt("() => auth.getAccessToken()")).toEqual(token);
  }
  expect(holder.renewals() - earlier).toBe(4);
});

for (const isolation of isolations) {
  test(`F36 a lock that script takes away, and keeps, costs a wait and no second request (${isolation})`, async ({
    clock,
    context,
    servers,
    visit,
  }) => {
    const [holder, other] = await twoTabs(visit, { ...stored, isolation });
    await clock.letPass(600);
    const { revokedGrants } = servers.provider.stats;
    const earlier = holder.renewals();
    let waiting;
    const { met } = await meetRenewal("answer", { context, servers }, async () => {
      const stolen = await holder.page.evaluate(async () => {
        const { held } = await navigator.locks.query();
        const names = held.map(({ name }) => name).filter((name) => name.startsWith("authsafe."));
        for (const name of names) {
          await new Promise((resolve) => {
            navigator.locks.request(name, { steal: true }, () => (resolve(), new Promise(() => {}))).catch(() => {});
          });
        }
        return names;
      });
      expect(stolen).toHaveLength(1);
      waiting = other.call();
      await other.becomes({ freshness: "refreshing" });
    });
    expect(await holder.call()).toEqual([200]);
    await met;
    await clock.letPass(20);
    expect(await waiting).toEqual([200]);
    expect(holder.renewals() - earlier).toBe(1);

    await clock.letPass(600);
    expect(await Promise.all([holder.call(), other.call()])).toEqual([[200], [200]]);
    expect(holder.renewals() - earlier).toBe(2);
    expect(servers.provider.stats.revokedGrants).toBe(revokedGrants);
  });
}

for (const isolation of isolations) {
  const diagnose = (tab) => tab.attempt("() => auth.diagnose()");
  const lost = { error: { code: "core_lost", retryable: true } };

  test(`F57 a core that traps is replaced by one with the stored session, and given up when it traps again at once (${isolation})`, async ({
    clock,
    visit,
  }) => {
    const tab = await visit(oidc, { options: { ...stored, isolation }, before: trapping });
    await tab.signIn();
    await tab.page.evaluate(() => (window.record.events.length = window.record.states.length = 0));
    for (let time = 0; time < 2; time++) {
      expect(await diagnose(tab)).toMatchObject(lost);
      expect(await tab.call(3)).toEqual([200, 200, 200]);
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      await clock.letPass(60);
    }
    expect(await tab.events("signedIn")).toEqual([]);
    expect(await tab.events("signedOut")).toEqual([]);
    const states = await tab.page.evaluate(() => window.record.states.map(({ status }) => status));
    expect(new Set(states)).toEqual(new Set(["authenticated"]));

    expect(await diagnose(tab)).toMatchObject(lost);
    expect(await diagnose(tab)).toMatchObject({ error: { code: "wasm_trapped" } });
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code: "wasm_trapped" } });
    expect(await tab.call()).toEqual(["wasm_trapped"]);
    expect((await tab.reload()).state).toMatchObject(fresh);
    // Those that were replaced, and the last, which no core was left to tell of. A worker that begins after this clock was moved
    // takes one for a word from the future.
    const history = await tab.page.evaluate(() => {
      const [, text] = Object.entries(sessionStorage).find(([key]) => key.endsWith(".history"));
      return JSON.parse(text).map(({ event, status }) => event ?? status);
    });
    expect(history.filter((what) => what === "coreLost").length).toBeGreaterThanOrEqual(2);
    expect(history.lastIndexOf("coreLost")).toBeLessThan(history.lastIndexOf("signedIn"));
  });

  test(`F57 a trap in the middle of a renewal costs its callers a retryable error, and the token is sent once more (${isolation})`, async ({
    clock,
    context,
    invariants,
    servers,
    visit,
  }) => {
    invariants.mayBreak("I2 again", "the core that got the answer is gone, and whoever replaces it has not heard it");
    const tab = await visit(oidc, { options: { ...stored, isolation }, before: trapping });
    await tab.signIn();
    servers.provider.lifetimes.reuseGraceSeconds = graceful;
    const earlier = tab.renewals();
    const { met } = await meetRenewal("answer", { context, servers }, () => diagnose(tab));
    expect(await tab.refresh()).toMatchObject(lost);
    expect(await met).toMatchObject(lost);
    const again = tab.refresh();
    // The lock of a core that is gone goes with its worker; in the page, it is still held.
    if (isolation === "page") {
      await tab.becomes({ freshness: "refreshing" });
      await clock.letPass(20);
    }
    expect(await again).toEqual({ value: "authenticated" });
    expect(tab.renewals() - earlier).toBe(2);
    expect(await tab.call()).toEqual([200]);
    servers.provider.lifetimes.reuseGraceSeconds = strict;
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.events("signedOut")).toEqual([]);
  });
}
