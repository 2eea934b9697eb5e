//! A way through the model, in words.

use crate::tab::{Job, Outcome, Reached, Tab};
use crate::words::{Call, Grant, Note, Over, Reason, Rec, Reply, Value, Wrote};
use crate::world::{Action, Request, State, World};

/// One line for each step that leads to a state.
#[must_use]
pub fn tell(world: &World, path: &[(State, Option<Action>)]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut clock = None;
    for (state, action) in path {
        let Some(action) = action else { continue };
        let time = if clock == Some(state.now) { String::new() } else { seconds(state.now) };
        clock = Some(state.now);
        lines.push(format!("{time:>10}  {}", step(world, state, *action)));
    }
    lines
}

fn step(world: &World, state: &State, action: Action) -> String {
    match action {
        Action::Open(tab) => format!("{} is opened again", name(tab)),
        Action::Work(tab) => state.tabs[usize::from(tab)]
            .as_ref()
            .map_or_else(String::new, |open| format!("{}: {}", name(tab), work(world, state, tab, open))),
        Action::Claim(tab) => format!("{} takes its turn", name(tab)),
        Action::Seize(waiting) => format!("{} has waited too long for the lock, and takes it away", name(waiting.tab)),
        Action::Ring(tab) => format!("{}: the alarm rings", name(tab)),
        Action::Wait => "time passes".to_owned(),
        Action::See(tab) => format!("{} sees the medium as it is: {}", name(tab), value(state.medium[0])),
        Action::Hear(tab, note) => format!("{} hears: {}", name(tab), said(note)),
        Action::HearTwice(tab, note) => format!("{} hears: {} (and will hear it once more)", name(tab), said(note)),
        Action::Serve(request) => format!("server: takes {}", of(request)),
        Action::Answer(request) => {
            format!("{} gets {}", owner(request), reply(request.reply.unwrap_or(Reply::Nothing)))
        }
        Action::Renew(tab) => format!("{}: the application wants new tokens", name(tab)),
        Action::Use(tab) => format!("{}: the application wants an access token", name(tab)),
        Action::Logout(tab) => format!("{}: the user signs out", name(tab)),
        Action::Login(tab) => format!("{}: the user signs in", name(tab)),
        Action::Crash(tab) => format!("FAULT {} crashes", name(tab)),
        Action::Lose(request) => match request.reply {
            Some(lost) => format!("FAULT the answer to {} is lost: {}", owner(request), reply(lost)),
            None => format!("FAULT {} does not arrive, and its tab learns that", of(request)),
        },
        Action::Fail(request) => format!("FAULT the server can do nothing for {}", of(request)),
        Action::GiveUp(request) => format!("FAULT {} gives up on {}", owner(request), of(request)),
        Action::Double(request) => format!("FAULT the network doubles {}", of(request)),
        Action::Refuse(waiting) => {
            format!("FAULT {} has waited too long for the lock, and gives up", name(waiting.tab))
        }
        Action::Overtake(tab) => format!("FAULT {} takes the turn from a tab that hangs", name(tab)),
    }
}

fn work(world: &World, state: &State, index: u8, tab: &Tab) -> String {
    let Some(job) = tab.jobs.first() else { return String::new() };
    match (job, tab.reached) {
        (_, Reached::Done(outcome)) => format!("goes on: {}", done(*job, outcome)),
        (Job::Load | Job::Reread, _) => format!("reads {}", value(seen(world, state, index))),
        (Job::ReadLocked(_), _) => format!("reads under the lock {}", value(seen(world, state, index))),
        (Job::Intend(_, generation, tries), _) => {
            format!("writes down that generation {generation} is sent, {tries} without an answer")
        }
        (Job::Commit(_, rec, _), Reached::Nothing | Reached::InTurn | Reached::Overtaken) if world.bounds.split => {
            format!("looks whether {} may be stored", record(*rec))
        }
        (Job::Commit(_, rec, _), Reached::TooLate) => format!("has stored {} too late", record(*rec)),
        (Job::Commit(_, rec, _), Reached::Written) => format!("writes down that {} is stored", record(*rec)),
        (Job::Commit(_, rec, _), _) => format!("stores {}", record(*rec)),
        (Job::Forget(_, Over::Own(..), _), Reached::Nothing) if world.bounds.split => {
            "looks whether there is something to forget".to_owned()
        }
        (Job::Forget(..), Reached::Seen(_) | Reached::Nothing) if world.bounds.split => {
            "writes down that the session is over".to_owned()
        }
        (Job::Forget(_, _, mark), _) => format!("leaves {mark:?} in the place of {}", value(seen(world, state, index))),
        (Job::Release(_), _) => "gives the lock back".to_owned(),
    }
}

