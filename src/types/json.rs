//! One JSON value for everything that comes from outside: answers, options, stored records.
//!
//! It is read from text in `json_text`.

use zeroize::{Zeroize, Zeroizing};

/// The deepest nesting that is accepted.
pub const MAX_DEPTH: u8 = 32;

/// A JSON value. Members keep their order.
///
/// Debug prints the kind only: it may be an answer, a claim, or what a user typed.
#[derive(Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// Any number. Integers are exact up to 2⁵³.
    Number(f64),
    /// Text.
    Text(String),
    /// `[…]`
    List(Vec<Json>),
    /// `{…}`; no name occurs twice.
    Object(Vec<(String, Json)>),
}

impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Bool(_) => "bool(…)",
            Self::Number(_) => "number(…)",
            Self::Text(_) => "text(…)",
            Self::List(_) => "list(…)",
            Self::Object(_) => "object(…)",
        })
    }
}

impl Json {
    /// Parses a whole text. `None` for anything that is not exactly one acceptable JSON value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        super::json_text::parse(text)
    }

    /// Parses UTF-8 bytes. A byte order mark is not JSON (RFC 8259 §8.1).
    #[must_use]
    pub fn parse_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().and_then(Self::parse)
    }

    /// The member called `name`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Json> {
        self.members()?.iter().find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The members, if this is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[(String, Json)]> {
        if let Self::Object(members) = self { Some(members) } else { None }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The number, if this is one.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The list, if this is one.
    #[must_use]
    pub fn list(&self) -> Option<&[Json]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// Writes the value as compact JSON text. Numbers that JSON cannot express become `null`.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(number) => write_number(*number, out),
            Self::Text(text) => write_text(text, out),
            Self::List(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    comma(at, out);
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (at, (key, value)) in members.iter().enumerate() {
                    comma(at, out);
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// The value as compact JSON text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    /// The same for a value that holds credentials: the room is made at once, so that growing leaves no copy behind.
    #[must_use]
    pub fn to_secret_text(&self) -> Zeroizing<String> {
        let mut out = Zeroizing::new(String::with_capacity(self.room()));
        self.write(&mut out);
        out
    }

    /// At least as many bytes as [`write`](Self::write) appends.
    fn room(&self) -> usize {
        let text = |text: &str| text.len() * 6 + 4;
        match self {
            Self::Null | Self::Bool(_) => 6,
            // A sign, 17 digits, a point and an exponent.
            Self::Number(_) => 30,
            Self::Text(value) => text(value),
            Self::List(items) => items.iter().map(Self::room).sum::<usize>() + 3,
            Self::Object(members) => members.iter().map(|(key, value)| text(key) + value.room()).sum::<usize>() + 3,
        }
    }
}

/// Builds an object, one member after the other; a member without a value is left out.
///
/// These are plain functions, as objects are built in very many places of the WebAssembly module.
#[derive(Default)]
pub struct Members(Vec<(String, Json)>);

impl std::fmt::Debug for Members {
    /// As of a [`Json`].
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("members(…)")
    }
}

impl Members {
    /// No member yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Any value.
    #[inline(never)]
    pub fn value(&mut self, name: &str, value: Option<Json>) -> &mut Self {
        if let Some(value) = value {
            self.0.push((name.to_owned(), value));
        }
        self
    }

    /// Text.
    #[inline(never)]
    pub fn text(&mut self, name: &str, text: Option<&str>) -> &mut Self {
        self.value(name, text.map(Json::from))
    }

    /// A number.
    #[inline(never)]
    pub fn number(&mut self, name: &str, number: Option<f64>) -> &mut Self {
        self.value(name, number.map(Json::Number))
    }

    /// The object. What is built next begins without members.
    #[inline(never)]
    pub fn object(&mut self) -> Json {
        Json::Object(std::mem::take(&mut self.0))
    }
}

impl Zeroize for Json {
    /// Wipes every text and number, and leaves the shape: a value in `Zeroizing` may hold credentials.
    fn zeroize(&mut self) {
        match self {
            Self::Null => {}
            Self::Bool(value) => value.zeroize(),
            Self::Number(number) => number.zeroize(),
            Self::Text(text) => text.zeroize(),
            Self::List(items) => items.zeroize(),
            Self::Object(members) => members.iter_mut().for_each(|(_, value)| value.zeroize()),
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

fn comma(at: usize, out: &mut String) {
    if at > 0 {
        out.push(',');
    }
}

fn write_number(number: f64, out: &mut String) {
    if number == number.trunc() && number.abs() < 9.1e15 {
        out.push_str(&(number as i64).to_string());
    } else if number.is_finite() {
        // The reader is the judge of how many digits it needs.
        out.push_str(&super::text::float(number, &|text| Json::parse(text) == Some(Json::Number(number))));
    } else {
        out.push_str("null");
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' => {
                out.push_str("\\u00");
                for digit in [c as u32 >> 4, c as u32 & 15] {
                    out.extend(char::from_digit(digit, 16));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Reads the members of an object one by one, and knows which were never asked for.
pub struct Fields<'a> {
    members: &'a [(String, Json)],
    asked: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// `None` where the value is not an object.
    #[must_use]
    pub fn of(value: &'a Json) -> Option<Self> {
        Some(Self { members: value.members()?, asked: Vec::new() })
    }

    /// The member, or `None` where it is absent or null.
    pub fn take(&mut self, name: &'static str) -> Option<&'a Json> {
        self.asked.push(name);
        self.members.iter().find(|(key, _)| key == name).map(|(_, value)| value).filter(|value| **value != Json::Null)
    }

    /// The first member that nobody asked for, with the asked-for name that looks most like it.
    #[must_use]
    pub fn unknown(&self) -> Option<(&'a str, Option<&'static str>)> {
        let (name, _) = self.members.iter().find(|(key, _)| !self.asked.contains(&key.as_str()))?;
        let close = self.asked.iter().map(|known| (distance(name, known), *known)).min();
        Some((name, close.filter(|(far, known)| *far <= 2.max(known.len() / 3)).map(|(_, known)| known)))
    }
}

/// Edit distance without regard to case and `_`, for "did you mean".
fn distance(a: &str, b: &str) -> usize {
    let fold =
        |text: &str| text.bytes().filter(|b| *b != b'_').map(|b| b.to_ascii_lowercase()).take(64).collect::<Vec<_>>();
    let (a, b) = (fold(a), fold(b));
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let best = (diagonal + usize::from(x != y)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = best;
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_survives_reading_and_writing() {
        for text in [
            "null",
            "true",
            "[]",
            "{}",
            r#"{"a":[1,-2,1.5,"x\"\\\n\u0001é𝄞"],"b":{"c":null}}"#,
            "[[],[[]],{\"\":0}]",
            "1700000000",
        ] {
            assert_eq!(Json::parse(text).unwrap().to_text(), text);
        }
    }

    #[test]
    fn what_two_parsers_could_read_differently_is_refused() {
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":1,"\u0061":2}"#,
            "\u{feff}{}",
            "{} {}",
            "{",
            "",
            "{'a':1}",
            "[1,]",
            "[01]",
            r#""\ud800""#,
            "nul",
            "NaN",
            "{\"a\":1,}",
        ] {
            assert_eq!(Json::parse(text), None, "{text:?}");
        }
        assert_eq!(Json::parse_bytes(b"\"\xff\""), None);
    }

    #[test]
    fn nesting_ends_at_the_limit_without_touching_the_stack() {
        let nested = |depth: usize| ["[".repeat(depth), "]".repeat(depth)].concat();
        assert!(Json::parse(&nested(MAX_DEPTH.into())).is_some());
        assert!(Json::parse(&nested(usize::from(MAX_DEPTH) + 1)).is_none());
        assert!(Json::parse(&nested(120_000)).is_none());
    }

    #[test]
    fn a_text_with_credentials_is_written_without_growing() {
        for number in [5e-324, -1.7976931348623157e308, 1.0 / 3.0, 1e-7, -0.0, 9e15] {
            let control = Json::Text("\u{1}\"\\é".repeat(9));
            let list = Json::List(vec![Json::Number(number), control, Json::Null]);
            let value = Members::new().value("\u{2}", Some(list)).object();
            assert!(value.to_text().len() <= value.room(), "{number}");
            assert_eq!(*value.to_secret_text(), value.to_text());
        }
    }

    #[test]
    fn wiping_leaves_the_shape_and_nothing_else() {
        let mut value = Json::parse(r#"{"a":["x",true,7],"b":{"c":"y"}}"#).unwrap();
        value.zeroize();
        assert_eq!(value.to_text(), r#"{"a":[],"b":{"c":""}}"#);
    }

    #[test]
    fn a_number_json_cannot_express_becomes_null() {
        assert_eq!(Json::Number(f64::NAN).to_text(), "null");
    }

    #[test]
    fn a_misspelt_member_is_named_together_with_what_was_probably_meant() {
        let value = Json::parse(r#"{"issuer":1,"client_id":2}"#).unwrap();
        let mut fields = Fields::of(&value).unwrap();
        fields.take("issuer");
        fields.take("clientId");
        fields.take("scope");
        assert_eq!(fields.unknown(), Some(("client_id", Some("clientId"))));
        let value = Json::parse(r#"{"completelyOther":1}"#).unwrap();
        let mut fields = Fields::of(&value).unwrap();
        fields.take("issuer");
        assert_eq!(fields.unknown(), Some(("completelyOther", None)));
    }
}
