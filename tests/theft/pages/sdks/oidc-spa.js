import * as spa from "/theft/peers/oidc-spa.js";

/** Its early initialisation is to run before everything else; in its own frame, the application is not to be loaded. */
export async function load({ defences }, { apiUrl, echo }) {
  const trustedExternalResourceServers = [apiUrl, echo].map((url) => new URL(url).host);
  const { shouldLoadApp } = spa.oidcEarlyInit({
    BASE_URL: "/theft/",
    sessionRestorationMethod: "iframe",
    securityDefenses: defences && {
      ...spa.browserRuntimeFreeze(),
      ...spa.tokenSubstitution({ trustedExternalResourceServers }),
    },
  });
  if (!shouldLoadApp) await new Promise(() => {});
}

export async function start({ defences, ...options }, config) {
  const client = await spa.createOidc(options);
  const withToken = async (address, init) => {
    const { accessToken } = await client.getTokens();
    return fetch(address, { ...init, headers: { authorization: `Bearer ${accessToken}` } });
  };
  return {
    client,
    options,
    signedIn: () => client.isUserLoggedIn,
    signIn: () => client.login(),
    fetch: (address, init) =>
      client.isUserLoggedIn && trusts(address, config) ? withToken(address, init) : fetch(address, init),
    refresh: () => client.renewTokens(),
    // It ends at the provider, and the page is loaded again.
    logout: () => client.logout({ redirectTo: "current page" }),
    rival: async () => [await (await spa.createOidc(options)).getTokens()],
  };
}

const trusts = (address, { apiUrl, echo }) => [apiUrl, echo].includes(new URL(address, location.href).origin);
