//! An authorization server with a grant for each sign-in, and an API that takes its tokens. It goes by true time, whatever the
//! clocks of devices show, and treats used refresh tokens as servers do: strictly, with grace, or not at all.

use super::{ISSUER, keys, param};
use authsafe::ports::fake::{Reply, World};
use authsafe::protocol::http::{HttpFailure, HttpRequest};
use authsafe::types::Lifetime;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rotation {
    /// It stays.
    Never,
    /// Another takes its place; that it is used again ends the grant.
    Strict,
    /// The same, but for so many seconds it may be used again, and brings what it brought.
    Grace(i64),
}

/// What goes wrong with a token request.
pub(crate) enum Fault {
    /// Something else answers, and the server never sees the request.
    Instead(Reply),
    /// The server answers, and that is lost.
    Lost(HttpFailure),
    /// The answer takes its time.
    Slow(Lifetime),
}

struct Grant {
    sub: String,
    current: String,
    /// The one before, and until when it is still good.
    before: Option<(String, i64)>,
    alive: bool,
}

pub(crate) struct Grants {
    pub(crate) rotation: Cell<Rotation>,
    /// Of access tokens, in seconds.
    pub(crate) lifetime: Cell<i64>,
    /// What goes wrong with the next token requests.
    pub(crate) faults: RefCell<VecDeque<Fault>>,
    /// Nothing is reachable.
    pub(crate) down: Cell<bool>,
    /// Refresh tokens that were used again although they were spent.
    pub(crate) reused: Cell<u32>,
    grants: RefCell<Vec<Grant>>,
    /// Code: nonce and user.
    codes: RefCell<BTreeMap<String, (String, String)>>,
    /// Access token: grant, and end in true time.
    access: RefCell<BTreeMap<String, (usize, i64)>>,
    count: Cell<u64>,
}

impl Grants {
    pub(crate) fn new(rotation: Rotation) -> Rc<Self> {
        Rc::new(Self {
            rotation: Cell::new(rotation),
            lifetime: Cell::new(600),
            faults: RefCell::default(),
            down: Cell::new(false),
            reused: Cell::new(0),
            grants: RefCell::default(),
            codes: RefCell::default(),
            access: RefCell::default(),
            count: Cell::new(0),
        })
    }

    /// A browser on the network of this server.
    pub(crate) fn world(self: &Rc<Self>) -> Rc<World> {
        let world = World::new(super::START, |_, _| Reply::failure(HttpFailure::NetworkOrCors));
        let (server, of) = (Rc::clone(self), Rc::downgrade(&world));
        world.serve(move |request, _| {
            let now = of.upgrade().map_or(0, |world| world.running());
            if server.down.get() {
                return Reply::failure(HttpFailure::NetworkOrCors);
            }
            server.answer(request, now).header("date", &http_date(now / 1000))
        });
        world
    }

    /// `user` signs in at this address of the authorization endpoint; where the page comes back to.
    pub(crate) fn authorize(&self, url: &str, user: &str) -> String {
        let code = format!("code-{}", self.next());
        self.codes.borrow_mut().insert(code.clone(), (param(url, "nonce"), user.to_owned()));
        let issuer = ISSUER.replace(':', "%3A").replace('/', "%2F");
        format!("{}?code={code}&state={}&iss={issuer}", param(url, "redirect_uri"), param(url, "state"))
    }

    /// The APIs do not take access tokens of before any more.
    pub(crate) fn revoke_access(&self) {
        self.access.borrow_mut().clear();
    }

    /// What ended before `now` is forgotten. A grant keeps its place, so that its tokens find it, and nothing else.
    pub(crate) fn tidy(&self, now: i64) {
        self.access.borrow_mut().retain(|_, (_, end)| *end > now);
        self.codes.borrow_mut().clear();
        for grant in self.grants.borrow_mut().iter_mut().filter(|grant| !grant.alive) {
            grant.current.clear();
            grant.before = None;
        }
    }

    fn next(&self) -> u64 {
        self.count.set(self.count.get() + 1);
        self.count.get()
    }

