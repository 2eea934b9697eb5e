//! The options of token mode.
//!
//! RFC 6749 §3.1.2 (redirect URI), RFC 8414 §2 (issuer), OpenID Connect Core 1.0 §3.1.2.1 (scope, `max_age`).

use super::endpoint::{ASKS, SENDS, endpoint, page_origin, required, resolve, trustworthy};
use super::reader::Reader;
use crate::jose::algs::{Algorithm, Allowed};
use crate::policy::restore::Restore;
use crate::policy::storage::Medium;
use crate::protocol::authorization::{Registration, param_text};
use crate::protocol::dpop::Policy;
use crate::protocol::first_party::FirstParty;
use crate::protocol::metadata::Metadata;
use crate::protocol::token::RESERVED;
use crate::types::{ClientId, Issuer, Json, Lifetime, Scope, WebUrl};

/// Token mode.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// The OpenID provider.
    pub oidc: Option<Provider>,
    /// The application's own backend.
    pub first_party: Option<FirstParty>,
    /// Where the tokens are kept.
    pub storage: StorageConfig,
    /// How a page load gets its session back.
    pub restore: Restore,
    /// An isolated core hands its access token out all the same.
    pub expose_access_token: bool,
    /// The core runs in the page by the application's choice.
    pub in_page: bool,
}

/// The OpenID provider, and how its ID tokens are verified.
#[derive(Clone, Debug)]
pub struct Provider {
    /// What requests say.
    pub registration: Registration,
    /// By what its ID tokens may be signed; `None` where TLS to the token endpoint stands in for the signature (OpenID Connect
    /// Core 1.0 §3.1.3.7 rule 6).
    pub algs: Option<Allowed>,
    /// Its UserInfo endpoint is asked about whoever signs in. OpenID Connect Core 1.0 §5.3.
    pub user_info: bool,
}

impl std::ops::Deref for Provider {
    type Target = Registration;

    fn deref(&self) -> &Registration {
        &self.registration
    }
}

/// Where the tokens are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageConfig {
    /// The medium.
    pub medium: Medium,
    /// The application wants plain text rather than sealed.
    pub plaintext: bool,
    /// The cookie's `Path`.
    pub cookie_path: String,
    /// `SameSite=Lax` rather than `Strict`.
    pub cookie_lax: bool,
    /// The cookie's `Max-Age`.
    pub cookie_max_age: Option<Lifetime>,
}

impl TokenConfig {
    /// What tells this client from another one of the same page.
    #[must_use]
    pub fn server(&self) -> String {
        let oidc = self.oidc.as_ref().map(|oidc| [oidc.issuer.as_str(), "\n", oidc.client_id.as_str()].concat());
        let first_party = self.first_party.as_ref().map(|backend| backend.login.url.as_str());
        [oidc.as_deref().unwrap_or_default(), "\n", first_party.unwrap_or_default()].concat()
    }
}

pub(super) fn parse(reader: &Reader<'_>, page_url: &WebUrl) -> TokenConfig {
    let page = page_origin(reader, page_url);
    let dpop = match reader.word("dpop", &["auto", "always", "never"]) {
        Some(1) => Policy::Always,
        Some(2) => Policy::Never,
        _ => Policy::Auto,
    };
    let oidc = reader.get("oidc").map(|_| parse_oidc(&reader.object("oidc", OIDC_OPTIONS), page_url, &page, dpop));
    reader.check(
        oidc.is_some() || dpop != Policy::Always,
        "dpop",
        "is for `oidc`: a backend of `firstParty` gives bearer tokens",
    );
    let first_party = reader.get("firstParty").map(|_| parse_first_party(reader, &page));
    reader.check(oidc.is_some() || first_party.is_some(), "oidc", "or `firstParty` is needed in token mode");
    let expose_access_token = reader.flag("exposeAccessToken", false);
    let restore = reader.word("restore", &Restore::WORDS).map_or(Restore::Auto, Restore::of_word);
    // Only the provider can be asked by leaving for it.
    let restore = if oidc.is_none() && restore.leaves_trace() { Restore::Record } else { restore };
    // Where the core runs was decided before it was there.
    let in_page = reader.word("isolation", &["worker", "page", "required"]) == Some(1);
    TokenConfig { oidc, first_party, storage: parse_storage(reader), restore, expose_access_token, in_page }
}

