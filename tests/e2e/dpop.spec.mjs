// Tokens that are bound to a key, at a provider that gives no others to this client, and an API that checks each proof.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const memory = byName("token by OpenID, memory");
const stored = byName("token by OpenID, indexedDB");

/** A tab of the client that may have bound tokens only. */
async function open(visit, servers, one, options = {}, more = {}) {
  const { boundClientId, issuer, scope, pageUrl } = servers.config;
  const redirectUri = `${pageUrl}/bare/`;
  const oidc = { issuer, clientId: boundClientId, scope, redirectUri, postLogoutRedirectUri: redirectUri };
  return visit(one, {
    options: { oidc, dpop: "always", restore: "refresh-token", id: "e2e-dpop", ...options },
    ...more,
  });
}

/** What the page finds under the keys of its origin. */
const keysOfTheOrigin = `() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("authsafe");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const all = opening.result.transaction("keys").objectStore("keys").getAll();
    all.onsuccess = () => {
      opening.result.close();
      // Keys of other kinds may lie beside them.
      const pairs = all.result.filter(({ privateKey }) => privateKey);
      resolve(pairs.map(({ privateKey }) => [privateKey.extractable, privateKey.algorithm.namedCurve]));
    };
  };
})`;

const loseKeys = `() => new Promise((resolve, reject) => {
  const opening = indexedDB.open("authsafe");
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const transaction = opening.result.transaction("keys", "readwrite");
    transaction.objectStore("keys").clear();
    transaction.oncomplete = () => resolve(opening.result.close());
  };
})`;

/** What arrived at the API itself since `before`, preflights left out. */
const arrived = (servers, before = 0) =>
  servers.api.stats.requests.slice(before).filter(({ method }) => method !== "OPTIONS");

for (const one of [memory, stored]) {
  for (const isolation of ["required", "page"]) {
    test(`${one.name}, ${isolation}: signs in, calls, renews and comes back with one key`, async ({
      visit,
      servers,
    }) => {
      const tab = await open(visit, servers, one, { isolation });
      expect((await tab.signIn()).state).toMatchObject({ status: "authenticated" });
      const before = servers.api.stats.requests.length;
      expect(await tab.call(3)).toEqual([200, 200, 200]);
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      expect(await tab.call()).toEqual([200]);
      expect(arrived(servers, before).map(({ proof }) => proof)).toEqual(Array(4).fill(true));
      // Whatever is kept on disk, script can use it there and cannot read it; with the tokens in memory, it is not there.
      const kept = one === stored ? [[false, "P-256"]] : [];
      expect(await tab.attempt(keysOfTheOrigin)).toEqual({ value: kept });
      const { state } = await tab.reload();
      expect(state.status).toBe(one === stored ? "authenticated" : "unauthenticated");
      if (one !== stored) return;
      expect(await tab.call()).toEqual([200]);
      expect(await tab.refresh()).toEqual({ value: "authenticated" });
      expect(await tab.call()).toEqual([200]);
      await tab.logout();
      expect(await tab.attempt(keysOfTheOrigin)).toEqual({ value: [] });
    });
  }
}

test("F62 nonces are wanted at the token endpoint and at the API, and cost one request each", async ({
  visit,
  servers,
}) => {
  servers.provider.dpop.requireNonce = true;
  servers.api.proofs.settings.requireNonce = true;
  const tab = await open(visit, servers, memory);
  const wanted = () => servers.provider.stats.events.filter(({ type }) => type === "nonce_wanted").length;
  const refusals = wanted();
  expect((await tab.signIn()).state).toMatchObject({ status: "authenticated" });
  expect(wanted() - refusals).toBe(1);
  expect(await tab.refresh()).toEqual({ value: "authenticated" });
  expect(wanted() - refusals).toBe(1);

  const counted = async (work) => {
    const before = servers.api.stats.requests.length;
    expect(await work()).toEqual([200]);
    return arrived(servers, before).length;
  };
  expect(await counted(() => tab.call())).toBe(2);
  expect(await counted(() => tab.call())).toBe(1);
  servers.api.proofs.rotateNonce();
  expect(await counted(() => tab.call())).toBe(1);
  servers.api.proofs.forgetNonces();
  const post = `async (address) => {
    const response = await auth.fetch(address, {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"note":"kept"}' });
    return [response.status, (await response.json()).received];
  }`;
  expect(await tab.attempt(post, tab.resource)).toEqual({ value: [200, { note: "kept" }] });
  servers.api.proofs.forgetNonces();
  expect(await tab.call(5)).toEqual(Array(5).fill(200));
  // A nonce and a token that are both over: first the one, then the other.
  servers.api.proofs.forgetNonces();
  servers.api.denySeenTokens();
  expect(await tab.call()).toEqual([200]);
});

