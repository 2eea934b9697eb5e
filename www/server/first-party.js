/**
 * A backend of the application's own: a JSON login answered with OAuth-shaped tokens.
 *
 * Under `/auth` the refresh token is part of the answer. Under `/auth-cookie` it is an HttpOnly cookie that script never
 * sees, and what uses the cookie must carry a header that no cross-site form can send.
 */
import { randomUUID } from "node:crypto";
import cookieParser from "cookie-parser";
import express from "express";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { listen } from "./listen.js";
import { refreshFamilies } from "./refresh-families.js";
import { authenticate, userBySub } from "./users.js";

/** Where the two kinds are mounted. */
export const firstPartyMounts = { body: "/auth", cookie: "/auth-cookie" };
/** The header that refresh and logout need where the refresh token is a cookie. */
export const REFRESH_HEADER = { name: "x-requested-with", value: "authsafe" };

/** How the SDK is configured for each kind, told to the page in its `config.json`. */
export function describeFirstParty() {
  const headers = { [REFRESH_HEADER.name]: REFRESH_HEADER.value };
  const endpoint = (url, refreshCookie) => (refreshCookie ? { url, headers } : url);
  return Object.entries(firstPartyMounts).map(([kind, mount]) => ({
    refreshCookie: kind === "cookie",
    endpoints: {
      login: `${mount}/login`,
      refresh: endpoint(`${mount}/refresh`, kind === "cookie"),
      logout: endpoint(`${mount}/logout`, kind === "cookie"),
      user: `${mount}/user`,
    },
  }));
}

/**
 * Makes the routes; mount them at the root of an express application.
 * @param {object} options
 * @param {object} options.store From `openStore`.
 * @param {string} options.issuer The `iss` of the access tokens.
 * @param {string} options.apiUrl Their audience.
 * @param {number} [options.accessTokenSeconds]
 * @param {number} [options.refreshTokenSeconds]
 * @param {() => number} [options.now] Epoch milliseconds.
 */
export async function createFirstParty({ store, issuer, apiUrl, now = Date.now, ...options }) {
  const lifetimes = {
    accessTokenSeconds: options.accessTokenSeconds ?? 120,
    refreshTokenSeconds: options.refreshTokenSeconds ?? 24 * 3600,
  };
  const stats = { logins: 0, failedLogins: 0, refreshes: 0, rejectedRefreshes: 0, revokedFamilies: 0, logouts: 0 };
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = { ...(await exportJWK(publicKey)), alg: "ES256", use: "sig", kid: randomUUID() };
  const families = refreshFamilies({ store, now, lifetimes });

  const tokens = async (sub) => {
    const issuedAt = Math.floor(now() / 1000);
    const accessToken = await new SignJWT({})
      .setProtectedHeader({ alg: "ES256", kid: jwk.kid, typ: "at+jwt" })
      .setIssuer(issuer)
      .setSubject(sub)
      .setAudience(apiUrl)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifetimes.accessTokenSeconds)
      .sign(privateKey);
    return { access_token: accessToken, token_type: "Bearer", expires_in: lifetimes.accessTokenSeconds };
  };
  /** The user whose access token this request carries, or `undefined`. */
  const bearer = async (req) => {
    const [, token] = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? "") ?? [];
    const expected = { issuer, audience: apiUrl, typ: "at+jwt", currentDate: new Date(now()) };
    const verified = await jwtVerify(token ?? "", publicKey, expected).catch(() => undefined);
    return verified && userBySub(verified.payload.sub);
  };

  const routes = express.Router();
  for (const [kind, mount] of Object.entries(firstPartyMounts)) {
    const carrier = CARRIERS[kind](mount, lifetimes);
    routes.use(mount, authRoutes({ carrier, families, tokens, bearer, stats, keys: { keys: [jwk] } }));
  }
  const revokeAllFamilies = async () => {
    const count = await families.endAll();
    stats.revokedFamilies += count;
    return count;
  };
  return { routes, stats, lifetimes, issuer, revokeAllFamilies };
}

/** Starts the backend alone, on a port of its own. */
export async function startFirstParty(options) {
  const backend = await createFirstParty(options);
  const server = await listen(express().disable("x-powered-by").use(backend.routes), options);
  return { ...backend, ...server };
}

function authRoutes({ carrier, families, tokens, bearer, stats, keys }) {
  const routes = express.Router();
  routes.use((req, res, next) => {
    res.set("Cache-Control", "no-store");
    next();
  });
  // Nothing but JSON is read: a form of another site cannot send that, so nobody is signed in against their will.
  routes.use(express.json({ limit: "8kb" }), cookieParser());

  routes.get("/jwks", (req, res) => res.json(keys));

  routes.post("/login", async (req, res) => {
    const { username, password } = req.body ?? {};
    const user = await authenticate(username, password);
    if (!user) {
      stats.failedLogins += 1;
      return res.status(401).json({ error: "invalid_credentials" });
    }
    stats.logins += 1;
    const refreshToken = await families.start(user.sub);
    res.json({ ...(await tokens(user.sub)), ...carrier.give(res, refreshToken), user });
  });

  routes.post("/refresh", carrier.guard, async (req, res) => {
    const rotated = await families.rotate(carrier.take(req));
    if (rotated.token) {
      stats.refreshes += 1;
      return res.json({ ...(await tokens(rotated.sub)), ...carrier.give(res, rotated.token) });
    }
    stats.rejectedRefreshes += 1;
    if (rotated.reused) stats.revokedFamilies += 1;
    carrier.forget(res);
    res.status(400).json({ error: "invalid_grant" });
  });

  routes.post("/logout", carrier.guard, async (req, res) => {
    if (await families.end(carrier.take(req))) stats.revokedFamilies += 1;
    stats.logouts += 1;
    carrier.forget(res);
    res.status(204).end();
  });

  routes.get("/user", async (req, res) => {
    const user = await bearer(req);
    if (user) return res.json(user);
    res.set("WWW-Authenticate", 'Bearer error="invalid_token"').status(401).json({ error: "invalid_token" });
  });

  routes.use((req, res) => res.status(404).json({ error: "not_found" }));
  routes.use((error, req, res, next) => {
    if (!error.expose) return next(error);
    res.status(error.status).json({ error: "invalid_request" });
  });
  return routes;
}

/** How the refresh token travels: `give` it with an answer, `take` it from a request, `forget` it, `guard` its use. */
const CARRIERS = {
  body: () => ({
    guard: (req, res, next) => next(),
    give: (res, token) => ({ refresh_token: token }),
    take: (req) => req.body?.refresh_token,
    forget: () => {},
  }),
  cookie: (mount, lifetimes) => {
    // `Secure` and a `__Host-` or `__Secure-` name belong to https, which loopback does not have.
    const cookie = { httpOnly: true, sameSite: "strict", secure: false, path: mount };
    return {
      guard(req, res, next) {
        if (req.headers[REFRESH_HEADER.name] === REFRESH_HEADER.value) return next();
        res.status(403).json({ error: "csrf" });
      },
      give(res, token) {
        res.cookie(REFRESH_COOKIE, token, { ...cookie, maxAge: lifetimes.refreshTokenSeconds * 1000 });
        return {};
      },
      take: (req) => req.cookies[REFRESH_COOKIE],
      forget: (res) => res.clearCookie(REFRESH_COOKIE, cookie),
    };
  },
};
const REFRESH_COOKIE = "authsafe_refresh";
