//! A medium whose texts are sealed: what it holds is of no use without the key, which it does not hold.
//!
//! A text that is not the last one that was sealed for its place is no record, and removed: neither a damaged one, nor one of
//! another client, nor an older one that was put back. Whoever asks for it is given an empty text, which no record is.
//!
//! A place is what one key seals for, and what one counter counts. A shared medium has one place for each record. Where each tab
//! has a medium of its own, it has a place of its own, too: a copy of the medium, which a duplicated tab begins with, goes on
//! in another place as soon as it is behind.

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
    /// One that the version before left is read and sealed, until something was sealed for the same record.
    Migrated,
    /// One that the version before left is read and sealed. Each tab has one, and what was sealed for another tab says nothing
    /// about it. Only script of this origin can put one there, and that could seal it, too.
    MigratedByTab,
    /// They are read, and written wherever no key can be had.
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
            form @ (Ok(Form::Plain) | Err(RecordFault::Corrupt | RecordFault::Foreign)) => {
                // A mark has no secret, and forging one ends a session and begins none.
                if record::parse_ended(&text).is_some() {
                    return Ok(Some(text));
                }
                let taken = self.takes_plain(key).await?;
                if taken && form.is_ok() && self.sealing.plain != PlainTexts::Allowed {
                    self.take_over(key, &text).await;
                }
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
            PlainTexts::Refused => Ok(false),
            PlainTexts::MigratedByTab | PlainTexts::Allowed => Ok(true),
            PlainTexts::Migrated => {
                let place = self.place(key, "");
                Ok(!vault::has_sealed(&place, &[&place, "~"].concat()).await?)
            }
        }
    }

    /// Seals a plain text that was found. Until its sealed form is there, it stays as it is; where that fails, whoever reads it
    /// next tries again.
    async fn take_over(&self, key: &str, text: &str) {
        let _held = queue(key).await;
        // Another tab may have been faster.
        if self.inner.read(key).await.is_ok_and(|now| now.as_deref() == Some(text)) {
            self.put(key, text).await.ok();
        }
    }

    async fn put(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        // In this order, so that whatever it is cut off after, the text of before or the new one can be read.
        let sealed = if record::parse_ended(text).is_some() {
            self.destroy_key(key).await;
            None
        } else {
            match Box::pin(self.seal(key, text)).await {
                Err(_) if self.sealing.plain == PlainTexts::Allowed => None,
                sealed => Some(sealed?),
            }
        };
        let written = self.inner.write(key, sealed.as_ref().map_or(text, |(sealed, ..)| sealed)).await;
        // What fails from here on is done another time, as in `open`.
        match sealed {
            Some((_, place, _)) if written.is_err() && place.fresh => {
                vault::forget_between(&place.name, &place.name).await.ok();
            }
            Some((_, place, turn)) if written.is_ok() => {
                vault::confirm(&place.name, &turn).await.ok();
                if let Some((name, mut behind)) = place.left {
                    behind.counter += 1;
                    vault::confirm(&name, &behind).await.ok();
                }
            }
            Some(_) | None => {}
        }
        written
    }

    /// The text in its sealed form, where its key lies, and which one it is.
    async fn seal(&self, key: &str, text: &str) -> Result<(String, Place, Turn), StoreFailure> {
        let place = self.place_of_next(key).await?;
        let turn = vault::next(&place.name, &place.slot).await?;
        let sealed = vault::seal(&turn, &self.bound_to(key, &turn), text).await?;
        Ok((sealed.to_text(), place, turn))
    }

    /// Where the next text is sealed.
    async fn place_of_next(&self, key: &str) -> Result<Place, StoreFailure> {
        let mut left = None;
        if !self.sealing.shared
            && let Some((sealed, name, turn)) = self.own(key).await?
        {
            if turn.newest {
                return Ok(Place { slot: slot_of(&sealed).to_owned(), name, fresh: false, left });
            }
            left = Some((name, turn));
        }
        let slot = self.new_slot(key).await?;
        Ok(Place { name: self.place(key, &slot), slot, fresh: !self.sealing.shared, left })
    }

    /// The sealed text that is there and where its key lies, if this tab has it from nobody that has gone on without it.
    async fn own(&self, key: &str) -> Result<Option<(Sealed, String, Turn)>, StoreFailure> {
        let Some(text) = self.inner.read(key).await? else { return Ok(None) };
        let Ok(Form::Sealed(sealed)) = Form::parse(&text) else { return Ok(None) };
        let name = self.place(key, slot_of(&sealed));
        Ok(vault::find(&name, &sealed).await?.map(|turn| (sealed, name, turn)))
    }

    /// What the names of the keys of a place begin with. It begins with the time, so that keys of tabs that are long gone are
    /// found.
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
        let name = if self.sealing.shared {
            Some(self.place(key, ""))
        } else {
            self.own(key).await.ok().flatten().map(|(_, name, _)| name)
        };
        if let Some(name) = name {
            // Where it fails, the medium is still to be emptied, and that says whether anything is left.
            vault::destroy(&name).await.ok();
        }
    }
}

/// Where a text is to be sealed.
struct Place {
    name: String,
    /// Begins the names of its keys, where it has none yet.
    slot: String,
    /// It is made for this text.
    fresh: bool,
    /// Where the text that is there was sealed, and which one it is. Somebody has begun a later one there, and may have written it
    /// elsewhere: this one is over, and that one is not.
    left: Option<(String, Turn)>,
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
        self.put(key, text).await
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
