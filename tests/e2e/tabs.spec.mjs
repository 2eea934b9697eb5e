// One session in many tabs of one browser, at a provider that replaces the refresh token at each use and ends the grant when
// a used one comes again: whatever the tabs do together, and whichever of them die, nobody is signed out.
import { byName } from "./support/cases.mjs";
import { dice, kill, openCrowd } from "./support/crowd.mjs";
import { environment } from "./support/environment.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { meetRenewal, nextRenewer } from "./support/renewals.mjs";

// A recording of fifty tabs costs more than the tabs.
test.use({ trace: "off", screenshot: "off" });

// Fifty processes need their time where others want the machine, too.
test.setTimeout(600_000);

const one = byName("token by OpenID, memory");
const MANY = 50;
const SOME = 10;
const EXPIRIES = 3;
/** More than a tab has for a renewal. */
const TURN_SECONDS = 20;
/** Where tabs are killed: before the request leaves, before the answer does, and while it is on its way. */
const POINTS = ["request", "answer", "way back"];
const withLocks = { f: "F33 F34", note: "", points: POINTS };
// Where no lock tells of a death, the others wait until the turn of the dead is over; a test can tell when only if it knows that it died.
const withoutLocks = {
  f: "F37",
  note: ", without Web Locks",
  points: POINTS.slice(0, 2),
  before: environment("no-locks.js", "worker-without-locks.js"),
};

for (const { isolation, storage, size, f, note, points, before } of [
  { ...withLocks, isolation: "required", storage: "localStorage", size: MANY },
  { ...withLocks, isolation: "required", storage: "indexedDB", size: SOME },
  { ...withLocks, isolation: "page", storage: "localStorage", size: SOME },
  { ...withLocks, isolation: "page", storage: "indexedDB", size: SOME },
  { ...withoutLocks, isolation: "required", storage: "localStorage", size: SOME },
  { ...withoutLocks, isolation: "required", storage: "indexedDB", size: MANY },
  { ...withoutLocks, isolation: "page", storage: "localStorage", size: SOME },
  { ...withoutLocks, isolation: "page", storage: "indexedDB", size: SOME },
]) {
  const where = `${isolation === "page" ? "in the page" : "in workers"}, ${storage}${note}`;
  const name = `${f} ${size} tabs make one token request for each expiry, and those that are left live on when others die`;

  test(`${name} (${where})`, async ({ clock, context, visit, servers }) => {
    const seed = Number(process.env.AUTHSAFE_SEED) || Date.now() % 2 ** 32;
    test.info().annotations.push({ type: "seed", description: `AUTHSAFE_SEED=${seed}` });
    const random = dice(seed);
    const crowd = await openCrowd(visit, one, { size, before, options: { isolation, storage, id: "tabs" } });
    const { stats } = servers.provider;
    const { revokedGrants } = stats;
    const renewals = () => stats.tokenRequests.refresh_token;
    const oneExpiry = async () => {
      await clock.letPass(600);
      const earlier = renewals();
      expect(await crowd.call()).toEqual(crowd.living.map(() => 200));
      expect(renewals() - earlier).toBe(1);
      await crowd.isWhole();
    };

    for (let expiry = 0; expiry < EXPIRIES; expiry++) await oneExpiry();

    // A client cannot know whether the server did what it was asked by a tab that died; a server with a time of grace answers again.
    servers.provider.lifetimes.reuseGraceSeconds = 3600;
    for (const point of points) {
      await clock.letPass(600);
      const earlier = renewals();
      const renewer = nextRenewer(context, servers);
      let victims;
      let dying;
      const { met } = await meetRenewal(point === "request" ? point : "answer", { context, servers }, async () => {
        const page = await renewer;
        const holder = crowd.tabs.find((tab) => tab.page === page);
        const others = crowd.living.filter((tab) => tab !== holder && random() < 0.2);
        victims = random() < 0.5 ? [holder, ...others] : others;
        // Whose tab is closed, its request may be let go at the last moment.
        const how = (tab) => ((tab === holder && point === "request") || random() < 0.5 ? "crash" : "close");
        dying = Promise.all(victims.map((tab) => kill(tab, how(tab))));
        if (point !== "way back") await dying;
        return victims.includes(holder);
      });
      const outcomes = crowd.call();
      const holderDied = await met;
      await dying;
      if (holderDied && before) {
        await crowd.waits();
        await clock.letPass(TURN_SECONDS);
      }
      expect(await outcomes, `AUTHSAFE_SEED=${seed}, ${point}`).toEqual(crowd.living.map(() => 200));
      // What never left is no request; and an answer on its way may yet have been stored.
      const counts = !holderDied || point === "request" ? [1] : point === "answer" ? [2] : [1, 2];
      expect(counts, `AUTHSAFE_SEED=${seed}, ${point}`).toContain(renewals() - earlier);
      await crowd.isWhole();
    }
    servers.provider.lifetimes.reuseGraceSeconds = 0;

    await oneExpiry();
    expect(stats.revokedGrants).toBe(revokedGrants);
  });
}
