// The worker that holds the tokens ends in the middle of everything: who waits is told, and what can come back comes back.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

/** Ends the worker as a browser does that runs out of memory: without a word. */
async function kill(page) {
  const [worker] = page.workers();
  const closed = worker.waitForEvent("close");
  await worker.evaluate(() => globalThis.close());
  await closed;
}

/** The page asks for a sign of life every ten seconds, and gives a worker up after three that it did not get. */
async function untilMissed(clock) {
  for (let beat = 0; beat < 4; beat++) await clock.letPass(10);
}

for (const [name, after, signedOut] of [
  [
    "token by OpenID, memory",
    { status: "unauthenticated", reason: "storage_lost" },
    [{ reason: "storage_lost", origin: "this-tab" }],
  ],
  ["token by OpenID, indexedDB", { status: "authenticated", freshness: "fresh" }, []],
]) {
  test(`F55 a worker that ends is started again, and the session is ${after.reason ?? "restored"} (${name})`, async ({
    clock,
    visit,
  }) => {
    // A worker that takes another's place does not leave the page, whatever the next page load may do.
    const tab = await visit(byName(name), { options: { restore: "auto" } });
    await tab.signIn();
    expect(await tab.page.evaluate(() => window.auth.isolation)).toBe("worker");
    await tab.page.evaluate(() => (window.record.events.length = window.record.states.length = 0));
    await kill(tab.page);
    const waiting = tab.call(2);
    // The calls are on their way before the time passes.
    await tab.page.evaluate(() => undefined);
    await untilMissed(clock);
    expect(await waiting).toEqual(["core_lost", "core_lost"]);
    await tab.becomes(after);
    expect(await tab.events("signedOut")).toMatchObject(signedOut);
    expect(await tab.events("signedIn")).toEqual([]);
    // The user was never shown as somebody who has still to be recognised.
    const states = await tab.page.evaluate(() => window.record.states.map(({ status }) => status));
    expect(states).not.toContain("initializing");
    expect(await tab.call()).toEqual([signedOut.length ? "login_required" : 200]);
    if (signedOut.length) {
      await tab.signIn(undefined, { known: true });
      expect(await tab.call()).toEqual([200]);
    }
  });
}

test("F55 a body that is being read ends with its worker, and a worker that ends again at once is not started for ever", async ({
  clock,
  visit,
  servers,
  recorder,
}) => {
  const options = { allowedOrigins: [recorder.origin, servers.config.apiUrl] };
  const tab = await visit(byName("token by OpenID, indexedDB"), { options });
  await tab.signIn();
  await tab.page.evaluate(async (address) => {
    const response = await window.auth.fetch(address);
    window.reading = window.attempt(() => response.text());
  }, `${recorder.origin}/endless`);
  await kill(tab.page);
  await untilMissed(clock);
  expect(await tab.page.evaluate(() => window.reading)).toMatchObject({ error: {} });
  expect(await tab.call()).toEqual([200]);
  await kill(tab.page);
  const waiting = tab.call();
  await tab.page.evaluate(() => undefined);
  await untilMissed(clock);
  expect(await waiting).toEqual(["wasm_trapped"]);
  expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code: "wasm_trapped" } });
});
