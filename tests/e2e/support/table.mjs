// Prints what the tests of conformance.spec.mjs found as a table, rule by rule, and fails where one did not pass. With
// AUTHSAFE_BLESS=1 it writes docs/conformance.md anew.
import { readFileSync, writeFileSync } from "node:fs";
import { BEYOND, GAPS, PLANS, WITHOUT, profileOf } from "./plans.mjs";

const page = new URL("../../../docs/conformance.md", import.meta.url);
const HEAD = ["profile", "test", "rule", "expected", "result"];

/** For Playwright: what the table says about a test. */
export const about = ({ rule, expected }) => ({
  annotation: [
    { type: "rule", description: rule },
    { type: "expected", description: expected },
  ],
});

/**
 * The rows, in the order of the plans: of the tests, and of what has none.
 *
 * @param {{title: string, rule: string, expected: string, result: string}[]} tests
 */
export function rowsOf(tests) {
  const named = tests.map(({ title, ...rest }) => ({ module: title.split(": ")[0], title, ...rest }));
  const without = Object.entries(WITHOUT).map(([module, [rule, result]]) => row(module, module, rule, result));
  const gaps = GAPS.map(([module, sentence, rule, result]) => row(module, `${module}: ${sentence}`, rule, result));
  const all = [...named, ...without, ...gaps];
  const order = [...new Set(Object.values(PLANS).flat())];
  const place = ({ module }) => (order.includes(module) ? order.indexOf(module) : order.length);
  return all
    .sort((one, other) => place(one) - place(other))
    .map(({ module, title, rule, expected, result }) => [profileOf(module), title, rule, expected, result]);
}

const row = (module, title, rule, result) => ({ module, title, rule, expected: "", result });

/** The modules of the plans that have neither a test nor a reason. */
export function forgotten(titles) {
  const known = new Set([...titles.map((title) => title.split(": ")[0]), ...Object.keys(WITHOUT)]);
  return Object.values(PLANS)
    .flat()
    .filter((module) => !known.has(module));
}

/** The committed page. */
export function pageOf(tests) {
  const rows = rowsOf(tests);
  const table = (part) =>
    [HEAD.slice(1), HEAD.slice(1).map(() => "---"), ...part.map((cells) => cells.slice(1))]
      .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`)
      .join("\n");
  const profiles = [...new Set(rows.map(([profile]) => profile))];
  const sections = profiles.map((profile) => {
    const heading = profile === BEYOND ? "Beyond the plans" : profile;
    return `## ${heading}\n\n${table(rows.filter(([other]) => other === profile))}\n`;
  });
  return `${INTRODUCTION}\n${sections.join("\n")}`;
}

export const committed = () => readFileSync(page, "utf8");

const INTRODUCTION = `# The rules of the OpenID certification, one by one

This page is made by \`AUTHSAFE_BLESS=1 make conformance\`, which runs \`tests/e2e/conformance.spec.mjs\`: a real Chromium signs in at
a provider that signs for real and misbehaves in one way, and then nobody may be signed in, who was signed in before must still be,
and no secret may reach a server that it is not meant for.

These are our own tests of the same rules, and not a certification: the OpenID Foundation has not looked at them. They are named
after the modules of its conformance suite, by the plans that they are part of: Basic, Config and Refresh Token; "Comprehensive" has
modules that belong to no profile. What has no test says why. "Not yet" is a rule that authsafe does not keep.
`;

export default class Table {
  results = new Map();
  faults = [];

  onBegin(config, suite) {
    this.suite = suite;
  }

  printsToStdio() {
    return true;
  }

  onTestEnd(test, { status, errors }) {
    process.stderr.write(`${status === "passed" ? "." : "F"}`);
    this.results.set(test, status === "passed" ? "passes" : `FAILS (${status})`);
    if (status !== "passed") this.faults.push([test.title, ...errors.map(({ message }) => message)].join("\n"));
  }

  /** In the order of the file, whoever ended first. */
  tests() {
    return this.suite.allTests().flatMap((test) => {
      const told = (type) => test.annotations.find((annotation) => annotation.type === type)?.description;
      const row = {
        rule: told("rule"),
        expected: told("expected"),
        result: this.results.get(test) ?? "FAILS (not run)",
      };
      return row.rule ? [{ title: test.title, ...row }] : [];
    });
  }

  onError({ message }) {
    this.faults.push(message);
  }

  onEnd({ status }) {
    process.stderr.write("\n");
    const tests = this.tests();
    print([HEAD, ...rowsOf(tests)]);
    const passed = tests.filter(({ result }) => result === "passes").length;
    const rest = Object.keys(WITHOUT).length + GAPS.length;
    console.log(
      `\n${passed} of ${tests.length} tests pass; ${rest} have no test, and say why (${GAPS.length} are not kept yet)`,
    );
    for (const fault of this.faults) console.error(`\n${fault}`);
    if (status === "passed" && process.env.AUTHSAFE_BLESS === "1") writeFileSync(page, pageOf(tests));
  }
}

/** In columns as wide as their widest cell; the last one runs on. */
function print(rows) {
  const widths = HEAD.map((_, at) => Math.max(...rows.map((cells) => cells[at].length)));
  for (const cells of rows) {
    console.log(cells.map((cell, at) => (at < HEAD.length - 1 ? cell.padEnd(widths[at]) : cell)).join("  "));
  }
}
