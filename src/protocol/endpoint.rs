//! A call to an endpoint of the application's own backend.
//!
//! RFC 9110 §9.3 (methods), RFC 8259 and the URL standard's form encoding (bodies). What the calls mean is decided in
//! `session` and `first_party`.

use super::form::Form;
use super::http::{BodyKind, HttpRequest};
use crate::types::{Json, Password, WebUrl};
use zeroize::Zeroizing;

/// Where a call goes, and how. Debug names the extra headers; their values may be keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Absolute.
    pub url: WebUrl,
    /// `GET`, `POST`, …
    pub method: String,
    /// How a body is encoded.
    pub body: BodyKind,
    /// Extra headers of every call.
    pub headers: Vec<(String, String)>,
    /// The browser navigates there instead of calling it.
    pub navigate: bool,
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Endpoint")
            .field("url", &self.url)
            .field("method", &self.method)
            .field("headers", &names)
            .finish_non_exhaustive()
    }
}

impl Endpoint {
    /// An endpoint with nothing special about it: JSON, no headers.
    #[must_use]
    pub fn new(method: &str, url: WebUrl) -> Self {
        Self { url, method: method.to_owned(), body: BodyKind::Json, headers: Vec::new(), navigate: false }
    }

    /// The call, with the members of `fields` as its body. GET has none; its fields are dropped rather than written into
    /// an address, which ends up in logs and histories.
    #[must_use]
    pub fn request(&self, fields: &Json) -> HttpRequest {
        let mut request = HttpRequest::new(&self.method, self.url.clone());
        for (name, value) in &self.headers {
            set_header(&mut request, name, value);
        }
        if self.method != "GET" {
            let text = match self.body {
                BodyKind::Json => json_text(fields),
                BodyKind::Form => form_text(fields),
            };
            request.body = Some((self.body, text));
        }
        request
    }
}

/// What a sign-in form holds. Names that `extra` repeats keep the typed values; wiped on drop.
pub(crate) fn login_fields(username: &str, password: &Password, extra: Option<&Json>) -> Zeroizing<Json> {
    let typed = [("username", username), ("password", password.expose())];
    let is_typed = |name: &str| typed.iter().any(|(known, _)| *known == name);
    let mut members: Vec<(String, Json)> =
        typed.iter().map(|(name, text)| ((*name).to_owned(), Json::from(*text))).collect();
    let extra = extra.and_then(Json::members).unwrap_or_default();
    members.extend(extra.iter().filter(|(name, _)| !is_typed(name)).cloned());
    Zeroizing::new(Json::Object(members))
}

/// Sets a header, replacing one of the same name.
pub(crate) fn set_header(request: &mut HttpRequest, name: &str, value: &str) {
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.push((name.to_ascii_lowercase(), value.to_owned()));
}

/// Compact JSON, written into a buffer that never grows: growth would leave unwiped copies behind.
pub(crate) fn json_text(value: &Json) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(most_bytes(value)));
    value.write(&mut text);
    text
}

/// No fewer bytes than the value has as JSON text.
fn most_bytes(value: &Json) -> usize {
    // `\u0001` is the longest that one byte can become.
    let text = |text: &str| text.len() * 6 + 3;
    match value {
        Json::Null | Json::Bool(_) => 6,
        // The longest finite number in decimal notation: a sign, `0.`, and 1074 digits.
        Json::Number(number) => {
            if *number == number.trunc() && number.abs() < 9.1e15 {
                20
            } else {
                1100
            }
        }
        Json::Text(content) => text(content),
        Json::List(items) => items.iter().map(most_bytes).sum::<usize>() + items.len() + 2,
        Json::Object(members) => {
            members.iter().map(|(name, value)| text(name) + 1 + most_bytes(value)).sum::<usize>() + members.len() + 2
        }
    }
}

