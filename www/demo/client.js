/** From a choice to a client of authsafe, and everything that the client tells, passed on in one place. */
import { createAuthClient } from "/authsafe/dist/index.js";
import { needsConsent } from "./config.js";

/** Each choice has its own name, so that trying one does not overwrite what another one stored. */
export function clientId({ mode, csrf, login, storage }) {
  return mode === "session" ? `demo-session-${csrf}` : `demo-token-${login}-${storage}`;
}

/**
 * The options for `createAuthClient`. The page also prints them, so they hold what an application would write and no more.
 * @param {import("./config.js").Choice} choice
 * @param {object} servers What config.json says.
 */
export function clientOptions(choice, servers, origin = location.origin) {
  const id = clientId(choice);
  const refresh = { proactive: choice.renew === "ahead" };
  if (choice.mode === "session") {
    const mount = sessionMount(choice, servers);
    return { mode: "session", id, endpoints: mount.endpoints, csrf: mount.csrf, refresh };
  }
  return {
    mode: "token",
    id,
    ...(choice.login === "oidc"
      ? { oidc: oidcOptions(servers, origin) }
      : { firstParty: firstPartyOptions(choice, servers, origin) }),
    storage: storageOption(choice),
    allowedOrigins: [servers.apiUrl],
    refresh,
  };
}

/** Where the protected resource of this choice is: on the page's origin with a session, on another one with a token. */
export function apiAddress(choice, servers) {
  return choice.mode === "session" ? sessionMount(choice, servers).api : `${servers.apiUrl}/api/hello`;
}

const EVENTS = [
  "signedIn",
  "signedOut",
  "userChanged",
  "refreshed",
  "refreshFailed",
  "expiring",
  "storageDegraded",
  "isolationDegraded",
];

/**
 * Makes the client and listens to it. Throws what `createAuthClient` throws.
 * @param {object} options
 * @param {{onState(state: object): void, onEvent(name: string, detail: object): void}} listeners Called no more after `close`.
 */
export function openClient(options, { onState, onEvent }) {
  const auth = createAuthClient(options);
  const unsubscribe = [auth.subscribe(onState)];
  for (const name of EVENTS) unsubscribe.push(auth.on(name, (detail) => onEvent(name, detail)));
  return {
    auth,
    close() {
      for (const stop of unsubscribe) stop();
      auth.dispose();
    },
  };
}

function sessionMount(choice, servers) {
  return servers.session.find(({ kind }) => kind === choice.csrf);
}

function oidcOptions({ issuer, clientId, scope }, origin) {
  return { issuer, clientId, redirectUri: `${origin}/callback`, postLogoutRedirectUri: `${origin}/`, scope };
}

function firstPartyOptions({ login }, { firstParty }, origin) {
  const refreshCookie = login === "password-cookie";
  const { endpoints } = firstParty.find((backend) => backend.refreshCookie === refreshCookie);
  return { baseUrl: origin, endpoints, ...(refreshCookie ? { refreshCookie } : {}) };
}

/** Without the person's consent the option is left out, and authsafe seals what it stores. */
function storageOption(choice) {
  if (!needsConsent(choice)) return choice.storage;
  return choice.plaintext === "yes" ? { kind: choice.storage, dangerouslyPlaintext: true } : choice.storage;
}
