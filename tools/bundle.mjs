// Bundles pkg/ts into the two modules that are published: index.js, which a page loads at once, and core.js, which it
// loads with the WebAssembly module when it is needed.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const packageRoot = fileURLToPath(new URL("../pkg/", import.meta.url));

const wasm = readFileSync(`${packageRoot}wasm/authsafe_bg.wasm`);

const result = await build({
  absWorkingDir: packageRoot,
  entryPoints: { index: "ts/index.ts", core: "ts/core.ts" },
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  charset: "utf8",
  minify: true,
  legalComments: "none",
  // A wasm that was changed on its way is not run.
  define: { WASM_INTEGRITY: JSON.stringify(`sha384-${createHash("sha384").update(wasm).digest("base64")}`) },
  // index.js asks for core.js at run time, so that a page that needs no credential yet does not pay for it.
  external: ["./core.js"],
  metafile: true,
  logLevel: "warning",
}).catch(() => process.exit(1));

const [index] = Object.entries(result.metafile.outputs).filter(([path]) => path.endsWith("index.js"));
const imports = index[1].imports.map(({ path, kind }) => `${kind} of ${path}`);
if (imports.join() !== "dynamic-import of ./core.js") {
  console.error(
    `bundle: dist/index.js must load exactly core.js, by a dynamic import; it has: ${imports.join(", ") || "none"}`,
  );
  process.exit(1);
}
if (Object.keys(index[1].inputs).some((path) => path.startsWith("wasm/"))) {
  console.error("bundle: dist/index.js contains the glue of the WebAssembly module; only core.js may import it");
  process.exit(1);
}
