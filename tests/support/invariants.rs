//! What must hold whatever happens, I1 to I8, looked for in what a browser of these stories has seen and holds.
//!
//! | | |
//! |---|---|
//! | I1 | the refresh token that the server issued last is stored or held, or the session has ended for a reason |
//! | I2 | at most one token request is under way per session in the whole browser |
//! | I3 | every promise settles |
//! | I4 | one event per transition in every tab, and tabs that share a medium agree |
//! | I5 | no credential is used after a sign-out |
//! | I6 | no storm of token requests |
//! | I7 | no secret in a report, an error, an address or a message |
//! | I8 | calls get the current token until its end |
//!
//! What the servers said is read from the log of the [`World`], so the checker believes no client.

use super::param;
use authsafe::client::{Client, Report};
use authsafe::error::Error;
use authsafe::machine::{Notice, SignedOutReason, Snapshot};
use authsafe::ports::fake::{Exchange, Tab, World};
use authsafe::types::{Json, Lifetime};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// More token requests of one session than this within a minute are a storm.
pub(crate) const MOST_A_MINUTE: usize = 10;

/// Longer than the longest wait of a client: for the lock, then for metadata, then for the token.
const LONGEST: Lifetime = Lifetime::from_seconds(120);

/// A client that is watched.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) tab: Tab,
    pub(crate) client: Client<Tab>,
    pub(crate) reports: Rc<RefCell<Vec<Report>>>,
    /// What was at each report.
    pub(crate) marks: Rc<RefCell<Vec<Mark>>>,
    /// The client again, for whoever makes the marks.
    pub(crate) own: Rc<RefCell<Option<Client<Tab>>>>,
}

/// What was when a client reported something.
#[derive(Clone, Default)]
pub(crate) struct Mark {
    /// How long the log was.
    log: usize,
    /// The access token that the client held.
    holding: Option<String>,
}

impl Mark {
    pub(crate) fn now(world: &World, client: Option<&Client<Tab>>) -> Self {
        let holding = client
            .and_then(|client| client.inside().session)
            .and_then(|session| Some(session.tokens()?.access.expose().to_owned()));
        Self { log: world.log.borrow().len(), holding }
    }
}

thread_local! {
    static WATCHED: RefCell<Vec<Watched>> = const { RefCell::new(Vec::new()) };
}

/// From now on this client is looked at.
pub(crate) fn watch(watched: Watched) {
    WATCHED.with_borrow_mut(|all| all.push(watched));
}

/// What was seen so far is forgotten, and with it every client that is gone.
pub(crate) fn forget(world: &Rc<World>) {
    world.log.borrow_mut().clear();
    world.said.borrow_mut().clear();
    world.requests.borrow_mut().clear();
    WATCHED.with_borrow_mut(|all| {
        all.retain(|each| {
            let stays = is_live(each) && !is_disposed(each);
            if !stays {
                // It holds itself otherwise.
                each.own.borrow_mut().take();
            }
            stays
        });
    });
    for each in of(world) {
        each.tab.navigations.borrow_mut().clear();
        // The last state and the last events are what the next ones are compared with.
        let from = each.reports.borrow().iter().rposition(|report| matches!(report, Report::State(_))).unwrap_or(0);
        let signed = each.reports.borrow().iter().rev().find(|report| signs(report).is_some()).cloned();
        let kept: Vec<Report> = signed.into_iter().chain(each.reports.borrow().get(from).cloned()).collect();
        *each.marks.borrow_mut() = vec![Mark::default(); kept.len()];
        *each.reports.borrow_mut() = kept;
    }
}

