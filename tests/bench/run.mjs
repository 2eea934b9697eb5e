// Benchmarks in a real browser, against peers in the same run: `make bench`. BENCH_ONLY=a,e picks some; BENCH_RUNS is how
// often each is measured; BENCH_BEFORE=TARBALL measures another build of authsafe (`node tools/pack.mjs FOLDER`) beside this
// one. No figure here is a test; they depend on the machine, the ratios less so.
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { root } from "../../tools/pack.mjs";
import * as calls from "./cases/calls.mjs";
import * as heap from "./cases/heap.mjs";
import * as line from "./cases/line.mjs";
import * as signIn from "./cases/sign-in.mjs";
import * as stampede from "./cases/stampede.mjs";
import * as start from "./cases/start.mjs";
import * as verify from "./cases/verify.mjs";
import * as window from "./cases/window.mjs";
import { clients, distinct } from "./support/clients.mjs";
import { print, printWaterfall } from "./support/report.mjs";
import { table } from "./support/stats.mjs";
import { makeWorld, SLOW } from "./support/world.mjs";

const CASES = {
  a: start,
  b: calls.token,
  c: signIn,
  d: heap,
  e: calls.request,
  f: start,
  g: stampede,
  h: window,
  i: verify,
};

const only = (process.env.BENCH_ONLY || Object.keys(CASES).join()).split(",");
const unknown = only.find((letter) => !(letter in CASES));
const runs = Number(process.env.BENCH_RUNS || 15);
if (unknown !== undefined || !(Number.isInteger(runs) && runs > 0)) {
  console.error(`usage: BENCH_ONLY=${Object.keys(CASES).join()} BENCH_RUNS=15 make bench`);
  process.exit(1);
}
const say = (text) => console.error(`bench: ${text}`);

say("building the pages, starting the servers");
const world = await makeWorld();
const report = {
  runs,
  node: process.version,
  cpus: cpus().length,
  load: [loadavg()[0]],
};
try {
  console.log(`${report.cpus} processors, ${runs} runs, interleaved`);
  for (const { name, page } of distinct) {
    const bytes = world.host.sizes(page).map(([path, size]) => `${path.replace(/.*\//, "")} ${size}`);
    console.log(`${name} is built to ${bytes.join(", ")} bytes (brotli)`);
  }
  if (only.includes("a") || only.includes("f")) {
    const rows = await line.check(world, clients[0]);
    console.log(
      `\nslow: ${SLOW.roundTripMs} ms, ${SLOW.bitsPerSecond / 1e6} Mbit/s, processor slowed ${SLOW.cpu} times`,
    );
    console.log(table([["as measured", "page", "worker"], ...rows]));
    report.slow = rows;
  }
  for (const one of new Set(only.map((letter) => CASES[letter]))) {
    const { samples, waterfalls, rows } = await one.run(world, { runs, say });
    if (rows) console.log(`\n${one.title}\n${table(rows)}`);
    else if (one !== start || only.includes("a")) print(one, samples);
    if (waterfalls && only.includes("f")) printWaterfall(waterfalls);
    (report.cases ??= []).push({ title: one.title, unit: one.unit, samples, waterfalls, rows });
  }
} finally {
  await world.close();
}
report.browser = world.browser;
report.load.push(loadavg()[0]);
console.log(
  `\nChromium ${report.browser}; load of the machine at the beginning and at the end: ${report.load.map((load) => load.toFixed(1)).join(", ")}`,
);
mkdirSync(join(root, "target"), { recursive: true });
writeFileSync(join(root, "target/bench.json"), JSON.stringify(report, null, 1));
