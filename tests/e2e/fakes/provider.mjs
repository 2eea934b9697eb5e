// An OpenID provider that lies on demand, for faults that a real one does not produce. It signs everybody in at once, and
// its answers are honest until a test says otherwise.
import { constants, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** What a key is made of, and how it signs, by `alg`. */
const ALGORITHMS = {
  ES256: { kind: ["ec", { namedCurve: "P-256" }], hash: "sha256", how: { dsaEncoding: "ieee-p1363" } },
  RS256: { kind: ["rsa", { modulusLength: 2048 }], hash: "sha256", how: {} },
  PS256: {
    kind: ["rsa", { modulusLength: 2048 }],
    hash: "sha256",
    how: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  },
  EdDSA: { kind: ["ed25519", {}], hash: null, how: {} },
};

/**
 * A key, by the name under which it is published.
 *
 * @param {string} kid
 * @param {keyof typeof ALGORITHMS} [alg]
 * @param {object} [more] For `generateKeyPairSync`.
 */
export function makeKey(kid, alg = "ES256", more = {}) {
  const { kind, hash, how } = ALGORITHMS[alg];
  const { privateKey, publicKey } = generateKeyPairSync(kind[0], { ...kind[1], ...more });
  const jwk = { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
  return { kid, alg, publicKey, jwk, sign: (input) => sign(hash, Buffer.from(input), { key: privateKey, ...how }) };
}

const part = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token in compact form. A header that is a text is taken as it is. */
export function signed({ kid, alg, sign }, claims, header = {}) {
  const input = [part(typeof header === "string" ? header : { alg, kid, ...header }), part(claims)].join(".");
  return [input, sign(input).toString("base64url")].join(".");
}

/** @param {{mark?: string}} [options] `mark` stands in every secret that it issues. */
export async function startFakeProvider({ mark = "fake" } = {}) {
  /** What a test may replace: each function gets the honest answer and gives back the one to send. */
  const lies = {};
  const requests = [];
  /** Every secret that was issued or received. */
  const secrets = new Set();
  /** What was asked for, by the code that came of it. */
  const asked = new Map();
  let count = 0;
  /** The refresh token in force, and how often another one was shown. */
  let current;
  let spent = 0;
  /** The newest access token. */
  let access;
  /** The keys that are published; the last one signs. */
  const keys = [makeKey("first")];
  const secret = (kind) => {
    // Padded, so that it is well-formed base64url wherever that is asked for.
    const value = `${mark}-${kind}-${++count}-`.padEnd(32, "x");
    secrets.add(value);
    return value;
  };

  const json = (value, status = 200) => ({ status, type: "application/json", body: JSON.stringify(value) });

  const routes = {
    "/.well-known/openid-configuration": () => {
      const at = (path) => `${origin}/${path}`;
      const metadata = {
        issuer: origin,
        authorization_endpoint: at("authorize"),
        token_endpoint: at("token"),
        revocation_endpoint: at("revoke"),
        jwks_uri: at("jwks"),
        userinfo_endpoint: at("userinfo"),
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
      };
      return lies.discovery?.(metadata, json) ?? json(metadata);
    },
    "/jwks": () => {
      const honest = { keys: keys.map(({ jwk }) => jwk) };
      return lies.jwks?.(honest, json) ?? json(honest);
    },
    "/authorize": ({ query }) => {
      const code = secret("code");
      asked.set(code, query);
      const answer = new URLSearchParams({ code, state: query.get("state"), iss: origin });
      const params = lies.callback?.(answer, query) ?? answer;
      return { status: 302, location: `${query.get("redirect_uri")}?${params}` };
    },
    "/token": ({ form }) => {
      if (form.get("code_verifier")) secrets.add(form.get("code_verifier"));
      const shown = form.get("refresh_token");
      if (shown && shown !== current) spent++;
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: origin, aud: form.get("client_id"), sub: "someone", name: "Some One", iat: now };
      const wanted = (name) => asked.get(form.get("code"))?.get(name);
      Object.assign(claims, {
        exp: now + 3600,
        ...(wanted("nonce") && { nonce: wanted("nonce") }),
        ...(wanted("max_age") && { auth_time: now }),
        ...(wanted("acr_values") && { acr: wanted("acr_values").split(" ")[0] }),
      });
      const answer = {
        access_token: secret("access"),
        refresh_token: secret("refresh"),
        token_type: "Bearer",
        expires_in: 120,
      };
      current = answer.refresh_token;
      access = answer.access_token;
      const idToken = (changed, { header, key = keys.at(-1) } = {}) => {
        const token = signed(key, { ...claims, ...changed }, header);
        secrets.add(token);
        return token;
      };
      const honest = { ...answer, id_token: idToken({}) };
      return lies.token?.(honest, { json, idToken, grantType: form.get("grant_type") }) ?? json(honest);
    },
    "/userinfo": ({ authorization }) => {
      if (authorization !== `Bearer ${access}`) return json({ error: "invalid_token" }, 401);
      const honest = { sub: "someone", name: "Some One", email: "someone@id.example" };
      return lies.userinfo?.(honest, json) ?? json(honest);
    },
    "/revoke": () => json({}),
  };

  const server = createServer(async (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url, origin);
    response.setHeader("access-control-allow-origin", "*");
    if (request.method === "OPTIONS") {
      return response.writeHead(204, { "access-control-allow-headers": "authorization, dpop" }).end();
    }
    const text = Buffer.concat(await request.toArray()).toString();
    const form = new URLSearchParams(text);
    const { authorization } = request.headers;
    const { method } = request;
    requests.push({ method, path: pathname, grantType: form.get("grant_type"), query, form, authorization });
    const answer = await routes[pathname]?.({ query, form, authorization });
    const { status, type = "text/plain", body = "", location, headers } = answer ?? { status: 404 };
    response.writeHead(status, { "content-type": type, ...(location && { location }), ...headers }).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://localhost:${server.address().port}`;
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  const tokenRequests = (grantType) => requests.filter((request) => request.grantType === grantType).length;
  /** These keys take the place of those before, as of now; the last one signs. */
  const publish = (...others) => keys.splice(0, keys.length, ...others);
  /** So does another key. */
  const rotate = () => publish(makeKey(`key-${keys.length + ++count}`));
  return {
    get spent() {
      return spent;
    },
    issuer: origin,
    publish,
    rotate,
    makeKey,
    lies,
    requests,
    secrets,
    tokenRequests,
    close,
  };
}
