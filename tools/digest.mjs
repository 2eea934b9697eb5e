// Prints one digest of files and folders, by path and content: two equal digests mean that nothing has to be built again.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** Every file below `path`, in an order that does not depend on the file system. */
function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

const hash = createHash("sha256");
for (const file of process.argv.slice(2).flatMap(filesBelow)) {
  hash.update(file).update("\0").update(readFileSync(file)).update("\0");
}
console.log(hash.digest("hex").slice(0, 32));
