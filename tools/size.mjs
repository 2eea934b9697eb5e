// Prints what each part of the published package costs to download, brotli at quality 11, and fails above the budget.
// With `--no-growth`, it fails where a part is larger than README.md says, and not above the budget. A kilobyte is 1000 bytes.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { root, withPacked } from "./pack.mjs";

/** Compilers of different versions differ by a little. */
const TOLERANCE = 1.05;

const parts = [
  { name: "page", budget: 8_000, files: ["dist/index.js"] },
  { name: "signin", budget: 40_000, files: ["dist/index.js", "dist/worker.js", "wasm/authsafe_bg.wasm"] },
  { name: "jwt", budget: 60_000, files: ["wasm/authsafe_jwt_bg.wasm"] },
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

/** Where growth begins. What README.md says was measured with the small standard library. */
function grown(name) {
  return std === "small" ? published(name) * TOLERANCE : Infinity;
}

/** What README.md's table says of a part: name, what it is, measured, budget. */
function published(name) {
  const cells = readme.split("\n").map((line) => line.split("|").map((cell) => cell.trim()));
  const size = cells.find(([, part]) => part === `\`${name}\``)?.[3]?.replaceAll(",", "");
  if (!/^\d+$/.test(size)) throw new Error(`README.md has no measured size of ${name}`);
  return Number(size);
}

const readme = readFileSync(join(root, "README.md"), "utf8");
const note = join(root, "target/publish/std");
const std = existsSync(note) ? readFileSync(note, "utf8") : "unknown";
const growth = process.argv.includes("--no-growth");
const limits = measured.map((part) => ({ ...part, limit: growth ? grown(part.name) : part.budget }));
const over = limits.filter(({ size, limit }) => size > limit);
for (const { name, size, limit } of over) {
  const what = growth ? `README.md says ${published(name)}` : `its budget is ${limit}`;
  console.error(`size: ${name} is ${size} bytes; ${what}`);
}

if (std !== "small") {
  console.error(
    `size: built with the ${std} standard library, which makes the module larger. 'rustup component add rust-src' brings ` +
      "the source of the small one.",
  );
}
process.exit(over.length ? 1 : 0);
