//! How a backend expects proof that a request comes from the application's own page.
//!
//! OWASP Cross-Site Request Forgery Prevention: signed double-submit cookie, synchronizer token, custom request header.

/// The proof that is configured. What it means for one request, `policy::csrf` decides.
#[derive(Clone, PartialEq, Eq)]
pub enum Csrf {
    /// None: the backend relies on `SameSite` cookies and its own checks of `Origin`.
    Off,
    /// The server sets a cookie that script may read; its value is repeated in a header.
    DoubleSubmit {
        /// The cookie.
        cookie_name: String,
        /// The header.
        header_name: String,
    },
    /// The server tells a token in an answer; it is sent in a header.
    Synchronizer {
        /// The header.
        header_name: String,
    },
    /// A custom header with a constant value: a cross-site form cannot add one.
    StaticHeader {
        /// The header.
        header_name: String,
        /// Its value.
        value: String,
    },
}

impl std::fmt::Debug for Csrf {
    /// Without the constant value of a header, which a backend may treat as a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("Off"),
            Self::DoubleSubmit { cookie_name, header_name } => {
                f.debug_tuple("DoubleSubmit").field(cookie_name).field(header_name).finish()
            }
            Self::Synchronizer { header_name } => f.debug_tuple("Synchronizer").field(header_name).finish(),
            Self::StaticHeader { header_name, .. } => f.debug_tuple("StaticHeader").field(header_name).finish(),
        }
    }
}
