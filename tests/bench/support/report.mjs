// What is printed of a case.
import { peers } from "./clients.mjs";
import { median, quartiles, table } from "./stats.mjs";

const round = (value) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : String(Math.round(value)));

/** `samples`: by row, and by who was measured. A ratio above 1 is slower, or more, than the peer. */
export function print({ title, unit }, samples) {
  console.log(`\n${title} [${unit}]`);
  for (const [row, byName] of Object.entries(samples)) {
    const medians = Object.fromEntries(Object.entries(byName).map(([name, list]) => [name, median(list)]));
    const beside = Object.keys(byName).some((name) => name.startsWith(BESIDE));
    const others = peers.map(({ name }) => name).filter((name) => medians[name]);
    const head = [
      row,
      "median",
      "middle half",
      "runs",
      ...others.map((name) => `/ ${name}`),
      ...(beside ? ["/ window.fetch"] : []),
    ];
    const lines = Object.entries(byName)
      .filter(([name]) => !name.startsWith(BESIDE))
      .sort(([a], [b]) => ORDER(a) - ORDER(b))
      .map(([name, list]) => [
        name,
        round(medians[name]),
        quartiles(list).map(round).join(".."),
        list.length,
        ...others.map((other) => (medians[other] ? (medians[name] / medians[other]).toFixed(2) : "-")),
        ...(beside ? [(medians[name] / medians[BESIDE + name]).toFixed(2)] : []),
      ]);
    console.log(table([head, ...lines]));
  }
}

/** The medians of when each file was asked for. */
export function printWaterfall(waterfalls) {
  for (const [line, byName] of Object.entries(waterfalls)) {
    console.log(`\nwaterfall, ${line} line, cold cache: when each file was asked for [ms after navigation]`);
    for (const [name, runs] of Object.entries(byName)) {
      const times = new Map();
      for (const requests of runs) {
        const seen = new Map();
        for (const { path, askedMs } of requests) {
          const count = (seen.get(path) ?? 0) + 1;
          seen.set(path, count);
          const key = count > 1 ? `${path} (${count})` : path;
          times.set(key, [...(times.get(key) ?? []), askedMs]);
        }
      }
      const cells = [...times].map(([path, list]) => `${path.replace(/.*\/(?=.)/, "")} ${round(median(list))}`);
      console.log(`${name}: ${cells.join(", ")}`);
    }
  }
}

const BESIDE = "window.fetch beside ";
const ORDER = (name) => (name.startsWith("authsafe") ? 0 : 1);
