//! What the native stories share: servers that behave as real ones do, with faults on demand, and signed-in tabs.
#![allow(dead_code, reason = "each story uses its part")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story whose setting fails has failed")]

pub(crate) mod grants;
pub(crate) mod invariants;
pub(crate) mod keys;
pub(crate) mod play;
pub(crate) mod session;

use authsafe::client::options::Config;
use authsafe::client::{Client, CredentialName, Report};
use authsafe::machine::Snapshot;
use authsafe::ports::fake::{Reply, Tab, World};
use authsafe::protocol::http::HttpRequest;
use authsafe::types::{Json, Lifetime, UnixMillis, WebUrl};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

pub(crate) const ISSUER: &str = "https://id.example";
pub(crate) const APP: &str = "https://app.example/";
pub(crate) const START: UnixMillis = UnixMillis(1_800_000_000_000);

/// What may be done to a token.
pub(crate) type Spoil = fn(String) -> String;

/// An authorization server with rotation and reuse detection, as strict as they come.
pub(crate) struct Provider {
    pub(crate) rotations: Cell<u64>,
    pub(crate) token_requests: Cell<u64>,
    pub(crate) lifetime: Cell<i64>,
    pub(crate) sub: RefCell<String>,
    pub(crate) nonce: RefCell<String>,
    pub(crate) revoked: RefCell<Vec<String>>,
    /// Answers instead of the server, while there are any.
    pub(crate) faults: RefCell<Vec<Reply>>,
    /// Bodies of token requests, for stories about what was sent.
    pub(crate) bodies: RefCell<Vec<String>>,
    pub(crate) reused: Cell<bool>,
    /// A refresh token is still taken after it was rotated once.
    pub(crate) grace: Cell<bool>,
    /// The key that signs, and those that are published.
    pub(crate) signs: Cell<u8>,
    pub(crate) published: RefCell<Vec<u8>>,
    /// What stands in the place of the keys, with this status.
    pub(crate) instead_of_keys: RefCell<Option<(u16, String)>>,
    /// What stands in the place of what is known about the user, each for one request.
    pub(crate) instead_of_userinfo: RefCell<Vec<Reply>>,
    /// What its ID tokens say besides, in JSON and with a comma before it.
    pub(crate) says: Cell<&'static str>,
    /// What is done to ID tokens before they are given out.
    pub(crate) spoils: Cell<Option<Spoil>>,
}

