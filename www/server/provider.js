/** The demo's OpenID provider: npm `oidc-provider` on loopback, with a sign-in form of its own. */
import express from "express";
import { listen, reservePort } from "./listen.js";
import { generateSigningKeys, providerConfiguration } from "./provider-config.js";
import { interactionRoutes } from "./provider-interactions.js";
import { shownTokenRoutes } from "./provider-shown.js";

/**
 * Starts the provider at `http://localhost:PORT`.
 *
 * @param {object} options
 * @param {object} options.store From `openStore`.
 * @param {string} options.apiUrl The protected API: the audience of every access token.
 * @param {string[]} options.redirectUris
 * @param {string[]} options.postLogoutRedirectUris
 * @param {string[]} options.pageOrigins Who may read this provider's answers from a browser.
 * @param {number} [options.port]
 * @param {string} [options.clientId]
 * @param {string} [options.boundClientId] A client that gets no tokens without a proof of possession (RFC 9449 §5.2).
 * @param {string} [options.userInfoClientId] A client whose access tokens are for the UserInfo endpoint, and not for the API.
 * @param {number} [options.accessTokenSeconds]
 * @param {number} [options.idTokenSeconds]
 * @param {number} [options.refreshTokenSeconds]
 * @param {number} [options.reuseGraceSeconds] For so long a rotated refresh token is taken once more. Default 0.
 * @param {boolean} [options.alwaysIssueRefreshToken] Also without the `offline_access` scope. Such a refresh token ends
 *   with the provider's session. Default `true`.
 * @param {boolean} [options.confirmLogout] Ask before signing out even where the request proves whose session it is.
 * @param {(request: object) => void | Promise<void>} [options.onTokenRequest] Called with `{ grantType, status, error }`
 *   before each answer of the token endpoint leaves; the answer waits for the promise.
 */
export async function startProvider(options) {
  const port = options.port || (await reservePort());
  const issuer = `http://localhost:${port}`;
  const lifetimes = {
    accessTokenSeconds: options.accessTokenSeconds ?? 120,
    idTokenSeconds: options.idTokenSeconds ?? 3600,
    refreshTokenSeconds: options.refreshTokenSeconds ?? 24 * 3600,
    reuseGraceSeconds: options.reuseGraceSeconds ?? 0,
  };
  /** May change while running. */
  const dpop = { requireNonce: false };
  const stats = { tokenRequests: { authorization_code: 0, refresh_token: 0 }, revokedGrants: 0, events: [] };
  const record = (event) => stats.events.push({ at: Date.now(), ...event });
  const settings = {
    clientId: "authsafe-demo",
    boundClientId: "authsafe-demo-bound",
    userInfoClientId: "authsafe-demo-userinfo",
    confirmLogout: false,
    alwaysIssueRefreshToken: true,
    ...options,
    jwks: await generateSigningKeys(),
    lifetimes,
    dpop,
  };

  const { Provider } = await importQuietly();
  const provider = new Provider(issuer, providerConfiguration(settings));
  observe(provider, { stats, record, onTokenRequest: (request) => settings.onTokenRequest?.(request) });

  const app = express().disable("x-powered-by");
  app.use(interactionRoutes(provider, { pageOrigins: settings.pageOrigins, record }));
  app.use(shownTokenRoutes(provider, settings));
  app.use(provider.callback());
  const server = await listen(app, { port });
  const { clientId, boundClientId, userInfoClientId } = settings;
  return { ...server, url: issuer, issuer, clientId, boundClientId, userInfoClientId, stats, lifetimes, dpop };
}

/** Counts what the endpoints did, by oidc-provider's own events and one middleware around its token endpoint. */
function observe(provider, { stats, record, onTokenRequest }) {
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route !== "token" || ctx.method !== "POST") return;
    const grantType = ctx.oidc.params?.grant_type;
    // Nothing was redeemed; the same request comes again, with the nonce.
    if (ctx.body?.error === "use_dpop_nonce") return record({ type: "nonce_wanted", grantType });
    if (grantType in stats.tokenRequests) stats.tokenRequests[grantType] += 1;
    const request = { grantType, status: ctx.status, error: ctx.body?.error };
    record({ type: "token", ...request });
    await onTokenRequest(request);
  });
  provider.on("grant.revoked", () => {
    stats.revokedGrants += 1;
    record({ type: "grant_revoked" });
  });
  provider.on("refresh_token.destroyed", () => record({ type: "refresh_token_destroyed" }));
  provider.on("authorization.success", () => record({ type: "authorization" }));
  provider.on("authorization.error", (ctx, error) => record({ type: "authorization_error", error: error.error }));
  provider.on("end_session.success", () => record({ type: "end_session" }));
  provider.on("server_error", (ctx, error) => {
    record({ type: "server_error" });
    console.error(error);
  });
}

/**
 * oidc-provider says at import that it wants a later Node. It runs on Node 20, which this project's tests show, and a
 * person who starts the demo can do nothing with the advice; so that one line is left out, and no other.
 */
async function importQuietly() {
  const warn = console.warn;
  console.warn = (...args) => {
    if (!String(args[0]).includes("Unsupported runtime")) warn(...args);
  };
  try {
    return await import("oidc-provider");
  } finally {
    console.warn = warn;
  }
}
