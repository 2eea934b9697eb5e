// oidc-client-ts, as its documentation says: the user in localStorage, renewed by refresh token.
import { UserManager, WebStorageStateStore } from "oidc-client-ts";

export async function start({ issuer, clientId, scope, redirectUri }) {
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    userStore: new WebStorageStateStore({ store: window.localStorage }),
  });
  if (new URLSearchParams(location.search).has("code")) {
    await manager.signinCallback();
    history.replaceState(null, "", location.pathname);
  }
  let signedIn = Boolean(await manager.getUser());
  const accessToken = async () => (await manager.getUser()).access_token;
  return {
    signedIn: () => signedIn,
    signIn: () => manager.signinRedirect(),
    async forget() {
      await manager.removeUser();
      signedIn = false;
    },
    accessToken,
    /** A token that has not expired: the library renews by a timer, and an application does where the timer came too late. */
    async freshToken() {
      const user = await manager.getUser();
      return (user.expired ? await manager.signinSilent() : user).access_token;
    },
    request: async (url) => fetch(url, { headers: { authorization: `Bearer ${await accessToken()}` } }),
  };
}
