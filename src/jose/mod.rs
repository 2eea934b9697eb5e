//! JOSE: signed tokens, as far as OpenID Connect needs them.
//!
//! Stands alone: it knows claims and rules, no requests and no storage. It does not verify signatures yet: an ID token is
//! taken only from the token endpoint's own answer over TLS, which OpenID Connect Core 1.0 §3.1.3.7 rule 6 allows.

pub mod compact;
pub mod id_token;
pub mod rules;
#[cfg(test)]
mod testing;
