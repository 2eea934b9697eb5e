//! The machine of authsafe, the real one, in a model of everything around it.
//!
//! `stateright` visits every state that the model can come to within its bounds, and says of each property that it holds in all
//! of them, or shows the shortest way to one in which it does not. See docs/refresh.md for what that proves, and what not.
//!
//! | file | what it is |
//! |---|---|
//! | `words` | the crate's vocabulary in a few bytes |
//! | `brain` | `machine::step`, remembered |
//! | `tab` | a machine and what the driver keeps around it |
//! | `server` | an authorization server that rotates refresh tokens, or not |
//! | `world` | all of it together, and what can happen next |
//! | `work` | what a tab does with the medium, step by step |
//! | `check` | the properties |
//! | `story` | a way through the model, in words |

pub mod brain;
pub mod check;
pub mod server;
pub mod story;
pub mod tab;
pub mod words;
mod work;
pub mod world;

/// What is broken on purpose, to see that the properties notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Every tab gets the lock at once.
    NoLock,
    /// The lock is given back before the new tokens are stored.
    CommitAfterRelease,
}
