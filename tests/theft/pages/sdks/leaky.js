import { createAuthClient } from "/theft/leaky/index.js";

export async function start(options) {
  const client = createAuthClient(options);
  await client.init();
  return {
    client,
    options,
    signedIn: () => client.getState().status === "authenticated",
    signIn: () => client.login(),
    fetch: (...args) => client.fetch(...args),
    refresh: () => client.refresh(),
    logout: () => client.logout(),
    rival: async () => [await createAuthClient(options).getTokens()],
  };
}
