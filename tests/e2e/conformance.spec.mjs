// The rules of the OpenID certification for relying parties, one by one, at a provider that breaks each of them alone. Each test is
// named after the module of the conformance suite that is about the same; `make conformance` prints what came of them as a table.
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { makeKey, signed } from "./fakes/provider.mjs";
import { byName } from "./support/cases.mjs";
import { expect, test } from "./support/fixtures.mjs";
import { about, committed, forgotten, pageOf } from "./support/table.mjs";

const stored = byName("token by OpenID, localStorage");
const OTHER = "https://other.example";
const MINUTE = 60;

/** The codes of errors, by the one table that has them. */
const codes = [
  ...readFileSync(new URL("../../src/error.rs", import.meta.url), "utf8").matchAll(/^ {4}\w+ = "(\w+)", /gm),
].map(([, code]) => code);

/** Every test with a row in the table. */
const checks = [];
function check(title, { rule, expected }, body) {
  checks.push({ title, rule, expected, result: "passes" });
  test(title, about({ rule, expected }), body);
}

/** A value that is made when it is first asked for. */
function lazily(make) {
  let made;
  return () => (made ??= make());
}

// Keys take a while to make: one of each for all tests.
const rsa = lazily(() => makeKey("rsa", "RS256"));
const otherRsa = lazily(() => makeKey("other-rsa", "RS256"));
const pss = lazily(() => makeKey("pss", "PS256"));
const ed = lazily(() => makeKey("ed", "EdDSA"));
const weakRsa = lazily(() => makeKey("weak-rsa", "RS256", { modulusLength: 1024 }));
const es = lazily(() => makeKey("es"));
/** Somebody else's, by the name of the provider's. */
const impostor = lazily(() => makeKey("first"));

/** A key as it is published, changed. */
const published = (key, changed) => ({ ...key, jwk: { ...key.jwk, ...changed } });
/** The same key, by another name. */
const named = (key, kid) => ({ ...published(key, { kid }), kid });
const withoutKid = { header: { kid: undefined } };

const clientOf = (liar, recorder, oidc = {}) => ({
  options: { oidc: { issuer: liar.issuer, clientId: "client", ...oidc }, allowedOrigins: [recorder.origin] },
});
/** An application that wants the endpoint to be asked. */
const ASKS = { userInfo: true };
const signIn = (tab) => tab.signIn(undefined, { known: true });
const asked = (liar, path) => liar.requests.filter((request) => request.path === path).length;
const bearers = (recorder) => recorder.requests.map(({ authorization }) => authorization);
const someOne = { status: "authenticated", user: { sub: "someone", name: "Some One" } };

/**
 * Has the provider lie, until what is returned is called.
 *
 * @param {object} lie `token` makes the ID token, from a function that signs; `keys` are the ones that are published, of which the
 *   last one signs; `jwks`, `discovery` and `userinfo` are answers in the place of the honest ones. `unasked` is a path that nobody
 *   may ask for; `oidc` are more options of the client.
 */
function lies(liar, { keys, jwks, discovery, userinfo, token }) {
  const before = keys && liar.publish(...keys(liar));
  Object.assign(liar.lies, jwks && { jwks }, discovery && { discovery }, userinfo && { userinfo });
  if (token) {
    liar.lies.token = (honest, { json, idToken }) =>
      json({ ...honest, id_token: token(idToken, { ...liar, accessToken: honest.access_token }) });
  }
  return () => {
    for (const what of Object.keys(liar.lies)) delete liar.lies[what];
    if (before) liar.publish(...before);
  };
}

/** By its own code, and for the reason that it is about: `says` stands in the message. */
function expectRefusal(error, code, { says = "" } = {}) {
  expect(codes).toContain(code);
  expect(error).toMatchObject({ code });
  expect(error.message).toContain(says);
  expect(error.hint.length).toBeGreaterThan(5);
}

/** A sign-in that is lied to: nobody is signed in by it, and who was signed in before stays so. */
function refused(title, rule, code, lie) {
  check(title, { rule, expected: `refused: ${code}` }, async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder, lie.oidc));
    let beHonest = lies(liar, lie);
    const first = await signIn(tab);
    expectRefusal(first.error, code, lie);
    expect(first.state).toMatchObject({ status: "unauthenticated", reason: "never", error: { code } });
    expect(await tab.call(1, recorder.origin)).toEqual(["login_required"]);
    expect(await tab.events("signedIn")).toEqual([]);
    expect(recorder.requests).toEqual([]);

    beHonest();
    expect((await signIn(tab)).state).toMatchObject(someOne);
    await tab.call(1, `${recorder.origin}/before`);
    beHonest = lies(liar, lie);
    const second = await signIn(tab);
    expectRefusal(second.error, code, lie);
    expect(second.state).toMatchObject(someOne);
    expect(await tab.call(1, `${recorder.origin}/after`)).toEqual([200]);
    const [before, after] = bearers(recorder);
    expect(before).toMatch(/^Bearer CANARY-access-/);
    expect(after, "what came beside the ID token is not used").toBe(before);
    if (lie.unasked) expect(asked(liar, lie.unasked)).toBe(0);
    beHonest();
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
  });
}

/** A sign-in at a provider that is odd, and within the rules. */
function accepted(title, rule, lie) {
  check(title, { rule, expected: "accepted" }, async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder, lie.oidc));
    lies(liar, lie);
    const { state, error } = await signIn(tab);
    expect(error).toBeUndefined();
    expect(state).toMatchObject(someOne);
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    expect(bearers(recorder)).toEqual([expect.stringMatching(/^Bearer CANARY-access-/)]);
  });
}

/** A provider whose metadata cannot be trusted: nobody is sent there. */
function refusedBeforeLeaving(title, rule, code, discovery, oidc) {
  check(title, { rule, expected: `refused: ${code}` }, async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder, oidc));
    const leave = async () => (await tab.attempt("() => auth.login({ via: 'redirect' })")).error;
    liar.lies.discovery = discovery;
    expectRefusal(await leave(), code);
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", error: { code } });
    expect(asked(liar, "/authorize")).toBe(0);

    delete liar.lies.discovery;
    expect((await signIn(tab)).state).toMatchObject(someOne);
    liar.lies.discovery = discovery;
    expect((await tab.reload()).state).toMatchObject(someOne);
    expectRefusal(await leave(), code);
    expect(await tab.state()).toMatchObject(someOne);
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    expect(asked(liar, "/authorize")).toBe(1);
  });
}

