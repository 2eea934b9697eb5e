//! Keys that seal texts, and what is known of the texts that they sealed. Web Cryptography API §27 (AES-GCM, 256 bits).
//!
//! A key cannot be exported: this module never sees its bytes. It lies in IndexedDB, in one entry with the ledger of the
//! place that it seals for, so that both change together or not at all. Script of the page can use such a key as this module
//! does; what is kept from it is the key, not its use.

use super::indexed_db::{self, Access, Table};
use super::{clock, crypto, reflect, subtle};
use crate::ports::StoreFailure;
use crate::protocol::sealed::{IV_BYTES, Ledger, Sealed};
use crate::types::UnixMillis;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use zeroize::Zeroizing;

/// A key, and the text that it is for.
pub(super) struct Turn {
    key: JsValue,
    pub(super) kid: String,
    pub(super) counter: u64,
    /// It is known to be written.
    pub(super) known: bool,
    /// No later one was begun.
    pub(super) newest: bool,
}

/// The key and the counter for the next text of a place. `slot` begins the names of its keys, where it has none yet.
///
/// Of two tabs that come first, one makes the key; the other finds it.
pub(super) async fn next(place: &str, slot: &str) -> Result<Turn, StoreFailure> {
    let turn = match spend(place, slot, None).await? {
        Some(turn) => Some(turn),
        None => spend(place, slot, Some(generate().await?)).await?,
    };
    turn.ok_or(StoreFailure::Failed)
}

/// Spends a counter. `None` where that needs a `fresh` key, because there is none or it is worn. The old one stays, for
/// reading, until a text of the fresh one is confirmed.
async fn spend(place: &str, slot: &str, fresh: Option<JsValue>) -> Result<Option<Turn>, StoreFailure> {
    let (slot, now) = (slot.to_owned(), clock::now());
    let change = move |found: Option<JsValue>| {
        let mut entry = found.as_ref().and_then(Entry::of).unwrap_or_else(|| Entry {
            slot: slot.clone(),
            ledger: Ledger::new(now),
            key: JsValue::UNDEFINED,
            old: JsValue::UNDEFINED,
            old_first: 0,
        });
        if entry.key.is_undefined() || (entry.old.is_undefined() && entry.ledger.is_worn(now)) {
            entry.old = std::mem::replace(&mut entry.key, fresh.clone()?);
            entry.old_first = entry.ledger.first;
            entry.ledger.first = entry.ledger.spent + 1;
            entry.ledger.made_at = now;
        }
        entry.ledger.spend();
        Some(entry.to_js())
    };
    let entry = indexed_db::update(Table::Keys, place, Box::new(change)).await?;
    Ok(entry
        .as_ref()
        .and_then(Entry::of)
        .and_then(|entry| entry.turn(&entry.kid(entry.ledger.first), entry.ledger.spent)))
}

/// The key for a text that was found. `None` where there is no such key any more, or where the text is older than one that
/// was there.
pub(super) async fn find(place: &str, sealed: &Sealed) -> Result<Option<Turn>, StoreFailure> {
    let entry = indexed_db::get(Table::Keys, place).await?;
    let entry = entry.as_ref().and_then(Entry::of).filter(|entry| entry.ledger.admits(sealed.counter));
    Ok(entry.and_then(|entry| entry.turn(&sealed.kid, sealed.counter)))
}

/// The text of this turn is written, or was found: older ones are over, and so is a key that only they need.
///
/// Where it fails, the next reading or writing catches up with it; until then an older text is admitted, too.
pub(super) fn confirm(place: &str, turn: &Turn) -> Access {
    let (kid, counter) = (turn.kid.clone(), turn.counter);
    let change = move |found: Option<JsValue>| {
        // Somebody may have begun anew meanwhile.
        let mut entry = found.as_ref().and_then(Entry::of).filter(|entry| entry.turn(&kid, counter).is_some())?;
        entry.ledger.confirm(counter);
        if kid == entry.kid(entry.ledger.first) {
            entry.old = JsValue::UNDEFINED;
        }
        Some(entry.to_js())
    };
    indexed_db::update(Table::Keys, place, Box::new(change))
}

/// Destroys the keys of a place: whatever they sealed can never be read again. The ledger stays.
pub(super) fn destroy(place: &str) -> Access {
    let change = |found: Option<JsValue>| {
        let mut entry = found.as_ref().and_then(Entry::of)?;
        (entry.key, entry.old) = (JsValue::UNDEFINED, JsValue::UNDEFINED);
        Some(entry.to_js())
    };
    indexed_db::update(Table::Keys, place, Box::new(change))
}

/// Forgets all about the places from `first` to `last`.
pub(super) async fn forget_between(first: &str, last: &str) -> Result<(), StoreFailure> {
    indexed_db::delete_between(Table::Keys, first, last).await
}

