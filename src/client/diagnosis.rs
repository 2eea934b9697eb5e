//! What there is to say about a deployment: only what is known without asking anybody, and what would mend it.

use super::Client;
use super::driver::Inner;
use super::options::{Mode, TokenConfig};
use crate::policy::storage::Medium;
use crate::ports::{Ports, Store, StoreFailure};
use crate::types::{Json, Members, Session};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Names it.
    pub id: &'static str,
    /// Nothing is to be done.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What would mend it.
    pub fix: Option<&'static str>,
}

/// What was found, and what happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnosis {
    /// Everything that was looked at.
    pub checks: Vec<Check>,
    /// The last transitions and events of this tab, oldest first.
    pub history: Vec<Json>,
}

impl Diagnosis {
    /// `DiagnosticReport`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let checks = self.checks.iter().map(|check| {
            Members::new()
                .text("id", Some(check.id))
                .value("ok", Some(Json::Bool(check.ok)))
                .text("detail", Some(&check.detail))
                .text("fix", check.fix)
                .object()
        });
        Members::new()
            .value("ok", Some(Json::Bool(self.checks.iter().all(|check| check.ok))))
            .value("checks", Some(Json::List(checks.collect())))
            .value("history", Some(Json::List(self.history.clone())))
            .object()
    }
}

impl<P: Ports> Client<P> {
    /// Looks around. Sends nothing, and changes nothing.
    pub async fn diagnose(&self) -> Diagnosis {
        Diagnosis { checks: self.inner.checks().await, history: self.inner.history().await }
    }
}

impl<P: Ports> Inner<P> {
    async fn checks(&self) -> Vec<Check> {
        let mut checks: Vec<Check> = self.ports.features().into_iter().map(feature).collect();
        if let Mode::Token(tokens) = &self.config.mode {
            checks.push(self.isolation(tokens));
            checks.push(origins(self.config.allowed_origins.is_empty()));
            checks.extend(self.storage(tokens.storage.medium).await);
            if tokens.oidc.is_some() {
                checks.push(self.sign_in_storage().await);
                checks.extend(self.discovery());
            }
        }
        if let Some(session) = self.session() {
            checks.push(clock(session.facts.skew));
            checks.extend(self.renewal(&session));
        }
        checks
    }

    fn isolation(&self, tokens: &TokenConfig) -> Check {
        let isolated = self.ports.isolated();
        let detail = if isolated {
            "The core runs in a worker, out of reach of the page's script."
        } else {
            "The core runs in the page, where script can get at the tokens."
        };
        let fix = "Let `isolation` be 'worker', and see the event `isolationDegraded` for what was in its way.";
        check("isolation", isolated || tokens.in_page, detail, fix)
    }

    async fn storage(&self, medium: Medium) -> Option<Check> {
        let id = "storage";
        if medium == Medium::Memory {
            return None;
        }
        let fix =
            "Free or allow the site's storage, or choose another `storage`. Until then a reload loses the session.";
        let name = medium.as_str();
        let found = match self.ports.store().read(&self.record_key()).await {
            Err(failure) => Err(failure.as_str()),
            Ok(_) if self.degraded.get() => Err("refusing what is written"),
            Ok(_) => Ok(()),
        };
        Some(match found {
            Ok(()) => check(id, true, [name, " can be read, and took what was written."].concat(), fix),
            Err(cause) => check(id, false, [name, " is ", cause, "; the session is kept in memory."].concat(), fix),
        })
    }

    async fn sign_in_storage(&self) -> Check {
        let found = self.ports.transactions().read(&self.transactions_key()).await;
        let cause = found.as_ref().err().copied().map(StoreFailure::as_str);
        let detail = match cause {
            None => "sessionStorage can be read; a sign-in by redirect needs it.".to_owned(),
            Some(cause) => ["sessionStorage, or the key for it, is ", cause, "."].concat(),
        };
        check(
            "sign_in_storage",
            cause.is_none(),
            detail,
            "Allow the site to keep data. No sign-in by redirect works without.",
        )
    }

    fn discovery(&self) -> Option<Check> {
        // What was not asked for yet is not known, and not asked for here.
        let known = self.memory.borrow().knows_provider();
        known.then(|| check("discovery", true, "The provider's metadata is known and in order.", ""))
    }

    fn renewal(&self, session: &Session) -> Option<Check> {
        let tokens = session.tokens()?;
        let cookie =
            matches!(&self.config.mode, Mode::Token(TokenConfig { first_party: Some(own), .. }) if own.refresh_cookie);
        let renewable = tokens.refresh.is_some() || cookie;
        let detail = if renewable {
            "The session can be renewed."
        } else {
            "There is no refresh token, so the session ends with its access token."
        };
        let fix = "Have the server give out refresh tokens: with OpenID, ask for the scope 'offline_access'.";
        Some(check("renewal", renewable, detail, fix))
    }
}

fn feature((name, there): (&'static str, bool)) -> Check {
    let (detail, fix) = match name {
        "secure_context" => ("is a secure context", "Serve the page over https, or from localhost."),
        "broadcast_channel" => ("has BroadcastChannel", "Use a newer browser: tabs learn of each other late."),
        _ => ("has IndexedDB", "Allow the site to keep data: nothing can be sealed, and no key be kept."),
    };
    let subject = if there { "The page " } else { "Not so: the page " };
    check(name, there, [subject, detail, "."].concat(), fix)
}

fn origins(none: bool) -> Check {
    let detail = if none { "There are none: fetch() sends the token nowhere." } else { "They are set." };
    check("allowed_origins", !none, detail, "List the origins of your APIs in `allowedOrigins`.")
}

fn clock(skew: i64) -> Check {
    let seconds = skew.saturating_abs().saturating_add(500).div_euclid(1000);
    let side = if skew > 0 { "behind" } else { "ahead of" };
    let detail = ["The device's clock is ", &seconds.to_string(), " s ", side, " the server's."].concat();
    check(
        "clock",
        seconds <= 60,
        detail,
        "Have the user set the device's clock. authsafe goes by the server's meanwhile.",
    )
}

fn check(id: &'static str, ok: bool, detail: impl Into<String>, fix: &'static str) -> Check {
    Check { id, ok, detail: detail.into(), fix: (!ok).then_some(fix) }
}
