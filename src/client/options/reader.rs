//! Reads one object of the options: each member by its type, and none that is not known.
//!
//! What is wrong is noted and not returned, so that reading is a straight line: the first error counts, and a value that
//! could not be read is a default that nobody will see.

use crate::error::{Error, ErrorCode, printable};
use crate::types::{Fields, Json, Lifetime};
use std::cell::OnceCell;

/// The first thing that is wrong, anywhere in the options.
pub(super) type First = OnceCell<Error>;

/// An object, all of whose members are known by name. One that is absent has none.
pub(super) struct Reader<'a> {
    value: &'a Json,
    path: String,
    first: &'a First,
}

impl<'a> Reader<'a> {
    /// The options as a whole.
    pub(super) fn new(value: &'a Json, first: &'a First) -> Self {
        Self { value, path: String::new(), first }
    }

    /// `value`, which stands at `name`.
    pub(super) fn below(&self, name: &str, value: &'a Json) -> Self {
        Self { value, path: self.path(name), first: self.first }
    }

    /// The object called `name`, whose members are looked through before any of them is read: a misspelt option says more
    /// than the one that seems to be missing.
    pub(super) fn object(&self, name: &str, known: &[&'static str]) -> Self {
        let value = self.get(name);
        let reader = self.below(name, value.unwrap_or(&Json::Null));
        if value.is_some() {
            reader.only(known);
        }
        reader
    }

    /// Refuses every other member.
    pub(super) fn only(&self, known: &[&'static str]) {
        let Some(mut fields) = Fields::of(self.value) else { return self.wrong("", "must be an object") };
        for name in known {
            fields.take(name);
        }
        match fields.unknown() {
            None => {}
            Some((name, _)) if LATER.contains(&name) => self.wrong(name, "is not in this version"),
            Some((name, None)) => self.wrong(name, "is no option"),
            Some((name, Some(meant))) => self.wrong(name, &["is no option; did you mean `", meant, "`?"].concat()),
        }
    }

    /// The full name of a member; the reader's own without one.
    pub(super) fn path(&self, name: &str) -> String {
        let dot = if self.path.is_empty() || name.is_empty() { "" } else { "." };
        [&self.path, dot, name].concat()
    }

    /// The value that is being read.
    pub(super) fn value(&self) -> &'a Json {
        self.value
    }

    /// A member; `null` counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        self.value.get(name).filter(|value| **value != Json::Null)
    }

    /// Notes an error about the options.
    pub(super) fn fail(&self, error: Error) {
        self.first.get_or_init(|| error);
    }

    /// Notes what is wrong with a member; with the value itself where `name` is empty. Names and values that the
    /// application wrote are cut to what may be shown.
    pub(super) fn wrong(&self, name: &str, problem: &str) {
        let path = self.path(name);
        let detail = if path.is_empty() {
            ["The options ", problem].concat()
        } else {
            ["`", &printable(&path), "` ", problem].concat()
        };
        let end = if detail.ends_with('?') || detail.ends_with('.') { "" } else { "." };
        self.fail(Error::new(ErrorCode::ConfigInvalid, [detail.as_str(), end].concat()));
    }

    /// As [`wrong`](Self::wrong), unless it `fits`.
    pub(super) fn check(&self, fits: bool, name: &str, problem: &str) {
        if !fits {
            self.wrong(name, problem);
        }
    }

    /// As [`wrong`](Self::wrong), for an error about the text of a member, which does not know where that stands.
    pub(super) fn explain(&self, name: &str, problem: &str, error: &Error) {
        self.wrong(name, &[problem, &error.detail].concat());
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        let value = self.get(name)?;
        self.check(value.text().is_some(), name, "must be text");
        value.text()
    }

    pub(super) fn required_text(&self, name: &str) -> &'a str {
        let text = self.text(name);
        self.check(text.is_some(), name, "is missing; it must be text");
        self.check(text != Some(""), name, "must not be empty");
        text.unwrap_or_default()
    }

    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        match self.get(name) {
            None => default,
            Some(Json::Bool(flag)) => *flag,
            Some(_) => {
                self.wrong(name, "must be true or false");
                default
            }
        }
    }

    pub(super) fn list(&self, name: &str) -> Option<&'a [Json]> {
        let value = self.get(name)?;
        self.check(value.list().is_some(), name, "must be a list");
        value.list()
    }

    /// A whole number.
    pub(super) fn whole(&self, name: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.get(name)?;
        self.check(value.number().is_some(), name, "must be a number");
        let number = value.number()?;
        if number < f64::from(least) || number > f64::from(most) || number != number.trunc() {
            self.wrong(name, &["must be a whole number from ", &least.to_string(), " to ", &most.to_string()].concat());
        }
        Some(number as u32)
    }

    /// A duration, fractions of a second included; at most a year.
    pub(super) fn seconds(&self, name: &str, least: u32) -> Option<Lifetime> {
        let value = self.get(name)?;
        self.check(value.number().is_some(), name, "must be a number of seconds");
        let number = value.number()?;
        if !(f64::from(least)..=YEAR).contains(&number) {
            self.wrong(name, &["must be at least ", &least.to_string(), " seconds, and at most a year"].concat());
        }
        Some(Lifetime::from_millis((number * 1000.0) as i64))
    }

    /// One of several words: which.
    pub(super) fn word(&self, name: &str, words: &[&str]) -> Option<usize> {
        let value = self.get(name)?;
        let found = value.text().and_then(|text| words.iter().position(|word| *word == text));
        if found.is_none() {
            self.wrong(name, &["must be '", &words.join("', '"), "'"].concat());
        }
        found
    }

    /// A function of the application's. It stays with the TypeScript layer; here it is absent, or `true`.
    pub(super) fn function(&self, name: &str) {
        self.check(matches!(self.get(name), None | Some(Json::Bool(true))), name, "must be a function");
    }

    /// An object of texts. `problem` says what is wrong with one of them, by its name and text.
    pub(super) fn texts(&self, name: &str, problem: fn(&str, &str) -> Option<&'static str>) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        let Some(value) = self.get(name) else { return texts };
        let Some(members) = value.members() else {
            self.wrong(name, "must be an object of texts");
            return texts;
        };
        let reader = self.below(name, value);
        for (key, value) in members {
            let text = value.text().unwrap_or_default();
            reader.check(value.text().is_some(), key, "must be text");
            if let Some(problem) = problem(key, text) {
                reader.wrong(key, problem);
            }
            texts.push((key.clone(), text.to_owned()));
        }
        texts
    }
}

/// Options that are planned; whoever sets one must not believe that it has an effect.
const LATER: &[&str] = &["exposeAccessToken", "onMetric", "par", "preset", "resource", "restore"];

const YEAR: f64 = 366.0 * 24.0 * 3600.0;