/** A renewal that brings an ID token: `first` makes the one of the sign-in. */
async function renewedWith({ visit, liar, recorder }, { first = (idToken) => idToken({}), ...lie }) {
  const tab = await visit(stored, clientOf(liar, recorder));
  let beHonest = lies(liar, { token: first });
  expect((await signIn(tab)).state).toMatchObject(someOne);
  beHonest();
  await tab.call(1, recorder.origin);
  beHonest = lies(liar, lie);
  return { tab, outcome: await tab.refresh(), beHonest };
}

/** A renewed ID token that ends the session, as it may not be the provider's, or is not the user's. */
function endedByRenewal(title, rule, code, reason, lie) {
  check(title, { rule, expected: `session ended: ${code}` }, async ({ visit, liar, recorder }) => {
    const { tab, outcome } = await renewedWith({ visit, liar, recorder }, lie);
    expectRefusal(outcome.error, code, lie);
    expect(await tab.state()).toMatchObject({ status: "unauthenticated", reason });
    expect(await tab.events("signedOut")).toMatchObject([{ reason }]);
    expect(await tab.call(1, recorder.origin)).toEqual(["login_required"]);
    expect(recorder.requests, "what came beside the ID token is not used").toHaveLength(1);
    expect((await tab.reload()).state).toMatchObject({ status: "unauthenticated" });
  });
}

/** So does one that breaks a rule: neither it nor what came beside it is used. */
const refusedByRenewal = (title, rule, code, lie) => endedByRenewal(title, rule, code, "error", lie);

/** A renewed ID token that is right, or cannot be judged now: the new tokens are in force. */
function keptByRenewal(title, rule, lie) {
  check(title, { rule, expected: "session kept" }, async ({ visit, liar, recorder }) => {
    const { tab, outcome, beHonest } = await renewedWith({ visit, liar, recorder }, lie);
    expect(outcome).toEqual({ value: "authenticated" });
    expect(await tab.state()).toMatchObject({ ...someOne, freshness: "fresh" });
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    expect(new Set(bearers(recorder)).size, "the new access token is in force").toBe(2);
    expect(await tab.events("refreshFailed")).toEqual([]);
    beHonest();
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
  });
}

const now = () => Math.floor(Date.now() / 1000);
const claims = (changed) => (idToken) => idToken(typeof changed === "function" ? changed() : changed);
const header = (changed) => (idToken) => idToken({}, { header: changed });

// Basic

check(
  "oidcc-client-test: an honest provider signs in who it says",
  { rule: "OIDC Core §3.1", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    const { state, error } = await signIn(tab);
    expect(error).toBeUndefined();
    expect(state).toMatchObject(someOne);
    expect(new URL(tab.page.url()).search).toBe("");
    const { query } = liar.requests.find(({ path }) => path === "/authorize");
    expect(Object.fromEntries(query)).toMatchObject({ response_type: "code", client_id: "client" });
    expect(query.get("scope").split(" ")).toContain("openid");
    expect(query.get("code_challenge_method")).toBe("S256");
    for (const name of ["state", "nonce", "code_challenge"]) expect(query.get(name).length).toBeGreaterThan(20);
    const { form, authorization } = liar.requests.find(({ path }) => path === "/token");
    expect(Object.fromEntries(form)).toMatchObject({ grant_type: "authorization_code", client_id: "client" });
    expect(form.get("redirect_uri")).toBe(query.get("redirect_uri"));
    expect(form.get("client_secret") ?? authorization, "a public client has no secret").toBeUndefined();
    expect(createHash("sha256").update(form.get("code_verifier")).digest("base64url")).toBe(
      query.get("code_challenge"),
    );
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    expect(bearers(recorder)).toEqual([expect.stringMatching(/^Bearer CANARY-access-/)]);
  },
);

refused(
  "oidcc-client-test-invalid-iss: an ID token of another issuer signs nobody in",
  "OIDC Core §3.1.3.7 rule 2",
  "id_token_invalid",
  { says: "`iss`", token: claims({ iss: OTHER }) },
);
refused("oidcc-client-test-missing-sub: an ID token about nobody signs nobody in", "OIDC Core §2", "id_token_invalid", {
  says: "`sub`",
  token: claims({ sub: undefined }),
});
refused(
  "oidcc-client-test-invalid-aud: an ID token for another client signs nobody in",
  "OIDC Core §3.1.3.7 rule 3",
  "id_token_invalid",
  { says: "`aud`", token: claims({ aud: "somebody-else" }) },
);
refused(
  "oidcc-client-test-missing-iat: an ID token that was issued at no time signs nobody in",
  "OIDC Core §2",
  "id_token_invalid",
  { says: "`iat`", token: claims({ iat: undefined }) },
);
accepted(
  "oidcc-client-test-kid-absent-single-jwks: a token that names no key is verified with the only one",
  "OIDC Core §10.1",
  { keys: () => [published(rsa(), { kid: undefined })], token: (idToken) => idToken({}, withoutKid) },
);
refused(
  "oidcc-client-test-kid-absent-multiple-jwks: a token that names no key is not tried with several that fit",
  "OIDC Core §10.1",
  "jwks_key_ambiguous",
  {
    keys: () => [otherRsa(), rsa()].map((key) => published(key, { kid: undefined })),
    token: (idToken) => idToken({}, withoutKid),
  },
);
accepted(
  "oidcc-client-test-kid-absent-multiple-jwks: a token that names no key is verified with the only one of its kind",
  "OIDC Core §10.1",
  {
    keys: () => [es(), ed(), published(otherRsa(), { use: "enc" }), pss(), rsa()],
    token: (idToken) => idToken({}, withoutKid),
  },
);
accepted("oidcc-client-test-idtoken-sig-rs256: a signature by RS256 is verified", "OIDC Core §15.1", {
  keys: () => [rsa()],
});
refused(
  "oidcc-client-test-idtoken-sig-none: an ID token that is not signed signs nobody in",
  "RFC 8725 §3.2",
  "id_token_malformed",
  { token: (idToken) => unsigned(idToken({}, { header: { alg: "none", kid: undefined } })) },
);
refused(
  "oidcc-client-test-invalid-sig-rs256: a wrong signature by RS256 signs nobody in",
  "OIDC Core §3.1.3.7 rule 6",
  "id_token_signature_invalid",
  { keys: () => [rsa()], token: (idToken) => idToken({}, { key: { ...rsa(), sign: otherRsa().sign } }) },
);
refused(
  "oidcc-client-test-nonce-invalid: an ID token of another sign-in signs nobody in",
  "OIDC Core §3.1.3.7 rule 11",
  "id_token_invalid",
  { says: "`nonce`", token: claims({ nonce: "another" }) },
);

