/** Where oidc-provider keeps its codes, tokens, grants and sessions: LevelDB instead of its development-only memory. */

/**
 * An adapter factory as oidc-provider wants it.
 * @param {import("abstract-level").AbstractSublevel} db
 * @param {{reuseGraceSeconds?: number}} [lifetimes] Read at every use. For so long after a refresh token was rotated, it is
 *   taken once more instead of ending its grant: its answer may have been lost on the way.
 */
export function levelAdapter(db, lifetimes = {}) {
  return (model) => new LevelAdapter(db, model, lifetimes);
}

class LevelAdapter {
  #db;
  #model;
  #lifetimes;

  constructor(db, model, lifetimes) {
    this.#db = db;
    this.#model = model;
    this.#lifetimes = lifetimes;
  }

  async upsert(id, payload, expiresIn) {
    const expires = Date.now() + (expiresIn ?? FOREVER_SECONDS) * 1000;
    const key = this.#key(id);
    const writes = [{ type: "put", key, value: { payload, expires } }];
    if (this.#model === "Session") writes.push({ type: "put", key: uidKey(payload.uid), value: { id, expires } });
    if (payload.grantId) writes.push({ type: "put", key: grantKey(payload.grantId, key), value: { key, expires } });
    await this.#db.batch(writes);
  }

  async find(id) {
    const record = await this.#db.get(this.#key(id));
    if (!record || record.expires <= Date.now()) return undefined;
    const { consumed, ...unused } = record.payload;
    return consumed && this.#isGraceful(consumed) ? unused : record.payload;
  }

  async findByUid(uid) {
    const entry = await this.#db.get(uidKey(uid));
    return entry && this.find(entry.id);
  }

  /** Only the device flow asks for this, and the demo does not offer it. */
  async findByUserCode() {
    return undefined;
  }

  async consume(id) {
    const record = this.#db.getSync(this.#key(id));
    if (!record) return;
    record.payload.consumed = Math.floor(Date.now() / 1000);
    await this.#db.put(this.#key(id), record);
  }

  async destroy(id) {
    const record = this.#db.getSync(this.#key(id));
    await this.#db.del(this.#key(id));
    const uid = this.#model === "Session" ? record?.payload.uid : undefined;
    // A session that only changed its identifier keeps its uid, and the index may name the new one already.
    if (uid && this.#db.getSync(uidKey(uid))?.id === id) await this.#db.del(uidKey(uid));
  }

  async revokeByGrantId(grantId) {
    const prefix = grantKey(grantId, "");
    for await (const [indexKey, { key }] of this.#db.iterator({ gte: prefix, lt: `${prefix}\uffff` })) {
      await this.#db.batch([
        { type: "del", key },
        { type: "del", key: indexKey },
      ]);
    }
  }

  #isGraceful(consumed) {
    const seconds = this.#model === "RefreshToken" ? (this.#lifetimes.reuseGraceSeconds ?? 0) : 0;
    return Date.now() / 1000 < consumed + seconds;
  }

  #key(id) {
    return `model:${this.#model}:${id}`;
  }
}

const uidKey = (uid) => `uid:${uid}`;
const grantKey = (grantId, key) => `grant:${grantId}:${key}`;
/** For the few records that oidc-provider saves without a lifetime. */
const FOREVER_SECONDS = 365 * 24 * 3600;
