//! Thresholds and tables without state: when to refresh, how long to wait, which place may get a credential, what may be
//! stored where. Nothing here sends, stores or remembers.

pub mod csrf;
pub mod idle;
pub mod origins;
pub mod refresh;
pub mod replay;
pub mod restore;
pub mod storage;