fn parse_oidc(oidc: &Reader<'_>, page_url: &WebUrl, page: &WebUrl, dpop: Policy) -> Provider {
    let issuer = oidc.required_text("issuer");
    // The text itself is compared byte for byte, so it is only looked at, never respelt.
    match WebUrl::parse(issuer).filter(|url| !url.as_str().contains(['?', '#'])) {
        Some(place) => trustworthy(oidc, "issuer", &place),
        None => oidc.wrong("issuer", "must be an https URL without query and fragment"),
    }
    let issuer = Issuer(issuer.to_owned());

    let here = [page_url.origin(), page_url.path()].concat();
    let redirect_uri = resolve(oidc, "redirectUri", oidc.text("redirectUri").unwrap_or(&here), page);
    let problem = "must be on the page's own origin, or the sign-in could not be completed here";
    oidc.check(redirect_uri.origin() == page.origin(), "redirectUri", problem);
    let post_logout_redirect_uri = oidc.text("postLogoutRedirectUri");
    let post_logout_redirect_uri =
        post_logout_redirect_uri.map(|text| resolve(oidc, "postLogoutRedirectUri", text, page));

    let metadata = oidc.get("metadata").cloned();
    if let Some(document) = &metadata
        && let Err(error) = Metadata::from_json(&issuer, document)
    {
        oidc.explain("metadata", "is no metadata: ", &error);
    }
    let mut authorization_params = Vec::new();
    if let Some(params) = oidc.get("authorizationParams") {
        match param_text(&oidc.path("authorizationParams"), params) {
            Ok(params) => authorization_params = params,
            Err(error) => oidc.fail(error),
        }
    }
    let reserved = |name: &str, _: &str| RESERVED.contains(&name).then_some("is set by authsafe itself");
    let token_params = oidc.texts("tokenParams", reserved);
    let id_token = oidc.object("idToken", &["verifySignature", "algs", "leewaySeconds", "maxAgeSeconds"]);
    let algs = parse_algs(&id_token);
    let lifetime = |seconds: u32| Lifetime::from_seconds(seconds.into());
    let registration = Registration {
        issuer,
        redirect_uri,
        post_logout_redirect_uri,
        authorization_params,
        token_params,
        leeway: lifetime(id_token.whole("leewaySeconds", 0, 300).unwrap_or(LEEWAY)),
        max_age: id_token.whole("maxAgeSeconds", 0, YEAR).map(lifetime),
        client_id: ClientId(oidc.required_text("clientId").to_owned()),
        scope: parse_scope(oidc),
        metadata,
        dpop,
    };
    let user_info = oidc.flag("userInfo", false);
    oidc.check(!user_info || registration.scope.contains("openid"), "userInfo", "needs `openid` in `oidc.scope`");
    Provider { registration, algs, user_info }
}

/// `None` where signatures are not verified.
fn parse_algs(id_token: &Reader<'_>) -> Option<Allowed> {
    let verify = id_token.flag("verifySignature", true);
    let Some(list) = id_token.list("algs") else { return verify.then(Allowed::default) };
    id_token.check(verify, "algs", "is for `verifySignature`, which is off");
    let known = |value: &Json| value.text().and_then(Algorithm::parse);
    let algs: Vec<Algorithm> = list.iter().filter_map(known).collect();
    let allowed = Allowed::only(&algs).filter(|_| algs.len() == list.len());
    id_token.check(allowed.is_some(), "algs", ALGS);
    verify.then_some(allowed.unwrap_or_default())
}

