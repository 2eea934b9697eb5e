// Shows that the slow line and the slow processor slow a page and its worker alike.
import { slowDown } from "../support/slow-cpu.mjs";
import { median } from "../support/stats.mjs";
import { SLOW } from "../support/world.mjs";

/** Rows of `[what, in the page, in its worker]`. */
export async function check(world, client) {
  const context = await world.openProfile();
  const page = await context.newPage();
  const [[path]] = world.host.sizes(client.page).sort(([, a], [, b]) => b - a);
  await page.goto(`${world.origins.slow}/blank`);
  await page.evaluate(prepare);
  const both = async (job) => [
    await page.evaluate((job) => window.work(job), job),
    await page.evaluate((job) => window.ask(job), job),
  ];
  const rows = [];
  const loads = [[], []];
  // Each from an address of its own, which no cache knows.
  const load = async (i) => {
    loads[0].push(await page.evaluate((job) => window.work(job), { fetch: `${path}?page${i}` }));
    loads[1].push(await page.evaluate((job) => window.ask(job), { fetch: `${path}?worker${i}` }));
  };
  for (let i = 0; i < 3; i++) await load(i);
  rows.push([`load of ${path}, ms`, ...loads.map((list) => Math.round(median(list)))]);
  const spin = async () => {
    const times = [[], []];
    for (let i = 0; i < 5; i++) (await both({ spin: 3e7 })).forEach((ms, at) => times[at].push(ms));
    // The least: other work on this machine only adds.
    return times.map((list) => Math.min(...list));
  };
  await spin();
  const usual = await spin();
  const devtools = await context.browser().newBrowserCDPSession();
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  const letGo = await slowDown(
    processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id),
    SLOW.cpu,
  );
  const slow = await spin();
  await letGo();
  rows.push(["times slower at computing", ...slow.map((ms, at) => (ms / usual[at]).toFixed(1))]);
  await world.closeProfile(context);
  return rows;
}

/** Runs in the page. */
function prepare() {
  const source = `async (job) => {
    const begin = performance.now();
    if (job.fetch) await (await fetch(job.fetch)).arrayBuffer();
    let x = 1;
    for (let i = 0; i < (job.spin ?? 0); i++) x = (x * 31 + i) | 0;
    return performance.now() - begin + (x && 0);
  }`;
  window.work = (0, eval)(source);
  // What a worker of a blob: asks for, it asks for at its page's address.
  const text = `const work = ${source}; onmessage = async ({ data }) => postMessage(await work(data));`;
  const worker = new Worker(URL.createObjectURL(new Blob([text])));
  window.ask = (job) =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage({ ...job, fetch: job.fetch && new URL(job.fetch, location).href });
    });
}