test("a nonce that script may not read is an error that says what the server must expose", async ({
  invariants,
  visit,
  servers,
}) => {
  invariants.breaks("I8", "without the nonce no call can be made, whatever the token is");
  Object.assign(servers.api.proofs.settings, { requireNonce: true, exposeNonce: false });
  const tab = await open(visit, servers, memory);
  await tab.signIn();
  const before = servers.api.stats.requests.length;
  expect(await tab.call()).toEqual(["dpop_nonce_unavailable"]);
  expect(arrived(servers, before)).toHaveLength(1);
  expect(await tab.state()).toMatchObject({ status: "authenticated" });
});

test("a bound token that the API refuses is renewed once, and the request is sent again with a new proof", async ({
  visit,
  servers,
}) => {
  const tab = await open(visit, servers, memory);
  await tab.signIn();
  expect(await tab.call()).toEqual([200]);
  const renewals = tab.renewals();
  servers.api.denySeenTokens();
  expect(await tab.call()).toEqual([200]);
  expect(tab.renewals() - renewals).toBe(1);
});

test("a lost key ends in one new sign-in, and no request is made without it", async ({ visit, servers }) => {
  const tab = await open(visit, servers, stored);
  await tab.signIn();
  expect(await tab.call()).toEqual([200]);
  await tab.attempt(loseKeys);
  const { stats } = servers.provider;
  const before = [stats.events.length, servers.api.stats.requests.length];
  const { state, error } = await tab.reload();
  expect(error.code).toBe("dpop_key_lost");
  expect(state).toMatchObject({ status: "unauthenticated", reason: "storage_lost" });
  expect(await tab.call(3)).toEqual(Array(3).fill("login_required"));
  expect([stats.events.length, servers.api.stats.requests.length]).toEqual(before);
  expect((await tab.signIn(undefined, { known: true })).state).toMatchObject({ status: "authenticated" });
  expect(await tab.call()).toEqual([200]);
});

test("where a page load may ask the provider, a lost key costs one sign-in that the user does not notice", async ({
  visit,
  servers,
}) => {
  const tab = await open(visit, servers, stored, { restore: "auto" });
  await tab.signIn();
  await tab.attempt(loseKeys);
  const exchanges = servers.provider.stats.tokenRequests.authorization_code;
  await tab.page.reload();
  // The page leaves and comes back meanwhile.
  await tab.page.waitForFunction(() => window.started?.value?.state.status === "authenticated");
  expect(await tab.call()).toEqual([200]);
  expect(servers.provider.stats.tokenRequests.authorization_code - exchanges).toBe(1);
});

test("a second tab uses the key of the first, and the tokens are renewed in either", async ({ visit, servers }) => {
  const first = await open(visit, servers, stored);
  await first.signIn();
  const second = await open(visit, servers, stored);
  await second.becomes({ status: "authenticated" });
  for (const tab of [second, first, second]) {
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.call()).toEqual([200]);
  }
  await first.logout();
  await second.becomes({ status: "unauthenticated", reason: "logged_out_elsewhere" });
});

