// The packed tarball in an application that Vite builds, and that it serves while the application is written.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { build, createLogger, createServer, preview } from "vite";
import { open } from "../support/browser.mjs";
import { app, init, NOBODY, NOBODY_IN_WORKER } from "./install.mjs";

const root = join(app, "vite");

before(() => {
  mkdirSync(root);
  writeFileSync(join(root, "index.html"), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(
    join(root, "main.js"),
    'import * as authsafe from "authsafe";\nimport wasm from "authsafe/authsafe.wasm?url";\nObject.assign(window, { authsafe, wasm });',
  );
});

/** Vite's options: none that authsafe would need. What Vite complains about is kept in `complaints`. */
function configure() {
  const complaints = [];
  const keep = (message) => complaints.push(message);
  const logger = { ...createLogger("silent"), warn: keep, warnOnce: keep, error: keep };
  const local = { host: "127.0.0.1", port: 0 };
  const fs = { strict: true, allow: [app] };
  const config = {
    root,
    configFile: false,
    logLevel: "silent",
    customLogger: logger,
    server: { ...local, fs },
    preview: local,
  };
  return { config: { ...config, cacheDir: join(root, ".vite") }, complaints };
}

const address = ({ httpServer }) => `http://127.0.0.1:${httpServer.address().port}`;

async function works(t, server) {
  const page = await open(t, address(server));
  assert.deepEqual(await init(page), NOBODY);
  const isolated = await open(t, address(server));
  assert.deepEqual(await init(isolated, "required"), NOBODY_IN_WORKER);
  // The same file by its public name, for hosts on which it is not found by itself.
  const other = await open(t, address(server));
  await other.evaluate(() => window.authsafe.setWasmSource(window.wasm));
  assert.deepEqual(await init(other), NOBODY);
  assert.deepEqual([...page.uncaught, ...other.uncaught], []);
}

test("an application that Vite built loads the core from its own assets", async (t) => {
  const { config, complaints } = configure();
  await build(config);
  assert.deepEqual(complaints, []);
  const assets = readdirSync(join(root, "dist/assets"));
  assert.ok(
    assets.some((name) => /^authsafe_jwt_bg.*\.wasm$/.test(name)),
    `no module for ID tokens in ${assets}`,
  );
  const server = await preview(config);
  t.after(() => server.close());
  await works(t, server);
});

test("an application that Vite serves while it is written loads the core, without an option for it", async (t) => {
  const { config, complaints } = configure();
  const server = await createServer(config);
  t.after(() => server.close());
  await server.listen();
  await works(t, server);
  assert.deepEqual(complaints, []);
});
