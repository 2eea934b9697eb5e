//! Cookies that script writes and reads. RFC 6265bis §4.1 (grammar), §5.7 (what a browser refuses in silence).
//!
//! A record is split over `<key>.0`, `<key>.1`, …. The first part begins with the number of parts and a checksum of the
//! whole, so that a write that was cut off reads as no record, never as half a record or a mixture of two.

use super::custom::ask;
use super::reflect;
use super::storage::failure;
use crate::ports::{Store, StoreFailure};
use crate::types::Lifetime;
use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

/// Whether the browser sends the cookie along when another site leads to this one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// Never.
    #[default]
    Strict,
    /// With top-level navigations.
    Lax,
}

/// Where and how long the cookies live.
#[derive(Clone, Debug)]
pub struct CookieOptions {
    /// The browser sends the cookies to this path and below; script below it can read them.
    pub path: String,
    /// With which requests they are sent.
    pub same_site: SameSite,
    /// Only over https. To be left out where the page itself came over http, from loopback: there WebKit would refuse it.
    pub secure: bool,
    /// `None`: until the browser is closed.
    pub max_age: Option<Lifetime>,
    /// In a worker: the page's cookies, with `get()` and `set(cookie)`, which return promises.
    pub jar: Option<JsValue>,
}

impl Default for CookieOptions {
    fn default() -> Self {
        Self { path: "/".to_owned(), same_site: SameSite::Strict, secure: true, max_age: None, jar: None }
    }
}

/// Keeps texts in cookies.
pub struct CookieStore {
    options: CookieOptions,
}

impl CookieStore {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(options: CookieOptions) -> Self {
        Self { options }
    }

    async fn set(&self, name: &str, value: &str, max_age: Option<Lifetime>) -> Result<(), StoreFailure> {
        let same_site = match self.options.same_site {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
        };
        let path = self.options.path.as_str();
        let secure = if self.options.secure { "; Secure" } else { "" };
        let life = max_age.map_or(String::new(), |age| ["; Max-Age=", &(age.millis() / 1000).to_string()].concat());
        // Made in one piece: a string that grows leaves copies behind that nobody wipes.
        let cookie =
            Zeroizing::new([name, "=", value, secure, "; SameSite=", same_site, "; Path=", path, &life].concat());
        if let Some(jar) = &self.options.jar {
            return ask(jar, "set", &[JsValue::from_str(&cookie)]).await.map(drop);
        }
        let document = reflect::global("document").ok_or(StoreFailure::Blocked)?;
        let name = JsValue::from_str("cookie");
        let taken =
            js_sys::Reflect::set(&document, &name, &JsValue::from_str(&cookie)).map_err(|thrown| failure(&thrown))?;
        if taken { Ok(()) } else { Err(StoreFailure::Blocked) }
    }

    /// All cookies that script may read.
    async fn jar(&self) -> Result<Zeroizing<String>, StoreFailure> {
        let Some(remote) = &self.options.jar else { return jar() };
        ask(remote, "get", &[]).await?.as_string().map(Zeroizing::new).ok_or(StoreFailure::Failed)
    }

    /// Removes the parts from `first` on, as far as `jar` shows any.
    async fn remove_from(&self, first: usize, key: &str, jar: &str) -> Result<(), StoreFailure> {
        for at in first..MOST_PARTS {
            let name = part_name(key, at);
            if value_in(jar, &name).is_some() {
                self.set(&name, "", Some(Lifetime::ZERO)).await?;
            }
        }
        Ok(())
    }
}

impl Store for CookieStore {
    async fn read(&self, key: &str) -> Result<Option<String>, StoreFailure> {
        Ok(assemble(&encode(key, false), &self.jar().await?))
    }