/// Fails the story if an invariant is broken.
pub(crate) fn hold(world: &Rc<World>) {
    let broken = violations(world);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

fn of(world: &Rc<World>) -> Vec<Watched> {
    WATCHED.with_borrow(|all| all.iter().filter(|each| Rc::ptr_eq(&each.tab.world, world)).cloned().collect())
}

/// Everything that is wrong, each with the number of what it breaks.
pub(crate) fn violations(world: &Rc<World>) -> Vec<String> {
    let pages = of(world);
    let mut broken = Vec::new();
    settled(world, &pages, &mut broken);
    let log = world.log.borrow().clone();
    let ledger = Ledger::read(&log);
    newest_is_held(world, &pages, &log, &ledger, &mut broken);
    one_at_a_time(&log, &ledger, &mut broken);
    told_once(world, &pages, &mut broken);
    nothing_after_sign_out(&pages, &log, &ledger, &mut broken);
    no_storm(&log, &ledger, &mut broken);
    nothing_shown(world, &pages, &log, &ledger, &mut broken);
    served(world, &pages, &ledger, &mut broken);
    broken
}

/// A refresh token and what came of it: tokens that the server issued one for the other.
struct Chain {
    /// Token, and the exchange that brought it.
    tokens: Vec<(String, usize)>,
    /// The server has said that it is over, or was asked to end it.
    over: bool,
    /// Its access tokens are bound to a key.
    bound: bool,
}

impl Chain {
    fn place(&self, token: &str) -> Option<usize> {
        self.tokens.iter().rposition(|(each, _)| each == token)
    }
}

/// What the servers said.
#[derive(Default)]
struct Ledger {
    chains: Vec<Chain>,
    /// Access token: its chain, if any; the exchange that brought it; and when it ends, in running time.
    access: BTreeMap<String, (Option<usize>, usize, Option<i64>)>,
    /// The chain that each exchange asked about, and the token it showed.
    shown: BTreeMap<usize, (usize, String)>,
    secrets: BTreeSet<String>,
}

impl Ledger {
    fn read(log: &[Exchange]) -> Self {
        let mut ledger = Self::default();
        for (at, exchange) in log.iter().enumerate() {
            ledger.enter(at, exchange);
        }
        ledger
    }

    fn chain_of(&self, token: &str) -> Option<usize> {
        self.chains.iter().position(|chain| chain.place(token).is_some())
    }

    fn enter(&mut self, at: usize, exchange: &Exchange) {
        for name in ["refresh_token", "code", "code_verifier", "password"] {
            self.keep_secret(&sent(exchange, name));
        }
        let path = exchange.url.split('?').next().unwrap_or_default();
        let leaves = path.ends_with("/revoke") || path.ends_with("/logout");
        let presented = if leaves { sent(exchange, "token") } else { String::new() };
        let presented = if presented.is_empty() { sent(exchange, "refresh_token") } else { presented };
        let chain = self.chain_of(&presented);
        if leaves {
            if let Some(chain) = chain.and_then(|at| self.chains.get_mut(at)) {
                chain.over = true;
            }
            return;
        }
        let bound = false;
        let chain = chain.or_else(|| {
            (!presented.is_empty()).then(|| {
                self.chains.push(Chain { tokens: vec![(presented.clone(), at)], over: false, bound });
                self.chains.len() - 1
            })
        });
        if let Some(chain) = chain {
            self.shown.insert(at, (chain, presented));
        }
        let Some(answer) = Json::parse(&exchange.answer) else { return };
        let text = |name| answer.get(name).and_then(Json::text).filter(|text| !text.is_empty()).map(str::to_owned);
        for secret in ["access_token", "refresh_token", "id_token"].into_iter().filter_map(text) {
            self.keep_secret(&secret);
        }
        if matches!(exchange.status, Some(400 | 401)) && text("error").as_deref() == Some("invalid_grant") {
            if let Some(chain) = chain.and_then(|at| self.chains.get_mut(at)) {
                chain.over = true;
            }
            return;
        }
        let kind = text("token_type").is_some_and(|kind| ["bearer", "dpop"].contains(&kind.to_lowercase().as_str()));
        let (Some(200), true, true, Some(access)) = (exchange.status, exchange.json, kind, text("access_token")) else {
            return;
        };
        let bound = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("dpop"));
        if let Some(chain) = chain.and_then(|at| self.chains.get_mut(at)).filter(|chain| chain.bound && !bound) {
            // Whoever stops binding has ended what was bound.
            chain.over = true;
            return;
        }
        let chain = match (chain, text("refresh_token")) {
            (Some(chain), Some(token)) => {
                let known = self.chains.get_mut(chain);
                if let Some(chain) = known.filter(|chain| chain.tokens.last().is_none_or(|(last, _)| *last != token)) {
                    chain.tokens.push((token, at));
                }
                Some(chain)
            }
            (None, Some(token)) => {
                self.chains.push(Chain { tokens: vec![(token, at)], over: false, bound });
                Some(self.chains.len() - 1)
            }
            (chain, None) => chain,
        };
        let life = answer.get("expires_in").and_then(Json::number).map(|seconds| (seconds.min(1e9) * 1000.0) as i64);
        self.access.insert(access, (chain, at, life.map(|life| exchange.at.saturating_add(life))));
    }

    fn keep_secret(&mut self, text: &str) {
        if text.len() >= 6 {
            self.secrets.insert(text.to_owned());
        }
    }
}

