// The clients to compare with, as modules that a page can load without a bundler.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const inRoot = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

export function buildPeers() {
  return build({
    absWorkingDir: inRoot(""),
    entryPoints: {
      "auth0-spa-js": "@auth0/auth0-spa-js",
      "oidc-client-ts": "oidc-client-ts",
      "oidc-spa": "tests/theft/peers/oidc-spa.js",
    },
    outdir: "target/theft/peers",
    entryNames: "[name]",
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"production"' },
  });
}
