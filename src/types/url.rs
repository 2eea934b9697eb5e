//! Web addresses in the one spelling on which every parser agrees.
//!
//! [`WebUrl`] accepts a subset of what browsers accept: the *serialised* form of an absolute http(s) URL without
//! credentials. Whoever holds a URL of another spelling serialises it first (`new URL(x).href`, `Url::as_str`); what is
//! refused here is therefore either foreign or hostile. The properties are compared with the `url` crate in the tests.

use super::text::{contains, replaced, split_once};

/// An absolute http or https URL without userinfo, as a URL parser serialises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    href: String,
    origin_end: usize,
}

impl WebUrl {
    /// Accepts `text` as it is, or not at all: nothing is repaired.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (rest, scheme) = match text.strip_prefix("https://") {
            Some(rest) => (rest, "https://"),
            None => (text.strip_prefix("http://")?, "http://"),
        };
        let authority_len = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(authority_len)?;
        let (host, port) = split_port(authority)?;
        let odd =
            |c: char| c <= ' ' || c == '\\' || !c.is_ascii() || c == '\u{7f}' || matches!(c, '"' | '<' | '>' | '`');
        if !is_host(host) || !is_port(port, scheme) || tail.contains(odd) {
            return None;
        }
        Some(Self { href: text.to_owned(), origin_end: scheme.len() + authority_len })
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.href
    }

    /// Scheme, host and port: `https://api.example.com:8443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.href.get(..self.origin_end).unwrap_or_default()
    }

    /// The path, `/` where the address has none.
    #[must_use]
    pub fn path(&self) -> &str {
        let tail = self.href.get(self.origin_end..).unwrap_or_default();
        let path = tail.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() { "/" } else { path }
    }

    /// What follows `?`, without the fragment; empty where there is none.
    #[must_use]
    pub fn query(&self) -> &str {
        self.href.split('#').next().and_then(|all| all.split_once('?')).map_or("", |(_, query)| query)
    }

    /// Whether it is https, or http to this very machine (RFC 8252 §8.3): the only places that may see a credential.
    #[must_use]
    pub fn is_trustworthy(&self) -> bool {
        if self.href.starts_with("https://") {
            return true;
        }
        let authority = self.origin().trim_start_matches("http://");
        let host = split_port(authority).map_or("", |(host, _)| host);
        host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || is_loopback_v4(host)
    }

    /// Resolves what an application wrote for an endpoint: an absolute URL, a path of this origin, or a path below this
    /// URL. `None` for dot segments, scheme-relative references and whatever [`parse`](Self::parse) refuses.
    #[must_use]
    pub fn join(&self, reference: &str) -> Option<Self> {
        let whole = if reference.starts_with("https://") || reference.starts_with("http://") {
            reference.to_owned()
        } else if reference.starts_with("//") || contains(reference, "://") {
            return None;
        } else if reference.starts_with('/') {
            [self.origin(), reference].concat()
        } else {
            let base = self.href.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
            [base, "/", reference].concat()
        };
        let url = Self::parse(&whole)?;
        (!has_dot_segment(url.path())).then_some(url)
    }
}

/// Where an application wants to go after a sign-in or sign-out: a path of its own origin, and nothing else.
///
/// Refuses what a later, careless use could turn into another origin: `//host`, backslashes, dot segments, empty
/// segments, control characters (RFC 9700 §4.11.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo(String);

impl ReturnTo {
    /// `None` where the text could lead elsewhere.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let hostile = text.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace());
        let plain = path.starts_with('/') && !contains(path, "//") && !has_dot_segment(path);
        (plain && !hostile).then(|| Self(text.to_owned()))
    }

    /// The path, with query and fragment if given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if let Some(v6) = authority.strip_prefix('[') {
        let close = v6.find(']')? + 2;
        let (host, rest) = authority.split_at_checked(close)?;
        return if rest.is_empty() { Some((host, None)) } else { Some((host, Some(rest.strip_prefix(':')?))) };
    }
    Some(authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))))
}

