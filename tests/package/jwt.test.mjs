// `authsafe/jwt` as it is published, in plain Node: what it accepts and refuses, and that jose accepts whatever it accepts.
import assert from "node:assert/strict";
import { constants, createHmac, createPublicKey, KeyObject, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { before, describe, test } from "node:test";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";

const dist = new URL("../../pkg/dist/jwt.js", import.meta.url);
const MODULE = readFileSync(new URL("../../pkg/wasm/authsafe_jwt_bg.wasm", import.meta.url));
const ALGS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const ISSUER = "https://id.example";
const AUDIENCE = "app";
/** The time of all tests. */
const NOW = 1_800_000_000;
const LEEWAY = 60;

let copies = 0;
/** A copy of its own, which has no keys and no module yet. */
async function fresh() {
  const jwt = await import(`${dist.href}?copy=${++copies}`);
  jwt.setWasmSource(MODULE);
  return jwt;
}

/** One key for each algorithm, and a second one of the same kind. */
const keys = {};
let jwks;
let jwt;
before(async () => {
  jwt = await fresh();
  for (const alg of ALGS) keys[alg] = [await makeKey(alg, alg), await makeKey(alg, `${alg}-other`)];
  jwks = { keys: ALGS.flatMap((alg) => keys[alg].map(({ jwk }) => jwk)) };
});

async function makeKey(alg, kid) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, key: KeyObject.from(privateKey), jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

const claims = (more) => ({ iss: ISSUER, sub: "ada", aud: AUDIENCE, iat: NOW - 10, exp: NOW + 600, ...more });
const encode = (value) => Buffer.from(value).toString("base64url");

/** The bytes of a signature, by Node's own cryptography. */
function signature(alg, key, input, { salt } = {}) {
  const hash = alg === "EdDSA" ? null : `sha${alg.slice(2)}`;
  const padding = {
    RS: { padding: constants.RSA_PKCS1_PADDING },
    PS: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: salt ?? Number(alg.slice(2)) / 8 },
    ES: { dsaEncoding: "ieee-p1363" },
  };
  return signBytes(hash, Buffer.from(input), { key, ...padding[alg.slice(0, 2)] });
}

/** A token of whatever texts these are: what is not text is written as JSON. */
function token(header, payload, { alg, key } = keys.ES256[0]) {
  const parts = [header, payload].map((part) =>
    typeof part === "string" || Buffer.isBuffer(part) ? part : JSON.stringify(part),
  );
  const input = parts.map(encode).join(".");
  return `${input}.${encode(signature(alg, key, input))}`;
}

const signed = (payload, { header, by = keys.ES256[0] } = {}) =>
  token({ alg: by.alg, kid: by.kid, ...header }, payload, by);

const rules = (more) => ({ jwks, issuer: ISSUER, audience: AUDIENCE, now: NOW, ...more });
const verify = (given, more) => jwt.verify(given, rules(more));
async function refuses(work, code, about) {
  const thrown = await work.then(
    (value) => assert.fail(`accepted: ${about ?? JSON.stringify(value)}`),
    (error) => error,
  );
  assert.ok(jwt.AuthError.is(thrown), `${about}: ${thrown}`);
  assert.equal(thrown.code, code, `${about}: ${thrown.message}`);
  assert.ok(thrown.message.length > 10 && thrown.hint.length > 5, about);
  return thrown;
}

