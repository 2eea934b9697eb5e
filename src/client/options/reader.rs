//! Reads one object of the options: each member by its type, and none that is not known.

use crate::error::{Error, ErrorCode, printable};
use crate::types::{Fields, Json, Lifetime};

/// An object, all of whose members are known by name.
pub(super) struct Reader<'a> {
    value: &'a Json,
    path: String,
}

impl<'a> Reader<'a> {
    /// Unknown members are looked for first: a misspelt option says more than the one that seems to be missing.
    pub(super) fn of(value: &'a Json, path: &str, known: &[&'static str]) -> Result<Self, Error> {
        let mut fields = Fields::of(value).ok_or_else(|| invalid(path, "must be an object"))?;
        for name in known {
            fields.take(name);
        }
        let reader = Self { value, path: path.to_owned() };
        match fields.unknown() {
            None => Ok(reader),
            Some((name, _)) if LATER.contains(&name) => Err(invalid(&reader.path(name), "is not in this version")),
            Some((name, None)) => Err(invalid(&reader.path(name), "is no option")),
            Some((name, Some(meant))) => {
                Err(invalid(&reader.path(name), &["is no option; did you mean `", meant, "`?"].concat()))
            }
        }
    }

    /// The full name of a member.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { [&self.path, ".", name].concat() }
    }

    /// A member; `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        self.value.get(name).filter(|value| **value != Json::Null)
    }

    /// Whether a member is `null`, where that means something.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.value.get(name) == Some(&Json::Null)
    }

    pub(super) fn wrong(&self, name: &str, problem: &str) -> Error {
        invalid(&self.path(name), problem)
    }

    pub(super) fn text(&self, name: &str) -> Result<Option<&'a str>, Error> {
        self.typed(name, "must be text", Json::text)
    }

    pub(super) fn required_text(&self, name: &str) -> Result<&'a str, Error> {
        let text = self.text(name)?.ok_or_else(|| self.wrong(name, "is missing; it must be text"))?;
        if text.is_empty() { Err(self.wrong(name, "must not be empty")) } else { Ok(text) }
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.typed(name, "must be true or false", |value| if let Json::Bool(flag) = value { Some(*flag) } else { None })
    }

    pub(super) fn list(&self, name: &str) -> Result<Option<&'a [Json]>, Error> {
        self.typed(name, "must be a list", Json::list)
    }

    pub(super) fn object(&self, name: &str, known: &[&'static str]) -> Result<Option<Reader<'a>>, Error> {
        self.get(name).map(|value| Reader::of(value, &self.path(name), known)).transpose()
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str, least: u32, most: u32) -> Result<Option<u32>, Error> {
        let number = self.typed(name, "must be a number", Json::number)?;
        let range = f64::from(least)..=f64::from(most);
        match number {
            Some(number) if !range.contains(&number) || number != number.trunc() => {
                let expected = ["must be a whole number from ", &least.to_string(), " to ", &most.to_string()].concat();
                Err(self.wrong(name, &expected))
            }
            number => Ok(number.map(|number| number as u32)),
        }
    }

    /// A duration, fractions of a second included; at most a year.
    pub(super) fn seconds(&self, name: &str, least: u32) -> Result<Option<Lifetime>, Error> {
        let number = self.typed(name, "must be a number of seconds", Json::number)?;
        let range = f64::from(least)..=YEAR;
        match number {
            Some(number) if !range.contains(&number) => {
                Err(self
                    .wrong(name, &["must be at least ", &least.to_string(), " seconds, and at most a year"].concat()))
            }
            number => Ok(number.map(|number| Lifetime::from_millis((number * 1000.0) as i64))),
        }
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Error> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let found = value.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
        let expected = || {
            let mut list = String::from("must be ");
            for (at, (word, _)) in words.iter().enumerate() {
                list.push_str(if at == 0 { "'" } else { ", '" });
                list.push_str(word);
                list.push('\'');
            }
            self.wrong(name, &list)
        };
        found.map(|(_, meaning)| Some(*meaning)).ok_or_else(expected)
    }

    /// A function of the application's. It stays with the TypeScript layer; here it is absent, or `true`.
    pub(super) fn function(&self, name: &str) -> Result<(), Error> {
        match self.get(name) {
            None | Some(Json::Bool(true)) => Ok(()),
            Some(_) => Err(self.wrong(name, "must be a function")),
        }
    }

    /// An object of texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<(String, String)>, Error> {
        let members = self.typed(name, "must be an object of texts", Json::members)?.unwrap_or_default();
        let pair = |(key, value): &(String, Json)| match value.text() {
            Some(text) => Ok((key.clone(), text.to_owned())),
            None => Err(invalid(&[&self.path(name), ".", key].concat(), "must be text")),
        };
        members.iter().map(pair).collect()
    }

    fn typed<T>(&self, name: &str, expected: &str, read: impl Fn(&'a Json) -> Option<T>) -> Result<Option<T>, Error> {
        self.get(name).map(|value| read(value).ok_or_else(|| self.wrong(name, expected))).transpose()
    }
}

/// The error about one option. Names and values that the application wrote are cut to what may be shown.
pub(super) fn invalid(path: &str, problem: &str) -> Error {
    let detail = if path.is_empty() {
        ["The options ", problem].concat()
    } else {
        ["`", &printable(path), "` ", problem].concat()
    };
    let end = if detail.ends_with('?') { "" } else { "." };
    Error::new(ErrorCode::ConfigInvalid, [detail.as_str(), end].concat())
}

/// Options that are planned; whoever sets one must not believe that it has an effect.
const LATER: &[&str] = &[
    "algs",
    "dpop",
    "exposeAccessToken",
    "idle",
    "offlineGraceSeconds",
    "onMetric",
    "par",
    "preset",
    "resource",
    "restore",
    "verifySignature",
];

const YEAR: f64 = 366.0 * 24.0 * 3600.0;
