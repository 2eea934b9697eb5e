//! Extra parameters of an authorization request: from the application's object to pairs, and which win.
//!
//! RFC 6749 §3.1; RFC 8707 §2; RFC 9396 §2; OpenID Connect Core 1.0 §3.1.2.1, §5.5.

use crate::error::{Error, ErrorCode, printable};
use crate::types::{Json, Lifetime};

/// Parameters that authsafe sets itself (`ReservedParam` in the types): an application that set them could undo a check.
pub const RESERVED: &[&str] = &[
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "state",
    "nonce",
    "scope",
    "code_challenge",
    "code_challenge_method",
    "dpop_jkt",
    "request",
    "request_uri",
];

/// Turns an `AuthorizationParams` object into pairs; `option` is its name in messages.
///
/// Texts, whole numbers and booleans stand for themselves, `null` for nothing. `resource` and `audience` may be lists
/// (RFC 8707 §2); `claims` and `authorization_details` travel as JSON text (OpenID Connect Core §5.5, RFC 9396 §2).
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] names the member that is reserved or of another kind.
pub fn param_text(option: &str, params: &Json) -> Result<Vec<(String, String)>, Error> {
    let members = params
        .members()
        .ok_or_else(|| Error::new(ErrorCode::ConfigInvalid, ["`", option, "` must be an object."].concat()))?;
    let mut pairs = Vec::new();
    for (name, value) in members {
        let wrong = |problem: &str| {
            Error::new(ErrorCode::ConfigInvalid, ["`", option, ".", &printable(name), "` ", problem, "."].concat())
        };
        if name.is_empty() || RESERVED.contains(&name.as_str()) {
            return Err(wrong("is set by authsafe itself"));
        }
        let as_json = matches!(name.as_str(), "claims" | "authorization_details");
        let repeats = matches!(name.as_str(), "resource" | "audience");
        let mut push = |text: String| pairs.push((name.clone(), text));
        match value {
            Json::Null => {}
            Json::Object(_) | Json::List(_) if as_json => push(value.to_text()),
            Json::List(items) if repeats => {
                for item in items {
                    push(item.text().ok_or_else(|| wrong("must hold texts only"))?.to_owned());
                }
            }
            Json::Text(_) | Json::Bool(_) | Json::Number(_) => {
                push(scalar(value).ok_or_else(|| wrong("must be a whole number"))?)
            }
            Json::Object(_) | Json::List(_) => return Err(wrong("must be a text, a whole number or a boolean")),
        }
        if let Some((_, text)) = pairs.last().filter(|(last, _)| last == name && name == "max_age") {
            parse_max_age(text).map_err(|_| wrong("must be a number of seconds"))?;
        }
    }
    Ok(pairs)
}

fn scalar(value: &Json) -> Option<String> {
    match value {
        Json::Text(text) => Some(text.clone()),
        Json::Bool(true) => Some("true".to_owned()),
        Json::Bool(false) => Some("false".to_owned()),
        Json::Number(number) if *number == number.trunc() && number.abs() < 9e15 => Some((*number as i64).to_string()),
        Json::Number(_) | Json::Null | Json::List(_) | Json::Object(_) => None,
    }
}

/// The application's parameters: those of this call first, then the configured ones that it does not replace.
pub(super) fn merged<'a>(
    configured: &'a [(String, String)],
    extra: &'a [(String, String)],
    fixed: &[(String, String)],
) -> Result<Vec<(&'a str, &'a str)>, Error> {
    let has = |pairs: &[(String, String)], name: &str| pairs.iter().any(|(known, _)| known == name);
    let configured = configured.iter().filter(|(name, _)| !has(extra, name));
    let mut params: Vec<(&str, &str)> = Vec::new();
    for (name, value) in extra.iter().chain(configured) {
        let refused = |problem: &str| {
            Error::new(
                ErrorCode::ConfigInvalid,
                ["`authorizationParams.", &printable(name), "` ", problem, "."].concat(),
            )
        };
        if RESERVED.contains(&name.as_str()) {
            return Err(refused("is set by authsafe itself"));
        }
        // RFC 6749 §3.1: no parameter more than once. RFC 8707 §2 makes the exception.
        let repeats = matches!(name.as_str(), "resource" | "audience");
        if has(fixed, name) || (!repeats && params.iter().any(|(known, _)| known == name)) {
            return Err(refused("would be sent twice"));
        }
        params.push((name, value));
    }
    Ok(params)
}

