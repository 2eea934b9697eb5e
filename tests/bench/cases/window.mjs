// h: how long a renewed token can be lost with its tab: from the moment at which the provider has rotated it and lets its answer
// go, to the moment at which the page hears that it is stored. Whatever ends the tab in between, the server has forgotten the
// token that the browser still holds.
import { distinct } from "../support/clients.mjs";
import { shuffled } from "../support/stats.mjs";

export const title = "window of loss: from the provider's answer to the stored token";
export const unit = "ms";

/** A client makes ten token requests a minute at most: one for the sign-in, one to warm up, and these. */
const MOST = 8;
const STORAGES = ["localStorage", "indexedDB"];
const ours = distinct.filter(({ peer }) => !peer);
const now = () => performance.timeOrigin + performance.now();

export async function run(world, { runs }) {
  const samples = {};
  for (const storage of STORAGES) {
    world.store(storage);
    const pages = new Map();
    for (const client of ours) {
      const context = await world.openProfile();
      const page = await context.newPage();
      await page.goto(`${world.origins.fast}/${client.page}/`);
      await world.signIn(page);
      await page.evaluate(() =>
        window.client.auth.on("refreshed", () => (window.storedAt = performance.timeOrigin + performance.now())),
      );
      pages.set(client, page);
    }
    let answeredAt;
    world.onTokenRequest = () => void (answeredAt = now());
    for (let run = -1; run < Math.min(runs, MOST); run++) {
      for (const client of shuffled(ours)) {
        const page = pages.get(client);
        await page.evaluate(async () => void (await window.client.auth.refresh()));
        const storedAt = await page.evaluate(() => window.storedAt);
        if (run >= 0) ((samples[storage] ??= {})[client.name] ??= []).push(storedAt - answeredAt);
      }
    }
    delete world.onTokenRequest;
    for (const page of pages.values()) await world.closeProfile(page.context());
  }
  world.store(undefined);
  return { samples };
}
