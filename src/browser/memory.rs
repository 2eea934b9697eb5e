//! A medium that lives as long as the page: RAM. What it drops, it wipes.

use crate::ports::{Store, StoreFailure};
use std::cell::RefCell;
use zeroize::Zeroizing;

/// Keeps texts in this realm's memory.
#[derive(Default)]
pub struct MemoryStore {
    texts: RefCell<Vec<(String, Zeroizing<String>)>>,
}

impl Store for MemoryStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        Ok(self.texts.borrow().iter().find_map(|(name, text)| (name == key).then(|| text.to_string())))
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        let mut texts = self.texts.borrow_mut();
        texts.retain(|(name, _)| name != key);
        texts.push((key.to_owned(), Zeroizing::new(text.to_owned())));
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        self.texts.borrow_mut().retain(|(name, _)| name != key);
        Ok(())
    }
}
