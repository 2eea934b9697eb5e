//! Session mode and first-party tokens, on virtual time.
#![cfg(not(target_arch = "wasm32"))]
#![allow(clippy::unwrap_used, reason = "a story whose setting fails has failed")]

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

#[test]
fn a_user_signs_in_and_out_with_a_csrf_token_that_is_fetched_on_demand() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    let arrived = page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    assert_eq!(arrived.app_state, Some(Json::from("kept")));
    assert_eq!(page.events(), ["SignedIn"]);
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::LoggedOut));
    // The server changed its token with the new session; the old one was not sent again.
    assert_eq!(*server.seen_tokens.borrow(), ["csrf-1", "csrf-2"]);
}

#[test]
fn a_wrong_password_changes_nothing_and_says_so() {
    let server = Server::new();
    let world = server.world();
    let page = open(&world);
    let error = page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::CredentialsRejected);
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(page.events().is_empty());
}

#[test]
fn a_wrong_password_leaves_the_session_of_before_in_force() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(page.status(), "authenticated");
}

#[test]
fn the_end_of_the_session_is_the_servers_word_and_comes_once() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(595));
    assert_eq!(page.status(), "authenticated");
    world.advance(Lifetime::from_seconds(10));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired));
    assert_eq!(page.events(), ["SignedIn", "Expiring", "SignedOut"]);
}

#[test]
fn an_extended_session_lives_on() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(500));
    page.run(|client| async move { client.extend().await.unwrap() });
    world.advance(Lifetime::from_seconds(500));
    assert_eq!(page.status(), "authenticated");
    assert!(page.events().contains(&"Refreshed".to_owned()));
}

#[test]
fn a_session_is_prolonged_by_itself_only_where_the_application_asks_for_it() {
    for (proactive, events) in [("true", &["SignedIn", "Refreshed"][..]), ("false", &["SignedIn", "Expiring"][..])] {
        let server = Server::new();
        let world = server.world();
        let options = OPTIONS.replace(r#""mode""#, &format!(r#""refresh":{{"proactive":{proactive}}},"mode""#));
        let page = Page::open(&world, APP, &options);
        page.run(|client| async move { client.start().await.unwrap() });
        page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
        world.advance(Lifetime::from_seconds(595));
        assert_eq!(page.events(), events);
    }
}

#[test]
fn a_server_that_fails_signs_nobody_out() {
    for fault in [
        || Reply::failure(HttpFailure::NetworkOrCors),
        || Reply::with(500, "text/html", "<h1>"),
        || Reply::with(200, "text/html", "<form>"),
        || Reply::json(200, r#"{"error":"oops"}"#),
        || Reply::json(200, "{}"),
    ] {
        let server = Server::new();
        let world = server.world();
        let page = signed_in(&world);
        *server.fault.borrow_mut() = Some(fault);
        let error = page.run(|client| async move { client.check().await.unwrap_err() });
        assert_eq!(page.status(), "authenticated", "{error:?}");
        *server.fault.borrow_mut() = None;
        page.run(|client| async move { client.check().await.unwrap().unwrap() });
    }
}

#[test]
fn a_server_that_cannot_be_asked_at_start_is_asked_again() {
    let server = Server::new();
    let world = server.world();
    *server.user.borrow_mut() = Some("alice");
    server.ends_at.set(START.seconds() + 600);
    *server.fault.borrow_mut() = Some(|| Reply::failure(HttpFailure::NetworkOrCors));
    let page = Page::open(&world, APP, OPTIONS);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(error.unwrap().code, ErrorCode::NetworkOrCors);
    assert_eq!(reason(&page), Some(SignedOutReason::Error));
    *server.fault.borrow_mut() = None;
    world.advance(Lifetime::from_seconds(10));
    assert_eq!(page.status(), "authenticated");
}

#[test]
fn expiry_is_judged_by_the_servers_clock() {
    for ahead in [-86_400, 86_400] {
        let server = Server::new();
        server.ahead.set(ahead);
        let world = server.world();
        let page = signed_in(&world);
        let facts = page.run(|client| async move { client.check().await.unwrap().unwrap() });
        // The answer was under way for 50 ms.
        assert!((facts.skew - ahead * 1000).abs() < 2000, "{}", facts.skew);
        world.advance(Lifetime::from_seconds(500));
        assert_eq!(page.status(), "authenticated");
        world.advance(Lifetime::from_seconds(110));
        assert_eq!(reason(&page), Some(SignedOutReason::Expired));
    }
}

#[test]
fn another_user_in_the_same_browser_is_noticed() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    *server.user.borrow_mut() = Some("bob");
    page.run(|client| async move { client.check().await.unwrap() });
    assert_eq!(page.events(), ["SignedIn", "UserChanged"]);
}

#[test]
fn a_sign_in_and_a_sign_out_reach_the_other_tab() {
    let server = Server::new();
    let world = server.world();
    let other = open(&world);
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(other.status(), "authenticated");
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(reason(&other), Some(SignedOutReason::LoggedOutElsewhere));
}

#[test]
fn unsafe_requests_carry_the_csrf_header_and_must_not_follow_redirects() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    let post =
        page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap().unwrap() });
    assert_eq!(post.headers, [("x-csrf-token".to_owned(), "csrf-2".to_owned())]);
    assert!(post.refuse_redirects);
    let get =
        page.run(|client| async move { client.authorize("https://app.example/api", "GET").await.unwrap().unwrap() });
    assert!(get.headers.is_empty() && !get.refuse_redirects);
    let foreign = page.run(|client| async move { client.authorize("https://evil.example/", "POST").await.unwrap() });
    assert_eq!(foreign, None);
}

