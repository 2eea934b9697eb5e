/** The endpoints of one session mount. Each answer is JSON (or empty) and never cached. */
import { createHash } from "node:crypto";
import { promisify } from "node:util";
import express from "express";
import { isCsrfError } from "./session-csrf.js";
import { authenticate, userBySub } from "./users.js";

/** @param {object} options See `createSessionBackend`. */
export function sessionRoutes({ mount, cookieName, csrf, lifetimes, rolling, now, stats }) {
  const routes = express.Router();
  routes.use((req, res, next) => {
    res.set("Cache-Control", "no-store");
    endLapsedLogin(req);
    next();
  });
  routes.use(express.json({ limit: "8kb" }), express.urlencoded({ extended: false, limit: "8kb" }));

  // Whoever is not signed in is told so first: to repeat the request with a CSRF token would not help.
  const signedIn = (req, res, next) => {
    if (!req.session.login) return res.status(401).json({ error: "unauthenticated" });
    next();
  };

  routes.get("/", (req, res) => {
    stats.checks += 1;
    if (req.session.login) return res.json(payload(req, res));
    // The answer is the same for everyone; the cookie that comes with it lets the sign-in form be sent.
    csrf.payload(req, res);
    res.status(401).json({ error: "unauthenticated" });
  });

  routes.get("/csrf", (req, res) => {
    res.json({ csrfToken: csrf.issue(req, res) });
  });

  routes.post("/login", csrf.protect, async (req, res) => {
    const { username, password } = req.body ?? {};
    const user = await authenticate(username, password);
    if (!user) {
      stats.failedLogins += 1;
      return res.status(401).json({ error: "invalid_credentials" });
    }
    // A new identifier: one that was planted in this browser before the sign-in is worth nothing after it.
    await regenerate(req);
    const at = now();
    const absoluteExpiresAt = at + lifetimes.absoluteSeconds * 1000;
    req.session.login = { sub: user.sub, issuedAt: at, absoluteExpiresAt, expiresAt: idleEnd(absoluteExpiresAt) };
    stats.logins += 1;
    res.json(payload(req, res));
  });

  routes.post("/extend", signedIn, csrf.protect, (req, res) => {
    extend(req);
    stats.extensions += 1;
    res.json(payload(req, res));
  });

  // To sign out twice is no error, and where nobody is signed in there is nothing that a forged request could end.
  const endIfSignedOut = (req, res, next) => (req.session.login ? next() : res.status(204).end());
  routes.post("/logout", endIfSignedOut, csrf.protect, async (req, res) => {
    await regenerate(req);
    stats.logouts += 1;
    res.clearCookie(cookieName, { path: mount });
    csrf.signedOut(req, res);
    res.status(204).end();
  });

  const hello = (req, res) => {
    if (rolling === "activity") extend(req);
    const user = userBySub(req.session.login.sub);
    res.json({ message: `Hello, ${user.name}!`, user, time: new Date(now()).toISOString() });
  };
  routes.get("/api/hello", signedIn, hello);
  routes.post("/api/hello", signedIn, csrf.protect, hello);

  routes.use((req, res) => res.status(404).json({ error: "not_found" }));
  routes.use((error, req, res, next) => {
    if (isCsrfError(error)) {
      stats.csrfFailures += 1;
      return res.status(403).json({ error: "csrf" });
    }
    if (error.expose) return res.status(error.status).json({ error: "invalid_request" });
    next(error);
  });
  return routes;

  function endLapsedLogin(req) {
    const { login } = req.session;
    if (!login || (now() < login.expiresAt && now() < login.absoluteExpiresAt)) return;
    delete req.session.login;
    stats.lapsed += 1;
  }

  function extend(req) {
    req.session.login.expiresAt = idleEnd(req.session.login.absoluteExpiresAt);
  }

  function idleEnd(absoluteExpiresAt) {
    return Math.min(now() + lifetimes.idleSeconds * 1000, absoluteExpiresAt);
  }

  function payload(req, res) {
    const { login } = req.session;
    return {
      user: userBySub(login.sub),
      // Enough to tell two sessions apart, useless for taking one over.
      sessionId: createHash("sha256").update(req.session.id).digest("base64url").slice(0, 22),
      issuedAt: seconds(login.issuedAt),
      expiresAt: seconds(login.expiresAt),
      absoluteExpiresAt: seconds(login.absoluteExpiresAt),
      serverTime: seconds(now()),
      ...csrf.payload(req, res),
    };
  }
}

const seconds = (milliseconds) => Math.floor(milliseconds / 1000);

/** Replaces the session by a new, empty one. */
function regenerate(req) {
  return promisify(req.session.regenerate.bind(req.session))();
}
