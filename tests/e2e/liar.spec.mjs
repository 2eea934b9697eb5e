// A provider that lies: each lie has its own code, and what was valid before stays in force.
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";

const one = byName("token by OpenID, memory");
const large = "x".repeat(300 * 1024);

/** The lies about tokens, and the code that each gets. */
const tokenLies = [
  ["is HTML", () => ({ status: 200, type: "text/html", body: "<h1>Log in</h1>" }), "response_invalid"],
  [
    "is HTML that calls itself JSON",
    () => ({ status: 200, type: "application/json", body: "<h1>Log in</h1>" }),
    "response_invalid",
  ],
  ["is cut off", (honest, { json }) => cutOff(json(honest)), "response_invalid"],
  ["is empty", () => ({ status: 200, type: "application/json" }), "response_invalid"],
  ["is a list", (honest, { json }) => json([honest]), "response_invalid"],
  ["is over 256 KiB", (honest, { json }) => json({ ...honest, large }), "response_too_large"],
  ["has no access token", (honest, { json }) => json({ ...honest, access_token: undefined }), "response_invalid"],
  ["has no token type", (honest, { json }) => json({ ...honest, token_type: undefined }), "response_invalid"],
  ["has another token type", (honest, { json }) => json({ ...honest, token_type: "mac" }), "token_type_unsupported"],
  ["has a number for a token type", (honest, { json }) => json({ ...honest, token_type: 7 }), "response_invalid"],
  ["has no number for expires_in", (honest, { json }) => json({ ...honest, expires_in: [60] }), "response_invalid"],
  ["is an error of the client's", (_, { json }) => json({ error: "invalid_client" }, 401), "token_request_rejected"],
  ["is an error of the server's", () => ({ status: 503, type: "text/html", body: "<h1>503</h1>" }), "server_error"],
  ["leads elsewhere", () => ({ status: 302, location: "/.well-known/openid-configuration" }), "redirect_refused"],
];

const cutOff = ({ body, ...rest }) => ({ ...rest, body: body.slice(0, -20) });

/** The claims of one token with the signature of another. */
const spliced = (claims, signature) => claims.replace(/[^.]*$/, signature.split(".")[2]);

/** The options of a client of this provider, which may send its token to the recorder. */
const clientOf = (liar, recorder) => ({
  options: {
    oidc: { issuer: liar.issuer, clientId: "client" },
    ...(recorder && { allowedOrigins: [recorder.origin] }),
  },
});
const signIn = (tab) => tab.signIn(undefined, { known: true });

for (const [what, lie, code] of tokenLies) {
  test(`a token response that ${what} is ${code}, and keeps what was valid`, async ({
    invariants,
    visit,
    liar,
    recorder,
  }) => {
    if (what.startsWith("has "))
      invariants.breaks("I2 again", "the refresh token of an answer that is none is not taken");
    const tab = await visit(one, clientOf(liar, recorder));
    liar.lies.token = lie;
    const refused = await signIn(tab);
    expect(refused.error).toMatchObject({ code });
    expect(refused.error.hint.length).toBeGreaterThan(5);
    expect(refused.state).toMatchObject({ status: "unauthenticated", error: { code } });

    delete liar.lies.token;
    expect((await signIn(tab)).state).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    await tab.call(1, `${recorder.origin}/before`);
    liar.lies.token = lie;
    expect(await tab.refresh()).toMatchObject({ error: { code, phase: "refresh" } });
    expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    expect(await tab.call(1, `${recorder.origin}/after`)).toEqual([200]);
    const [before, after] = recorder.requests.map(({ authorization }) => authorization);
    expect(before).toMatch(/^Bearer CANARY-access-/);
    expect(after).toBe(before);

    delete liar.lies.token;
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.state()).toMatchObject({ freshness: "fresh" });
  });
}

test("a server that asks for time says how much", async ({ visit, liar }) => {
  const tab = await visit(one, clientOf(liar));
  await signIn(tab);
  liar.lies.token = () => ({
    status: 429,
    headers: { "retry-after": "7", "access-control-expose-headers": "retry-after" },
  });
  expect(await tab.refresh()).toMatchObject({ error: { code: "rate_limited", retryAfterSeconds: 7, retryable: true } });
});

