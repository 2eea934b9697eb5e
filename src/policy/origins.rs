//! Which request may carry a credential.
//!
//! RFC 9700 §4.9: an access token goes to the places that the application named, and nowhere else. Both sides are compared
//! as [`WebUrl`]s, in the one spelling on which all parsers agree; a path is compared only where a server cannot read it
//! as another one (RFC 3986 §6.2.2, and the laxer decoders in use).

use crate::error::{Error, ErrorCode};
use crate::types::WebUrl;
use crate::types::text::{contains, replaced};

/// One place that may receive a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedOrigin {
    /// Scheme, host and port, all of which must be equal.
    pub origin: String,
    /// Only this path and the paths below it, compared at a segment boundary; without a slash at its end.
    pub path_prefix: Option<String>,
}

impl AllowedOrigin {
    /// Reads an origin, or an origin followed by a path prefix.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] where the text is neither, could be read in two ways, or is neither https nor loopback.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let url =
            WebUrl::parse(text).ok_or_else(|| refused(text, "must be an origin such as `https://api.example.com`"))?;
        if !url.is_trustworthy() {
            return Err(refused(text, "must be https, or http on loopback"));
        }
        if text.contains(['?', '#']) {
            return Err(refused(text, "must not have a query or fragment"));
        }
        Self { origin: url.origin().to_owned(), path_prefix: None }.below(url.path())
    }

    /// The same origin, limited to `path_prefix`; `/` is no limit.
    ///
    /// # Errors
    /// [`ErrorCode::ConfigInvalid`] where the prefix is not a plain path.
    pub fn below(self, path_prefix: &str) -> Result<Self, Error> {
        let whole = [&self.origin, path_prefix].concat();
        let same_place =
            WebUrl::parse(&whole).is_some_and(|url| url.origin() == self.origin && url.path() == path_prefix);
        if !path_prefix.starts_with('/') || !same_place || !is_plain(path_prefix) {
            return Err(refused(path_prefix, "must be a plain path that begins with a slash"));
        }
        let prefix = path_prefix.trim_end_matches('/');
        Ok(Self { path_prefix: (!prefix.is_empty()).then(|| prefix.to_owned()), ..self })
    }

    fn covers(&self, url: &WebUrl) -> bool {
        self.origin == url.origin()
            && self.path_prefix.as_deref().is_none_or(|prefix| {
                let path = url.path();
                let below = path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
                below && is_plain(path)
            })
    }
}

/// Whether a request to `url` may carry a credential.
#[must_use]
pub fn may_attach(allowed: &[AllowedOrigin], url: &WebUrl) -> bool {
    url.is_trustworthy() && allowed.iter().any(|place| place.covers(url))
}

/// Whether it may go wherever a redirect leads within its origin; browsers take a credential away only where another origin
/// begins (Fetch standard §4.4).
#[must_use]
pub fn may_follow(allowed: &[AllowedOrigin], url: &WebUrl) -> bool {
    allowed.iter().any(|place| place.path_prefix.is_none() && place.covers(url))
}

/// Whether every server reads the path as the same segments: no dot segments, no slash or backslash in disguise, neither
/// encoded twice, nor as overlong UTF-8 (`%c0%af`), nor as `%u002f`, nor before a path parameter (`..;`).
fn is_plain(path: &str) -> bool {
    let mut lower = path.to_ascii_lowercase();
    // Each round makes the text shorter, so this ends.
    while contains(&lower, "%25") {
        lower = replaced(&lower, "%25", "%");
    }
    let disguised = ["\\", "%2f", "%5c", "%c0", "%c1", "%u", "%3b"].iter().any(|odd| contains(&lower, odd));
    let dots = replaced(&lower, "%2e", ".");
    let mut names = dots.split('/').map(|segment| segment.split(';').next().unwrap_or_default());
    !disguised && names.all(|name| name != "." && name != "..")
}

fn refused(text: &str, why: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, ["`", text, "` ", why, "."].concat())
}

#[cfg(test)]
mod tests;