/// A member of a body, whichever way it is written.
fn sent(exchange: &Exchange, name: &str) -> String {
    match Json::parse(&exchange.body) {
        Some(json) => json.get(name).and_then(Json::text).unwrap_or_default().to_owned(),
        None => param(&exchange.body, name),
    }
}

fn is_live(page: &Watched) -> bool {
    !page.tab.world.crashed(page.tab.id)
}

fn is_disposed(page: &Watched) -> bool {
    page.client.inside().disposed
}

fn refresh_token(page: &Watched) -> Option<String> {
    Some(page.client.inside().session?.tokens()?.refresh.as_ref()?.expose().to_owned())
}

fn access_token(page: &Watched) -> Option<String> {
    Some(page.client.inside().session?.tokens()?.access.expose().to_owned())
}

fn newest_is_held(world: &Rc<World>, pages: &[Watched], log: &[Exchange], ledger: &Ledger, broken: &mut Vec<String>) {
    // Spent tokens that are sent again.
    for (at, (chain, token)) in &ledger.shown {
        let (Some(chain), Some(exchange)) = (ledger.chains.get(*chain), log.get(*at)) else { continue };
        let successor = chain.place(token).and_then(|place| chain.tokens.get(place + 1));
        let Some((newer, by)) = successor else { continue };
        let arrived =
            log.get(*by).is_some_and(|by| by.arrived.is_some_and(|at| at <= exchange.at) && !world.crashed(by.tab));
        if by < at && arrived {
            broken.push(format!("I1: tab {} sent {token}, which was spent for {newer}", exchange.tab));
        }
    }
    // What cannot be reached holds nothing.
    let reachable = world.store_failure.get().is_none();
    let mut media: Vec<String> = world.shared.borrow().values().filter(|_| reachable).cloned().collect();
    media.extend(pages.iter().filter(|page| !page.tab.store.is_shared()).map(|page| page.tab.store.dump()));
    let holding: Vec<_> = pages.iter().filter(|page| is_live(page)).filter_map(refresh_token).collect();
    for chain in &ledger.chains {
        let is_held = |token: &str| {
            let stored = ["\"", token, "\""].concat();
            holding.iter().any(|each| each == token) || media.iter().any(|text| text.contains(&stored))
        };
        let arrived = |by: &usize| log.get(*by).is_some_and(|by| by.arrived.is_some() && !world.crashed(by.tab));
        // What never arrived, or arrived in a tab that is gone, nobody can hold.
        let Some((newest, _)) = chain.tokens.last().filter(|(_, by)| arrived(by) && !chain.over) else { continue };
        let stale: Vec<_> = chain.tokens.iter().map(|(token, _)| token).filter(|token| is_held(token)).collect();
        if !stale.is_empty() && !is_held(newest) {
            broken.push(format!("I1: {newest} was issued last, and {stale:?} is what is held"));
        }
        if !stale.is_empty() {
            continue;
        }
        // Nobody holds it any more. Then somebody must have wished so.
        let its = |token: Option<String>| {
            let known = token.and_then(|token| ledger.access.get(&token)).and_then(|(chain, ..)| *chain);
            known.and_then(|at| ledger.chains.get(at)).is_some_and(|its| std::ptr::eq(its, chain))
        };
        for page in pages.iter().filter(|page| is_live(page)) {
            let (reports, marks) = (page.reports.borrow(), page.marks.borrow());
            // Unless it is signed in again.
            let last = reports.iter().enumerate().rev().find(|(_, report)| signs(report).is_some());
            if let Some((at, Report::Event(Notice::SignedOut(reason, _)))) = last {
                let held = marks.iter().take(at).rev().find_map(|mark| mark.holding.clone());
                let by_itself = matches!(reason, SignedOutReason::Expired | SignedOutReason::Revoked);
                if by_itself && its(held) {
                    broken.push(format!("I1: tab {} ended a session that {newest} would have renewed", page.tab.id));
                }
            }
            if its(access_token(page)) && page.tab.store.is_shared() {
                broken.push(format!("I1: tab {} is signed in, and {newest} is lost", page.tab.id));
            }
        }
    }
}

fn one_at_a_time(log: &[Exchange], ledger: &Ledger, broken: &mut Vec<String>) {
    let asked: Vec<_> =
        ledger.shown.iter().filter_map(|(at, (chain, _))| log.get(*at).map(|each| (*chain, each))).collect();
    for (at, (chain, one)) in asked.iter().enumerate() {
        for (other_chain, other) in asked.iter().skip(at + 1) {
            if chain == other_chain && other.at < one.until && one.at < other.until {
                broken.push(format!("I2: tabs {} and {} renewed at once, at {}", one.tab, other.tab, other.at));
            }
        }
    }
}

