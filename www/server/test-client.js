/** What the tests use for a browser: fetch with a cookie jar, and the road through the provider's sign-in. */
import { createHash, randomBytes } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";

/**
 * A browser as far as the servers can tell: it keeps cookies by host and path (ports share them), follows nothing by
 * itself, and sends what it is told.
 */
export function makeBrowser() {
  const jar = new Map();

  const store = (line, url) => {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const [name, value] = splitOnce(pair);
    const named = new Map(attributes.map(splitOnce).map(([key, text]) => [key.toLowerCase(), text]));
    const path = named.get("path") ?? url.pathname.replace(/\/[^/]*$/, "") ?? "/";
    const over = named.get("max-age") === "0" || Date.parse(named.get("expires")) <= Date.now();
    if (over) jar.delete(`${path} ${name}`);
    else jar.set(`${path} ${name}`, { name, value, path, attributes: named });
  };
  const matching = (url) =>
    [...jar.values()].filter(
      ({ path }) => url.pathname === path || url.pathname.startsWith(path.endsWith("/") ? path : `${path}/`),
    );

  return {
    /** The cookie of this name, with its attributes in lower case. */
    cookie: (name) => [...jar.values()].find((cookie) => cookie.name === name),
    setCookie: (line, url) => store(line, new URL(url)),
    async fetch(input, { headers = {}, ...init } = {}) {
      const url = new URL(input);
      const cookies = matching(url).map(({ name, value }) => `${name}=${value}`);
      const response = await fetch(url, {
        redirect: "manual",
        ...init,
        headers: cookies.length > 0 ? { ...headers, cookie: cookies.join("; ") } : headers,
      });
      for (const line of response.headers.getSetCookie()) store(line, url);
      return response;
    },
    post(url, body, headers = {}) {
      return this.fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body ?? {}),
      });
    },
    submit(url, fields) {
      return this.fetch(url, { method: "POST", body: new URLSearchParams(fields) });
    },
  };
}

/** An authorization request and what is needed to redeem its code. */
export function authorizationRequest({ issuer, clientId, pageUrl }, more = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const params = {
    client_id: clientId,
    response_type: "code",
    redirect_uri: `${pageUrl}/`,
    scope: "openid profile email api",
    state: randomBytes(8).toString("hex"),
    nonce: randomBytes(8).toString("hex"),
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...more,
  };
  const given = Object.entries(params).filter(([, value]) => value !== undefined);
  return { url: `${issuer}/auth?${new URLSearchParams(given)}`, params, verifier };
}

/** Follows redirects within the provider; ends at the first page, or at the first redirect that leaves it. */
export async function follow(browser, response, issuer) {
  for (let hops = 0; hops < 10; hops += 1) {
    const location = response.headers.get("location");
    if (!location) return { page: await response.text(), status: response.status, url: response.url };
    const url = new URL(location, response.url);
    if (url.origin !== issuer) return { left: url };
    response = await browser.fetch(url);
  }
  throw new Error("the provider redirects for ever");
}

/** Opens the sign-in form. */
export async function openSignIn(browser, request, issuer) {
  return follow(browser, await browser.fetch(request.url), issuer);
}

/** Fills the form on this page in and sends it. */
export async function signIn(browser, form, issuer, { username = "alice", password = "wonderland" } = {}) {
  return follow(browser, await browser.submit(formAction(form, issuer, "login"), { username, password }), issuer);
}

/** Where the sign-in page's form of this name goes. */
export function formAction({ page }, issuer, name) {
  const action = [...page.matchAll(/action="([^"]+)"/g)]
    .map((match) => match[1])
    .find((path) => path.endsWith(`/${name}`));
  if (!action) throw new Error(`this page has no form for ${name}: ${page}`);
  return new URL(action, issuer);
}

/** The whole road: from the authorization request to the tokens. */
export async function obtainTokens(stack, { browser = makeBrowser(), request = {}, user, prover } = {}) {
  const authorization = authorizationRequest(stack, request);
  let step = await openSignIn(browser, authorization, stack.issuer);
  if (step.page) step = await signIn(browser, step, stack.issuer, user);
  const code = step.left.searchParams.get("code");
  const { params, verifier } = authorization;
  const exchange = {
    grant_type: "authorization_code",
    code,
    redirect_uri: params.redirect_uri,
    code_verifier: verifier,
  };
  const response = await tokenRequest(stack, exchange, prover && (await prover.tokenHeaders(stack)));
  return { browser, authorization, callback: step.left, response, tokens: await response.json() };
}

/** A request to the token endpoint, as the page's script sends it. */
export function tokenRequest({ issuer, clientId, pageUrl }, fields, headers) {
  return fetch(`${issuer}/token`, {
    method: "POST",
    headers: { origin: pageUrl, ...headers },
    body: new URLSearchParams({ client_id: clientId, ...fields }),
  });
}

/** A key of its own, and proofs that it is there (RFC 9449 §4). */
export async function makeProver() {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const jwk = await exportJWK(publicKey);
  const prover = {
    jkt: await calculateJwkThumbprint(jwk),
    /** `changes` replace claims; one that is undefined is left out. `header` likewise. */
    proof(method, url, { accessToken, changes, header, key = privateKey } = {}) {
      const claims = {
        jti: randomBytes(16).toString("base64url"),
        htm: method,
        htu: new URL(url).origin + new URL(url).pathname,
        iat: Math.floor(Date.now() / 1000),
        ath: accessToken && createHash("sha256").update(accessToken).digest("base64url"),
        ...changes,
      };
      return new SignJWT(claims).setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk, ...header }).sign(key);
    },
    tokenHeaders: async ({ issuer }, changes) => ({ dpop: await prover.proof("POST", `${issuer}/token`, { changes }) }),
    /** What a request to an API needs. */
    async headers(accessToken, method, url, more) {
      const dpop = await prover.proof(method, url, { accessToken, ...more });
      return { authorization: `DPoP ${accessToken}`, dpop };
    },
  };
  return prover;
}

/** Redeems a refresh token. */
export async function refresh(stack, refreshToken, headers) {
  const response = await tokenRequest(stack, { grant_type: "refresh_token", refresh_token: refreshToken }, headers);
  return { status: response.status, body: await response.json() };
}

function splitOnce(text) {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