    async fn write(&self, key: &str, text: &str) -> Result<(), StoreFailure> {
        let key = encode(key, false);
        let encoded = Zeroizing::new(encode(text, true));
        // A browser refuses a cookie of more than 4096 bytes in silence, name included.
        if key.len() > LONGEST_KEY || self.options.path.contains(|c: char| c == ';' || c.is_control()) {
            return Err(StoreFailure::Failed);
        }
        let parts = encoded.len().div_ceil(PART).max(1);
        if parts > MOST_PARTS {
            return Err(StoreFailure::Full);
        }
        let before = self.jar().await?;
        let mut rest = encoded.as_str();
        for at in 0..parts {
            let (part, others) = rest.split_at_checked(PART).unwrap_or((rest, ""));
            rest = others;
            let value =
                if at == 0 { Zeroizing::new(head(parts, text) + part) } else { Zeroizing::new(part.to_owned()) };
            self.set(&part_name(&key, at), &value, self.options.max_age).await?;
        }
        self.remove_from(parts, &key, &before).await?;

        let after = self.jar().await?;
        if assemble(&key, &after).is_some_and(|kept| kept == text) {
            return Ok(());
        }
        // Nothing that was written tells it, so what came through does: none of it, or some.
        let some = (0..parts).any(|at| value_in(&after, &part_name(&key, at)).is_some());
        self.remove_from(0, &key, &after).await?;
        Err(if some { StoreFailure::Full } else { StoreFailure::Blocked })
    }

    async fn remove(&self, key: &str) -> Result<(), StoreFailure> {
        let key = encode(key, false);
        self.remove_from(0, &key, &self.jar().await?).await?;
        // A cookie of another path than the configured one stays, and must not pass for removed.
        if value_in(&self.jar().await?, &part_name(&key, 0)).is_some() { Err(StoreFailure::Failed) } else { Ok(()) }
    }
}

/// The value of a cookie that script may read, percent-decoded where that is possible.
pub(super) fn readable(name: &str) -> Option<String> {
    let jar = jar().ok()?;
    let value = value_in(&jar, name)?;
    Some(decode(value).unwrap_or_else(|| value.to_owned()))
}

/// All cookies that script may read: `name=value; name=value`.
fn jar() -> Result<Zeroizing<String>, StoreFailure> {
    let document = reflect::global("document").ok_or(StoreFailure::Blocked)?;
    let cookies = reflect::property(&document, "cookie").map_err(|thrown| failure(&thrown))?;
    cookies.as_string().map(Zeroizing::new).ok_or(StoreFailure::Failed)
}

/// The first of that name: the one with the longest path (RFC 6265bis §5.8.3).
fn value_in<'a>(jar: &'a str, name: &str) -> Option<&'a str> {
    jar.split(';').find_map(|pair| pair.trim_start().strip_prefix(name)?.strip_prefix('='))
}

fn part_name(key: &str, at: usize) -> String {
    [key, ".", &at.to_string()].concat()
}

/// What the first part begins with: `<parts>.<checksum>.`
fn head(parts: usize, text: &str) -> String {
    [&parts.to_string(), ".", &checksum(text).to_string(), "."].concat()
}

/// The text that the parts make up, if they are all there and belong together.
fn assemble(key: &str, jar: &str) -> Option<String> {
    let first = value_in(jar, &part_name(key, 0))?;
    let mut fields = first.splitn(3, '.');
    let parts: usize = fields.next()?.parse().ok()?;
    let sum = fields.next()?;
    let mut encoded = Zeroizing::new(String::with_capacity(jar.len()));
    encoded.push_str(fields.next()?);
    for at in 1..parts.min(MOST_PARTS) {
        encoded.push_str(value_in(jar, &part_name(key, at))?);
    }
    let text = Zeroizing::new(decode(&encoded)?);
    (checksum(&text).to_string() == sum).then(|| text.to_string())
}

/// FNV-1a. It guards against accidents; whoever can forge a cookie can do worse than that.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Percent-encodes what a cookie may not contain; for a value RFC 6265bis' `cookie-octet` decides, for a name only letters,
/// digits and `-._` stay.
fn encode(text: &str, value: bool) -> String {
    let mut out = String::with_capacity(text.len() * 3);
    for byte in text.bytes() {
        let octet = byte.is_ascii_graphic() && !matches!(byte, b'"' | b',' | b';' | b'\\' | b'%');
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') || (value && octet) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
    }
    out
}

/// `None` where the text is not percent-encoded UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push((high << 4 | low) as u8);
    }
    String::from_utf8(bytes).ok()
}

/// Bytes of encoded text in one cookie: with name and attributes it stays below the 4096 that every browser takes.
const PART: usize = 3500;

/// Servers refuse request headers of more than 8 to 16 kB, and a page whose own cookies are refused cannot even be opened to
/// sign out. So a record that needs more does not fit.
const MOST_PARTS: usize = 4;

const LONGEST_KEY: usize = 400;