fn seen(world: &World, state: &State, index: u8) -> Value {
    if world.bounds.medium == crate::world::Medium::Stale {
        state.views[usize::from(index)]
    } else {
        state.medium[world.place(index)]
    }
}

fn done(job: Job, outcome: Outcome) -> String {
    match (job, outcome) {
        (_, Outcome::Read(found)) => format!("it has read {}", value(found)),
        (_, Outcome::Noted(done)) => format!("it is written down: {done}"),
        (_, Outcome::Wrote(Wrote::Done)) => "it is stored".to_owned(),
        (_, Outcome::Wrote(Wrote::Superseded(found))) => format!("not stored, because of {}", value(found)),
        (_, Outcome::Gone) => "it is forgotten".to_owned(),
    }
}

/// As a person would count.
#[must_use]
pub fn name(tab: u8) -> String {
    format!("tab {}", char::from(b'A' + tab))
}

fn owner(request: Request) -> String {
    request.owner.map_or_else(|| "nobody".to_owned(), name)
}

fn of(request: Request) -> String {
    let late = if request.owner.is_none() { "a late request for " } else { "" };
    let from = request.owner.map_or_else(String::new, |owner| format!(" of {}", name(owner)));
    let what = match request.call {
        Call::Login => "the sign-in".to_owned(),
        Call::Refresh(grant) => format!("the renewal by {}", tokens(grant)),
        Call::Reach(_) => "the question whether it is there".to_owned(),
        Call::End(Some(grant), _) => format!("the revocation of {}", tokens(grant)),
        Call::End(None, _) => "the end of nothing".to_owned(),
    };
    format!("{late}{what}{from}")
}

fn reply(reply: Reply) -> String {
    match reply {
        Reply::SignedIn(grant) => format!("{} for a sign-in", tokens(grant)),
        Reply::Renewed(grant) => tokens(grant),
        Reply::Ended => "the word that it is revoked".to_owned(),
        Reply::Reached => "an answer".to_owned(),
        Reply::Refused => "invalid_grant".to_owned(),
        Reply::Unavailable => "the word that the server can do nothing".to_owned(),
        Reply::Nothing => "nothing".to_owned(),
    }
}

fn tokens(grant: Grant) -> String {
    format!("R{}.{}", grant.family, grant.refresh)
}

fn record(rec: Rec) -> String {
    format!("generation {} with {}", rec.generation, tokens(rec.grant))
}

fn value(value: Value) -> String {
    match value {
        Value::Empty => "nothing".to_owned(),
        Value::Record(rec) => record(rec),
        Value::Ended(lineage, true) => format!("the mark that sign-in {lineage} was signed out"),
        Value::Ended(lineage, false) => format!("the mark that sign-in {lineage} has ended"),
        Value::Unreadable => "nothing that is shared".to_owned(),
    }
}

fn said(note: Note) -> String {
    match note {
        Note::Committed(lineage, generation) => format!("generation {generation} of sign-in {lineage} is stored"),
        Note::Over(Reason::Wished, lineage, _) => format!("sign-in {lineage} was signed out"),
        Note::Over(Reason::Other, lineage, generation) => {
            format!("sign-in {lineage} has ended, as far as generation {generation}")
        }
    }
}

fn seconds(at: i64) -> String {
    format!("{}.{:03} s", at / 1000, at % 1000)
}
