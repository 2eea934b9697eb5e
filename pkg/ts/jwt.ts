/**
 * `authsafe/jwt`: verifies signed tokens, with the code that verifies the ID tokens of a sign-in. Works wherever there are
 * WebAssembly, WebCrypto and fetch.
 *
 * @example
 * const { claims } = await verify(token, { jwksUri, issuer: "https://id.example", audience: "my-api" });
 *
 * @packageDocumentation
 */
import { compile, fault, NOT_OURS } from "./compile.js";
import { AuthError, own } from "./error.js";
import { ALGORITHMS, JWT_ERRORS } from "./generated/jwt.js";
import { instantiate, type Judge } from "./jwt-glue.js";
import type { LoadFault } from "./skin.js";
import type { JwsAlg, WasmSource } from "./types.js";

export { AuthError, type AuthErrorFields, type OAuthErrorResponse } from "./error.js";
export type { AuthErrorCode, ErrorPhase, ErrorRecovery } from "./generated/errors.js";
export type { JwsAlg, WasmSource } from "./types.js";

/** The digest of the wasm, as Subresource Integrity §3.3 writes it. */
declare const JWT_INTEGRITY: string;

/** Claims of a JWT (RFC 7519 §4.1). Whether anything may follow from them says the type that they are in. */
export interface JwtClaims {
  /** Issuer. */
  iss?: string;
  /** Subject, unique at the issuer alone. */
  sub?: string;
  /** For whom the token is. */
  aud?: string | string[];
  /** Until when it is in force. Epoch seconds. */
  exp?: number;
  /** From when it is in force. Epoch seconds. */
  nbf?: number;
  /** When it was issued. Epoch seconds. */
  iat?: number;
  /** The token's own name. */
  jti?: string;
  [claim: string]: unknown;
}

/** A JOSE header (RFC 7515 §4). */
export interface JwtHeader {
  /** By what it is signed. */
  alg: string;
  /** The name of the key. */
  kid?: string;
  /** What kind of token it is. */
  typ?: string;
  [parameter: string]: unknown;
}

/** A token whose signature is right, from the issuer, for the audience, about somebody, and in force. */
export interface VerifiedJwt<C extends JwtClaims = JwtClaims> {
  /** So that this cannot be taken for an `UnverifiedJwt`. */
  readonly verified: true;
  /** The JOSE header. */
  readonly header: JwtHeader;
  /** The claims, those of the application included, which are of the types that the issuer sent. */
  readonly claims: C & Required<Pick<JwtClaims, "iss" | "sub" | "aud" | "exp" | "iat">>;
}

/** What a token says, whoever wrote it. Good for showing it to a developer; nothing may follow from it. */
export interface UnverifiedJwt {
  /** So that this cannot be taken for a `VerifiedJwt`. */
  readonly verified: false;
  /** The JOSE header. */
  readonly header: JwtHeader;
  /** The claims, which anybody may have written. */
  readonly unverifiedClaims: JwtClaims;
}

/** What a token is compared with. */
export interface VerifyOptions {
  /** Where the issuer publishes its keys, https. They are kept for ten minutes, and fetched anew for a key that is not among them. */
  jwksUri?: string | URL;
  /** The keys themselves, a JWK Set (RFC 7517 §5); instead of `jwksUri`. */
  jwks?: {
    /** Each a JWK. */
    keys: readonly object[];
  };
  /** `iss` must be this, or one of these. */
  issuer: string | readonly string[];
  /** `aud` must have this, or one of these. */
  audience: string | readonly string[];
  /** By what the token may be signed. Default RS256, PS256, ES256 and EdDSA. HMAC and `none` cannot be named. */
  algs?: readonly JwsAlg[];
  /**
   * What `typ` of the header must be, such as `at+jwt` for access tokens (RFC 9068 §4). Default: the token must be an ID token or a
   * plain JWT, and where it is for several audiences, issued to this one (`azp`).
   */
  typ?: string;
  /** At most this long ago the user may have signed in actively, by `auth_time`. Seconds. Default: it is not looked at. */
  maxAge?: number;
  /** By how much clocks may differ. Seconds, at most 300. Default 60. */
  leewaySeconds?: number;
  /** The time that counts, epoch seconds. Default: the device's. */
  now?: number;
}

const OPTIONS = ["jwksUri", "jwks", "issuer", "audience", "algs", "typ", "maxAge", "leewaySeconds", "now"];
const MAX_LEEWAY = 300;
/** As milliseconds, still a whole number. */
const MAX_SECONDS = Number.MAX_SAFE_INTEGER / 1000;
/** As src/jose/verify.rs has it. */
const MOST_BYTES = 256 * 1024;
/** As for a sign-in. */
const DEFAULT: readonly JwsAlg[] = ["RS256", "PS256", "ES256", "EdDSA"];

