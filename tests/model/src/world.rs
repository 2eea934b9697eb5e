//! A browser with a few tabs, a medium, a lock, a channel between the tabs, a network and a server: what can be, and what can
//! happen next. Each step is one of [`Action`]; the checker tries all of them, in every order.

use crate::Bug;
use crate::brain::Brain;
use crate::server::{Rotation, Server};
use crate::tab::{Deed, Job, Outcome, Reached, Tab};
use crate::words::{Call, Grant, Millis, Note, Over, Reason, Rec, Reply, Shown, Told, Value, Wrote};
use std::collections::BTreeSet;

/// What is checked: who takes part, and how much may happen.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How many tabs are open.
    pub tabs: u8,
    /// They share the medium.
    pub shared: bool,
    /// What reads of the medium show may be older than what other tabs wrote, as between the processes of a browser.
    pub stale: bool,
    /// A job is interrupted between its reads, its writes and its report. Otherwise it is done at once.
    pub split: bool,
    /// What the server does with used refresh tokens.
    pub rotation: Rotation,
    /// How old the stored access token is at the beginning.
    pub age: Millis,
    /// When the world ends.
    pub horizon: Millis,
    /// How many things may go wrong: a crash, a lost request or answer, one that is late, sent twice, a lock that is refused.
    pub faults: u8,
    /// How often a tab may be opened again.
    pub starts: u8,
    /// How often the application may want new tokens, an access token, a sign-out, a sign-in.
    pub wishes: Wishes,
    /// What is broken on purpose.
    pub bug: Option<Bug>,
}

/// How often the application may wish for something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Wishes {
    /// New tokens.
    pub renew: u8,
    /// An access token.
    pub token: u8,
    /// To be signed out.
    pub logout: u8,
    /// To be signed in, as another user.
    pub login: u8,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The time.
    pub now: Millis,
    /// The tabs; `None` is one that is closed.
    pub tabs: Vec<Option<Tab>>,
    /// What the medium holds; one for each tab where they do not share it.
    pub medium: Vec<Value>,
    /// What each tab sees of it.
    views: Vec<Value>,
    /// Who holds the lock.
    pub holder: Option<u8>,
    /// Who waits for it, and in which turn of theirs.
    pub queue: Vec<(u8, u8)>,
    /// What is under way to the server and back.
    pub wire: Vec<Request>,
    /// What was said, and to whom, and has not arrived.
    notes: BTreeSet<(u8, Note)>,
    /// The server.
    pub server: Server,
    /// What may still go wrong.
    faults: u8,
    starts: u8,
    wishes: Wishes,
    /// Sign-ins of which the server gave out tokens, or took a used one, where nobody could store the new ones any more.
    pub lost: BTreeSet<u8>,
    /// Sign-ins that the user wanted to end, or that another sign-in took the place of.
    pub wished: BTreeSet<u8>,
    /// Sign-ins whose end by the user's wish is written in the medium.
    pub signed_out: BTreeSet<u8>,
    /// A tab has used a credential of a sign-in that it knew to be signed out.
    pub misused: bool,
    /// A tab has taken over what another one stored.
    pub adopted: bool,
}

/// A request, or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Who waits for the answer; nobody any more, where the tab is gone or has given up.
    pub owner: Option<u8>,
    epoch: u8,
    /// What is asked.
    pub call: Call,
    /// What the server has said.
    pub reply: Option<Reply>,
}

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// This tab is opened again.
    Open(u8),
    /// This tab goes on with its work on the medium.
    Work(u8),
    /// The alarm of this tab rings.
    Ring(u8),
    /// Time passes until the next alarm is due.
    Wait,
    /// What another tab wrote becomes visible in this one.
    See(u8),
    /// A tab hears of this.
    Hear(u8, Note),
    /// This request reaches the server.
    Serve(Request),
    /// This answer reaches its tab.
    Answer(Request),
    /// The application in this tab wants new tokens.
    Renew(u8),
    /// The application in this tab wants an access token.
    Use(u8),
    /// The user signs out in this tab.
    Logout(u8),
    /// The user signs in in this tab.
    Login(u8),
    /// This tab is gone, with all that it had in memory.
    Crash(u8),
    /// This request or answer is lost, and its tab learns that nothing will come.
    Lose(Request),
    /// This tab gives up on a request that is still under way.
    GiveUp(Request),
    /// The network delivers this request twice.
    Double(Request),
    /// This tab has waited too long for the lock.
    Refuse(u8),
    /// The tab hears of this, and will once more.
    HearTwice(u8, Note),
}

