// The module that judges ID tokens: loaded while somebody signs in, and by nobody else; and what follows where it cannot be.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const MODULE = "**/authsafe_jwt_bg.wasm*";
const stored = byName("token by OpenID, localStorage");

/** How often the module was asked for, by the page or its worker. */
function countLoads(context) {
  const loads = [];
  context.on("request", (request) => request.url().includes("authsafe_jwt_bg.wasm") && loads.push(request.url()));
  return loads;
}

for (const isolation of ["worker", "page"]) {
  test(`a sign-in loads it once, and a reload with a session does not: ${isolation}`, async ({ visit, context }) => {
    const loads = countLoads(context);
    const tab = await visit(stored, { options: { storage: "localStorage", isolation } });
    expect(loads).toHaveLength(0);
    expect((await tab.signIn()).state).toMatchObject({ status: "authenticated", user: { name: "Alice Liddell" } });
    expect(await tab.page.evaluate(() => auth.isolation)).toBe(isolation);
    expect(loads).toHaveLength(1);
    for (const _ of "12") {
      expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
      expect(await tab.call()).toEqual([200]);
    }
    const claims = await tab.attempt("() => auth.getIdTokenClaims()");
    expect(claims.value).toMatchObject({ sub: expect.any(String), iss: expect.any(String) });
    expect(loads).toHaveLength(1);
  });

  test(`where it is missing, a sign-in says so and the next one works: ${isolation}`, async ({ visit, context }) => {
    const tab = await visit(stored, { options: { storage: "localStorage", isolation } });
    await context.route(MODULE, (route) => route.fulfill({ status: 404, body: "" }));
    const { error, state } = await tab.signIn();
    expect(error).toMatchObject({ code: "wasm_load_failed", retryable: true, recovery: "retry" });
    expect(error.message).toContain("authsafe_jwt_bg.wasm");
    expect(error.hint.length).toBeGreaterThan(5);
    expect(state).toMatchObject({ status: "unauthenticated", error: { code: "wasm_load_failed" } });
    await context.unroute(MODULE);
    expect((await tab.signIn(undefined, { known: true })).state).toMatchObject({ status: "authenticated" });
  });

  test(`a file that was changed on its way is not run: ${isolation}`, async ({ visit, context }) => {
    const tab = await visit(stored, { options: { storage: "localStorage", isolation } });
    await context.route(MODULE, async (route) => {
      const response = await route.fetch();
      const body = await response.body();
      // Within the module's last section.
      body[body.length - 1] ^= 1;
      await route.fulfill({ response, body });
    });
    expect((await tab.signIn()).error).toMatchObject({ code: "wasm_load_failed" });
  });

  test(`where it is missing, a renewal keeps its tokens and loses nobody: ${isolation}`, async ({ visit, context }) => {
    const tab = await visit(stored, { options: { storage: "localStorage", isolation } });
    await tab.signIn();
    await context.route(MODULE, (route) => route.abort());
    const { state } = await tab.reload();
    // Each of them needs the token that the one before has brought.
    for (const _ of "123") expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.state()).toMatchObject({ status: "authenticated", freshness: "fresh", user: state.user });
    expect(await tab.events("refreshFailed")).toEqual([]);
    expect(await tab.call()).toEqual([200]);
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user: state.user });
  });
}

test("it can be served from another place", async ({ visit, context }) => {
  const loads = countLoads(context);
  const tab = await visit(stored, {
    before: (page) => page.addInitScript(() => (window.jwtSource = "/bare/elsewhere/jwt.wasm?authsafe_jwt_bg.wasm")),
  });
  await context.route("**/bare/elsewhere/jwt.wasm*", async (route) => {
    const response = await route.fetch({
      url: `${new URL(tab.address).origin}/bare/authsafe/wasm/authsafe_jwt_bg.wasm`,
    });
    await route.fulfill({ response });
  });
  expect((await tab.signIn()).state).toMatchObject({ status: "authenticated" });
  expect(loads).toEqual([expect.stringContaining("/bare/elsewhere/jwt.wasm")]);
});

test("an application that does without signatures signs in where there are no keys", async ({ visit, liar }) => {
  const tab = await visit(byName("token by OpenID, memory"), {
    options: { oidc: { issuer: liar.issuer, clientId: "client", idToken: { verifySignature: false } } },
  });
  liar.lies.discovery = (honest, json) => json({ ...honest, jwks_uri: undefined });
  liar.lies.token = (honest, { json, idToken }) =>
    json({ ...honest, id_token: idToken({}, { key: liar.makeKey("unknown") }) });
  expect((await tab.signIn(undefined, { known: true })).state).toMatchObject({ status: "authenticated" });
  expect(liar.requests.filter(({ path }) => path === "/jwks")).toEqual([]);
});

test("who would sign in where there are no keys is told before leaving", async ({ visit, liar }) => {
  const tab = await visit(byName("token by OpenID, memory"), {
    options: { oidc: { issuer: liar.issuer, clientId: "client" } },
  });
  liar.lies.discovery = (honest, json) => json({ ...honest, jwks_uri: undefined });
  const { error } = await tab.attempt("() => auth.login({ via: 'redirect' })");
  expect(error).toMatchObject({ code: "discovery_invalid", phase: "discovery" });
  expect(error.message).toContain("jwks_uri");
});
