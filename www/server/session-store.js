/** An express-session store on LevelDB. */
import { Store } from "express-session";

/**
 * Keeps sessions until `expiryOf(session)` (epoch milliseconds).
 *
 * A session that was destroyed leaves a tombstone. Without it, a slow request that read the session before the sign-out
 * would write it back afterwards and sign the user in again.
 */
export class LevelSessionStore extends Store {
  #db;
  #expiryOf;
  #now;

  constructor({ db, expiryOf, now = Date.now }) {
    super();
    this.#db = db;
    this.#expiryOf = expiryOf;
    this.#now = now;
  }

  get(id, callback) {
    answer(callback, async () => {
      const record = await this.#db.get(id);
      return record && !record.destroyed && record.expires > this.#now() ? record.session : null;
    });
  }

  set(id, session, callback) {
    answer(callback, async () => {
      if (this.#db.getSync(id)?.destroyed) return;
      await this.#db.put(id, { session, expires: this.#expiryOf(session) });
    });
  }

  destroy(id, callback) {
    answer(callback, () => this.#bury(id));
  }

  /** Ends every session that `matches`, as an administrator would. Returns how many. */
  async destroyWhere(matches = () => true) {
    let count = 0;
    for await (const [id, record] of this.#db.iterator()) {
      if (record.destroyed || !matches(record.session)) continue;
      await this.#bury(id);
      count += 1;
    }
    return count;
  }

  async #bury(id) {
    await this.#db.put(id, { destroyed: true, expires: this.#now() + TOMBSTONE_MS });
  }
}

/** Longer than any request lives. */
const TOMBSTONE_MS = 10 * 60_000;

/** Runs `work` and calls back outside of its promise, so that a throw in the callback is not taken for a failed read. */
function answer(callback, work) {
  work().then(
    (value) => callback && setImmediate(callback, null, value),
    (error) => callback && setImmediate(callback, error),
  );
}