test("a stolen access token is of no use outside the browser", async ({ visit, servers }) => {
  const tab = await open(visit, servers, memory, { exposeAccessToken: true });
  await tab.signIn();
  const { value: token } = await tab.attempt("() => auth.getAccessToken()");
  expect(token.length).toBeGreaterThan(100);
  const steal = async (headers) => (await fetch(tab.resource, { headers })).status;
  expect(await steal({ authorization: `Bearer ${token}` })).toBe(401);
  expect(await steal({ authorization: `DPoP ${token}` })).toBe(401);
  // Not even with a proof that the page has sent: it is for that request, once.
  const seen = [];
  await tab.page.context().route("**/api/hello", (route) => {
    seen.push(route.request().headers());
    return route.continue();
  });
  expect(await tab.call()).toEqual([200]);
  const sent = seen.filter(({ dpop }) => dpop);
  expect(sent).toHaveLength(1);
  for (const { authorization, dpop } of sent) expect(await steal({ authorization, dpop })).toBe(401);
  expect(await tab.call()).toEqual([200]);
});

test("no message of the worker brings a key, whatever it is asked", async ({ visit, servers }) => {
  const before = (page) =>
    page.addInitScript(() => {
      window.heard = [];
      const Real = window.Worker;
      window.Worker = class extends Real {
        constructor(...about) {
          super(...about);
          window.vault = this;
          this.addEventListener("message", ({ data }) => window.heard.push(data));
        }
      };
      window.hasKey = (value, depth = 0) =>
        value instanceof CryptoKey ||
        (depth < 8 && typeof value === "object" && value !== null
          ? Object.values(value).some((each) => window.hasKey(each, depth + 1))
          : false);
    });
  const tab = await open(visit, servers, memory, { isolation: "required", exposeAccessToken: true }, { before });
  await tab.signIn();
  expect(await tab.call()).toEqual([200]);
  const asked = `async () => {
    const names = ["key", "keys", "sign", "proof", "authorize", "answered", "export", "held", "toJSON", "constructor"];
    let id = 1e6;
    for (const name of names) {
      vault.postMessage({ kind: "call", id: ++id, name });
      vault.postMessage({ kind: name, id: ++id });
      vault.postMessage({ kind: "answer", id: ++id, value: name });
    }
    for (const name of ["idTokenClaims", "refresh", "init"]) vault.postMessage({ kind: "call", id: ++id, name });
    await auth.refresh();
    await (await auth.fetch(${JSON.stringify(tab.resource)})).text();
    return [heard.length > 5, heard.some((message) => hasKey(message)), JSON.stringify(heard).includes("privateKey")];
  }`;
  expect(await tab.attempt(asked)).toEqual({ value: [true, false, false] });
  expect(await tab.attempt(keysOfTheOrigin)).toEqual({ value: [] });
});

test("a request with a proof follows no redirect", async ({ visit, servers, recorder }) => {
  const tab = await open(visit, servers, memory);
  await tab.signIn();
  const get = "async (address) => (await auth.fetch(address)).status";
  for (const status of [302, 307]) {
    const to = encodeURIComponent(`${recorder.origin}/caught-${status}`);
    const address = `${servers.config.apiUrl}/api/redirect?status=${status}&to=${to}`;
    expect(await tab.attempt(get, address)).toMatchObject({ error: { name: "TypeError" } });
  }
  expect(recorder.requests).toEqual([]);
});

test("where the client may do without, the provider's offer alone makes the tokens bound", async ({
  visit,
  servers,
}) => {
  const tab = await visit(memory);
  await tab.signIn();
  const before = servers.api.stats.requests.length;
  expect(await tab.call()).toEqual([200]);
  expect(arrived(servers, before)).toMatchObject([{ proof: true }]);
  const plain = await visit(memory, { options: { dpop: "never", id: "e2e-bearer" } });
  await plain.signIn(undefined, { known: true });
  const middle = servers.api.stats.requests.length;
  expect(await plain.call()).toEqual([200]);
  expect(arrived(servers, middle)).toMatchObject([{ proof: false, authorization: true }]);
});