refused(
  "oidcc-client-test-userinfo-invalid-sub: UserInfo about somebody else signs nobody in",
  "OIDC Core §5.3.2",
  "userinfo_subject_mismatch",
  { says: "`sub`", oidc: ASKS, userinfo: (honest, json) => json({ ...honest, sub: "somebody else" }) },
);
check(
  "oidcc-client-test-scope-userinfo-claims: what the scope asks for and the UserInfo endpoint answers is part of the user",
  { rule: "OIDC Core §5.4", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const scope = "openid profile email phone address";
    const tab = await visit(stored, clientOf(liar, recorder, { ...ASKS, scope }));
    const claims = {
      phone_number: "+1 555 0100",
      address: { country: "FR" },
      email_verified: true,
      name: "Newer Name",
    };
    lies(liar, { userinfo: (honest, json) => json({ ...honest, ...claims }) });
    const { state, error } = await signIn(tab);
    expect(error).toBeUndefined();
    const user = { sub: "someone", email: "someone@id.example", ...claims, iss: liar.issuer };
    expect(state).toMatchObject({ status: "authenticated", user });
    expect(liar.requests.find(({ path }) => path === "/authorize").query.get("scope")).toBe(scope);
    expect((await tab.reload()).state).toMatchObject({ status: "authenticated", user });
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(await tab.state()).toMatchObject({ status: "authenticated", user });
    expect(asked(liar, "/userinfo"), "once for a sign-in").toBe(1);
  },
);

// Config

check(
  "oidcc-client-test-discovery-openid-config: the endpoints are those of the provider's document, as they are written there",
  { rule: "OIDC Discovery §4", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    const names = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
    liar.lies.discovery = (honest, json) =>
      json({ ...honest, ...Object.fromEntries(names.map((name) => [name, `${honest[name]}?tenant=7`])) });
    expect((await signIn(tab)).state).toMatchObject(someOne);
    expect(liar.requests[0].path).toBe("/.well-known/openid-configuration");
    for (const path of ["/authorize", "/token", "/jwks"]) {
      const { query } = liar.requests.find((request) => request.path === path);
      expect(query.get("tenant"), path).toBe("7");
    }
  },
);
accepted(
  "oidcc-client-test-discovery-jwks-uri-keys: a token is verified with the key that it names among those at jwks_uri",
  "OIDC Discovery §3",
  { keys: () => [otherRsa(), es(), rsa()] },
);
refused(
  "oidcc-client-test-discovery-jwks-uri-keys: a token that names a key which is not at jwks_uri signs nobody in",
  "OIDC Core §10.1",
  "jwks_key_missing",
  { token: (idToken, { makeKey }) => idToken({}, { key: makeKey("unknown") }) },
);
refusedBeforeLeaving(
  "oidcc-client-test-discovery-issuer-mismatch: nobody is sent to a provider whose document is another issuer's",
  "OIDC Discovery §4.3",
  "issuer_mismatch",
  (honest, json) => json({ ...honest, issuer: OTHER }),
);
refusedBeforeLeaving(
  "oidcc-client-test-discovery-issuer-mismatch: a slash at the end makes another issuer",
  "OIDC Discovery §4.3",
  "issuer_mismatch",
  (honest, json) => json({ ...honest, issuer: `${honest.issuer}/` }),
);
check(
  "oidcc-client-test-signing-key-rotation-just-before-signing: a key that took its place after the keys were fetched is found",
  { rule: "OIDC Core §10.1.1", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    await signIn(tab);
    expect(asked(liar, "/jwks")).toBe(1);
    liar.lies.token = (honest, { json, idToken }) => {
      liar.rotate();
      delete liar.lies.token;
      return json({ ...honest, id_token: idToken({ name: "Another Name" }) });
    };
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    await tab.becomes({ status: "authenticated", user: { name: "Another Name" } });
    expect(asked(liar, "/jwks")).toBe(2);
  },
);
check(
  "oidcc-client-test-signing-key-rotation-just-before-signing: a key that takes its place while a sign-in exchanges its code is found at once",
  { rule: "OIDC Core §10.1.1", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    liar.lies.token = async (honest, { json, idToken }) => {
      // The page asks for the keys while its code is exchanged.
      await expect.poll(() => asked(liar, "/jwks")).toBe(1);
      liar.rotate();
      delete liar.lies.token;
      return json({ ...honest, id_token: idToken({}) });
    };
    const { state, error } = await signIn(tab);
    expect(error).toBeUndefined();
    expect(state).toMatchObject(someOne);
    expect(asked(liar, "/jwks")).toBe(2);
  },
);
check(
  "oidcc-client-test-signing-key-rotation: a second sign-in after the keys were changed is verified with the new ones",
  { rule: "OIDC Core §10.1.1", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    expect((await signIn(tab)).state).toMatchObject(someOne);
    liar.rotate();
    const { state, error } = await signIn(tab);
    expect(error).toBeUndefined();
    expect(state).toMatchObject(someOne);
    expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(asked(liar, "/jwks")).toBe(2);
  },
);

// Refresh Token

