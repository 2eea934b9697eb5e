import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sessionMounts, startSessionServer } from "./session-server.js";
import { openStore } from "./store.js";
import { makeBrowser } from "./test-client.js";
import { ALICE, visitor } from "./test-visitor.js";
import { makeClock } from "./testing.js";

describe("the session server", () => {
  test("readies the CSRF cookie with the first check, so that the sign-in needs no further request", async () => {
    await withServer({}, async (server) => {
      const alice = visitor(server, "double-submit");
      await alice.get();
      const { attributes, path, value } = alice.browser.cookie("csrf_token");
      assert.deepEqual([attributes.has("httponly"), path], [false, "/"]);
      assert.equal((await alice.post("/login", ALICE, { "x-csrf-token": value })).status, 200);
    });
  });

  test("leaves a usable CSRF cookie after the sign-out and after a refused request", async () => {
    await withServer({}, async (server) => {
      const alice = visitor(server, "double-submit");
      const proof = () => ({ "x-csrf-token": alice.browser.cookie("csrf_token").value });
      await alice.signIn();
      await alice.post("/logout", {}, proof());
      assert.equal((await alice.post("/login", ALICE, proof())).status, 200);
      await server.destroyAllSessions();
      assert.equal((await alice.post("/login", ALICE, proof())).status, 403);
      assert.equal((await alice.post("/login", ALICE, proof())).status, 200);
    });
  });

  test("keeps the three mounts apart in one browser", async () => {
    await withServer({}, async (server) => {
      const browser = makeBrowser();
      await visitor(server, "synchronizer", browser).signIn();
      const found = [];
      for (const kind of Object.keys(sessionMounts)) found.push((await visitor(server, kind, browser).get()).status);
      assert.deepEqual(found, [401, 200, 401]);
    });
  });

  test("prolongs a session by its use where it is set up so, and never by a mere check", async () => {
    const clock = makeClock();
    await withServer({ rolling: "activity", now: clock.now, idleSeconds: 100 }, async (server) => {
      const alice = visitor(server, "static-header");
      await alice.signIn();
      clock.advance(60);
      await alice.get("/api/hello");
      clock.advance(60);
      assert.equal((await alice.get()).status, 200);
      clock.advance(60);
      assert.equal((await alice.get()).status, 401);
    });
  });

  test("still knows a session after it was restarted on the same directory", async () => {
    const dataDir = await mkdtemp(join(tmpdir(), "authsafe-test-"));
    const browser = makeBrowser();
    try {
      await withServer({ dataDir }, (server) => visitor(server, "synchronizer", browser).signIn());
      await withServer({ dataDir }, async (server) => {
        assert.equal((await visitor(server, "synchronizer", browser).get()).body.user.name, "Alice Liddell");
      });
    } finally {
      await rm(dataDir, { recursive: true });
    }
  });
});

async function withServer({ dataDir, ...options }, work) {
  const store = await openStore({ dataDir });
  const server = await startSessionServer({ store, ...options });
  try {
    await work(server);
  } finally {
    await server.close();
    await store.close();
  }
}
