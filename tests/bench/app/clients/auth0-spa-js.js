// @auth0/auth0-spa-js, as its documentation says: tokens in localStorage, renewed by refresh token.
import { createAuth0Client } from "@auth0/auth0-spa-js";

export const start = (config) => startAuth0(config, "localstorage");

export async function startAuth0({ auth0Domain, clientId, scope, redirectUri }, cacheLocation) {
  const auth0 = await createAuth0Client({
    domain: auth0Domain,
    clientId,
    authorizationParams: { redirect_uri: redirectUri, scope },
    useRefreshTokens: true,
    cacheLocation,
  });
  if (new URLSearchParams(location.search).has("code")) {
    await auth0.handleRedirectCallback();
    history.replaceState(null, "", location.pathname);
  }
  let signedIn = await auth0.isAuthenticated();
  const accessToken = () => auth0.getTokenSilently();
  return {
    signedIn: () => signedIn,
    signIn: () => auth0.loginWithRedirect(),
    async forget() {
      await auth0.logout({ openUrl: false });
      signedIn = false;
    },
    accessToken,
    freshToken: accessToken,
    request: async (url) => fetch(url, { headers: { authorization: `Bearer ${await accessToken()}` } }),
  };
}