describe("verify", () => {
  test("takes a token of each algorithm that is allowed, and gives what was signed", async () => {
    for (const alg of ALGS) {
      const expected = { verified: true, header: { alg, kid: alg }, claims: claims({ alg }) };
      assert.deepEqual(await verify(signed(claims({ alg }), { by: keys[alg][0] }), { algs: [alg] }), expected);
      const others = ALGS.filter((other) => other !== alg);
      await refuses(
        verify(signed(claims(), { by: keys[alg][0] }), { algs: others }),
        "id_token_algorithm_refused",
        alg,
      );
    }
  });

  test("by default takes RS256, PS256, ES256 and EdDSA", async () => {
    for (const alg of ALGS) {
      const verified = verify(signed(claims(), { by: keys[alg][0] }));
      if (["RS256", "PS256", "ES256", "EdDSA"].includes(alg)) assert.equal((await verified).header.alg, alg);
      else await refuses(verified, "id_token_algorithm_refused", alg);
    }
  });

  test("takes Ed25519 by its newer name, too", async () => {
    const by = keys.EdDSA[0];
    const newer = signed(claims(), { by, header: { alg: "Ed25519" } });
    const { alg: _, ...key } = by.jwk;
    for (const algs of [["EdDSA"], ["Ed25519"]]) {
      assert.equal((await verify(newer, { algs, jwks: { keys: [key] } })).header.alg, "Ed25519");
    }
  });

  test("a token that another key signed, or nobody, is refused", async () => {
    const [own, other] = keys.ES256;
    const wrong = token({ alg: "ES256", kid: own.kid }, claims(), other);
    await refuses(verify(wrong), "id_token_signature_invalid");
    await refuses(verify(signed(claims(), { header: { kid: "nobody" } })), "jwks_key_missing");
    await refuses(verify(signed(claims(), { header: { kid: undefined } })), "jwks_key_ambiguous");
    const [header, payload] = signed(claims()).split(".");
    await refuses(verify(`${encode('{"alg":"none"}')}.${payload}.`), "id_token_malformed");
    await refuses(verify(`${header}.${payload}.`), "id_token_malformed");
  });

  test("what the public key signs as a shared secret is refused", async () => {
    const { jwk } = keys.RS256[0];
    const input = `${encode('{"alg":"HS256","kid":"RS256"}')}.${encode(JSON.stringify(claims()))}`;
    for (const secret of [
      createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }),
      JSON.stringify(jwk),
    ]) {
      const forged = `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
      await refuses(verify(forged), "id_token_algorithm_refused");
    }
  });

  test("one of several issuers and one of several audiences is enough, and none is not", async () => {
    const several = { issuer: ["https://a.example", ISSUER], audience: ["other", AUDIENCE] };
    assert.equal((await verify(signed(claims()), several)).claims.iss, ISSUER);
    assert.equal((await verify(signed(claims({ aud: ["x", AUDIENCE], azp: AUDIENCE })), several)).verified, true);
    for (const wrong of [
      { iss: "https://b.example" },
      { iss: `${ISSUER}/` },
      { iss: undefined },
      { iss: [ISSUER] },
      { aud: "b" },
      { aud: [] },
      { aud: [AUDIENCE, 7] },
      { aud: undefined },
      { aud: ["x", AUDIENCE] },
      { aud: ["x", AUDIENCE], azp: "x" },
      { azp: "x" },
    ]) {
      await refuses(verify(signed(claims(wrong)), several), "id_token_invalid", JSON.stringify(wrong));
    }
  });

  test("an access token passes where its type is asked for, and only there", async () => {
    const access = signed(claims({ aud: ["x", AUDIENCE], azp: "client" }), { header: { typ: "at+jwt" } });
    for (const typ of ["at+jwt", "AT+JWT", "application/at+jwt"]) {
      assert.equal((await verify(access, { typ })).header.typ, "at+jwt");
    }
    await refuses(verify(access), "id_token_invalid");
    await refuses(verify(access, { typ: "dpop+jwt" }), "id_token_invalid");
    const plain = signed(claims());
    await refuses(verify(plain, { typ: "at+jwt" }), "id_token_invalid");
    await refuses(verify(signed(claims(), { header: { typ: "JWT" } }), { typ: "at+jwt" }), "id_token_invalid");
    assert.equal((await verify(signed(claims(), { header: { typ: "JWT" } }))).header.typ, "JWT");
  });

  test("`now` is the time that counts, give or take the leeway", async () => {
    const { iat, exp } = claims();
    const given = signed(claims({ nbf: iat + 5 }));
    for (const [now, leewaySeconds, code] of [
      [exp - 1, 0],
      [exp, 0, "id_token_invalid"],
      [exp + 59, undefined],
      [exp + 60, undefined, "id_token_invalid"],
      [exp + 299, 300],
      [exp + 300, 300, "id_token_invalid"],
      [iat + 5, 0],
      [iat + 4, 0, "id_token_invalid"],
      [iat - 55, undefined],
      [iat - 56, undefined, "id_token_invalid"],
    ]) {
      const verified = verify(given, { now, leewaySeconds });
      if (code) await refuses(verified, code, `${now} ${leewaySeconds}`);
      else assert.equal((await verified).verified, true);
    }
    await refuses(verify(given, { now: undefined }), "id_token_invalid");
    const at = Math.floor(Date.now() / 1000);
    assert.ok(await verify(signed(claims({ iat: at, exp: at + 60 })), { now: undefined }));
  });

  test("`maxAge` wants to know when the user signed in", async () => {
    const at = (auth_time) => signed(claims({ auth_time }));
    assert.ok(await verify(at(NOW - 100), { maxAge: 100, leewaySeconds: 0 }));
    assert.ok(await verify(at(NOW - 160), { maxAge: 100 }));
    await refuses(verify(at(NOW - 161), { maxAge: 100 }), "id_token_invalid");
    await refuses(verify(at(NOW - 1), { maxAge: 0, leewaySeconds: 0 }), "id_token_invalid");
    await refuses(verify(at(undefined), { maxAge: 100 }), "id_token_invalid");
    assert.ok(await verify(at(NOW - 10_000)));
  });

  test("`sub`, `iat` and `exp` must be there, and every claim must be of its type", async () => {
    for (const wrong of [
      { sub: undefined },
      { sub: "" },
      { sub: 7 },
      { iat: undefined },
      { exp: undefined },
      { exp: String(NOW + 600) },
      { exp: null },
      { nbf: "soon" },
      { auth_time: true },
    ]) {
      await refuses(verify(signed(claims(wrong))), "id_token_invalid", JSON.stringify(wrong));
    }
  });

  test("wrong options are told before anything is asked", async () => {
    const given = signed(claims());
    for (const wrong of [
      { issuers: [ISSUER] },
      { dangerouslySkipSignature: true },
      { jwks: undefined },
      { jwks: undefined, jwksUri: "" },
      { jwksUri: "https://id.example/jwks" },
      { jwks: undefined, jwksUri: "http://id.example/jwks" },
      { jwks: undefined, jwksUri: "not an address" },
      { jwks: undefined, jwksUri: "data:application/json,{}" },
      { issuer: undefined },
      { issuer: "" },
      { issuer: 7 },
      { issuer: [] },
      { issuer: [ISSUER, ""] },
      { issuer: [[[ISSUER]]] },
      { audience: undefined },
      { audience: {} },
      { audience: [null] },
      { algs: [] },
      { algs: null },
      { algs: ["HS256"] },
      { algs: ["none"] },
      { algs: ["RS256", "HS256"] },
      { algs: ["RS256", "none"] },
      { algs: ["toString"] },
      { algs: ["__proto__"] },
      { algs: ["rs256"] },
      { algs: [1] },
      { typ: 7 },
      { typ: null },
      { maxAge: -1 },
      { maxAge: "60" },
      { maxAge: NaN },
      { maxAge: Infinity },
      { leewaySeconds: 301 },
      { leewaySeconds: -1 },
      { leewaySeconds: "0" },
      { now: "1800000000" },
      { now: NaN },
      { now: new Date(NOW * 1000) },
    ]) {
      const error = await refuses(verify(given, wrong), "config_invalid", JSON.stringify(wrong));
      assert.equal(error.recovery, "fix_config");
    }
    for (const options of [undefined, null, {}, "RS256", 7]) {
      await refuses(jwt.verify(given, options), "config_invalid", String(options));
    }
    for (const wrong of [7, "{}", {}, { keys: {} }, [], { keys: Array(101).fill({}) }]) {
      await refuses(verify(given, { jwks: wrong }), "jwks_invalid", JSON.stringify(wrong));
    }
    await refuses(verify(given, { jwks: { keys: [] } }), "jwks_key_missing");
  });

  test("what stands on Object.prototype is no option", async () => {
    const polluted = {
      algs: ["RS512"],
      typ: "at+jwt",
      maxAge: 0,
      leewaySeconds: 300,
      now: NOW + 1e6,
      jwksUri: "https://thief.example/jwks",
      issuer: "https://thief.example",
      audience: "thief",
      dangerous: true,
      max_age: 0,
      token: "thief",
    };
    Object.assign(Object.prototype, polluted);
    try {
      assert.equal((await verify(signed(claims()))).verified, true);
      await refuses(verify(signed(claims({ exp: NOW - 100 }))), "id_token_invalid");
      await refuses(verify(signed(claims({ iss: polluted.issuer }))), "id_token_invalid");
      await refuses(verify(signed(claims(), { by: keys.RS512[0] })), "id_token_algorithm_refused");
      await refuses(jwt.verify(signed(claims()), { jwks }), "config_invalid");
      await refuses(jwt.verify(signed(claims()), { issuer: ISSUER, audience: AUDIENCE, now: NOW }), "config_invalid");
    } finally {
      for (const name in polluted) delete Object.prototype[name];
    }
  });

  test("what is no signed token is malformed, whatever it is", async () => {
    const given = signed(claims());
    const [header, payload, last] = given.split(".");
    const check = JSON.stringify({ token: given, iss: ISSUER, aud: AUDIENCE, acr: [], leeway: 0, now: NOW * 1000 });
    const asJson = JSON.stringify({ payload, protected: header, signature: last });
    for (const wrong of [
      "",
      ".",
      "..",
      "{",
      "{}",
      check,
      asJson,
      ` ${given}`,
      `${given}\n`,
      `${given}.`,
      `${given}.${last}`,
      `${header}.${payload}`,
      `${header}=.${payload}.${last}`,
      `${payload}.${header}.${last}`,
      "a".repeat(1_000_000),
      "\ud800",
      undefined,
      null,
      7,
      {},
    ]) {
      await refuses(verify(wrong), "id_token_malformed", String(wrong).slice(0, 80));
      await refuses(jwt.decodeUnverified(wrong), "id_token_malformed", String(wrong).slice(0, 80));
    }
  });
});

test("decodeUnverified shows what a token says, in a type that nobody takes for a verified one", async () => {
  const by = { ...keys.ES256[1], kid: "unknown" };
  const forged = signed(claims({ sub: "eve", exp: 1 }), { by });
  assert.deepEqual(await jwt.decodeUnverified(forged), {
    verified: false,
    header: { alg: "ES256", kid: "unknown" },
    unverifiedClaims: claims({ sub: "eve", exp: 1 }),
  });
});

describe("the keys at an address", () => {
  /** A server of keys: `answer` is the status and what is sent; `asked` counts. */
  async function keyServer(t) {
    const told = { asked: 0, answer: [200, jwks] };
    const http = createServer((_, response) => {
      told.asked++;
      const [status, body] = told.answer;
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
    await new Promise((resolve) => http.listen(0, "localhost", resolve));
    t.after(() => (http.close(), http.closeAllConnections()));
    return Object.assign(told, { url: `http://localhost:${http.address().port}/jwks` });
  }

  /** Puts the device's clocks forward. */
  function clock(t) {
    const real = { date: Date.now, performance: performance.now };
    let ahead = 0;
    Date.now = () => real.date.call(Date) + ahead;
    performance.now = () => real.performance.call(performance) + ahead;
    t.after(() => {
      Date.now = real.date;
      delete performance.now;
    });
    return { pass: (seconds) => (ahead += seconds * 1000) };
  }

  const many = (work) => Promise.allSettled(Array.from({ length: 50 }, work));

  test("are fetched once for fifty tokens, and once more for a key that is not among them", async (t) => {
    const { verify, AuthError } = await fresh();
    const server = await keyServer(t);
    const { pass } = clock(t);
    const options = { jwksUri: server.url, issuer: ISSUER, audience: AUDIENCE, now: NOW };
    const given = signed(claims());
    const first = await many(() => verify(given, options));
    assert.ok(first.every(({ value }) => value?.verified));
    assert.equal(server.asked, 1);

    const added = await makeKey("ES256", "added");
    const newer = signed(claims(), { by: added });
    // Anybody can make such tokens: within a minute of the last request they cause none.
    assert.ok((await many(() => verify(newer, options))).every(({ reason }) => reason?.code === "jwks_key_missing"));
    assert.equal(server.asked, 1);
    pass(61);
    const missing = await many(() => verify(newer, options));
    assert.ok(missing.every(({ reason }) => AuthError.is(reason) && reason.code === "jwks_key_missing"));
    assert.equal(server.asked, 2);
    server.answer = [200, { keys: [...jwks.keys, added.jwk] }];
    pass(61);
    assert.ok((await many(() => verify(newer, options))).every(({ value }) => value?.verified));
    assert.equal(server.asked, 3);
    pass(600);
    assert.ok(await verify(given, options));
    assert.equal(server.asked, 4);
  });

  test("that cannot be had are told with the status, and asked for again by the next token", async (t) => {
    const { verify } = await fresh();
    const server = await keyServer(t);
    const options = { jwksUri: new URL(server.url), issuer: ISSUER, audience: AUDIENCE, now: NOW };
    const given = signed(claims());
    server.answer = [500, {}];
    const error = await refuses(verify(given, options), "jwks_unavailable");
    assert.deepEqual([error.status, error.retryable, error.recovery], [500, true, "retry"]);
    server.answer = [200, "nonsense"];
    await refuses(verify(given, options), "jwks_invalid");
    server.answer = [200, jwks];
    assert.ok(await verify(given, options));
    assert.equal(server.asked, 3);
  });
});

test("a module that is not the package's is told, and the right one is taken then", async () => {
  const { verify, setWasmSource } = await fresh();
  setWasmSource(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
  await refuses(verify(signed(claims()), rules()), "wasm_load_failed");
  setWasmSource(MODULE);
  assert.ok(await verify(signed(claims()), rules()));
});