for (const [what, expiresIn, isKnown] of [
  ["text that is a number", "120", true],
  ["text that is none", "soon", false],
  ["missing", undefined, false],
  ["absurdly large", 1e300, false],
  ["longer than timers last", 60 * 60 * 24 * 365, true],
]) {
  test(`a lifetime that is ${what} does not stop the sign-in, nor start a storm`, async ({ visit, liar, recorder }) => {
    const tab = await visit(one, { options: { ...clientOf(liar, recorder).options, refresh: {} } });
    liar.lies.token = (honest, { json }) => json({ ...honest, expires_in: expiresIn });
    const { state } = await signIn(tab);
    expect(state).toMatchObject({ status: "authenticated", freshness: "fresh" });
    expect(state.session.expiresAt !== undefined).toBe(isKnown);
    expect(await tab.call(20, recorder.origin)).toEqual(Array(20).fill(200));
    expect(liar.tokenRequests("refresh_token")).toBe(0);
  });
}

for (const [what, expiresIn] of [
  ["negative", -5],
  ["zero", 0],
]) {
  test(`a lifetime that is ${what} does not start a storm of renewals`, async ({ visit, liar, recorder }) => {
    const tab = await visit(one, { options: { ...clientOf(liar, recorder).options, refresh: {} } });
    liar.lies.token = (honest, { json }) => json({ ...honest, expires_in: expiresIn });
    const { state } = await signIn(tab);
    expect(state).toMatchObject({ status: "authenticated" });
    const outcomes = await tab.call(20, recorder.origin);
    expect(outcomes).toHaveLength(20);
    expect(liar.tokenRequests("refresh_token")).toBeLessThanOrEqual(2);
    delete liar.lies.token;
    await expect.poll(() => tab.call(1, recorder.origin)).toEqual([200]);
  });
}

for (const [what, lie, code] of [
  ["is another issuer's", (honest, json) => json({ ...honest, issuer: "https://other.example" }), "issuer_mismatch"],
  [
    "spells the issuer with a slash",
    (honest, json) => json({ ...honest, issuer: `${honest.issuer}/` }),
    "issuer_mismatch",
  ],
  ["has no issuer", (honest, json) => json({ ...honest, issuer: undefined }), "discovery_invalid"],
  ["has no token endpoint", (honest, json) => json({ ...honest, token_endpoint: undefined }), "discovery_invalid"],
  [
    "names an endpoint that is not https",
    (honest, json) => json({ ...honest, token_endpoint: "http://evil.example/token" }),
    "discovery_invalid",
  ],
  [
    "names a script for an endpoint",
    (honest, json) => json({ ...honest, authorization_endpoint: "javascript:alert(1)" }),
    "discovery_invalid",
  ],
  [
    "lacks PKCE",
    (honest, json) => json({ ...honest, code_challenge_methods_supported: ["plain"] }),
    "discovery_invalid",
  ],
  ["is HTML", () => ({ status: 200, type: "text/html", body: "<h1>Welcome</h1>" }), "discovery_invalid"],
  ["is not there", () => ({ status: 404 }), "discovery_invalid"],
  ["is cut off", (honest, json) => cutOff(json(honest)), "discovery_invalid"],
  ["is over 256 KiB", (honest, json) => json({ ...honest, large }), "response_too_large"],
  ["fails", () => ({ status: 500 }), "server_error"],
]) {
  test(`a discovery document that ${what} is ${code}, is not remembered, and keeps what was valid`, async ({
    visit,
    liar,
    recorder,
  }) => {
    const tab = await visit(byName("token by OpenID, localStorage"), clientOf(liar, recorder));
    liar.lies.discovery = lie;
    const { error } = await tab.attempt("() => auth.login({ via: 'redirect' })");
    expect(error).toMatchObject({ code, phase: "discovery" });
    expect(error.hint.length).toBeGreaterThan(5);
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code } });
    delete liar.lies.discovery;
    expect((await signIn(tab)).state).toMatchObject({ status: "authenticated" });

    liar.lies.discovery = lie;
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    expect(await tab.refresh()).toMatchObject({ error: { code, phase: "discovery" } });
    expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    expect(recorder.requests.map(({ authorization }) => authorization)).toEqual([
      expect.stringMatching(/^Bearer CANARY-access-/),
    ]);
    delete liar.lies.discovery;
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
  });
}

