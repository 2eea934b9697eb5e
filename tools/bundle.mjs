// Bundles pkg/ts into the modules that are published: index.js, which a page loads at once; worker.js, in which the core runs;
// core.js, which a page loads where the core runs in the page; and jwt.js, for applications that verify tokens themselves.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { glue, plainGlue } from "./glue.mjs";

const packageRoot = fileURLToPath(new URL("../pkg/", import.meta.url));

/** A wasm that was changed on its way is not run. */
function integrity(file) {
  const digest = createHash("sha256").update(readFileSync(`${packageRoot}wasm/${file}`));
  return JSON.stringify(`sha256-${digest.digest("base64")}`);
}

const common = {
  absWorkingDir: packageRoot,
  outdir: "dist",
  bundle: true,
  format: "esm",
  target: "es2022",
  platform: "browser",
  charset: "utf8",
  minify: true,
  legalComments: "none",
  define: {
    WASM_INTEGRITY: integrity("authsafe_bg.wasm"),
    JWT_INTEGRITY: integrity("authsafe_jwt_bg.wasm"),
  },
  metafile: true,
  logLevel: "warning",
};

function failed(what) {
  console.error(`bundle: ${what}`);
  process.exit(1);
}

const [page, worker] = await Promise.all([
  build({
    ...common,
    entryPoints: { index: "ts/index.ts", core: "ts/core.ts" },
    // index.js asks for core.js at run time, so that a page that needs no credential yet does not pay for it.
    external: ["./core.js"],
    plugins: [glue],
  }),
  // A worker begins with one file: what it would import, it would wait for. Who verifies tokens takes jwt.js alone.
  build({ ...common, entryPoints: { worker: "ts/worker.ts", jwt: "ts/jwt.ts" }, plugins: [plainGlue] }),
]).catch(() => process.exit(1));

const outputs = Object.entries({ ...page.metafile.outputs, ...worker.metafile.outputs });
const output = (name) => outputs.find(([path]) => path.endsWith(name))[1];
const imports = output("index.js").imports.map(({ path, kind }) => `${kind} of ${path}`);
if (imports.join() !== "dynamic-import of ./core.js") {
  failed(`dist/index.js must load exactly core.js, by a dynamic import; it has: ${imports.join(", ") || "none"}`);
}
for (const name of ["worker.js", "jwt.js"]) {
  if (output(name).imports.length) failed(`dist/${name} must be complete in itself`);
}
if (Object.keys(output("index.js").inputs).some((path) => path.startsWith("wasm/"))) {
  failed("dist/index.js contains the glue of the WebAssembly module");
}
