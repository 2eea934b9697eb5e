//! The authorization request: one address and the transaction that belongs to it.
//!
//! RFC 6749 §4.1.1, RFC 7636 §4.3, OpenID Connect Core 1.0 §3.1.2.1. The answer is judged in `callback`.

use super::dpop::Policy;
use super::form::{Form, decode};
use super::metadata::Metadata;
pub use super::params::{RESERVED, param_text};
use super::params::{merged, parse_max_age};
use super::pkce::{challenge, code_verifier, random_text};
use super::transaction::Transaction;
use crate::error::{Error, ErrorCode};
use crate::types::{ClientId, Issuer, Json, Lifetime, Nonce, ReturnTo, Scope, State, UnixMillis, WebUrl};
use zeroize::Zeroize;

/// This application's registration at an authorization server, and how it wants to sign in.
#[derive(Clone)]
pub struct Registration {
    /// Compared byte for byte.
    pub issuer: Issuer,
    /// The client's name at the server.
    pub client_id: ClientId,
    /// Sent exactly as it stands here. RFC 6749 §3.1.2.
    pub redirect_uri: WebUrl,
    /// Where the provider sends the browser after a sign-out.
    pub post_logout_redirect_uri: Option<WebUrl>,
    /// Nothing is added to it.
    pub scope: Scope,
    /// Added to every authorization request; see [`param_text`].
    pub authorization_params: Vec<(String, String)>,
    /// Added to every token request.
    pub token_params: Vec<(String, String)>,
    /// Tolerance of the ID token's time claims.
    pub leeway: Lifetime,
    /// How long ago the user may have signed in actively.
    pub max_age: Option<Lifetime>,
    /// The metadata document, where the application knows it beforehand.
    pub metadata: Option<Json>,
    /// Whether tokens are to be bound to a key.
    pub dpop: Policy,
}

impl std::fmt::Debug for Registration {
    /// Without the parameters, whose values are the application's own affair.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("redirect_uri", &self.redirect_uri)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

/// The randomness of one sign-in: 256 bits each. Wiped on drop; prints nothing.
pub struct Randomness {
    /// Becomes `state`.
    pub state: [u8; 32],
    /// Becomes `nonce`.
    pub nonce: [u8; 32],
    /// Becomes `code_verifier`.
    pub verifier: [u8; 32],
}

impl Drop for Randomness {
    fn drop(&mut self) {
        self.state.zeroize();
        self.nonce.zeroize();
        self.verifier.zeroize();
    }
}

impl std::fmt::Debug for Randomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Randomness(…)")
    }
}

