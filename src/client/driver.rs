//! Effects in, events out.

use super::Report;
use super::history::History;
use super::options::{Config, Mode};
use super::proof::HeldKey;
use super::talk::{Memory, Work};
use crate::error::ErrorCode;
use crate::machine::{
    CallKind, Departure, Effect, Event, EventKind, Machine, Outcome, Over, Settings, Snapshot, Ticket, WaiterId, step,
};
use crate::policy::restore::{Restore, Trace};
use crate::ports::Ports;
use crate::protocol::callback::AuthorizationResponse;
use crate::protocol::coordination::Coordination;
use crate::protocol::dpop::Policy;
use crate::protocol::record::{Mark, Record};
use crate::protocol::transaction::Transaction;
use crate::types::{Lifetime, Session, UnixMillis, WebUrl};
use futures_channel::oneshot;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

pub(super) struct Inner<P: Ports> {
    pub(super) config: Config,
    pub(super) ports: P,
    listener: Box<dyn Fn(Report)>,
    /// `None` only while a step is being made.
    machine: RefCell<Option<Machine>>,
    /// Effects that wait for their turn: an effect may cause events, whose effects come after.
    queue: RefCell<VecDeque<Effect>>,
    draining: Cell<bool>,
    /// Work on the medium that waits for its turn: what was decided first is written first.
    jobs: RefCell<VecDeque<Job>>,
    working: Cell<bool>,
    waiting: RefCell<Vec<(WaiterId, oneshot::Sender<Outcome>)>>,
    next_waiter: Cell<u64>,
    /// The turn to renew that this client has, and the number of the lock's acquisition.
    pub(super) turn: RefCell<Option<(u64, Rc<Turn<P>>)>>,
    /// Counts acquisitions and releases, so that a lock that comes too late is given back.
    lock_turn: Cell<u64>,
    alarm: Cell<u64>,
    pub(super) memory: RefCell<Memory>,
    /// Keeps other clients of the page from the callback until it is known what comes of it.
    pub(super) arriving: RefCell<Option<P::Guard>>,
    pub(super) callback: RefCell<Option<(AuthorizationResponse, Transaction)>>,
    /// The keys of tokens that are in use, or were before another sign-in took their place.
    pub(super) held: RefCell<Vec<HeldKey<P>>>,
    /// The medium failed, and the application knows.
    pub(super) degraded: Cell<bool>,
    pub(super) history: History,
}

impl<P: Ports> Inner<P> {
    pub(super) fn new(config: Config, ports: P, listener: Box<dyn Fn(Report)>) -> Rc<Self> {
        let machine = Machine::new(settings(&config));
        Rc::new(Self {
            config,
            ports,
            listener,
            machine: RefCell::new(Some(machine)),
            queue: RefCell::new(VecDeque::new()),
            draining: Cell::new(false),
            jobs: RefCell::new(VecDeque::new()),
            working: Cell::new(false),
            waiting: RefCell::new(Vec::new()),
            next_waiter: Cell::new(0),
            turn: RefCell::new(None),
            lock_turn: Cell::new(0),
            alarm: Cell::new(0),
            memory: RefCell::new(Memory::default()),
            arriving: RefCell::new(None),
            callback: RefCell::new(None),
            held: RefCell::new(Vec::new()),
            degraded: Cell::new(false),
            history: History::default(),
        })
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.machine.borrow().as_ref().map_or(Snapshot::Initializing, Machine::snapshot)
    }

    pub(super) fn session(&self) -> Option<Session> {
        self.machine.borrow().as_ref().and_then(|machine| machine.session().cloned())
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn inside(&self) -> super::Inside {
        super::Inside {
            session: self.session(),
            promises: self.waiting.borrow().len(),
            keys: self.held.borrow().len(),
            disposed: self.machine.borrow().as_ref().is_some_and(Machine::is_disposed),
        }
    }

    /// Whether anybody waits for the answer of this ticket.
    pub(super) fn expects(&self, ticket: Ticket) -> bool {
        self.machine.borrow().as_ref().is_some_and(|machine| machine.expects(ticket))
    }

    /// Puts a wish to the machine and waits for its outcome.
    pub(super) fn ask(self: &Rc<Self>, event: impl FnOnce(WaiterId) -> EventKind) -> Work<'static, Outcome> {
        let id = WaiterId(self.next_waiter.get());
        self.next_waiter.set(id.0 + 1);
        self.wait(id, event(id))
    }

