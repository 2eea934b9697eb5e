//! The stamp of the user's last activity, in and out of the medium that all tabs share.

use super::driver::Inner;
use crate::ports::{Ports, Store};
use crate::types::UnixMillis;

impl<P: Ports> Inner<P> {
    fn activity_key(&self) -> String {
        ["authsafe.", &self.config.id, ".active"].concat()
    }

    /// Keeps or forgets the stamp. Where that fails, the notes between the tabs are what is left, and a reload begins anew.
    pub(super) async fn note_activity(&self, at: Option<UnixMillis>) {
        let (store, key) = (self.ports.stamps(), self.activity_key());
        match at {
            Some(at) => store.write(&key, &at.0.to_string()).await.ok(),
            None => store.remove(&key).await.ok(),
        };
    }

    /// What the stamp says. One that cannot be read, or is none, says nothing.
    pub(super) async fn read_activity(&self) -> Option<UnixMillis> {
        let text = self.ports.stamps().read(&self.activity_key()).await.ok()??;
        text.parse().ok().map(UnixMillis)
    }
}
