//! The options of token mode.
//!
//! RFC 6749 §3.1.2 (redirect URI), RFC 8414 §2 (issuer), OpenID Connect Core 1.0 §3.1.2.1 (scope, `max_age`).

use super::endpoint::{ASKS, SENDS, endpoint, page_origin, required, resolve, trustworthy};
use super::reader::{Reader, invalid};
use crate::error::Error;
use crate::policy::storage::{Medium, refuse_plaintext};
use crate::protocol::authorization::{Registration, param_text};
use crate::protocol::first_party::FirstParty;
use crate::protocol::metadata::Metadata;
use crate::protocol::token::RESERVED;
use crate::types::{ClientId, Issuer, Json, Lifetime, Scope, WebUrl};

/// Token mode.
#[derive(Clone, Debug)]
pub struct TokenConfig {
    /// The OpenID provider.
    pub oidc: Option<Registration>,
    /// The application's own backend.
    pub first_party: Option<FirstParty>,
    /// Where the tokens are kept.
    pub storage: StorageConfig,
}

/// Where the tokens are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageConfig {
    /// The medium.
    pub medium: Medium,
    /// The application accepts plain text.
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
    pub(super) fn server(&self) -> String {
        let oidc = self.oidc.as_ref().map(|oidc| [oidc.issuer.as_str(), "\n", oidc.client_id.as_str()].concat());
        let first_party = self.first_party.as_ref().map(|backend| backend.login.url.as_str());
        [oidc.as_deref().unwrap_or_default(), "\n", first_party.unwrap_or_default()].concat()
    }
}

pub(super) fn parse(reader: &Reader<'_>, page_url: &WebUrl) -> Result<TokenConfig, Error> {
    let page = page_origin(page_url)?;
    let oidc = reader.object("oidc", OIDC_OPTIONS)?.map(|oidc| parse_oidc(&oidc, page_url)).transpose()?;
    let first_party = reader.object("firstParty", &["baseUrl", "endpoints", "parseTokens", "refreshCookie"])?;
    let first_party = first_party.map(|first_party| parse_first_party(&first_party, &page)).transpose()?;
    if oidc.is_none() && first_party.is_none() {
        return Err(invalid("oidc", "or `firstParty` is needed in token mode"));
    }
    Ok(TokenConfig { oidc, first_party, storage: parse_storage(reader)? })
}

fn parse_oidc(oidc: &Reader<'_>, page_url: &WebUrl) -> Result<Registration, Error> {
    let issuer = oidc.required_text("issuer")?;
    // The text itself is compared byte for byte, so it is only looked at, never respelt.
    let place = WebUrl::parse(issuer).filter(|url| !url.as_str().contains(['?', '#']));
    let place = place.ok_or_else(|| oidc.wrong("issuer", "must be an https URL without query and fragment"))?;
    trustworthy(place, &oidc.path("issuer"))?;
    let issuer = Issuer(issuer.to_owned());

    let page = page_origin(page_url)?;
    let here = [page_url.origin(), page_url.path()].concat();
    let redirect_uri = resolve(oidc.text("redirectUri")?.unwrap_or(&here), &oidc.path("redirectUri"), &page)?;
    if redirect_uri.origin() != page.origin() {
        return Err(
            oidc.wrong("redirectUri", "must be on the page's own origin, or the sign-in could not be completed here")
        );
    }
    let post_logout_redirect_uri = oidc.text("postLogoutRedirectUri")?;
    let post_logout_redirect_uri =
        post_logout_redirect_uri.map(|text| resolve(text, &oidc.path("postLogoutRedirectUri"), &page)).transpose()?;

    let metadata = oidc.get("metadata").cloned();
    if let Some(document) = &metadata {
        Metadata::from_json(&issuer, document).map_err(|error| {
            oidc.wrong("metadata", &["is no metadata: ", error.detail.trim_end_matches('.')].concat())
        })?;
    }
    let authorization_params = match oidc.get("authorizationParams") {
        None => Vec::new(),
        Some(params) => param_text(&oidc.path("authorizationParams"), params)?,
    };
    let token_params = oidc.texts("tokenParams")?;
    if let Some((name, _)) = token_params.iter().find(|(name, _)| RESERVED.contains(&name.as_str())) {
        return Err(oidc.wrong(&["tokenParams.", name].concat(), "is set by authsafe itself"));
    }
    let (mut leeway, mut max_age) = (LEEWAY, None);
    if let Some(id_token) = oidc.object("idToken", &["leewaySeconds", "maxAgeSeconds"])? {
        leeway =
            id_token.whole("leewaySeconds", 0, 300)?.map_or(LEEWAY, |seconds| Lifetime::from_seconds(seconds.into()));
        max_age = id_token.whole("maxAgeSeconds", 0, YEAR)?.map(|seconds| Lifetime::from_seconds(seconds.into()));
    }
    Ok(Registration {
        issuer,
        client_id: ClientId(oidc.required_text("clientId")?.to_owned()),
        redirect_uri,
        post_logout_redirect_uri,
        scope: parse_scope(oidc)?,
        authorization_params,
        token_params,
        leeway,
        max_age,
        metadata,
    })
}

