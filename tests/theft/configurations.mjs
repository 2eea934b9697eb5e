// What is attacked: every choice of storage and isolation that authsafe offers, and the clients that people use otherwise.
import { readFileSync } from "node:fs";

const plaintext = (kind) => ({ kind, dangerouslyPlaintext: true });

/**
 * One row per configuration. `persists`: a reload finds the session again. The provider offers bound tokens, which a client
 * takes by itself (`dpop: "auto"`); a row is of them only if it says so.
 */
const authsafe = (storage, isolation, options, facts) => ({
  sdk: "authsafe",
  storage,
  isolation,
  kind: "oidc",
  name: `authsafe, ${storage}, ${isolation}`,
  ...facts,
  options: { dpop: "never", ...options },
});
const peer = (sdk, storage, isolation, facts) => ({
  sdk,
  storage,
  isolation,
  kind: "oidc",
  persists: true,
  name: `${sdk}, ${storage}, ${isolation}`,
  ...facts,
});
const PERSISTS = { persists: true };

export const configurations = [
  authsafe("HttpOnly session cookie", "server", {}, { kind: "session", persists: true }),
  authsafe("HttpOnly refresh cookie", "worker", { storage: "memory" }, { kind: "refresh-cookie", persists: true }),
  authsafe("memory", "worker, as it comes: DPoP, which this provider offers", { dpop: undefined }),
  authsafe("memory", "worker", { storage: "memory" }),
  authsafe("memory", "worker under a CSP", { storage: "memory" }, { csp: true }),
  authsafe("memory", "worker, token exposed", { storage: "memory", exposeAccessToken: true }),
  authsafe("sealed sessionStorage", "worker", { storage: "sessionStorage" }, PERSISTS),
  authsafe("sealed localStorage", "worker", { storage: "localStorage" }, PERSISTS),
  authsafe("sealed cookie", "worker", { storage: "cookie" }, PERSISTS),
  authsafe("sealed indexedDB", "worker", { storage: "indexedDB" }, PERSISTS),
  authsafe("sealed custom adapter", "worker", { storage: { kind: "custom", adapter: "localStorage" } }, PERSISTS),
  authsafe("sealed localStorage", "page", { storage: "localStorage", isolation: "page" }, PERSISTS),
  authsafe("memory", "worker, DPoP", { storage: "memory", dpop: "always" }),
  authsafe("sealed localStorage", "worker, DPoP", { storage: "localStorage", dpop: "always" }, PERSISTS),
  authsafe("plaintext indexedDB", "worker, DPoP", { storage: plaintext("indexedDB"), dpop: "always" }, PERSISTS),
  authsafe("plaintext indexedDB", "worker", { storage: plaintext("indexedDB") }, PERSISTS),
  authsafe("memory", "page", { storage: "memory", isolation: "page" }),
  authsafe("plaintext sessionStorage", "page", { storage: plaintext("sessionStorage") }, PERSISTS),
  authsafe("plaintext localStorage", "page", { storage: plaintext("localStorage") }, PERSISTS),
  authsafe("plaintext cookie", "page", { storage: plaintext("cookie") }, PERSISTS),
  authsafe("plaintext indexedDB", "page", { storage: plaintext("indexedDB"), isolation: "page" }, PERSISTS),
  peer("auth0-spa-js", "memory", "worker for the refresh token"),
  peer("auth0-spa-js", "localStorage", "page"),
  peer("oidc-client-ts", "sessionStorage", "page"),
  peer("oidc-client-ts", "localStorage", "page", { store: "localStorage" }),
  peer("oidc-spa", "memory", "page", { endsAtProvider: true, inFrame: true }),
  peer("oidc-spa", "memory", "page, freeze and token substitution", {
    defences: true,
    endsAtProvider: true,
    inFrame: true,
  }),
];

/** The client that does everything wrong, by which the harness is judged. */
export const leaky = {
  sdk: "leaky",
  storage: "everything",
  isolation: "page",
  kind: "oidc",
  persists: true,
  name: "leaky",
};

/** The options for the client of a configuration, as an application of these servers would write them. */
export function optionsOf(one, config) {
  const redirectUri = `${config.pageUrl}/theft/`;
  const { issuer, clientId, scope, apiUrl, echo } = config;
  switch (one.sdk) {
    case "authsafe": {
      const common = { allowedOrigins: [apiUrl, echo], refresh: { proactive: false }, ...one.options };
      if (one.kind === "session") {
        const { endpoints, csrf } = config.session.find(({ kind }) => kind === "double-submit");
        return { mode: "session", endpoints, csrf, refresh: common.refresh };
      }
      if (one.kind === "refresh-cookie") {
        const { endpoints } = config.firstParty.find(({ refreshCookie }) => refreshCookie);
        return { mode: "token", ...common, firstParty: { baseUrl: config.pageUrl, endpoints, refreshCookie: true } };
      }
      const oidc = { issuer, clientId, scope, redirectUri, postLogoutRedirectUri: redirectUri };
      return { mode: "token", ...common, oidc };
    }
    case "auth0-spa-js":
      return {
        domain: config.facade,
        clientId,
        useRefreshTokens: true,
        cacheLocation: one.storage.toLowerCase(),
        authorizationParams: { redirect_uri: redirectUri, scope },
      };
    case "oidc-client-ts":
      return { authority: issuer, client_id: clientId, redirect_uri: redirectUri, scope, store: one.store };
    case "oidc-spa":
      return { issuerUri: issuer, clientId, scopes: scope.split(" "), defences: one.defences };
    default:
      return { oidc: { issuer, clientId, scope, redirectUri } };
  }
}

/** The protected resource of a configuration. */
export function resourceOf(one, config) {
  if (one.kind !== "session") return `${config.apiUrl}/api/hello`;
  return config.pageUrl + config.session.find(({ kind }) => kind === "double-submit").api;
}

/** Which package a peer is. */
export const packages = {
  "auth0-spa-js": "@auth0/auth0-spa-js",
  "oidc-client-ts": "oidc-client-ts",
  "oidc-spa": "oidc-spa",
};

export function versionOf(sdk) {
  if (sdk === "leaky") return "0";
  const folder = sdk === "authsafe" ? "../../pkg" : `../../node_modules/${packages[sdk]}`;
  return JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), "utf8")).version;
}
