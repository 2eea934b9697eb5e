// Copies the type declarations that an application can reach from index.d.ts: those of the inner modules stay out of the
// package. `node tools/declarations.mjs FROM TO`.
import { cpSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const [from, to] = process.argv.slice(2);
const reached = new Set();

function follow(file) {
  if (reached.has(file)) return;
  reached.add(file);
  for (const [, target] of readFileSync(join(from, file), "utf8").matchAll(
    /(?:from|import)\s*\(?\s*"(\.[^"]+)\.js"/g,
  )) {
    follow(join(dirname(file), `${target}.d.ts`));
  }
}

follow("index.d.ts");
follow("jwt.d.ts");
for (const file of reached) cpSync(join(from, file), join(to, file), { recursive: true });
