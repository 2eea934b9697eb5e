/** Every server of the demo on free ports, with the levers that end-to-end tests pull. */
import { reservePort } from "./listen.js";
import { startStack } from "./stack.js";

/**
 * Starts everything.
 *
 * @param {object} [options] Everything that `startStack` takes besides `ports`, and as a shorthand:
 * @param {number} [options.accessTokenSeconds] For the provider and for the first-party backend.
 * @param {number} [options.idleSeconds]
 * @param {number} [options.absoluteSeconds]
 * @param {(request: object) => void | Promise<void>} [options.onTokenRequest] See `startProvider`.
 */
export async function startAll(options = {}) {
  const { accessTokenSeconds, idleSeconds, absoluteSeconds, onTokenRequest, ...rest } = options;
  const sessionClock = makeClock();
  const apiClock = makeClock();
  const stack = await startStack({
    ...rest,
    ports: await reservePorts(),
    provider: { accessTokenSeconds, onTokenRequest, ...rest.provider },
    session: { idleSeconds, absoluteSeconds, now: sessionClock.now, ...rest.session },
    firstParty: { accessTokenSeconds, ...rest.firstParty },
    api: { now: apiClock.now, ...rest.api },
  });
  const { provider, api, session, firstParty, page } = stack;
  return {
    pageUrl: page.url,
    issuer: provider.issuer,
    clientId: provider.clientId,
    boundClientId: provider.boundClientId,
    userInfoClientId: provider.userInfoClientId,
    apiUrl: api.url,
    /** `stats`; `lifetimes` and `dpop.requireNonce`, which may be changed while running; `stop()` and `restart()` on the same port and keys. */
    provider: pick(provider, ["stats", "lifetimes", "dpop", "stop", "restart"]),
    /** `stats.requests`; `denySeenTokens()`; `proofs`, see `createProofCheck`; `clock`, by which expiry is judged; `stop()` and `restart()`. */
    api: { ...pick(api, ["stats", "denySeenTokens", "proofs", "stop", "restart"]), clock: apiClock },
    /** `stats`; `lifetimes`; `destroyAllSessions()`; `destroySessionsOf(sub)`; `clock`, by which sessions end. */
    session: {
      ...pick(session, ["stats", "lifetimes", "destroyAllSessions", "destroySessionsOf"]),
      clock: sessionClock,
    },
    /** `stats` (`refreshes`, `revokedFamilies`, …); `lifetimes`; `revokeAllFamilies()`. */
    firstParty: pick(firstParty, ["stats", "lifetimes", "revokeAllFamilies"]),
    /** The page's server, the session server and the first-party backend: they share one port. */
    page: pick(page, ["stop", "restart"]),
    close: stack.close,
  };
}

/** A clock that runs with the real one and can be put forward, so that no test waits for a timeout. */
export function makeClock() {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    advance(seconds) {
      offset += seconds * 1000;
    },
    reset() {
      offset = 0;
    },
  };
}

async function reservePorts() {
  return { provider: await reservePort(), api: await reservePort(), page: await reservePort() };
}

function pick(source, names) {
  return Object.fromEntries(names.map((name) => [name, source[name]]));
}
