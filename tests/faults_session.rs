//! Faults in session mode that once broke something, each as a story.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]
#![allow(dead_code, unused_imports, reason = "what the stories share is larger than what each uses")]

mod support;

use authsafe::error::ErrorCode;
use authsafe::machine::{Ending, Login, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::{Credentials, HttpFailure, HttpRequest};
use authsafe::types::{Json, Lifetime, Password, UnixMillis};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use support::{APP, Page, START};

/// A session server: one session, idle timeout, a synchronizer token.
struct Server {
    user: RefCell<Option<&'static str>>,
    ends_at: Cell<i64>,
    /// Its clock, ahead of the device's by so many seconds.
    ahead: Cell<i64>,
    token: Cell<u64>,
    fault: RefCell<Option<fn() -> Reply>>,
    seen_tokens: RefCell<Vec<String>>,
}

impl Server {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            user: RefCell::default(),
            ends_at: Cell::new(0),
            ahead: Cell::new(0),
            token: Cell::new(1),
            fault: RefCell::default(),
            seen_tokens: RefCell::default(),
        })
    }

    fn world(self: &Rc<Self>) -> Rc<World> {
        let server = Rc::clone(self);
        World::new(START, move |request, now| server.answer(request, now))
    }

    fn payload(&self, now: i64) -> Reply {
        match *self.user.borrow() {
            Some(user) if self.ends_at.get() > now => Reply::json(
                200,
                &format!(
                    r#"{{"user":{{"sub":"{user}"}},"issuedAt":{},"expiresAt":{},"serverTime":{now}}}"#,
                    self.ends_at.get() - 600,
                    self.ends_at.get()
                ),
            ),
            Some(_) | None => Reply::json(401, r#"{"error":"unauthenticated"}"#),
        }
    }

    fn answer(&self, request: &HttpRequest, now: UnixMillis) -> Reply {
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

const OPTIONS: &str = r#"{"mode":"session","endpoints":{"session":"/session","login":"/login","logout":"/logout",
    "extend":"/extend","csrf":"/csrf"},"csrf":{"kind":"synchronizer","headerName":"x-csrf-token"},"recheck":{"intervalSeconds":120}}"#;

fn password(text: &str) -> Login {
    Login::Password {
        username: "alice".to_owned(),
        password: Password::new(text.to_owned()).unwrap(),
        extra: None,
        return_to: None,
        app_state: Some(Json::from("kept")),
    }
}

fn open(world: &Rc<World>) -> Page {
    let page = Page::open(world, APP, OPTIONS);
    page.run(|client| async move { client.start().await.unwrap() });
    page
}

fn signed_in(world: &Rc<World>) -> Page {
    let page = open(world);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    page
}

fn reason(page: &Page) -> Option<SignedOutReason> {
    if let Snapshot::Unauthenticated(reason, _) = page.client.snapshot() { Some(reason) } else { None }
}

const FIRST_PARTY: &str = r#"{"mode":"token","firstParty":{"baseUrl":"https://app.example","endpoints":
    {"login":"/auth/login","refresh":"/auth/refresh","logout":"/auth/logout"},"refreshCookie":COOKIE},
    "allowedOrigins":["https://api.example"]}"#;

fn first_party_world(log: &Rc<RefCell<Vec<String>>>, cookie_alive: &Rc<Cell<bool>>) -> Rc<World> {
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

fn count(world: &World, what: &str) -> usize {
    world.requests.borrow().iter().filter(|r| r.contains(what)).count()
}

#[test]
fn a_session_endpoint_that_redirects_is_asked_at_a_measured_pace() {
    let server = Server::new();
    let world = server.world();
    let page = Page::open(&world, APP, &OPTIONS.replace(r#","recheck":{"intervalSeconds":120}"#, ""));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    *server.fault.borrow_mut() = Some(|| Reply::with(0, "text/html", ""));
    world.requests.borrow_mut().clear();
    world.advance(Lifetime::from_seconds(660));
    assert!(count(&world, "/session") < 20);
}

#[test]
fn a_session_that_ended_by_this_clock_only_is_asked_about_at_a_measured_pace() {
    let world = World::new(START, |_, now| {
        let now = now.seconds() - 3600;
        Reply::json(200, &format!(r#"{{"user":{{"sub":"a"}},"expiresAt":{}}}"#, now + 1800))
    });
    let page = Page::open(&world, APP, r#"{"mode":"session","endpoints":{"session":"/session"}}"#);
    page.run(|client| async move { client.start().await.unwrap() });
    world.advance(Lifetime::from_seconds(60));
    assert!(count(&world, "/session") < 20);
}

#[test]
fn extensions_at_the_same_time_share_one_request() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|c| async move { c.extend().await.unwrap() });
    world.requests.borrow_mut().clear();
    for _ in 0..50 {
        let c = page.client.clone();
        world.start(async move {
            let _ = c.renew().await;
        });
    }
    world.advance(Lifetime::from_seconds(5));
    assert_eq!(count(&world, "/extend"), 1);
}

#[test]
fn a_user_without_a_subject_may_change_by_a_renewal() {
    let n = Rc::new(Cell::new(0_u64));
    let world = World::new(START, move |request, _| {
        n.set(n.get() + 1);
        match request.url.path() {
            "/auth/logout" => Reply::json(204, ""),
            _ => Reply::json(
                200,
                &format!(
                    r#"{{"access_token":"a","refresh_token":"r","token_type":"bearer","expires_in":600,"user":{{"id":1,"seen":{}}}}}"#,
                    n.get()
                ),
            ),
        }
    });
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "false"));
    page.run(|client| async move { client.start().await.unwrap() });
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    let r = page.run(|c| async move { c.renew().await });
    assert!(r.is_ok());
}
