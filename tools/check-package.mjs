// Checks what would be published: exactly the files of tools/package-files.txt, exactly the exports of
// tools/package-exports.txt, nothing that runs on installation, nothing else to install, no path of this machine.
// `--write` renews the two lists, to be read and committed.
import { readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { root, withPacked } from "./pack.mjs";

const filesList = join(root, "tools/package-files.txt");
const exportsList = join(root, "tools/package-exports.txt");
const faults = [];

/** What a module exports, one `file: name` per line. */
async function exportsOf(file) {
  const { metafile } = await build({
    entryPoints: [join(root, "pkg", file)],
    format: "esm",
    metafile: true,
    write: false,
    outdir: "unused",
    logLevel: "silent",
  });
  const [{ exports }] = Object.values(metafile.outputs);
  return exports.sort().map((name) => `${file}: ${name}`);
}

/** Compares with the committed list, line by line. */
function compare(path, what, now) {
  if (process.argv.includes("--write")) return writeFileSync(path, `${now.join("\n")}\n`);
  const before = readFileSync(path, "utf8").trim().split("\n");
  for (const line of now.filter((line) => !before.includes(line))) faults.push(`${what} is new: ${line}`);
  for (const line of before.filter((line) => !now.includes(line))) faults.push(`${what} is missing: ${line}`);
}

const { manifest, files, leaks } = withPacked((folder, files) => ({
  manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")),
  files,
  leaks: files.filter((file) => {
    const text = readFileSync(join(folder, file), "latin1");
    return [root, `${homedir()}/`].some((path) => text.includes(path));
  }),
}));

compare(filesList, "a packed file", files);
const modules = ["dist/core.js", "dist/index.js", "dist/jwt.js"];
compare(exportsList, "an export", (await Promise.all(modules.map(exportsOf))).flat());
for (const file of manifest.files.filter((file) => !files.includes(file))) faults.push(`listed but not there: ${file}`);
for (const key of [
  "scripts",
  "dependencies",
  "optionalDependencies",
  "peerDependencies",
  "bundleDependencies",
  "gypfile",
]) {
  if (key in manifest) faults.push(`package.json has ${key}`);
}
if (manifest.sideEffects !== false) faults.push("package.json does not say sideEffects: false");
for (const file of leaks) faults.push(`${file} names a path of this machine`);
// Whoever has the instance, its memory or the glue can read the secrets in it.
const core = (await exportsOf("dist/core.js")).map((line) => line.split(": ")[1]);
for (const name of core.filter((name) => /memory|instance|init|wasm|exports|default/i.test(name))) {
  faults.push(`dist/core.js exports ${name}`);
}

for (const fault of faults) console.error(`package: ${fault}`);
process.exit(faults.length ? 1 : 0);