for (const [what, lie, code] of [
  ["of another issuer", (idToken) => idToken({ iss: "https://other.example" }), "id_token_invalid"],
  ["for another client", (idToken) => idToken({ aud: "somebody-else" }), "id_token_invalid"],
  ["for several without azp", (idToken) => idToken({ aud: ["client", "other"], azp: "other" }), "id_token_invalid"],
  ["of another sign-in", (idToken) => idToken({ nonce: "another" }), "id_token_invalid"],
  ["without a nonce", (idToken) => idToken({ nonce: undefined }), "id_token_invalid"],
  ["that ended before it was issued", (idToken) => idToken({ exp: 1_000_000_000 }), "id_token_invalid"],
  ["without a subject", (idToken) => idToken({ sub: undefined }), "id_token_invalid"],
  ["for another access token", (idToken) => idToken({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }), "id_token_invalid"],
  ["that is no token", () => "not.a.token", "id_token_malformed"],
  ["that is not signed", (idToken) => idToken({}, { header: { alg: "none" } }), "id_token_malformed"],
  [
    "whose signature was cut off",
    (idToken) => idToken({}, { header: { alg: "none" } }).replace(/[^.]*$/, ""),
    "id_token_malformed",
  ],
  ["signed with a shared secret", (idToken) => idToken({}, { header: { alg: "HS256" } }), "id_token_algorithm_refused"],
  [
    "signed by an algorithm that nobody allowed",
    (idToken) => idToken({}, { header: { alg: "ES384" } }),
    "id_token_algorithm_refused",
  ],
  [
    "signed by somebody else in the provider's name",
    (idToken, liar) => idToken({}, { key: liar.makeKey("first") }),
    "id_token_signature_invalid",
  ],
  [
    "that was changed after it was signed",
    (idToken) => spliced(idToken({ sub: "somebody else" }), idToken({})),
    "id_token_signature_invalid",
  ],
  [
    "signed with a key that it brings along",
    (idToken, liar) => {
      const key = liar.makeKey("first");
      return idToken({}, { key, header: { jwk: key.jwk } });
    },
    "id_token_signature_invalid",
  ],
  [
    "signed with a key that nobody publishes",
    (idToken, liar) => idToken({}, { key: liar.makeKey("unknown") }),
    "jwks_key_missing",
  ],
  ["that is missing", () => undefined, "id_token_missing"],
]) {
  test(`an ID token ${what} signs nobody in`, async ({ visit, liar }) => {
    const tab = await visit(one, clientOf(liar));
    liar.lies.token = (honest, { json, idToken }) => json({ ...honest, id_token: lie(idToken, liar) });
    const { state, error } = await signIn(tab);
    expect(error).toMatchObject({ code, recovery: "fix_config" });
    expect(state).toMatchObject({ status: "unauthenticated", error: { code } });
  });
}

for (const [what, lie] of [
  ["signed by somebody else", (idToken, liar) => idToken({}, { key: liar.makeKey("first") })],
  ["that was changed", (idToken) => spliced(idToken({ name: "Somebody Else" }), idToken({}))],
]) {
  test(`F19 a renewal that brings a token ${what} ends the session, and what came beside it is not used`, async ({
    visit,
    liar,
    recorder,
  }) => {
    const tab = await visit(one, clientOf(liar, recorder));
    await signIn(tab);
    liar.lies.token = (honest, { json, idToken }) => json({ ...honest, id_token: lie(idToken, liar) });
    expect(await tab.refresh()).toMatchObject({ error: { code: "id_token_signature_invalid" } });
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "error" });
    expect(await tab.call(1, recorder.origin)).toEqual(["login_required"]);
    expect(recorder.requests).toEqual([]);
  });
}

for (const [what, lie, code] of [
  ["cannot be had", () => ({ status: 500 }), "jwks_unavailable"],
  ["are not there", () => ({ status: 404 }), "jwks_unavailable"],
  ["are HTML", () => ({ status: 200, type: "text/html", body: "<h1>Welcome</h1>" }), "jwks_invalid"],
  ["are over 256 KiB", (honest, json) => json({ ...honest, large }), "jwks_invalid"],
  ["are more than 100", ({ keys }, json) => json({ keys: Array(101).fill(keys[0]) }), "jwks_invalid"],
  ["are two of one name", ({ keys }, json) => json({ keys: [keys[0], keys[0]] }), "jwks_key_ambiguous"],
  ["are for encryption", ({ keys }, json) => json({ keys: [{ ...keys[0], use: "enc" }] }), "jwks_key_missing"],
]) {
  test(`F40 keys that ${what} sign nobody in, and no renewal loses anything by them`, async ({
    visit,
    liar,
    recorder,
  }) => {
    const tab = await visit(byName("token by OpenID, localStorage"), clientOf(liar, recorder));
    liar.lies.jwks = lie;
    const { error } = await signIn(tab);
    expect(error).toMatchObject({ code });
    expect(error.hint.length).toBeGreaterThan(5);
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code } });
    delete liar.lies.jwks;
    expect((await signIn(tab)).state).toMatchObject({ status: "authenticated", user: { name: "Some One" } });

    // This page has no keys of its own yet.
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
    liar.lies.jwks = lie;
    liar.lies.token = (honest, { json, idToken }) => json({ ...honest, id_token: idToken({ name: "Another Name" }) });
    await tab.call(1, recorder.origin);
    for (const _ of "12") expect(await tab.refresh()).toEqual({ value: "authenticated" });
    await tab.call(1, recorder.origin);
    const [before, after] = recorder.requests.map(({ authorization }) => authorization);
    expect(after, "the new access token is in force").not.toBe(before);
    expect(await tab.state()).toMatchObject({ freshness: "fresh", user: { name: "Some One" } });
    expect(await tab.events("refreshFailed")).toEqual([]);
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user: { name: "Some One" } });
    expect(liar.spent).toBe(0);

    delete liar.lies.jwks;
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated" });
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    await tab.becomes({ user: { name: "Another Name" } });
  });
}

