// The matrix: rows of what each attack got, compared with those that are committed, and written as a page to read.
import { readFileSync, writeFileSync } from "node:fs";
import { TIMINGS } from "./attacks.mjs";
import { descriptions } from "./descriptions.mjs";

const committed = new URL("matrix.json", import.meta.url);
const page = new URL("../../docs/theft-matrix.md", import.meta.url);

const keyOf = ({ sdk, storage, isolation, attack, timing }) => [sdk, storage, isolation, attack, timing].join(" | ");

/** The same order every time, whichever lane was quicker. */
export function inOrder(rows, configurations) {
  const place = (row) => configurations.findIndex((one) => sameConfiguration(one, row));
  const number = ({ attack }) => Number(/\d+/.exec(attack)?.[0] ?? 0) + (attack.startsWith("A") ? 100 : 0);
  return [...rows].sort(
    (a, b) =>
      place(a) - place(b) ||
      number(a) - number(b) ||
      (a.attack < b.attack ? -1 : a.attack > b.attack ? 1 : TIMINGS.indexOf(a.timing) - TIMINGS.indexOf(b.timing)),
  );
}

export const sameCell = (one, other) => keyOf(one) === keyOf(other);

export const sameConfiguration = (one, other) =>
  one.sdk === other.sdk && one.storage === other.storage && one.isolation === other.isolation;

export function readCommitted() {
  const configurations = JSON.parse(readFileSync(committed, "utf8"));
  return configurations.flatMap(({ sdk, version, storage, isolation, attacks }) =>
    Object.entries(attacks).flatMap(([attack, timings]) =>
      Object.entries(timings).map(([timing, said]) => {
        const kinds = said ? said.split(", ") : [];
        const stolen = kinds.map((kind) => kind.replace("!", ""));
        const usable = kinds.filter((kind) => kind.endsWith("!")).map((kind) => kind.replace("!", ""));
        return { sdk, version, storage, isolation, attack, timing, stolen, usable };
      }),
    ),
  );
}

export function write(rows) {
  writeFileSync(committed, asJson(rows));
  writeFileSync(page, asPage(rows));
}

/**
 * By configuration, a line for each attack: what it got at each timing, with a `!` where it was usable. So a difference can be
 * read, and a cell that is not there does not apply.
 */
export function asJson(rows) {
  const configurations = rows.filter((row, at) => at === 0 || !sameConfiguration(row, rows[at - 1]));
  const parts = configurations.map((one) => {
    const attacks = new Map();
    for (const { attack, timing, stolen, usable } of rows.filter((row) => sameConfiguration(one, row))) {
      const said = stolen.map((kind) => (usable.includes(kind) ? `${kind}!` : kind)).join(", ");
      attacks.set(attack, { ...attacks.get(attack), [timing]: said });
    }
    const lines = [...attacks].map(([attack, timings]) => `${JSON.stringify(attack)}:${JSON.stringify(timings)}`);
    const { sdk, version, storage, isolation } = one;
    const head = JSON.stringify({ sdk, version, storage, isolation }).slice(0, -1);
    return `${head},"attacks":{\n${lines.join(",\n")}\n}}`;
  });
  return `[\n${parts.join(",\n")}\n]\n`;
}

export const readPage = () => readFileSync(page, "utf8");

/**
 * How a run differs from what is committed. Better and worse are both told: each has to be explained.
 * @param {object[]} fresh Rows of a run, perhaps of a part.
 * @param {object[]} known
 * @param {boolean} whole Whether the run was of everything, so that a row that is missing is a difference as well.
 */
export function differences(fresh, known, whole = false) {
  const before = new Map(known.map((row) => [keyOf(row), row]));
  const told = [];
  for (const row of fresh) {
    const was = before.get(keyOf(row));
    before.delete(keyOf(row));
    if (!was) told.push(`new: ${keyOf(row)}: ${say(row)}`);
    else if (say(was) !== say(row)) {
      const worse = [...row.usable].some((kind) => !was.usable.includes(kind)) || row.stolen.length > was.stolen.length;
      told.push(`${worse ? "worse" : "better"}: ${keyOf(row)}: was ${say(was)}, is ${say(row)}`);
    }
  }
  if (whole) for (const key of before.keys()) told.push(`gone: ${key}`);
  return told;
}

const say = ({ stolen, usable }) => `${stolen.join(", ") || "nothing"} (usable: ${usable.join(", ") || "nothing"})`;

const SHORT = {
  "access token": "AT",
  "refresh token": "RT",
  "ID token": "ID",
  "session cookie": "SID",
  code: "code",
  "code verifier": "verifier",
  "key handle": "key",
  "in-page use": "use",
};