/// RFC 6749 §3.3: printable ASCII without `"` and `\`, separated by single spaces.
fn parse_scope(oidc: &Reader<'_>) -> Result<Scope, Error> {
    let text = oidc.text("scope")?.unwrap_or("openid profile email");
    let allowed = text.bytes().all(|b| matches!(b, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'));
    let plain = text.split(' ').all(|value| !value.is_empty());
    if allowed && (plain || text.is_empty()) {
        return Ok(Scope(text.to_owned()));
    }
    Err(oidc.wrong("scope", "must be scope values separated by single spaces"))
}

fn parse_first_party(reader: &Reader<'_>, page: &WebUrl) -> Result<FirstParty, Error> {
    reader.function("parseTokens")?;
    let base = resolve(reader.required_text("baseUrl")?, &reader.path("baseUrl"), page)?;
    let endpoints = reader.object("endpoints", &["login", "refresh", "logout", "user"])?;
    let endpoints = endpoints.ok_or_else(|| reader.wrong("endpoints", "is missing"))?;
    let backend = FirstParty {
        login: required(&endpoints, "login", &base, SENDS)?,
        refresh: endpoint(&endpoints, "refresh", &base, SENDS)?,
        logout: endpoint(&endpoints, "logout", &base, SENDS)?,
        user: endpoint(&endpoints, "user", &base, ASKS)?,
        refresh_cookie: reader.flag("refreshCookie")?.unwrap_or(false),
    };
    if backend.refresh_cookie && backend.refresh.is_none() {
        return Err(reader.wrong("refreshCookie", "needs `endpoints.refresh`"));
    }
    Ok(backend)
}

fn parse_storage(reader: &Reader<'_>) -> Result<StorageConfig, Error> {
    let mut storage = StorageConfig {
        medium: Medium::Memory,
        plaintext: false,
        cookie_path: "/".to_owned(),
        cookie_lax: false,
        cookie_max_age: None,
    };
    let Some(choice) = reader.get("storage") else { return Ok(storage) };
    let (word, path) = match choice.text() {
        Some(word) => (Some(word), "storage"),
        None => (choice.get("kind").and_then(Json::text), "storage.kind"),
    };
    if choice.text().is_none() && choice.members().is_none() {
        return Err(invalid(path, "must be a word, or an object with `kind`"));
    }
    storage.medium = match word {
        Some("indexedDB") => return Err(invalid(path, "'indexedDB' is not in this version")),
        Some(word) => Medium::from_word(word).ok_or_else(|| invalid(path, MEDIA))?,
        None => return Err(invalid(path, MEDIA)),
    };
    if choice.text().is_none() {
        read_storage(&mut storage, choice)?;
    } else if storage.medium == Medium::Custom {
        return Err(invalid(path, "'custom' needs the long form, with an `adapter`"));
    }
    refuse_plaintext(storage.medium, storage.plaintext)?;
    Ok(storage)
}

fn read_storage(storage: &mut StorageConfig, choice: &Json) -> Result<(), Error> {
    let known: &[&'static str] = match storage.medium {
        Medium::Memory => &["kind"],
        Medium::SessionStorage | Medium::LocalStorage => &["kind", "dangerouslyPlaintext"],
        Medium::Cookie => &["kind", "path", "sameSite", "maxAgeSeconds", "dangerouslyPlaintext"],
        Medium::Custom => &["kind", "adapter", "dangerouslyPlaintext"],
    };
    let reader = Reader::of(choice, "storage", known)?;
    storage.plaintext = reader.flag("dangerouslyPlaintext")?.unwrap_or(false);
    if let Some(path) = reader.text("path")? {
        // RFC 6265 §4.1.1: path-value.
        if !path.starts_with('/') || !path.bytes().all(|b| matches!(b, b'!'..=b'~') && b != b';') {
            return Err(reader.wrong("path", "must begin with a slash, and have no spaces or semicolons"));
        }
        path.clone_into(&mut storage.cookie_path);
    }
    storage.cookie_lax = reader.word("sameSite", &[("Strict", false), ("Lax", true)])?.unwrap_or(false);
    storage.cookie_max_age = reader.seconds("maxAgeSeconds", 1)?;
    Ok(())
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
];

const MEDIA: &str = "must be 'memory', 'sessionStorage', 'localStorage', 'cookie' or 'custom'";

const LEEWAY: Lifetime = Lifetime::from_seconds(60);

/// Seconds.
const YEAR: u32 = 366 * 24 * 3600;
