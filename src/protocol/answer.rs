//! What every answer has in common: whether there is one, whether it is JSON, and what a status alone says.
//!
//! RFC 9110 §10.2.3 and §15, RFC 6585 §4, RFC 6749 §5.2. What a good answer means is judged beside its request.

use super::http::{HttpFailure, HttpResponse};
use super::http_date;
use crate::error::{Error, ErrorCode, ErrorPhase, OAuthError};
use crate::types::{Json, Lifetime, UnixMillis};

/// The longest wait that a server can ask for.
pub const MAX_RETRY_AFTER: Lifetime = Lifetime::from_seconds(300);

/// The JSON object that an answer carries, whatever its status.
///
/// # Errors
/// [`ErrorCode::ResponseInvalid`] for another content type, for what is not JSON, and for JSON that is not an object.
pub fn json_object(response: &HttpResponse) -> Result<Json, Error> {
    let invalid = |what: &str| Error::new(ErrorCode::ResponseInvalid, what).with_status(response.status);
    if !is_json(response.header("content-type").unwrap_or_default()) {
        return Err(invalid("The content type is not application/json."));
    }
    let json = Json::parse_bytes(&response.body).ok_or_else(|| invalid("The body is not valid JSON."))?;
    if json.members().is_some() { Ok(json) } else { Err(invalid("The body is not a JSON object.")) }
}

/// The error for a call that brought no answer.
#[must_use]
pub fn failure(failure: HttpFailure, phase: ErrorPhase) -> Error {
    let code = match failure {
        HttpFailure::NetworkOrCors => ErrorCode::NetworkOrCors,
        HttpFailure::Timeout => ErrorCode::Timeout,
        HttpFailure::TooLarge => ErrorCode::ResponseTooLarge,
    };
    Error::from(code).during(phase)
}

/// The error that a status alone amounts to, for an answer that is not a good one.
///
/// 429 is [`ErrorCode::RateLimited`], 5xx [`ErrorCode::ServerError`], each with `Retry-After` where it is a number of
/// seconds, or was a date; a redirect is [`ErrorCode::RedirectRefused`]; everything else [`ErrorCode::ResponseInvalid`].
#[must_use]
pub fn status_error(response: &HttpResponse, phase: ErrorPhase) -> Error {
    let (code, wait) = match response.status {
        429 => (ErrorCode::RateLimited, retry_after(response)),
        500..=599 => (ErrorCode::ServerError, retry_after(response)),
        0 | 300..=399 => (ErrorCode::RedirectRefused, None),
        _ => (ErrorCode::ResponseInvalid, None),
    };
    let mut error = Error::from(code).during(phase);
    if response.status != 0 {
        error.detail = ["The status is ", &response.status.to_string(), "."].concat();
        error.status = Some(response.status);
    }
    error.retry_after = wait;
    error
}

/// The OAuth error response in a JSON body (RFC 6749 §5.2), if it is one.
#[must_use]
pub fn oauth_error(body: &Json) -> Option<OAuthError> {
    let text = |name| body.get(name).and_then(Json::text);
    let error = text("error").filter(|error| !error.is_empty())?;
    Some(OAuthError::new(error, text("error_description"), text("error_uri")))
}

/// RFC 8259 §11, and the structured suffix of RFC 6839 §3.1. Parameters do not matter: JSON is UTF-8.
fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

/// When the server made this answer, by its clock: the header `Date`. RFC 9110 §6.6.1. Browsers show it to script of the same
/// origin, and to others where the server exposes it.
#[must_use]
pub fn date(response: &HttpResponse) -> Option<UnixMillis> {
    http_date::parse(response.header("date")?)
}

/// Turns a `Retry-After` that is a date (RFC 9110 §10.2.3) into the seconds that are left by the server's own clock, which shows
/// `now`, so that whoever judges the answer needs no clock.
pub fn count_retry_after(response: &mut HttpResponse, now: UnixMillis) {
    let Some(at) = response.header("retry-after").and_then(http_date::parse) else { return };
    // Rounded up: not before that instant.
    let left = now.until(at).millis().saturating_add(999) / 1000;
    for (name, value) in &mut response.headers {
        if name == "retry-after" {
            *value = left.to_string();
        }
    }
}

