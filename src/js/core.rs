//! The skin of the first module: a client.

use super::plain;
use crate::browser::{
    BrowserPorts, CookieOptions, Hooks, Judge, Listener, Medium as Place, PageEvent, PlainTexts, RemotePage, SameSite,
    Sealing, Setup,
};
use crate::client::options::{Config, Mode, TokenConfig};
use crate::client::{Authorization, Client, CredentialName, PageNews, Report};
use crate::error::{Error, ErrorCode};
use crate::machine::{Ending, EventKind, Login, Outcome, WaiterId};
use crate::policy::replay;
use crate::policy::storage::Medium;
use crate::protocol::authorization::param_text;
use crate::protocol::http::Credentials;
use crate::types::{Fields, Json, Lifetime, Members, Password, ReturnTo, WebUrl};
use js_sys::{Function, Promise, Reflect};
use std::cell::RefCell;
use std::pin::Pin;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;

type Ported = Client<BrowserPorts>;

/// One client, as the TypeScript layer sees it. Every method clones the handle it needs, so a freed object is never in use.
#[wasm_bindgen]
pub struct Core {
    client: Ported,
    /// Access tokens do not leave this realm.
    sealed_in: bool,
    /// The only origins that may get a credential.
    origins: Vec<String>,
    /// What listens to other tabs and to the page, until the client is disposed of.
    listeners: RefCell<Vec<Listener>>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.client.fmt(f)
    }
}

