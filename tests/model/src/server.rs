//! An authorization server that gives out refresh tokens, in the three ways that servers do.
//!
//! RFC 9700 §4.14.2; RFC 6749 §6. A family is what descends from one sign-in.

use crate::words::{Call, Grant, Reply};

/// What becomes of a refresh token that was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// It stays.
    Never,
    /// It is replaced, and accepted again until one of those that replaced it has been used: nobody else can have lost them.
    Grace,
    /// It is replaced, and whoever uses it again ends the family.
    Strict,
}

/// The families, in the order of their sign-ins.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Server {
    families: Vec<Family>,
}

/// What descends from one sign-in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Family {
    /// For each refresh token in turn: the one that it was given for (0: the sign-in), and whether it was used.
    tokens: Vec<(u8, bool)>,
    accesses: u8,
    /// How it ended.
    pub end: Option<End>,
}

/// How a family ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A used token was used again.
    Reuse,
    /// The client wanted it.
    Revoked,
}

impl Server {
    /// The family of this number; they count from 1.
    #[must_use]
    pub fn family(&self, family: u8) -> Option<&Family> {
        self.families.get(usize::from(family).checked_sub(1)?)
    }

    /// How many have signed in.
    #[must_use]
    pub fn sign_ins(&self) -> u8 {
        self.families.len() as u8
    }

    /// How many refresh tokens were given out.
    #[must_use]
    pub fn issued(&self) -> usize {
        self.families.iter().map(|family| family.tokens.len()).sum()
    }

    /// How many renewals were granted.
    #[must_use]
    pub fn renewals(&self) -> u8 {
        self.families.iter().map(|family| family.accesses.saturating_sub(1)).sum()
    }

    /// Somebody signs in.
    pub fn sign_in(&mut self) -> Grant {
        self.families.push(Family { tokens: vec![(0, false)], accesses: 1, end: None });
        Grant { family: self.sign_ins(), refresh: 1, access: 1, renewable: true, at: 0 }
    }

    /// Whether these tokens can be renewed.
    #[must_use]
    pub fn accepts(&self, grant: Grant, rotation: Rotation) -> bool {
        grant.renewable && self.family(grant.family).is_some_and(|family| family.accepts(grant.refresh, rotation))
    }

    /// Answers.
    pub fn serve(&mut self, call: Call, rotation: Rotation) -> Reply {
        match call {
            Call::Login => Reply::SignedIn(self.sign_in()),
            Call::Refresh(grant) => {
                let Some(family) = self.families.get_mut(usize::from(grant.family) - 1) else { return Reply::Refused };
                family.renew(grant, rotation)
            }
            Call::Reach(_) => Reply::Reached,
            Call::End(grant, _) => {
                let family = grant.and_then(|grant| self.families.get_mut(usize::from(grant.family) - 1));
                if let Some(family) = family {
                    family.end = family.end.or(Some(End::Revoked));
                }
                Reply::Ended
            }
        }
    }
}

impl Family {
    fn accepts(&self, token: u8, rotation: Rotation) -> bool {
        let used = self.tokens.get(usize::from(token) - 1).is_some_and(|(_, used)| *used);
        let replaced = self.tokens.iter().any(|(of, used)| *of == token && *used);
        self.end.is_none()
            && match rotation {
                Rotation::Never => true,
                Rotation::Grace => !used || !replaced,
                Rotation::Strict => !used,
            }
    }

    fn renew(&mut self, grant: Grant, rotation: Rotation) -> Reply {
        if !self.accepts(grant.refresh, rotation) {
            self.end = self.end.or(Some(End::Reuse));
            return Reply::Refused;
        }
        self.accesses += 1;
        let mut refresh = grant.refresh;
        if rotation != Rotation::Never {
            if let Some((_, used)) = self.tokens.get_mut(usize::from(refresh) - 1) {
                *used = true;
            }
            self.tokens.push((refresh, false));
            refresh = self.tokens.len() as u8;
        }
        Reply::Renewed(Grant { refresh, access: self.accesses, ..grant })
    }
}
