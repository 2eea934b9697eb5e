//! JOSE: signed tokens, as far as OpenID Connect needs them.
//!
//! Stands alone: it knows claims and rules, no requests and no storage. What is always here says what is to be judged (`check`) and
//! by which algorithms it may be signed. The feature `jwt` judges: `verify` is the way through it, from a text by way of `jwks` and
//! `choose` to claims for `judge`; `cache` says when keys are fetched. The signature itself is computed outside, or by `native`
//! with the feature `jwt-native`.

pub mod algs;
mod base64url;
#[cfg(feature = "jwt")]
pub mod cache;
pub mod check;
#[cfg(feature = "jwt")]
mod choose;
pub mod compact;
#[cfg(feature = "jwt")]
pub mod error;
#[cfg(feature = "jwt")]
mod header;
#[cfg(feature = "jwt")]
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
#[cfg(feature = "jwt")]
pub mod rules;
#[cfg(feature = "jwt")]
mod shape;
#[cfg(feature = "jwt")]
#[cfg(test)]
mod testing;
#[cfg(feature = "jwt")]
pub mod verify;