/// Members as form fields: texts as they are, `null` left out, everything else as JSON text.
fn form_text(fields: &Json) -> Zeroizing<String> {
    let mut form = Form::new();
    for (name, value) in fields.members().unwrap_or_default() {
        form = match value {
            Json::Null => form,
            Json::Text(text) => form.pair(name, text),
            Json::Bool(_) | Json::Number(_) | Json::List(_) | Json::Object(_) => form.pair(name, &json_text(value)),
        };
    }
    form.into_body()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::url;

    fn endpoint(method: &str, body: BodyKind) -> Endpoint {
        Endpoint { body, ..Endpoint::new(method, url("https://app.example/x")) }
    }

    fn body_of(endpoint: &Endpoint, fields: &str) -> Option<String> {
        let request = endpoint.request(&Json::parse(fields).unwrap());
        request.body.map(|(kind, text)| {
            assert_eq!(kind, endpoint.body);
            text.as_str().to_owned()
        })
    }

    #[test]
    fn fields_travel_in_the_encoding_that_the_endpoint_wants() {
        let fields = r#"{"username":"a b","password":"p&=\"+é","remember":true,"n":7,"none":null,"list":[1]}"#;
        assert_eq!(body_of(&endpoint("POST", BodyKind::Json), fields).as_deref(), Some(fields));
        assert_eq!(
            body_of(&endpoint("POST", BodyKind::Form), fields).as_deref(),
            Some("username=a+b&password=p%26%3D%22%2B%C3%A9&remember=true&n=7&list=%5B1%5D")
        );
        assert_eq!(body_of(&endpoint("DELETE", BodyKind::Json), "{}").as_deref(), Some("{}"));
        assert_eq!(body_of(&endpoint("POST", BodyKind::Form), "{}").as_deref(), Some(""));
    }

    #[test]
    fn a_get_request_has_no_body_and_no_field_gets_into_its_address() {
        let request = endpoint("GET", BodyKind::Json).request(&Json::parse(r#"{"password":"CANARY"}"#).unwrap());
        assert!(request.body.is_none());
        assert_eq!(request.url, url("https://app.example/x"));
    }

    #[test]
    fn headers_of_the_endpoint_replace_our_own_of_the_same_name() {
        let mut endpoint = endpoint("GET", BodyKind::Json);
        endpoint.headers = vec![("Accept".into(), "application/vnd.app+json".into()), ("X-App".into(), "1".into())];
        let request = endpoint.request(&Json::Null);
        let expected =
            [("accept", "application/vnd.app+json"), ("x-app", "1")].map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(request.headers, expected);
    }

    #[test]
    fn what_was_typed_wins_over_extra_fields_of_the_same_name() {
        let password = Password::new("typed".to_owned()).unwrap();
        let extra = Json::parse(r#"{"password":"other","otp":"1"}"#).unwrap();
        let fields = login_fields("me", &password, Some(&extra));
        assert_eq!(fields.to_text(), r#"{"username":"me","password":"typed","otp":"1"}"#);
        for odd in [None, Some(&Json::Null), Some(&Json::Bool(true))] {
            assert_eq!(login_fields("me", &password, odd).to_text(), r#"{"username":"me","password":"typed"}"#);
        }
    }

    #[test]
    fn the_buffer_of_a_json_body_never_grows() {
        for text in [
            "null",
            "[]",
            "[[],{}]",
            r#"{"a":"\u0001\u0002\u001f","b":[true,false,null,-1.5,1e300,5e-324]}"#,
            r#"{"":""}"#,
            "[1,2,-9000000000000000]",
            r#"["\"\\\n"]"#,
        ] {
            let value = Json::parse(text).unwrap();
            assert!(value.to_text().len() <= most_bytes(&value), "{text}");
        }
        let numbers = [f64::MIN_POSITIVE, f64::MAX, f64::MIN, f64::NAN, -9.09e15];
        for number in numbers.map(Json::Number) {
            assert!(number.to_text().len() <= most_bytes(&number), "{number:?}");
        }
    }
}
