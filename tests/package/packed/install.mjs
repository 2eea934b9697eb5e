// An application in which the packed tarball is installed, as a person would.
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { pack } from "../../../tools/pack.mjs";

/** The folder of the application. */
export const app = realpathSync(mkdtempSync(join(tmpdir(), "authsafe-app-")));
export const installed = join(app, "node_modules/authsafe");
after(() => rmSync(app, { recursive: true, force: true }));

const { tarball } = pack(app);
writeFileSync(join(app, "package.json"), JSON.stringify({ name: "app", private: true, type: "module" }));
execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", "--loglevel=error", tarball], { cwd: app });

/** Makes a client in the page, and gives what `init()` found: its state, or the error it rejected with. */
export function init(page, isolation = "page") {
  return page.evaluate(async (isolation) => {
    window.auth ??= window.authsafe.createAuthClient({
      mode: "token",
      isolation,
      firstParty: { baseUrl: location.origin, endpoints: { login: "/login" } },
    });
    try {
      return { state: (await window.auth.init()).state, isolation: window.auth.isolation };
    } catch (error) {
      return { error: window.authsafe.AuthError.is(error) ? error.toJSON() : String(error) };
    }
  }, isolation);
}

/** What `init()` finds where nobody is signed in. */
export const NOBODY_IN_WORKER = { state: { status: "unauthenticated", reason: "never" }, isolation: "worker" };
export const NOBODY = { state: { status: "unauthenticated", reason: "never" }, isolation: "page" };