fn is_host(host: &str) -> bool {
    if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return is_ipv6(v6);
    }
    let label_ok = |label: &str| !label.is_empty() && label.len() <= 63;
    let plain = host.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'.' | b'_'));
    let last = host.rsplit('.').next().unwrap_or_default();
    // A host whose last label is a number is an IPv4 address or invalid (WHATWG URL, "ends in a number").
    let numeric = last.starts_with("0x") || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()));
    plain && host.len() <= 253 && host.split('.').all(label_ok) && (!numeric || is_ipv4(host))
}

fn is_ipv4(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|part| is_decimal(part, 255))
}

/// Only the spelling that a serialiser produces (RFC 5952 §4): no leading zeros, lower case, and the longest run of two or
/// more zero groups, the first among equals, as `::`. The last 32 bits are never in dotted form.
fn is_ipv6(text: &str) -> bool {
    let Some((head, tail)) = split_once(text, "::") else {
        return zero_run(text).is_some_and(|(groups, longest)| groups == 8 && longest < 2);
    };
    let (Some((before, first)), Some((after, second))) = (zero_run(head), zero_run(tail)) else { return false };
    let gap = 8_usize.saturating_sub(before + after);
    let ends = |group: Option<&str>| group == Some("0");
    gap >= 2 && first < gap && second <= gap && !ends(head.rsplit(':').next()) && !ends(tail.split(':').next())
}