check(
  "oidcc-client-test-refresh-token: a renewal brings a new access token, which is used, and the user stays",
  { rule: "OIDC Core §12", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const { tab, outcome } = await renewedWith({ visit, liar, recorder }, { token: claims({ nonce: undefined }) });
    expect(outcome).toEqual({ value: "authenticated" });
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    const [before, after] = bearers(recorder);
    expect(after).toMatch(/^Bearer CANARY-access-/);
    expect(after).not.toBe(before);
    expect(await tab.state()).toMatchObject({ ...someOne, freshness: "fresh" });
    const { form, authorization } = liar.requests.findLast(({ path }) => path === "/token");
    expect(Object.fromEntries(form)).toMatchObject({ grant_type: "refresh_token", client_id: "client" });
    expect(authorization).toBeUndefined();
  },
);
refusedByRenewal(
  "oidcc-client-test-refresh-token-invalid-issuer: a renewed ID token of another issuer is not taken, nor what came beside it",
  "OIDC Core §12.2",
  "id_token_invalid",
  { says: "`iss`", token: claims({ iss: OTHER }) },
);
endedByRenewal(
  "oidcc-client-test-refresh-token-invalid-sub: a renewed ID token about another user ends the session instead of mixing the two",
  "OIDC Core §12.2",
  "identity_changed",
  "user_changed",
  { token: claims({ sub: "somebody else" }) },
);

// Comprehensive

refusedByRenewal(
  "oidcc-client-test-refresh-token-invalid-aud: a renewed ID token for another client is not taken",
  "OIDC Core §12.2",
  "id_token_invalid",
  { says: "`aud`", token: claims({ aud: "somebody-else" }) },
);
refusedByRenewal(
  "oidcc-client-test-refresh-token-invalid-azp: a renewed ID token that was first without azp and has one now is not taken",
  "OIDC Core §12.2",
  "id_token_invalid",
  { says: "`azp`", token: claims({ azp: "client" }) },
);
refused(
  "oidcc-client-test-missing-aud: an ID token for nobody signs nobody in",
  "OIDC Core §3.1.3.7 rule 3",
  "id_token_invalid",
  { says: "`aud`", token: claims({ aud: undefined }) },
);
refused(
  "oidcc-client-test-invalid-sig-es256: a wrong signature by ES256 signs nobody in",
  "OIDC Core §3.1.3.7 rule 6",
  "id_token_signature_invalid",
  { token: (idToken, { makeKey }) => idToken({}, { key: makeKey("first") }) },
);
refused(
  "oidcc-client-test-invalid-sig-hs256: a signature with a shared secret signs nobody in, whatever the secret",
  "RFC 8725 §3.1",
  "id_token_algorithm_refused",
  { token: (idToken) => idToken({}, { key: hmac("client"), header: { kid: undefined } }) },
);
accepted(
  "oidcc-client-test-ignores-unparseable-key-in-jwks: keys that cannot be read do not cost the one beside them",
  "RFC 7517 §5",
  {
    jwks: ({ keys }, json) =>
      json({
        keys: [
          { kty: "AKP", kid: "quantum", alg: "ML-DSA-999", pub: "AAAA" },
          { kty: "made-up", kid: "odd", value: "AAAA" },
          { kty: "EC", crv: "P-256", x: "?" },
          null,
          7,
          ...keys,
        ],
      }),
  },
);
refused(
  "oidcc-client-test-invalid-athash: an ID token for another access token signs nobody in",
  "OIDC Core §3.1.3.8",
  "id_token_invalid",
  { says: "`at_hash`", token: claims({ at_hash: "AAAAAAAAAAAAAAAAAAAAAA" }) },
);
accepted(
  "oidcc-client-test-missing-athash: in the code flow, an ID token need not name the access token",
  "OIDC Core §3.1.3.6",
  { token: claims({ at_hash: undefined }) },
);

check(
  "oidcc-client-test-userinfo-bearer-header: the access token is shown to the UserInfo endpoint in the header, and nowhere else",
  { rule: "OIDC Core §5.3.1", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder, ASKS));
    expect((await signIn(tab)).state).toMatchObject({ ...someOne, user: { email: "someone@id.example" } });
    expect(await tab.call(1, recorder.origin)).toEqual([200]);
    const shown = liar.requests.filter(({ path }) => path === "/userinfo");
    expect(shown).toMatchObject([{ method: "GET", authorization: bearers(recorder)[0] }]);
    expect([shown[0].query.size, shown[0].form.size]).toEqual([0, 0]);
  },
);

// Beyond the plans: UserInfo

check(
  "userinfo-unasked: the UserInfo endpoint is not asked unless the application wants it",
  { rule: "OIDC Core §5.3", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    const { state } = await signIn(tab);
    expect(state).toMatchObject(someOne);
    expect([state.user.email, asked(liar, "/userinfo")]).toEqual([undefined, 0]);
  },
);
check(
  "userinfo-protocol-claims: what an ID token says about itself is never taken from UserInfo",
  { rule: "OIDC Core §5.3.2", expected: "accepted" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder, ASKS));
    const forged = { iss: OTHER, aud: "somebody-else", exp: 1, acr: "gold", amr: ["mfa"], auth_time: 1, sid: "forged" };
    lies(liar, { userinfo: (honest, json) => json({ ...honest, ...forged }) });
    const { user } = (await signIn(tab)).state;
    expect(user).toMatchObject({ iss: liar.issuer, aud: "client", email: "someone@id.example" });
    expect([user.exp > now(), user.acr, user.amr, user.auth_time, user.sid]).toEqual([true, ...Array(4)]);
  },
);
for (const [name, what, code, userinfo] of [
  ["missing-sub", "about nobody", "userinfo_subject_mismatch", (honest, json) => json({ ...honest, sub: undefined })],
  ["empty-sub", "about an empty name", "userinfo_subject_mismatch", (honest, json) => json({ ...honest, sub: "" })],
  [
    "odd-sub",
    "whose sub is a list",
    "userinfo_subject_mismatch",
    (honest, json) => json({ ...honest, sub: ["someone"] }),
  ],
  ["list", "in a list", "userinfo_invalid", (honest, json) => json([honest])],
  ["page", "that is a page", "userinfo_invalid", () => ({ status: 200, type: "text/html", body: "<html>" })],
  ["other-type", "under another type", "userinfo_invalid", (honest, json) => ({ ...json(honest), type: "text/plain" })],
  [
    "too-large",
    "of 10 MB",
    "userinfo_invalid",
    (honest, json) => json({ ...honest, more: "x".repeat(10 * 1024 * 1024) }),
  ],
  ["refused", "that is refused", "userinfo_invalid", (honest, json) => json({ error: "invalid_token" }, 401)],
  ["failed", "that fails", "userinfo_unavailable", (honest, json) => json(honest, 503)],
  ["redirect", "that lies elsewhere", "userinfo_invalid", () => ({ status: 307, location: "/userinfo-elsewhere" })],
]) {
  const lie = { oidc: ASKS, userinfo, unasked: "/userinfo-elsewhere" };
  refused(`userinfo-${name}: UserInfo ${what} signs nobody in`, "OIDC Core §5.3.2", code, lie);
}
refused("userinfo-jwt: UserInfo that is signed signs nobody in", "OIDC Core §5.3.2", "userinfo_invalid", {
  says: "application/jwt",
  oidc: ASKS,
  userinfo: (honest) => ({ status: 200, type: "application/jwt", body: signed(es(), honest) }),
});