/// Whole seconds, not negative.
pub(super) fn parse_max_age(text: &str) -> Result<Lifetime, Error> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = text.parse::<u32>().ok().filter(|_| digits).map(i64::from);
    seconds.map(Lifetime::from_seconds).ok_or_else(|| {
        Error::new(ErrorCode::ConfigInvalid, "`authorizationParams.max_age` must be a number of seconds.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, String)>, Error> {
        param_text("oidc.authorizationParams", &Json::parse(text).unwrap())
    }

    fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
        of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_kind_of_value_has_one_spelling_on_the_wire() {
        for (text, expected) in [
            ("{}", pairs(&[])),
            (r#"{"prompt":"login","ui_locales":"de en"}"#, pairs(&[("prompt", "login"), ("ui_locales", "de en")])),
            (r#"{"max_age":0}"#, pairs(&[("max_age", "0")])),
            (r#"{"max_age":"300"}"#, pairs(&[("max_age", "300")])),
            (
                r#"{"a":true,"b":false,"c":null,"d":-7,"e":""}"#,
                pairs(&[("a", "true"), ("b", "false"), ("d", "-7"), ("e", "")]),
            ),
            (
                r#"{"resource":["https://a","https://b"]}"#,
                pairs(&[("resource", "https://a"), ("resource", "https://b")]),
            ),
            (r#"{"resource":"https://a","audience":[]}"#, pairs(&[("resource", "https://a")])),
            (r#"{"claims":{"id_token":{"acr":null}}}"#, pairs(&[("claims", r#"{"id_token":{"acr":null}}"#)])),
            (r#"{"authorization_details":[{"type":"x"}]}"#, pairs(&[("authorization_details", r#"[{"type":"x"}]"#)])),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_has_no_spelling_or_is_not_the_applications_to_set_is_refused_by_name() {
        for (text, name) in [
            (r#"{"prompt":["login"]}"#, "prompt"),
            (r#"{"prompt":{}}"#, "prompt"),
            (r#"{"resource":[1]}"#, "resource"),
            (r#"{"resource":{}}"#, "resource"),
            (r#"{"a":1.5}"#, "a"),
            (r#"{"a":1e300}"#, "a"),
            (r#"{"max_age":-1}"#, "max_age"),
            (r#"{"max_age":"+5"}"#, "max_age"),
            (r#"{"max_age":""}"#, "max_age"),
            (r#"{"max_age":true}"#, "max_age"),
            (r#"{"max_age":99999999999}"#, "max_age"),
            (r#"{"":"x"}"#, "oidc.authorizationParams."),
            ("[]", "oidc.authorizationParams"),
            ("\"prompt=login\"", "oidc.authorizationParams"),
        ] {
            let error = read(text).unwrap_err();
            assert_eq!(error.code, ErrorCode::ConfigInvalid, "{text}");
            assert!(error.detail.contains(name), "{text}: {}", error.detail);
        }
        for name in RESERVED {
            assert_eq!(
                read(&["{\"", name, "\":\"CANARY\"}"].concat()).unwrap_err().code,
                ErrorCode::ConfigInvalid,
                "{name}"
            );
        }
    }

    #[test]
    fn an_error_never_quotes_a_value() {
        for text in [r#"{"state":"CANARY"}"#, r#"{"a":["CANARY"]}"#, r#"{"a":{"CANARY":1}}"#, r#"{"max_age":"CANARY"}"#]
        {
            assert!(!format!("{:?}", read(text).unwrap_err()).contains("CANARY"), "{text}");
        }
    }

    #[test]
    fn the_parameters_of_a_call_replace_the_configured_ones_of_the_same_name() {
        let configured = pairs(&[("prompt", "none"), ("resource", "a"), ("resource", "b"), ("x", "1")]);
        let extra = pairs(&[("prompt", "login"), ("resource", "c")]);
        let expected = [("prompt", "login"), ("resource", "c"), ("x", "1")];
        assert_eq!(merged(&configured, &extra, &[]).unwrap(), expected);
    }

    #[test]
    fn no_parameter_is_sent_twice() {
        let twice = pairs(&[("prompt", "login"), ("prompt", "none")]);
        assert_eq!(merged(&[], &twice, &[]).unwrap_err().code, ErrorCode::ConfigInvalid);
        let once = pairs(&[("p", "x")]);
        assert_eq!(merged(&once, &[], &pairs(&[("p", "fixed")])).unwrap_err().code, ErrorCode::ConfigInvalid);
    }
}
