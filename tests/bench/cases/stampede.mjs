// g: what is asked of the provider when a token has expired and everybody wants it at once: 1,000 calls of one tab, and ten
// tabs. The provider replaces the refresh token at each use, and ends the grant when a used one comes again (RFC 9700 §4.14.2).
//
// The browser's renderer processes are stopped before the token ends and go on after it, as on a machine that slept: no timer can
// renew beforehand. All clients sleep at the same time, and wake one after the other.
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
    for (const { client, scene, ...sleeper } of shuffled(sleepers)) {
      found.get(key(scene, client)).push(await wake(world, sleeper, scene.calls));
      await world.closeProfile(sleeper.context);
    }
    say(`stampede: run ${run + 1} of ${times}`);
  }
  world.expose(false);
  return { samples: Object.fromEntries(found), rows: SCENES.flatMap((scene) => rowsOf(scene, found, times)) };
}

const key = (scene, client) => `${scene.name}: ${client.name}`;

/** A profile with so many tabs, signed in and stopped. */
async function fallAsleep(world, client, tabs) {
  const { stats } = world.provider;
  const before = stats.tokenRequests.refresh_token;
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
  const devtools = await context.browser().newBrowserCDPSession();
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  const renderers = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
  for (const pid of renderers) process.kill(pid, "SIGSTOP");
  if (stats.tokenRequests.refresh_token > before) throw new Error(`${client.name} renewed before it slept.`);
  return { context, pages, renderers };
}

async function wake(world, { pages, renderers }, calls) {
  const { stats } = world.provider;
  const before = { requests: stats.tokenRequests.refresh_token, revoked: stats.revokedGrants };
  const began = performance.now();
  for (const pid of renderers) process.kill(pid, "SIGCONT");
  const outcomes = await Promise.all(pages.map((page) => page.evaluate(callAtOnce, calls)));
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