/// `Retry-After` in seconds; [`count_retry_after`] has counted those of a date. Anything else is left to our own backoff.
fn retry_after(response: &HttpResponse) -> Option<Lifetime> {
    let text = response.header("retry-after")?.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number too large to read is surely more than the longest wait.
    digits.then(|| text.parse().map_or(MAX_RETRY_AFTER, Lifetime::from_seconds).min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::answer;

    #[test]
    fn the_date_of_an_answer_is_the_server_s_time() {
        let mut response = answer(200, "application/json", "{}");
        assert_eq!(date(&response), None);
        response.headers.push(("date".to_owned(), "Tue, 14 Nov 2023 22:13:20 GMT".to_owned()));
        assert_eq!(date(&response), Some(UnixMillis(1_700_000_000_000)));
    }

    #[test]
    fn only_a_json_object_under_a_json_content_type_is_accepted() {
        for (content_type, body, accepted) in [
            ("application/json", "{}", true),
            ("application/json; charset=utf-8", "{\"a\":1}", true),
            ("Application/JSON;charset=UTF-8", "{}", true),
            ("application/problem+json", "{}", true),
            ("text/html", "{}", false),
            ("text/json", "{}", false),
            ("application/jsonp", "{}", false),
            ("text/html+json", "{}", false),
            ("", "{}", false),
            ("application/json", "", false),
            ("application/json", "[]", false),
            ("application/json", "\"x\"", false),
            ("application/json", "{\"a\":1", false),
            ("application/json", "\u{feff}{}", false),
            ("application/json", "{\"a\":1,\"a\":2}", false),
            ("application/json", "<html></html>", false),
        ] {
            let judged = json_object(&answer(200, content_type, body));
            assert_eq!(judged.is_ok(), accepted, "{content_type} {body}");
            if let Err(error) = judged {
                assert_eq!(
                    (error.code, error.status),
                    (ErrorCode::ResponseInvalid, Some(200)),
                    "{content_type} {body}"
                );
            }
        }
    }

    #[test]
    fn a_status_alone_tells_who_is_at_fault() {
        for (status, code, seen) in [
            (429, ErrorCode::RateLimited, Some(429)),
            (500, ErrorCode::ServerError, Some(500)),
            (503, ErrorCode::ServerError, Some(503)),
            (0, ErrorCode::RedirectRefused, None),
            (302, ErrorCode::RedirectRefused, Some(302)),
            (404, ErrorCode::ResponseInvalid, Some(404)),
            (204, ErrorCode::ResponseInvalid, Some(204)),
            (999, ErrorCode::ResponseInvalid, Some(999)),
        ] {
            let error = status_error(&answer(status, "text/html", ""), ErrorPhase::Refresh);
            assert_eq!((error.code, error.status, error.phase), (code, seen, ErrorPhase::Refresh), "{status}");
        }
    }

    #[test]
    fn the_wait_that_a_server_asks_for_is_honoured_up_to_five_minutes() {
        for (header, seconds) in [
            ("7", Some(7)),
            (" 7 ", Some(7)),
            ("0", Some(0)),
            ("1000000000", Some(300)),
            ("99999999999999999999999999", Some(300)),
            ("-5", None),
            ("+5", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
            ("Fri, 31 Dec 2027 23:59:59 GMT", None),
        ] {
            for status in [429, 503] {
                let mut response = answer(status, "text/plain", "");
                response.headers.push(("retry-after".to_owned(), header.to_owned()));
                let wait = status_error(&response, ErrorPhase::Token).retry_after;
                assert_eq!(wait, seconds.map(Lifetime::from_seconds), "{status} {header:?}");
            }
        }
    }

    #[test]
    fn a_date_to_wait_for_is_counted_by_the_clock_of_the_server() {
        let now = UnixMillis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
        for (header, seconds) in [
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
            ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
            ("Sun Nov  6 08:50:07 1994", Some(30)),
            // It has passed.
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            // Nobody waits so long.
            ("Sun, 06 Nov 1994 09:49:37 GMT", Some(300)),
            ("Fri, 31 Dec 9999 23:59:59 GMT", Some(300)),
            ("Sun, 31 Nov 1994 08:50:07 GMT", None),
            ("30", Some(30)),
        ] {
            let mut response = answer(503, "text/plain", "");
            response.headers.push(("retry-after".to_owned(), header.to_owned()));
            count_retry_after(&mut response, now);
            let wait = status_error(&response, ErrorPhase::Token).retry_after;
            assert_eq!(wait, seconds.map(Lifetime::from_seconds), "{header:?}");
        }
        let mut response = answer(503, "text/plain", "");
        response.headers.push(("retry-after".to_owned(), "Sun, 06 Nov 1994 08:50:07 GMT".to_owned()));
        count_retry_after(&mut response, now.shifted(-1));
        assert_eq!(response.header("retry-after"), Some("31"), "not a moment too early");
    }

    #[test]
    fn a_call_without_an_answer_has_an_error_of_its_own_for_each_cause() {
        for (cause, code) in [
            (HttpFailure::NetworkOrCors, ErrorCode::NetworkOrCors),
            (HttpFailure::Timeout, ErrorCode::Timeout),
            (HttpFailure::TooLarge, ErrorCode::ResponseTooLarge),
        ] {
            assert_eq!(failure(cause, ErrorPhase::Logout), Error::from(code).during(ErrorPhase::Logout));
        }
    }

    #[test]
    fn an_oauth_error_needs_a_code_and_survives_odd_companions() {
        let read = |text: &str| oauth_error(&Json::parse(text).unwrap());
        assert_eq!(read(r#"{"error":"invalid_grant"}"#), Some(OAuthError::new("invalid_grant", None, None)));
        assert_eq!(
            read(r#"{"error":"x","error_description":"<b>\n","error_uri":7}"#),
            Some(OAuthError::new("x", Some("<b>?"), None))
        );
        for text in ["{}", r#"{"error":""}"#, r#"{"error":1}"#, r#"{"error":{"code":"x"}}"#, r#"{"error":null}"#, "[]"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
