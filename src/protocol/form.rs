//! Names and values as one text: form bodies and query strings.
//!
//! WHATWG URL Standard, "application/x-www-form-urlencoded"; RFC 6749 appendix B. Only the encoding: which parameters
//! there are is decided by the callers.

use crate::types::WebUrl;
use zeroize::Zeroizing;

/// Pairs in the making, wiped on drop: a form may carry a code, a verifier or a refresh token.
pub struct Form(Zeroizing<String>);

impl Form {
    /// A form without pairs.
    #[must_use]
    pub fn new() -> Self {
        Self(Zeroizing::new(String::new()))
    }

    /// Appends one pair.
    #[must_use]
    pub fn pair(mut self, name: &str, value: &str) -> Self {
        // Three bytes for each byte of input at most, and the two separators.
        self.reserve((name.len() + value.len()) * 3 + 2);
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(name, &mut self.0);
        self.0.push('=');
        encode(value, &mut self.0);
        self
    }

    /// Appends several pairs.
    #[must_use]
    pub fn pairs(self, pairs: &[(String, String)]) -> Self {
        pairs.iter().fold(self, |form, (name, value)| form.pair(name, value))
    }

    /// The encoded text.
    #[must_use]
    pub fn into_body(self) -> Zeroizing<String> {
        self.0
    }

    /// `endpoint` with these pairs behind whatever query it already has (RFC 6749 §3.1). `None` where it has a fragment.
    #[must_use]
    pub fn behind(self, endpoint: &WebUrl) -> Option<WebUrl> {
        let base = endpoint.as_str();
        let glue = match base.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        (!base.contains('#')).then(|| WebUrl::parse(&[base, glue, &self.0].concat())).flatten()
    }

    /// Makes room without leaving an unwiped copy behind, which `String`'s own growth would.
    fn reserve(&mut self, more: usize) {
        let wanted = self.0.len() + more;
        if self.0.capacity() < wanted {
            let mut larger = Zeroizing::new(String::with_capacity(wanted.max(self.0.capacity() * 2)));
            larger.push_str(&self.0);
            self.0 = larger;
        }
    }
}

impl Default for Form {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(…)")
    }
}

/// The pairs of a query string, decoded once and in order.
///
/// As every browser reads it: a `%` without two hexadecimal digits stands for itself, and bytes that are not UTF-8 become
/// U+FFFD, so that they can equal nothing that was sent.
#[must_use]
pub fn decode(query: &str) -> Vec<(String, String)> {
    pieces(query).map(decode_piece).collect()
}

/// The undecoded pairs.
pub(crate) fn pieces(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|piece| !piece.is_empty())
}

/// Name and value of one undecoded pair.
pub(crate) fn decode_piece(piece: &str) -> (String, String) {
    let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
    (decode_text(name), decode_text(value))
}

fn decode_text(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => out.push(b' '),
            (b'%', &[high, low, ref after @ ..]) => match (digit(high), digit(low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                (Some(_), None) | (None, Some(_)) | (None, None) => out.push(b'%'),
            },
            (other, _) => out.push(other),
        }
    }
    String::from_utf8(out).unwrap_or_else(|odd| String::from_utf8_lossy(odd.as_bytes()).into_owned())
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(byte.into()),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.extend(char::from_digit(nibble.into(), 16).map(|c| c.to_ascii_uppercase()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> WebUrl {
        WebUrl::parse(text).unwrap()
    }

    #[test]
    fn a_form_is_encoded_as_the_url_standard_says() {
        let every: String = (0..=0x2ff).filter_map(char::from_u32).chain("€𝄞\u{10ffff}".chars()).collect();
        for text in ["", "a b", "a+b", "100%", "x&y=z", "é", "~*-._", "%41", "\u{0}\r\n", &every] {
            let ours = Form::new().pair(text, text).pair("b", text).into_body();
            let theirs = ::url::form_urlencoded::Serializer::new(String::new())
                .append_pair(text, text)
                .append_pair("b", text)
                .finish();
            assert_eq!(*ours, theirs, "{text:?}");
        }
    }

    #[test]
    fn what_was_encoded_is_decoded_to_the_same_text() {
        for text in ["", " ", "+", "%", "%2B", "&=", "a=b&c=d", "\u{0}", "é€𝄞", "1//0e+AbC/dEf==", "\u{feff}"] {
            let body = Form::new().pair("k", text).pair(text, "v").into_body();
            assert_eq!(
                decode(&body),
                [("k".to_owned(), text.to_owned()), (text.to_owned(), "v".to_owned())],
                "{text:?}"
            );
        }
    }

    #[test]
    fn hostile_queries_are_read_as_a_browser_reads_them() {
        for query in [
            "",
            "&",
            "&&a",
            "=",
            "=b",
            "a",
            "a=b=c",
            "%",
            "%4",
            "%zz=%4g",
            "%4%41",
            "a=%ff%fe",
            "a=%c3%28",
            "a=%ed%a0%80",
            "+=+",
            "%00=%00",
            "a=\u{e9}",
            "a;b=c",
            "a=1&a=2",
            "%26=%3D",
            "%F0%9F",
            "a=%%41",
            "a=%+1",
        ] {
            let theirs: Vec<(String, String)> = ::url::form_urlencoded::parse(query.as_bytes())
                .map(|(k, v)| (k.into_owned(), v.into_owned()))
                .collect();
            assert_eq!(decode(query), theirs, "{query:?}");
        }
    }

    #[test]
    fn pairs_go_behind_the_query_that_an_endpoint_already_has() {
        for (endpoint, whole) in [
            ("https://as.example", Some("https://as.example?a=1")),
            ("https://as.example/auth", Some("https://as.example/auth?a=1")),
            ("https://as.example/auth?", Some("https://as.example/auth?a=1")),
            ("https://as.example/auth?p=x", Some("https://as.example/auth?p=x&a=1")),
            ("https://as.example/auth?p=x&", Some("https://as.example/auth?p=x&a=1")),
            ("https://as.example/auth#f", None),
        ] {
            let made = Form::new().pair("a", "1").behind(&url(endpoint));
            assert_eq!(made.as_ref().map(WebUrl::as_str), whole, "{endpoint}");
        }
    }

    #[test]
    fn a_form_prints_nothing_of_what_it_carries() {
        assert_eq!(format!("{:?}", Form::new().pair("code", "CANARY")), "Form(…)");
    }
}