// Beyond the plans: claims

/** What `at_hash` says of an access token, where the ID token is signed by ES256. */
const atHash = (token) => createHash("sha256").update(token).digest().subarray(0, 16).toString("base64url");
/** An ID token that names the access token beside it. */
const namesAccess = (idToken, { accessToken }) => idToken({ at_hash: atHash(accessToken) });

accepted("right-athash: an ID token may name the access token beside it", "OIDC Core §3.1.3.8", { token: namesAccess });
for (const [name, claim, changed, what, rule] of [
  ["missing-iss", "iss", { iss: undefined }, "of no issuer", "OIDC Core §3.1.3.7 rule 2"],
  ["missing-exp", "exp", { exp: undefined }, "without an end", "OIDC Core §3.1.3.7 rule 9"],
  ["expired", "exp", { exp: 1_000_000_000 }, "that had ended when it was issued", "OIDC Core §3.1.3.7 rule 9"],
  ["not-yet", "nbf", () => ({ nbf: now() + 3600 }), "that is not in force yet", "RFC 7519 §4.1.5"],
  ["missing-nonce", "nonce", { nonce: undefined }, "that names no sign-in", "OIDC Core §3.1.3.7 rule 11"],
  ["invalid-azp", "azp", { azp: "somebody-else" }, "that was issued to another client", "OIDC Core §3.1.3.7 rule 5"],
  ["missing-azp", "azp", { aud: ["client", "api"] }, "for several and issued to nobody", "OIDC Core §3.1.3.7 rule 4"],
  ["empty-sub", "sub", { sub: "" }, "about an empty name", "OIDC Core §2"],
  ["odd-sub", "sub", { sub: 7 }, "whose sub is a number", "OIDC Core §2"],
  ["odd-aud", "aud", { aud: [] }, "for an empty list", "OIDC Core §2"],
  ["odd-exp", "exp", () => ({ exp: String(now() + 3600) }), "whose exp is a text", "RFC 7519 §4.1.4"],
  ["odd-iat", "iat", { iat: null }, "whose iat is null", "RFC 7519 §4.1.6"],
]) {
  const says = `\`${claim}\``;
  refused(`${name}: an ID token ${what} signs nobody in`, rule, "id_token_invalid", { says, token: claims(changed) });
}
accepted("several-audiences: an ID token for several is taken where it was issued to us", "OIDC Core §3.1.3.7 rule 4", {
  token: claims({ aud: ["api", "client"], azp: "client" }),
});

for (const [name, lasts] of [
  ["exp-before-iat", -10],
  ["exp-at-iat", 0],
]) {
  refused(
    `${name}: an ID token that ends ${lasts ? "before it begins" : "as it begins"} signs nobody in, whatever the clock`,
    "RFC 7519 §4.1.4",
    "id_token_invalid",
    { says: "`exp` is not later", token: claims((iat = now()) => ({ iat, exp: iat + lasts })) },
  );
}

/** An application that wants a sign-in of the last ten minutes. */
const RECENT = { idToken: { maxAgeSeconds: 600 } };
for (const [name, what, says, changed] of [
  ["missing-auth-time", "does not say when that was", "`auth_time` is missing", { auth_time: undefined }],
  ["old-auth-time", "tells of an older one", "is more than 600 s before", () => ({ auth_time: now() - 700 })],
  ["odd-auth-time", "has a text for it", "`auth_time` is not an instant", () => ({ auth_time: String(now()) })],
]) {
  refused(
    `${name}: where a recent sign-in was asked for, an ID token that ${what} signs nobody in`,
    "OIDC Core §3.1.3.7 rule 13",
    "id_token_invalid",
    { says, oidc: RECENT, token: claims(changed) },
  );
}
accepted(
  "recent-auth-time: an ID token of a sign-in that is as recent as was asked for is taken",
  "OIDC Core §3.1.3.7 rule 13",
  {
    oidc: RECENT,
    token: claims(() => ({ auth_time: now() - 500 })),
  },
);

/** An application that insists on one of two levels. */
const LEVELS = { authorizationParams: { acr_values: "gold silver" } };
for (const [name, what, acr] of [
  ["missing-acr", "of none", undefined],
  ["other-acr", "of another", "bronze"],
  ["both-acr", "of all of them in one text", "gold silver"],
]) {
  refused(
    `${name}: where levels were asked for, an ID token ${what} signs nobody in`,
    "OIDC Core §3.1.3.7 rule 12",
    "authentication_insufficient",
    { says: "`acr` should be gold or silver", oidc: LEVELS, token: claims({ acr }) },
  );
}
accepted("second-acr: any of the levels that were asked for will do", "OIDC Core §3.1.3.7 rule 12", {
  oidc: LEVELS,
  token: claims({ acr: "silver" }),
});

