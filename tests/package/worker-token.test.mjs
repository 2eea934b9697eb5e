// An access token that a worker hands out: it is asked for again only where it could be another one.
import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "./support/layered.mjs";

/**
 * In a page, `start({ secondsLeft, clockSkew })`: a client in a worker whose session ends so soon, at a server whose clock is so
 * much ahead. The scripted core gives another token each time it is asked.
 */
async function tokens(t, work) {
  const { page: tab } = await page(t, "worker");
  await tab.evaluate(() => {
    window.start = async ({ secondsLeft, clockSkew = 0 }) => {
      const expiresAt = secondsLeft && Math.floor(Date.now() / 1000) + secondsLeft + clockSkew;
      const session = { clockSkew, ...(expiresAt && { expiresAt }) };
      const options = { mode: "token", isolation: "required", allowedOrigins: [], session };
      const auth = window.authsafe.createAuthClient(options);
      await auth.init();
      return auth;
    };
  });
  return tab.evaluate(work);
}

test("a token that lives long enough is asked for once, and so is one without an end", async (t) => {
  const found = await tokens(t, async () => {
    const found = [];
    for (const session of [{ secondsLeft: 600 }, { secondsLeft: 600, clockSkew: 7200 }, {}]) {
      const auth = await window.start(session);
      found.push([await auth.getAccessToken(), await auth.getAccessToken({ minValiditySeconds: 300 })]);
    }
    return found;
  });
  assert.deepEqual(found, Array(3).fill(["token 1", "token 1"]));
});

test("a token that may end too soon is asked for each time, by the clock of its server", async (t) => {
  const found = await tokens(t, async () => {
    const found = [];
    for (const [session, minValiditySeconds] of [
      [{ secondsLeft: 5 }, 5],
      [{ secondsLeft: 600 }, 601],
      [{ secondsLeft: 600 }, NaN],
      [{ secondsLeft: 3600, clockSkew: -7200 }, 3600],
    ]) {
      const auth = await window.start(session);
      const get = () => auth.getAccessToken({ minValiditySeconds });
      found.push([await get(), await get()]);
    }
    return found;
  });
  assert.deepEqual(found, Array(4).fill(["token 1", "token 2"]));
});

test("a token is asked for again when either clock says that it has ended", async (t) => {
  const found = await tokens(t, async () => {
    const found = [];
    for (const clock of [Date, performance]) {
      const auth = await window.start({ secondsLeft: 600 });
      const before = [await auth.getAccessToken(), await auth.getAccessToken()];
      const late = clock.now() + 600_000;
      clock.now = () => late;
      found.push([...before, await auth.getAccessToken()]);
      delete clock.now;
      if (clock === Date) Date.now = () => new Date().getTime();
    }
    return found;
  });
  assert.deepEqual(found, Array(2).fill(["token 1", "token 1", "token 2"]));
});

test("a token is asked for again after a change of state, another call, or news of the page", async (t) => {
  const found = await tokens(t, async () => {
    const auth = await window.start({ secondsLeft: 600 });
    const found = [];
    for (const between of [
      () => {},
      () => auth.refresh(),
      () => {},
      () => void window.dispatchEvent(new Event("focus")),
      () => auth.fetch(location.href),
    ]) {
      await between();
      found.push(await auth.getAccessToken());
    }
    return found;
  });
  assert.deepEqual(found, ["token 1", "token 2", "token 2", "token 3", "token 3"]);
});

test("a token is asked for again after a change of state that nobody here asked for", async (t) => {
  const found = await tokens(t, async () => {
    const auth = await window.start({ secondsLeft: 600 });
    const changed = new Promise((resolve) => auth.subscribe(resolve));
    // After this, the scripted core changes its state when it has given a token.
    window.dispatchEvent(new Event("online"));
    const before = await auth.getAccessToken();
    await changed;
    return [before, await auth.getAccessToken()];
  });
  assert.deepEqual(found, ["token 1", "token 2"]);
});

test("nothing is handed out again from the moment that a sign-out was asked for", async (t) => {
  const found = await tokens(t, async () => {
    const auth = await window.start({ secondsLeft: 600 });
    await auth.getAccessToken();
    const leaving = auth.logout();
    const meanwhile = [await auth.getAccessToken(), await auth.getAccessToken()];
    await auth.refresh();
    await leaving;
    return [...meanwhile, await auth.getAccessToken(), await auth.getAccessToken()];
  });
  assert.equal(new Set(found).size, 4, found.join());
});