impl Provider {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            rotations: Cell::new(0),
            token_requests: Cell::new(0),
            lifetime: Cell::new(600),
            sub: RefCell::new("alice".to_owned()),
            nonce: RefCell::default(),
            revoked: RefCell::default(),
            faults: RefCell::default(),
            bodies: RefCell::default(),
            reused: Cell::new(false),
            grace: Cell::new(false),
            signs: Cell::new(1),
            published: RefCell::new(vec![1]),
            instead_of_keys: RefCell::default(),
            instead_of_userinfo: RefCell::default(),
            says: Cell::default(),
            spoils: Cell::default(),
        })
    }

    pub(crate) fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
        let body = request.body.as_ref().map(|(_, text)| text.to_string()).unwrap_or_default();
        match request.url.path() {
            "/.well-known/openid-configuration" => Reply::json(200, &self.metadata()),
            "/jwks" => match &*self.instead_of_keys.borrow() {
                Some((status, body)) => Reply::json(*status, body),
                None => Reply::json(200, &keys::jwks_of(&self.published.borrow())),
            },
            "/userinfo" => {
                if !self.instead_of_userinfo.borrow().is_empty() {
                    return self.instead_of_userinfo.borrow_mut().remove(0);
                }
                self.userinfo(request)
            }
            // Somebody looks whether the server is there. It is, unless it is to fail.
            "/token" if request.method == "HEAD" => Reply::with(405, "text/plain", ""),
            "/token" => {
                self.token_requests.set(self.token_requests.get() + 1);
                self.bodies.borrow_mut().push(body.clone());
                if !self.faults.borrow().is_empty() {
                    return self.faults.borrow_mut().remove(0);
                }
                self.tokens(&body, now)
            }
            "/revoke" => {
                self.revoked.borrow_mut().push(body);
                Reply::json(200, "")
            }
            path => Reply::with(404, "text/html", path),
        }
    }

    fn metadata(&self) -> String {
        format!(
            r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/authorize","token_endpoint":"{ISSUER}/token",
            "revocation_endpoint":"{ISSUER}/revoke","end_session_endpoint":"{ISSUER}/logout","jwks_uri":"{ISSUER}/jwks","userinfo_endpoint":"{ISSUER}/userinfo",
            "authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"]}}"#
        )
    }

    fn tokens(&self, body: &str, now: UnixMillis) -> Reply {
        let current = format!("refresh-{}", self.rotations.get());
        let has = |token: &str| param(body, "refresh_token") == token;
        let before = format!("refresh-{}", self.rotations.get().wrapping_sub(1));
        let good = has(&current) || (self.grace.get() && has(&before));
        if body.contains("grant_type=refresh_token") && !good {
            self.reused.set(true);
            return Reply::json(400, r#"{"error":"invalid_grant"}"#);
        }
        self.rotations.set(self.rotations.get() + 1);
        let count = self.rotations.get();
        Reply::json(
            200,
            &format!(
                r#"{{"access_token":"access-{count}","token_type":"Bearer","expires_in":{},"refresh_token":"refresh-{count}",
                "id_token":"{}"}}"#,
                self.lifetime.get(),
                self.id_token(now)
            ),
        )
    }

    /// OpenID Connect Core 1.0 §5.3, to the newest access token. Some of it stands where an ID token has something of its own.
    fn userinfo(&self, request: &HttpRequest) -> Reply {
        let shown = request.headers.iter().find(|(name, _)| name == "authorization");
        let newest = format!(" access-{}", self.rotations.get());
        if !shown.is_some_and(|(_, value)| value.ends_with(&newest)) || request.method != "GET" {
            return Reply::json(401, r#"{"error":"invalid_token"}"#);
        }
        let sub = self.sub.borrow();
        Reply::json(200, &format!(r#"{{"sub":"{sub}","name":"{sub} of UserInfo","email":"{sub}@id.example","exp":1}}"#))
    }

    pub(crate) fn id_token(&self, now: UnixMillis) -> String {
        let nonce = self.nonce.borrow();
        let claims = format!(
            r#"{{"iss":"{ISSUER}","aud":"app","sub":"{}","iat":{},"exp":{},"nonce":"{nonce}","name":"Alice"{}}}"#,
            self.sub.borrow(),
            now.seconds(),
            now.seconds() + 3600,
            self.says.get()
        );
        let token = keys::signed_by(self.signs.get(), &claims);
        self.spoils.get().map_or(token.clone(), |spoil| spoil(token))
    }
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..=chunk.len() {
            out.push(DIGITS[(word >> (18 - 6 * at) & 63) as usize] as char);
        }
    }
    out
}

/// What [`base64url`] encoded.
pub(crate) fn unencoded(text: &str) -> Vec<u8> {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = (0_u32, 0);
    let mut out = Vec::new();
    for byte in text.bytes() {
        let digit = digits.iter().position(|each| *each == byte).unwrap() as u32;
        bits = (bits.0 << 6 | digit, bits.1 + 6);
        if bits.1 >= 8 {
            bits.1 -= 8;
            out.push((bits.0 >> bits.1) as u8);
        }
    }
    out
}

/// A page with a client, and everything that the client reported.
pub(crate) struct Page {
    pub(crate) tab: Tab,
    pub(crate) client: Client<Tab>,
    pub(crate) reports: Rc<RefCell<Vec<Report>>>,
}

impl Page {
    /// Opens `href` in `world` with these options.
    pub(crate) fn open(world: &Rc<World>, href: &str, options: &str) -> Self {
        Self::in_tab(world.tab(href, options.contains("localStorage")), options)
    }

    /// Loads a page anew in a tab that was there before: what the tab stores is still there.
    pub(crate) fn in_tab(tab: Tab, options: &str) -> Self {
        let here = WebUrl::parse(&tab.href.borrow()).unwrap();
        let config = Config::parse(&Json::parse(options).unwrap(), &here).unwrap();
        let reports: Rc<RefCell<Vec<Report>>> = Rc::default();
        let marks: Rc<RefCell<Vec<invariants::Mark>>> = Rc::default();
        let own: Rc<RefCell<Option<Client<Tab>>>> = Rc::default();
        let (sink, when, world, slot) =
            (Rc::clone(&reports), Rc::clone(&marks), Rc::clone(&tab.world), Rc::clone(&own));
        let client = Client::new(config, tab.clone(), move |report| {
            when.borrow_mut().push(invariants::Mark::now(&world, slot.borrow().as_ref()));
            sink.borrow_mut().push(report);
        });
        *own.borrow_mut() = Some(client.clone());
        let (of, seen) = (client.clone(), Rc::clone(&reports));
        invariants::watch(invariants::Watched { tab: tab.clone(), client: of, reports: seen, marks, own });
        let hears = client.clone();
        tab.world.listen(tab.id, move |text| hears.hear(text));
        Self { tab, client, reports }
    }

    /// What the browser makes of this page when the user duplicates its tab: the storage of the tab is copied along.
    pub(crate) fn duplicate(&self, options: &str) -> Self {
        let mut tab = self.tab.world.tab(APP, false);
        tab.store = self.tab.store.duplicate();
        let page = Self::in_tab(tab, options);
        page.run(|client| async move { client.start().await.unwrap() });
        page
    }

    /// Runs a call of the client to its end.
    pub(crate) fn run<T: 'static, F: Future<Output = T> + 'static>(&self, call: impl FnOnce(Client<Tab>) -> F) -> T {
        self.tab.world.block_on(call(self.client.clone()))
    }

    pub(crate) fn status(&self) -> &'static str {
        match self.client.snapshot() {
            Snapshot::Initializing => "initializing",
            Snapshot::Unauthenticated(..) => "unauthenticated",
            Snapshot::Authenticating(_) => "authenticating",
            Snapshot::Authenticated(..) => "authenticated",
            Snapshot::Locked(_) => "locked",
        }
    }

    /// Names of the events so far, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        let name = |report: &Report| match report {
            Report::State(_) => None,
            Report::Event(notice) => Some(format!("{notice:?}").split('(').next().unwrap().to_owned()),
        };
        self.reports.borrow().iter().filter_map(name).collect()
    }
}

