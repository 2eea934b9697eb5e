// i: the verification of a signed token, in authsafe/jwt, in npm's jose, and as the least that can be done: `crypto.subtle.verify`
// with a key that is there already, after jose's parsing.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { root } from "../../../tools/pack.mjs";
import { median, shuffled } from "../support/stats.mjs";

export const title = "verify: a signed token, per token [us]";

const ALGORITHMS = ["RS256", "ES256", "EdDSA"];
const WAYS = ["authsafe", "jose", "least"];
/** So many are timed together, because a page's clock is coarse. */
const BATCH = 100;
const ISSUER = "https://id.example";

export async function run(world, { runs, say }) {
  const keys = [];
  const tokens = {};
  for (const alg of ALGORITHMS) {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    keys.push({ ...(await exportJWK(publicKey)), alg, kid: alg, use: "sig" });
    const claims = { name: "Alice Liddell", email: "alice@id.example", nonce: "n-0S6_WzA2Mj" };
    tokens[alg] = await new SignJWT(claims)
      .setProtectedHeader({ alg, kid: alg, typ: "JWT" })
      .setIssuer(ISSUER)
      .setSubject("alice")
      .setAudience("app")
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(privateKey);
  }
  const context = await world.openProfile();
  const page = await context.newPage();
  await page.goto(`${world.origins.fast}/authsafe/`);
  await page.route("**/keys.json", (route) => route.fulfill({ json: { keys } }));
  await page.addScriptTag({ type: "module", content: await script() });
  const wasm = readFileSync(join(root, "pkg/wasm/authsafe_jwt_bg.wasm")).toString("base64");
  await page.waitForFunction(() => window.verifyWays);
  await page.evaluate((setting) => window.verifyWays.prepare(setting), { wasm, keys, issuer: ISSUER });

  const samples = {};
  for (let run = -2; run < runs; run++) {
    for (const alg of shuffled(ALGORITHMS)) {
      for (const way of shuffled(WAYS)) {
        const us = await page.evaluate(
          ([way, alg, token, batch]) => window.verifyWays.time(way, alg, token, batch),
          [way, alg, tokens[alg], BATCH],
        );
        if (run >= 0) ((samples[alg] ??= {})[way] ??= []).push(us);
      }
    }
    say(`verify: run ${run + 1} of ${runs}`);
  }
  await world.closeProfile(context);
  const rows = [["", ...WAYS, "authsafe / jose", "authsafe / least"]];
  for (const [alg, by] of Object.entries(samples)) {
    const [ours, jose, least] = WAYS.map((way) => median(by[way]));
    rows.push([alg, ...[ours, jose, least].map(Math.round), (ours / jose).toFixed(2), (ours / least).toFixed(2)]);
  }
  return { rows, samples };
}

async function script() {
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: root, loader: "js" },
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

const PAGE = `
  import { base64url, createLocalJWKSet, decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
  import { setWasmSource, verify } from "./pkg/dist/jwt.js";

  const SUBTLE = {
    RS256: { name: "RSASSA-PKCS1-v1_5" },
    ES256: { name: "ECDSA", hash: "SHA-256" },
    EdDSA: { name: "Ed25519" },
  };
  const encoder = new TextEncoder();
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const ways = {};

  async function prepare({ wasm, keys, issuer }) {
    setWasmSource(bytes(wasm));
    const rules = { issuer, audience: "app" };
    const set = createLocalJWKSet({ keys });
    const imported = {};
    for (const key of keys) imported[key.alg] = await importJWK(key, key.alg);
    const jwksUri = new URL("/keys.json", location.href);
    ways.authsafe = async (alg, token) => (await verify(token, { jwksUri, ...rules, algs: [alg] })).claims;
    ways.jose = async (alg, token) => (await jwtVerify(token, set, { ...rules, algorithms: [alg] })).payload;
    ways.least = async (alg, token) => {
      if (decodeProtectedHeader(token).alg !== alg) throw new Error("another algorithm");
      const at = token.lastIndexOf(".");
      const right = await crypto.subtle.verify(SUBTLE[alg], imported[alg], base64url.decode(token.slice(at + 1)), encoder.encode(token.slice(0, at)));
      if (!right) throw new Error("a wrong signature");
      return decodeJwt(token);
    };
  }

  async function time(way, alg, token, batch) {
    const begin = performance.now();
    for (let i = 0; i < batch; i++) if ((await ways[way](alg, token)).sub !== "alice") throw new Error("somebody else");
    return ((performance.now() - begin) * 1000) / batch;
  }

  window.verifyWays = { prepare, time };
`;
