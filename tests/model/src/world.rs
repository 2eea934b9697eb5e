//! A browser with a few tabs, a medium, a lock, a channel between the tabs, a network and a server: what can be, and what can
//! happen next. Each step is one of [`Action`]; the checker tries all of them, in every order.

use crate::Bug;
use crate::brain::Brain;
use crate::server::{Rotation, Server};
use crate::tab::{Claiming, Deed, Job, Tab, renumber};
use crate::words::{Call, Grant, Millis, Note, Reason, Rec, Reply, Shown, Told, Turn, Value, Wrote};
use std::collections::{BTreeMap, BTreeSet};

/// Where the record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// All tabs see the same.
    Shared,
    /// All tabs write to the same, but what one reads may be older than what another wrote: Web Storage between processes.
    Stale,
    /// Each tab has its own, which outlives the page.
    Tab,
    /// Each tab has its own, which does not.
    Memory,
}

/// What is checked: who takes part, and how much may happen.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How many tabs are open.
    pub tabs: u8,
    /// Where the record is.
    pub medium: Medium,
    /// The browser has a lock that keeps tabs apart.
    pub locks: bool,
    /// A job is interrupted between its reads, its writes and its report. Otherwise it is done at once.
    pub split: bool,
    /// What the server does with used refresh tokens.
    pub rotation: Rotation,
    /// How old the stored access token is at the beginning.
    pub age: Millis,
    /// When the world ends.
    pub horizon: Millis,
    /// How many things may go wrong.
    pub faults: u8,
    /// And which.
    pub possible: Faults,
    /// How often a tab may be opened again.
    pub starts: u8,
    /// How often the application may wish for something.
    pub wishes: Wishes,
    /// What is broken on purpose.
    pub bug: Option<Bug>,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// See [`Action::Crash`].
    Crash,
    /// See [`Action::Lose`], before the server has taken it.
    LostRequest,
    /// See [`Action::Lose`], after that.
    LostAnswer,
    /// See [`Action::Fail`].
    Failure,
    /// See [`Action::GiveUp`].
    Late,
    /// See [`Action::Double`].
    Doubled,
    /// See [`Action::HearTwice`].
    Echo,
    /// See [`Action::Refuse`].
    Refusal,
    /// See [`Action::Overtake`].
    Hang,
}

/// Some of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults(u16);

impl Fault {
    /// Each of them.
    pub const ALL: [Self; 9] = [
        Self::Crash,
        Self::LostRequest,
        Self::LostAnswer,
        Self::Failure,
        Self::Late,
        Self::Doubled,
        Self::Echo,
        Self::Refusal,
        Self::Hang,
    ];

    /// In words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crash => "a tab crashes",
            Self::LostRequest => "a request does not arrive",
            Self::LostAnswer => "an answer is lost",
            Self::Failure => "the server answers 503",
            Self::Late => "a request arrives after its tab has given up",
            Self::Doubled => "the network delivers a request twice",
            Self::Echo => "a message between tabs comes twice",
            Self::Refusal => "a tab gives up waiting for the lock",
            Self::Hang => "a tab hangs for 15 seconds",
        }
    }
}

impl Faults {
    /// All of them.
    pub const ANY: Self = Self(u16::MAX);

    /// This one and no other.
    #[must_use]
    pub const fn only(fault: Fault) -> Self {
        Self(1 << fault as u16)
    }

    fn contain(self, fault: Fault) -> bool {
        self.0 & Self::only(fault).0 != 0
    }
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
    pub views: Vec<Value>,
    /// What the tabs know of the renewals; one for each tab where they do not share a medium.
    pub register: Vec<Turn>,
    /// The lock that is held.
    pub holder: Option<u8>,
    /// Who waits for it, in the order of their coming.
    pub queue: Vec<Waiting>,
    /// What is under way to the server and back.
    pub wire: Vec<Request>,
    /// What was said, and to whom, and has not arrived.
    pub notes: BTreeSet<(u8, Note)>,
    /// The server.
    pub server: Server,
    /// How much may still go wrong.
    pub faults: u8,
    starts: u8,
    wishes: Wishes,
    /// What the checker remembers, and no part of the browser knows.
    pub past: Past,
}