#[wasm_bindgen]
impl Core {
    /// Reads the options. `host` has `onState`, `onEvent`, and the application's functions; in a worker also `page`.
    ///
    /// # Errors
    /// `config_invalid`, as a plain object.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue, host: JsValue) -> Result<Core, JsValue> {
        let options =
            plain::from_js(options).ok_or_else(|| thrown(&config_error("The options are not plain data.")))?;
        let page = RemotePage::of(&host);
        let here = page.href();
        // What stands behind the path is not looked at, and may hold what a browser does not encode there.
        let here = WebUrl::parse(here.split(['?', '#']).next().unwrap_or_default())
            .ok_or_else(|| thrown(&config_error("The page has no http(s) address.")))?;
        let config = Config::parse(&options, &here).map_err(|error| thrown(&error))?;
        let hooks = Hooks {
            parse_tokens: hook(&host, "parseTokens"),
            parse_session: hook(&host, "parseSession"),
            is_session_expired: hook(&host, "isSessionExpired"),
        };
        let setup = Setup {
            channel: ["authsafe.", &config.id].concat(),
            medium: place(&config, &host, &page, &here),
            transactions: transactions(&config, &page, &here),
            hooks,
            page: page.clone(),
            #[cfg(not(feature = "jwt"))]
            judge: Judge::of(&host),
            #[cfg(feature = "jwt")]
            judge: Judge::default(),
        };
        let ports = BrowserPorts::new(setup);
        let (on_state, on_event) = (hook(&host, "onState"), hook(&host, "onEvent"));
        let exposed = matches!(&config.mode, Mode::Token(tokens) if tokens.expose_access_token);
        let sealed_in = page.is_remote() && !exposed;
        let origins = config.allowed_origins.iter().map(|place| place.origin.clone()).collect();
        let wanted = medium(&config).as_str();
        let counts = config.idle.is_some();
        let client = Client::new(config, ports, move |report| match report {
            Report::State(snapshot) => tell(on_state.as_ref(), &[plain::to_js(&plain::snapshot(&snapshot))]),
            Report::Event(notice) => {
                let (name, detail) = plain::notice(&notice, wanted);
                tell(on_event.as_ref(), &[name.into(), plain::to_js(&detail)]);
            }
        });
        Ok(Self { listeners: RefCell::new(listen(&client, counts)), client, sealed_in, origins })
    }

    /// `{ callback?, error? }`
    pub fn init(&self) -> Promise {
        self.ask(Box::new(EventKind::Start), Then::Tell)
    }

    /// `{ user, session, returnTo?, appState? }`
    pub fn login(&self, options: JsValue) -> Promise {
        match login_of(options) {
            Ok(login) => self.ask(Box::new(|id| EventKind::Login(id, Box::new(login))), Then::Tell),
            Err(error) => refused(&error),
        }
    }

    /// Signs out; `scope` is `local` or `provider`.
    pub fn logout(&self, options: JsValue) -> Promise {
        match ending_of(options) {
            Ok((ending, return_to)) => self.ask(Box::new(move |id| EventKind::Logout(id, ending)), Then::Go(return_to)),
            Err(error) => refused(&error),
        }
    }

    /// Revokes the tokens and signs out, without leaving the page.
    pub fn revoke(&self) -> Promise {
        self.ask(Box::new(|id| EventKind::Logout(id, Ending::Revoke)), Then::Tell)
    }

    /// Renews the credential.
    pub fn refresh(&self) -> Promise {
        self.ask(Box::new(EventKind::Renew), Then::Tell)
    }

    /// Session mode: asks the server. `null` where nobody is signed in.
    pub fn check(&self) -> Promise {
        self.ask(Box::new(EventKind::Check), Then::Tell)
    }

    /// Session mode: prolongs the session.
    pub fn extend(&self) -> Promise {
        self.ask(Box::new(EventKind::Extend), Then::Tell)
    }

    /// Token mode: the access token.
    #[wasm_bindgen(js_name = accessToken)]
    pub fn access_token(&self, min_validity_seconds: f64) -> Promise {
        if self.sealed_in {
            return refused(&ErrorCode::TokenIsolated.into());
        }
        // The cast saturates; NaN becomes zero.
        let margin = Lifetime::from_millis((min_validity_seconds * 1000.0) as i64);
        self.ask(Box::new(move |id| EventKind::Use(id, margin)), Then::Tell)
    }

    /// The claims of the ID token, or `null`.
    #[wasm_bindgen(js_name = idTokenClaims)]
    pub fn id_token_claims(&self) -> JsValue {
        self.client.id_token_claims().map_or(JsValue::NULL, |claims| plain::to_js(&claims))
    }

    /// What a request needs, as JSON: `{ headers, credentials?, redirect?, ticket }`, or `undefined`. A promise looks into an
    /// object that it is resolved with, and script of the page can look along; it does not look into text.
    pub fn authorize(&self, url: String, method: String) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move {
            let authorization = client.authorize(&url, &method).await?;
            Ok(authorization
                .map_or(JsValue::UNDEFINED, |needed| authorization_json(&needed).to_secret_text().as_str().into()))
        }))
    }

    /// Whether the same request should be sent once more; `"nonce"` where only its proof was not as the server wants it.
    pub fn answered(
        &self,
        ticket: String,
        status: u16,
        www_authenticate: Option<String>,
        url: Option<String>,
        nonce: Option<String>,
    ) -> Promise {
        let refusal = replay::refusal(status, www_authenticate.as_deref());
        let (name, proven) = ticket.strip_suffix(PROVEN).map_or((ticket.as_str(), false), |name| (name, true));
        if proven {
            match self.client.learn_from(&url.unwrap_or_default(), status, refusal, nonce.as_deref()) {
                Ok(true) => return Promise::resolve(&JsValue::from_str("nonce")),
                Ok(false) => {}
                Err(error) => return refused(&error),
            }
        }
        // A ticket that is none of ours is of no session.
        let Some(credential) = CredentialName::parse(name) else { return Promise::resolve(&JsValue::FALSE) };
        match self.client.judge(credential, status, refusal) {
            Some(again) => Promise::resolve(&JsValue::from(again)),
            None => self.ask(Box::new(move |id| EventKind::Refused(id, credential)), Then::Forgive),
        }
    }

    /// `DiagnosticReport`
    pub fn diagnose(&self) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move { Ok(plain::to_js(&client.diagnose().await.to_json())) }))
    }

    /// The only origins that may get a credential, each as the browser's URL parser writes it.
    pub fn origins(&self) -> Vec<String> {
        self.origins.clone()
    }

    /// Something happened to the page of a core that runs in a worker: an event of this name, with the page so visible.
    /// `pagehide` and `pageshow` mean the back-forward cache here; `active`, that the user does something.
    #[wasm_bindgen(js_name = pageChanged)]
    pub fn page_changed(&self, event: &str, visibility: &str) {
        let news = match event {
            "visibilitychange" if visibility == "hidden" => PageNews::Hidden,
            "visibilitychange" | "focus" => PageNews::Visible,
            "online" => PageNews::Online,
            "pagehide" => PageNews::Left,
            "pageshow" => PageNews::Restored,
            "active" => PageNews::Active,
            _ => return,
        };
        self.client.page_changed(news);
    }

    /// The current state.
    pub fn snapshot(&self) -> JsValue {
        plain::to_js(&plain::snapshot(&self.client.snapshot()))
    }

    /// Stops timers and listeners.
    pub fn dispose(&self) {
        self.listeners.borrow_mut().clear();
        self.client.dispose();
    }
}

