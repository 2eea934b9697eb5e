//! A medium whose texts are sealed: what it holds is of no use without the key, which it does not hold.
//!
//! A text that is not the last one that was sealed for its place is no record, and removed: neither a damaged one, nor one of
//! another client, nor an older one that was put back. Whoever asks for it is given an empty text, which no record is.

use super::locks::{LockGuard, Locks};
use super::vault::{self, Turn};
use super::{BrowserStore, clock, crypto, timers};
use crate::ports::{Lock, Store, StoreFailure};
use crate::protocol::record::{self, RecordFault};
use crate::protocol::sealed::{Form, Sealed, associated_data};
use crate::types::{Lifetime, UnixMillis, text::hex};

/// What the texts are bound to, and what else may be among them.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// The page's origin.
    pub origin: String,
    /// Whose texts they are: the servers that they are for, and as which client.
    pub client: String,
    /// Other tabs write to the same medium. Where each has its own, each has its own keys.
    pub shared: bool,
    /// Which plain texts are taken.
    pub plain: PlainTexts,
}

/// Which plain texts are read, and when one is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainTexts {
    /// Never: others than this origin can write to the medium.
    Refused,
    /// One that the version before left is read, until something was sealed.
    Migrated,
    /// Also, one is written where the browser denies the database, which script of the page cannot bring about.
    WhereBlocked,
    /// Wherever no key can be had.
    Allowed,
}

/// See the head of this file.
pub struct SealedStore {
    inner: BrowserStore,
    sealing: Sealing,
}

impl SealedStore {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(inner: BrowserStore, sealing: Sealing) -> Self {
        Self { inner, sealing }
    }

    /// The medium that the sealed texts are in.
    pub(super) fn inner(&self) -> &BrowserStore {
        &self.inner
    }

    /// Where the key of a text lies, `slot` being what the name of the key begins with.
    fn place(&self, key: &str, slot: &str) -> String {
        ["sealing.", key, ":", if self.sealing.shared { "" } else { slot }].concat()
    }

    /// What a stored text means; `None` where it is none of ours, or not the last one.
    async fn open(&self, key: &str, text: String) -> Result<Option<String>, StoreFailure> {
        let sealed = match Form::parse(&text) {
            Ok(Form::Sealed(sealed)) => sealed,
            // It says of itself that it is not for this version.
            Err(RecordFault::Newer) => return Ok(Some(text)),
            Ok(Form::Plain) | Err(RecordFault::Corrupt | RecordFault::Foreign) => {
                // A mark has no secret, and forging one ends a session and begins none.
                let taken = record::parse_ended(&text).is_some() || self.takes_plain(key).await?;
                return Ok(taken.then_some(text));
            }
        };
        let place = self.place(key, slot_of(&sealed));
        let Some(turn) = vault::find(&place, &sealed).await? else { return Ok(None) };
        let text = vault::open(&turn, &self.bound_to(key, &turn), &sealed).await?;
        if text.is_some() && !turn.known {
            // Where it fails, it is done another time.
            vault::confirm(&place, &turn).await.ok();
        }
        Ok(text)
    }

    async fn takes_plain(&self, key: &str) -> Result<bool, StoreFailure> {
        match self.sealing.plain {
            PlainTexts::Refused => return Ok(false),
            PlainTexts::Allowed => return Ok(true),
            PlainTexts::Migrated | PlainTexts::WhereBlocked => {}
        }
        let place = self.place(key, "");
        match vault::has_sealed(&place, &[&place, "~"].concat()).await {
            Err(failure) if !self.writes_plain(failure) => Err(failure),
            sealed_before => Ok(sealed_before != Ok(true)),
        }
    }

    fn writes_plain(&self, failure: StoreFailure) -> bool {
        match self.sealing.plain {
            PlainTexts::Refused | PlainTexts::Migrated => false,
            PlainTexts::WhereBlocked => failure == StoreFailure::Blocked,
            PlainTexts::Allowed => true,
        }
    }

