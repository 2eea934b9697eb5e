//! How a page load gets back the session of an earlier one, where no stored record has it.
//!
//! OpenID Connect Core 1.0 §3.1.2.1 (`prompt=none`): the page leaves for the provider and comes back with a session or with the
//! word that there is none. That is seen by the user as a flicker, so it happens once at most.

/// What the application wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restore {
    /// Every page load begins signed out.
    Nothing,
    /// What is stored, or held by a refresh cookie.
    Record,
    /// Then the provider, if this tab was signed in there.
    Auto,
    /// Then the provider, whoever comes.
    Redirect,
}

/// What earlier page loads of the tab have left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trace {
    /// Nothing.
    Nothing,
    /// Somebody signed in at the provider and has not signed out.
    Known,
    /// The provider was asked, or the user signed out, and nobody has signed in since.
    Asked,
}

impl Restore {
    /// The words of the option, in this order.
    pub const WORDS: [&str; 4] = ["none", "refresh-token", "auto", "redirect"];

    /// Which word it was.
    #[must_use]
    pub fn of_word(at: usize) -> Self {
        match at {
            0 => Self::Nothing,
            1 => Self::Record,
            2 => Self::Auto,
            _ => Self::Redirect,
        }
    }

    /// Whether the provider may be asked by leaving the page.
    #[must_use]
    pub fn asks(self, trace: Trace) -> bool {
        match self {
            Self::Nothing | Self::Record => false,
            Self::Auto => trace == Trace::Known,
            Self::Redirect => trace != Trace::Asked,
        }
    }

    /// What is left behind where the user has signed out: the next page load does not ask.
    #[must_use]
    pub fn after_sign_out(self) -> Trace {
        if self == Self::Redirect { Trace::Asked } else { Trace::Nothing }
    }

    /// Whether page loads leave a trace.
    #[must_use]
    pub fn leaves_trace(self) -> bool {
        matches!(self, Self::Auto | Self::Redirect)
    }
}

impl Trace {
    /// As it is stored; nothing is stored for nothing.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Known => "known",
            Self::Asked => "asked",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote. Anything else is somebody else's, and keeps the page from leaving.
    #[must_use]
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            None => Self::Nothing,
            Some("known") => Self::Known,
            Some(_) => Self::Asked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_is_asked_once_and_only_where_the_application_wants_it() {
        let asked = |restore: Restore| [Trace::Nothing, Trace::Known, Trace::Asked].map(|trace| restore.asks(trace));
        assert_eq!(asked(Restore::Nothing), [false, false, false]);
        assert_eq!(asked(Restore::Record), [false, false, false]);
        assert_eq!(asked(Restore::Auto), [false, true, false]);
        assert_eq!(asked(Restore::Redirect), [true, true, false]);
    }

    #[test]
    fn no_policy_asks_after_a_sign_out() {
        for restore in [Restore::Nothing, Restore::Record, Restore::Auto, Restore::Redirect] {
            assert!(!restore.asks(restore.after_sign_out()), "{restore:?}");
        }
    }

    #[test]
    fn a_trace_is_read_as_it_was_written_and_a_foreign_one_keeps_the_page() {
        for trace in [Trace::Known, Trace::Asked] {
            assert_eq!(Trace::parse(Some(trace.as_str())), trace);
        }
        assert_eq!(Trace::parse(None), Trace::Nothing);
        assert_eq!(Trace::parse(Some("{}")), Trace::Asked);
    }
}
