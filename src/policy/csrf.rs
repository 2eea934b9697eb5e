//! Which request needs proof that it comes from the application's own page, and what that proof is.
//!
//! RFC 9110 §9.2.1 names the methods that change nothing and so need none.

use crate::types::{Csrf, CsrfToken};

/// What to do about CSRF for one request.
#[derive(Clone, PartialEq, Eq)]
pub enum CsrfHeader {
    /// Nothing is configured.
    None,
    /// Send this header.
    Send {
        /// The header's name.
        name: String,
        /// Its value: a secret, which Debug leaves out.
        value: String,
    },
    /// Ask the server for its token first.
    Fetch,
    /// The proof cannot be had; the request would be refused.
    Unavailable,
}

impl std::fmt::Debug for CsrfHeader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Send { .. } => "Send(…)",
            Self::Fetch => "Fetch",
            Self::Unavailable => "Unavailable",
        })
    }
}

/// Whether a request of this method needs proof.
#[must_use]
pub fn needed(method: &str) -> bool {
    !["GET", "HEAD", "OPTIONS"].iter().any(|safe| method.eq_ignore_ascii_case(safe))
}

/// The proof for a request that needs one.
///
/// `cookie` is the readable cookie that [`Csrf::DoubleSubmit`] names, `known` the token that the server told last. A
/// double-submit cookie that is missing is worth a call to the server, which may set it; after that call the caller asks
/// again, and treats a second [`CsrfHeader::Fetch`] like [`CsrfHeader::Unavailable`].
#[must_use]
pub fn header(kind: &Csrf, cookie: Option<String>, known: Option<&CsrfToken>) -> CsrfHeader {
    match kind {
        Csrf::Off => CsrfHeader::None,
        Csrf::DoubleSubmit { header_name, .. } => cookie.map_or(CsrfHeader::Fetch, |cookie| send(header_name, &cookie)),
        Csrf::Synchronizer { header_name } => {
            known.map_or(CsrfHeader::Fetch, |token| send(header_name, token.expose()))
        }
        Csrf::StaticHeader { header_name, value } => send(header_name, value),
    }
}

/// A value that a header cannot carry is refused here: Fetch would throw at it, or strip it (Fetch standard, "header value").
fn send(name: &str, value: &str) -> CsrfHeader {
    let sendable = !value.is_empty() && value.trim() == value && value.bytes().all(|b| matches!(b, b' '..=b'~'));
    if sendable { CsrfHeader::Send { name: name.to_owned(), value: value.to_owned() } } else { CsrfHeader::Unavailable }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> CsrfToken {
        CsrfToken::new(text.to_owned()).unwrap()
    }

    fn sent(name: &str, value: &str) -> CsrfHeader {
        CsrfHeader::Send { name: name.into(), value: value.into() }
    }

    #[test]
    fn only_methods_that_may_change_something_need_proof() {
        for (method, needs) in [
            ("GET", false),
            ("get", false),
            ("HEAD", false),
            ("OPTIONS", false),
            ("POST", true),
            ("PUT", true),
            ("PATCH", true),
            ("patch", true),
            ("DELETE", true),
            ("QUERY", true),
            ("TRACE", true),
            ("", true),
        ] {
            assert_eq!(needed(method), needs, "{method}");
        }
    }

    #[test]
    fn each_kind_of_proof_comes_from_its_own_source() {
        let double = Csrf::DoubleSubmit { cookie_name: "csrf".into(), header_name: "x-csrf".into() };
        let told = Csrf::Synchronizer { header_name: "x-csrf".into() };
        let fixed = Csrf::StaticHeader { header_name: "x-app".into(), value: "1".into() };
        let known = token("known");
        let cases: [(&Csrf, Option<&str>, Option<&CsrfToken>, CsrfHeader); 9] = [
            (&Csrf::Off, Some("cookie"), Some(&known), CsrfHeader::None),
            (&double, Some("cookie"), Some(&known), sent("x-csrf", "cookie")),
            (&double, None, Some(&known), CsrfHeader::Fetch),
            (&double, None, None, CsrfHeader::Fetch),
            (&double, Some(""), None, CsrfHeader::Unavailable),
            (&told, Some("cookie"), Some(&known), sent("x-csrf", "known")),
            (&told, Some("cookie"), None, CsrfHeader::Fetch),
            (&fixed, None, None, sent("x-app", "1")),
            (&fixed, Some("cookie"), Some(&known), sent("x-app", "1")),
        ];
        for (kind, cookie, known, expected) in cases {
            assert_eq!(header(kind, cookie.map(str::to_owned), known), expected, "{kind:?} {cookie:?}");
        }
    }

    #[test]
    fn a_value_that_no_header_can_carry_is_not_sent() {
        let double = Csrf::DoubleSubmit { cookie_name: "csrf".into(), header_name: "x-csrf".into() };
        for value in ["a\r\nx-evil: 1", "a\nb", " a", "a ", "é", "\0"] {
            assert_eq!(header(&double, Some(value.into()), None), CsrfHeader::Unavailable, "{value:?}");
        }
    }

    #[test]
    fn the_proof_does_not_print() {
        let told = Csrf::Synchronizer { header_name: "x-csrf".into() };
        let printed = format!("{:?}", header(&told, None, Some(&token("CANARY"))));
        assert!(!printed.contains("CANARY"), "{printed}");
    }
}
