// `node tests/theft/main.mjs`: every attack on every configuration, compared with the committed matrix. With AUTHSAFE_BLESS=1
// the matrix and its page are written anew. `--only TEXT` and `--timing NAME` run a part, and print it.
import { writeFileSync } from "node:fs";
import { visitsOf } from "./attacks.mjs";
import { configurations, leaky } from "./configurations.mjs";
import { asJson, differences, inOrder, readCommitted, sameCell, sameConfiguration, write } from "./matrix.mjs";
import { run } from "./run.mjs";
import { blind } from "./self-test.mjs";

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const only = option("--only");
const timing = option("--timing");
const attack = option("--attack");
const part = Boolean(only || timing || attack);
const bless = process.env.AUTHSAFE_BLESS === "1";
const tell = (line) => process.stderr.write(`${line}\n`);

const names = [...configurations, ...(only === "leaky" ? [leaky] : [])].filter(({ name }) => name.includes(only ?? ""));
const visits = (one) =>
  visitsOf(one)
    .filter((plan) => !timing || plan.timing === timing)
    .filter(({ hooks, traps, runs }) => !attack || [...hooks, ...traps, ...runs].some((name) => name.includes(attack)));

if (!part) {
  tell("the client that leaks on purpose:");
  const { rows, problems } = await run({ configurations: [leaky], tell });
  stop([...problems, ...blind(rows).map((what) => `the harness is blind: ${what}`)]);
}
const { rows, problems } = await run({ configurations: names, visits, tell });
const ordered = inOrder(rows, [...configurations, leaky]);
writeFileSync(new URL("../../target/theft/fresh.json", import.meta.url), asJson(ordered));
if (part && !bless) process.stdout.write(asJson(ordered.filter(({ stolen }) => stolen.length > 0)));
stop(problems);
if (bless) {
  // A part takes the place of the same part.
  const rest = part ? readCommitted().filter((row) => !ordered.some((one) => sameCell(one, row))) : [];
  const current = (row) => configurations.some((one) => sameConfiguration(one, row));
  write(inOrder([...rest, ...ordered].filter(current), configurations));
  console.log(`${ordered.length} cells written`);
} else {
  stop(differences(ordered, readCommitted(), !part));
  console.log(`${ordered.length} cells, as in the matrix`);
}

/** Ends with a failure where something is wrong. */
function stop(wrong) {
  if (!wrong.length) return;
  console.error(wrong.join("\n"));
  console.error("If each difference can be explained: AUTHSAFE_BLESS=1 make theft");
  process.exit(1);
}
