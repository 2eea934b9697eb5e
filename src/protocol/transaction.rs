//! Pending sign-ins: what must be remembered between leaving for the provider and coming back.
//!
//! OpenID Connect Core 1.0 §3.1.2.1, RFC 6749 §10.12, RFC 9700 §2.1.1 and §4.7.1. Keyed by `state`, good for one use and ten
//! minutes, and bound to issuer, client and redirect URI. Where the text is kept is decided elsewhere; it holds a PKCE
//! verifier, so it is as sensitive as a token until the exchange.

use super::pkce::is_code_verifier;
use crate::types::{
    ClientId, CodeVerifier, Issuer, Json, Lifetime, Members, Nonce, ReturnTo, State, UnixMillis, WebUrl, same_text,
};
use zeroize::Zeroizing;

/// How long a sign-in may take, and how long a state that is over is still recognised.
pub const TTL: Lifetime = Lifetime::from_seconds(600);

/// How many sign-ins may be pending at once, and how many that are over are remembered.
pub const MAX_PENDING: usize = 10;

/// One sign-in under way.
#[derive(Clone, PartialEq)]
pub struct Transaction {
    /// Sent, and expected back. Random and nothing else.
    pub state: State,
    /// Sent, and expected in the ID token.
    pub nonce: Nonce,
    /// What only the initiator of this sign-in knows.
    pub code_verifier: CodeVerifier,
    /// Who was asked.
    pub issuer: Issuer,
    /// As whom.
    pub client_id: ClientId,
    /// Where the answer was asked for; the exchange repeats it exactly.
    pub redirect_uri: WebUrl,
    /// When it began, by the device's clock.
    pub created_at: UnixMillis,
    /// What was asked as `max_age`, and so what `auth_time` is checked against.
    pub max_age: Option<Lifetime>,
    /// What was asked as `acr_values`, and so what `acr` is checked against; empty where nothing was.
    pub acr: Vec<String>,
    /// Where the application wants to go afterwards.
    pub return_to: Option<ReturnTo>,
    /// What the application wants back.
    pub app_state: Option<Json>,
    /// The provider is asked by ourselves, and the user is not to notice.
    pub silent: bool,
    /// The key that the code is bound to. RFC 9449 §10.
    pub jkt: Option<String>,
}

impl std::fmt::Debug for Transaction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transaction")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

/// What became of a state.
#[allow(clippy::large_enum_variant, reason = "one value at a time, taken apart at once")]
#[derive(Clone, Debug, PartialEq)]
pub enum Taken {
    /// Pending until now; from now on spent.
    Fresh(Transaction),
    /// It took too long, or newer sign-ins pushed it out. The sign-in, where that was found out just now.
    Expired(Option<Transaction>),
    /// It was taken before.
    Spent,
    /// Never ours, or forgotten: someone else's callback.
    Unknown,
}

/// All sign-ins that are pending, and the states of those that are over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transactions {
    pending: Vec<Transaction>,
    over: Vec<Over>,
}

/// A state that must not be taken again.
#[derive(Clone, PartialEq)]
struct Over {
    state: State,
    at: UnixMillis,
    spent: bool,
}

impl std::fmt::Debug for Over {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.spent { "Spent(…)" } else { "Expired(…)" })
    }
}

impl Transactions {
    /// Reads what [`to_text`](Self::to_text) wrote. A corrupt text is an empty list, a corrupt entry is left out: a sign-in
    /// that cannot be read is one that cannot be finished, and nothing else depends on it.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let Some(record) = Json::parse(text).map(Zeroizing::new) else { return Self::default() };
        if record.get("v").and_then(Json::number) != Some(VERSION) {
            return Self::default();
        }
        let items = |name| record.get(name).and_then(Json::list).unwrap_or_default().iter().take(MAX_PENDING);
        Self {
            pending: items("pending").filter_map(read_pending).collect(),
            over: items("over").filter_map(read_over).collect(),
        }
    }

    /// The list as text, wiped on drop.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let over = self.over.iter().map(|over| {
            Members::new()
                .text("state", Some(over.state.as_str()))
                .number("at", Some(over.at.0 as f64))
                .value("spent", Some(Json::Bool(over.spent)))
                .object()
        });
        let record = Zeroizing::new(
            Members::new()
                .number("v", Some(VERSION))
                .value("pending", Some(Json::List(self.pending.iter().map(write_pending).collect())))
                .value("over", Some(Json::List(over.collect())))
                .object(),
        );
        record.to_secret_text()
    }

    /// Remembers one more; what is older than [`TTL`] is over, and so is the oldest where there are more than
    /// [`MAX_PENDING`].
    pub fn add(&mut self, transaction: Transaction, now: UnixMillis) {
        self.sweep(now);
        self.pending.push(transaction);
        while self.pending.len() > MAX_PENDING {
            let oldest = self.pending.remove(0);
            self.finish(oldest.state, now, false);
        }
    }

    /// Takes the sign-in that `state` belongs to. The state is spent from here on, whatever happens next: write
    /// [`to_text`](Self::to_text) back before the code is sent anywhere.
    pub fn take(&mut self, state: &State, now: UnixMillis) -> Taken {
        let at = self.pending.iter().position(|pending| same_text(pending.state.as_str(), state.as_str()));
        let found = at.map(|at| self.pending.remove(at));
        self.sweep(now);
        if let Some(transaction) = found {
            let young = is_young(transaction.created_at, now);
            self.finish(transaction.state.clone(), now, young);
            return if young { Taken::Fresh(transaction) } else { Taken::Expired(Some(transaction)) };
        }
        match self.over.iter().find(|over| same_text(over.state.as_str(), state.as_str())) {
            Some(Over { spent: true, .. }) => Taken::Spent,
            Some(Over { spent: false, .. }) => Taken::Expired(None),
            None => Taken::Unknown,
        }
    }

    fn sweep(&mut self, now: UnixMillis) {
        self.over.retain(|over| is_young(over.at, now));
        while let Some(at) = self.pending.iter().position(|pending| !is_young(pending.created_at, now)) {
            let expired = self.pending.remove(at);
            self.finish(expired.state, now, false);
        }
    }

    fn finish(&mut self, state: State, at: UnixMillis, spent: bool) {
        self.over.push(Over { state, at, spent });
        if self.over.len() > MAX_PENDING {
            self.over.remove(0);
        }
    }
}

