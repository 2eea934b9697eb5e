/** Proofs of possession at the protected API (RFC 9449): judged by `oauth4webapi`; each is taken once, with a nonce if wanted. */
import { randomBytes } from "node:crypto";
import { decodeJwt } from "jose";
import * as oauth from "oauth4webapi";

/** What a refusal names, so that clients know what to sign with. */
export const ALGORITHMS = 'algs="ES256"';

/**
 * @param {object} options
 * @param {Map<string, {jwks(): object}>} options.keySets Of each issuer, as `jose` has fetched them.
 * @param {string} options.audience The API's own address.
 * @param {() => number} options.now Epoch milliseconds.
 */
export function createProofCheck({ keySets, audience, now }) {
  const taken = new Map();
  const settings = { requireNonce: false, exposeNonce: true };
  let nonces = [newNonce()];

  const isFresh = (jti) => {
    for (const [old, end] of taken) if (end <= now()) taken.delete(old);
    if (taken.has(jti)) return false;
    taken.set(jti, now() + WINDOW_MS);
    return true;
  };

  return {
    /** `requireNonce`: every proof must have one of ours; `exposeNonce`: script may read it. Both may change while running. */
    settings,
    /** From now on the nonces that were told are of no use. */
    forgetNonces() {
      nonces = [newNonce()];
    },
    /** From now on another nonce is told; the one before is still good. */
    rotateNonce() {
      nonces = [newNonce(), nonces[0]];
    },
    get nonce() {
      return settings.requireNonce ? nonces[0] : undefined;
    },
    /** Why a request with a good token of this issuer proves nothing; nothing, where its sender has the token's key. */
    async fault(req, issuer) {
      const request = new Request(audience + req.originalUrl, {
        method: req.method,
        headers: { authorization: req.headers.authorization, dpop: req.headers.dpop ?? "" },
      });
      const server = { issuer, jwks_uri: `${issuer}/jwks` };
      try {
        await oauth.validateJwtAccessToken(server, request, audience, {
          requireDPoP: true,
          signingAlgorithms: ["ES256", "RS256"],
          [oauth.allowInsecureRequests]: true,
          [oauth.clockSkew]: Math.floor((now() - Date.now()) / 1000),
          [oauth.customFetch]: async () => Response.json(keySets.get(issuer).jwks()),
        });
      } catch {
        return "invalid_dpop_proof";
      }
      const { nonce, jti } = decodeJwt(req.headers.dpop);
      if (settings.requireNonce && !nonces.includes(nonce)) return "use_dpop_nonce";
      return isFresh(jti) ? undefined : "invalid_dpop_proof";
    },
  };
}

const newNonce = () => randomBytes(16).toString("base64url");

/** `oauth4webapi` takes a proof for so long before and after its date. */
const WINDOW_MS = 2 * 300_000;
