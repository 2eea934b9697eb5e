import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { decodeJwt, generateKeyPair } from "jose";
import { startAll } from "./testing.js";
import { makeProver, obtainTokens, refresh } from "./test-client.js";

describe("tokens that are bound to a key", () => {
  let stack;
  let bound;
  let prover;
  let tokens;
  before(async () => {
    stack = await startAll();
    bound = { ...stack, clientId: stack.boundClientId };
    prover = await makeProver();
    ({ tokens } = await obtainTokens(bound, { prover, request: { dpop_jkt: prover.jkt } }));
  });
  afterEach(() => {
    stack.provider.dpop.requireNonce = false;
    Object.assign(stack.api.proofs.settings, { requireNonce: false, exposeNonce: true });
    stack.api.clock.reset();
  });
  after(() => stack.close());

  const url = () => `${stack.apiUrl}/api/hello`;
  const call = async (headers, { method = "GET", address = url() } = {}) => {
    const response = await fetch(address, { method, headers: { origin: stack.pageUrl, ...headers } });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
  const assertRefused = ({ status, headers, body }, error) => {
    assert.deepEqual([status, body], [401, { error }]);
    assert.equal(headers.get("www-authenticate"), `DPoP error="${error}", algs="ES256"`);
  };
  const token = () => tokens.access_token;

  test("are called DPoP, name the key, and open the API to whoever has it", async () => {
    assert.equal(tokens.token_type, "DPoP");
    assert.deepEqual(decodeJwt(token()).cnf, { jkt: prover.jkt });
    const { status, body } = await call(await prover.headers(token(), "GET", url()));
    assert.deepEqual([status, body.sub], [200, "user-1001"]);
    const address = `${url()}?a=b`;
    assert.equal((await call(await prover.headers(token(), "GET", address), { address })).status, 200);
  });

  test("are of no use without the key", async () => {
    assertRefused(await call({ authorization: `Bearer ${token()}` }), "invalid_token");
    assertRefused(await call({ authorization: `DPoP ${token()}` }), "invalid_dpop_proof");
    const thief = await makeProver();
    assertRefused(await call(await thief.headers(token(), "GET", url())), "invalid_dpop_proof");
    const stolen = await refresh(bound, tokens.refresh_token, await thief.tokenHeaders(stack));
    assert.deepEqual([stolen.status, stolen.body.error], [400, "invalid_grant"]);
    const bare = await refresh(bound, tokens.refresh_token);
    assert.equal(bare.status, 400);
  });

  test("need a proof that is for this request, this token and this time, and is signed by its key", async () => {
    const seconds = Math.floor(Date.now() / 1000);
    const { privateKey } = await generateKeyPair("ES256");
    for (const more of [
      { changes: { htm: "POST" } },
      { changes: { htu: `${stack.apiUrl}/api/slow` } },
      { changes: { htu: "https://elsewhere.example/api/hello" } },
      { changes: { ath: undefined } },
      { changes: { ath: "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" } },
      { changes: { jti: undefined } },
      { changes: { iat: seconds - 400 } },
      { changes: { iat: seconds + 400 } },
      { header: { typ: "JWT" } },
      { header: { jwk: undefined } },
      { key: privateKey },
    ]) {
      const headers = await prover.headers(token(), "GET", url(), more);
      assertRefused(await call(headers), "invalid_dpop_proof");
    }
    assertRefused(await call({ authorization: `DPoP ${token()}`, dpop: "nonsense" }), "invalid_dpop_proof");
  });

  test("take a proof once", async () => {
    const headers = await prover.headers(token(), "GET", url());
    assert.equal((await call(headers)).status, 200);
    assertRefused(await call(headers), "invalid_dpop_proof");
  });

  test("are told from bearer tokens, which are not sent as DPoP", async () => {
    const { tokens: plain } = await obtainTokens(stack);
    assert.equal(plain.token_type, "Bearer");
    assertRefused(await call(await prover.headers(plain.access_token, "GET", url())), "invalid_token");
    assert.equal((await call({ authorization: `Bearer ${plain.access_token}` })).status, 200);
  });

  test("are the only ones that the bound client gets", async () => {
    const { response, tokens: none } = await obtainTokens(bound);
    assert.equal(response.status, 400);
    assert.equal(none.access_token, undefined);
  });

  test("are only given to the key that the sign-in was begun with", async () => {
    const { jkt } = await makeProver();
    const { response, tokens: none } = await obtainTokens(bound, { prover, request: { dpop_jkt: jkt } });
    assert.deepEqual([response.status, none.error], [400, "invalid_grant"]);
  });

  test("need a nonce of the API's where it wants one", async () => {
    const { proofs } = stack.api;
    proofs.settings.requireNonce = true;
    const refused = await call(await prover.headers(token(), "GET", url()));
    assertRefused(refused, "use_dpop_nonce");
    assert.equal(refused.headers.get("access-control-expose-headers"), "www-authenticate,dpop-nonce");
    const nonce = refused.headers.get("dpop-nonce");
    const withNonce = async () => call(await prover.headers(token(), "GET", url(), { changes: { nonce } }));
    assert.equal((await withNonce()).status, 200);
    proofs.rotateNonce();
    const { status, headers } = await withNonce();
    assert.equal(status, 200);
    assert.notEqual(headers.get("dpop-nonce"), nonce);
    proofs.forgetNonces();
    assertRefused(await withNonce(), "use_dpop_nonce");
  });

  test("need a nonce of the provider's where it wants one, and it lets a page read it", async () => {
    stack.provider.dpop.requireNonce = true;
    const ask = async (changes) =>
      fetch(`${stack.issuer}/token`, {
        method: "POST",
        headers: { origin: stack.pageUrl, ...(await prover.tokenHeaders(stack, changes)) },
        body: new URLSearchParams({
          client_id: bound.clientId,
          grant_type: "refresh_token",
          refresh_token: tokens.refresh_token,
        }),
      });
    const { tokenRequests } = stack.provider.stats;
    const before = tokenRequests.refresh_token;
    const refused = await ask();
    assert.deepEqual([refused.status, (await refused.json()).error], [400, "use_dpop_nonce"]);
    assert.match(refused.headers.get("access-control-expose-headers"), /DPoP-Nonce/i);
    assert.equal(tokenRequests.refresh_token, before);
    const answered = await ask({ nonce: refused.headers.get("dpop-nonce") });
    assert.equal(answered.status, 200);
    tokens = await answered.json();
    assert.equal(tokens.token_type, "DPoP");
  });
});