/// What the checker remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    /// Sign-ins of which the server gave out tokens, or took a used one, where nobody could store the new ones any more.
    pub lost: BTreeSet<u8>,
    /// Sign-ins that a request ended which was still on its way when nobody waited for it any more.
    pub stray: BTreeSet<u8>,
    /// Sign-ins that the user wanted to end, or that another sign-in took the place of.
    pub wished: BTreeSet<u8>,
    /// Sign-ins whose end by the user's wish is written in the medium.
    pub signed_out: BTreeSet<u8>,
    /// How often the tokens of a sign-in were sent to be renewed, without an answer that says that they were not.
    pub sent: BTreeMap<(u8, u8), u8>,
    /// A tab has used a credential of a sign-in that it knew to be signed out.
    pub misused: bool,
    /// A tab has taken over what another one stored.
    pub adopted: bool,
    /// A tab was overtaken.
    pub overtaken: bool,
}

/// A tab that waits for the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Waiting {
    /// Which.
    pub tab: u8,
    /// In which turn of its own.
    pub turn: u8,
    /// When its patience ends.
    pub until: Millis,
}

/// A request, or the answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Who waits for the answer; nobody any more, where the tab is gone or has given up.
    pub owner: Option<u8>,
    /// Its tab was overtaken while it was under way.
    pub overtaken: bool,
    pub(crate) epoch: u8,
    /// What is asked.
    pub call: Call,
    /// What the server has said.
    pub reply: Option<Reply>,
}

/// What happens next. The last ones are faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// This tab is opened again.
    Open(u8),
    /// This tab goes on with its work on the medium.
    Work(u8),
    /// This tab has got the lock, and takes its turn.
    Claim(u8),
    /// This tab has waited too long for the lock, and takes it away.
    Seize(Waiting),
    /// The alarm of this tab rings.
    Ring(u8),
    /// Time passes until the next alarm is due, or somebody's patience ends.
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
    /// The server can do nothing for this request just now.
    Fail(Request),
    /// This tab gives up on a request that is still under way.
    GiveUp(Request),
    /// The network delivers this request twice.
    Double(Request),
    /// The tab hears of this, and will once more.
    HearTwice(u8, Note),
    /// This tab has waited too long for the lock, and gives up.
    Refuse(Waiting),
    /// This tab takes the turn from one that hangs.
    Overtake(u8),
}

/// A world, and what is known of the machine in it.
pub struct World {
    /// Who takes part.
    pub bounds: Bounds,
    /// The machine.
    pub brain: Brain,
}

/// How long a tab waits for the lock, and how long a turn is: as in `client::driver`.
pub const PATIENCE: Millis = 15_000;

