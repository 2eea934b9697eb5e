//! The compact serialisation of a signed token, split and decoded strictly.
//!
//! RFC 7515 §3.1, §7.1 and appendix C; RFC 8725 §3.1, §3.11. Neither an encrypted token, which has five parts, nor the JSON
//! serialisation is one. No signature is verified here; the parts that a verifier needs are handed out as received.

use super::base64url;
use crate::types::text::split_once;
use crate::types::{IdToken, Json, UnixMillis};

/// A signed token whose shape is right. Whether the signature is, is not known.
pub struct Compact<'a> {
    /// The JOSE header: an object with an `alg` other than `none`, and without `crit`.
    pub header: Json,
    /// The payload: an object.
    pub payload: Json,
    /// Exactly the bytes that are signed.
    pub signed: &'a str,
    /// The signature; not empty.
    pub signature: Vec<u8>,
}

impl std::fmt::Debug for Compact<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Compact(…)")
    }
}

impl<'a> Compact<'a> {
    /// Splits and decodes a token.
    ///
    /// # Errors
    /// What is wrong with its shape, in a few words.
    pub fn parse(token: &'a str) -> Result<Self, &'static str> {
        let Closed { header, payload, signed, signature } = Closed::parse(token)?;
        Ok(Self { header, payload: open(payload)?, signed, signature })
    }
}

/// A signed token of which all but the payload has been read.
pub(super) struct Closed<'a> {
    pub(super) header: Json,
    /// As received.
    pub(super) payload: &'a str,
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
}

impl<'a> Closed<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, &'static str> {
        let (signed, signature) = token.rsplit_once('.').ok_or("it does not have three parts")?;
        let (header, payload) = signed
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or("it does not have three parts")?;
        let header = object(header).ok_or("the header is no base64url-encoded JSON object")?;
        match header.get("alg") {
            Some(Json::Text(alg)) if alg.eq_ignore_ascii_case("none") => return Err("it is not signed"),
            Some(Json::Text(alg)) if !alg.is_empty() => {}
            None | Some(_) => return Err("the header has no `alg`"),
        }
        // Nothing that may stand in `crit` is understood here (RFC 7515 §4.1.11), and a payload that is compressed, or not
        // encoded (RFC 7797), is no claim set.
        if ["crit", "zip", "b64"].iter().any(|name| header.get(name).is_some()) {
            return Err("the header asks for an extension that is not supported");
        }
        let signature =
            base64url::decode(signature).filter(|bytes| !bytes.is_empty()).ok_or("the signature is not base64url")?;
        Ok(Self { header, payload, signed, signature: signature.to_vec() })
    }
}

/// The payload.
pub(super) fn open(payload: &str) -> Result<Json, &'static str> {
    object(payload).ok_or("the payload is no base64url-encoded JSON object")
}

/// `iat` of a token that nobody has judged: a hint at the server's clock, and nothing more.
#[must_use]
pub fn peek_iat(token: &IdToken) -> Option<UnixMillis> {
    let (_, rest) = split_once(token.expose(), ".")?;
    object(split_once(rest, ".")?.0)?.get("iat").and_then(Json::number).and_then(UnixMillis::from_seconds)
}

fn object(part: &str) -> Option<Json> {
    Json::parse_bytes(&base64url::decode(part)?).filter(|json| json.members().is_some())
}

#[cfg(feature = "jwt")]
#[cfg(test)]
mod tests {
    use super::super::testing::{compact, encode};
    use super::*;

    const HEADER: &str = r#"{"alg":"RS256","kid":"1"}"#;

