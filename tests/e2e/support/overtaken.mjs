// A tab that stands still in the middle of a renewal, in whatever way, is overtaken by another.
import { realmOf } from "./environment.mjs";
import { expect } from "./fixtures.mjs";
import { meetRenewal } from "./renewals.mjs";

const graceful = 3600;
const strict = 0;

/**
 * Plays it to its end. `point` is where the renewal of the first tab is met, `stop` makes that tab stand still and gives what lets it
 * go on, and `requests` is how many the provider sees of both tabs until then.
 */
export async function overtaken({ clock, context, servers }, [holder, other], { point, requests, stop }) {
  await clock.letPass(600);
  servers.provider.lifetimes.reuseGraceSeconds = graceful;
  const { revokedGrants } = servers.provider.stats;
  const earlier = holder.renewals();
  const called = [];
  let letGo;
  let overtake;
  const isOvertaken = new Promise((resolve) => (overtake = resolve));
  const { met } = await meetRenewal(point, { context, servers }, async () => {
    letGo = await stop();
    // An answer goes its way; a request stays where it is until all is over.
    if (point === "cut") (void called.push(other.call()), await isOvertaken);
  });
  const late = holder.call();
  await expect.poll(() => letGo !== undefined).toBe(true);
  if (!called.length) called.push(other.call());
  await other.becomes({ freshness: "refreshing" });
  await realmOf(other).evaluate(() => globalThis.letPass(20_000));
  expect(await called[0]).toEqual([200]);
  overtake();
  await met;
  await letGo();
  await late;
  expect(await holder.call()).toEqual([200]);
  expect(holder.renewals() - earlier).toBe(requests);
  servers.provider.lifetimes.reuseGraceSeconds = strict;

  await clock.letPass(600);
  expect(await Promise.all([holder.call(), other.call()])).toEqual([[200], [200]]);
  expect(holder.renewals() - earlier).toBe(requests + 1);
  expect(servers.provider.stats.revokedGrants).toBe(revokedGrants);
  for (const tab of [holder, other]) expect(await tab.events("signedOut")).toEqual([]);
}
