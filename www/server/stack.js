/** All servers of the demo, wired to each other. `main.js` starts it for a person, `testing.js` for tests. */
import { startApi } from "./api.js";
import { createFirstParty, describeFirstParty, firstPartyMounts } from "./first-party.js";
import { startLab } from "./lab.js";
import { startPage } from "./page.js";
import { startProvider } from "./provider.js";
import { API_SCOPE } from "./provider-config.js";
import { SHOWN_CLIENT_ID } from "./provider-shown.js";
import { createSessionBackend, describeSessionMounts } from "./session-server.js";
import { openStore } from "./store.js";
import { demoUsers } from "./users.js";

/**
 * @param {object} options
 * @param {{provider: number, api: number, page: number}} options.ports All known beforehand: each server names the others.
 * @param {string[]} [options.redirectPaths] Paths of the page's origin that a sign-in or sign-out may come back to.
 * @param {string[]} [options.connectTo] More origins that the page's policy lets script call.
 * @param {object} [options.provider] More options for `startProvider`.
 * @param {object} [options.session] More options for `createSessionBackend`.
 * @param {object} [options.firstParty] More options for `createFirstParty`.
 * @param {object} [options.api] More options for `startApi`.
 * @param {object} [options.extraStatic] See `startPage`.
 * @param {string} [options.dataDir] See `openStore`.
 */
export async function startStack({ ports, redirectPaths = ["/", "/callback"], connectTo = [], ...options }) {
  const issuer = localhost(ports.provider);
  const apiUrl = localhost(ports.api);
  const pageUrl = localhost(ports.page);
  const returnUris = redirectPaths.map((path) => pageUrl + path);
  const running = [];
  const close = async () => {
    // In the order opposite to the start, so that nothing is asked that is gone already; the store is last.
    for (const server of running.splice(0).reverse()) await server.close();
  };

  try {
    const store = keep(await openStore({ dataDir: options.dataDir, now: options.now }));
    const provider = keep(
      await startProvider({
        store,
        apiUrl,
        port: ports.provider,
        pageOrigins: [pageUrl],
        redirectUris: returnUris,
        postLogoutRedirectUris: returnUris,
        ...options.provider,
      }),
    );
    const firstPartyIssuer = pageUrl + firstPartyMounts.body;
    const firstParty = await createFirstParty({ store, issuer: firstPartyIssuer, apiUrl, ...options.firstParty });
    const session = await createSessionBackend({ store, ...options.session });
    const api = keep(
      await startApi({
        port: ports.api,
        pageOrigins: [pageUrl],
        issuers: { [issuer]: `${issuer}/jwks`, [firstPartyIssuer]: `${firstPartyIssuer}/jwks` },
        ...options.api,
      }),
    );
    const lab = keep(await startLab({ apiUrl }));
    const page = keep(
      await startPage({
        port: ports.page,
        config: () => describe({ provider, apiUrl, session, firstParty, lab }),
        connectTo: [issuer, apiUrl, lab.url, ...connectTo],
        formTargets: [issuer],
        routers: [session.routes, firstParty.routes],
        extraStatic: options.extraStatic,
      }),
    );
    return { store, provider, firstParty, session, api, page, close };
  } catch (error) {
    await close();
    throw error;
  }

  function keep(server) {
    running.push(server);
    return server;
  }
}

/** What the page has to know. Lifetimes are read at each request: tests change them while everything runs. */
function describe({ provider, apiUrl, session, firstParty, lab }) {
  return {
    issuer: provider.issuer,
    clientId: provider.clientId,
    boundClientId: provider.boundClientId,
    userInfoClientId: provider.userInfoClientId,
    scope: `openid profile email offline_access ${API_SCOPE}`,
    apiUrl,
    /** Where the page gets an ID token for its experiments, and what to compare it with. */
    shownToken: {
      url: `${provider.issuer}/shown-token`,
      jwksUri: `${provider.issuer}/jwks`,
      issuer: provider.issuer,
      audience: SHOWN_CLIENT_ID,
    },
    /** The thief of the laboratory. */
    labUrl: lab.url,
    session: describeSessionMounts(),
    firstParty: describeFirstParty(),
    lifetimes: { ...provider.lifetimes, ...session.lifetimes },
    // It is a demo: the page may show how to sign in.
    users: demoUsers,
  };
}

const localhost = (port) => `http://localhost:${port}`;