    #[test]
    fn a_token_is_split_into_the_parts_that_a_verifier_needs() {
        let token = compact(HEADER, r#"{"sub":"u"}"#);
        let parts = Compact::parse(&token).unwrap();
        assert_eq!(parts.header.to_text(), HEADER);
        assert_eq!(parts.payload.to_text(), r#"{"sub":"u"}"#);
        assert_eq!([parts.signed, ".", &encode("signature")].concat(), token);
        assert_eq!(parts.signature, b"signature");
    }

    #[test]
    fn the_example_of_rfc_7515_appendix_a_2_is_read() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPo";
        let parts = Compact::parse(token).unwrap();
        assert_eq!(parts.payload.to_text(), r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#);
    }

    #[test]
    fn hostile_shapes_are_refused() {
        let good = compact(HEADER, "{}");
        let (header, payload, signature) = (encode(HEADER), encode("{}"), encode("signature"));
        let join = |parts: &[&str]| parts.join(".");
        for token in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            "a".repeat(200_000),
            ".".repeat(10_000),
            join(&[&header, &payload]),
            join(&[&header, &payload, ""]),
            join(&[&header, &payload, &signature, ""]),
            join(&[&header, &payload, &signature, &signature, &signature]),
            join(&[&header, "", &payload, &signature, &signature]),
            ["{\"payload\":\"", &payload, "\",\"protected\":\"", &header, "\",\"signature\":\"", &signature, "\"}"]
                .concat(),
            join(&["", &payload, &signature]),
            join(&[&header, "", &signature]),
            join(&[&header, &payload, "c2ln="]),
            join(&[&header, &payload, "c2lnb"]),
            join(&[&header, &payload, "c2lnbl"]),
            join(&[&header, &payload, "+/+/"]),
            join(&[&header, &[&payload, "="].concat(), &signature]),
            join(&[&[" ", &header].concat(), &payload, &signature]),
            [&good, "\n"].concat(),
            [" ", &good].concat(),
            compact("[]", "{}"),
            compact("", "{}"),
            compact("{\"alg\":\"RS256\",\"alg\":\"none\"}", "{}"),
            compact(HEADER, "[]"),
            compact(HEADER, "\"x\""),
            compact(HEADER, "{\"sub\":\"a\",\"sub\":\"b\"}"),
            compact(HEADER, "{\"sub\":\"a\"} x"),
            compact(HEADER, &["[".repeat(5_000), "]".repeat(5_000)].concat()),
            [&header, ".", &base64url::encode(b"{\"sub\":\"\xff\"}"), ".", &signature].concat(),
        ] {
            assert!(Compact::parse(&token).is_err(), "{token:.80}");
        }
    }

    #[test]
    fn a_second_spelling_of_the_same_bytes_is_refused() {
        // Two letters carry one byte and four bits; the four must be zero (RFC 7515 §2, Wycheproof "base64").
        let with = |signature: &str| [&encode(HEADER), ".", &encode("{}"), ".", signature].concat();
        assert!(Compact::parse(&with("AA")).is_ok());
        for tail in ["AB", "AP", "AAB"] {
            assert!(Compact::parse(&with(tail)).is_err(), "{tail}");
        }
    }

    #[test]
    fn a_header_that_asks_for_what_is_not_done_is_refused() {
        for header in [
            "{}",
            r#"{"alg":""}"#,
            r#"{"alg":null}"#,
            r#"{"alg":["RS256"]}"#,
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"NONE"}"#,
            r#"{"alg":"nOnE"}"#,
            r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
            r#"{"alg":"RS256","crit":[]}"#,
            r#"{"alg":"RS256","crit":null}"#,
            r#"{"alg":"RS256","zip":"DEF"}"#,
            r#"{"alg":"RS256","zip":null}"#,
            r#"{"alg":"RS256","b64":false}"#,
            r#"{"alg":"RS256","b64":true}"#,
        ] {
            assert!(Compact::parse(&compact(header, "{}")).is_err(), "{header}");
        }
    }

    #[test]
    fn a_token_does_not_print() {
        let token = compact(HEADER, r#"{"sub":"CANARY"}"#);
        assert_eq!(format!("{:?}", Compact::parse(&token).unwrap()), "Compact(…)");
    }
}
