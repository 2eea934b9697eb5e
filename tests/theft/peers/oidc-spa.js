/** oidc-spa with its defences, which are modules of their own. */
export { createOidc } from "oidc-spa/core";
export { oidcEarlyInit } from "oidc-spa/entrypoint";
export { browserRuntimeFreeze } from "oidc-spa/browser-runtime-freeze";
export { tokenSubstitution } from "oidc-spa/token-substitution";