/// A world, and what is known of the machine in it.
pub struct World {
    /// Who takes part.
    pub bounds: Bounds,
    /// The machine.
    pub brain: Brain,
}

impl World {
    /// The beginning: somebody is signed in, and every tab has just been opened.
    #[must_use]
    pub fn begin(&self) -> State {
        let bounds = &self.bounds;
        let mut server = Server::default();
        let media = if bounds.shared { 1 } else { bounds.tabs };
        let medium: Vec<Value> = (0..media)
            .map(|_| {
                let grant = server.sign_in();
                Value::Record(Rec { lineage: grant.family, generation: 1, grant })
            })
            .collect();
        let mut state = State {
            now: bounds.age,
            tabs: vec![None; bounds.tabs.into()],
            views: (0..bounds.tabs).map(|tab| medium[self.place(tab)]).collect(),
            medium,
            holder: None,
            queue: Vec::new(),
            wire: Vec::new(),
            notes: BTreeSet::new(),
            server,
            faults: bounds.faults,
            starts: bounds.starts,
            wishes: bounds.wishes,
            lost: BTreeSet::new(),
            wished: BTreeSet::new(),
            signed_out: BTreeSet::new(),
            misused: false,
            adopted: false,
        };
        for tab in 0..bounds.tabs {
            self.open(&mut state, tab);
        }
        state
    }

