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

// The clock of these tabs runs ahead of the API's, which would judge the dates of proofs by its own: they use bearer tokens.
const one = byName("token by OpenID, memory");
const MANY = 50;
const SOME = 10;
const EXPIRIES = 3;
/** Where tabs are killed: before the request leaves, before the answer does, and while it is on its way. */
const POINTS = ["request", "answer", "way back"];
const withLocks = { locks: true, points: POINTS, chance: 0.5 };
const withoutLocks = {
  locks: false,
  points: ["answer"],
  before: environment("no-locks.js", "worker-without-locks.js"),
};
// No lock tells of a death: the others wait until the turn of the dead is over, and so does the test.
const renewerDies = { ...withoutLocks, chance: 1 };
const renewerLives = { ...withoutLocks, chance: 0 };

for (const { isolation, storage, size, locks, points, chance, before } of [
  { ...withLocks, isolation: "required", storage: "localStorage", size: MANY },
  { ...withLocks, isolation: "required", storage: "indexedDB", size: SOME },
  { ...withLocks, isolation: "page", storage: "localStorage", size: SOME },
  { ...withLocks, isolation: "page", storage: "indexedDB", size: SOME },
  { ...renewerLives, isolation: "required", storage: "localStorage", size: SOME },
  { ...renewerDies, isolation: "required", storage: "indexedDB", size: MANY },
  { ...renewerDies, isolation: "page", storage: "localStorage", size: SOME },
  { ...renewerLives, isolation: "page", storage: "indexedDB", size: SOME },
]) {
  const where = `${isolation === "page" ? "in the page" : "in workers"}, ${storage}`;
  const name = locks
    ? `F33 F34 ${size} tabs make one token request for each expiry, and those that are left live on when others die`
    : `F33 F34 F37 ${size} tabs without Web Locks make one token request for each expiry, and those that are left live on`;

  test(`${name} (${where})`, async ({ clock, context, invariants, visit, servers }) => {
    const why = "what was answered to a tab that died, no other tab knows";
    if (chance === 1) invariants.breaks("I2 again", why);
    else if (chance > 0) invariants.mayBreak("I2 again", why);
    const seed = Number(process.env.AUTHSAFE_SEED) || Date.now() % 2 ** 32;
    test.info().annotations.push({ type: "seed", description: `AUTHSAFE_SEED=${seed}` });
    const random = dice(seed);
    const options = { isolation, storage, id: "tabs", dpop: "never" };
    const crowd = await openCrowd(visit, one, { size, before, options });
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
      let dying;
      const { met } = await meetRenewal(point === "request" ? point : "answer", { context, servers }, async () => {
        const page = await renewer;
        const holder = crowd.tabs.find((tab) => tab.page === page);
        const dies = random() < chance;
        const others = crowd.living.filter((tab) => tab !== holder && random() < 0.2);
        const how = () => (random() < 0.5 ? "crash" : "close");
        await Promise.all(others.map((tab) => kill(tab, how())));
        // Last, or whoever takes over might be the next to die: a token is sent once more and not a third time. And where a tab
        // is closed, a request that waits may be let go at the last moment.
        dying = dies && kill(holder, point === "request" ? "crash" : how());
        if (point !== "way back") await dying;
        return dies;
      });
      const outcomes = crowd.call();
      const holderDied = await met;
      await dying;
      const got = await outcomes;
      expect(got, `AUTHSAFE_SEED=${seed}, ${point}`).toEqual(got.map(() => 200));
      // That a tab died may be heard of after it was served.
      expect(got.length, `AUTHSAFE_SEED=${seed}, ${point}`).toBeGreaterThanOrEqual(crowd.living.length);
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
