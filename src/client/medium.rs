//! Records and pending sign-ins, in and out of their media.

use super::driver::{Inner, LOCK_PATIENCE};
use super::options::Mode;
use super::talk::Work;
use crate::error::{Error, ErrorCode, ErrorPhase};
use crate::machine::{Arrival, Commit, Over, Stored};
use crate::policy::restore::Trace;
use crate::policy::storage::Medium;
use crate::ports::{Ports, Store, StoreFailure};
use crate::protocol::callback;
use crate::protocol::record::{self, Mark, Record, RecordFault};
use crate::protocol::transaction::{Taken, Transaction, Transactions};
use crate::types::{ReturnTo, WebUrl};
use std::pin::Pin;

impl<P: Ports> Inner<P> {
    pub(super) fn record_key(&self) -> String {
        ["authsafe.", &self.config.id, ".session"].concat()
    }

    pub(super) fn transactions_key(&self) -> String {
        ["authsafe.", &self.config.id, ".transactions"].concat()
    }

    fn trace_key(&self) -> String {
        ["authsafe.", &self.config.id, ".restore"].concat()
    }

    /// Leaves a trace for the next page load of this tab. Where it cannot be left, the next one asks nobody.
    pub(super) async fn trace(&self, trace: Trace) {
        let (store, key) = (self.ports.traces(), self.trace_key());
        if trace == Trace::Nothing || store.write(&key, trace.as_str()).await.is_err() {
            store.remove(&key).await.ok();
        }
    }

    /// What an earlier page load has left, where it matters, and where this one is.
    async fn plain(&self) -> Arrival {
        let Mode::Token(tokens) = &self.config.mode else { return Arrival::Plain(Trace::Asked, None) };
        if !tokens.restore.leaves_trace() || self.ports.framed() {
            return Arrival::Plain(Trace::Asked, None);
        }
        let text = self.ports.traces().read(&self.trace_key()).await;
        let href = self.ports.href();
        let here = WebUrl::parse(href.split(['?', '#']).next().unwrap_or_default());
        let here = here.and_then(|here| ReturnTo::parse(href.strip_prefix(here.origin())?));
        Arrival::Plain(text.map_or(Trace::Asked, |text| Trace::parse(text.as_deref())), here)
    }

    /// What the page load began with.
    pub(super) async fn load(&self) -> (Stored, Arrival) {
        let arrival = self.arrival().await;
        let mut stored = self.read().await;
        if let Stored::Record(record) = &stored
            && self.has_ended(&record.lineage).await
        {
            // A medium may show this page what another one has ended.
            stored = Stored::Ended(Mark { lineage: record.lineage.clone(), wished: true });
        }
        (stored, arrival)
    }

