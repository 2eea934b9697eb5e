//! Whether an answer says that the access token was refused, so that renewing it may help.
//!
//! RFC 6750 §3 and §3.1, RFC 9449 §7.1 and §9; challenges are parsed by RFC 9110 §11.6.1 (several in one field, quoted strings, `token68`).

/// What an answer says about the credential that it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing, or nothing that another credential would mend.
    No,
    /// The access token is not good; a fresh one may be.
    Token,
    /// The proof lacks the nonce that the server sends along. RFC 9449 §9.
    Nonce,
    /// It is refused, and script may not read why.
    Hidden,
}

/// Reads an answer.
///
/// `www_authenticate` is the header as far as the browser lets script read it: across origins it is hidden unless the
/// server lists it in `Access-Control-Expose-Headers`. A 401 that gives no other reason is therefore taken for one about the
/// token; one renewal is the price of a wrong guess.
#[must_use]
pub fn refusal(status: u16, www_authenticate: Option<&str>) -> Refusal {
    if status != 401 {
        return Refusal::No;
    }
    let Some(header) = www_authenticate.filter(|text| !text.trim().is_empty()) else { return Refusal::Hidden };
    let mut found = Refusal::No;
    for challenge in challenges(header) {
        let dpop = challenge.scheme.eq_ignore_ascii_case("dpop");
        if !dpop && !challenge.scheme.eq_ignore_ascii_case("bearer") {
            continue;
        }
        match challenge.error.as_deref() {
            Some("use_dpop_nonce") if dpop => return Refusal::Nonce,
            // Where a bearer token is refused for not being bound to a key, another one may be: that is one renewal, too.
            None | Some("invalid_token") => found = Refusal::Token,
            Some(_) => {}
        }
    }
    found
}

/// One challenge, as far as it matters here.
#[derive(Debug, Default, PartialEq)]
struct Challenge {
    scheme: String,
    error: Option<String>,
}

/// Reads as much as is well formed; what follows the first fault is ignored, and what came before it counts.
fn challenges(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        let spaced = after.trim_start_matches(BLANK);
        if word.is_empty() {
            return found;
        } else if let Some(value) = spaced.strip_prefix('=') {
            // `name = value` belongs to the challenge before it; anything else begins a challenge.
            let parameter = parameter_value(value.trim_start_matches(BLANK));
            let (Some(challenge), Some((value, after))) = (found.last_mut(), parameter) else { return found };
            if word.eq_ignore_ascii_case("error") && challenge.error.is_none() {
                challenge.error = Some(value);
            }
            rest = after;
        } else if after.is_empty() || after.starts_with([' ', '\t', ',']) {
            found.push(Challenge { scheme: word.to_owned(), error: None });
            rest = skip_token68(spaced);
        } else {
            return found;
        }
    }
}

/// Steps over the credentials-like form of a challenge (`Negotiate TlRMTVNTUAAB==`); parameters stay where they are.
fn skip_token68(text: &str) -> &str {
    let is_token68 = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    let end = text.bytes().position(|b| !is_token68(b)).unwrap_or(text.len());
    let rest = text.get(end..).unwrap_or_default().trim_start_matches('=');
    let closed = rest.trim_start_matches(BLANK);
    if end > 0 && (closed.is_empty() || closed.starts_with(',')) { closed } else { text }
}

/// A token or a quoted string, and what follows it. `None` where the string does not end.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (word, after) = token(text);
        return (!word.is_empty()).then(|| (word.to_owned(), after));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    loop {
        match chars.next()? {
            '"' => return Some((value, chars.as_str())),
            '\\' => value.push(chars.next()?),
            c => value.push(c),
        }
    }
}