/// What else becomes of a wish.
enum Then {
    /// Nothing.
    Tell,
    /// The page goes there when all is done, unless it is leaving for elsewhere.
    Go(Option<ReturnTo>),
    /// A failure means no: the answer that the wish is about is there already.
    Forgive,
}

impl Core {
    /// One future for every wish.
    fn ask(&self, wish: Box<dyn FnOnce(WaiterId) -> EventKind>, then: Then) -> Promise {
        let client = self.client.clone();
        promise(Box::pin(async move {
            let outcome = match (client.ask(wish).await, then) {
                (Err(_), Then::Forgive) => Outcome::Replay(false),
                (outcome, then) => {
                    if let (Ok(Outcome::Done), Then::Go(Some(path))) = (&outcome, then) {
                        client.go(&path);
                    }
                    outcome?
                }
            };
            Ok(plain::outcome(outcome))
        }))
    }
}

fn listen(client: &Ported, counts_activity: bool) -> Vec<Listener> {
    let (tabs, page) = (client.clone(), client.clone());
    let heard = client.ports().listen_tabs(move |text| tabs.hear(text));
    let seen = client.ports().listen_page(move |event| match event {
        PageEvent::Visible => page.page_changed(PageNews::Visible),
        PageEvent::Online => page.page_changed(PageNews::Online),
        PageEvent::Hidden => page.page_changed(PageNews::Hidden),
        PageEvent::Left => page.page_changed(PageNews::Left),
        PageEvent::Restored => page.page_changed(PageNews::Restored),
        PageEvent::Offline => {}
    });
    let mut listeners = vec![heard, seen];
    if counts_activity {
        let user = client.clone();
        listeners.push(client.ports().listen_user(move || user.page_changed(PageNews::Active)));
    }
    listeners
}

/// A function of the application's, if there is one by this name.
fn hook(host: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(host, &name.into()).ok()?.dyn_into().ok()
}

/// Calls a function of the application's. What it throws is for the TypeScript layer to report; here it changes nothing.
fn tell(listener: Option<&Function>, arguments: &[JsValue]) {
    if let Some(listener) = listener {
        let _ = Reflect::apply(listener, &JsValue::UNDEFINED, &arguments.iter().collect());
    }
}

/// One promise of one type of future: the code around it is paid for once, and not for each method.
fn promise(work: Pin<Box<dyn Future<Output = Result<JsValue, Error>>>>) -> Promise {
    future_to_promise(async move { work.await.map_err(|error| thrown(&error)) })
}

fn refused(error: &Error) -> Promise {
    Promise::reject(&thrown(error))
}

fn thrown(error: &Error) -> JsValue {
    plain::to_js(&error.to_json())
}

fn config_error(detail: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, detail)
}

fn medium(config: &Config) -> Medium {
    if let Mode::Token(tokens) = &config.mode { tokens.storage.medium } else { Medium::Memory }
}

fn place(config: &Config, host: &JsValue, page: &RemotePage, here: &WebUrl) -> Place {
    let Mode::Token(tokens) = &config.mode else { return Place::Memory };
    let storage = &tokens.storage;
    let place = match storage.medium {
        Medium::Memory => return Place::Memory,
        Medium::SessionStorage => session_storage(page),
        Medium::LocalStorage => page.area("localStorage").map_or(Place::LocalStorage, Place::Custom),
        Medium::IndexedDb => Place::IndexedDb,
        Medium::Cookie => Place::Cookie(CookieOptions {
            path: storage.cookie_path.clone(),
            same_site: if storage.cookie_lax { SameSite::Lax } else { SameSite::Strict },
            secure: here.as_str().starts_with("https:"),
            max_age: storage.cookie_max_age,
            jar: page.area("cookies"),
        }),
        Medium::Custom => Place::Custom(Reflect::get(host, &"adapter".into()).unwrap_or(JsValue::UNDEFINED)),
    };
    if storage.plaintext {
        return place;
    }
    let (shared, plain) = match storage.medium {
        // A sibling host can write cookies, too.
        Medium::Cookie => (true, PlainTexts::Refused),
        Medium::Memory | Medium::SessionStorage => (false, PlainTexts::MigratedByTab),
        // An adapter may be of one tab or of all.
        Medium::Custom => (false, PlainTexts::Migrated),
        Medium::LocalStorage | Medium::IndexedDb => (true, PlainTexts::Migrated),
    };
    sealed(place, tokens, here, shared, plain)
}

