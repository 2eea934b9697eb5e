// The attackers' script: the files of attacks/, in one scope, and what the harness tells it.
import { readFileSync } from "node:fs";

const source = ["kit", "hooks", "reads", "acts", "main"]
  .map((name) => readFileSync(new URL(`attacks/${name}.js`, import.meta.url), "utf8"))
  .join("\n");

/**
 * The script as text. It sets what it is told to set, in the top frame of the victim's origin alone.
 * @param {object} given See `attacks/kit.js`.
 * @param {{hooks?: string[], traps?: string[]}} [set]
 */
export function attackScript(given, { hooks = [], traps = [] } = {}) {
  const start = `control.hook(${JSON.stringify(hooks)}); control.trap(${JSON.stringify(traps)});`;
  return `(() => {
    if (top !== self || origin !== ${JSON.stringify(given.page)} || opener) return;
    const given = ${JSON.stringify(given)};
    ${source}
    ${start}
  })()`;
}

/** The names in the tables of attacks/, which are the attacks there are. */
export const attackNames = Object.fromEntries(
  ["hooks", "reads", "acts", "rivals", "traps"].map((table) => [table, namesOf(table)]),
);

function namesOf(table) {
  const from = source.indexOf(`const ${table} = {`);
  const body = source.slice(from, source.indexOf("\n};", from));
  return [...body.matchAll(/^  (?:async )?"([^"]+)"\(/gm)].map(([, name]) => name);
}