/// The token (RFC 9110 §5.6.2) that `text` begins with, and what follows it.
fn token(text: &str) -> (&str, &str) {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    let end = text.bytes().position(|b| !is_token(b)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

const BLANK: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_token_is_told_from_every_other_refusal() {
        for (status, header, refused) in [
            (401, Some(r#"Bearer error="invalid_token""#), true),
            (401, Some(r#"Bearer realm="api", error="invalid_token", error_description="The token expired""#), true),
            (401, Some(r#"bearer ERROR=invalid_token"#), true),
            (401, Some(r#"Bearer   realm = "a\"b, error=\"x" ,error = "invalid_token""#), true),
            (401, Some(r#"Basic realm="x", Bearer error="invalid_token""#), true),
            (401, Some(r#"Bearer error="invalid_token", Basic realm="x""#), true),
            (401, Some(r#"Negotiate TlRMTVNTUAAB==, Bearer error="invalid_token""#), true),
            (401, Some(r#"Negotiate, Bearer"#), true),
            (401, Some("Bearer"), true),
            (401, Some("BEARER"), true),
            (401, Some(r#"Bearer realm="api""#), true),
            (401, Some(",, Bearer ,"), true),
            (401, Some(""), true),
            (401, Some("  "), true),
            (401, None, true),
            (401, Some(r#"Bearer error="insufficient_scope""#), false),
            (401, Some(r#"Bearer error="invalid_request""#), false),
            (401, Some(r#"Bearer error="INVALID_TOKEN""#), false),
            (401, Some(r#"Basic realm="x""#), false),
            (401, Some(r#"Basic realm="Bearer error=invalid_token""#), false),
            (401, Some(r#"Basic realm="x, Bearer""#), false),
            (401, Some(r#"DPoP error="invalid_token""#), true),
            (401, Some(r#"DPoP algs="ES256", error="invalid_token""#), true),
            (401, Some(r#"DPoP error="invalid_dpop_proof""#), false),
            (401, Some(r#"DPoP error="use_dpop_nonce""#), false),
            (401, Some("BearerX"), false),
            (401, Some("Bearer=x"), false),
            (401, Some("Negotiate Bearer"), false),
            (403, Some(r#"Bearer error="invalid_token""#), false),
            (403, Some(r#"Bearer error="insufficient_scope""#), false),
            (400, Some(r#"Bearer error="invalid_request""#), false),
            (200, None, false),
            (0, None, false),
        ] {
            let judged = matches!(refusal(status, header), Refusal::Token | Refusal::Hidden);
            assert_eq!(judged, refused, "{status} {header:?}");
        }
    }

    #[test]
    fn a_resource_server_that_wants_a_nonce_is_told_from_one_that_does_not_say() {
        for (status, header, expected) in [
            (
                401,
                Some(r#"DPoP error="use_dpop_nonce", error_description="Resource server requires nonce""#),
                Refusal::Nonce,
            ),
            (401, Some(r#"Bearer, dpop algs="ES256", error=use_dpop_nonce"#), Refusal::Nonce),
            (401, Some(r#"DPoP error="invalid_token""#), Refusal::Token),
            (401, Some(r#"Bearer error="use_dpop_nonce""#), Refusal::No),
            (401, Some("DPoP"), Refusal::Token),
            (401, None, Refusal::Hidden),
            (401, Some(" "), Refusal::Hidden),
            (400, Some(r#"DPoP error="use_dpop_nonce""#), Refusal::No),
            (200, None, Refusal::No),
        ] {
            assert_eq!(refusal(status, header), expected, "{status} {header:?}");
        }
    }

    #[test]
    fn a_broken_header_is_read_up_to_its_fault() {
        for (header, refused) in [
            (r#"Bearer error="invalid_token"#, true),
            (r#"Bearer error="invalid_token", x="#, true),
            (r#"Basic realm="never ends, Bearer error="invalid_token""#, false),
            ("\u{e9}, Bearer", false),
            ("Bearer \"", true),
            ("=", false),
            ("Bearer error=", true),
            (r#"Basic a="\"#, false),
        ] {
            assert_eq!(refusal(401, Some(header)) == Refusal::Token, refused, "{header}");
        }
    }

    #[test]
    fn any_text_is_read_to_an_end() {
        // Every text of up to five of these characters, which are all that the parser looks at.
        let alphabet = ['B', ' ', ',', '=', '"', '\\', 'é'];
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            texts = texts.iter().flat_map(|text| alphabet.map(|c| format!("{text}{c}"))).collect();
            for text in &texts {
                let found = challenges(text);
                assert!(found.len() <= text.len(), "{text:?}");
                assert!(found.iter().all(|challenge| text.contains(&challenge.scheme)), "{text:?}");
            }
        }
    }
}