    /// The text in its sealed form, where its key lies, and which one it is.
    async fn seal(&self, key: &str, text: &str) -> Result<(String, String, Turn), StoreFailure> {
        let slot = match self.slot(key).await? {
            Some(slot) => slot,
            None => self.new_slot(key).await?,
        };
        let place = self.place(key, &slot);
        let turn = vault::next(&place, &slot).await?;
        let sealed = vault::seal(&turn, &self.bound_to(key, &turn), text).await?;
        Ok((sealed.to_text(), place, turn))
    }

    /// What the names of the keys begin with for the sealed text that is there.
    async fn slot(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let Some(text) = self.inner.read(key).await? else { return Ok(None) };
        let Ok(Form::Sealed(sealed)) = Form::parse(&text) else { return Ok(None) };
        Ok(Some(slot_of(&sealed).to_owned()))
    }

    /// It begins with the time, so that keys of tabs that are long gone are found.
    async fn new_slot(&self, key: &str) -> Result<String, StoreFailure> {
        let now = clock::now();
        let time = |at: UnixMillis| hex(at.0.unsigned_abs());
        if !self.sealing.shared {
            vault::forget_between(&self.place(key, ""), &self.place(key, &time(now.minus(LONGEST_TAB)))).await?;
        }
        let mut random = [0; 8];
        crypto::fill(&mut random).map_err(|_| StoreFailure::Failed)?;
        Ok([time(now), hex(u64::from_le_bytes(random))].concat())
    }

    fn bound_to(&self, key: &str, turn: &Turn) -> String {
        associated_data(&self.sealing.origin, &self.sealing.client, key, &turn.kid, turn.counter)
    }

    /// Destroys the key first: then what is there is over, even where the medium neither removes nor replaces it.
    async fn destroy_key(&self, key: &str) {
        let slot = self.slot(key).await.ok().flatten().unwrap_or_default();
        // Where it fails, the medium is still to be emptied, and that says whether anything is left.
        vault::destroy(&self.place(key, &slot)).await.ok();
    }
}

impl Store for SealedStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        let mut wait = FIRST_WAIT;
        while let Some(text) = self.inner.read(key).await? {
            if let Some(opened) = Box::pin(self.open(key, text.clone())).await? {
                return Ok(Some(opened));
            }
            if wait > LAST_WAIT {
                if self.inner.read(key).await?.as_deref() == Some(&text) {
                    // If it cannot be removed, the next write replaces it.
                    self.inner.remove(key).await.ok();
                }
                return Ok(Some(String::new()));
            }
            timers::sleep(wait).await;
            wait = wait.part(2, 1);
        }
        Ok(None)
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        let _held = queue(key).await;
        // In this order, so that whatever it is cut off after, the text of before or the new one can be read.
        let sealed = if record::parse_ended(text).is_some() {
            self.destroy_key(key).await;
            None
        } else {
            match Box::pin(self.seal(key, text)).await {
                Err(failure) if self.writes_plain(failure) => None,
                sealed => Some(sealed?),
            }
        };
        self.inner.write(key, sealed.as_ref().map_or(text, |(sealed, ..)| sealed)).await?;
        if let Some((_, place, turn)) = &sealed {
            // As above.
            vault::confirm(place, turn).await.ok();
        }
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        let _held = queue(key).await;
        self.destroy_key(key).await;
        self.inner.remove(key).await
    }
}

/// Tabs write one after the other, so that the last counter is that of the last text. One that waits too long goes ahead: a
/// tab that is frozen must not keep the others from writing.
async fn queue(key: &str) -> Option<LockGuard> {
    Locks.acquire(&[key, ".sealing"].concat(), PATIENCE).await
}

fn slot_of(sealed: &Sealed) -> &str {
    sealed.kid.split('.').next().unwrap_or_default()
}

/// A text that cannot be opened is looked at again, after 20, 40, 80, 160 and 320 milliseconds: another tab may have written
/// another one, and a browser may show an old text for a moment.
const FIRST_WAIT: Lifetime = Lifetime::from_millis(20);
const LAST_WAIT: Lifetime = Lifetime::from_millis(320);

const PATIENCE: Lifetime = Lifetime::from_seconds(5);

/// How long the key of one tab is kept at least.
const LONGEST_TAB: Lifetime = Lifetime::from_seconds(90 * 24 * 3600);
