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
  const pair = (alg) => Promise.all([makeKey(alg, alg), makeKey(alg, `${alg}-other`)]);
  const made = await Promise.all(ALGS.map(pair));
  ALGS.forEach((alg, at) => (keys[alg] = made[at]));
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
      { jwks: undefined, jwksUri: "ftp://localhost/jwks" },
      { jwks: undefined, jwksUri: "https://user:password@id.example/jwks" },
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
      { maxAge: 1e300 },
      { maxAge: null },
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

  test("a token is no larger than 256 KiB, however large it is", async () => {
    const token = signed(claims());
    const whole = (length) => `${token.slice(0, token.indexOf(".") + 1)}${"A".repeat(length)}.AA`;
    for (const length of [256 * 1024, 64 * 1024 * 1024]) {
      for (const text of [whole(length), "A".repeat(length + 1), `${"A".repeat(length + 1)}\u00e9`]) {
        const refused = await refuses(verify(text), "id_token_malformed", String(length));
        assert.match(refused.message, /larger than 256 KiB/);
        await refuses(jwt.decodeUnverified(text), "id_token_malformed", String(length));
      }
    }
    assert.doesNotMatch((await refuses(verify(whole(1024)), "id_token_malformed")).message, /larger/);
  });

  test("a token that cannot be verified here is no token that is refused", async () => {
    const { subtle } = crypto;
    const fails = (name, error) =>
      Object.defineProperty(crypto, "subtle", {
        configurable: true,
        value: new Proxy(subtle, {
          get: (target, key) => (key === name ? () => Promise.reject(error) : target[key].bind(target)),
        }),
      });
    const once = (by) => verify(signed(claims(), { by }));
    try {
      await once(keys.RS256[0]);
      fails("verify", new DOMException("busy", "OperationError"));
      assert.equal((await refuses(once(keys.RS256[0]), "id_token_unverifiable")).retryable, true);
      fails("importKey", new DOMException("Ed25519", "NotSupportedError"));
      assert.match((await refuses(once(keys.EdDSA[0]), "id_token_unverifiable")).message, /EdDSA/);
      Object.defineProperty(crypto, "subtle", { configurable: true, value: undefined });
      for (const { alg } of [keys.RS256[0], keys.PS256[0]]) {
        await refuses(once(keys[alg][0]), "id_token_unverifiable", alg);
      }
    } finally {
      delete crypto.subtle;
    }
    assert.equal((await once(keys.RS256[0])).verified, true);
  });

  test("tokens by several keys are verified at once, each by its own", async () => {
    const made = ALGS.flatMap((alg) => keys[alg].map((by) => [alg, by]));
    const all = Array.from({ length: 200 }, (_, at) => {
      const [alg, by] = made[at % made.length];
      const [, other] = made[(at + 1) % made.length];
      const right = at % 3 !== 0;
      const token = right
        ? signed(claims({ at }), { by })
        : signed(claims({ at }), { by: other, header: { alg, kid: by.kid } });
      return {
        at,
        right,
        verdict: verify(token, { algs: ALGS }).then(
          ({ claims }) => claims.at,
          () => "refused",
        ),
      };
    });
    for (const { at, right, verdict } of all) assert.equal(await verdict, right ? at : "refused");
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

test("keys that cannot be written as JSON are told as such, and nobody is asked for others", async (t) => {
  const asked = [];
  const { fetch } = globalThis;
  globalThis.fetch = (request) => (asked.push(String(request.url ?? request)), Promise.reject(new TypeError("no")));
  t.after(() => (globalThis.fetch = fetch));
  const circular = { keys: [] };
  circular.keys.push(circular);
  for (const [about, wrong] of Object.entries({
    "a function": () => {},
    "a symbol": Symbol("keys"),
    "nothing by toJSON": { toJSON: () => undefined },
    "a BigInt in it": { keys: [1n] },
    circular,
  })) {
    await refuses(verify(signed(claims()), { jwks: wrong }), "jwks_invalid", about);
  }
  assert.deepEqual(asked, []);
});

test("the header and the claims are those of one token", async () => {
  const [one, other] = [signed(claims({ sub: "ada" })), signed(claims({ sub: "bob" }), { by: keys.RS256[0] })];
  // Nobody has signed the first.
  const forged = `${encode('{"alg":"ES256","kid":"thief"}')}.${one.split(".").slice(1).join(".")}`;
  const two = { toString: () => forged, toJSON: () => other };
  await refuses(verify(two), "id_token_malformed");
});

test("a token in a list is none", async () => {
  await refuses(verify([signed(claims())]), "id_token_malformed");
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
    // Anybody can make such tokens: they cause one request in a minute.
    for (const _ of "12") {
      const missing = await many(() => verify(newer, options));
      assert.ok(missing.every(({ reason }) => AuthError.is(reason) && reason.code === "jwks_key_missing"));
      assert.equal(server.asked, 2);
    }
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

test("what authsafe accepts, jose accepts, and reads the same from it", { timeout: 120_000 }, async (t) => {
  const seed = Number(process.env.AUTHSAFE_SEED ?? 20_261_126);
  const random = prng(seed);
  const outcomes = new Map();
  const unnamed = jwks.keys.map(({ alg, ...jwk }) => (jwk.kty === "OKP" ? jwk : { alg, ...jwk }));
  const keySet = createLocalJWKSet({ keys: unnamed });
  const joseRules = {
    issuer: ISSUER,
    audience: AUDIENCE,
    // To authsafe, it is the other name of EdDSA (RFC 9864), whichever of them the key has.
    algorithms: [...ALGS, "Ed25519"],
    currentDate: new Date(NOW * 1000),
    clockTolerance: LEEWAY,
  };
  const whole = ALGS.flatMap((alg) =>
    [{}, { aud: [AUDIENCE], nonce: "n-0", name: "Zoë", deep: { list: [1, -0.5, null, true, { a: [] }] } }].map(
      (more) => ({
        alg,
        header: { alg, kid: alg },
        payload: claims(more),
        key: keys[alg][0].key,
      }),
    ),
  );

  const judge = async (given, kind, alg, about = "") => {
    const [ours, theirs] = await Promise.all([
      verify(given, { algs: ALGS }).catch((error) => error),
      jwtVerify(given, keySet, joseRules).catch((error) => error),
    ]);
    const [accepted, joseAccepts] = [ours.verified === true, theirs.payload !== undefined];
    // The keys are new each time, so the seed alone does not bring the same token.
    const say = () =>
      `seed ${seed}${about}, ${alg}, ${kind}\n${given}\n${JSON.stringify(keys[alg].map(({ jwk }) => jwk))}`;
    if (!accepted) {
      // A refusal is about the token: nothing has trapped, and no option is to blame.
      assert.match(String(ours.code), /^(id_token_|jwks_key_)/, `${say()}\n${ours.stack}`);
    } else {
      assert.ok(joseAccepts, `authsafe accepts what jose refuses (${theirs.code}): ${say()}`);
      assert.deepEqual(ours.claims, theirs.payload, say());
      assert.deepEqual(ours.header, theirs.protectedHeader, say());
    }
    const counts = outcomes.get(kind) ?? { made: 0, both: 0, joseAlone: 0 };
    counts.made++;
    if (accepted) counts.both++;
    else if (joseAccepts) counts.joseAlone++;
    outcomes.set(kind, counts);
    return accepted;
  };

  for (const one of whole) {
    assert.ok(await judge(token(one.header, one.payload, one), "whole", one.alg), `${one.alg} is accepted as signed`);
  }
  const kinds = Object.entries(MUTATIONS);
  for (let round = 0; round < ROUNDS; round++) {
    const [kind, mutate] = kinds[round % kinds.length];
    const one = random.pick(whole);
    const given = mutate(one, random, (kind = /./) => random.pick(whole.filter(({ alg }) => kind.test(alg))));
    await judge(given, kind, one.alg, `, round ${round}`);
  }

  const sum = (what) => [...outcomes.values()].reduce((total, counts) => total + counts[what], 0);
  const untouched = outcomes.get("whole");
  assert.deepEqual(untouched, { made: 20, both: 20, joseAlone: 0 });
  t.diagnostic(`${sum("made")} tokens: both accept ${sum("both")}, jose alone ${sum("joseAlone")}, authsafe alone 0`);
  for (const [kind, { made, both, joseAlone }] of outcomes) {
    if (both || joseAlone) t.diagnostic(`${kind}: ${made} tokens, both accept ${both}, jose alone ${joseAlone}`);
  }
});

const ROUNDS = 3000;

/** Mulberry32: the same numbers for the same seed, everywhere. */
function prng(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit) => Math.floor(next() * limit);
  return { below, pick: (list) => list[below(list.length)] };
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  "",
  "x",
  String(NOW),
  [],
  {},
  [null],
  { a: 1 },
  [AUDIENCE],
  NOW,
  NOW * 1000,
];
const VALUES_OF_CLAIMS = [
  ...VALUES,
  NOW + LEEWAY,
  NOW - LEEWAY,
  NOW - LEEWAY + 0.5,
  NOW + LEEWAY + 0.5,
  AUDIENCE,
  ISSUER,
];
const NAMES_OF_ALGORITHMS = [
  "none",
  "None",
  "HS256",
  "rs256",
  "ES256K",
  "Ed25519",
  "Ed448",
  "RSA-OAEP",
  "dir",
  "",
  " RS256",
];

const parts = (one) => token(one.header, one.payload, one).split(".");
const splice = (text, at, remove, insert) => text.slice(0, at) + insert + text.slice(at + remove);
/** Does something to one of the three parts. */
function inOnePart(one, random, change) {
  const all = parts(one);
  const at = random.below(3);
  all[at] = change(all[at], at);
  return all.join(".");
}
/** Does something to the bytes of the signature. */
function inSignature(one, change) {
  const [header, payload, last] = parts(one);
  return [header, payload, encode(change(Buffer.from(last, "base64url")))].join(".");
}
/** Writes an object as JSON with another text for one of its members, or more members. */
function json(object, { extra = "", ...replaced } = {}) {
  const members = Object.entries(object).map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${Object.hasOwn(replaced, name) ? replaced[name] : JSON.stringify(value)}`,
  );
  return `{${members.join()}${extra}}`;
}
const resigned = (one, header, payload) => token(header ?? one.header, payload ?? one.payload, one);

/** Each makes of a token that is right another one. Those that sign again have a right signature, by the key that is named. */
const MUTATIONS = {
  "a character is another one": (one, random) =>
    inOnePart(one, random, (part) => splice(part, random.below(part.length), 1, random.pick(ALPHABET))),
  "a bit is another one": (one, random) =>
    inOnePart(one, random, (part) => {
      const bytes = Buffer.from(part, "base64url");
      bytes[random.below(bytes.length)] ^= 1 << random.below(8);
      return encode(bytes);
    }),
  "the bits after the end are others": (one, random) =>
    inOnePart(one, random, (part) => splice(part, part.length - 1, 1, random.pick(ALPHABET))),
  "a character is gone, or one more": (one, random) =>
    inOnePart(one, random, (part) =>
      splice(part, random.below(part.length + 1), random.below(2), random.below(2) ? random.pick(ALPHABET) : ""),
    ),
  "padding, space or another alphabet": (one, random) =>
    inOnePart(one, random, (part) =>
      random.pick([
        () => `${part}${random.pick(["=", "==", " ", "\n", "\0", "%3D"])}`,
        () => splice(part, random.below(part.length), 0, random.pick([" ", "\t", "\r\n", "="])),
        () => part.replaceAll("-", "+").replaceAll("_", "/"),
        () => Buffer.from(part, "base64url").toString("base64"),
      ])(),
    ),
  "more parts, or fewer": (one, random) => {
    const all = parts(one);
    all.splice(random.below(4), random.below(2), ...random.pick([[], [""], [all[0]], ["", ""]]));
    return random.pick([all.join("."), ` ${all.join(".")}`, `${all.join(".")}\n`]);
  },
  "a part of another token": (one, random, other) => {
    const [all, foreign] = [parts(one), parts(other())];
    const at = random.below(3);
    all[at] = foreign[random.below(4) ? at : random.below(3)];
    return all.join(".");
  },
  "the signature is cut, or longer": (one, random) =>
    inSignature(one, (bytes) =>
      random.pick([
        bytes.subarray(0, random.below(bytes.length)),
        bytes.subarray(1),
        Buffer.concat([bytes, Buffer.alloc(1 + random.below(3))]),
        Buffer.concat([Buffer.alloc(1 + random.below(3)), bytes]),
        Buffer.concat([bytes, bytes]),
        Buffer.alloc(bytes.length),
        Buffer.alloc(bytes.length, 255),
      ]),
    ),
  "the halves of the signature": (one, random) =>
    inSignature(one, (bytes) => {
      const half = bytes.length / 2;
      const [r, s] = [bytes.subarray(0, half), bytes.subarray(half)];
      return Buffer.concat(
        random.pick([
          [s, r],
          [r, r],
          [s, s],
          [r, Buffer.alloc(half)],
          [Buffer.alloc(half), s],
        ]),
      );
    }),
  "the signature's other value": (_, random, other) => {
    const one = other(/^ES/);
    const order = ORDERS[one.alg];
    return inSignature(one, (bytes) => {
      const half = bytes.length / 2;
      const s = BigInt(`0x${bytes.subarray(half).toString("hex")}`);
      // ECDSA: n − s is right where s is. n + s is the same number to whoever does not look.
      const hex = random
        .pick([order - s, order + s, order, 0n])
        .toString(16)
        .padStart(half * 2, "0");
      return Buffer.concat([bytes.subarray(0, half), Buffer.from(hex.slice(-half * 2), "hex")]);
    });
  },
  "a signature in DER": (_, random, other) => {
    const one = other(/^ES/);
    const [header, payload] = parts(one);
    const input = Buffer.from(`${header}.${payload}`);
    const der = signBytes(`sha${one.alg.slice(2)}`, input, { key: one.key, dsaEncoding: "der" });
    return [header, payload, encode(der)].join(".");
  },
  "another salt": (_, random, other) => {
    const one = other(/^PS/);
    const input = parts(one).slice(0, 2).join(".");
    return `${input}.${encode(signature(one.alg, one.key, input, { salt: random.pick([0, 20, 32, 48, 64, 94]) }))}`;
  },
  "another key, under the same name": (one) => token(one.header, one.payload, keys[one.alg][1]),
  "another algorithm, by the key of this one": (_, random, other) => {
    const one = other(/^[RP]S/);
    const alg = random.pick(ALGS.filter((name) => /^[RP]S/.test(name) && name !== one.alg));
    return token({ ...one.header, alg: random.pick([one.alg, alg]) }, one.payload, { alg, key: one.key });
  },
  "another name of an algorithm": (one, random) => {
    const header = { ...one.header, alg: random.pick([...ALGS, ...NAMES_OF_ALGORITHMS]) };
    if (random.below(2)) return resigned(one, header);
    const [, payload, last] = parts(one);
    return [encode(JSON.stringify(header)), payload, random.pick([last, ""])].join(".");
  },
  "a public key as a shared secret": (one) => {
    const pem = createPublicKey(one.key).export({ type: "spki", format: "pem" });
    const input = [encode('{"alg":"HS256"}'), encode(JSON.stringify(one.payload))].join(".");
    return `${input}.${createHmac("sha256", pem).update(input).digest("base64url")}`;
  },
  "another header": (one, random) => {
    const foreign = random.pick(jwks.keys);
    const name = random.pick(["kid", "typ", "cty", "crit", "b64", "zip", "jwk", "jku", "x5u", "x5c", "enc", "alg"]);
    const value = random.pick([
      ...VALUES,
      "JWT",
      "jwt",
      "application/jwt",
      "at+jwt",
      foreign,
      foreign.kid,
      ["b64"],
      ["exp"],
    ]);
    const header = { ...one.header, [name]: value };
    if (random.below(8) === 0) delete header.kid;
    return random.below(4) ? resigned(one, header) : [encode(JSON.stringify(header)), ...parts(one).slice(1)].join(".");
  },
  "a claim of another type": (one, random) => {
    const name = random.pick([
      "iss",
      "sub",
      "aud",
      "exp",
      "iat",
      "nbf",
      "auth_time",
      "azp",
      "nonce",
      "jti",
      "at_hash",
      "acr",
    ]);
    const payload = { ...one.payload, [name]: random.pick(VALUES_OF_CLAIMS) };
    if (random.below(8) === 0) delete payload[name];
    return resigned(one, undefined, payload);
  },
  "a member twice": (one, random) => {
    const [inHeader, name] = random.pick([
      [true, "alg"],
      [true, "kid"],
      [false, "sub"],
      [false, "iss"],
      [false, "exp"],
    ]);
    const object = inHeader ? one.header : one.payload;
    const spelt = random.pick([name, `\\u00${name.charCodeAt(0).toString(16)}${name.slice(1)}`]);
    const twice = json(object, { extra: `,"${spelt}":${JSON.stringify(random.pick([object[name], "x"]))}` });
    return inHeader ? resigned(one, twice) : resigned(one, undefined, twice);
  },
  "another spelling of the same claims": (one, random) => {
    const spelt = random.pick([
      () => JSON.stringify(one.payload, undefined, random.pick([1, 2, "\t"])),
      () => ` \r\n\t${json(one.payload)} \n`,
      () => json(one.payload, { sub: '"\\u0061da"' }),
      () => json(one.payload).replace('"sub"', '"\\u0073ub"'),
      () => json(one.payload, { exp: `${NOW + 600}.0` }),
      () => json(one.payload, { exp: "1.8000006e9" }),
      () => json(one.payload, { exp: "18000006E+2" }),
      () =>
        Object.entries(one.payload)
          .reverse()
          .reduce(
            (text, [name, value], at) => text + (at ? "," : "") + JSON.stringify({ [name]: value }).slice(1, -1),
            "{",
          ) + "}",
    ])();
    return resigned(one, undefined, spelt);
  },
  "JSON that is none, or strange": (one, random) => {
    const text = json(one.payload);
    const spelt = random.pick([
      () => `\ufeff${text}`,
      () => `${text}x`,
      () => `${text}${text}`,
      () => text.replace("}", ",}"),
      () => text.replace(/"/g, "'"),
      () => `[${text}]`,
      () => `/**/${text}`,
      () => json(one.payload, { exp: "01800000600" }),
      () => json(one.payload, { exp: "+1800000600" }),
      () => json(one.payload, { exp: "1e400" }),
      () => json(one.payload, { exp: "NaN" }),
      () => json(one.payload, { sub: '"\\ud800"' }),
      () => json(one.payload, { sub: '"a\\u0000b"' }),
      () => json(one.payload, { sub: '"a\nb"' }),
      () => json(one.payload, { sub: '"\\x61"' }),
      () => json(one.payload, { extra: ',"__proto__":{"sub":"eve"}' }),
      () => json(one.payload, { extra: ',"constructor":1,"toString":2,"":3' }),
      () => json(one.payload, { extra: `,"n":[0,1e-400,${2 ** 53 + 1},12345678901234567890,0.1e1]` }),
      () => json(one.payload, { extra: `,"deep":${"[".repeat(200)}${"]".repeat(200)}` }),
      () => json(one.payload, { extra: `,"deep":${"[".repeat(30)}${"]".repeat(30)}` }),
      () => json(one.payload, { extra: ',"text":"\\u2028\\ud83d\\ude00\\/\\b\\f"' }),
      () =>
        Buffer.concat([
          Buffer.from(text.slice(0, -1)),
          Buffer.from(',"b":"'),
          Buffer.from([0xff, 0xc0, 0x80]),
          Buffer.from('"}'),
        ]),
      () =>
        Buffer.concat([
          Buffer.from(text.slice(0, -1)),
          Buffer.from(',"b":"'),
          Buffer.from([0xed, 0xa0, 0x80]),
          Buffer.from('"}'),
        ]),
    ])();
    return random.below(4) ? resigned(one, undefined, spelt) : resigned(one, json(one.header, { extra: ',"x":1e400' }));
  },
};

/** FIPS 186-4, D.1.2. */
const ORDERS = {
  ES256: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  ES384: BigInt(`0x${"f".repeat(48)}c7634d81f4372ddf581a0db248b0a77aecec196accc52973`),
  ES512: BigInt(`0x1${"f".repeat(65)}a51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409`),
};
