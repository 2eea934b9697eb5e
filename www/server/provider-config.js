/** What the demo's OpenID provider offers, in oidc-provider's terms. */
import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import { levelAdapter } from "./provider-adapter.js";
import { logoutPage, loggedOutPage, errorPage } from "./provider-pages.js";
import { shownClient } from "./provider-shown.js";
import { userBySub } from "./users.js";

/** The scope of the protected API. Optional: an access token without it is accepted there, too. */
export const API_SCOPE = "api";
const OIDC_SCOPES = "openid profile email offline_access";

/** New signing keys: RS256 because every relying party must know it, ES256 because the access tokens are smaller. */
export async function generateSigningKeys() {
  const keys = [];
  for (const alg of ["RS256", "ES256"]) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({
      ...(await exportJWK(privateKey)),
      alg,
      use: "sig",
      kid: `${alg.toLowerCase()}-${randomBytes(6).toString("hex")}`,
    });
  }
  return { keys };
}

/**
 * The configuration object for `new Provider(issuer, …)`.
 * @param {object} options See `startProvider`; `lifetimes` is read at every use, so it may change while running.
 */
export function providerConfiguration(options) {
  const {
    apiUrl,
    clientId,
    boundClientId,
    userInfoClientId,
    confirmLogout,
    dpop,
    jwks,
    lifetimes,
    pageOrigins,
    store,
  } = options;
  const clientIds = [clientId, boundClientId, userInfoClientId];
  return {
    adapter: levelAdapter(store.provider, lifetimes),
    jwks,
    cookies: { keys: [randomBytes(32).toString("base64url")] },
    clients: [
      ...clientIds.map((id) => ({ ...publicClient(options), client_id: id, ...bound(id === boundClientId) })),
      shownClient,
    ],
    responseTypes: ["code"],
    clientAuthMethods: ["none"],
    clientBasedCORS: (ctx, origin) => pageOrigins.includes(origin),
    pkce: { required: () => true },
    loadExistingGrant: (ctx) => grantFor(ctx, { apiUrl, clientIds }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (ctx, sub) => {
      const claims = userBySub(sub);
      // The endpoint knows a little more than the ID token says.
      const more = claims && { nickname: claims.preferred_username };
      return claims && { accountId: sub, claims: (use) => (use === "userinfo" ? { ...claims, ...more } : claims) };
    },
    claims: { openid: ["sub"], profile: ["name", "nickname", "preferred_username"], email: ["email"] },
    // Most access tokens are for the API alone, so the user's claims travel in the ID token.
    conformIdTokenClaims: false,
    rotateRefreshToken: true,
    issueRefreshToken: (ctx, client, source) =>
      client.grantTypeAllowed("refresh_token") &&
      (options.alwaysIssueRefreshToken || source.scopes.has("offline_access")),
    features: {
      devInteractions: { enabled: false },
      // It takes none of the access tokens that are meant for the API: only those of one client.
      userinfo: { enabled: true },
      revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => logoutPage(ctx, form, { confirm: confirmLogout, pageOrigins }),
        postLogoutSuccessSource: loggedOutPage,
      },
      // Tokens are bound to a key where a request has a proof. Every answer to one tells a nonce; one that lacks it is taken,
      // too, while its date is right, unless `requireNonce` is set.
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => dpop.requireNonce },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => apiUrl,
        useGrantedResource: (ctx) => ctx.oidc.client.clientId !== userInfoClientId,
        getResourceServerInfo: (ctx, resource) => resourceServer(resource, { apiUrl, lifetimes }),
      },
    },
    renderError: errorPage,
    ttl: {
      AccessToken: () => lifetimes.accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: () => lifetimes.refreshTokenSeconds,
      IdToken: () => lifetimes.idTokenSeconds,
      Interaction: 15 * 60,
      // A successor ends with the first token of its family: rotation does not make a sign-in last for ever.
      RefreshToken: (ctx) => ctx?.oidc?.entities.RotatedRefreshToken?.remainingTTL ?? lifetimes.refreshTokenSeconds,
      Session: () => lifetimes.refreshTokenSeconds,
    },
  };
}

/** RFC 9449 §5.2: this client gets no tokens without a proof. */
const bound = (required) => (required ? { dpop_bound_access_tokens: true } : {});

function publicClient({ redirectUris, postLogoutRedirectUris }) {
  return {
    client_name: "authsafe demo",
    application_type: "web",
    token_endpoint_auth_method: "none",
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    redirect_uris: redirectUris,
    post_logout_redirect_uris: postLogoutRedirectUris,
  };
}

/** The demo's page belongs to the provider's own operator, so the user is not asked for consent: it is always there. */
async function grantFor(ctx, { apiUrl, clientIds }) {
  const { client, provider, session, result } = ctx.oidc;
  const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  const existing = known && (await provider.Grant.find(known));
  if (existing || !clientIds.includes(client.clientId)) return existing || undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(OIDC_SCOPES);
  grant.addResourceScope(apiUrl, API_SCOPE);
  await grant.save();
  return grant;
}

async function resourceServer(resource, { apiUrl, lifetimes }) {
  if (resource !== apiUrl) {
    const { errors } = await import("oidc-provider");
    throw new errors.InvalidTarget();
  }
  return {
    scope: API_SCOPE,
    audience: apiUrl,
    accessTokenFormat: "jwt",
    accessTokenTTL: lifetimes.accessTokenSeconds,
    jwt: { sign: { alg: "ES256" } },
  };
}