#[test]
fn a_csrf_token_that_the_server_no_longer_accepts_is_fetched_anew_for_one_replay() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap() });
    server.token.set(9);
    assert!(page.run(|client| async move { client.answered(0, 403, None).await }));
    let post =
        page.run(|client| async move { client.authorize("https://app.example/api", "POST").await.unwrap().unwrap() });
    assert_eq!(post.headers[0].1, "csrf-9");
}

#[test]
fn a_401_from_the_api_makes_the_session_server_decide() {
    let server = Server::new();
    let world = server.world();
    let page = signed_in(&world);
    world.advance(Lifetime::from_seconds(20));
    assert!(!page.run(|client| async move { client.answered(0, 401, None).await }));
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(page.status(), "authenticated");
    *server.user.borrow_mut() = None;
    world.advance(Lifetime::from_seconds(20));
    assert!(!page.run(|client| async move { client.answered(0, 401, None).await }));
    world.advance(Lifetime::from_seconds(1));
    assert_eq!(reason(&page), Some(SignedOutReason::Expired));
}

#[test]
fn a_session_that_the_server_rendered_needs_no_first_round_trip() {
    let server = Server::new();
    let world = server.world();
    let now = START.seconds();
    let known = format!(
        r#"{},"initialSession":{{"user":{{"sub":"alice"}},"expiresAt":{},"serverTime":{now}}}}}"#,
        OPTIONS.trim_end_matches('}').to_owned() + "}",
        now + 600
    );
    let page = Page::open(&world, APP, &known);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    assert!(world.requests.borrow().is_empty());
    let nobody = format!(r#"{},"initialSession":null}}"#, OPTIONS.trim_end_matches('}').to_owned() + "}");
    let page = Page::open(&world, APP, &nobody);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(world.requests.borrow().is_empty());
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

#[test]
fn a_first_party_login_gives_tokens_that_are_renewed_and_ended_there() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let page = Page::open(&world, APP, &FIRST_PARTY.replace("COOKIE", "false"));
    page.run(|client| async move { client.start().await.unwrap() });
    let error = page.run(|client| async move { client.login(password("wrong")).await.unwrap_err() });
    assert_eq!(error.code, ErrorCode::CredentialsRejected);
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.run(|client| async move { client.renew().await.unwrap() });
    page.run(|client| async move { client.logout(Ending::Provider).await.unwrap() });
    let log = log.borrow();
    assert!(log.iter().any(|line| line.starts_with("/auth/refresh") && line.contains("refresh-1")), "{log:?}");
    assert!(log.last().unwrap().contains("refresh-1"), "{log:?}");
}

#[test]
fn a_refresh_cookie_brings_the_session_back_after_a_reload_and_its_end_is_no_failure() {
    let (log, alive) = (Rc::default(), Rc::new(Cell::new(false)));
    let world = first_party_world(&log, &alive);
    let options = FIRST_PARTY.replace("COOKIE", "true");
    let page = Page::open(&world, APP, &options);
    let (_, error) = page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!((error, reason(&page)), (None, Some(SignedOutReason::Never)));
    page.run(|client| async move { client.login(password("wonderland")).await.unwrap() });
    page.client.dispose();
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(page.status(), "authenticated");
    page.run(|client| async move { client.logout(Ending::Local).await.unwrap() });
    let page = Page::open(&world, APP, &options);
    page.run(|client| async move { client.start().await.unwrap() });
    assert_eq!(reason(&page), Some(SignedOutReason::Never));
    assert!(!log.borrow().join("\n").contains("refresh-1"));
}
