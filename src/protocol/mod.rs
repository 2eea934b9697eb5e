//! Wire messages: build a request, judge an answer. A pair per file, each citing its section. Sends nothing.

pub mod answer;
pub mod authorization;
pub mod callback;
pub mod coordination;
pub mod dpop;
pub mod end_session;
pub mod endpoint;
pub mod first_party;
pub mod form;
pub mod http;
pub mod http_date;
pub mod metadata;
pub mod params;
mod payload;
pub mod pkce;
pub mod record;
pub mod revocation;
pub mod sealed;
pub mod session;
#[cfg(test)]
pub(crate) mod testing;
pub mod token;
pub mod transaction;
pub mod userinfo;
