import { createAuthClient } from "/theft/authsafe/dist/index.js";

let client;

/** As an application writes one. */
const adapters = {
  localStorage: {
    get: (key) => localStorage.getItem(key),
    set: (key, text) => localStorage.setItem(key, text),
    remove: (key) => localStorage.removeItem(key),
  },
};

export async function load(options) {
  // Functions do not travel from the harness to the page, so it names the adapter.
  if (options.storage?.adapter) options.storage.adapter = adapters[options.storage.adapter];
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