fn settled(world: &Rc<World>, pages: &[Watched], broken: &mut Vec<String>) {
    let waits = |page: &&Watched| page.client.inside().promises > 0 && is_live(page) && !world.is_frozen(page.tab.id);
    if pages.iter().any(|page| waits(&page)) {
        world.advance(LONGEST);
    }
    for page in pages.iter().filter(waits) {
        broken.push(format!("I3: {} promises hang in tab {}", page.client.inside().promises, page.tab.id));
    }
}

/// Whether a report says that somebody is signed in from then on, or nobody.
fn signs(report: &Report) -> Option<bool> {
    match report {
        Report::Event(Notice::SignedIn(..) | Notice::UserChanged(..)) => Some(true),
        Report::Event(Notice::SignedOut(..)) => Some(false),
        Report::Event(
            Notice::Refreshed(..)
            | Notice::RefreshFailed(..)
            | Notice::Expiring(_)
            | Notice::IdleWarning(_)
            | Notice::StorageDegraded(_),
        )
        | Report::State(_) => None,
    }
}

fn told_once(world: &Rc<World>, pages: &[Watched], broken: &mut Vec<String>) {
    for page in pages {
        let reports = page.reports.borrow();
        let states: Vec<_> = reports.iter().filter(|report| matches!(report, Report::State(_))).collect();
        for pair in states.windows(2).filter(|pair| pair.first() == pair.last()) {
            broken.push(format!("I4: tab {} reported the same state twice: {:?}", page.tab.id, pair.first()));
        }
        let mut known = None;
        for report in reports.iter() {
            match (signs(report), known) {
                // A session of an earlier page load may end before it was shown.
                (Some(false), Some(false)) => {
                    broken.push(format!("I4: tab {} signed out somebody that it had not signed in", page.tab.id));
                }
                (signed, _) => known = signed.or(known),
            }
        }
        let shown = states
            .last()
            .map(|report| matches!(report, Report::State(Snapshot::Authenticated(..) | Snapshot::Locked(_))));
        let settled = !matches!(states.last(), Some(Report::State(Snapshot::Authenticating(_))));
        if settled && known.is_some() && shown.is_some() && known != shown && is_live(page) && !is_disposed(page) {
            broken.push(format!("I4: tab {} shows {shown:?} and said {known:?}", page.tab.id));
        }
    }
    // Tabs that hear each other and share a medium show the same.
    let sharing: Vec<_> = pages
        .iter()
        .filter(|page| page.tab.store.is_shared() && world.hears(page.tab.id) && !is_disposed(page))
        .collect();
    // What could not be stored, no other tab can know; the application was told.
    let degraded = |page: &Watched| {
        page.reports.borrow().iter().any(|each| matches!(each, Report::Event(Notice::StorageDegraded(_))))
    };
    let lost = world.store_failure.get().is_some() || pages.iter().any(degraded);
    let who = |page: &Watched| match page.client.snapshot() {
        Snapshot::Authenticated(_, facts, _) => facts.sub.clone().unwrap_or_default(),
        Snapshot::Locked(user) => user.get("sub").and_then(Json::text).unwrap_or_default().to_owned(),
        Snapshot::Unauthenticated(..) => "nobody".to_owned(),
        Snapshot::Initializing | Snapshot::Authenticating(_) => "unknown".to_owned(),
    };
    let seen: BTreeSet<_> = sharing.iter().map(|page| who(page)).filter(|who| who != "unknown").collect();
    if seen.len() > 1 && !lost {
        let each: Vec<_> = sharing.iter().map(|page| format!("tab {} {}", page.tab.id, who(page))).collect();
        broken.push(format!("I4: tabs that share a medium show {each:?}"));
    }
}

