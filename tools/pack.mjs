// Packs the npm package as it would be published. `node tools/pack.mjs FOLDER` writes the tarball there and prints its path.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../", import.meta.url));

/** Packs `pkg/` into `folder`. Returns the tarball's path and the paths of the files in it, sorted. */
export function pack(folder) {
  // npm takes these from the package's own folder only; the ones that people edit are at the root.
  for (const name of ["README.md", "LICENSE-MIT", "LICENSE-APACHE"])
    copyFileSync(join(root, name), join(root, "pkg", name));
  const args = ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", resolve(folder)];
  const report = JSON.parse(execFileSync("npm", args, { cwd: join(root, "pkg"), encoding: "utf8" }));
  const [{ filename, files }] = Array.isArray(report) ? report : Object.values(report);
  return { tarball: join(resolve(folder), filename), files: files.map(({ path }) => path).sort() };
}

/** Packs and unpacks in a folder that is gone afterwards, and hands `use` the folder and the list of files. */
export function withPacked(use) {
  const folder = mkdtempSync(join(tmpdir(), "authsafe-pack-"));
  try {
    const { tarball, files } = pack(folder);
    execFileSync("tar", ["-xzf", tarball, "-C", folder]);
    return use(join(folder, "package"), files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv[2]) {
    console.error("usage: node tools/pack.mjs FOLDER");
    process.exit(1);
  }
  console.log(pack(process.argv[2]).tarball);
}
