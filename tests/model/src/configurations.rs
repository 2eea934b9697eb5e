//! What is checked: each configuration answers one question, within bounds that a computer gets through.

use crate::server::Rotation;
use crate::words::{LIFE, Millis};
use crate::world::{Bounds, Faults, Medium, Wishes};

/// Bounds with a name.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// What it is about.
    pub name: &'static str,
    /// Who takes part.
    pub bounds: Bounds,
}

/// How much is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Seconds, for every run of the tests.
    Small,
    /// Minutes.
    Large,
}

impl Bounds {
    /// Tabs that share a medium and a lock, from one renewal to the end of the token that it replaces. Nothing goes wrong.
    #[must_use]
    pub fn new(tabs: u8, rotation: Rotation) -> Self {
        Self {
            tabs,
            medium: Medium::Shared,
            locks: true,
            split: true,
            rotation,
            age: LATE,
            horizon: LIFE,
            faults: 0,
            possible: Faults::ANY,
            starts: 0,
            wishes: Wishes::default(),
            bug: None,
        }
    }
}

/// All of them.
#[must_use]
pub fn all(size: Size) -> Vec<Configuration> {
    let large = size == Size::Large;
    let mut all = Vec::new();
    for rotation in [Rotation::Never, Rotation::Grace, Rotation::Strict] {
        let two = Bounds { faults: 1, starts: 1, ..Bounds::new(2, rotation) };
        let mut add = |name, bounds| all.push(Configuration { name, bounds });
        let wishes = Wishes { renew: 1, token: 1, ..Wishes::default() };
        let faults = if large { 3 } else { 2 };
        add("one tab", Bounds { faults, starts: faults, wishes, ..Bounds::new(1, rotation) });
        add("two tabs", two.clone());
        add("two tabs, token expired at start", Bounds { age: EXPIRED, horizon: EXPIRED + LIFE - LATE, ..two.clone() });
        add("a medium in each tab", Bounds { medium: Medium::Tab, split: large, ..two.clone() });
        add("no medium but memory", Bounds { medium: Medium::Memory, ..two.clone() });
        let starts = u8::from(large);
        add("a medium that shows old values", Bounds { medium: Medium::Stale, split: false, starts, ..two.clone() });
        add("no lock but turns", Bounds { locks: false, split: false, ..two.clone() });
        let logout = Wishes { logout: 1, ..Wishes::default() };
        add("sign-out", Bounds { wishes: logout, faults: 0, ..two.clone() });
        let login = Wishes { login: 1, ..Wishes::default() };
        add("sign-in of another user", Bounds { wishes: login, faults: 0, split: false, ..two.clone() });
        let twice = Bounds { faults: 0, starts: 0, split: false, horizon: 2 * LIFE + 60_000, ..two.clone() };
        add("two tabs, two renewals", twice);
        add("three tabs", Bounds { tabs: 3, faults: 0, ..two.clone() });
        if large {
            add("two tabs, two faults", Bounds { faults: 2, ..two.clone() });
            add("three tabs, a fault", Bounds { tabs: 3, split: false, ..two.clone() });
            add("sign-out and a fault", Bounds { wishes: logout, split: false, ..two.clone() });
        }
    }
    all
}

/// Some time before the token is renewed; not so long that a tab would take it for sleep that nothing happens until then.
const LATE: Millis = LIFE - 100_000;

const EXPIRED: Millis = LIFE + 1;