fn nothing_after_sign_out(pages: &[Watched], log: &[Exchange], ledger: &Ledger, broken: &mut Vec<String>) {
    for page in pages {
        let (reports, marks) = (page.reports.borrow(), page.marks.borrow());
        for (place, (report, mark)) in reports.iter().zip(marks.iter()).enumerate() {
            let Report::Event(Notice::SignedOut(reason, _)) = report else { continue };
            let wished = [SignedOutReason::LoggedOut, SignedOutReason::LoggedOutElsewhere, SignedOutReason::Idle];
            if !wished.contains(reason) {
                continue;
            }
            let held: BTreeSet<_> = marks.iter().take(place).filter_map(|mark| mark.holding.clone()).collect();
            let chain_of = |token: &str| ledger.access.get(token).and_then(|(chain, ..)| *chain);
            let over: BTreeSet<_> = held.iter().filter_map(|token| chain_of(token)).collect();
            for (at, exchange) in log.iter().enumerate().skip(mark.log).filter(|(_, each)| each.tab == page.tab.id) {
                let path = exchange.url.split('?').next().unwrap_or_default();
                let token = exchange.authorization.as_ref().and_then(|text| text.split(' ').nth(1));
                let access = token.is_some_and(|token| {
                    held.contains(token) || chain_of(token).is_some_and(|chain| over.contains(&chain))
                });
                let renewal = ledger.shown.get(&at).is_some_and(|(chain, _)| over.contains(chain));
                if !path.ends_with("/logout") && (access || renewal) {
                    broken.push(format!("I5: tab {} used a credential after its sign-out: {path}", page.tab.id));
                }
            }
        }
    }
}

fn no_storm(log: &[Exchange], ledger: &Ledger, broken: &mut Vec<String>) {
    let mut times: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for (at, (chain, _)) in &ledger.shown {
        times.entry(*chain).or_default().extend(log.get(*at).map(|each| each.at));
    }
    for times in times.values() {
        let window = times
            .windows(MOST_A_MINUTE + 1)
            .find(|window| window.first().zip(window.last()).is_some_and(|(first, last)| last - first < 60_000));
        if let Some(window) = window {
            broken.push(format!("I6: {} token requests within a minute, from {:?} on", window.len(), window.first()));
        }
    }
}

fn nothing_shown(world: &Rc<World>, pages: &[Watched], log: &[Exchange], ledger: &Ledger, broken: &mut Vec<String>) {
    let mut shown: Vec<(String, String)> = Vec::new();
    for (tab, text) in world.said.borrow().iter() {
        shown.push((format!("a message of tab {tab}"), text.clone()));
    }
    for exchange in log {
        shown.push(("the address of a request".to_owned(), exchange.url.clone()));
    }
    for page in pages {
        for report in page.reports.borrow().iter() {
            shown.push((format!("a report of tab {}", page.tab.id), format!("{report:?}")));
            if let Some(error) = error_of(report) {
                shown.push((
                    format!("an error of tab {}", page.tab.id),
                    format!("{error} {}", error.to_json().to_text()),
                ));
            }
        }
        shown.push(("Debug of a client".to_owned(), format!("{:?} {:?}", page.client, page.client.inside().session)));
        shown.push(("a trace".to_owned(), page.tab.traces.dump()));
        let href = page.tab.href.borrow();
        // A callback that no client has looked at yet carries its code.
        if !href.contains("code=") {
            shown.push(("the address of a page".to_owned(), href.clone()));
        }
        for url in page.tab.navigations.borrow().iter() {
            // OpenID Connect RP-Initiated Logout 1.0 §2 wants the ID token there.
            shown.push((
                "an address that was left for".to_owned(),
                url.split("id_token_hint=").next().unwrap_or_default().to_owned(),
            ));
        }
    }
    let mut found = BTreeSet::new();
    for (what, text) in shown {
        for secret in ledger.secrets.iter().filter(|secret| text.contains(secret.as_str())) {
            found.insert(format!("I7: {secret} is in {what}: {text}"));
        }
    }
    broken.extend(found);
}

fn error_of(report: &Report) -> Option<Error> {
    match report {
        Report::State(Snapshot::Unauthenticated(_, error)) => error.clone(),
        Report::Event(Notice::RefreshFailed(error, ..)) => Some(error.clone()),
        Report::State(_) | Report::Event(_) => None,
    }
}

fn served(world: &Rc<World>, pages: &[Watched], ledger: &Ledger, broken: &mut Vec<String>) {
    for page in pages.iter().filter(|page| is_live(page) && !world.is_frozen(page.tab.id)) {
        let Some(token) = access_token(page) else { continue };
        let Some((_, _, end)) = ledger.access.get(&token) else { continue };
        // A second is what an instant of an ID token loses.
        if end.is_some_and(|end| end <= world.running() + 1000) {
            continue;
        }
        let client = page.client.clone();
        if let Err(error) = world.block_on(async move { client.access_token(Lifetime::ZERO).await.map(drop) }) {
            broken.push(format!("I8: tab {} has {token}, which lives, and calls get {error}", page.tab.id));
        }
    }
}