let source: WasmSource | undefined;
let loading: Promise<Judge> | undefined;
let loaded: Judge | undefined;

/**
 * Where `authsafe_jwt_bg.wasm` comes from, for hosts that cannot serve it beside the script. What comes from an address must be the
 * file of this version, byte for byte. To be called before the first use.
 */
export function setWasmSource(given: WasmSource): void {
  source = given;
  // A promise that fails is reported to whoever needs it.
  Promise.resolve(given).catch(() => {});
}

/**
 * Verifies a token: its signature by the issuer's key, `iss`, `aud`, `sub`, `exp`, `iat`, `nbf`, and what the options ask for.
 *
 * @throws {AuthError} `id_token_malformed`, `id_token_algorithm_refused`, `id_token_signature_invalid` and `id_token_invalid` where
 * the token is refused; `id_token_unverifiable` where there is no Web Cryptography, or not by this algorithm; `jwks_…` where the
 * keys cannot be had or do not fit; `config_invalid` for wrong options; `wasm_…`.
 */
export async function verify<C extends JwtClaims = JwtClaims>(
  token: string,
  options: VerifyOptions,
): Promise<VerifiedJwt<C>> {
  const { issuers, audiences, jwks, check } = rulesOf(options);
  const text = textOf(token);
  const judge = loaded ?? (await load());
  check.iss = issuers[0];
  check.aud = audiences[0];
  if (issuers.length + audiences.length > 2) {
    // The rules are those for one of each. Which of several it is to be, the token may say: it must be that one then.
    const shown = part<JwtClaims>(text, 1);
    const shownFor: unknown[] = [shown.aud].flat();
    check.iss = issuers.find((issuer) => issuer === shown.iss) ?? check.iss;
    check.aud = audiences.find((audience) => shownFor.includes(audience)) ?? check.aud;
  }
  const verdict = ask(judge, `${JSON.stringify(check)}\n${text}`, jwks);
  // The module is called in a microtask, and has the browser compute the signature. The header is read meanwhile; whether it is one,
  // the verdict says.
  await undefined;
  const header = part<JwtHeader>(text, 0);
  return { verified: true, header, claims: read<VerifiedJwt<C>["claims"]>(await verdict) };
}

function ask(judge: Judge, check: string, jwks?: string): Promise<string> {
  return new Promise((done) => {
    try {
      judge.verify(check, jwks, done);
    } catch (cause) {
      // It has stopped, and another one takes its place.
      loaded = loading = undefined;
      throw own("wasm_trapped", undefined, cause);
    }
  });
}

/** A part of a token, as far as it can be read. */
function part<T extends object>(token: string, at: number): Partial<T> & T {
  try {
    const binary = atob(token.split(".")[at]!.replace(/-/g, "+").replace(/_/g, "/"));
    const text = /^[\0-\x7f]*$/.test(binary)
      ? binary
      : new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)));
    return Object(JSON.parse(text));
  } catch {
    return {} as T;
  }
}

/**
 * What a token says, without asking whether it is true. Read as strictly as by `verify`.
 *
 * @throws {AuthError} `id_token_malformed`, and `wasm_…`.
 */
export async function decodeUnverified(token: string): Promise<UnverifiedJwt> {
  const judge = await load();
  const { header, claims } = read<Parts>(await ask(judge, textOf(token)));
  return { verified: false, header, unverifiedClaims: claims };
}

/** What the module takes (src/jose/check.rs). */
interface Check {
  iss?: string | undefined;
  aud?: string | undefined;
  acr: readonly string[];
  typ: string | undefined;
  max_age: number | undefined;
  leeway: number;
  now: number;
  algs: number;
  keys: string;
}