/** A cell: in bold what a server still takes, else what was seen and is worth nothing, else that there was nothing. */
function cell(rows) {
  if (!rows.length) return "";
  const usable = new Set(rows.flatMap((row) => row.usable));
  const stolen = new Set(rows.flatMap((row) => row.stolen));
  const parts = [...stolen].sort().map((kind) => (usable.has(kind) ? `**${SHORT[kind]}**` : SHORT[kind]));
  return parts.join(" ") || "·";
}

export function asPage(rows) {
  const configurations = [];
  for (const row of rows) if (!configurations.some((one) => sameConfiguration(one, row))) configurations.push(row);
  const attacks = [...new Set(rows.map(({ attack }) => attack))].sort(byNumber);
  const parts = [HEAD(configurations)];
  for (const timing of TIMINGS) {
    const these = rows.filter((row) => row.timing === timing);
    if (!these.length) continue;
    parts.push(`\n## ${TITLES[timing]}\n`);
    parts.push(`| attack | ${configurations.map((_, at) => letter(at)).join(" | ")} |`);
    parts.push(`| --- | ${configurations.map(() => "---").join(" | ")} |`);
    for (const attack of attacks) {
      const cells = configurations.map((one) =>
        cell(these.filter((row) => row.attack === attack && sameConfiguration(one, row))),
      );
      if (cells.some(Boolean)) parts.push(`| ${attack} | ${cells.join(" | ")} |`);
    }
  }
  parts.push("\n## What the attacks do\n");
  for (const attack of attacks) parts.push(`- ${attack}: ${descriptions[attack]}.`);
  return `${parts.join("\n")}\n${found(rows, configurations)}`;
}

/** What worked against authsafe, in words: these are its open wounds or its declared limits. */
function found(rows, configurations) {
  const lines = ["", "## What got something usable out of authsafe", ""];
  configurations.forEach((one, at) => {
    if (one.sdk !== "authsafe") return;
    const worked = new Map();
    for (const row of rows.filter((row) => sameConfiguration(one, row) && row.usable.length > 0)) {
      const key = `${row.attack} (${row.usable.join(", ")})`;
      worked.set(key, [...(worked.get(key) ?? []), row.timing]);
    }
    const said = [...worked].map(([key, timings]) => `${key}: ${timings.join(", ")}`);
    lines.push(`- ${letter(at)}, ${one.storage}, ${one.isolation}: ${said.join("; ") || "nothing"}.`);
  });
  return `${lines.join("\n")}\n`;
}

/** A to Z, then AA. */
const letter = (at) => (at < 26 ? "" : letter(Math.floor(at / 26) - 1)) + String.fromCharCode(65 + (at % 26));
const byNumber = (a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)) || (a < b ? -1 : 1);

const TITLES = {
  pre: "Before the client is loaded, on every page of the visit",
  post: "After the client is loaded, before anybody signs in",
  late: "After the sign-in",
  reload: "On the next visit of somebody who was signed in",
  "after-logout": "After the sign-out",
};

function HEAD(configurations) {
  const list = configurations.map(
    ({ sdk, version, storage, isolation }, at) => `| ${letter(at)} | ${sdk} ${version} | ${storage} | ${isolation} |`,
  );
  return `# What script in the page can steal

This page is made by \`make theft\`: attack scripts run in a real Chromium against a real OpenID provider, API and session
server, with every choice of storage and isolation that authsafe offers, and with other clients. The servers tell the harness
every secret that they mint; a sink on another site keeps what the attackers send, and looks for those secrets in it however
they are encoded. What was stolen is then tried away from the browser. A client that leaks on purpose shows that every attack
would be seen.

**Bold** is what a server still took (usable); plain is what was seen and is worth nothing by then: spent, or useless by
itself. \`·\` is nothing; an empty cell is an attack that does not apply. AT: access token. RT: refresh token. ID: ID token.
SID: session cookie. key: a handle to a key that the page can use, and cannot read. use: the attacker had the client make
requests while the page was open, and got no credential. Nothing in a page can stop that last one, nor a new sign-in in a
frame or popup of a provider that knows the person (RFC 10017 §5.1.3, §5.1.4); only a session that a server keeps (column A)
leaves nothing to take along.

Rows of authsafe without DPoP in their name have \`dpop: "never"\`, to show what storage and isolation give by themselves. The
default is \`"auto"\`: tokens are bound (RFC 9449) wherever the provider offers it, as this one does.

|   | client | storage | isolation |
| --- | --- | --- | --- |
${list.join("\n")}`;
}