/// RFC 6749 §3.3: printable ASCII without `"` and `\`, separated by single spaces.
fn parse_scope(oidc: &Reader<'_>) -> Scope {
    let text = oidc.text("scope").unwrap_or("openid profile email");
    let allowed = text.bytes().all(|b| matches!(b, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'));
    let plain = text.split(' ').all(|value| !value.is_empty());
    oidc.check(allowed && (plain || text.is_empty()), "scope", "must be scope values separated by single spaces");
    Scope(text.to_owned())
}

fn parse_first_party(reader: &Reader<'_>, page: &WebUrl) -> FirstParty {
    let reader = reader.object("firstParty", &["baseUrl", "endpoints", "parseTokens", "refreshCookie"]);
    reader.function("parseTokens");
    let base = resolve(&reader, "baseUrl", reader.required_text("baseUrl"), page);
    reader.check(reader.get("endpoints").is_some(), "endpoints", "is missing");
    let endpoints = reader.object("endpoints", &["login", "refresh", "logout", "user"]);
    let backend = FirstParty {
        login: required(&endpoints, "login", &base, &SENDS),
        refresh: endpoint(&endpoints, "refresh", &base, &SENDS),
        logout: endpoint(&endpoints, "logout", &base, &SENDS),
        user: endpoint(&endpoints, "user", &base, &ASKS),
        refresh_cookie: reader.flag("refreshCookie", false),
    };
    let needed = !backend.refresh_cookie || backend.refresh.is_some();
    reader.check(needed, "refreshCookie", "needs `endpoints.refresh`");
    backend
}

/// A word, or an object with `kind` and more about it.
fn parse_storage(reader: &Reader<'_>) -> StorageConfig {
    let choice = reader.get("storage");
    let short = choice.map_or(Some("memory"), Json::text);
    let path = if short.is_some() { "storage" } else { "storage.kind" };
    let members = choice.and_then(Json::members);
    reader.check(short.is_some() || members.is_some(), path, "must be a word, or an object with `kind`");
    let word = short.or_else(|| choice?.get("kind")?.text()).unwrap_or_default();
    let medium = Medium::from_word(word);
    reader.check(medium.is_some(), path, MEDIA);
    let medium = medium.unwrap_or(Medium::Memory);
    let more = if short.is_some() {
        reader.check(medium != Medium::Custom, path, "'custom' needs the long form, with an `adapter`");
        reader.below("storage", &Json::Null)
    } else {
        reader.object(
            "storage",
            match medium {
                Medium::Memory => &["kind"],
                Medium::SessionStorage | Medium::LocalStorage | Medium::IndexedDb => &["kind", "dangerouslyPlaintext"],
                Medium::Cookie => &["kind", "path", "sameSite", "maxAgeSeconds", "dangerouslyPlaintext"],
                Medium::Custom => &["kind", "adapter", "dangerouslyPlaintext"],
            },
        )
    };
    let plaintext = more.flag("dangerouslyPlaintext", false);
    let cookie_path = more.text("path").unwrap_or("/");
    // RFC 6265 §4.1.1: path-value.
    let plain = cookie_path.starts_with('/') && cookie_path.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b';');
    more.check(plain, "path", "must begin with a slash, and have no spaces or semicolons");
    StorageConfig {
        medium,
        plaintext,
        cookie_path: cookie_path.to_owned(),
        cookie_lax: more.word("sameSite", &["Strict", "Lax"]) == Some(1),
        cookie_max_age: more.seconds("maxAgeSeconds", 1),
    }
}

const OIDC_OPTIONS: &[&str] = &[
    "issuer",
    "clientId",
    "redirectUri",
    "postLogoutRedirectUri",
    "scope",
    "metadata",
    "authorizationParams",
    "tokenParams",
    "idToken",
    "userInfo",
];

/// No secret that is shared with a browser is one, so HMAC has no name here; `none` has none anywhere.
const ALGS: &str =
    "must name at least one, and of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA only";

const MEDIA: &str = "must be 'memory', 'sessionStorage', 'localStorage', 'indexedDB', 'cookie' or 'custom'";

/// Seconds.
const LEEWAY: u32 = 60;
/// Seconds.
const YEAR: u32 = 366 * 24 * 3600;
