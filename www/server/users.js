/**
 * The two people who can sign in to the demo, shared by the provider, the session server and the first-party backend.
 *
 * Their passwords are shown on the sign-in forms on purpose: this is a demo. They are nevertheless compared as salted
 * scrypt hashes, so that nothing here has to be unlearnt by whoever starts from this code.
 */
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

/** What the demo shows beside its sign-in forms. */
export const demoUsers = Object.freeze([
  Object.freeze({ username: "alice", password: "wonderland", name: "Alice Liddell" }),
  Object.freeze({ username: "bob", password: "builder", name: "Bob Baumeister" }),
]);

/**
 * The user whose name and password these are, or `null`. An unknown name costs as much time as a wrong password, so
 * that the answer's delay does not tell which names exist.
 * @param {unknown} username
 * @param {unknown} password
 * @returns {Promise<{sub: string, name: string, email: string, preferred_username: string} | null>}
 */
export async function authenticate(username, password) {
  if (typeof username !== "string" || typeof password !== "string" || password.length > MAX_PASSWORD_LENGTH)
    return null;
  const record = records.find((candidate) => candidate.claims.preferred_username === username) ?? decoy;
  const hash = await derive(password, record.salt, HASH_BYTES);
  return timingSafeEqual(hash, record.hash) && record !== decoy ? record.claims : null;
}

/** The claims of the user with this subject identifier, or `undefined`. */
export function userBySub(sub) {
  return records.find((record) => record.claims.sub === sub)?.claims;
}

const derive = promisify(scrypt);
const HASH_BYTES = 32;
const MAX_PASSWORD_LENGTH = 1024;

function makeRecord({ username, password, name }, index) {
  const salt = randomBytes(16);
  return {
    salt,
    hash: scryptSync(password, salt, HASH_BYTES),
    claims: Object.freeze({
      // An opaque identifier: a relying party that mistakes `sub` for a user name shows it at once.
      sub: `user-${1001 + index}`,
      name,
      email: `${username}@demo.example`,
      preferred_username: username,
    }),
  };
}

const records = demoUsers.map(makeRecord);
const decoy = makeRecord({ username: "", password: randomBytes(32).toString("hex"), name: "" }, -1);