impl World {
    /// A world within these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        let brain = Brain::new(bounds.shared(), bounds.horizon - bounds.age);
        Self { bounds, brain }
    }

    /// The beginning: somebody is signed in, and every tab has just been opened.
    #[must_use]
    pub fn begin(&self) -> State {
        let bounds = &self.bounds;
        let mut server = Server::default();
        let media = if bounds.shared() { 1 } else { bounds.tabs };
        let medium: Vec<Value> = (0..media)
            .map(|_| {
                let grant = server.sign_in();
                Value::Record(Rec { lineage: grant.family, generation: 1, grant })
            })
            .collect();
        let turn = |lineage| Turn::of(&Turn::default().known().begin(&crate::words::lineage_text(lineage), 1));
        let mut state = State {
            now: bounds.age,
            tabs: vec![None; bounds.tabs.into()],
            views: (0..bounds.tabs).map(|tab| medium[self.place(tab)]).collect(),
            medium,
            register: (1..=media).map(turn).collect(),
            holder: None,
            queue: Vec::new(),
            wire: Vec::new(),
            notes: BTreeSet::new(),
            server,
            faults: bounds.faults,
            starts: bounds.starts,
            wishes: bounds.wishes,
            past: Past::default(),
        };
        for tab in 0..bounds.tabs {
            self.open(&mut state, tab);
        }
        state
    }

    /// What can happen next.
    pub fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        let fault = |fault| state.faults > 0 && self.bounds.possible.contain(fault);
        let mut add = |condition: bool, action: Action| actions.extend(condition.then_some(action));
        for (index, tab) in (0..).zip(&state.tabs) {
            let Some(tab) = tab else {
                add(state.starts > 0, Action::Open(index));
                continue;
            };
            let signed_in = matches!(tab.shown, Shown::SignedIn(_) | Shown::Renewing(_));
            add(!tab.jobs.is_empty(), Action::Work(index));
            if let Some(((_, lock), how)) = tab.claiming {
                let may = self.may_claim(state, index, lock, how);
                add(may == Some(false), Action::Claim(index));
                add(may == Some(true) && fault(Fault::Hang), Action::Overtake(index));
            }
            add(tab.alarm.is_some_and(|at| at <= state.now), Action::Ring(index));
            let stale = self.bounds.medium == Medium::Stale;
            add(stale && state.views[usize::from(index)] != state.medium[0], Action::See(index));
            add(state.wishes.renew > 0 && signed_in, Action::Renew(index));
            add(state.wishes.token > 0, Action::Use(index));
            add(state.wishes.logout > 0 && tab.shown != Shown::Nobody, Action::Logout(index));
            add(state.wishes.login > 0, Action::Login(index));
            add(fault(Fault::Crash), Action::Crash(index));
        }
        for waiting in &state.queue {
            let impatient = waiting.until <= state.now;
            add(fault(Fault::Refusal) && impatient, Action::Refuse(*waiting));
            if impatient && self.is_overdue(state, waiting.tab) {
                let hangs = self.in_turn(state, waiting.tab).is_some();
                add(!hangs || fault(Fault::Hang), Action::Seize(*waiting));
            }
        }
        for (to, note) in &state.notes {
            add(true, Action::Hear(*to, *note));
            add(fault(Fault::Echo), Action::HearTwice(*to, *note));
        }
        for request in &state.wire {
            let waited = request.owner.is_some();
            let renews = matches!(request.call, Call::Refresh(_));
            let sent = request.reply.is_none();
            add(sent, Action::Serve(*request));
            add(!sent, Action::Answer(*request));
            add(fault(if sent { Fault::LostRequest } else { Fault::LostAnswer }) && waited, Action::Lose(*request));
            add(fault(Fault::Late) && waited && sent, Action::GiveUp(*request));
            add(fault(Fault::Failure) && waited && sent && renews, Action::Fail(*request));
            add(fault(Fault::Doubled) && waited && sent && renews, Action::Double(*request));
        }
        add(self.next_moment(state).is_some(), Action::Wait);
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
            Action::Claim(tab) => self.claim(&mut state, tab),
            Action::Seize(waiting) => {
                state.queue.retain(|other| *other != waiting);
                // Whoever waited for a turn that was given up meanwhile takes nothing away.
                if at(&mut state, waiting.tab).is_some_and(|tab| tab.lock_turn == waiting.turn) {
                    if let Some(slow) = self.in_turn(&state, waiting.tab) {
                        state.faults -= 1;
                        self.leave_behind(&mut state, slow);
                    }
                    self.lock(&mut state, waiting.tab, waiting.turn, Claiming::Seized);
                }
            }
            Action::Ring(tab) => {
                if let Some(tab) = at(&mut state, tab) {
                    tab.alarm = None;
                }
                self.tell(&mut state, tab, Told::Tick);
            }
            Action::Wait => state.now = self.next_moment(&state).unwrap_or(state.now),
            Action::See(tab) => state.views[usize::from(tab)] = state.medium[0],
            Action::Hear(tab, note) => {
                state.notes.remove(&(tab, note));
                self.tell(&mut state, tab, Told::Note(note));
            }
            Action::Serve(request) => self.serve(&mut state, request),
            Action::Answer(request) => {
                take(&mut state.wire, request);
                self.answer(&mut state, request, request.reply.unwrap_or(Reply::Nothing));
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
            Action::Crash(_)
            | Action::Lose(_)
            | Action::Fail(_)
            | Action::GiveUp(_)
            | Action::Double(_)
            | Action::HearTwice(..)
            | Action::Refuse(_)
            | Action::Overtake(_) => {
                state.faults -= 1;
                self.go_wrong(&mut state, action);
            }
        }
        self.settle(&mut state);
        state
    }

    fn go_wrong(&self, state: &mut State, action: Action) {
        match action {
            Action::Crash(tab) => self.crash(state, tab),
            Action::Lose(request) => {
                take(&mut state.wire, request);
                if let Some(reply) = request.reply {
                    lose(state, reply);
                }
                self.answer(state, request, Reply::Nothing);
            }
            Action::Fail(request) => {
                take(&mut state.wire, request);
                self.answer(state, request, Reply::Unavailable);
            }
            Action::GiveUp(request) => {
                take(&mut state.wire, request);
                disown(state, request);
                self.answer(state, request, Reply::Nothing);
            }
            Action::Double(request) => put(&mut state.wire, Request { owner: None, ..request }),
            Action::HearTwice(tab, note) => self.tell(state, tab, Told::Note(note)),
            Action::Refuse(waiting) => {
                state.queue.retain(|other| *other != waiting);
                if at(state, waiting.tab).is_some_and(|tab| tab.lock_turn == waiting.turn) {
                    self.tell(state, waiting.tab, Told::LockRefused);
                }
            }
            Action::Overtake(tab) => self.claim(state, tab),
            Action::Open(_)
            | Action::Work(_)
            | Action::Claim(_)
            | Action::Seize(_)
            | Action::Ring(_)
            | Action::Wait
            | Action::See(_)
            | Action::Hear(..)
            | Action::Serve(_)
            | Action::Answer(_)
            | Action::Renew(_)
            | Action::Use(_)
            | Action::Logout(_)
            | Action::Login(_) => {}
        }
    }

    /// When something can happen that cannot happen yet.
    fn next_moment(&self, state: &State) -> Option<Millis> {
        let alarms = state.tabs.iter().flatten().filter_map(|tab| tab.alarm);
        let patience = state.queue.iter().map(|waiting| waiting.until).filter(|_| self.may_hang(state));
        let turns = state.register.iter().filter_map(|turn| turn.until).filter(|_| self.is_waited_for(state));
        alarms.chain(patience).chain(turns).filter(|at| *at > state.now).min().filter(|at| *at <= self.bounds.horizon)
    }

    fn may_hang(&self, state: &State) -> bool {
        let possible = self.bounds.possible;
        state.faults > 0 && (possible.contain(Fault::Hang) || possible.contain(Fault::Refusal))
    }

    /// Somebody waits for a turn to end that no lock will end: its tab is gone, or hangs.
    fn is_waited_for(&self, state: &State) -> bool {
        let impatient = self.may_hang(state) && state.queue.iter().any(|waiting| waiting.until <= state.now);
        let waits = |index: u8, tab: &Tab| {
            tab.claiming.is_some_and(|(_, how)| how != Claiming::Locked)
                && (self.may_hang(state) || self.in_turn(state, index).is_none())
        };
        impatient || (0..).zip(&state.tabs).any(|(index, tab)| tab.as_ref().is_some_and(|tab| waits(index, tab)))
    }

    /// A tab has lost its turn because it hangs. What it gets, or has got and not stored, can get lost.
    pub(crate) fn leave_behind(&self, state: &mut State, index: u8) {
        let unwritten = at(state, index).and_then(|tab| tab.unwritten());
        state.past.lost.extend(unwritten);
        for request in std::mem::take(&mut state.wire) {
            let its = request.owner == Some(index);
            if let (true, Some(reply)) = (its, request.reply) {
                lose(state, reply);
            }
            put(&mut state.wire, Request { overtaken: request.overtaken || its, ..request });
        }
        state.past.overtaken = true;
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
    pub(crate) fn tell(&self, state: &mut State, index: u8, told: Told) {
        let now = state.now;
        let Some(tab) = state.tabs[usize::from(index)].as_mut() else { return };
        let word = word_of_end(told).filter(|family| {
            // A page that has not read the medium yet does not know what this is about. It is told again when that can be read.
            let told_early = matches!(told, Told::Note(_)) && tab.shown == Shown::Starting;
            !told_early || state.past.signed_out.contains(family)
        });
        tab.knows_over.extend(word);
        for deed in tab.tell(&self.brain, self.bounds.bug, now, told) {
            match deed {
                Deed::Queue(turn) if self.bounds.locks && self.bounds.bug != Some(Bug::NoLock) => {
                    state.queue.push(Waiting { tab: index, turn, until: now + PATIENCE });
                }
                Deed::Queue(turn) => {
                    let alone = self.bounds.bug == Some(Bug::NoLock);
                    self.lock(state, index, turn, if alone { Claiming::Locked } else { Claiming::Free });
                }
                Deed::Send(epoch, call) => {
                    if let Call::Refresh(grant) = call {
                        use_credential(state, index, grant);
                        *state.past.sent.entry((grant.family, grant.access)).or_default() += 1;
                    }
                    put(&mut state.wire, Request { owner: Some(index), overtaken: false, epoch, call, reply: None });
                }
                Deed::Tell(note) => {
                    let others = (0..).zip(&state.tabs).filter(|(other, tab)| *other != index && tab.is_some());
                    state.notes.extend(others.map(|(other, _)| (other, note)));
                }
                Deed::Hand(grant) => use_credential(state, index, grant),
            }
        }
    }

    fn serve(&self, state: &mut State, request: Request) {
        take(&mut state.wire, request);
        let reply = state.server.serve(request.call, self.bounds.rotation);
        if let Call::Refresh(grant) = request.call
            && (request.owner.is_none() || request.overtaken)
        {
            // Nobody waits for the answer, whatever it is, or nobody who may store it.
            state.past.lost.insert(grant.family);
            if reply == Reply::Refused {
                state.past.stray.insert(grant.family);
            }
        }
        if request.owner.is_some() {
            put(&mut state.wire, Request { reply: Some(reply), ..request });
        }
    }

    fn answer(&self, state: &mut State, request: Request, mut reply: Reply) {
        let Some(owner) = request.owner else { return };
        match &mut reply {
            Reply::SignedIn(grant) => {
                grant.at = state.now;
                if self.bounds.shared() {
                    // It takes the place of the others.
                    state.past.wished.extend(1..grant.family);
                }
            }
            Reply::Renewed(grant) => grant.at = state.now,
            Reply::Unavailable => {
                if let Call::Refresh(grant) = request.call {
                    state.past.sent.entry((grant.family, grant.access)).and_modify(|times| *times -= 1);
                }
            }
            Reply::Ended | Reply::Reached | Reply::Refused | Reply::Nothing => {}
        }
        self.tell(state, owner, Told::Answered(request.call, request.epoch, reply));
    }

    fn log_out(&self, state: &mut State, index: u8) {
        if self.bounds.shared() {
            let Value::Record(rec) = state.medium[0] else { return self.wish(state, index, Told::Logout) };
            state.past.wished.insert(rec.grant.family);
        } else {
            // The wish concerns the sessions of all tabs.
            state.past.wished.extend(1..=state.server.sign_ins());
        }
        let Some(tab) = at(state, index) else { return };
        if let Shown::SignedIn(family) | Shown::Renewing(family) = tab.shown {
            tab.knows_over.insert(family);
            state.past.wished.insert(family);
        }
        self.wish(state, index, Told::Logout);
    }

    fn crash(&self, state: &mut State, index: u8) {
        let Some(tab) = state.tabs[usize::from(index)].take() else { return };
        if let Some(family) = tab.unwritten() {
            state.past.lost.insert(family);
        }
        if self.bounds.medium == Medium::Memory {
            let place = self.place(index);
            if let Value::Record(rec) = state.medium[place] {
                // Nobody promised that it would be kept.
                state.past.wished.insert(rec.grant.family);
            }
            state.medium[place] = Value::Empty;
        }
        let mut tab = tab;
        state.holder = state.holder.filter(|held| tab.locks().all(|lock| lock != held));
        state.queue.retain(|waiting| waiting.tab != index);
        state.notes.retain(|(to, _)| *to != index);
        for request in std::mem::take(&mut state.wire) {
            match (request.owner == Some(index), request.reply) {
                (false, _) => put(&mut state.wire, request),
                (true, Some(reply)) => lose(state, reply),
                (true, None) => disown(state, request),
            }
        }
    }

    /// What needs no choice: a lock is given back as soon as that is the next job, and goes to whoever waits longest.
    ///
    /// To do so at once hides nothing: until then the others can do all that they could after it, except to get the lock.
    fn settle(&self, state: &mut State) {
        for index in 0..self.bounds.tabs {
            self.release(state, index);
        }
        while state.holder.is_none() && !state.queue.is_empty() {
            let waiting = state.queue.remove(0);
            if at(state, waiting.tab).is_some_and(|tab| tab.lock_turn == waiting.turn) {
                self.lock(state, waiting.tab, waiting.turn, Claiming::Locked);
            }
        }
        for (index, tab) in (0..).zip(&mut state.tabs) {
            let queued = state.queue.iter_mut().filter(|waiting| waiting.tab == index).map(|waiting| &mut waiting.turn);
            if let Some(tab) = tab {
                tab.renumber(queued);
            }
        }
        let locks = state.tabs.iter_mut().flatten().flat_map(Tab::locks);
        renumber(&mut locks.chain(&mut state.holder).collect::<Vec<_>>());
        let tabs = state.tabs.iter_mut().flatten().flat_map(Tab::turns);
        let known = state.register.iter_mut().chain(tabs);
        renumber(&mut known.map(|turn| &mut turn.fence).collect::<Vec<_>>());
    }
}

