/**
 * Refresh tokens that are replaced at every use (RFC 9700 §4.14.2).
 *
 * All tokens that descend from one sign-in are a family. A token that comes a second time has been copied, and it cannot
 * be told which of the two holders is the thief, so the whole family ends. Only hashes are stored.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";

/**
 * @param {{store: object, now: () => number, lifetimes: {refreshTokenSeconds: number}}} options
 */
export function refreshFamilies({ store, now, lifetimes }) {
  // To look a token up and to mark it used are two steps: without a queue, two requests could both get through.
  let queue = Promise.resolve();
  const inTurn = (work) => {
    const result = queue.then(work);
    queue = result.catch(() => {});
    return result;
  };

  const issue = async (familyId, expires) => {
    const token = randomBytes(32).toString("base64url");
    await store.refreshTokens.put(hash(token), { familyId, used: false, expires });
    return token;
  };

  /** The family's record while it may be used, else `undefined`. */
  const alive = async (familyId) => {
    const family = await store.families.get(familyId);
    return family && !family.revoked && family.expires > now() ? family : undefined;
  };

  const revoke = async (familyId) => {
    const family = await alive(familyId);
    if (!family) return false;
    await store.families.put(familyId, { ...family, revoked: true });
    return true;
  };

  return {
    /** The first token of a new family. */
    async start(sub) {
      const familyId = randomUUID();
      const expires = now() + lifetimes.refreshTokenSeconds * 1000;
      await store.families.put(familyId, { sub, revoked: false, expires });
      return issue(familyId, expires);
    },

    /**
     * Exchanges a token for its successor, which ends when the family does.
     * @returns {Promise<{sub: string, token: string} | {reused: boolean}>} `reused`: this very call ended the family.
     */
    rotate: (token) =>
      inTurn(async () => {
        const record = await store.refreshTokens.get(hash(token));
        const family = record && (await alive(record.familyId));
        if (!family) return { reused: false };
        if (record.used) return { reused: await revoke(record.familyId) };
        await store.refreshTokens.put(hash(token), { ...record, used: true });
        return { sub: family.sub, token: await issue(record.familyId, family.expires) };
      }),

    /** Ends the family of this token. Whether there was one to end. */
    end: (token) =>
      inTurn(async () => {
        const record = await store.refreshTokens.get(hash(token));
        return record ? revoke(record.familyId) : false;
      }),

    /** Ends every family, as an operator would. Returns how many. */
    endAll: () =>
      inTurn(async () => {
        let count = 0;
        for await (const familyId of store.families.keys()) count += (await revoke(familyId)) ? 1 : 0;
        return count;
      }),
  };
}

function hash(token) {
  return createHash("sha256").update(String(token)).digest("base64url");
}
