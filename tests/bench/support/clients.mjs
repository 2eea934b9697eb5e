// Who is measured.

/** The tarball of another build of authsafe, to be measured in the same run. */
export const before = process.env.BENCH_BEFORE;

/**
 * `page`: the folder that it is served from; `entry`: its file in app/clients/. `preload`: what of its files the HTML names,
 * so that the browser asks for them before the script does; README.md says which.
 */
export const clients = [
  { name: "authsafe, worker", page: "authsafe-worker", entry: "authsafe-worker" },
  {
    name: "authsafe, worker, preloads",
    page: "authsafe-preloads",
    entry: "authsafe-worker",
    preload: ["worker", "wasm"],
  },
  ...(before
    ? [
        {
          name: "authsafe before, worker",
          page: "authsafe-before",
          entry: "authsafe-worker",
          package: "authsafe-before",
        },
      ]
    : []),
  { name: "authsafe, page", page: "authsafe-page", entry: "authsafe-page" },
  { name: "oidc-client-ts", page: "oidc-client-ts", entry: "oidc-client-ts", peer: true },
  { name: "auth0-spa-js", page: "auth0-spa-js", entry: "auth0-spa-js", peer: true },
];
/** With its tokens in memory, as it does unless told otherwise: each tab signs in for itself. Only beside the others where they renew. */
const inMemory = { name: "auth0-spa-js, memory", page: "auth0-spa-js-memory", entry: "auth0-spa-js-memory" };
export const peers = clients.filter(({ peer }) => peer);
/** What the HTML names matters only while a page starts. */
export const distinct = clients.filter(({ preload }) => !preload);
export const renewing = [...distinct, inMemory];
/** Every page that is built. */
export const built = [...clients, inMemory];
