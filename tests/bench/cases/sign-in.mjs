// c: from the click to the signed-in state, at a provider that knows the person and answers by itself.
import { distinct } from "../support/clients.mjs";
import { shuffled } from "../support/stats.mjs";

export const title = "sign-in: click, redirect, code, tokens, signed in; loopback, warm cache, provider asks nothing";
export const unit = "ms";

export async function run(world, { runs, say }) {
  const pages = new Map();
  for (const client of distinct) {
    const context = await world.signedIn(client, ["fast"]);
    pages.set(client, await context.newPage());
  }
  const samples = {};
  for (let run = -1; run < runs; run++) {
    for (const client of shuffled(distinct)) {
      const page = pages.get(client);
      await page.goto(`${world.origins.fast}/${client.page}/`);
      await page.waitForFunction(() => window.answeredMs);
      await page.evaluate(() => window.client.forget());
      await page.goto(`${world.origins.fast}/${client.page}/`);
      await page.waitForFunction(() => window.settled && !window.client.signedIn());
      await page.click("#sign-in");
      await page.waitForFunction(() => window.signInMs);
      const ms = await page.evaluate(() => window.signInMs);
      if (run >= 0) (samples[client.name] ??= []).push(ms);
    }
    say(`sign-in: run ${run + 1} of ${runs}`);
  }
  for (const page of pages.values()) await world.closeProfile(page.context());
  return { samples: { "click to signed in": samples } };
}