/// How many groups there are, and how many zeros in a row at most; `None` where something is not a group.
fn zero_run(text: &str) -> Option<(usize, usize)> {
    let (mut groups, mut run, mut longest) = (0, 0, 0);
    if text.is_empty() {
        return Some((0, 0));
    }
    for group in text.split(':') {
        let plain = (1..=4).contains(&group.len()) && group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !plain || (group.starts_with('0') && group != "0") {
            return None;
        }
        groups += 1;
        run = if group == "0" { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    Some((groups, longest))
}

/// Digits without leading zeros, of at most this value.
fn is_decimal(text: &str, most: u32) -> bool {
    let plain = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let value = text.bytes().take(5).fold(0, |value, b| value * 10 + u32::from(b & 15));
    plain && value <= most && (text == "0" || !text.starts_with('0'))
}

fn is_loopback_v4(host: &str) -> bool {
    host.starts_with("127.") && is_ipv4(host)
}

fn is_port(port: Option<&str>, scheme: &str) -> bool {
    let Some(port) = port else { return true };
    let default = if scheme == "https://" { "443" } else { "80" };
    port != default && port != "0" && is_decimal(port, 65_535)
}

fn has_dot_segment(path: &str) -> bool {
    replaced(&path.to_ascii_lowercase(), "%2e", ".").split('/').any(|segment| segment == "." || segment == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_what_a_url_parser_serialises() {
        let accepted = [
            "https://api.example.com",
            "https://api.example.com/",
            "https://api.example.com:8443/v1?x=1#y",
            "http://localhost:9400/a",
            "http://127.0.0.1:80800",
            "http://127.0.0.1:8080/",
            "http://[::1]:3000/x",
            "https://1.2.3.4/",
            "https://xn--bcher-kva.example/",
        ];
        for text in accepted {
            let theirs = ::url::Url::parse(text);
            match WebUrl::parse(text) {
                Some(ours) => {
                    let theirs = theirs.unwrap();
                    assert_eq!(ours.origin(), theirs.origin().ascii_serialization(), "{text}");
                    assert_eq!(ours.path(), theirs.path(), "{text}");
                    assert_eq!(ours.query(), theirs.query().unwrap_or(""), "{text}");
                }
                None => assert!(theirs.is_err(), "{text} is valid and was refused"),
            }
        }
    }

    #[test]
    fn hostile_spellings_are_refused() {
        for text in [
            "https://api.example.com@evil.example",
            "https://user:pw@api.example.com/",
            "https:\\\\evil.example",
            "https://api.example.com\\@evil.example/",
            "https://api.example.com/a\\b",
            "//evil.example",
            "javascript:alert(1)",
            "https://API.example.com/",
            "https://api.example.com:443/",
            "https://api.example.com:0443/",
            "https://api.example.com:99999/",
            "https://api.example.com./",
            "https://api..example.com/",
            "https://b\u{fc}cher.example/",
            "https://api.example.com/\u{0}",
            "https://api.example.com/a b",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://[::1",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://",
            "blob:https://api.example.com/x",
            "",
        ] {
            assert_eq!(WebUrl::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_address_is_accepted_exactly_where_a_url_parser_would_print_it_so() {
        let groups = ["", "0", "1", "0db8", "ab", "FF", "ffff", "12345", "1.2.3.4"];
        let mut seen = (0, 0);
        // All texts of few groups, and zeros in every place of eight.
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts.iter().flat_map(|text| groups.map(|group| [text, ":", group].concat())).collect();
        }
        for zeros in 0..256_u32 {
            let of = |at: u32| if zeros >> at & 1 == 1 { "0" } else { "a" };
            let all = (0..8).map(of).collect::<Vec<_>>();
            texts.push([":", &all.join(":")].concat());
            for from in 0..8 {
                for to in from + 1..=8 {
                    let (head, tail) = (all.get(..from).unwrap().join(":"), all.get(to..).unwrap().join(":"));
                    texts.push([":", &head, "::", &tail].concat());
                }
            }
        }
        for text in texts {
            let whole = ["https://[", text.get(1..).unwrap(), "]/"].concat();
            let theirs = ::url::Url::parse(&whole).is_ok_and(|url| url.as_str() == whole);
            assert_eq!(WebUrl::parse(&whole).is_some(), theirs, "{whole}");
            if theirs { seen.0 += 1 } else { seen.1 += 1 }
        }
        assert!(seen.0 > 200 && seen.1 > 1000, "{seen:?}");
    }

    #[test]
    fn only_https_and_this_very_machine_may_see_a_credential() {
        for (text, trusted) in [
            ("https://example.com", true),
            ("http://localhost:1", true),
            ("http://app.localhost", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:9", true),
            ("http://example.com", false),
            ("http://localhost.example.com", false),
            ("http://127.0.0.1.example.com", false),
            ("http://192.168.0.1", false),
        ] {
            assert_eq!(WebUrl::parse(text).unwrap().is_trustworthy(), trusted, "{text}");
        }
    }

    #[test]
    fn an_endpoint_resolves_to_the_place_its_author_meant_or_to_none() {
        let base = WebUrl::parse("https://app.example/base").unwrap();
        let resolve = |text: &str| base.join(text).map(|url| url.as_str().to_owned());
        assert_eq!(resolve("/session").as_deref(), Some("https://app.example/session"));
        assert_eq!(resolve("session").as_deref(), Some("https://app.example/base/session"));
        assert_eq!(resolve("https://other.example/x").as_deref(), Some("https://other.example/x"));
        for text in ["//evil.example", "/a/../b", "/a/%2e%2E/b", "ftp://x", "/a\\b", "."] {
            assert_eq!(resolve(text), None, "{text}");
        }
    }

    #[test]
    fn a_return_path_never_leaves_its_origin() {
        let own = ::url::Url::parse("https://app.example/x").unwrap();
        for text in ["/", "/a/b?c=//d#e", "/a%20b"] {
            assert!(ReturnTo::parse(text).is_some(), "{text}");
            assert_eq!(own.join(text).unwrap().origin(), own.origin());
        }
        for text in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "/.//evil.example",
            "/a//b",
            "/../x",
            "/%2e%2e//x",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n//evil",
            " /a",
            "/a b",
            "data:text/html,x",
        ] {
            assert_eq!(ReturnTo::parse(text), None, "{text:?}");
        }
    }
}
