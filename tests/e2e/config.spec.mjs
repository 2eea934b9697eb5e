// Options that are wrong are refused before anything is sent, by a message that names the option.
import { byName, optionsOf } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { ALICE } from "./support/tab.mjs";

/** Creates and starts a client with these options in a page: what became of it. */
async function tryOptions(page, options) {
  return page.evaluate(
    (options) =>
      window.attempt(async () => {
        const auth = window.authsafe.createAuthClient(options);
        const { state } = await auth.init();
        auth.dispose();
        return state.status;
      }),
    options,
  );
}

test("each wrong option is refused by its name", async ({ page, servers }) => {
  const { config } = servers;
  await page.goto(`${config.pageUrl}/bare/`);
  const oidc = optionsOf(byName("token by OpenID, memory"), config);
  const password = optionsOf(byName("token by password, memory"), config);
  const session = optionsOf(byName("session, synchronizer"), config);
  const withOidc = (changed) => ({ ...oidc, oidc: { ...oidc.oidc, ...changed } });
  for (const [options, named] of [
    [{}, "mode"],
    [{ mode: "tokens" }, "mode"],
    [{ mode: "token" }, "oidc"],
    [{ ...oidc, storag: "memory" }, "storage"],
    [{ ...oidc, storage: "localstorage" }, "storage"],
    [{ ...oidc, storage: { kind: "localStorage", dangerouslyPlaintext: "yes" } }, "storage.dangerouslyPlaintext"],
    [{ ...oidc, storage: { kind: "memory", path: "/" } }, "storage.path"],
    [{ ...oidc, storage: { kind: "custom" } }, "storage.adapter"],
    [{ ...oidc, csrf: false }, "csrf"],
    [{ ...oidc, allowedOrigins: "https://api.example" }, "allowedOrigins"],
    [{ ...oidc, allowedOrigins: ["http://api.example"] }, "https"],
    [{ ...oidc, allowedOrigins: ["https://api.example@evil.example"] }, "allowedOrigins"],
    [{ ...oidc, allowedOrigins: ["*"] }, "allowedOrigins"],
    [{ ...oidc, allowedOrigins: [{ origin: "https://api.example", pathPrefix: "v1" }] }, "pathPrefix"],
    [{ ...oidc, refresh: { earlySeconds: -1 } }, "refresh.earlySeconds"],
    [{ ...oidc, refresh: { eagerly: true } }, "refresh.eagerly"],
    [{ ...oidc, logger: "loud" }, "logger"],
    [{ ...oidc, id: "no spaces please" }, "id"],
    [{ ...oidc, isolation: "iframe" }, "isolation"],
    [withOidc({ issuer: "http://provider.example" }), "oidc.issuer"],
    [withOidc({ issuer: "https://provider.example?x" }), "oidc.issuer"],
    [withOidc({ issuer: "" }), "oidc.issuer"],
    [withOidc({ clientId: undefined }), "oidc.clientId"],
    [withOidc({ clientID: "x" }), "clientId"],
    [withOidc({ redirectUri: "https://elsewhere.example/" }), "oidc.redirectUri"],
    [withOidc({ scope: 'a "b"' }), "oidc.scope"],
    [withOidc({ authorizationParams: { state: "mine" } }), "state"],
    [withOidc({ tokenParams: { code: "x" } }), "code"],
    [withOidc({ idToken: { leewaySeconds: 301 } }), "leewaySeconds"],
    [withOidc({ metadata: { issuer: "https://other.example" } }), "oidc.metadata"],
    [{ ...password, firstParty: { baseUrl: "/" } }, "endpoints"],
    [{ ...password, firstParty: { ...password.firstParty, endpoints: { login: "http://evil.example/" } } }, "login"],
    [{ ...session, endpoints: {} }, "endpoints.session"],
    [{ ...session, endpoints: { ...session.endpoints, logon: "/x" } }, "endpoints.logon"],
    [{ ...session, csrf: { kind: "double-submit", headerName: "x" } }, "csrf.cookieName"],
    [{ ...session, csrf: { kind: "triple-submit" } }, "csrf.kind"],
    [{ ...session, csrf: true }, "csrf"],
    [{ ...session, credentials: "omit" }, "credentials"],
    [{ ...session, storage: "memory" }, "storage"],
    [{ ...session, recheck: { intervalSeconds: 0 } }, "recheck.intervalSeconds"],
  ]) {
    const { value, error } = await tryOptions(page, options);
    const context = `${named}: ${JSON.stringify(options)}`;
    expect(value, context).toBeUndefined();
    expect(error, context).toMatchObject({ code: "config_invalid", phase: "config", recovery: "fix_config" });
    expect(error.message, context).toContain(named);
    expect(error.hint.length, context).toBeGreaterThan(10);
  }
  for (const options of [oidc, password, session]) {
    expect(await tryOptions(page, options)).toEqual({ value: "unauthenticated" });
  }
});

test("a client that is refused for its options leaves alone who is signed in", async ({ visit }) => {
  const one = byName("token by password, localStorage");
  const tab = await visit(one);
  await tab.signIn();
  for (const wrong of [{ storag: "memory" }, { allowedOrigins: ["*"] }]) {
    const { error } = await tryOptions(tab.page, { ...(await tab.page.evaluate(() => window.authOptions)), ...wrong });
    expect(error).toMatchObject({ code: "config_invalid" });
  }
  expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: ALICE.name } });
  expect(await tab.call()).toEqual([200]);
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
});

test("F55 a worker holds the tokens by itself; where they pass through the page anyway, that is told or refused", async ({
  page,
  visit,
  servers,
}) => {
  const one = byName("token by OpenID, memory");
  const isolated = await visit(one);
  expect(await isolated.page.evaluate(() => window.auth.isolation)).toBe("worker");
  await isolated.signIn();
  expect(await isolated.attempt("() => auth.getAccessToken()")).toMatchObject({ error: { code: "token_isolated" } });
  expect(await isolated.call()).toEqual([200]);

  await page.goto(`${servers.config.pageUrl}/bare/`);
  const options = optionsOf(byName("token by OpenID, localStorage"), servers.config);
  const { error } = await tryOptions(page, { ...options, isolation: "required" });
  expect(error).toMatchObject({ code: "isolation_unavailable", recovery: "fix_config" });
  const tab = await visit(byName("token by OpenID, localStorage"), { page: await page.context().newPage() });
  expect(await tab.events("isolationDegraded")).toHaveLength(1);
  expect(await tab.page.evaluate(() => window.auth.isolation)).toBe("page");
});

test("a return address that could lead elsewhere is refused before the page leaves", async ({ visit }) => {
  const tab = await visit(byName("token by OpenID, memory"));
  for (const returnTo of [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "x",
    "",
  ]) {
    const { error } = await tab.attempt("(returnTo) => auth.login({ returnTo })", returnTo);
    expect(error, returnTo).toMatchObject({ code: "return_to_refused" });
  }
});

test("a client that was disposed of says so to every call, and its session stays", async ({ visit }) => {
  const tab = await visit(byName("token by password, localStorage"));
  await tab.signIn();
  await tab.page.evaluate(() => window.auth.dispose());
  for (const call of ["init", "login", "logout", "refresh", "getAccessToken", "revoke"]) {
    expect(await tab.attempt("(call) => auth[call]()", call), call).toMatchObject({ error: { code: "disposed" } });
  }
  expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
});
