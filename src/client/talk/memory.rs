//! What one conversation leaves to the next.

use super::Header;
use crate::error::{Error, ErrorCode};
use crate::policy::csrf::{self, CsrfHeader};
use crate::protocol::dpop::Nonces;
use crate::protocol::metadata::Metadata;
use crate::protocol::session::SessionAnswer;
use crate::types::{Csrf, CsrfToken, Session};
use std::rc::Rc;

/// Of the life of one page; nothing of it is stored.
#[derive(Default)]
pub(in crate::client) struct Memory {
    /// The provider's metadata: given, or discovered.
    pub(super) metadata: Option<Rc<Metadata>>,
    /// The token that the session server told last.
    pub(super) csrf: Option<CsrfToken>,
    /// How many tokens were over when the one in use was told.
    pub(super) csrf_count: u64,
    /// What servers want in the next proof.
    pub(in crate::client) nonces: Nonces,
}

impl Memory {
    /// The provider's metadata has been read.
    pub(in crate::client) fn knows_provider(&self) -> bool {
        self.metadata.is_some()
    }

    /// The header that proves where a request comes from, if there must be one. `None`: its token must be fetched first.
    pub(super) fn proof(&self, kind: &Csrf, cookie: Option<String>) -> Result<Option<Option<Header>>, Error> {
        match csrf::header(kind, cookie, self.csrf.as_ref()) {
            CsrfHeader::None => Ok(Some(None)),
            CsrfHeader::Send { name, value } => Ok(Some(Some((name, value)))),
            CsrfHeader::Fetch => Ok(None),
            CsrfHeader::Unavailable => Err(ErrorCode::CsrfUnavailable.into()),
        }
    }

    /// As [`proof`](Self::proof), after the token was fetched.
    pub(super) fn told_proof(&self, kind: &Csrf, cookie: Option<String>) -> Result<Option<Header>, Error> {
        let told = self.proof(kind, cookie)?;
        told.ok_or_else(|| Error::new(ErrorCode::CsrfUnavailable, "The server told no CSRF token."))
    }

    /// A server refused the token of this count. Whether there is another, or can be.
    pub(super) fn csrf_refused(&mut self, kind: &Csrf, count: u64) -> bool {
        // One that another request has found to be refused, too, is replaced already.
        let over = count < self.csrf_count;
        matches!(kind, Csrf::Synchronizer { .. }) && (over || self.forget_csrf())
    }

    /// The token is not used again. Whether there was one.
    pub(super) fn forget_csrf(&mut self) -> bool {
        let known = self.csrf.take().is_some();
        self.csrf_count += u64::from(known);
        known
    }

    pub(super) fn keep_csrf(&mut self, token: CsrfToken) {
        if self.csrf.as_ref() != Some(&token) {
            self.forget_csrf();
        }
        self.csrf = Some(token);
    }

    /// Keeps the token that came along with a session.
    pub(super) fn session_of(&mut self, answer: SessionAnswer) -> Session {
        if let Some(token) = answer.csrf {
            self.keep_csrf(token);
        }
        answer.session
    }
}
