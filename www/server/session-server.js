/**
 * The backend of session mode: express-session with a real store, CSRF protection, idle and absolute timeouts.
 *
 * Three mounts differ only in their CSRF protection; each has a cookie of its own, so that one browser can use all.
 */
import cookieParser from "cookie-parser";
import express from "express";
import session from "express-session";
import { listen } from "./listen.js";
import { csrfProtection, csrfVariants } from "./session-csrf.js";
import { sessionRoutes } from "./session-routes.js";
import { LevelSessionStore } from "./session-store.js";

/** Where each kind of CSRF protection is mounted. */
export const sessionMounts = {
  "double-submit": "/session",
  synchronizer: "/session-sync",
  "static-header": "/session-static",
};

/** How the SDK is configured for each mount, told to the page in its `config.json`. */
export function describeSessionMounts() {
  return Object.entries(sessionMounts).map(([kind, mount]) => ({
    kind,
    csrf: csrfVariants[kind],
    endpoints: {
      session: mount,
      login: `${mount}/login`,
      logout: `${mount}/logout`,
      extend: `${mount}/extend`,
      csrf: `${mount}/csrf`,
    },
    api: `${mount}/api/hello`,
  }));
}

/**
 * Makes the routes; mount them at the root of an express application.
 *
 * @param {object} options
 * @param {object} options.store From `openStore`.
 * @param {number} [options.idleSeconds] A session that is not extended ends after this.
 * @param {number} [options.absoluteSeconds] Every session ends after this.
 * @param {"extend" | "activity"} [options.rolling] What starts the idle time anew: only a call of `extend` (the default,
 *   so that the demo's countdown is worth watching), or any use of the API. Asking for the session never does: a page
 *   that asks by itself would keep it alive for ever.
 * @param {() => number} [options.now] Epoch milliseconds.
 */
export async function createSessionBackend({ store, now = Date.now, rolling = "extend", ...options }) {
  const lifetimes = { idleSeconds: options.idleSeconds ?? 120, absoluteSeconds: options.absoluteSeconds ?? 900 };
  const stats = { checks: 0, logins: 0, failedLogins: 0, extensions: 0, logouts: 0, lapsed: 0, csrfFailures: 0 };
  const secret = await store.secret("session");
  const storeOptions = {
    db: store.sessions,
    now,
    // The record outlives the login in it: what then remains is an anonymous session, whose CSRF token lets the person
    // who comes back late sign in again at once.
    expiryOf: ({ login }) => (login?.absoluteExpiresAt ?? now()) + ANONYMOUS_SECONDS * 1000,
  };
  const sessions = new LevelSessionStore(storeOptions);

  const routes = express.Router();
  for (const [kind, mount] of Object.entries(sessionMounts)) {
    const csrf = csrfProtection(kind, { secret });
    const cookieName = `authsafe${mount.replaceAll(/[/-]/g, "_")}`;
    routes.use(
      mount,
      // By path: the other servers of the demo share the host name, and cookies do not tell ports apart.
      session({
        name: cookieName,
        // On https this would be `Secure` with a `__Host-` name and path `/`. Loopback http can have neither.
        cookie: { httpOnly: true, sameSite: "lax", secure: false, path: mount },
        secret,
        // express-session writes its cookie options into the store object, so each mount needs one.
        store: new LevelSessionStore(storeOptions),
        resave: false,
        saveUninitialized: false,
      }),
      cookieParser(),
      sessionRoutes({ mount, cookieName, csrf, lifetimes, rolling, now, stats }),
    );
  }

  return {
    routes,
    stats,
    lifetimes,
    /** Ends every session, as an operator would. Returns how many there were. */
    destroyAllSessions: () => sessions.destroyWhere(),
    /** Ends one user's sessions. */
    destroySessionsOf: (sub) => sessions.destroyWhere((held) => held.login?.sub === sub),
  };
}

/** Starts the session backend alone, on a port of its own. */
export async function startSessionServer(options) {
  const backend = await createSessionBackend(options);
  const server = await listen(express().disable("x-powered-by").use(backend.routes), options);
  return { ...backend, ...server };
}

const ANONYMOUS_SECONDS = 3600;
