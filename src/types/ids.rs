//! Identifiers that travel on the wire. Public, but not interchangeable.

macro_rules! identifier {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        impl $name {
            /// The text as it travels.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

identifier! {
    /// Issuer identifier, compared byte for byte. RFC 8414 §2.
    Issuer
    /// The client's registration at the issuer. RFC 6749 §2.2.
    ClientId
    /// Ties an authorization response to its request; random and nothing else. RFC 6749 §4.1.1.
    State
    /// Ties an ID token to its request. OpenID Connect Core 1.0 §3.1.2.1.
    Nonce
}

/// Space-separated scope values. RFC 6749 §3.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(pub String);

impl Scope {
    /// The text as it travels.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `value` is one of the scope values.
    #[must_use]
    pub fn contains(&self, value: &str) -> bool {
        self.values().any(|each| each == value)
    }

    /// The single values.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|each| !each.is_empty())
    }
}
