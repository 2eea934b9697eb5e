//! Token revocation: the request. Its answer decides nothing, for the local session is gone by then.
//!
//! RFC 7009 §2.1.

use super::form::Form;
use super::http::{BodyKind, HttpRequest, HttpResponse};
use crate::types::{ClientId, Json, Lifetime, WebUrl};

/// How long a sign-out waits for it.
pub const DEADLINE: Lifetime = Lifetime::from_seconds(2);

/// Asks the server to forget `token`; `hint` is `refresh_token` or `access_token`.
///
/// It may outlive the page (`keepalive`), since a sign-out usually leaves it.
#[must_use]
pub fn revocation_request(client_id: &ClientId, endpoint: &WebUrl, token: &str, hint: &str) -> HttpRequest {
    let form = Form::new().pair("token", token).pair("token_type_hint", hint).pair("client_id", client_id.as_str());
    let mut request = HttpRequest::new("POST", endpoint.clone());
    request.body = Some((BodyKind::Form, form.into_body()));
    request.deadline = DEADLINE;
    request.keepalive = true;
    request
}

/// Whether there is nothing left to revoke: a 200 (§2.2), or a server that cannot revoke tokens of this kind (§2.2.1), as
/// those that issue access tokens as JWTs.
#[must_use]
pub fn is_done(response: &HttpResponse) -> bool {
    let unsupported = || {
        let body = Json::parse_bytes(&response.body);
        body.as_ref().and_then(|body| body.get("error")).and_then(Json::text) == Some("unsupported_token_type")
    };
    (200..300).contains(&response.status) || (response.status == 400 && unsupported())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::http::Credentials;

    #[test]
    fn a_kind_of_token_that_cannot_be_revoked_is_as_good_as_done() {
        for (status, body, done) in [
            (200, "", true),
            (400, r#"{"error":"unsupported_token_type"}"#, true),
            (400, r#"{"error":"invalid_client"}"#, false),
            (400, "<h1>", false),
            (503, "", false),
        ] {
            let body = zeroize::Zeroizing::new(body.as_bytes().to_vec());
            let response = HttpResponse { status, headers: Vec::new(), body, verdict: None };
            assert_eq!(is_done(&response), done, "{status}");
        }
    }

    #[test]
    fn a_revocation_carries_the_token_in_its_body_and_may_outlive_the_page() {
        let endpoint = WebUrl::parse("https://as.example/revoke").unwrap();
        let request = revocation_request(&ClientId("app 1".to_owned()), &endpoint, "CANARY+/=", "refresh_token");
        let (kind, body) = request.body.as_ref().unwrap();
        assert_eq!((request.method.as_str(), &request.url, *kind), ("POST", &endpoint, BodyKind::Form));
        assert_eq!(**body, "token=CANARY%2B%2F%3D&token_type_hint=refresh_token&client_id=app+1");
        assert_eq!((request.keepalive, request.deadline), (true, DEADLINE));
        assert_eq!(request.credentials, Credentials::Omit);
        assert!(!format!("{request:?}").contains("CANARY"));
    }
}
