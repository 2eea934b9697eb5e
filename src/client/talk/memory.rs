//! What one conversation leaves to the next.

use super::clock::{ServerClock, Told};
use super::{Header, Moment};
use crate::error::{Error, ErrorCode};
use crate::policy::csrf::{self, CsrfHeader};
use crate::protocol::dpop::Nonces;
use crate::protocol::metadata::Metadata;
use crate::protocol::session::SessionAnswer;
use crate::types::{Csrf, CsrfToken, ExpiresAt, Lifetime, Reading, Session, UnixMillis};
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
    /// How far the server's clock is off.
    pub(in crate::client) clock: ServerClock,
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

    /// Keeps what came along with a session, and moves its instants to the device's clock.
    pub(super) fn session_of(&mut self, answer: SessionAnswer, moment: &Moment) -> Session {
        let SessionAnswer { mut session, server_time, csrf } = answer;
        if let Some(token) = csrf {
            self.keep_csrf(token);
        }
        if let Some(told) = server_time {
            self.clock.learn(Told::Statement(told), moment.asked, moment.now);
        }
        let skew = self.clock.skew(moment.now).unwrap_or_default();
        // A session that stands has not ended; a header that says so is not of the server that told it.
        let contradicts = |end: ExpiresAt| end.within(Lifetime::ZERO, moment.now.wall.shifted(skew));
        if server_time.is_some() || !session.facts.expires_at.is_some_and(contradicts) {
            session.facts.shift_clock(skew.saturating_neg());
        }
        session
    }

    /// Server minus device clock: as far as this page load knows it, or as one before did that left this session.
    pub(super) fn skew(&self, previous: Option<&Session>, now: Reading) -> i64 {
        skew_by(&self.clock, previous, now)
    }

    /// As [`skew`](Self::skew), if the server that an ID token came from issued it at that time. Nothing is learned from it yet.
    pub(super) fn skew_if(&self, issued: Option<UnixMillis>, previous: Option<&Session>, moment: &Moment) -> i64 {
        let mut clock = self.clock;
        if let Some(issued) = issued {
            clock.learn(Told::Statement(issued), moment.asked, moment.now);
        }
        skew_by(&clock, previous, moment.now)
    }

    /// The clock of the server that an ID token came from, by when it was issued: straight from the token endpoint.
    pub(super) fn learn_issued(&mut self, issued: Option<UnixMillis>, asked: Reading, now: Reading) {
        if let Some(issued) = issued {
            self.clock.learn(Told::Statement(issued), asked, now);
        }
    }
}

fn skew_by(clock: &ServerClock, previous: Option<&Session>, now: Reading) -> i64 {
    let (skew, known_at) = previous.map(|session| (session.facts.skew, session.facts.issued_at)).unwrap_or_default();
    clock.skew_beside(skew, known_at, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::session::parse_payload;
    use crate::types::Json;

    const NOW: i64 = 1_800_000_000;

    fn moment() -> Moment {
        let now = Reading { wall: UnixMillis(NOW * 1000), ran: Lifetime::from_seconds(60) };
        Moment { asked: now, now, cookie: None }
    }

    fn session(memory: &mut Memory, server_time: Option<i64>, end: i64) -> Session {
        let payload = Json::parse(&format!(r#"{{"user":{{"sub":"u"}},"issuedAt":{},"expiresAt":{end}}}"#, end - 600));
        let mut answer = parse_payload(&payload.unwrap()).unwrap();
        answer.server_time = server_time.map(|seconds| UnixMillis(seconds * 1000));
        memory.session_of(answer, &moment())
    }

    #[test]
    fn instants_are_moved_to_the_device_s_clock_unless_the_difference_is_noise() {
        for (ahead, skew) in [(-3600, -3_599_000), (300, 301_000), (3, 4000), (1, 0), (0, 0), (-2, 0)] {
            let server_time = NOW + ahead;
            let found = session(&mut Memory::default(), Some(server_time), server_time + 600);
            let facts = &found.facts;
            assert_eq!(facts.skew, skew, "{ahead}");
            let (issued, end) = (facts.issued_at.unwrap(), facts.expires_at.unwrap().0);
            assert_eq!(
                end.shifted(facts.skew),
                UnixMillis((server_time + 600) * 1000),
                "the server's instant is exact"
            );
            assert_eq!(issued.until(end).millis(), 600_000);
            assert!((moment().now.wall.until(end).millis() - 600_000).abs() <= 2000, "{ahead}: {end:?}");
        }
    }

    #[test]
    fn a_header_serves_where_the_server_does_not_tell_its_time() {
        let mut memory = Memory::default();
        memory.clock.learn(Told::Header(UnixMillis((NOW - 86_400) * 1000)), moment().asked, moment().now);
        let facts = session(&mut memory, None, NOW - 86_400 + 600).facts.clone();
        assert_eq!(facts.skew, -86_399_000);
        assert_eq!(moment().now.wall.until(facts.expires_at.unwrap().0).millis(), 599_000);
    }

    #[test]
    fn a_header_that_ends_a_session_which_the_server_says_stands_is_not_believed() {
        let mut memory = Memory::default();
        memory.clock.learn(Told::Header(UnixMillis((NOW + 86_400) * 1000)), moment().asked, moment().now);
        let facts = session(&mut memory, None, NOW + 600).facts.clone();
        assert_eq!((facts.skew, facts.expires_at), (0, Some(ExpiresAt(UnixMillis((NOW + 600) * 1000)))));
    }
}
