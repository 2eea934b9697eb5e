// A real browser, and a server for its pages.
import { chromium } from "@playwright/test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after } from "node:test";

/** The browser that `tools/setup` found, or the usual one of the system, or else Playwright's own. */
const executablePath = [process.env.AUTHSAFE_CHROME, process.env.CHROME, "/usr/bin/chromium"].find(
  (path) => path && existsSync(path),
);
// What a browser does by itself on start has no place in a test; and as root it does not start with its sandbox.
const quiet = "--disable-background-networking --disable-component-update --disable-sync --disable-quic --no-first-run";
const args = [...quiet.split(" "), ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])];

let launching;
after(async () => (await launching)?.close());

/** A page at `address`, in a profile of its own. Its uncaught errors are kept in `page.uncaught`. */
export async function open(t, address) {
  launching ??= chromium.launch({ executablePath, args });
  const context = await (await launching).newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.uncaught = [];
  page.on("pageerror", (error) => page.uncaught.push(error));
  await page.goto(address);
  // The page says so when its modules have been run.
  await page.waitForFunction(() => "authsafe" in window);
  return page;
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Listens on a free port of this machine until the test has ended. */
export async function listen(t, handler) {
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  t.after(() => new Promise((resolve) => (http.close(resolve), http.closeAllConnections())));
  return `http://127.0.0.1:${http.address().port}`;
}

/**
 * Serves a folder. `answers` says for a path what is served instead: a function of the number of the request, which gives
 * `[status, type, body]`, or nothing for the file, or a promise of either. `counts` tells how often each path was asked for.
 */
export async function serve(t, folder, { headers = {}, answers = {} } = {}) {
  const counts = {};
  const origin = await listen(t, async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    counts[pathname] = (counts[pathname] ?? 0) + 1;
    const path = join(folder, pathname === "/" ? "index.html" : pathname);
    const found = existsSync(path) && statSync(path).isFile();
    const file = found
      ? [200, TYPES[extname(path)] ?? "text/plain", readFileSync(path)]
      : [404, "text/html", "nothing"];
    const [status, type, body] = (await answers[pathname]?.(counts[pathname])) ?? file;
    response.writeHead(status, { "content-type": type, "cache-control": "no-store", ...headers }).end(body);
  });
  return { origin, counts };
}