/// Whether anything was ever sealed for the places from `first` to `last`.
pub(super) async fn has_sealed(first: &str, last: &str) -> Result<bool, StoreFailure> {
    let entry = indexed_db::first_between(Table::Keys, first, last).await?;
    Ok(entry.as_ref().and_then(Entry::of).is_some_and(|entry| entry.ledger.last > 0))
}

/// Seals a text.
pub(super) async fn seal(turn: &Turn, bound_to: &str, text: &str) -> Result<Sealed, StoreFailure> {
    let mut iv = [0; IV_BYTES];
    crypto::fill(&mut iv).map_err(|_| StoreFailure::Failed)?;
    let ciphertext = cipher("encrypt", turn, &iv, bound_to, text.as_bytes()).await?.to_vec();
    Ok(Sealed { kid: turn.kid.clone(), counter: turn.counter, iv, ciphertext })
}

/// Opens a sealed text; `None` where it is not what was sealed.
pub(super) async fn open(turn: &Turn, bound_to: &str, sealed: &Sealed) -> Result<Option<String>, StoreFailure> {
    match cipher("decrypt", turn, &sealed.iv, bound_to, &sealed.ciphertext).await {
        Ok(bytes) => Ok(std::str::from_utf8(&bytes).ok().map(str::to_owned)),
        // A browser that can do nothing at all with the key says nothing about the text.
        Err(_) => seal(turn, bound_to, "").await.map(|_| None),
    }
}

async fn cipher(
    method: &str,
    turn: &Turn,
    iv: &[u8],
    bound_to: &str,
    bytes: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreFailure> {
    let algorithm = reflect::record(&[
        ("name", ALGORITHM.into()),
        ("iv", Uint8Array::from(iv).into()),
        ("additionalData", Uint8Array::from(bound_to.as_bytes()).into()),
    ]);
    let input = Uint8Array::from(bytes);
    let output = subtle::call(method, &[algorithm.into(), turn.key.clone(), input.clone().into()]).await;
    wipe(&input);
    let output = output?.dyn_into::<ArrayBuffer>().map_err(|_| StoreFailure::Failed)?;
    let output = Uint8Array::new(&output);
    let bytes = Zeroizing::new(output.to_vec());
    wipe(&output);
    Ok(bytes)
}

fn wipe(bytes: &Uint8Array) {
    bytes.fill(0, 0, bytes.length());
}

async fn generate() -> Result<JsValue, StoreFailure> {
    let algorithm = reflect::record(&[("name", ALGORITHM.into()), ("length", 256.into())]);
    let uses = reflect::list(&["encrypt".into(), "decrypt".into()]);
    subtle::call("generateKey", &[algorithm.into(), JsValue::FALSE, uses.into()]).await
}

/// What is kept of a place.
struct Entry {
    slot: String,
    ledger: Ledger,
    key: JsValue,
    /// The key before, for the text that is not sealed anew yet.
    old: JsValue,
    old_first: u64,
}

impl Entry {
    fn of(value: &JsValue) -> Option<Self> {
        let list: &Array = value.dyn_ref()?;
        let number = |at| list.get(at).as_f64().unwrap_or_default();
        Some(Self {
            slot: list.get(0).as_string()?,
            ledger: Ledger {
                last: number(1) as u64,
                spent: number(2) as u64,
                first: number(3) as u64,
                made_at: UnixMillis(number(4) as i64),
            },
            key: list.get(5),
            old: list.get(6),
            old_first: number(7) as u64,
        })
    }

    fn to_js(&self) -> JsValue {
        let Ledger { last, spent, first, made_at } = self.ledger;
        let numbers = [last as f64, spent as f64, first as f64, made_at.0 as f64, self.old_first as f64];
        let [last, spent, first, made_at, old_first] = numbers.map(JsValue::from_f64);
        let (slot, key, old) = (self.slot.as_str().into(), self.key.clone(), self.old.clone());
        reflect::list(&[slot, last, spent, first, made_at, key, old, old_first]).into()
    }

    /// The name of the key that began with this counter.
    fn kid(&self, first: u64) -> String {
        [&self.slot, ".", &first.to_string()].concat()
    }

    fn turn(&self, kid: &str, counter: u64) -> Option<Turn> {
        let keys = [(&self.key, self.ledger.first), (&self.old, self.old_first)];
        let (key, _) = keys.into_iter().find(|(key, first)| !key.is_undefined() && kid == self.kid(*first))?;
        let (known, newest) = (counter <= self.ledger.last, counter >= self.ledger.spent);
        Some(Turn { key: key.clone(), kid: kid.to_owned(), counter, known, newest })
    }
}

const ALGORITHM: &str = "AES-GCM";
