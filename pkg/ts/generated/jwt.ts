// Generated from src/error.rs and src/jose/algs.rs by tests/generated.rs. Change the table, then: AUTHSAFE_BLESS=1 cargo test --test generated

/**
 * What the module says in a number.
 *
 * @internal
 */
export const JWT_ERRORS = {
  6: [
    "config_invalid",
    "config",
    "fix_config",
    "An option is unknown, missing or wrong.",
    "Correct what the message names.",
  ],
  17: [
    "id_token_algorithm_refused",
    "token",
    "fix_config",
    "The ID token is signed by an algorithm that is not allowed, or that this browser does not have.",
    "Have the provider sign with one that is; none and HS256 never are.",
  ],
  18: [
    "id_token_invalid",
    "token",
    "fix_config",
    "The ID token breaks a rule of OpenID Connect Core §3.1.3.7 or §12.2.",
    "The message names the rule. Check client id and issuer; a clock that is wrong by minutes also shows here.",
  ],
  19: [
    "id_token_malformed",
    "token",
    "fix_config",
    "The ID token is no signed JWT of the kind that is read here.",
    "The provider must sign it, in compact form, and must not encrypt it.",
  ],
  21: [
    "id_token_signature_invalid",
    "token",
    "fix_config",
    "The signature of the ID token is not that of the provider's key.",
    "Find out what stands between page and provider, and whether `jwks_uri` is the provider's.",
  ],
  22: [
    "id_token_unverifiable",
    "token",
    "retry",
    "The signature of the ID token cannot be computed here.",
    "Try again. If it stays: the page must be a secure context, and the provider must sign by an algorithm that its users' browsers have; all have RS256 and ES256.",
  ],
  27: [
    "jwks_invalid",
    "discovery",
    "fix_config",
    "What the provider publishes at `jwks_uri` is not a set of keys.",
    "It must be a JWK Set of at most 100 keys and 256 KiB.",
  ],
  28: [
    "jwks_key_ambiguous",
    "token",
    "fix_config",
    "More than one of the provider's keys fits the ID token.",
    "The provider must give each key a `kid` of its own and name it in its tokens.",
  ],
  29: [
    "jwks_key_missing",
    "token",
    "fix_config",
    "None of the provider's keys fits the ID token.",
    "The provider must publish a key at `jwks_uri` before it signs with it.",
  ],
  30: [
    "jwks_unavailable",
    "discovery",
    "retry",
    "The provider's keys could not be fetched.",
    "Try again later. The provider must allow this origin by CORS at `jwks_uri`, too.",
  ],
} as const;

/**
 * One bit for each.
 *
 * @internal
 */
export const ALGORITHMS = {
  EdDSA: 1,
  ES256: 2,
  ES384: 4,
  ES512: 8,
  PS256: 16,
  PS384: 32,
  PS512: 64,
  RS256: 128,
  RS384: 256,
  RS512: 512,
  Ed25519: 1,
} as const;
