/** The demo page's server: static files under a strict policy, and `config.json`, which tells the page what runs where. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import express from "express";
import { listen, reservePort } from "./listen.js";

/** By this a second start recognises the demo that runs already. */
export const APPLICATION = "authsafe-demo";

/**
 * @param {object} options
 * @param {() => object} options.config What `config.json` says, besides `application`.
 * @param {string[]} options.connectTo Origins that the page's script may call.
 * @param {string[]} options.formTargets Origins that the page may send a form to.
 * @param {import("express").Router[]} [options.routers] Backends that share the page's origin.
 * @param {Record<string, string | {dir: string, csp?: string | false, headers?: object}>} [options.extraStatic] More
 *   folders to serve, by path. `csp` replaces the page's policy there; `false` sends none. `headers` are sent along.
 * @param {number} [options.port]
 * @param {string} [options.root] The folder of the page's files.
 * @param {string} [options.packageRoot] The folder of the npm package.
 */
export async function startPage(options) {
  const { config, connectTo, formTargets, routers = [], extraStatic = {}, root = WWW, packageRoot = PACKAGE } = options;
  const port = options.port || (await reservePort());
  const url = `http://localhost:${port}`;
  const app = express().disable("x-powered-by");
  const csp = contentSecurityPolicy({ connectTo, formTargets });
  app.use((req, res, next) => {
    res.set({
      "Content-Security-Policy": csp,
      "Referrer-Policy": "no-referrer",
      "X-Content-Type-Options": "nosniff",
      // Revalidate always: after a rebuild, the page that is looked at is the page that was built.
      "Cache-Control": "no-cache",
    });
    next();
  });

  app.get("/config.json", (req, res) => res.json({ application: APPLICATION, pageUrl: url, ...config() }));
  for (const router of routers) app.use(router);
  for (const [path, entry] of Object.entries(extraStatic)) serveExtra(app, path, entry);

  app.get(["/", "/callback"], (req, res) => res.sendFile("index.html", { root, ...UNCACHED }));
  app.get("/demo.css", (req, res) => res.sendFile("demo.css", { root, ...UNCACHED }));
  app.use("/demo", express.static(join(root, "demo"), STATIC));
  // The package as a bundler-free page loads it: its two folders, side by side as in the tarball.
  app.use("/authsafe/dist", express.static(join(packageRoot, "dist"), STATIC));
  app.use("/authsafe/wasm", express.static(join(packageRoot, "wasm"), STATIC));

  app.use((req, res) => res.status(404).type("text").send("Not found\n"));
  app.use((error, req, res, next) => {
    // A file that has not been built yet is not there; that is no failure of the server.
    if (error.status === 404) return res.status(404).type("text").send("Not found\n");
    next(error);
  });
  const server = await listen(app, { port });
  return { ...server, url };
}

/** Everything from this origin, wasm but no `eval`, no inline script or style, and no calls but to the demo's servers. */
function contentSecurityPolicy({ connectTo, formTargets }) {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", ...connectTo].join(" ")}`,
    `form-action ${["'self'", ...formTargets].join(" ")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

function serveExtra(app, path, entry) {
  const { dir, csp, headers = {} } = typeof entry === "string" ? { dir: entry } : entry;
  app.use(path, (req, res, next) => {
    res.set(headers);
    if (csp === false) res.removeHeader("Content-Security-Policy");
    else if (csp) res.set("Content-Security-Policy", csp);
    next();
  });
  app.use(path, express.static(dir, { ...STATIC, index: "index.html" }));
}

const UNCACHED = { cacheControl: false };
const STATIC = { ...UNCACHED, index: false, redirect: false, dotfiles: "ignore" };
const WWW = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = fileURLToPath(new URL("../../pkg", import.meta.url));
