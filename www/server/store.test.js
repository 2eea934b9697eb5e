import assert from "node:assert/strict";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { levelAdapter } from "./provider-adapter.js";
import { refreshFamilies } from "./refresh-families.js";
import { LevelSessionStore } from "./session-store.js";
import { openStore } from "./store.js";

describe("the store", () => {
  test("removes what has expired, and only that", async () => {
    let at = 1000;
    const store = await openStore({ now: () => at });
    await store.sessions.put("old", { session: {}, expires: 2000 });
    await store.families.put("new", { sub: "a", expires: 2001 });
    at = 2000;
    await store.sweep();
    assert.equal(await store.sessions.get("old"), undefined);
    assert.deepEqual(await store.families.get("new"), { sub: "a", expires: 2001 });
    await store.close();
  });

  test("removes the directory that it made, and keeps one that it was given, with its secrets", async () => {
    const own = await openStore();
    await own.close();
    await assert.rejects(access(own.directory), { code: "ENOENT" });

    const dataDir = await mkdtemp(join(tmpdir(), "authsafe-test-"));
    const secrets = [];
    for (let time = 0; time < 2; time += 1) {
      const given = await openStore({ dataDir });
      secrets.push(await given.secret("session"), await given.secret("session"));
      await given.close();
    }
    await rm(dataDir, { recursive: true });
    assert.equal(secrets[0].length, 43);
    assert.equal(new Set(secrets).size, 1);
  });
});

describe("the session store", () => {
  test("does not let a slow request bring a destroyed session back", async () => {
    const store = await openStore();
    const sessions = sessionStore(store);
    await sessions.set("id", { login: "alice" });
    assert.deepEqual(await sessions.get("id"), { login: "alice" });
    await sessions.destroy("id");
    await sessions.set("id", { login: "alice" });
    assert.equal(await sessions.get("id"), null);
    await store.close();
  });

  test("does not return a session that has expired, swept or not", async () => {
    let at = 1000;
    const store = await openStore();
    const sessions = sessionStore(store, () => at);
    await sessions.set("id", { login: "alice" });
    at = 2000;
    assert.equal(await sessions.get("id"), null);
    await store.close();
  });

  test("reports a failed disk to its caller", async () => {
    const store = await openStore();
    const sessions = sessionStore(store);
    await store.close();
    await assert.rejects(sessions.get("id"), { code: "LEVEL_DATABASE_NOT_OPEN" });
  });
});

describe("the provider's adapter", () => {
  const withAdapters = async (work) => {
    const store = await openStore();
    try {
      await work(levelAdapter(store.provider));
    } finally {
      await store.close();
    }
  };

  test("revokes everything that belongs to a grant, and nothing else", async () => {
    await withAdapters(async (adapter) => {
      const [codes, tokens] = [adapter("AuthorizationCode"), adapter("RefreshToken")];
      await codes.upsert("code", { grantId: "g1" }, 60);
      await tokens.upsert("token", { grantId: "g1" }, 60);
      await tokens.upsert("other", { grantId: "g2" }, 60);
      await tokens.revokeByGrantId("g1");
      assert.equal(await codes.find("code"), undefined);
      assert.equal(await tokens.find("token"), undefined);
      assert.deepEqual(await tokens.find("other"), { grantId: "g2" });
    });
  });

  test("marks a token as used, and does not find one that has expired", async () => {
    await withAdapters(async (adapter) => {
      const tokens = adapter("RefreshToken");
      await tokens.upsert("token", { grantId: "g" }, 60);
      await tokens.consume("token");
      assert.ok((await tokens.find("token")).consumed > 0);
      await tokens.upsert("old", {}, -1);
      assert.equal(await tokens.find("old"), undefined);
    });
  });

  test("finds a session by its uid also after its identifier changed, in whichever order that is written", async () => {
    await withAdapters(async (adapter) => {
      const sessions = adapter("Session");
      await sessions.upsert("first", { uid: "u" }, 60);
      await sessions.upsert("second", { uid: "u" }, 60);
      await sessions.destroy("first");
      assert.deepEqual(await sessions.findByUid("u"), { uid: "u" });
      await sessions.destroy("second");
      assert.equal(await sessions.findByUid("u"), undefined);
    });
  });
});

describe("a family of refresh tokens", () => {
  test("lets one of two uses through that come in the same instant, and ends", async () => {
    const store = await openStore();
    const families = refreshFamilies({ store, now: Date.now, lifetimes: { refreshTokenSeconds: 60 } });
    const token = await families.start("alice");
    const [first, second] = await Promise.all([families.rotate(token), families.rotate(token)]);
    assert.equal(first.sub, "alice");
    assert.deepEqual(second, { reused: true });
    assert.deepEqual(await families.rotate(first.token), { reused: false });
    await store.close();
  });
});

function sessionStore(store, now = () => 1000) {
  const sessions = new LevelSessionStore({ db: store.sessions, now, expiryOf: () => 2000 });
  return Object.fromEntries(["get", "set", "destroy"].map((name) => [name, promisify(sessions[name].bind(sessions))]));
}