/// Pending sign-ins. They hold a verifier, so a page that has no part in them sees them sealed; but a sign-in does not fail for
/// want of a key.
fn transactions(config: &Config, page: &RemotePage, here: &WebUrl) -> Place {
    let place = session_storage(page);
    let Mode::Token(tokens) = &config.mode else { return place };
    sealed(place, tokens, here, false, PlainTexts::Allowed)
}

fn session_storage(page: &RemotePage) -> Place {
    page.area("sessionStorage").map_or(Place::SessionStorage, Place::Custom)
}

fn sealed(place: Place, tokens: &TokenConfig, here: &WebUrl, shared: bool, plain: PlainTexts) -> Place {
    let (origin, client) = (here.origin().to_owned(), tokens.server());
    Place::Sealed(Box::new(place), Sealing { origin, client, shared, plain })
}

fn login_of(options: JsValue) -> Result<Login, Error> {
    let options = plain::from_js(options).unwrap_or(Json::Object(Vec::new()));
    let mut fields = Fields::of(&options).ok_or_else(|| config_error("The options of login() must be an object."))?;
    let return_to = match fields.take("returnTo") {
        None => None,
        Some(path) => Some(path.text().and_then(ReturnTo::parse).ok_or(ErrorCode::ReturnToRefused)?),
    };
    let app_state = fields.take("appState").cloned();
    let login = match fields.take("via").map(|via| via.text()) {
        None | Some(Some("redirect")) => {
            let params = fields.take("authorizationParams");
            let params = params.map_or(Ok(Vec::new()), |params| param_text("authorizationParams", params))?;
            Login::Redirect { params, return_to, app_state }
        }
        Some(Some("password")) => {
            let mut text = |name| fields.take(name).and_then(Json::text).map(str::to_owned);
            let username = text("username").ok_or_else(|| config_error("`username` must be text."))?;
            let password = text("password").and_then(Password::new);
            let password = password.ok_or_else(|| config_error("`password` must be text, and not empty."))?;
            Login::Password { username, password, extra: fields.take("extra").cloned(), return_to, app_state }
        }
        Some(_) => return Err(config_error("`via` is 'redirect' or 'password' in this version.")),
    };
    unknown(&fields)?;
    Ok(login)
}

fn ending_of(options: JsValue) -> Result<(Ending, Option<ReturnTo>), Error> {
    let options = plain::from_js(options).unwrap_or(Json::Object(Vec::new()));
    let mut fields = Fields::of(&options).ok_or_else(|| config_error("The options of logout() must be an object."))?;
    let ending = match fields.take("scope").map(|scope| scope.text()) {
        None | Some(Some("provider")) => Ending::Provider,
        Some(Some("local")) => Ending::Local,
        Some(_) => return Err(config_error("`scope` is 'local' or 'provider'.")),
    };
    let return_to = match fields.take("returnTo") {
        None => None,
        Some(path) => Some(path.text().and_then(ReturnTo::parse).ok_or(ErrorCode::ReturnToRefused)?),
    };
    unknown(&fields)?;
    Ok((ending, return_to))
}

fn unknown(fields: &Fields<'_>) -> Result<(), Error> {
    match fields.unknown() {
        None => Ok(()),
        Some((name, None)) => Err(config_error(&["Unknown option `", name, "`."].concat())),
        Some((name, Some(meant))) => {
            Err(config_error(&["Unknown option `", name, "`; did you mean `", meant, "`?"].concat()))
        }
    }
}

fn authorization_json(needed: &Authorization) -> Json {
    let pair = |(name, value): &(String, String)| Json::List(vec![Json::Text(name.clone()), Json::Text(value.clone())]);
    let credentials = needed.credentials.map(|mode| match mode {
        Credentials::Omit => "omit",
        Credentials::SameOrigin => "same-origin",
        Credentials::Include => "include",
    });
    let name = needed.credential.to_text();
    let ticket = [name.as_str(), if needed.proven { PROVEN } else { "" }].concat();
    Members::new()
        .value("headers", Some(Json::List(needed.headers.iter().map(pair).collect())))
        .text("credentials", credentials)
        .text("redirect", needed.refuse_redirects.then_some("error"))
        .text("ticket", Some(&ticket))
        .object()
}

/// What ends the ticket of a request with a proof.
const PROVEN: &str = "p";