impl Bounds {
    /// Whether tabs see the same medium, or should.
    #[must_use]
    pub fn shared(&self) -> bool {
        matches!(self.medium, Medium::Shared | Medium::Stale)
    }
}

impl World {
    pub(crate) fn place(&self, tab: u8) -> usize {
        if self.bounds.shared() { 0 } else { tab.into() }
    }
}

pub(crate) fn at(state: &mut State, tab: u8) -> Option<&mut Tab> {
    state.tabs.get_mut(usize::from(tab))?.as_mut()
}

/// A request that goes on without anybody who waits for the answer. A sign-in that does is of no interest.
fn disown(state: &mut State, request: Request) {
    if !matches!(request.call, Call::Login | Call::Reach(_)) {
        put(&mut state.wire, Request { owner: None, overtaken: false, ..request });
    }
}

/// An answer that nobody gets.
fn lose(state: &mut State, reply: Reply) {
    match reply {
        Reply::Renewed(grant) => drop(state.past.lost.insert(grant.family)),
        // Nobody knows of this session; the user signs in again.
        Reply::SignedIn(grant) => drop(state.past.wished.insert(grant.family)),
        Reply::Ended | Reply::Reached | Reply::Refused | Reply::Unavailable | Reply::Nothing => {}
    }
}

fn use_credential(state: &mut State, tab: u8, grant: Grant) {
    let known = at(state, tab).is_some_and(|tab| tab.knows_over.contains(&grant.family));
    state.past.misused |= known;
}

