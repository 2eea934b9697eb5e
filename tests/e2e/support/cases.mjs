// The matrix: how a person signs in, and where the credential is kept.
const plaintext = (kind) => ({ kind, dangerouslyPlaintext: true });
const custom = { kind: "custom", adapter: "indexedDB", dangerouslyPlaintext: true };

const oidc = (name, storage, facts) => ({ ...facts, name: `token by OpenID, ${name}`, kind: "oidc", storage });
const firstParty = (name, storage, facts) => ({
  ...facts,
  name: `token by password, ${name}`,
  kind: "first-party",
  storage,
});
const session = (csrf) => ({ name: `session, ${csrf}`, kind: "session", csrf, survives: true, shared: true });

/**
 * `survives`: a reload and a new tab... see `shared`: other open tabs follow a sign-in by themselves.
 * `newTab`: a tab that is opened later begins signed in.
 */
export const cases = [
  oidc("memory", "memory", { survives: false, shared: false }),
  oidc("sessionStorage", plaintext("sessionStorage"), { survives: true, shared: false }),
  oidc("localStorage", plaintext("localStorage"), { survives: true, shared: true }),
  oidc("indexedDB", plaintext("indexedDB"), { survives: true, shared: true }),
  oidc("cookie", plaintext("cookie"), { survives: true, shared: true }),
  oidc("custom adapter", custom, { survives: true, shared: true }),
  firstParty("memory", "memory", { survives: false, shared: false }),
  firstParty("localStorage", plaintext("localStorage"), { survives: true, shared: true }),
  firstParty("refresh cookie", "memory", { survives: true, shared: false, refreshCookie: true }),
  session("double-submit"),
  session("synchronizer"),
  session("static-header"),
];
export const tokenCases = cases.filter(({ kind }) => kind !== "session");
export const sessionCases = cases.filter(({ kind }) => kind === "session");
export const byName = (name) => cases.find((one) => one.name === name);

/** The options for `createAuthClient`, as an application of these servers would write them. */
export function optionsOf(one, config) {
  const refresh = { proactive: false };
  const id = `e2e-${one.name.replaceAll(/\W+/g, "-")}`;
  if (one.kind === "session") {
    const { endpoints, csrf } = config.session.find(({ kind }) => kind === one.csrf);
    return { mode: "session", id, endpoints, csrf, refresh };
  }
  // What the provider knows is left out of it: the cases are about what is stored.
  const restore = "refresh-token";
  const more = { mode: "token", id, storage: one.storage, restore, allowedOrigins: [config.apiUrl], refresh };
  if (one.kind === "first-party") {
    const refreshCookie = one.refreshCookie === true;
    const { endpoints } = config.firstParty.find((backend) => backend.refreshCookie === refreshCookie);
    return { ...more, firstParty: { baseUrl: config.pageUrl, endpoints, refreshCookie } };
  }
  const { issuer, clientId, scope } = config;
  const redirectUri = `${config.pageUrl}/bare/`;
  return { ...more, oidc: { issuer, clientId, scope, redirectUri, postLogoutRedirectUri: redirectUri } };
}

/** The protected resource of a case. */
export function resourceOf(one, config) {
  if (one.kind !== "session") return `${config.apiUrl}/api/hello`;
  return config.pageUrl + config.session.find(({ kind }) => kind === one.csrf).api;
}

/** How often the credential of a case was renewed at its server, refused attempts included. */
export function renewals(one, servers) {
  if (one.kind === "oidc") return servers.provider.stats.tokenRequests.refresh_token;
  if (one.kind === "session") return servers.session.stats.extensions;
  return servers.firstParty.stats.refreshes + servers.firstParty.stats.rejectedRefreshes;
}
