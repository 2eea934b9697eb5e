import { UserManager, WebStorageStateStore } from "/theft/peers/oidc-client-ts.js";

export async function start({ store, ...options }, config) {
  if (store) options.userStore = new WebStorageStateStore({ store: window[store] });
  const client = new UserManager(options);
  if (new URLSearchParams(location.search).has("code")) {
    await client.signinRedirectCallback();
    history.replaceState(null, "", location.pathname);
  }
  let user = await client.getUser();
  const withToken = async (address, init) => {
    user = await client.getUser();
    return fetch(address, { ...init, headers: { authorization: `Bearer ${user.access_token}` } });
  };
  return {
    client,
    options,
    signedIn: () => Boolean(user),
    signIn: () => client.signinRedirect(),
    fetch: (address, init) => (trusts(address, config) ? withToken(address, init) : fetch(address, init)),
    refresh: () => client.signinSilent(),
    logout: async () => {
      await client.removeUser();
      user = await client.getUser();
    },
    rival: async () => [await new UserManager(options).getUser()],
  };
}

const trusts = (address, { apiUrl, echo }) => [apiUrl, echo].includes(new URL(address, location.href).origin);
