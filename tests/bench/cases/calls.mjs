// b, e: a warm getAccessToken(), and a request with the credential against window.fetch with the same header.
import { distinct } from "../support/clients.mjs";
import { shuffled } from "../support/stats.mjs";

/** So many are timed together, because a page's clock is coarse. */
const BATCH = 50;
const REQUESTS = 20;

export async function openAll(world) {
  world.expose(true);
  const pages = new Map();
  for (const client of distinct) {
    const context = await world.signedIn(client, ["fast"]);
    const page = await context.newPage();
    await page.goto(`${world.origins.fast}/${client.page}/`);
    await page.waitForFunction(() => window.answeredMs);
    pages.set(client, page);
  }
  world.expose(false);
  return pages;
}

export const token = {
  title: "token: a warm getAccessToken()",
  unit: "us",
  async run(world, { runs }) {
    const pages = await openAll(world);
    const samples = {};
    for (let run = -2; run < runs; run++) {
      for (const client of shuffled(distinct)) {
        const us = await pages.get(client).evaluate(async (batch) => {
          const begin = performance.now();
          for (let i = 0; i < batch; i++) await window.client.accessToken();
          return ((performance.now() - begin) * 1000) / batch;
        }, BATCH);
        if (run >= 0) (samples[client.name] ??= []).push(us);
      }
    }
    for (const page of pages.values()) await world.closeProfile(page.context());
    return { samples: { "one call": samples } };
  },
};

export const request = {
  title: "request: GET of a small JSON answer with the credential, per request",
  unit: "ms",
  async run(world, { runs, say }) {
    const pages = await openAll(world);
    const samples = {};
    const ratios = {};
    for (let run = -1; run < runs; run++) {
      for (const client of shuffled(distinct)) {
        const [plain, ours] = await pages.get(client).evaluate(measure, REQUESTS);
        if (run < 0) continue;
        (samples[client.name] ??= []).push(...ours);
        (samples[`window.fetch beside ${client.name}`] ??= []).push(...plain);
        (ratios[client.name] ??= []).push([plain, ours]);
      }
      say(`request: run ${run + 1} of ${runs}`);
    }
    for (const page of pages.values()) await world.closeProfile(page.context());
    return { samples: { "one request": samples } };
  },
};

/** Runs in the page: both ways in turn, the first one changing. */
async function measure(count) {
  const { resource } = window.config;
  const headers = { authorization: `Bearer ${await window.client.accessToken()}` };
  const ways = [() => fetch(resource, { headers }), () => window.client.request(resource)];
  const times = [[], []];
  for (let i = 0; i < count; i++) {
    for (const way of i % 2 ? [0, 1] : [1, 0]) {
      const begin = performance.now();
      const { sub } = await (await ways[way]()).json();
      if (!sub) throw new Error("The API did not answer.");
      times[way].push(performance.now() - begin);
    }
  }
  return times;
}