/// Which sign-in a tab learns to be signed out.
fn word_of_end(told: Told) -> Option<u8> {
    match told {
        Told::Loaded(value)
        | Told::Granted(value, _)
        | Told::Reread(value)
        | Told::Committed(_, Wrote::Superseded(value)) => over_by_wish(value),
        Told::Note(Note::Over(Reason::Wished, lineage, _)) => Some(lineage),
        Told::Note(_)
        | Told::Start(_)
        | Told::Login(_)
        | Told::Logout(_)
        | Told::Renew(_)
        | Told::Use(_)
        | Told::LockRefused
        | Told::Intended(_)
        | Told::Answered(..)
        | Told::Committed(_, Wrote::Done)
        | Told::Forgotten(_)
        | Told::Tick => None,
    }
}

pub(crate) fn over_by_wish(value: Value) -> Option<u8> {
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

impl Tab {
    /// The sign-in of which this tab has tokens in memory only.
    fn unwritten(&self) -> Option<u8> {
        self.jobs.iter().enumerate().find_map(|(place, job)| match job {
            Job::Commit(_, rec, _) if place > 0 || !self.has_written() => Some(rec.grant.family),
            Job::Commit(..)
            | Job::Load
            | Job::ReadLocked(_)
            | Job::Reread
            | Job::Intend(..)
            | Job::Forget(..)
            | Job::Release(_) => None,
        })
    }
}