    /// One function for every kind of wish.
    #[inline(never)]
    fn wait(self: &Rc<Self>, id: WaiterId, event: EventKind) -> Work<'static, Outcome> {
        let (sender, receiver) = oneshot::channel();
        self.waiting.borrow_mut().push((id, sender));
        self.dispatch(event);
        Box::pin(async move {
            // The sender is only dropped together with the client.
            let outcome = receiver.await.unwrap_or_else(|_| Outcome::Failed(ErrorCode::Disposed.into()));
            if let Outcome::Failed(error) = outcome { Err(error) } else { Ok(outcome) }
        })
    }

    /// Makes one step, and runs what follows from it unless an outer call is doing so already.
    pub(super) fn dispatch(self: &Rc<Self>, kind: EventKind) {
        let event = Event { at: self.ports.read(), random: self.random(), kind };
        // A step calls nothing, so the machine is always back when the next event comes.
        let Some(machine) = self.machine.borrow_mut().take() else { return };
        let at = event.at.wall;
        let (machine, effects) = step(machine, event);
        self.note(&effects, &machine, at);
        *self.machine.borrow_mut() = Some(machine);
        self.queue.borrow_mut().extend(effects);
        if self.draining.replace(true) {
            return;
        }
        loop {
            let Some(effect) = self.queue.borrow_mut().pop_front() else { break };
            self.run(effect);
        }
        self.draining.set(false);
    }

    /// For jitter and names, where a failing generator does no harm; secrets use [`Entropy`] and its error.
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        if self.ports.fill(&mut bytes).is_err() {
            return self.ports.now().0.unsigned_abs();
        }
        u64::from_le_bytes(bytes)
    }

    fn run(self: &Rc<Self>, effect: Effect) {
        let this = Rc::clone(self);
        match effect {
            Effect::Load => self.enqueue(Job::Load),
            Effect::AcquireLock => self.acquire_lock(),
            // By the turn in which it was decided: the next may have begun when it is this job's.
            Effect::Intend(lineage, generation, tries) => {
                self.enqueue(Job::Intend(self.fence(), lineage, generation, tries));
            }
            Effect::ReadAgain => self.enqueue(Job::ReadLocked(self.lock_turn.get())),
            Effect::ReleaseLock => {
                self.lock_turn.set(self.lock_turn.get() + 1);
                self.enqueue(Job::Release(self.lock_turn.get()));
            }
            Effect::Reread => self.enqueue(Job::Reread),
            Effect::Send(ticket, call) => {
                // The turn lasts until the answer, whatever becomes of the session meanwhile: the next would send the same token.
                let turn = self.turn.borrow().as_ref().map(|(_, turn)| Rc::clone(turn));
                let turn = turn.filter(|_| ticket.kind == CallKind::Refresh);
                let end = turn.as_ref().and_then(|turn| turn.known.as_ref()?.until);
                self.spawn(async move {
                    let answer = this.talk(ticket, call, end).await;
                    this.dispatch(EventKind::Answered(ticket, Box::new(answer)));
                    this.let_go(turn).await;
                });
            }
            Effect::Commit(epoch, record, over) => self.enqueue(Job::Commit(epoch, record, over)),
            Effect::Forget(id, over, mark) => self.enqueue(Job::Forget(id, over, mark)),
            Effect::Trace(trace) => self.enqueue(Job::Trace(trace)),
            Effect::NoteActivity(at) => self.enqueue(Job::NoteActivity(at)),
            Effect::ReadActivity => self.enqueue(Job::ReadActivity),
            // What was decided before must be stored by then: a page that leaves stores nothing more.
            Effect::Navigate(url, departure) => self.enqueue(Job::Navigate(url, departure)),
            Effect::WakeAt(at) => self.set_alarm(at),
            Effect::Tell(note) => self.ports.post(&note.to_text()),
            Effect::Notify(notice) => (self.listener)(Report::Event(notice)),
            Effect::Show(snapshot) => (self.listener)(Report::State(snapshot)),
            // The page may be left at once: by then it must be stored that somebody is here.
            Effect::Settle(id, outcome @ Outcome::SignedIn(_)) => self.enqueue(Job::Settle(id, outcome)),
            Effect::Settle(id, outcome) => self.settle(id, outcome),
        }
    }

    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.ports.spawn(Box::pin(work));
    }

    fn settle(&self, id: WaiterId, outcome: Outcome) {
        let ended = matches!(&outcome, Outcome::Failed(error) if error.code == ErrorCode::Disposed);
        if ended || matches!(outcome, Outcome::Started(..)) {
            self.arriving.borrow_mut().take();
        }
        let sender = {
            let mut waiting = self.waiting.borrow_mut();
            let Some(at) = waiting.iter().position(|(each, _)| *each == id) else { return };
            waiting.swap_remove(at).1
        };
        // A receiver that is gone belongs to a caller that no longer waits: nothing is lost.
        let _ = sender.send(outcome);
    }

    fn acquire_lock(self: &Rc<Self>) {
        let turn = self.lock_turn.get() + 1;
        self.lock_turn.set(turn);
        let this = Rc::clone(self);
        self.spawn(async move {
            let taken = this.take_turn(turn).await.map(Rc::new);
            if this.lock_turn.get() != turn {
                return this.let_go(taken).await;
            }
            let Some(taken) = taken else { return this.dispatch(EventKind::LockRefused) };
            *this.turn.borrow_mut() = Some((turn, taken));
            this.enqueue(Job::ReadLocked(turn));
        });
    }

    /// Waits for the lock, and for the turn that goes with it. Whoever holds the lock for longer than a renewal can take is
    /// overtaken. `None` where it takes too long, or is not wanted any more.
    async fn take_turn(&self, number: u64) -> Option<Turn<P>> {
        let name = ["authsafe.", &self.config.id, ".refresh"].concat();
        let (mut patience, mut pause) = (LOCK_PATIENCE, FIRST_PAUSE);
        let mut seized = false;
        let mut lock = self.ports.acquire(&name, patience).await.map(Rc::new);
        let give_up = self.ports.now().plus(LONGEST_WAIT);
        while self.lock_turn.get() == number && self.ports.now() < give_up {
            let Some(guard) = lock.take().filter(|guard| !P::is_lost(guard)) else {
                match self.overdue().await {
                    Ok(()) => {
                        lock = Some(Rc::new(self.ports.seize(&name).await?));
                        seized = true;
                    }
                    Err(until) => {
                        patience = self.ports.now().until(until);
                        lock = self.ports.acquire(&name, patience).await.map(Rc::new);
                        seized = false;
                    }
                }
                continue;
            };
            match self.claim(&guard, seized).await {
                Ok(known) => return Some(Turn { guard, known }),
                Err(until) => {
                    // Nothing tells when another tab is done.
                    self.ports.sleep(pause.min(self.ports.now().until(until))).await;
                    pause = pause.part(2, 1).min(LONGEST_PAUSE);
                    lock = Some(guard);
                }
            }
        }
        None
    }

    fn enqueue(self: &Rc<Self>, job: Job) {
        self.jobs.borrow_mut().push_back(job);
        if self.working.replace(true) {
            return;
        }
        let this = Rc::clone(self);
        self.spawn(async move {
            loop {
                let Some(job) = this.jobs.borrow_mut().pop_front() else { break };
                this.perform(job).await;
            }
            this.working.set(false);
        });
    }

    async fn perform(self: &Rc<Self>, job: Job) {
        match job {
            Job::Load => {
                let (stored, arrival) = self.load().await;
                self.dispatch(EventKind::Loaded(stored, arrival));
            }
            Job::ReadLocked(turn) => {
                let stored = self.read_shared().await;
                if self.lock_turn.get() == turn {
                    let known = self.turn.borrow().as_ref().and_then(|(_, turn)| turn.known.clone());
                    self.dispatch(EventKind::LockGranted(stored, known));
                }
            }
            Job::Intend(fence, lineage, generation, tries) => {
                let done = self.intend(fence, lineage, generation, tries).await;
                self.dispatch(EventKind::Intended(done));
            }
            Job::Release(turn) => {
                // Not a lock that was acquired after this release was decided.
                let old = self.turn.borrow_mut().take_if(|(acquired, _)| *acquired < turn);
                self.let_go(old.map(|(_, turn)| turn)).await;
            }
            Job::Reread => {
                let stored = self.read_shared().await;
                self.dispatch(EventKind::Reread(stored));
            }
            Job::Commit(epoch, record, over) => {
                let commit = self.commit(&record, &over).await;
                self.dispatch(EventKind::Committed(epoch, commit));
            }
            Job::Settle(id, outcome) => self.settle(id, outcome),
            Job::Trace(trace) => self.trace(trace).await,
            Job::Navigate(url, departure) => {
                if self.machine.borrow().as_ref().is_some_and(|machine| machine.leaves(departure)) {
                    self.ports.navigate(url.as_str());
                }
            }
            Job::NoteActivity(at) => self.note_activity(at).await,
            Job::ReadActivity => {
                let stamp = self.read_activity().await;
                self.dispatch(EventKind::ActivityRead(stamp));
            }
            Job::Forget(id, over, mark) => {
                let failure = self.forget(&over, mark).await.err();
                self.dispatch(EventKind::Forgotten(id, failure));
            }
        }
    }

    /// One alarm at a time. It sleeps in short stretches, because timers stand still while the machine sleeps, and because
    /// a delay beyond 2³¹−1 ms would fire at once.
    fn set_alarm(self: &Rc<Self>, at: Option<UnixMillis>) {
        let turn = self.alarm.get() + 1;
        self.alarm.set(turn);
        let Some(at) = at else { return };
        let this = Rc::clone(self);
        self.spawn(async move {
            // The machine looks at the clock after each stretch, and so learns soon if it was set back.
            this.ports.sleep(this.ports.now().until(at).min(STRETCH)).await;
            if this.alarm.get() != turn {
                return;
            }
            this.dispatch(EventKind::Tick);
        });
    }
}

