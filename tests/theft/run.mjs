// Runs the attacks: every visit of every configuration, on two lanes.
import { chromium } from "@playwright/test";
import { visitsOf } from "./attacks.mjs";
import { configurations, versionOf } from "./configurations.mjs";
import { Lane } from "./lane.mjs";
import { buildPeers } from "./peers.mjs";

const LANES = 2;

/**
 * @param {object} [choice]
 * @param {object[]} [choice.configurations]
 * @param {(one: object) => object[]} [choice.visits]
 * @param {(line: string) => void} [choice.tell]
 * @returns {Promise<{rows: object[], problems: string[]}>}
 */
export async function run({ configurations: chosen = configurations, visits = visitsOf, tell = () => {} } = {}) {
  await buildPeers();
  const browser = await chromium.launch({
    executablePath: process.env.AUTHSAFE_CHROME || process.env.CHROME || "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-quic",
      "--no-first-run",
    ],
  });
  const jobs = chosen.flatMap((one) => visits(one).map((plan) => ({ one, plan })));
  const rows = [];
  const problems = [];
  let next = 0;
  const work = async () => {
    const lane = await Lane.start(browser);
    while (next < jobs.length) {
      const { one, plan } = jobs[next++];
      const started = Date.now();
      const { problem, ...results } = await lane.visit(one, plan);
      const what = `${one.name}: ${plan.timing}${plan.hooks.length ? "" : `, ${[...plan.traps, ...plan.runs]}`}`;
      if (problem) problems.push(`${what}: ${problem}`);
      tell(`${what}: ${problem ?? `${Date.now() - started} ms`}`);
      for (const [attack, { stolen, usable }] of Object.entries(results)) {
        const { sdk, storage, isolation } = one;
        rows.push({ sdk, version: versionOf(sdk), storage, isolation, attack, timing: plan.timing, stolen, usable });
      }
    }
    await lane.close();
  };
  try {
    await Promise.all(Array.from({ length: LANES }, work));
  } finally {
    await browser.close();
  }
  return { rows, problems };
}
