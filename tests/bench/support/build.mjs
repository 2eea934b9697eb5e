// Builds one page for each client with Vite, as for production: authsafe from its packed tarball, the peers from npm.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { pack, root } from "../../../tools/pack.mjs";
import { before, built } from "./clients.mjs";

const here = fileURLToPath(new URL("..", import.meta.url));
const place = join(root, "target/bench");

/** The folder that holds the pages, each in a folder of its own. */
export async function buildPages() {
  const app = join(place, "app");
  const pages = join(place, "pages");
  for (const folder of [app, pages]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const { tarball } = pack(app);
  const packages = before ? [tarball, `authsafe-before@file:${resolve(before)}`] : [tarball];
  writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", ...packages], {
    cwd: app,
  });
  cpSync(join(here, "app"), app, { recursive: true });
  mkdirSync(join(app, "node_modules/@auth0"));
  for (const name of ["oidc-client-ts", "@auth0/auth0-spa-js"]) {
    symlinkSync(join(here, "node_modules", name), join(app, "node_modules", name));
  }
  for (const { page, entry, package: name = "authsafe" } of built) {
    await build({
      root: app,
      base: `/${page}/`,
      configFile: false,
      logLevel: "warn",
      resolve: {
        alias: {
          "bench-client": join(app, "clients", `${entry}.js`),
          authsafe: join(app, "node_modules", name, "dist/index.js"),
        },
      },
      build: { outDir: join(pages, page), emptyOutDir: true },
    });
  }
  return pages;
}