    /// What can happen next.
    pub fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        let fault = state.faults > 0;
        for (index, tab) in (0..).zip(&state.tabs) {
            let Some(tab) = tab else {
                actions.extend((state.starts > 0).then_some(Action::Open(index)));
                continue;
            };
            let mut add = |condition: bool, action: Action| actions.extend(condition.then_some(action));
            let signed_in = matches!(tab.shown, Shown::SignedIn(_) | Shown::Renewing(_));
            add(!tab.jobs.is_empty(), Action::Work(index));
            add(tab.alarm.is_some_and(|at| at <= state.now), Action::Ring(index));
            add(self.bounds.stale && state.views[usize::from(index)] != state.medium[0], Action::See(index));
            add(state.wishes.renew > 0 && signed_in, Action::Renew(index));
            add(state.wishes.token > 0, Action::Use(index));
            add(state.wishes.logout > 0 && tab.shown != Shown::Nobody, Action::Logout(index));
            add(state.wishes.login > 0, Action::Login(index));
            add(fault, Action::Crash(index));
            add(fault && state.queue.iter().any(|(waits, _)| *waits == index), Action::Refuse(index));
        }
        for (to, note) in &state.notes {
            actions.push(Action::Hear(*to, *note));
            actions.extend(fault.then_some(Action::HearTwice(*to, *note)));
        }
        for request in &state.wire {
            let waited = request.owner.is_some();
            if request.reply.is_none() {
                actions.push(Action::Serve(*request));
                actions.extend((fault && waited).then_some(Action::GiveUp(*request)));
                let doubled = matches!(request.call, Call::Refresh(_));
                actions.extend((fault && waited && doubled).then_some(Action::Double(*request)));
            } else {
                actions.push(Action::Answer(*request));
            }
            actions.extend((fault && waited).then_some(Action::Lose(*request)));
        }
        actions.extend(self.next_alarm(state).map(|_| Action::Wait));
    }

    /// What comes of it.
    #[must_use]
    pub fn after(&self, state: &State, action: Action) -> State {
        let mut state = state.clone();
        match action {
            Action::Open(tab) => {
                state.starts -= 1;
                self.open(&mut state, tab);
            }
            Action::Work(tab) => self.work(&mut state, tab),
            Action::Ring(tab) => {
                if let Some(tab) = at(&mut state, tab) {
                    tab.alarm = None;
                }
                self.tell(&mut state, tab, Told::Tick);
            }
            Action::Wait => state.now = self.next_alarm(&state).unwrap_or(state.now),
            Action::See(tab) => state.views[usize::from(tab)] = state.medium[0],
            Action::Hear(tab, note) => {
                state.notes.remove(&(tab, note));
                self.hear(&mut state, tab, note);
            }
            Action::HearTwice(tab, note) => {
                state.faults -= 1;
                self.hear(&mut state, tab, note);
            }
            Action::Serve(request) => self.serve(&mut state, request),
            Action::Answer(request) => {
                take(&mut state.wire, request);
                let mut reply = request.reply.unwrap_or(Reply::Nothing);
                if let Reply::SignedIn(grant) | Reply::Renewed(grant) = &mut reply {
                    grant.at = state.now;
                }
                self.answer(&mut state, request, reply);
            }
            Action::Renew(tab) => {
                state.wishes.renew -= 1;
                self.wish(&mut state, tab, Told::Renew);
            }
            Action::Use(tab) => {
                state.wishes.token -= 1;
                self.wish(&mut state, tab, Told::Use);
            }
            Action::Logout(tab) => {
                state.wishes.logout -= 1;
                self.log_out(&mut state, tab);
            }
            Action::Login(tab) => {
                state.wishes.login -= 1;
                self.wish(&mut state, tab, Told::Login);
            }
            Action::Crash(tab) => {
                state.faults -= 1;
                crash(&mut state, tab);
            }
            Action::Lose(request) => {
                state.faults -= 1;
                take(&mut state.wire, request);
                if let Some(reply) = request.reply {
                    lose(&mut state, reply);
                }
                self.answer(&mut state, request, Reply::Nothing);
            }
            Action::GiveUp(request) => {
                state.faults -= 1;
                take(&mut state.wire, request);
                if request.call != Call::Login {
                    put(&mut state.wire, Request { owner: None, ..request });
                }
                self.answer(&mut state, request, Reply::Nothing);
            }
            Action::Double(request) => {
                state.faults -= 1;
                put(&mut state.wire, Request { owner: None, ..request });
            }
            Action::Refuse(tab) => {
                state.faults -= 1;
                self.refuse(&mut state, tab);
            }
        }
        self.settle(&mut state);
        state
    }

    fn next_alarm(&self, state: &State) -> Option<Millis> {
        let alarms = state.tabs.iter().flatten().filter_map(|tab| tab.alarm);
        alarms.filter(|at| *at > state.now).min().filter(|at| *at <= self.bounds.horizon)
    }

    fn open(&self, state: &mut State, tab: u8) {
        state.tabs[usize::from(tab)] = Some(Tab::new());
        self.wish(state, tab, Told::Start);
    }

    fn wish(&self, state: &mut State, tab: u8, wish: impl FnOnce(u8) -> Told) {
        let Some(id) = at(state, tab).map(Tab::promise) else { return };
        self.tell(state, tab, wish(id));
    }

    /// The machine of a tab makes a step, and the tab does what follows from it.
    fn tell(&self, state: &mut State, index: u8, told: Told) {
        let now = state.now;
        let Some(tab) = at(state, index) else { return };
        let known: Option<u8> = match told {
            Told::Loaded(value) | Told::Granted(value) | Told::Reread(value) => over_by_wish(value),
            Told::Committed(_, Wrote::Superseded(value)) => over_by_wish(value),
            Told::Note(Note::Over(Reason::Wished, lineage, _)) => Some(lineage),
            Told::Note(_)
            | Told::Start(_)
            | Told::Login(_)
            | Told::Logout(_)
            | Told::Renew(_)
            | Told::Use(_)
            | Told::LockRefused
            | Told::Answered(..)
            | Told::Committed(_, Wrote::Done)
            | Told::Forgotten(_)
            | Told::Tick => None,
        };
        tab.knows_over.extend(known);
        for deed in tab.tell(&self.brain, self.bounds.bug, now, told) {
            match deed {
                Deed::Queue(turn) if self.bounds.bug == Some(Bug::NoLock) => {
                    if let Some(tab) = at(state, index) {
                        tab.guard = Some(turn);
                        tab.jobs.push(Job::ReadLocked(turn));
                    }
                }
                Deed::Queue(turn) => state.queue.push((index, turn)),
                Deed::Send(epoch, call) => {
                    if let Call::Refresh(grant) = call {
                        use_credential(state, index, grant);
                    }
                    put(&mut state.wire, Request { owner: Some(index), epoch, call, reply: None });
                }
                Deed::Tell(note) => {
                    let others = (0..).zip(&state.tabs).filter(|(other, tab)| *other != index && tab.is_some());
                    state.notes.extend(others.map(|(other, _)| (other, note)));
                }
                Deed::Hand(grant) => use_credential(state, index, grant),
            }
        }
    }

    fn hear(&self, state: &mut State, tab: u8, note: Note) {
        self.tell(state, tab, Told::Note(note));
    }

    /// One step of the first job of a tab; all of it, where jobs are not interrupted.
    fn work(&self, state: &mut State, index: u8) {
        loop {
            let Some(tab) = at(state, index) else { return };
            let Some(job) = tab.jobs.first().copied() else { return };
            if let Reached::Done(outcome) = tab.reached {
                tab.jobs.remove(0);
                tab.reached = Reached::Nothing;
                return self.report(state, index, job, outcome);
            }
            let reached = self.advance(state, index, job);
            let Some(tab) = at(state, index) else { return };
            tab.reached = reached;
            if self.bounds.split {
                return;
            }
        }
    }

    fn advance(&self, state: &mut State, index: u8, job: Job) -> Reached {
        let Some(tab) = &state.tabs[usize::from(index)] else { return Reached::Nothing };
        let reached = tab.reached;
        let found = self.read(state, index);
        match (job, reached) {
            (Job::Load, _) => Reached::Done(Outcome::Read(found)),
            (Job::ReadLocked(_) | Job::Reread, _) => {
                Reached::Done(Outcome::Read(if self.bounds.shared { found } else { Value::Unreadable }))
            }
            (Job::Commit(_, _, over @ Over::Own(..)) | Job::Forget(_, over @ Over::Own(..), _), Reached::Nothing) => {
                if over.covers(found) {
                    return Reached::Seen(found);
                }
                let refused = matches!(job, Job::Commit(..));
                Reached::Done(if refused { Outcome::Wrote(Wrote::Superseded(found)) } else { Outcome::Gone })
            }
            (Job::Commit(_, rec, _), _) => {
                self.supersede(state, index, rec.grant.family);
                self.write(state, index, Value::Record(rec));
                Reached::Done(Outcome::Wrote(Wrote::Done))
            }
            (Job::Forget(_, over, mark), _) => {
                let ended = match (mark, found) {
                    (None, _) => Value::Empty,
                    // A tab without a session marks whatever sign-in is there, and leaves a mark that stands.
                    (Some((0, wished)), Value::Record(rec)) => Value::Ended(rec.lineage, wished),
                    (Some((0, wished)), Value::Ended(lineage, stands)) => Value::Ended(lineage, stands || wished),
                    (Some((0, _)), Value::Empty | Value::Unreadable) => Value::Empty,
                    (Some((lineage, wished)), _) => Value::Ended(lineage, wished),
                };
                if over == Over::Anything
                    && let Value::Record(rec) = state.medium[self.place(index)]
                {
                    state.wished.insert(rec.grant.family);
                }
                self.write(state, index, ended);
                state.signed_out.extend(over_by_wish(ended));
                Reached::Done(Outcome::Gone)
            }
            (Job::Release(_), _) => Reached::Nothing,
        }
    }

    fn report(&self, state: &mut State, index: u8, job: Job, outcome: Outcome) {
        let Some(tab) = at(state, index) else { return };
        let told = match (job, outcome) {
            (Job::Load, Outcome::Read(value)) => Told::Loaded(value),
            (Job::ReadLocked(turn), Outcome::Read(value)) if tab.lock_turn == turn => Told::Granted(value),
            (Job::Reread, Outcome::Read(value)) => Told::Reread(value),
            (Job::Commit(epoch, ..), Outcome::Wrote(wrote)) => Told::Committed(epoch, wrote),
            (Job::Forget(id, ..), Outcome::Gone) => Told::Forgotten(id),
            (
                Job::Load
                | Job::ReadLocked(_)
                | Job::Reread
                | Job::Commit(..)
                | Job::Forget(..)
                | Job::Release(_),
                _,
            ) => return,
        };
        let (mind, before) = (tab.mind, tab.shown);
        self.tell(state, index, told);
        let Some(tab) = at(state, index) else { return };
        let read = matches!(told, Told::Granted(Value::Record(_)) | Told::Reread(Value::Record(_)));
        let adopted = read && tab.mind != mind && matches!((before, tab.shown), (Shown::Renewing(_), Shown::SignedIn(_)));
        state.adopted |= adopted;
    }

    fn place(&self, tab: u8) -> usize {
        if self.bounds.shared { 0 } else { tab.into() }
    }

    fn read(&self, state: &State, tab: u8) -> Value {
        if self.bounds.stale { state.views[usize::from(tab)] } else { state.medium[self.place(tab)] }
    }

    fn write(&self, state: &mut State, tab: u8, value: Value) {
        state.medium[self.place(tab)] = value;
        if self.bounds.stale {
            state.views[usize::from(tab)] = value;
        }
    }

    /// A sign-in takes the place of another.
    fn supersede(&self, state: &mut State, tab: u8, family: u8) {
        if let Value::Record(old) = state.medium[self.place(tab)]
            && old.grant.family < family
        {
            state.wished.insert(old.grant.family);
        }
    }

    fn serve(&self, state: &mut State, request: Request) {
        take(&mut state.wire, request);
        let reply = state.server.serve(request.call, self.bounds.rotation);
        if request.owner.is_some() {
            return put(&mut state.wire, Request { reply: Some(reply), ..request });
        }
        if let Call::Refresh(grant) = request.call {
            // Nobody waits for the answer, whatever it is.
            state.lost.insert(grant.family);
        }
    }

    fn answer(&self, state: &mut State, request: Request, reply: Reply) {
        if let Some(owner) = request.owner {
            self.tell(state, owner, Told::Answered(request.call, request.epoch, reply));
        }
    }

    fn log_out(&self, state: &mut State, index: u8) {
        if !self.bounds.shared {
            // The wish concerns the sessions of all tabs.
            state.wished.extend(1..=state.server.sign_ins());
        }
        let Some(tab) = at(state, index) else { return };
        if let Shown::SignedIn(family) | Shown::Renewing(family) = tab.shown {
            tab.knows_over.insert(family);
            state.wished.insert(family);
        }
        self.wish(state, index, Told::Logout);
    }

    fn refuse(&self, state: &mut State, index: u8) {
        let Some(place) = state.queue.iter().position(|(waits, _)| *waits == index) else { return };
        let (_, turn) = state.queue.remove(place);
        if at(state, index).is_some_and(|tab| tab.lock_turn == turn) {
            self.tell(state, index, Told::LockRefused);
        }
    }

    /// What needs no choice: a lock is given back as soon as that is the next job, and goes to whoever waits longest.
    ///
    /// To do so at once hides nothing: until then the others can do all that they could after it, except to get the lock.
    fn settle(&self, state: &mut State) {
        for index in 0..self.bounds.tabs {
            let Some(tab) = at(state, index) else { continue };
            let mut released = false;
            while let Some(Job::Release(turn)) = tab.jobs.first().copied() {
                tab.jobs.remove(0);
                released |= tab.guard.take_if(|acquired| *acquired < turn).is_some();
            }
            if released && state.holder == Some(index) {
                state.holder = None;
            }
        }
        while state.holder.is_none() && !state.queue.is_empty() {
            let (index, turn) = state.queue.remove(0);
            let Some(tab) = at(state, index).filter(|tab| tab.lock_turn == turn) else { continue };
            tab.guard = Some(turn);
            tab.jobs.push(Job::ReadLocked(turn));
            state.holder = Some(index);
        }
        for index in 0..self.bounds.tabs {
            let queued = state.queue.iter().any(|(waits, _)| *waits == index);
            if let Some(tab) = at(state, index) {
                tab.forget_turns(queued);
            }
        }
    }
}