check(
  "refused-iat: an ID token that is refused says nothing about the clock by which the session before proves its key",
  { rule: "RFC 9449 §4.3", expected: "refused: id_token_invalid, proofs are dated now" },
  async ({ visit, liar, recorder }) => {
    const { options } = clientOf(liar, recorder);
    const tab = await visit(stored, { options: { ...options, dpop: "always" } });
    const bound = (claims) => {
      lies(liar, { discovery: (honest, json) => json({ ...honest, dpop_signing_alg_values_supported: ["ES256"] }) });
      liar.lies.token = (honest, { json, idToken }) =>
        json({ ...honest, token_type: "DPoP", id_token: idToken(claims) });
    };
    bound({});
    expect((await signIn(tab)).state).toMatchObject(someOne);
    expect(await tab.call(1, `${recorder.origin}/before`)).toEqual([200]);

    const decade = 10 * 365 * 24 * 3600;
    bound({ nonce: "another", iat: now() + decade, exp: now() + decade + 3600 });
    const { state, error } = await signIn(tab);
    expectRefusal(error, "id_token_invalid", { says: "`nonce`" });
    expect(state).toMatchObject(someOne);
    expect(await tab.call(1, `${recorder.origin}/after`)).toEqual([200]);
    const [before, after] = bearers(recorder);
    expect(before).toMatch(/^DPoP CANARY-access-/);
    expect(after).toBe(before);
    const dates = recorder.requests.map(
      ({ headers }) => JSON.parse(Buffer.from(headers.dpop.split(".")[1], "base64url")).iat,
    );
    for (const date of dates) expect(Math.abs(date - now())).toBeLessThan(60);
  },
);

// Beyond the plans: renewals

endedByRenewal(
  "refresh-invalid-sig: a renewed ID token with a wrong signature ends the session",
  "OIDC Core §12.2",
  "id_token_signature_invalid",
  "error",
  { token: (idToken, { makeKey }) => idToken({}, { key: makeKey("first") }) },
);
for (const [name, what, code, lie] of [
  [
    "refresh-missing-iat",
    "that was issued at no time",
    "id_token_invalid",
    { says: "`iat`", token: claims({ iat: undefined }) },
  ],
  [
    "refresh-invalid-nonce",
    "of another sign-in",
    "id_token_invalid",
    { says: "`nonce`", token: claims({ nonce: "another" }) },
  ],
  [
    "refresh-auth-time",
    "of a later sign-in",
    "id_token_invalid",
    {
      says: "`auth_time`",
      first: claims(() => ({ auth_time: now() - 600 })),
      token: claims(() => ({ auth_time: now() })),
    },
  ],
  [
    "refresh-invalid-athash",
    "for another access token",
    "id_token_invalid",
    { says: "`at_hash`", token: claims({ at_hash: atHash("another") }) },
  ],
  [
    "refresh-exp-before-iat",
    "that ends before it begins",
    "id_token_invalid",
    { says: "`exp` is not later", token: claims(() => ({ iat: now(), exp: now() - 10 })) },
  ],
  ["refresh-sig-none", "that is not signed", "id_token_malformed", { token: header({ alg: "none" }) }],
  ["refresh-sig-hs256", "with a shared secret", "id_token_algorithm_refused", { token: header({ alg: "HS256" }) }],
]) {
  refusedByRenewal(`${name}: a renewed ID token ${what} is not taken`, "OIDC Core §12.2", code, lie);
}
keptByRenewal("refresh-without-id-token: a renewal need not bring an ID token", "OIDC Core §12.2", {
  token: () => undefined,
});
keptByRenewal(
  "refresh-right-athash: a renewed ID token may name the access token beside it, which is another than before",
  "OIDC Core §3.1.3.8",
  { first: namesAccess, token: namesAccess },
);
keptByRenewal("refresh-same-nonce: a renewed ID token may have the nonce of the sign-in", "OIDC Core §12.2", {
  first: claims({}),
  token: claims({}),
});
keptByRenewal(
  "refresh-unknown-key: a renewed ID token whose key cannot be had now costs nobody the session",
  "OIDC Core §10.1.1",
  { keys: ({ makeKey }) => [makeKey("new")], jwks: () => ({ status: 500 }) },
);

// Beyond the plans: forgeries

const unsigned = (token) => token.replace(/[^.]*$/, "");
/** A key that signs with a shared secret. */
const hmac = (secret) => ({
  kid: "first",
  alg: "HS256",
  sign: (input) => createHmac("sha256", secret).update(input).digest(),
});
/** One more in the last letter of a token: the same bytes, if whoever reads it does not look at all its bits. */
function withTrailingBits(token) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return token.slice(0, -1) + letters[letters.indexOf(token.at(-1)) + 1];
}
/** A signature of ECDSA in DER, as it is written everywhere but here. */
function inDer(signature) {
  const integer = (bytes) => {
    const short = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
    const padded = short[0] & 0x80 ? Buffer.concat([Buffer.from([0]), short]) : short;
    return Buffer.concat([Buffer.from([2, padded.length]), padded]);
  };
  const both = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}

