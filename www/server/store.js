/**
 * The disk behind every server of the demo: one LevelDB database with a part for each.
 *
 * LevelDB because its package carries the binaries inside, so `npm ci` is all that is needed, and because it is a real
 * store: what it holds survives the process. Every record has `expires` (epoch milliseconds) and is swept once past it.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";

/**
 * Opens the database.
 * @param {{dataDir?: string, now?: () => number}} [options] Without `dataDir` a private temporary directory is made, and
 *   removed by `close`; a directory that was given stays.
 */
export async function openStore({ dataDir, now = Date.now } = {}) {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), "authsafe-demo-")));
  const db = new ClassicLevel(directory, { valueEncoding: "json" });
  await db.open();
  const parts = {};
  for (const name of PARTS) {
    parts[name] = db.sublevel(name, { valueEncoding: "json" });
    // Synchronous reads need a part that is open already.
    await parts[name].open();
  }

  const sweep = async () => {
    for (const name of EXPIRING_PARTS) {
      const part = parts[name];
      for await (const [key, record] of part.iterator()) {
        if (record.expires <= now()) await part.del(key);
      }
    }
  };
  // The store may be closing while a sweep runs; what it did not remove, the next one does.
  const timer = setInterval(() => sweep().catch(() => {}), SWEEP_INTERVAL_MS);
  timer.unref();

  return {
    ...parts,
    directory,
    sweep,
    /** A random key that is made once and then kept, so that what it signed stays valid after a restart. */
    async secret(name) {
      const kept = parts.secrets.getSync(name);
      if (kept) return kept;
      const made = randomBytes(32).toString("base64url");
      await parts.secrets.put(name, made);
      return made;
    },
    async close() {
      clearInterval(timer);
      await db.close();
      if (!dataDir) await rm(directory, { recursive: true, force: true });
    },
  };
}

const EXPIRING_PARTS = ["provider", "sessions", "families", "refreshTokens"];
const PARTS = [...EXPIRING_PARTS, "secrets"];
const SWEEP_INTERVAL_MS = 60_000;
