/** The protected API, on an origin of its own: it lets in who carries an access token that is meant for it. */
import { setTimeout as sleep } from "node:timers/promises";
import cors from "cors";
import express from "express";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import { ALGORITHMS, createProofCheck } from "./api-proofs.js";
import { listen, reservePort } from "./listen.js";

/**
 * @param {object} options
 * @param {Record<string, string>} options.issuers Whose tokens are accepted: the URL of each issuer's keys.
 * @param {string[]} options.pageOrigins Who may call from a browser.
 * @param {number} [options.port]
 * @param {() => number} [options.now] Epoch milliseconds.
 */
export async function startApi({ issuers, pageOrigins, now = Date.now, ...options }) {
  const port = options.port || (await reservePort());
  const url = `http://localhost:${port}`;
  const stats = { requests: [] };
  const denied = new Set();
  const seen = new Set();
  const keySets = new Map(Object.entries(issuers).map(([issuer, keys]) => [issuer, createRemoteJWKSet(new URL(keys))]));
  const proofs = createProofCheck({ keySets, audience: url, now });

  const app = express().disable("x-powered-by");
  app.use((req, res, next) => {
    const authorization = req.headers.authorization !== undefined;
    const proof = req.headers.dpop !== undefined;
    stats.requests.push({ method: req.method, path: req.path, authorization, proof, origin: req.headers.origin });
    res.set("Cache-Control", "no-store");
    next();
  });
  app.use(
    cors((req, done) =>
      done(null, {
        origin: pageOrigins,
        methods: ["GET", "POST"],
        allowedHeaders: ["authorization", "content-type", "dpop"],
        // Without this a page cannot read why it was refused, nor what its next proof must have.
        exposedHeaders: ["www-authenticate", ...(proofs.settings.exposeNonce ? ["dpop-nonce"] : [])],
      }),
    ),
  );

  const protect = async (req, res, next) => {
    const [, scheme, token] = /^(Bearer|DPoP) (\S+)$/i.exec(req.headers.authorization ?? "") ?? [];
    const refuse = (error, challenge) => res.set("WWW-Authenticate", challenge).status(401).json({ error });
    if (!token) return refuse("unauthorized", `Bearer, DPoP ${ALGORITHMS}`);
    const { claims, error } = await verify(token, { keySets, audience: url, now });
    if (error === "keys_unavailable") return res.status(503).json({ error });
    const proven = scheme.toLowerCase() === "dpop";
    if (proven && proofs.nonce) res.set("DPoP-Nonce", proofs.nonce);
    // Whoever has a bound token and no key to it must not get in by calling it a bearer token (RFC 9449 §7.2).
    const bound = claims?.cnf?.jkt !== undefined;
    if (error || denied.has(claims.jti) || bound !== proven) {
      const challenge = proven || bound ? `DPoP error="invalid_token", ${ALGORITHMS}` : 'Bearer error="invalid_token"';
      return refuse("invalid_token", challenge);
    }
    const fault = proven && (await proofs.fault(req, claims.iss));
    if (fault) return refuse(fault, `DPoP error="${fault}", ${ALGORITHMS}`);
    seen.add(claims.jti);
    req.claims = claims;
    next();
  };

  const hello = (req, res) => {
    const { iss, sub, exp } = req.claims;
    res.json({ message: `Hello, ${sub}!`, iss, sub, exp, time: new Date(now()).toISOString(), received: req.body });
  };
  app.get("/api/hello", protect, hello);
  app.post("/api/hello", protect, express.json({ limit: "64kb" }), hello);
  app.get("/api/slow", protect, async (req, res) => {
    // Its timer does not keep a process alive that has closed its servers.
    await sleep(Math.min(Math.max(Number(req.query.ms) || 0, 0), MAX_DELAY_MS), undefined, { ref: false });
    hello(req, res);
  });
  app.get("/api/redirect", redirect);
  app.use((req, res) => res.status(404).json({ error: "not_found" }));
  app.use((error, req, res, next) => {
    if (!error.expose) return next(error);
    res.status(error.status).json({ error: "invalid_request" });
  });

  const server = await listen(app, { port });
  /** Refuses from now on every access token that was accepted before, as after an incident. Returns how many. */
  const denySeenTokens = () => {
    const count = seen.size;
    for (const jti of seen) denied.add(jti);
    seen.clear();
    return count;
  };
  return { ...server, url, stats, denySeenTokens, proofs };
}

/** The claims of a token that is valid now, or why it is not. No tolerance: an expired token is expired. */
async function verify(token, { keySets, audience, now }) {
  try {
    const issuer = decodeJwt(token).iss;
    const keySet = keySets.get(issuer);
    if (!keySet) return { error: "invalid_token" };
    const rules = { issuer, audience, typ: "at+jwt", clockTolerance: 0, currentDate: new Date(now()) };
    const { payload } = await jwtVerify(token, keysOf(keySet), { ...rules, requiredClaims: ["exp", "jti", "sub"] });
    return { claims: payload };
  } catch (error) {
    return { error: error instanceof KeysUnavailable ? "keys_unavailable" : "invalid_token" };
  }
}

/** The key set, with "the issuer cannot be reached" told apart from "it has no such key": only that is the token's fault. */
function keysOf(keySet) {
  return async (header, jwt) => {
    try {
      return await keySet(header, jwt);
    } catch (error) {
      throw ABOUT_THE_TOKEN.includes(error.code) ? error : new KeysUnavailable("keys unavailable", { cause: error });
    }
  };
}

class KeysUnavailable extends Error {}
const ABOUT_THE_TOKEN = ["ERR_JWKS_NO_MATCHING_KEY", "ERR_JWKS_MULTIPLE_MATCHING_KEYS", "ERR_JOSE_NOT_SUPPORTED"];

/** `?to=URL&status=302|307`: for trying what becomes of a credential on the way. Loopback only, so nobody else's tool. */
function redirect(req, res) {
  const status = Number(req.query.status ?? 302);
  const to = URL.canParse(String(req.query.to)) ? new URL(String(req.query.to)) : undefined;
  if (!to || !["localhost", "127.0.0.1"].includes(to.hostname) || ![301, 302, 303, 307, 308].includes(status)) {
    return res.status(400).json({ error: "invalid_request" });
  }
  res.redirect(status, to.href);
}

const MAX_DELAY_MS = 10_000;
