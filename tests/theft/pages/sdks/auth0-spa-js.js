import { Auth0Client } from "/theft/peers/auth0-spa-js.js";

export async function start(options, config) {
  const client = new Auth0Client(options);
  const query = new URLSearchParams(location.search);
  if (query.has("code") && query.has("state")) {
    await client.handleRedirectCallback();
    history.replaceState(null, "", location.pathname);
  } else {
    await client.checkSession();
  }
  let authenticated = await client.isAuthenticated();
  const withToken = async (address, init) => {
    const headers = { authorization: `Bearer ${await client.getTokenSilently()}` };
    return fetch(address, { ...init, headers });
  };
  return {
    client,
    options,
    signedIn: () => authenticated,
    signIn: () => client.loginWithRedirect(),
    // As its documentation shows: the application takes the token and sends it to its API.
    fetch: (address, init) => (trusts(address, config) ? withToken(address, init) : fetch(address, init)),
    refresh: () => client.getTokenSilently({ cacheMode: "off" }),
    logout: async () => {
      await client.logout({ openUrl: false });
      authenticated = await client.isAuthenticated();
    },
    rival: async () => [await new Auth0Client(options).getTokenSilently()],
  };
}

const trusts = (address, { apiUrl, echo }) => [apiUrl, echo].includes(new URL(address, location.href).origin);