/// The turn to renew, and the lock that goes with it.
pub(super) struct Turn<P: Ports> {
    pub(super) guard: Rc<P::Guard>,
    /// What the tabs knew when it began; the fence is this turn's.
    pub(super) known: Option<Coordination>,
}

/// Work on the medium, or on the lock that orders it among tabs; and what has to wait for it.
enum Job {
    Load,
    /// For the lock of this turn.
    ReadLocked(u64),
    Reread,
    Intend(Option<u64>, String, u64, u32),
    Commit(u64, Box<Record>, Over),
    Forget(Option<WaiterId>, Over, Option<Mark>),
    Settle(WaiterId, Outcome),
    Trace(Trace),
    Navigate(Box<WebUrl>, Departure),
    NoteActivity(Option<UnixMillis>),
    ReadActivity,
    /// Of any turn before this one.
    Release(u64),
}

fn settings(config: &Config) -> Settings {
    let base = Settings {
        server_session: false,
        refresh: config.refresh.clone(),
        refresh_cookie: false,
        extendable: false,
        shared: false,
        bound: false,
        restore: Restore::Record,
        recheck_interval: None,
        recheck_on_focus: false,
        recheck_on_online: false,
        recheck_min_interval: Lifetime::ZERO,
        idle: config.idle,
        initial: None,
    };
    match &config.mode {
        Mode::Token(tokens) => Settings {
            refresh_cookie: tokens
                .first_party
                .as_ref()
                .is_some_and(|backend| backend.refresh_cookie && backend.refresh.is_some()),
            shared: tokens.storage.medium.is_shared(),
            bound: tokens.oidc.as_ref().is_some_and(|provider| provider.dpop == Policy::Always),
            restore: tokens.restore,
            ..base
        },
        Mode::Session(session) => Settings {
            server_session: true,
            extendable: session.backend.extend.is_some(),
            recheck_interval: session.recheck.interval,
            recheck_on_focus: session.recheck.on_focus,
            recheck_on_online: session.recheck.on_online,
            recheck_min_interval: session.recheck.min_interval,
            initial: super::assemble::initial_session(session),
            ..base
        },
    }
}

/// How long a tab waits for the others' renewal; a call to a server ends before.
pub(super) const LOCK_PATIENCE: Lifetime = Lifetime::from_seconds(15);

/// How long a tab waits for its turn altogether.
const LONGEST_WAIT: Lifetime = Lifetime::from_seconds(30);

/// Between two looks at whether another tab is done, where no lock says so: doubled from the first to the longest.
const FIRST_PAUSE: Lifetime = Lifetime::from_millis(50);
const LONGEST_PAUSE: Lifetime = Lifetime::from_seconds(1);

/// How long the alarm sleeps at most before it looks at the clock.
const STRETCH: Lifetime = Lifetime::from_seconds(60);