test("a provider that changes its keys is followed, and asked for them once a minute", async ({
  visit,
  liar,
  clock,
}) => {
  const tab = await visit(one, clientOf(liar));
  await signIn(tab);
  const asked = () => liar.requests.filter(({ path }) => path === "/jwks").length;
  expect(asked()).toBe(1);
  const renew = async (name) => {
    liar.rotate();
    liar.lies.token = (honest, { json, idToken }) => json({ ...honest, id_token: idToken({ name }) });
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
  };
  await renew("Another Name");
  await tab.becomes({ user: { name: "Another Name" } });
  expect(asked()).toBe(2);
  await renew("A Third Name");
  expect(asked()).toBe(2);
  expect(await tab.state()).toMatchObject({ status: "authenticated", user: { name: "Another Name" } });
  await clock.letPass(61);
  await renew("A Fourth Name");
  await tab.becomes({ user: { name: "A Fourth Name" } });
  expect(asked()).toBe(3);
});

test("a key that cannot be read does not cost the one beside it", async ({ visit, liar }) => {
  const tab = await visit(one, clientOf(liar));
  liar.lies.jwks = ({ keys }, json) => json({ keys: [{ kty: "future" }, null, 7, { kty: "EC", x: "?" }, ...keys] });
  expect((await signIn(tab)).state).toMatchObject({ status: "authenticated" });
});

test("a renewal that brings another user's token ends the session instead of mixing the two", async ({
  visit,
  liar,
}) => {
  const tab = await visit(one, clientOf(liar));
  await signIn(tab);
  liar.lies.token = (honest, { json, idToken }) => json({ ...honest, id_token: idToken({ sub: "somebody else" }) });
  expect(await tab.refresh()).toMatchObject({ error: { code: "identity_changed", recovery: "login" } });
  expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason: "user_changed" });
});

for (const [what, lie, code] of [
  ["names another issuer", (answer) => with_(answer, "iss", "https://other.example"), "issuer_mismatch"],
  ["does not name the promised issuer", (answer) => without(answer, "iss"), "issuer_mismatch"],
  ["has two codes", (answer) => (answer.append("code", "second"), answer), "callback_invalid"],
  ["has a code and an error", (answer) => with_(answer, "error", "access_denied"), "callback_invalid"],
  ["carries an error", (answer) => without(with_(answer, "error", "invalid_scope"), "code"), "authorization_failed"],
]) {
  test(`a callback that ${what} is ${code}, and its code is never used`, async ({ visit, liar }) => {
    const tab = await visit(one, clientOf(liar));
    liar.lies.callback = lie;
    const { state, error } = await signIn(tab);
    expect(error).toMatchObject({ code, phase: "callback" });
    expect(state).toMatchObject({ status: "unauthenticated", error: { code } });
    expect(liar.tokenRequests("authorization_code")).toBe(0);
    expect(new URL(tab.page.url()).search).toBe("");
  });
}

test("a callback with another state is left alone, as somebody else's", async ({ visit, liar }) => {
  const tab = await visit(one, clientOf(liar));
  liar.lies.callback = (answer) => with_(answer, "state", "made-up");
  const { state, error } = await signIn(tab);
  expect(error).toBeUndefined();
  expect(state).toMatchObject({ status: "unauthenticated", reason: "never" });
  expect(new URL(tab.page.url()).searchParams.get("state")).toBe("made-up");
  expect(liar.tokenRequests("authorization_code")).toBe(0);
});

function with_(params, name, value) {
  params.set(name, value);
  return params;
}

function without(params, name) {
  params.delete(name);
  return params;
}