for (const alg of ["none", "None", "NONE", "nOnE"]) {
  refused(
    `forged-${alg}: a token that says ${alg} and has a signature all the same signs nobody in`,
    "RFC 8725 §3.2",
    "id_token_malformed",
    { says: "not signed", token: header({ alg }) },
  );
}
refused(
  "forged-empty-signature: a token whose signature was cut off signs nobody in",
  "RFC 7515 §5.2",
  "id_token_malformed",
  { token: (idToken) => unsigned(idToken({})) },
);
for (const [name, secretOf] of [
  ["PEM", (key) => key.publicKey.export({ type: "spki", format: "pem" })],
  ["DER", (key) => key.publicKey.export({ type: "spki", format: "der" })],
  ["JWK", (key) => JSON.stringify(key.jwk)],
]) {
  refused(
    `forged-hs256-${name}: a token signed with the public RSA key as a shared secret, in ${name}, signs nobody in`,
    "RFC 8725 §2.1",
    "id_token_algorithm_refused",
    { keys: () => [rsa()], token: (idToken) => idToken({}, { key: { ...hmac(secretOf(rsa())), kid: "rsa" } }) },
  );
}
for (const [name, member] of [
  ["jwk", (key) => ({ jwk: key.jwk })],
  ["jku", (_, { issuer }) => ({ jku: `${issuer}/attacker-keys` })],
  ["x5u", (_, { issuer }) => ({ x5u: `${issuer}/attacker-keys` })],
  ["x5c", (key) => ({ x5c: [key.publicKey.export({ type: "spki", format: "der" }).toString("base64")] })],
]) {
  refused(
    `forged-${name}: a key that a token brings along in ${name} is not looked at`,
    "RFC 8725 §3.10",
    "id_token_signature_invalid",
    {
      token: (idToken, about) => idToken({}, { key: impostor(), header: member(impostor(), about) }),
      unasked: "/attacker-keys",
    },
  );
}
/** What the message says of a token that is malformed, or of another type. */
const REASONS = {
  crit: "extension",
  b64: "extension",
  "b64-alone": "extension",
  zip: "extension",
  twice: "header is no",
  "twice-escaped": "header is no",
  bits: "signature is not base64url",
  padding: "signature is not base64url",
  space: "signature is not base64url",
  "five-parts": "three parts",
  json: "three parts",
  "at+jwt": "`typ`",
  "logout+jwt": "`typ`",
  "dpop+jwt": "`typ`",
  "kid-number": "`kid`",
};
for (const [name, what, rule, code, token] of [
  [
    "crit",
    "asks for an unknown extension",
    "RFC 7515 §4.1.11",
    "id_token_malformed",
    header({ crit: ["exp"], exp: 0 }),
  ],
  [
    "b64",
    "has a payload that is not encoded",
    "RFC 7797 §6",
    "id_token_malformed",
    header({ crit: ["b64"], b64: false }),
  ],
  ["b64-alone", "says so and not that it matters", "RFC 7797 §6", "id_token_malformed", header({ b64: false })],
  ["zip", "says that it is compressed", "RFC 7516 §4.1.3", "id_token_malformed", header({ zip: "DEF" })],
  [
    "twice",
    "has two algorithms in its header",
    "RFC 7515 §4",
    "id_token_malformed",
    header('{"alg":"none","alg":"ES256","kid":"first"}'),
  ],
  [
    "twice-escaped",
    "has two algorithms in its header, one of them spelt in another way",
    "RFC 7515 §4",
    "id_token_malformed",
    header('{"alg":"ES256","kid":"first","\\u0061lg":"none"}'),
  ],
  [
    "zero",
    "is signed by ES256 with nothing but zeros",
    "FIPS 186-5 §6.4.2",
    "id_token_signature_invalid",
    (idToken) => idToken({}, { key: { kid: "first", alg: "ES256", sign: () => Buffer.alloc(64) } }),
  ],
  [
    "bits",
    "has stray bits behind its signature",
    "RFC 7515 §2",
    "id_token_malformed",
    (idToken) => withTrailingBits(idToken({})),
  ],
  ["padding", "has padding behind its signature", "RFC 7515 §2", "id_token_malformed", (idToken) => `${idToken({})}==`],
  ["space", "has a line break behind it", "RFC 7515 §2", "id_token_malformed", (idToken) => `${idToken({})}\n`],
  [
    "five-parts",
    "has the five parts of an encrypted one",
    "RFC 7516 §9",
    "id_token_malformed",
    (idToken) => `${idToken({}, { header: { alg: "RSA-OAEP", enc: "A256GCM" } })}.AAAA.AAAA`,
  ],
  [
    "json",
    "is in JSON serialisation",
    "RFC 7515 §7.2",
    "id_token_malformed",
    (idToken) => {
      const [protectedHeader, payload, signature] = idToken({}).split(".");
      return JSON.stringify({ protected: protectedHeader, payload, signature });
    },
  ],
  ["at+jwt", "is an access token", "RFC 9068 §4", "id_token_invalid", header({ typ: "at+jwt" })],
  ["logout+jwt", "is a logout token", "RFC 8725 §3.11", "id_token_invalid", header({ typ: "logout+jwt" })],
  ["dpop+jwt", "is a proof of possession", "RFC 8725 §3.11", "id_token_invalid", header({ typ: "dpop+jwt" })],
  ["kid-path", "names a file for its key", "RFC 8725 §3.10", "jwks_key_missing", header({ kid: "../../dev/null" })],
  ["kid-sql", "asks a database for its key", "RFC 8725 §3.10", "jwks_key_missing", header({ kid: "x' OR '1'='1" })],
  ["kid-number", "has a number for the name of its key", "RFC 7515 §4.1.4", "id_token_malformed", header({ kid: 7 })],
  [
    "other-alg",
    "is signed by an algorithm that nobody allowed",
    "RFC 8725 §3.1",
    "id_token_algorithm_refused",
    header({ alg: "ES384" }),
  ],
]) {
  refused(`forged-${name}: a token that ${what} signs nobody in`, rule, code, { says: REASONS[name], token });
}
refused(
  "forged-der: a token whose ES256 signature is in DER signs nobody in",
  "RFC 7518 §3.4",
  "id_token_signature_invalid",
  {
    keys: () => [es()],
    token: (idToken) => idToken({}, { key: { ...es(), sign: (input) => inDer(es().sign(input)) } }),
  },
);
refused(
  "forged-ps256-for-rs256: a key that is published for RS256 verifies no PS256",
  "RFC 8725 §3.1",
  "jwks_key_missing",
  { keys: () => [rsa()], token: (idToken) => idToken({}, { key: { ...pss(), kid: "rsa" } }) },
);

// Beyond the plans: keys

