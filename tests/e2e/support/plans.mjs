// The test plans of the OpenID Foundation's conformance suite for relying parties, and which of their modules have no test here.

/** The modules of each plan, in its order. The last one is not part of the certification. */
export const PLANS = {
  Basic: [
    "oidcc-client-test",
    "oidcc-client-test-invalid-iss",
    "oidcc-client-test-missing-sub",
    "oidcc-client-test-invalid-aud",
    "oidcc-client-test-missing-iat",
    "oidcc-client-test-kid-absent-single-jwks",
    "oidcc-client-test-kid-absent-multiple-jwks",
    "oidcc-client-test-idtoken-sig-rs256",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-invalid-sig-rs256",
    "oidcc-client-test-userinfo-invalid-sub",
    "oidcc-client-test-nonce-invalid",
    "oidcc-client-test-scope-userinfo-claims",
    "oidcc-client-test-client-secret-basic",
  ],
  Config: [
    "oidcc-client-test-discovery-openid-config",
    "oidcc-client-test-discovery-jwks-uri-keys",
    "oidcc-client-test-discovery-issuer-mismatch",
    "oidcc-client-test-idtoken-sig-none",
    "oidcc-client-test-signing-key-rotation-just-before-signing",
    "oidcc-client-test-signing-key-rotation",
  ],
  "Refresh Token": [
    "oidcc-client-test-refresh-token",
    "oidcc-client-test-refresh-token-invalid-issuer",
    "oidcc-client-test-refresh-token-invalid-sub",
  ],
  Comprehensive: [
    "oidcc-client-test-refresh-token-invalid-aud",
    "oidcc-client-test-refresh-token-invalid-azp",
    "oidcc-client-test-missing-aud",
    "oidcc-client-test-invalid-sig-es256",
    "oidcc-client-test-invalid-sig-hs256",
    "oidcc-client-test-ignores-unparseable-key-in-jwks",
    "oidcc-client-test-invalid-athash",
    "oidcc-client-test-missing-athash",
    "oidcc-client-test-invalid-chash",
    "oidcc-client-test-missing-chash",
    "oidcc-client-test-nonce-unless-code-flow",
    "oidcc-client-test-form-post-error",
    "oidcc-client-test-userinfo-bearer-header",
    "oidcc-client-test-userinfo-bearer-body",
    "oidcc-client-test-userinfo-signed",
    "oidcc-client-test-aggregated-claims",
    "oidcc-client-test-distributed-claims",
    "oidcc-client-test-discovery-webfinger-acct",
    "oidcc-client-test-discovery-webfinger-url",
    "oidcc-client-test-dynamic-registration",
    "oidcc-client-test-request-uri-signed-rs256",
    "oidcc-client-test-request-uri-signed-none",
    "oidcc-client-test-mtls-endpoint-aliases",
  ],
};

const CODE_FLOW = "not used: authsafe knows the code flow alone, and no token comes by the browser's address";
const PUBLIC = "not used: a page is a public client and has no secret (RFC 6749 §2.1)";
const PARAMETERS = "not used: the request's parameters stand in its address";
const CONFIGURED = "not used: issuer and client id are configured";

/** The modules that have no test: the rule, and why. */
export const WITHOUT = {
  "oidcc-client-test-client-secret-basic": ["OIDC Core §9", PUBLIC],
  "oidcc-client-test-invalid-chash": ["OIDC Core §3.3.2.10", CODE_FLOW],
  "oidcc-client-test-missing-chash": ["OIDC Core §3.3.2.10", CODE_FLOW],
  "oidcc-client-test-nonce-unless-code-flow": ["OIDC Core §3.2.2.1", CODE_FLOW],
  "oidcc-client-test-form-post-error": ["Form Post §2", "not used: a page cannot read what is posted to it"],
  "oidcc-client-test-userinfo-bearer-body": [
    "OIDC Core §5.3.1",
    "not used: the token goes in the header, see userinfo-bearer-header",
  ],
  "oidcc-client-test-userinfo-signed": [
    "OIDC Core §5.3.2",
    "not supported: signed UserInfo signs nobody in, see userinfo-jwt",
  ],
  "oidcc-client-test-aggregated-claims": ["OIDC Core §5.6.2", "not used: claims of others are handed on as they are"],
  "oidcc-client-test-distributed-claims": ["OIDC Core §5.6.2", "not used: claims of others are handed on as they are"],
  "oidcc-client-test-discovery-webfinger-acct": ["OIDC Discovery §2", CONFIGURED],
  "oidcc-client-test-discovery-webfinger-url": ["OIDC Discovery §2", CONFIGURED],
  "oidcc-client-test-dynamic-registration": ["OIDC Registration §3", CONFIGURED],
  "oidcc-client-test-request-uri-signed-rs256": ["OIDC Core §6.2", PARAMETERS],
  "oidcc-client-test-request-uri-signed-none": ["OIDC Core §6.2", PARAMETERS],
  "oidcc-client-test-mtls-endpoint-aliases": ["RFC 8705 §5", PUBLIC],
};

/** What is known to be wrong: the module, the sentence that does not hold yet, the rule, and what happens instead. */
export const GAPS = [];

/** The plans that a module is part of; what is in none goes beyond them. */
export function profileOf(module) {
  const plans = Object.keys(PLANS).filter((plan) => PLANS[plan].includes(module));
  return plans.join(", ") || BEYOND;
}

export const BEYOND = "beyond the plans";