const VERSION: f64 = 1.0;

/// Counts both ways: after a clock was set back, an instant in the future must not make a sign-in live for ever.
fn is_young(then: UnixMillis, now: UnixMillis) -> bool {
    then.until(now).max(now.until(then)) <= TTL
}

fn write_pending(transaction: &Transaction) -> Json {
    Members::new()
        .text("state", Some(transaction.state.as_str()))
        .text("nonce", Some(transaction.nonce.as_str()))
        .text("code_verifier", Some(transaction.code_verifier.expose()))
        .text("issuer", Some(transaction.issuer.as_str()))
        .text("client_id", Some(transaction.client_id.as_str()))
        .text("redirect_uri", Some(transaction.redirect_uri.as_str()))
        .number("created_at", Some(transaction.created_at.0 as f64))
        .number("max_age", transaction.max_age.map(|max_age| max_age.millis() as f64))
        .value(
            "acr",
            (!transaction.acr.is_empty())
                .then(|| Json::List(transaction.acr.iter().map(|value| value.as_str().into()).collect())),
        )
        .text("return_to", transaction.return_to.as_ref().map(ReturnTo::as_str))
        .value("app_state", transaction.app_state.clone())
        .value("silent", transaction.silent.then_some(Json::Bool(true)))
        .text("jkt", transaction.jkt.as_deref())
        .object()
}

fn read_pending(item: &Json) -> Option<Transaction> {
    let text = |name| item.get(name).and_then(Json::text).filter(|text| !text.is_empty()).map(str::to_owned);
    // An optional member that is there and wrong makes the whole entry corrupt.
    let optional = |name| item.get(name).filter(|value| **value != Json::Null);
    Some(Transaction {
        state: State(text("state")?),
        nonce: Nonce(text("nonce")?),
        code_verifier: CodeVerifier::new(text("code_verifier").filter(|verifier| is_code_verifier(verifier))?)?,
        issuer: Issuer(text("issuer")?),
        client_id: ClientId(text("client_id")?),
        redirect_uri: WebUrl::parse(&text("redirect_uri")?)?,
        created_at: read_instant(item.get("created_at")?)?,
        max_age: match optional("max_age") {
            Some(value) => Some(Lifetime::from_millis(read_instant(value)?.0)),
            None => None,
        },
        acr: match optional("acr") {
            Some(value) => value.list()?.iter().map(|value| value.text().map(str::to_owned)).collect::<Option<_>>()?,
            None => Vec::new(),
        },
        return_to: match optional("return_to") {
            Some(value) => Some(ReturnTo::parse(value.text()?)?),
            None => None,
        },
        app_state: item.get("app_state").cloned(),
        silent: item.get("silent") == Some(&Json::Bool(true)),
        jkt: match optional("jkt") {
            Some(value) => Some(value.text()?.to_owned()),
            None => None,
        },
    })
}

fn read_over(item: &Json) -> Option<Over> {
    Some(Over {
        state: State(item.get("state")?.text()?.to_owned()),
        at: read_instant(item.get("at")?)?,
        spent: *item.get("spent")? == Json::Bool(true),
    })
}

fn read_instant(value: &Json) -> Option<UnixMillis> {
    value.number().filter(|number| *number >= 0.0 && *number < 9e15).map(|number| UnixMillis(number as i64))
}

#[cfg(test)]
mod tests;