for (const [alg, key] of [
  ["PS256", pss],
  ["ES256", es],
  ["EdDSA", ed],
]) {
  accepted(`sig-${alg.toLowerCase()}: a signature by ${alg} is verified`, "RFC 7518 §3.1", { keys: () => [key()] });
}
refused("keys-too-large: keys of 10 MB are not read", "RFC 7517 §5", "jwks_invalid", {
  jwks: (honest, json) => json({ ...honest, more: "x".repeat(10 * 1024 * 1024) }),
});
refused("keys-too-many: more than 100 keys are not looked at", "RFC 7517 §5", "jwks_invalid", {
  jwks: ({ keys }, json) => json({ keys: Array(101).fill(keys[0]) }),
});
accepted("keys-same-kid-other-kty: two keys of one name are told apart by their kind", "RFC 7517 §4.5", {
  keys: () => [named(rsa(), "same"), named(ed(), "same"), named(es(), "same")],
});
refused("keys-same-kid: two keys of one name and kind are no choice", "RFC 7517 §4.5", "jwks_key_ambiguous", {
  keys: () => [named(otherRsa(), "same"), named(rsa(), "same")],
});
refused("keys-use-enc: a key for encryption verifies nothing", "RFC 7517 §4.2", "jwks_key_missing", {
  keys: () => [published(es(), { use: "enc" })],
});
refused("keys-key-ops: a key that may not verify does not", "RFC 7517 §4.3", "jwks_key_missing", {
  keys: () => [published(es(), { key_ops: ["encrypt"] })],
});
refused("keys-private: a private key that was published is not trusted", "RFC 7517 §9.2", "jwks_key_missing", {
  keys: () => [published(es(), { d: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE" })],
});
refused("keys-rsa-1024: an RSA key of 1024 bits verifies nothing", "RFC 7518 §3.3", "jwks_key_missing", {
  keys: () => [weakRsa()],
});
refused("keys-rsa-e-1: an RSA key whose exponent is 1 verifies nothing", "RFC 8017 §3.1", "jwks_key_missing", {
  // With it, what a signature must come to is the signature.
  keys: () => [{ ...published(rsa(), { e: "AQ" }), sign: paddedHash }],
});

/** What RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits signs. RFC 8017 §9.2. */
function paddedHash(input) {
  const info = Buffer.from("3031300d060960864801650304020105000420", "hex");
  const hash = createHash("sha256").update(input).digest();
  const padding = Buffer.alloc(256 - 3 - info.length - hash.length, 0xff);
  return Buffer.concat([Buffer.from([0, 1]), padding, Buffer.from([0]), info, hash]);
}

check(
  "keys-storm: a thousand tokens that name unknown keys fetch the keys once more in a minute",
  { rule: "OIDC Core §10.1.1", expected: "refused: jwks_key_missing, one request for each minute" },
  async ({ visit, liar, recorder, clock }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    const key = es();
    const base = { iss: liar.issuer, aud: "client", sub: "someone", iat: now(), exp: now() + 3600 };
    const tokens = Array.from({ length: 1000 }, (_, at) => signed({ ...key, kid: `unknown-${at}` }, base));
    const verifyAll = () =>
      tab.page.evaluate(
        async ({ tokens, options }) => {
          const { verify } = await import("/bare/authsafe/dist/jwt.js");
          const verdicts = tokens.map((token) =>
            verify(token, options).then(
              () => "taken",
              ({ code }) => code,
            ),
          );
          return [...new Set(await Promise.all(verdicts))];
        },
        { tokens, options: { jwksUri: `${liar.issuer}/jwks`, issuer: liar.issuer, audience: "client" } },
      );
    expect(await verifyAll()).toEqual(["jwks_key_missing"]);
    expect(asked(liar, "/jwks")).toBe(2);
    await clock.letPass(MINUTE + 1);
    expect(await verifyAll()).toEqual(["jwks_key_missing"]);
    expect(asked(liar, "/jwks")).toBe(3);
  },
);
check(
  "keys-storm-of-renewals: renewals that bring tokens of unknown keys fetch the keys once more, and lose nobody",
  { rule: "OIDC Core §10.1.1", expected: "session kept, one more request for the keys" },
  async ({ visit, liar, recorder }) => {
    const tab = await visit(stored, clientOf(liar, recorder));
    await signIn(tab);
    let count = 0;
    lies(liar, { token: (idToken) => idToken({ name: "Somebody Else" }, { header: { kid: `unknown-${++count}` } }) });
    for (let at = 0; at < 7; at++) expect(await tab.refresh()).toEqual({ value: "authenticated" });
    expect(count).toBe(7);
    expect(await tab.state()).toMatchObject(someOne);
    expect(asked(liar, "/jwks")).toBe(2);
  },
);

// Beyond the plans: metadata

for (const [name, what, lie] of [
  ["no-issuer", "names no issuer", (honest) => ({ ...honest, issuer: undefined })],
  ["no-token-endpoint", "has no token endpoint", (honest) => ({ ...honest, token_endpoint: undefined })],
  ["no-keys", "says nothing about its keys", (honest) => ({ ...honest, jwks_uri: undefined })],
  [
    "http",
    "has an endpoint that is not https",
    (honest) => ({ ...honest, token_endpoint: "http://evil.example/token" }),
  ],
  ["http-keys", "has keys that are not at https", (honest) => ({ ...honest, jwks_uri: "http://evil.example/jwks" })],
  [
    "script",
    "has a script for an endpoint",
    (honest) => ({ ...honest, authorization_endpoint: "javascript:alert(1)" }),
  ],
  ["list", "is a list", (honest) => [honest]],
]) {
  refusedBeforeLeaving(
    `discovery-${name}: nobody is sent to a provider whose document ${what}`,
    name.startsWith("http") || name === "script" ? "RFC 8414 §2" : "OIDC Discovery §3",
    "discovery_invalid",
    (honest, json) => json(lie(honest)),
  );
}

for (const [name, what, lie] of [
  ["no-userinfo", "has no UserInfo endpoint where that is to be asked", undefined],
  ["http-userinfo", "has a UserInfo endpoint that is not https", "http://evil.example/userinfo"],
]) {
  refusedBeforeLeaving(
    `discovery-${name}: nobody is sent to a provider whose document ${what}`,
    "OIDC Discovery §3",
    "discovery_invalid",
    (honest, json) => json({ ...honest, userinfo_endpoint: lie }),
    ASKS,
  );
}

test("docs/conformance.md has a row for each of these, and each module of the plans has one", () => {
  expect(forgotten(checks.map(({ title }) => title))).toEqual([]);
  // Where it is written anew, the table does so.
  if (process.env.AUTHSAFE_BLESS !== "1") expect(committed()).toBe(pageOf(checks));
});
