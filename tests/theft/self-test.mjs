// Judges the harness by the client that leaks on purpose: an attack that finds nothing there would find nothing anywhere.
import { visitsOf } from "./attacks.mjs";
import { leaky } from "./configurations.mjs";

/** The attacks, by timing, that got nothing from `leaky`, and should have. */
export function blind(rows) {
  const lit = new Set(
    rows.filter(({ stolen }) => stolen.length > 0).map(({ attack, timing }) => `${attack}, ${timing}`),
  );
  const expected = visitsOf(leaky)
    .filter(({ timing }) => !["reload", "after-logout"].includes(timing))
    .flatMap(({ timing, hooks, traps, runs }) => [...hooks, ...traps, ...runs].map((attack) => `${attack}, ${timing}`));
  return expected.filter((one) => !lit.has(one));
}
