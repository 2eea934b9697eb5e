// Prints what each part of the published package costs to download, brotli at quality 11, and fails above the budget.
// A kilobyte is 1000 bytes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { root, withPacked } from "./pack.mjs";

const parts = [
  { name: "page", budget: 8_000, files: ["dist/index.js"] },
  { name: "signin", budget: 40_000, files: ["dist/index.js", "dist/core.js", "wasm/authsafe_bg.wasm"] },
  // The module that checks the signatures of ID tokens does not exist yet.
  { name: "jwt", budget: 60_000, files: [] },
];

/** The size of one file as a server sends it. */
function compressed(path) {
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return brotliCompressSync(bytes, { params }).length;
}

const measured = withPacked((folder) =>
  parts.map((part) => ({ ...part, size: part.files.reduce((sum, file) => sum + compressed(join(folder, file)), 0) })),
);
for (const { name, size } of measured) console.log(`${name} ${size}`);

// Named parts only, where there are names: `node tools/size.mjs page`.
const judged = process.argv.slice(2);
const over = measured.filter(({ name, size, budget }) => size > budget && (!judged.length || judged.includes(name)));
for (const { name, size, budget } of over) console.error(`size: ${name} is ${size} bytes; its budget is ${budget}`);

const note = join(root, "target/publish/std");
const std = existsSync(note) ? readFileSync(note, "utf8") : "unknown";
if (std !== "small") {
  console.error(
    `size: built with the ${std} standard library, which makes the module larger. 'rustup component add rust-src' brings ` +
      "the source of the small one.",
  );
}
process.exit(over.length ? 1 : 0);