fn at(state: &mut State, tab: u8) -> Option<&mut Tab> {
    state.tabs.get_mut(usize::from(tab))?.as_mut()
}

fn crash(state: &mut State, index: u8) {
    let Some(tab) = state.tabs[usize::from(index)].take() else { return };
    for job in tab.jobs {
        if let Job::Commit(_, rec, _) = job
            && !(matches!(tab.reached, Reached::Done(_)))
        {
            state.lost.insert(rec.grant.family);
        }
    }
    if state.holder == Some(index) {
        state.holder = None;
    }
    state.queue.retain(|(waits, _)| *waits != index);
    state.notes.retain(|(to, _)| *to != index);
    for request in std::mem::take(&mut state.wire) {
        match (request.owner == Some(index), request.reply) {
            (false, _) => put(&mut state.wire, request),
            (true, Some(reply)) => lose(state, reply),
            (true, None) if request.call == Call::Login => {}
            (true, None) => put(&mut state.wire, Request { owner: None, ..request }),
        }
    }
}

/// An answer that nobody gets.
fn lose(state: &mut State, reply: Reply) {
    match reply {
        Reply::Renewed(grant) => drop(state.lost.insert(grant.family)),
        // Nobody knows of this session; the user signs in again.
        Reply::SignedIn(grant) => drop(state.wished.insert(grant.family)),
        Reply::Ended | Reply::Refused | Reply::Nothing => {}
    }
}

fn use_credential(state: &mut State, tab: u8, grant: Grant) {
    let known = at(state, tab).is_some_and(|tab| tab.knows_over.contains(&grant.family));
    state.misused |= known;
}

fn over_by_wish(value: Value) -> Option<u8> {
    if let Value::Ended(lineage, true) = value { Some(lineage).filter(|lineage| *lineage > 0) } else { None }
}

/// The order in which requests were sent means nothing to those that take them.
fn put(wire: &mut Vec<Request>, request: Request) {
    let place = wire.partition_point(|other| *other < request);
    wire.insert(place, request);
}

fn take(wire: &mut Vec<Request>, request: Request) {
    if let Some(place) = wire.iter().position(|other| *other == request) {
        wire.remove(place);
    }
}
