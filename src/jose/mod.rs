//! JOSE: signed tokens, as far as OpenID Connect needs them.
//!
//! Stands alone: it knows claims and rules, no requests and no storage. What is always here reads an ID token and judges its
//! claims; it does not verify the signature, as the token is taken only from the token endpoint's own answer over TLS, which
//! OpenID Connect Core 1.0 §3.1.3.7 rule 6 allows. The feature `jwt` adds signatures: `verify` is the way through it, from a
//! text by way of `jwks` and `choose` to claims for `judge`; `cache` says when keys are fetched. The signature itself is
//! computed outside, or by `native` with the feature `jwt-native`.

#[cfg(feature = "jwt")]
pub mod algs;
#[cfg(feature = "jwt")]
pub mod cache;
#[cfg(feature = "jwt")]
mod choose;
pub mod compact;
#[cfg(feature = "jwt")]
pub mod error;
#[cfg(feature = "jwt")]
mod header;
pub mod id_token;
#[cfg(feature = "jwt")]
pub mod judge;
#[cfg(feature = "jwt")]
pub mod jwk;
#[cfg(feature = "jwt")]
pub mod jwks;
#[cfg(feature = "jwt-native")]
pub mod native;
#[cfg(feature = "jwt")]
pub mod provider;
pub mod rules;
#[cfg(feature = "jwt")]
mod shape;
#[cfg(test)]
mod testing;
#[cfg(feature = "jwt")]
pub mod verify;
