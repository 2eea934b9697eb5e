import { createAuthClient } from "/theft/authsafe/dist/index.js";

let client;

export async function load(options) {
  client = createAuthClient(options);
  await client.preload();
}

export async function start(options) {
  const { state, error } = await client.init();
  if (error) console.info(`init: ${error.code}`);
  return {
    client,
    options,
    found: state.status,
    signedIn: () => client.getState().status === "authenticated",
    isolation: () => client.isolation,
    signIn: (how) => client.login(how),
    fetch: (...args) => client.fetch(...args),
    refresh: () => (options.mode === "session" ? client.extendSession() : client.refresh()),
    logout: () => client.logout({ scope: "local" }),
  };
}
