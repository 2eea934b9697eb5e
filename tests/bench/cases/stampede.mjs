// g: what is asked of the provider when a token has expired and everybody wants it at once: 1,000 calls of one tab, and ten
// tabs. The provider replaces the refresh token at each use, and ends the grant when a used one comes again (RFC 9700 §4.14.2).
//
// The tabs are frozen before their token ends and thawed after it, as tabs are on a machine that slept. All clients sleep at the
// same time, and wake one after the other.
import { setTimeout as sleep } from "node:timers/promises";
import { renewing } from "../support/clients.mjs";
import { median, shuffled } from "../support/stats.mjs";

export const title = "stampede: an expired token is wanted by many at once (sums of all runs; the time is the median)";

const CALLS = 1000;
const TABS = 10;
/** Each run takes as long as a token lives. */
const MOST_RUNS = 3;
/** Long enough to open a client's tabs before it renews of its own accord: oidc-client-ts does a minute before the end. */
const LIFETIME_SECONDS = 120;
const AFTERWARDS_SECONDS = 24 * 3600;
const SCENES = [
  { name: `${CALLS} calls in one tab`, tabs: 1, calls: CALLS },
  { name: `${TABS} tabs, one call in each`, tabs: TABS, calls: 1 },
];

export async function run(world, { runs, say }) {
  const times = Math.min(runs, MOST_RUNS);
  const found = new Map(SCENES.flatMap((scene) => renewing.map((client) => [key(scene, client), []])));
  world.expose(true);
  for (let run = 0; run < times; run++) {
    world.provider.lifetimes.accessTokenSeconds = LIFETIME_SECONDS;
    const sleepers = [];
    for (const client of renewing) {
      for (const scene of SCENES) sleepers.push({ client, scene, ...(await fallAsleep(world, client, scene.tabs)) });
      say(`stampede: ${client.name} sleeps`);
    }
    await sleep((LIFETIME_SECONDS + 2) * 1000);
    world.provider.lifetimes.accessTokenSeconds = AFTERWARDS_SECONDS;
    for (const { client, scene, context, pages } of shuffled(sleepers)) {
      found.get(key(scene, client)).push(await wake(world, pages, scene.calls));
      await world.closeProfile(context);
    }
    say(`stampede: run ${run + 1} of ${times}`);
  }
  world.expose(false);
  return { samples: Object.fromEntries(found), rows: SCENES.flatMap((scene) => rowsOf(scene, found, times)) };
}

const key = (scene, client) => `${scene.name}: ${client.name}`;

/** A profile with so many tabs, signed in and frozen, and what thaws them. */
async function fallAsleep(world, client, tabs) {
  const context = await world.openProfile();
  const pages = [];
  for (let tab = 0; tab < tabs; tab++) {
    const page = await context.newPage();
    await page.goto(`${world.origins.fast}/${client.page}/`);
    await page.waitForFunction(() => window.settled);
    if (!(await page.evaluate(() => window.client.signedIn()))) await world.signIn(page);
    await page.waitForFunction(() => window.answeredMs);
    pages.push(page);
  }
  const awake = await Promise.all(pages.map((page) => freeze(context, page)));
  return { context, pages: pages.map((page, at) => ({ page, thaw: awake[at] })) };
}

async function freeze(context, page) {
  const devtools = await context.newCDPSession(page);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  return () => devtools.send("Page.setWebLifecycleState", { state: "active" });
}

async function wake(world, pages, calls) {
  const { stats } = world.provider;
  const before = { requests: stats.tokenRequests.refresh_token, revoked: stats.revokedGrants };
  await Promise.all(pages.map(({ thaw }) => thaw()));
  const began = performance.now();
  const outcomes = await Promise.all(pages.map(({ page }) => page.evaluate(callAtOnce, calls)));
  const ms = performance.now() - began;
  return {
    requests: stats.tokenRequests.refresh_token - before.requests,
    failures: outcomes.reduce((sum, failures) => sum + failures, 0),
    revoked: stats.revokedGrants - before.revoked,
    ms,
  };
}

/** Runs in the page: so many calls that want a token; how many did not get one. */
async function callAtOnce(calls) {
  const wanted = Array.from({ length: calls }, () => window.client.freshToken());
  const settled = await Promise.allSettled(wanted);
  return settled.filter(({ status, value }) => status === "rejected" || !value).length;
}

function rowsOf(scene, found, runs) {
  const head = [`${scene.name}, ${runs} runs`, "token requests", "failures", "revoked grants", "ms"];
  const rows = renewing.map((client) => {
    const results = found.get(key(scene, client));
    const sum = (of) => results.reduce((total, one) => total + one[of], 0);
    return [
      client.name,
      sum("requests"),
      sum("failures"),
      sum("revoked"),
      Math.round(median(results.map(({ ms }) => ms))),
    ];
  });
  return [head, ...rows];
}
