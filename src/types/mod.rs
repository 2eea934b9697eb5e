//! The vocabulary: values that are parsed once, at the edge, and trusted from there on.
//!
//! Nothing here sends, stores or decides. Two things that may be confused are two types.

mod csrf;
mod ids;
mod json;
mod json_text;
mod secret;
mod session;
pub(crate) mod text;
mod time;
mod url;

pub use csrf::Csrf;
pub use ids::{ClientId, Issuer, Nonce, Scope, State};
pub use json::{Fields, Json, MAX_DEPTH, Members};
pub(crate) use secret::same_text;
pub use secret::{AccessToken, AuthorizationCode, CodeVerifier, CsrfToken, IdToken, Password, RefreshToken};
pub use session::{Binding, Credential, Prover, Session, SessionFacts, Source, Tokens};
pub use time::{ExpiresAt, Lifetime, Reading, UnixMillis};
pub use url::{ReturnTo, WebUrl};