/// Makes the address to go to, and the transaction to remember before going there.
///
/// `extra` replaces `registration.authorization_params` of the same name. A `max_age` or `acr_values` among them is what
/// the ID token will be checked against. A query that the endpoint already has is kept (RFC 6749 §3.1). `jkt` names the key that the code
/// shall be bound to (RFC 9449 §10).
///
/// # Errors
/// [`ErrorCode::ConfigInvalid`] for a reserved or repeated parameter, a `max_age` that is no number of seconds, or a
/// redirect URI with a fragment; [`ErrorCode::DiscoveryInvalid`] where the endpoint's own query names a reserved parameter.
pub fn authorization_request(
    registration: &Registration,
    metadata: &Metadata,
    extra: &[(String, String)],
    (random, jkt): (&Randomness, Option<String>),
    now: UnixMillis,
    return_to: Option<ReturnTo>,
    app_state: Option<Json>,
) -> Result<(WebUrl, Transaction), Error> {
    let endpoint = &metadata.authorization_endpoint;
    let fixed = decode(endpoint.query());
    if fixed.iter().any(|(name, _)| RESERVED.contains(&name.as_str())) {
        let detail = "The query of `authorization_endpoint` has a parameter that every request must set itself.";
        return Err(Error::new(ErrorCode::DiscoveryInvalid, detail));
    }
    if registration.redirect_uri.as_str().contains('#') {
        return Err(Error::new(ErrorCode::ConfigInvalid, "`oidc.redirectUri` has a fragment."));
    }
    let params = merged(&registration.authorization_params, extra, &fixed)?;
    let max_age = match params.iter().find(|(name, _)| *name == "max_age") {
        Some((_, value)) => Some(parse_max_age(value)?),
        None => registration.max_age,
    };
    let acr = params.iter().find(|(name, _)| *name == "acr_values");
    let acr = acr.map_or_else(Vec::new, |(_, value)| value.split_ascii_whitespace().map(str::to_owned).collect());

    let transaction = Transaction {
        state: State(random_text(&random.state)),
        nonce: Nonce(random_text(&random.nonce)),
        code_verifier: code_verifier(&random.verifier),
        issuer: registration.issuer.clone(),
        client_id: registration.client_id.clone(),
        redirect_uri: registration.redirect_uri.clone(),
        created_at: now,
        max_age,
        acr,
        return_to,
        app_state,
        silent: false,
        jkt,
    };
    let mut form = Form::new()
        .pair("response_type", "code")
        .pair("client_id", registration.client_id.as_str())
        .pair("redirect_uri", registration.redirect_uri.as_str())
        .pair("state", transaction.state.as_str())
        .pair("nonce", transaction.nonce.as_str())
        .pair("code_challenge", &challenge(&transaction.code_verifier))
        .pair("code_challenge_method", "S256");
    if registration.scope.values().next().is_some() {
        form = form.pair("scope", registration.scope.as_str());
    }
    if let Some(jkt) = &transaction.jkt {
        form = form.pair("dpop_jkt", jkt);
    }
    if let Some(max_age) = max_age {
        form = form.pair("max_age", &(max_age.millis() / 1000).to_string());
    }
    for (name, value) in params.iter().filter(|(name, _)| *name != "max_age") {
        form = form.pair(name, value);
    }
    let url = form
        .behind(endpoint)
        .ok_or_else(|| Error::new(ErrorCode::DiscoveryInvalid, "`authorization_endpoint` has a fragment."))?;
    Ok((url, transaction))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::testing::{metadata, randomness, registration, url};

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn begin(ours: &Registration, theirs: &Metadata, extra: &[(&str, &str)]) -> Result<(WebUrl, Transaction), Error> {
        let extra: Vec<_> = extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        authorization_request(
            ours,
            theirs,
            &extra,
            (&randomness(1), None),
            NOW,
            ReturnTo::parse("/inbox"),
            Some(Json::from("CANARY")),
        )
    }

    fn value<'a>(pairs: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn what_was_asked_as_acr_values_is_what_acr_will_be_compared_with() {
        let asked = |extra: &[(&str, &str)]| begin(&registration(), &metadata(), extra).unwrap().1.acr;
        assert!(asked(&[]).is_empty() && asked(&[("prompt", "login")]).is_empty());
        assert_eq!(asked(&[("prompt", "login"), ("acr_values", "gold  silver")]), ["gold", "silver"]);
    }

    #[test]
    fn a_registration_prints_who_it_is_and_randomness_nothing() {
        let printed = format!("{:?}", registration());
        assert!(printed.contains("https://as.example") && printed.contains("https://app.example/cb"), "{printed}");
        assert_eq!(format!("{:?}", randomness(1)), "Randomness(…)");
    }

    #[test]
    fn the_address_asks_for_a_code_with_pkce_and_matches_the_transaction() {
        let (address, transaction) = begin(&registration(), &metadata(), &[]).unwrap();
        assert_eq!((address.origin(), address.path()), ("https://as.example", "/auth"));
        let expected = [
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", "https://app.example/cb"),
            ("state", transaction.state.as_str()),
            ("nonce", transaction.nonce.as_str()),
            ("code_challenge", &challenge(&transaction.code_verifier)),
            ("code_challenge_method", "S256"),
            ("scope", "openid profile"),
        ];
        let pairs = decode(address.query());
        assert_eq!(pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect::<Vec<_>>(), expected);
        assert_eq!((transaction.created_at, transaction.max_age), (NOW, None));
        assert_eq!(transaction.return_to, ReturnTo::parse("/inbox"));
        assert!(!address.as_str().contains(transaction.code_verifier.expose()));
    }

    #[test]
    fn a_sign_in_with_a_key_names_it_so_that_the_code_is_bound_to_it() {
        let key = Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".to_owned());
        let random = (&randomness(1), key.clone());
        let begun = authorization_request(&registration(), &metadata(), &[], random, NOW, None, None);
        let (address, transaction) = begun.unwrap();
        assert_eq!(value(&decode(address.query()), "dpop_jkt"), [key.as_deref().unwrap()]);
        assert_eq!(transaction.jkt, key);
    }

    #[test]
    fn state_is_randomness_and_nothing_else() {
        let (_, transaction) = begin(&registration(), &metadata(), &[]).unwrap();
        assert_eq!(transaction.state.as_str(), random_text(&[1; 32]));
        assert_ne!(transaction.state.as_str(), transaction.nonce.as_str());
        assert_ne!(transaction.nonce.as_str(), transaction.code_verifier.expose());
    }

    #[test]
    fn the_redirect_uri_travels_exactly_as_configured() {
        for text in [
            "https://app.example",
            "https://app.example/",
            "https://app.example/cb?a=b&c=%20d",
            "http://localhost:5173/",
        ] {
            let mut ours = registration();
            ours.redirect_uri = url(text);
            let (address, transaction) = begin(&ours, &metadata(), &[]).unwrap();
            assert_eq!(value(&decode(address.query()), "redirect_uri"), [text]);
            assert_eq!(transaction.redirect_uri.as_str(), text);
        }
        let mut ours = registration();
        ours.redirect_uri = url("https://app.example/#cb");
        assert_eq!(begin(&ours, &metadata(), &[]).unwrap_err().code, ErrorCode::ConfigInvalid);
    }

    #[test]
    fn the_query_of_the_endpoint_is_kept_unless_it_would_set_a_parameter_of_ours() {
        let mut theirs = metadata();
        theirs.authorization_endpoint = url("https://as.example/auth?p=b2c_1_signin");
        let (address, _) = begin(&registration(), &theirs, &[("x", "a&state=evil")]).unwrap();
        let pairs = decode(address.query());
        assert_eq!((value(&pairs, "p"), value(&pairs, "x")), (vec!["b2c_1_signin"], vec!["a&state=evil"]));
        assert_eq!(value(&pairs, "state").len(), 1);
        for query in ["state=x", "code_challenge_method=plain", "a&redirect%5furi=https://evil.example"] {
            theirs.authorization_endpoint = url(&["https://as.example/auth?", query].concat());
            assert_eq!(begin(&registration(), &theirs, &[]).unwrap_err().code, ErrorCode::DiscoveryInvalid, "{query}");
        }
    }

    #[test]
    fn max_age_is_sent_once_and_remembered_for_the_check() {
        let mut ours = registration();
        ours.max_age = Some(Lifetime::from_seconds(3600));
        for (extra, sent) in [(vec![], "3600"), (vec![("max_age", "60")], "60"), (vec![("max_age", "0")], "0")] {
            let (address, transaction) = begin(&ours, &metadata(), &extra).unwrap();
            assert_eq!(value(&decode(address.query()), "max_age"), [sent]);
            assert_eq!(transaction.max_age, Some(Lifetime::from_seconds(sent.parse().unwrap())));
        }
        for odd in ["-1", "", "1.5", "x", "+1"] {
            assert_eq!(
                begin(&ours, &metadata(), &[("max_age", odd)]).unwrap_err().code,
                ErrorCode::ConfigInvalid,
                "{odd}"
            );
        }
    }

    #[test]
    fn no_application_parameter_can_undo_what_a_check_relies_on() {
        for name in RESERVED {
            let error = begin(&registration(), &metadata(), &[(name, "x")]).unwrap_err();
            assert_eq!(error.code, ErrorCode::ConfigInvalid, "{name}");
            let mut ours = registration();
            ours.authorization_params = vec![((*name).to_owned(), "x".to_owned())];
            assert_eq!(begin(&ours, &metadata(), &[]).unwrap_err().code, ErrorCode::ConfigInvalid, "{name}");
        }
    }

    #[test]
    fn an_empty_scope_is_left_to_the_server() {
        let mut ours = registration();
        ours.scope = Scope(" ".to_owned());
        let (address, _) = begin(&ours, &metadata(), &[]).unwrap();
        assert!(value(&decode(address.query()), "scope").is_empty());
    }

    #[test]
    fn nothing_secret_prints() {
        let mut ours = registration();
        ours.token_params = vec![("k".to_owned(), "CANARY".to_owned())];
        ours.authorization_params = ours.token_params.clone();
        let (_, transaction) = begin(&ours, &metadata(), &[]).unwrap();
        let printed = format!("{ours:?} {:?} {transaction:?}", randomness(67));
        for secret in ["CANARY", "67", transaction.code_verifier.expose(), transaction.nonce.as_str()] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
    }
}
