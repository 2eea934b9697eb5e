// Many tabs of one browser with one session in them, and what ends some of them.
import { expect } from "@playwright/test";

/** So many are opened side by side. */
const AT_ONCE = 5;

/** Opens `size` tabs; `visit` is the fixture, and `more` what it is given. */
export async function openCrowd(visit, one, { size, ...more }) {
  const tabs = [await visit(one, more)];
  await tabs[0].signIn();
  while (tabs.length < size) {
    const wanted = Math.min(AT_ONCE, size - tabs.length);
    tabs.push(...(await Promise.all(Array.from({ length: wanted }, () => visit(one, more)))));
  }
  for (const tab of tabs) tab.page.on("crash", () => (tab.crashed = true));
  return new Crowd(tabs);
}

class Crowd {
  constructor(tabs) {
    this.tabs = tabs;
  }

  /** What is left of the tabs. A process that several share takes them all along. */
  get living() {
    return this.tabs.filter((tab) => !tab.crashed && !tab.page.isClosed());
  }

  /** Every tab calls the protected resource, all at once: what the living ones got. */
  async call() {
    const outcomes = await Promise.all(this.living.map(async (tab) => [tab, await tab.call().catch(() => undefined)]));
    return outcomes.filter(([tab]) => this.living.includes(tab)).map(([, outcome]) => outcome?.[0]);
  }

  /** What every living tab shows, and what it told of failures and of ends. */
  async looks() {
    return Promise.all(
      this.living.map(({ page }) =>
        page.evaluate(() => {
          const { status, freshness } = window.auth.getState();
          const bad = ["refreshFailed", "signedOut", "userChanged", "storageDegraded"];
          return { status, freshness, bad: window.record.events.filter(({ name }) => bad.includes(name)) };
        }),
      ),
    );
  }

  /** All are signed in, and nothing ever failed in any of them. */
  async isWhole() {
    const whole = { status: "authenticated", freshness: "fresh", bad: [] };
    await expect.poll(() => this.looks()).toEqual(this.living.map(() => whole));
  }
}

/** Ends a tab without a word: its process crashes, or the browser closes it as if the user had. */
export async function kill({ page }, how = "crash") {
  const devtools = await page.context().newCDPSession(page);
  if (how === "crash") {
    const crashed = page.waitForEvent("crash");
    // The command itself is never answered.
    devtools.send("Page.crash").catch(() => {});
    await crashed;
  } else {
    const { targetInfo } = await devtools.send("Target.getTargetInfo");
    const browser = await page.context().browser().newBrowserCDPSession();
    const closed = page.waitForEvent("close");
    await browser.send("Target.closeTarget", { targetId: targetInfo.targetId });
    await closed;
    await browser.detach();
  }
  if (!page.isClosed()) await page.close();
}

/** Random numbers from 0 to 1 that a seed repeats. Mulberry32. */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