/// Whether all that is stored is the mark of a sign-out.
pub(crate) fn is_mark(text: &str) -> bool {
    authsafe::protocol::record::parse_ended(text).is_some()
}

/// The name of the credential that a request is given now.
pub(crate) fn credential(page: &Page) -> CredentialName {
    page.run(|client| async move { client.access_token(Lifetime::ZERO).await.unwrap().1 })
}

/// Options of an application that signs in at [`ISSUER`].
pub(crate) fn token_options(storage: &str) -> String {
    format!(
        r#"{{"mode":"token","oidc":{{"issuer":"{ISSUER}","clientId":"app","redirectUri":"https://app.example/callback",
        "scope":"openid offline_access"}},"allowedOrigins":["https://api.example"],
        "storage":{{"kind":"{storage}","dangerouslyPlaintext":true}}}}"#
    )
    .replace(r#""storage":{"kind":"memory","dangerouslyPlaintext":true}"#, r#""storage":"memory""#)
}

/// The value of a parameter of a URL or form.
pub(crate) fn param(text: &str, name: &str) -> String {
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

/// A world whose only server is `provider`.
pub(crate) fn world_of(provider: &Rc<Provider>) -> Rc<World> {
    let server = Rc::clone(provider);
    World::new(START, move |request, now| server.answer(request, now))
}

/// Leaves for the provider and comes back: the tab is then at the callback address.
pub(crate) fn go_and_return(page: &Page, provider: &Provider) -> String {
    let client = page.client.clone();
    page.tab.world.start(async move {
        let login = authsafe::machine::Login::Redirect { params: Vec::new(), return_to: None, app_state: None };
        drop(client.login(login).await);
    });
    page.tab.world.advance(secs(1));
    let left_for = page.tab.navigations.borrow().last().cloned().unwrap();
    *provider.nonce.borrow_mut() = param(&left_for, "nonce");
    let state = param(&left_for, "state");
    let issuer = ISSUER.replace(':', "%3A").replace('/', "%2F");
    let callback = format!("https://app.example/callback?code=code-1&state={state}&iss={issuer}&keep=1#frag");
    *page.tab.href.borrow_mut() = callback.clone();
    callback
}

/// A page on which somebody has signed in by redirect.
pub(crate) fn signed_in(world: &Rc<World>, provider: &Provider, storage: &str) -> Page {
    signed_in_with(world, provider, &token_options(storage))
}

/// The same, with these options.
pub(crate) fn signed_in_with(world: &Rc<World>, provider: &Provider, options: &str) -> Page {
    let before = Page::open(world, APP, options);
    before.run(|client| async move { client.start().await.unwrap() });
    go_and_return(&before, provider);
    before.client.dispose();
    let page = Page::in_tab(before.tab.clone(), options);
    let (arrived, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error, None);
    assert!(arrived.is_some());
    page
}

/// So many seconds.
pub(crate) fn secs(n: i64) -> Lifetime {
    Lifetime::from_seconds(n)
}

/// A second tab of the same browser, started.
pub(crate) fn another(world: &Rc<World>) -> Page {
    let page = Page::open(world, APP, &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

/// Signs in anew in a tab where somebody is or was.
pub(crate) fn sign_in_again(page: &Page, provider: &Provider) -> Page {
    go_and_return(page, provider);
    page.client.dispose();
    let page = Page::in_tab(page.tab.clone(), &token_options("localStorage"));
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    page
}

/// The same, of an application that also signs in at a backend of its own.
pub(crate) fn both_options(storage: &str) -> String {
    token_options(storage).replace(
        r#""allowedOrigins""#,
        r#""firstParty":{"baseUrl":"https://app.example","endpoints":{"login":"/login"}},"allowedOrigins""#,
    )
}
