// a, f: from navigation to the first answered API call of a session that is restored from storage; and what was asked for when.
import { clients } from "../support/clients.mjs";
import { slowDown } from "../support/slow-cpu.mjs";
import { shuffled } from "../support/stats.mjs";
import { SLOW } from "../support/world.mjs";

export const title = "start: navigation to the first answered API call, session restored";
export const unit = "ms";

/** The second visit comes after everybody's first: by then, the browser has forgotten the answer to the preflight request. */
const VISITS = ["fast", "slow"].flatMap((line) => ["cold", "warm"].map((cache) => [line, cache]));

export async function run(world, { runs, say }) {
  const contexts = new Map();
  for (const client of clients) contexts.set(client, await world.signedIn(client, ["fast", "slow"]));
  const samples = {};
  const waterfalls = {};
  for (let run = -1; run < runs; run++) {
    for (const [line, cache] of VISITS) {
      for (const client of shuffled(clients)) {
        const { answeredMs, requests } = await visit(world, contexts.get(client), client, line, cache);
        if (run < 0) continue;
        const row = `${line === "fast" ? "loopback" : "slow line and CPU"}, ${cache} cache`;
        ((samples[row] ??= {})[client.name] ??= []).push(answeredMs);
        if (cache === "cold") ((waterfalls[line] ??= {})[client.name] ??= []).push(requests);
      }
    }
    say(run < 0 ? "start: tried once" : `start: run ${run + 1} of ${runs}`);
  }
  for (const context of contexts.values()) await world.closeProfile(context);
  return { samples, waterfalls };
}

async function visit(world, context, client, line, cache) {
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  if (cache === "cold") await session.send("Network.clearBrowserCache");
  await page.goto(`${world.origins[line]}/blank`);
  await world.hangUp();
  const devtools = await context.browser().newBrowserCDPSession();
  const renderers = async () =>
    (await devtools.send("SystemInfo.getProcessInfo")).processInfo.filter(({ type }) => type === "renderer");
  const before = line === "slow" ? (await renderers()).map(({ id }) => id) : [];
  const letGo = before.length ? await slowDown(before, SLOW.cpu) : async () => {};
  world.host.log.length = 0;
  try {
    await page.goto(`${world.origins[line]}/${client.page}/`, { waitUntil: "commit" });
    await page.waitForFunction(() => window.answeredMs, undefined, { polling: 100 });
  } finally {
    await letGo();
  }
  const [answeredMs, timeOrigin] = await page.evaluate(() => [window.answeredMs, performance.timeOrigin]);
  if (before.length) {
    const used = (await renderers()).filter(({ id, cpuTime }) => !before.includes(id) && cpuTime > 0.2);
    if (used.length) throw new Error("A renderer process was started that was not slowed.");
  }
  const away = line === "slow" ? world.line.oneWayMs : 0;
  const requests = world.host.log.map(({ path, at }) => ({ path, askedMs: at - timeOrigin - away }));
  await devtools.detach();
  await page.close();
  return { answeredMs, requests };
}
