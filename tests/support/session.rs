//! A session server and a first-party backend, as real ones behave, with faults on demand.

use super::{APP, Page, START};
use authsafe::client::CredentialName;
use authsafe::machine::{Login, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::{Credentials, HttpRequest};
use authsafe::types::{Json, Password, UnixMillis};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// A session server: one session, idle timeout, a synchronizer token.
pub(crate) struct Server {
    pub(crate) user: RefCell<Option<&'static str>>,
    pub(crate) ends_at: Cell<i64>,
    /// How long before its end it began.
    pub(crate) life: Cell<i64>,
    /// Its clock, ahead of the device's by so many seconds.
    pub(crate) ahead: Cell<i64>,
    pub(crate) token: Cell<u64>,
    pub(crate) fault: RefCell<Option<fn() -> Reply>>,
    pub(crate) seen_tokens: RefCell<Vec<String>>,
}

impl Server {
    pub(crate) fn new() -> Rc<Self> {
        Rc::new(Self {
            user: RefCell::default(),
            ends_at: Cell::new(0),
            life: Cell::new(600),
            ahead: Cell::new(0),
            token: Cell::new(1),
            fault: RefCell::default(),
            seen_tokens: RefCell::default(),
        })
    }

    /// The session was prolonged far beyond what a story needs.
    pub(crate) fn lives_on(&self) {
        self.ends_at.set(self.ends_at.get() + 100_000);
        self.life.set(self.life.get() + 100_000);
    }

    pub(crate) fn world(self: &Rc<Self>) -> Rc<World> {
        let server = Rc::clone(self);
        World::new(START, move |request, now| server.answer(request, now))
    }

    pub(crate) fn payload(&self, now: i64) -> Reply {
        match *self.user.borrow() {
            Some(user) if self.ends_at.get() > now => Reply::json(
                200,
                &format!(
                    r#"{{"user":{{"sub":"{user}"}},"issuedAt":{},"expiresAt":{},"serverTime":{now}}}"#,
                    self.ends_at.get() - self.life.get(),
                    self.ends_at.get()
                ),
            ),
            Some(_) | None => Reply::json(401, r#"{"error":"unauthenticated"}"#),
        }
    }

    pub(crate) fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
        assert_eq!(request.credentials, Credentials::SameOrigin);
        if let Some(fault) = *self.fault.borrow() {
            return fault();
        }
        let now = now.seconds() + self.ahead.get();
        let body = request.body.as_ref().map(|(_, text)| text.to_string()).unwrap_or_default();
        let token = request.headers.iter().find(|(name, _)| name == "x-csrf-token").map(|(_, value)| value.clone());
        if request.method == "POST" {
            self.seen_tokens.borrow_mut().push(token.clone().unwrap_or_default());
            if token != Some(format!("csrf-{}", self.token.get())) {
                return Reply::json(403, r#"{"error":"csrf"}"#);
            }
        }
        match (request.method.as_str(), request.url.path()) {
            ("GET", "/csrf") => Reply::json(200, &format!(r#"{{"csrfToken":"csrf-{}"}}"#, self.token.get())),
            ("GET", "/session") => self.payload(now),
            ("POST", "/login") if body.contains("wonderland") => {
                *self.user.borrow_mut() = Some("alice");
                self.ends_at.set(now + 600);
                self.token.set(self.token.get() + 1);
                Reply::json(200, "{\"ok\":true}")
            }
            ("POST", "/login") => Reply::json(401, r#"{"error":"invalid_credentials"}"#),
            ("POST", "/extend") => {
                self.ends_at.set(now + 600);
                self.payload(now)
            }
            ("POST", "/logout") => {
                *self.user.borrow_mut() = None;
                Reply::json(204, "")
            }
            _ => Reply::json(404, "{}"),
        }
    }
}

/// In session mode no request has a credential of its own.
pub(crate) const ANY: CredentialName = CredentialName { epoch: 0, generation: 0 };

pub(crate) const OPTIONS: &str = r#"{"mode":"session","endpoints":{"session":"/session","login":"/login","logout":"/logout",
    "extend":"/extend","csrf":"/csrf"},"csrf":{"kind":"synchronizer","headerName":"x-csrf-token"},"recheck":{"intervalSeconds":120}}"#;

pub(crate) fn password(text: &str) -> Login {
    Login::Password {
        username: "alice".to_owned(),
        password: Password::new(text.to_owned()).unwrap(),
        extra: None,
        return_to: None,
        app_state: Some(Json::from("kept")),
    }
}

pub(crate) fn open(world: &Rc<World>) -> Page {
    let page = Page::open(world, APP, OPTIONS);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

pub(crate) fn signed_in(world: &Rc<World>) -> Page {
    let page = open(world);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    page
}

pub(crate) fn reason(page: &Page) -> Option<SignedOutReason> {
    if let Snapshot::Unauthenticated(reason, _) = page.client.snapshot() { Some(reason) } else { None }
}

pub(crate) const FIRST_PARTY: &str = r#"{"mode":"token","firstParty":{"baseUrl":"https://app.example","endpoints":
    {"login":"/auth/login","refresh":"/auth/refresh","logout":"/auth/logout"},"refreshCookie":COOKIE},
    "allowedOrigins":["https://api.example"]}"#;

pub(crate) fn first_party_world(log: &Rc<RefCell<Vec<String>>>, cookie_alive: &Rc<Cell<bool>>) -> Rc<World> {
    let (log, alive) = (Rc::clone(log), Rc::clone(cookie_alive));
    World::new(START, move |request, _| {
        let body = request.body.as_ref().map(|(_, text)| text.to_string()).unwrap_or_default();
        log.borrow_mut().push(format!("{} {body}", request.url.path()));
        let in_cookie = request.credentials == Credentials::Include;
        let refresh = if in_cookie { "" } else { r#","refresh_token":"refresh-1""# };
        let tokens = format!(
            r#"{{"access_token":"access-1","token_type":"bearer","expires_in":600{refresh},"user":{{"sub":"alice"}}}}"#
        );
        match request.url.path() {
            "/auth/login" if body.contains("wonderland") => {
                alive.set(true);
                Reply::json(200, &tokens)
            }
            "/auth/refresh" if alive.get() => Reply::json(200, &tokens),
            "/auth/logout" => {
                alive.set(false);
                Reply::json(204, "")
            }
            _ => Reply::json(401, r#"{"error":"unauthorized"}"#),
        }
    })
}