/** A check, as far as the options say it. */
function rulesOf(options: VerifyOptions) {
  // Nothing that script put on Object.prototype is an option.
  const given = { __proto__: null, ...options } as VerifyOptions;
  for (const name in given) if (!OPTIONS.includes(name)) throw invalid(`\`${name}\` is no option of verify().`);
  const { jwksUri, jwks, algs = DEFAULT, typ, maxAge, leewaySeconds = 60, now = Date.now() / 1000 } = given;
  if (!jwksUri === !jwks) throw invalid("Either `jwksUri` or `jwks` must be given.");
  if (typ !== undefined && typeof typ !== "string") throw invalid("`typ` must be a text.");
  if (maxAge !== undefined) seconds("maxAge", maxAge);
  seconds("leewaySeconds", leewaySeconds);
  seconds("now", now);
  if (leewaySeconds > MAX_LEEWAY) throw invalid(`\`leewaySeconds\` must be at most ${MAX_LEEWAY}.`);
  const allowed = listOf(algs).map((name) => (Object.hasOwn(ALGORITHMS, name) ? ALGORITHMS[name as JwsAlg] : 0));
  if (!allowed.length || allowed.includes(0)) {
    throw invalid(`\`algs\` must be a list of ${Object.keys(ALGORITHMS).join(", ")}.`);
  }
  const check: Check = {
    acr: [],
    typ,
    max_age: maxAge === undefined ? maxAge : maxAge * 1000,
    leeway: leewaySeconds * 1000,
    now: now * 1000,
    algs: allowed.reduce((bits: number, bit) => bits | bit, 0),
    // Where the keys are given, nobody is asked.
    keys: jwksUri ? address(jwksUri) : "https://jwks.invalid/",
  };
  return {
    issuers: texts("issuer", given.issuer),
    audiences: texts("audience", given.audience),
    jwks: jwks && jwksOf(jwks),
    check,
  };
}

function seconds(name: string, value: unknown): void {
  if (!(typeof value === "number" && value >= 0 && value <= MAX_SECONDS)) {
    throw invalid(`\`${name}\` must be a number of seconds.`);
  }
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as string[]) : [value as string];
}

function texts(name: string, value: string | readonly string[]): readonly string[] {
  const list = listOf(value);
  if (!list.length || !list.every((each) => typeof each === "string" && each !== "")) {
    throw invalid(`\`${name}\` must be a text, or a list of texts.`);
  }
  return list;
}

/** The last address that was found right. */
let lastAddress = "";

function address(jwksUri: string | URL): string {
  if (String(jwksUri) === lastAddress) return lastAddress;
  const base = globalThis.location?.href;
  if (URL.canParse(jwksUri, base)) {
    const { protocol, hostname, href, username, password } = new URL(jwksUri, base);
    const local = protocol === "http:" && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(hostname);
    if ((protocol === "https:" || local) && !username && !password) return (lastAddress = href);
  }
  throw invalid("`jwksUri` must be https, without a user name.");
}

/** What is no plain text is no token; nor is what begins as a check does. Each is one that has no parts. */
function textOf(token: string): string {
  if (typeof token !== "string" || !/^(?!\{)[ -~]+$/.test(token.slice(0, MOST_BYTES))) return ".";
  // One that is too large is told as that.
  return token.length > MOST_BYTES ? "A".repeat(MOST_BYTES + 1) : token;
}

/** The keys as text. What cannot be written as JSON is no set of keys. */
function jwksOf(jwks: object): string {
  try {
    return JSON.stringify(jwks) ?? "";
  } catch {
    return "";
  }
}

interface Parts {
  header: JwtHeader;
  claims: JwtClaims;
}

/** A verdict as the module writes it: an error is a list of its number, its detail and the HTTP status. */
function read<T extends object>(verdict: string): T {
  const found = JSON.parse(verdict) as T | [number, string, number | null];
  if (!Array.isArray(found)) return found;
  const [number, detail, status] = found;
  const known = JWT_ERRORS[number as keyof typeof JWT_ERRORS];
  if (!known) throw own("wasm_trapped", detail);
  const [code, phase, recovery, what, hint] = known;
  const message = detail ? `${what} ${detail}` : what;
  throw new AuthError({
    code,
    phase,
    retryable: recovery === "retry",
    recovery,
    message,
    hint,
    ...(status && { status }),
  });
}

function load(): Promise<Judge> {
  return (loading ??= begin().catch((thrown: LoadFault) => {
    loading = undefined;
    throw own(thrown.code, thrown.detail, thrown.cause);
  }));
}

async function begin(): Promise<Judge> {
  const given = source ?? new URL("../wasm/authsafe_jwt_bg.wasm", import.meta.url);
  const address = typeof given === "string" || given instanceof URL ? String(given) : undefined;
  const module = await compile(
    address === undefined
      ? { given: given as Exclude<WasmSource, string | URL> }
      : { given: fetch(address, { integrity: JWT_INTEGRITY }), address },
  );
  try {
    const made = instantiate();
    made.startNow({ module });
    return (loaded = new made.Jwt());
  } catch (cause) {
    throw fault(cause, NOT_OURS);
  }
}

function invalid(detail: string): AuthError {
  return own("config_invalid", detail);
}