    #[inline(never)]
    fn read(&self) -> Pin<Box<dyn Future<Output = Stored> + '_>> {
        Box::pin(self.read_record())
    }

    async fn read_record(&self) -> Stored {
        let Mode::Token(_) = &self.config.mode else { return Stored::Empty };
        let (store, key) = (self.ports.store(), self.record_key());
        let mut text = match store.read(&key).await {
            Ok(Some(text)) => zeroize::Zeroizing::new(text),
            Ok(None) => return Stored::Empty,
            Err(failure) => {
                let news = !self.degraded.replace(true);
                return Stored::Unreadable(news.then(|| failure.as_str()));
            }
        };
        let mut tries = 0;
        loop {
            let judged = self.judge(&text).await;
            if !matches!(judged, Stored::Corrupt | Stored::KeyLost) {
                return judged;
            }
            tries += 1;
            match store.read(&key).await.map(|now| now.map(zeroize::Zeroizing::new)) {
                // Another tab has written it meanwhile.
                Ok(Some(now)) if now != text && tries < MOST_TRIES => text = now,
                // It can be of no use to anybody; if it cannot be removed either, the next commit replaces it.
                Ok(Some(now)) if now == text => {
                    store.remove(&key).await.ok();
                    return judged;
                }
                Ok(_) | Err(_) => return judged,
            }
        }
    }

    async fn judge(&self, text: &str) -> Stored {
        if let Some(mark) = Mark::parse(text) {
            return Stored::Ended(mark);
        }
        match Record::parse(text) {
            Ok(record) if !self.is_without_key(&record).await => Stored::Record(Box::new(record)),
            // A newer version of authsafe wrote it, and will want it back.
            Err(RecordFault::Newer) => Stored::Empty,
            Ok(_) => Stored::KeyLost,
            Err(_) => Stored::Corrupt,
        }
    }

    /// Whether the key is lost that the tokens of a record are bound to: they are of no use to anybody any more. A browser that
    /// cannot say so does not end the session; what needs the key will fail, and can be tried again.
    async fn is_without_key(&self, record: &Record) -> bool {
        let Some(jkt) = jkt_of(record) else { return false };
        matches!(self.key(jkt, None).await, Err(error) if error.code == ErrorCode::DpopKeyLost)
    }

    /// As [`read`](Self::read), for media that somebody else writes to: other tabs, or another client of this page.
    pub(super) async fn read_shared(&self) -> Stored {
        let own = matches!(&self.config.mode, Mode::Token(tokens) if tokens.storage.medium == Medium::Memory);
        if own { Stored::Unreadable(None) } else { self.read().await }
    }

    /// Makes the record durable, if what is there may be replaced. An error is reported once, until a commit succeeds again.
    pub(super) async fn commit(&self, record: &Record, over: &Over) -> Commit {
        if *over != Over::Anything && self.is_overtaken().await {
            return Commit::Superseded(self.read().await);
        }
        if let Some(found) = self.found_beyond(over).await {
            return Commit::Superseded(found);
        }
        if self.begins(over) {
            self.agree_on(record, over).await;
        }
        let (key, jkt) = (self.record_key(), jkt_of(record));
        // Tokens without their key would be of no use after a reload.
        let written = match self.keep_key(jkt).await {
            Ok(()) => self.ports.store().write(&key, &record.to_text()).await,
            Err(failure) => Err(failure),
        };
        if written.is_err() {
            // The record of before would bring back a spent token after a reload.
            self.ports.store().remove(&key).await.ok();
        }
        if *over == Over::Anything {
            // Until now another tab may have read the record of before.
            self.drop_others(jkt).await;
        }
        match written {
            Ok(()) => {
                self.degraded.set(false);
                if self.begins(over) || self.agree_on(record, over).await {
                    return Commit::Done;
                }
                if self.has_ended(&record.lineage).await {
                    // The user has signed out while this was written, which stands.
                    let mark = Mark { lineage: record.lineage.clone(), wished: true };
                    self.end_record(Some(mark)).await.ok();
                }
                Commit::Superseded(self.read().await)
            }
            Err(failure) => {
                let news = !self.degraded.replace(true);
                Commit::Failed(news.then(|| failure.as_str()))
            }
        }
    }

    /// What the medium holds, if it is not to be touched.
    async fn found_beyond(&self, over: &Over) -> Option<Stored> {
        if *over == Over::Anything {
            return None;
        }
        let found = self.read().await;
        (!over.covers(&found)).then_some(found)
    }

    /// Removes the record, if it may be. Where tabs share the medium, `mark` names the sign-in that is over; it stands in the
    /// record's place until the next sign-in.
    ///
    /// # Errors
    /// A word for the cause, where a record is left that a reload would take up again.
    pub(super) async fn forget(&self, over: &Over, mark: Option<Mark>) -> Result<(), &'static str> {
        if self.found_beyond(over).await.is_some() {
            return Ok(());
        }
        if !self.agree_on_end(over).await {
            return Ok(());
        }
        let done = self.end_record(mark.clone()).await;
        // Only now, or a tab that reads the record meanwhile would take its key for lost. Without it the tokens are of no use,
        // even where they cannot be removed; what is left of it alone harms nobody.
        self.drop_ended().await;
        let Err(failure) = done else { return Ok(()) };
        // What cannot be removed may still be overwritten; and where nothing can be read, nothing will be taken up.
        let ended = mark.map_or_else(|| record::ended_text(""), |mark| mark.to_text());
        let written = self.ports.store().write(&self.record_key(), &ended).await;
        let harmless = written.is_ok() || !matches!(self.read().await, Stored::Record(_));
        self.degraded.set(true);
        if harmless { Ok(()) } else { Err(failure.as_str()) }
    }

    /// Puts a mark in the place of the record, or removes it.
    async fn end_record(&self, mark: Option<Mark>) -> Result<(), StoreFailure> {
        let (store, key) = (self.ports.store(), self.record_key());
        // A tab without a session marks whatever sign-in is there, and leaves a mark that stands.
        let mark = match mark {
            Some(Mark { lineage, wished }) if lineage.is_empty() => match self.read().await {
                Stored::Record(record) => Some(Mark { lineage: record.lineage, wished }),
                Stored::Ended(mark) if mark.wished || !wished => return Ok(()),
                Stored::Ended(mark) => Some(Mark { wished, ..mark }),
                Stored::Empty | Stored::Corrupt | Stored::KeyLost | Stored::Unreadable(_) => None,
            },
            named => named,
        };
        if let Some(mark) = &mark
            && store.write(&key, &mark.to_text()).await.is_ok()
        {
            return Ok(());
        }
        store.remove(&key).await
    }

    /// Whether the address is a callback of ours. The pending sign-in is spent before its code is used, and the address is
    /// cleaned before anything else happens. RFC 9700 §2.1.1, §4.3.1.
    async fn arrival(&self) -> Arrival {
        let Mode::Token(tokens) = &self.config.mode else { return self.plain().await };
        let Some(registration) = &tokens.oidc else { return self.plain().await };
        let Some(response) = callback::recognise(&self.ports.href(), &registration.redirect_uri) else {
            return self.plain().await;
        };
        // Another client of this page may be at it. What comes of that is then found in the medium.
        let name = ["authsafe.", &self.config.id, ".callback.", response.state.as_str()].concat();
        let guard = self.ports.acquire(&name, LOCK_PATIENCE).await;
        *self.arriving.borrow_mut() = guard;
        let key = self.transactions_key();
        let Ok(Some(text)) = self.ports.transactions().read(&key).await else {
            return self.plain().await;
        };
        let mut transactions = Transactions::parse(&zeroize::Zeroizing::new(text));
        let taken = transactions.take(&response.state, self.ports.now());
        if matches!(taken, Taken::Unknown) {
            return self.plain().await;
        }
        self.ports.replace_url(&response.cleaned_url);
        let silent = match &taken {
            Taken::Fresh(transaction) | Taken::Expired(Some(transaction)) if transaction.silent => Some(transaction),
            Taken::Fresh(_) | Taken::Expired(_) | Taken::Spent | Taken::Unknown => None,
        };
        let back = silent.and_then(|transaction| transaction.return_to.as_ref());
        let back = back.map(|place| [registration.redirect_uri.origin(), place.as_str()].concat());
        let back = back.filter(|url| *url != response.cleaned_url).and_then(|url| WebUrl::parse(&url)).map(Box::new);
        let declined = silent.is_some();
        let failed = |back, error: Error| {
            let error = error.during(ErrorPhase::Callback);
            if declined { Arrival::Declined(back, Some(error)) } else { Arrival::Failed(error) }
        };
        if let Err(failure) = self.ports.transactions().write(&key, &transactions.to_text()).await {
            return failed(back, storage_error(failure));
        }
        // Whatever the provider says, the key is on this disk no longer than that.
        let key = match &taken {
            Taken::Fresh(Transaction { jkt: Some(jkt), created_at, .. }) => {
                self.key(jkt, Some(*created_at)).await.map(drop)
            }
            Taken::Fresh(_) | Taken::Expired(_) | Taken::Spent | Taken::Unknown => Ok(()),
        };
        match taken {
            Taken::Fresh(transaction) => {
                if let Some(error) = response.refusal().filter(|_| declined) {
                    return Arrival::Declined(back, error);
                }
                if let Err(error) = key {
                    return failed(back, error);
                }
                *self.callback.borrow_mut() = Some((response, transaction));
                Arrival::Callback(back)
            }
            Taken::Expired(_) => failed(back, ErrorCode::TransactionExpired.into()),
            Taken::Spent | Taken::Unknown => failed(back, ErrorCode::CallbackReplayed.into()),
        }
    }

    /// Keeps a sign-in until its callback.
    pub(super) fn keep(&self, transaction: Transaction) -> Work<'_, ()> {
        Box::pin(async move {
            let key = self.transactions_key();
            let store = self.ports.transactions();
            // What cannot be read now goes on nowhere; whether anything can be written, the writing says.
            let text = zeroize::Zeroizing::new(store.read(&key).await.ok().flatten().unwrap_or_default());
            let mut transactions = Transactions::parse(&text);
            if transaction.silent {
                // Before the page leaves: whatever becomes of it, it does not leave again.
                let asked = Trace::Asked.as_str();
                self.ports.traces().write(&self.trace_key(), asked).await.map_err(storage_error)?;
            }
            transactions.add(transaction, self.ports.now());
            store.write(&key, &transactions.to_text()).await.map_err(storage_error)
        })
    }
}

fn jkt_of(record: &Record) -> Option<&str> {
    record.session.tokens()?.binding.as_ref().map(|binding| binding.jkt.as_str())
}

fn storage_error(failure: StoreFailure) -> Error {
    let detail = ["sessionStorage is ", failure.as_str(), "; a sign-in by redirect needs it."].concat();
    Error::new(ErrorCode::StorageUnavailable, detail).during(ErrorPhase::Login)
}

/// How many records that other tabs put in the place of a useless one are looked at.
const MOST_TRIES: u32 = 3;
