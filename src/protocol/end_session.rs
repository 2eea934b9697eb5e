//! RP-initiated logout: the address that ends the session at the provider.
//!
//! OpenID Connect RP-Initiated Logout 1.0 §2.

use super::authorization::Registration;
use super::form::Form;
use super::metadata::Metadata;
use crate::types::{IdToken, WebUrl};

/// Where the page goes to end the provider's session; `None` where the provider has no such endpoint.
///
/// `id_token` tells the provider whose session it is, so that it need not ask. It appears in the address: that is the
/// protocol's own way, and the token is none that an API accepts.
#[must_use]
pub fn end_session_url(registration: &Registration, metadata: &Metadata, id_token: Option<&IdToken>) -> Option<WebUrl> {
    let endpoint = metadata.end_session_endpoint.as_ref()?;
    let mut form = Form::new().pair("client_id", registration.client_id.as_str());
    if let Some(id_token) = id_token {
        form = form.pair("id_token_hint", id_token.expose());
    }
    if let Some(back) = &registration.post_logout_redirect_uri {
        form = form.pair("post_logout_redirect_uri", back.as_str());
    }
    form.behind(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::{metadata, registration};

    #[test]
    fn the_address_names_the_client_the_session_and_the_way_back() {
        let mut provider = metadata();
        provider.end_session_endpoint = WebUrl::parse("https://as.example/logout?tenant=1");
        let id_token = IdToken::new("h.p.s".to_owned()).unwrap();
        let url = end_session_url(&registration(), &provider, Some(&id_token)).unwrap();
        assert_eq!(
            url.as_str(),
            "https://as.example/logout?tenant=1&client_id=app&id_token_hint=h.p.s\
             &post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye"
        );
    }

    #[test]
    fn what_is_not_known_is_left_out() {
        let mut ours = registration();
        ours.post_logout_redirect_uri = None;
        let url = end_session_url(&ours, &metadata(), None).unwrap();
        assert_eq!(url.as_str(), "https://as.example/logout?client_id=app");
    }

    #[test]
    fn a_provider_without_the_endpoint_is_not_navigated_to() {
        let mut provider = metadata();
        provider.end_session_endpoint = None;
        assert_eq!(end_session_url(&registration(), &provider, None), None);
    }
}
