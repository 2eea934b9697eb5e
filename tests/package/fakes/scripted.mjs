// Loads the TypeScript layer around a scripted core, in plain Node.
import { build } from "esbuild";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The smallest module there is: the magic word and the version. */
export const EMPTY_WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

/** The state of somebody who is signed in, as the core tells it: a new object each time. */
export const signedIn = (more = {}) => ({
  status: "authenticated",
  user: { sub: "ada", name: "Ada" },
  session: { sub: "ada", clockSkew: 0 },
  freshness: "fresh",
  ...more,
});

/**
 * Builds pkg/ts as the package does, with the scripted glue in the place of the real one, and imports it. Each call gives a
 * copy of its own in which nothing is loaded yet.
 */
export async function layer(t) {
  const folder = mkdtempSync(join(tmpdir(), "authsafe-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  const bundle = (entries, external) => ({
    absWorkingDir: root,
    entryPoints: entries.map((name) => `pkg/ts/${name}.ts`),
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2022",
    external,
    // What these tests serve is no file of any version.
    define: { WASM_INTEGRITY: '""', JWT_INTEGRITY: '""' },
    logLevel: "warning",
    plugins: [
      {
        name: "scripted-glue",
        setup({ onResolve }) {
          const path = join(root, "tests/package/fakes/authsafe.js");
          onResolve({ filter: /^\.\/(jwt-)?glue\.js$/ }, () => ({ path }));
        },
      },
    ],
  });
  await Promise.all([build(bundle(["index", "core"], ["./core.js"])), build(bundle(["worker"]))]);
  const script = { modules: [], cores: [], calls: [], answers: {} };
  globalThis.isSecureContext = true;
  globalThis.scriptedModules = script.modules;
  globalThis.scriptedCore = (options, host) => makeCore(script, options, host);
  t.after(() => {
    delete globalThis.isSecureContext;
    delete globalThis.scriptedModules;
    delete globalThis.scriptedCore;
  });
  const authsafe = await import(pathToFileURL(join(folder, "index.js")).href);
  return { ...authsafe, folder, script };
}

/** As `layer`, with a client that needs no network for its start. */
export async function client(t, config = { mode: "token", isolation: "page" }, answers = {}) {
  const made = await layer(t);
  made.setWasmSource(EMPTY_WASM);
  Object.assign(made.script.answers, answers);
  return { ...made, auth: made.createAuthClient(config) };
}

// Each method answers what the script says: a value, or a function of the arguments (which may throw).
function makeCore(script, options, host) {
  if (script.answers.constructor !== Object) throw script.answers.constructor;
  const core = { options, host };
  const methods =
    "init login logout refresh revoke check extend accessToken idTokenClaims authorize answered snapshot dispose";
  for (const method of methods.split(" ")) {
    core[method] = (...args) => {
      script.calls.push([method, ...args]);
      const answer = method in script.answers ? script.answers[method] : DEFAULTS[method];
      const given = typeof answer === "function" ? answer(...args) : answer;
      // The core hands out what a request needs as text.
      return method === "authorize" ? Promise.resolve(given).then((grant) => grant && JSON.stringify(grant)) : given;
    };
  }
  script.cores.push(core);
  return core;
}

const DEFAULTS = {
  init: async () => ({}),
  snapshot: () => ({ status: "unauthenticated", reason: "never" }),
};

/** Resolves when `condition` holds; for what happens in a later turn without telling. */
export async function until(condition) {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** What is reported as uncaught during a test, instead of ending the process. */
export function uncaught(t) {
  const found = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => found.push(error));
  t.after(() => {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  });
  return found;
}