    fn answer(&self, request: &HttpRequest, now: i64) -> Reply {
        let body = request.body.as_ref().map(|(_, text)| text.to_string()).unwrap_or_default();
        match (request.url.origin(), request.url.path()) {
            (ISSUER, "/.well-known/openid-configuration") => Reply::json(200, &metadata()),
            (ISSUER, "/jwks") => Reply::json(200, &keys::jwks()),
            // Somebody only looks whether the server is there.
            (ISSUER, "/token") if request.method != "POST" => Reply::with(405, "text/plain", ""),
            (ISSUER, "/token") => match self.faults.borrow_mut().pop_front() {
                Some(Fault::Instead(reply)) => reply,
                Some(Fault::Lost(failure)) => self.token(&body, now).lost(failure),
                Some(Fault::Slow(after)) => self.token(&body, now).slow(after),
                None => self.token(&body, now),
            },
            (ISSUER, "/revoke") => {
                let token = param(&body, "token");
                for grant in self.grants.borrow_mut().iter_mut().filter(|grant| grant.current == token) {
                    grant.alive = false;
                }
                self.access.borrow_mut().remove(&token);
                Reply::json(200, "")
            }
            ("https://api.example", _) => self.api(request, now),
            (_, path) => Reply::with(404, "text/html", path),
        }
    }

    fn api(&self, request: &HttpRequest, now: i64) -> Reply {
        let header = request.headers.iter().find(|(name, _)| name == "authorization");
        let token = header.and_then(|(_, value)| value.strip_prefix("Bearer ")).unwrap_or_default();
        match self.access.borrow().get(token) {
            Some((_, end)) if *end > now => Reply::json(200, "{}"),
            Some(_) | None => Reply::json(401, "{}").header("www-authenticate", r#"Bearer error="invalid_token""#),
        }
    }

    fn token(&self, body: &str, now: i64) -> Reply {
        let refused = || Reply::json(400, r#"{"error":"invalid_grant"}"#);
        if param(body, "grant_type") == "authorization_code" {
            let Some((nonce, sub)) = self.codes.borrow_mut().remove(&param(body, "code")) else { return refused() };
            let current = format!("refresh-{}", self.next());
            self.grants.borrow_mut().push(Grant { sub, current, before: None, alive: true });
            let grant = self.grants.borrow().len() - 1;
            return self.tokens(grant, &nonce, now);
        }
        let shown = param(body, "refresh_token");
        let mut grants = self.grants.borrow_mut();
        let known = grants.iter_mut().enumerate().find(|(_, grant)| {
            grant.current == shown || grant.before.as_ref().is_some_and(|(before, _)| *before == shown)
        });
        let Some((place, grant)) = known.filter(|(_, grant)| grant.alive) else { return refused() };
        let again = grant.current != shown;
        if again && grant.before.as_ref().is_none_or(|(_, end)| *end < now) {
            self.reused.set(self.reused.get() + 1);
            grant.alive = false;
            return refused();
        }
        let grace = match self.rotation.get() {
            Rotation::Never => None,
            Rotation::Strict => Some(0),
            Rotation::Grace(seconds) => Some(seconds * 1000),
        };
        if let Some(grace) = grace.filter(|_| !again) {
            let next = format!("refresh-{}", self.next());
            let end = if grace > 0 { now + grace } else { i64::MIN };
            grant.before = Some((std::mem::replace(&mut grant.current, next), end));
        }
        drop(grants);
        self.tokens(place, "", now)
    }

    fn tokens(&self, grant: usize, nonce: &str, now: i64) -> Reply {
        let (count, life) = (self.next(), self.lifetime.get());
        let access = format!("access-{count}");
        self.access.borrow_mut().insert(access.clone(), (grant, now + life * 1000));
        let grants = self.grants.borrow();
        let Some(Grant { sub, current, .. }) = grants.get(grant) else { return Reply::json(500, "{}") };
        let (iat, exp) = (now / 1000, now / 1000 + 3600);
        let nonce = if nonce.is_empty() { String::new() } else { format!(r#","nonce":"{nonce}""#) };
        let claims = format!(r#"{{"iss":"{ISSUER}","aud":"app","sub":"{sub}","iat":{iat},"exp":{exp}{nonce}}}"#);
        let id_token = keys::signed(&claims);
        let text = format!(
            r#"{{"access_token":"{access}","token_type":"Bearer","expires_in":{life},"refresh_token":"{current}","id_token":"{id_token}"}}"#
        );
        Reply::json(200, &text)
    }
}

fn metadata() -> String {
    format!(
        r#"{{"issuer":"{ISSUER}","authorization_endpoint":"{ISSUER}/authorize","token_endpoint":"{ISSUER}/token",
        "revocation_endpoint":"{ISSUER}/revoke","jwks_uri":"{ISSUER}/jwks",
        "authorization_response_iss_parameter_supported":true,"code_challenge_methods_supported":["S256"]}}"#
    )
}

/// RFC 9110 §5.6.7.
pub(crate) fn http_date(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Civil date of a day count, by eras of 400 years.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let name = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days.rem_euclid(7) as usize];
    let of = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][month as usize - 1];
    format!("{name}, {day:02} {of} {year} {:02}:{:02}:{:02} GMT", rest / 3600, rest / 60 % 60, rest % 60)
}
