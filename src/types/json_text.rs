//! Reads JSON text. RFC 8259.
//!
//! Bytes are read here and not by the page's `JSON.parse`, which another script may have replaced. What two readers could
//! understand differently is refused (a member that occurs twice), and so is what no honest server sends (more than
//! [`MAX_DEPTH`] levels). Each text is made at its full size, so that growing leaves no copy of a credential behind.

use super::json::{Json, MAX_DEPTH};
use super::text::scaled;
use std::str::Chars;

/// `None` for anything that is not exactly one acceptable value.
pub(super) fn parse(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text.chars() };
    let value = reader.value(0)?;
    reader.skip_space();
    reader.rest.as_str().is_empty().then_some(value)
}

struct Reader<'a> {
    rest: Chars<'a>,
}

impl Reader<'_> {
    /// A value that lies `depth` levels deep.
    fn value(&mut self, depth: u8) -> Option<Json> {
        self.skip_space();
        match self.peek()? {
            '[' | '{' if depth == MAX_DEPTH => None,
            '[' => self.list(depth + 1),
            '{' => self.object(depth + 1),
            '"' => self.text().map(Json::Text),
            'n' => self.word("null", Json::Null),
            't' => self.word("true", Json::Bool(true)),
            'f' => self.word("false", Json::Bool(false)),
            _ => self.number().map(Json::Number),
        }
    }

    fn list(&mut self, depth: u8) -> Option<Json> {
        let mut items = Vec::new();
        self.rest.next();
        while self.another(items.is_empty(), ']')? {
            items.push(self.value(depth)?);
        }
        Some(Json::List(items))
    }

    fn object(&mut self, depth: u8) -> Option<Json> {
        let mut members: Vec<(String, Json)> = Vec::new();
        self.rest.next();
        while self.another(members.is_empty(), '}')? {
            self.skip_space();
            let name = self.text()?;
            self.skip_space();
            if !self.skip(':') {
                return None;
            }
            members.push((name, self.value(depth)?));
        }
        are_distinct(&members).then_some(Json::Object(members))
    }

    /// Whether another item follows before `end`.
    fn another(&mut self, first: bool, end: char) -> Option<bool> {
        self.skip_space();
        if self.skip(end) {
            return Some(false);
        }
        (first || self.skip(',')).then_some(true)
    }

    fn text(&mut self) -> Option<String> {
        if !self.skip('"') {
            return None;
        }
        let mut out = String::with_capacity(length(self.rest.as_str()));
        loop {
            let rest = self.rest.as_str();
            // All of these are one byte, so a character is never cut in two.
            let plain = rest.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\' | ..b' ')).count();
            out.push_str(rest.get(..plain)?);
            self.rest = rest.get(plain..)?.chars();
            match self.rest.next()? {
                '"' => return Some(out),
                '\\' => out.push(self.escape()?),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        match self.rest.next()? {
            c @ ('"' | '\\' | '/') => Some(c),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'u' => self.unicode(),
            _ => None,
        }
    }

    /// One UTF-16 unit, or the pair that stands for a character beyond them.
    fn unicode(&mut self) -> Option<char> {
        let unit = self.unit()?;
        if !(0xd800..0xdc00).contains(&unit) {
            // Alone, the second half of a pair is no character.
            return char::from_u32(unit);
        }
        let low = if self.skip('\\') && self.skip('u') { self.unit()? } else { return None };
        (0xdc00..0xe000).contains(&low).then(|| char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)))?
    }

    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit * 16 + self.rest.next()?.to_digit(16)?))
    }

    fn number(&mut self) -> Option<f64> {
        let negative = self.skip('-');
        let zero = self.peek() == Some('0');
        let mut digits = 0;
        let (read, kept) = self.digits(&mut digits);
        if read == 0 || (zero && read > 1) {
            return None;
        }
        let mut exponent = read - kept;
        if self.skip('.') {
            let (read, kept) = self.digits(&mut digits);
            if read == 0 {
                return None;
            }
            exponent -= kept;
        }
        if self.skip('e') || self.skip('E') {
            let down = self.skip('-');
            if !down {
                self.skip('+');
            }
            let mut power = 0;
            if self.digits(&mut power).0 == 0 {
                return None;
            }
            let power = power.min(9999) as i32;
            exponent += if down { -power } else { power };
        }
        let size = if digits == 0 { 0.0 } else { scaled(digits as f64, exponent) };
        size.is_finite().then_some(if negative { -size } else { size })
    }

    /// Appends decimal digits to `number` while there is room in it. How many were read, and how many of them kept.
    fn digits(&mut self, number: &mut u64) -> (i32, i32) {
        let (mut read, mut kept) = (0, 0);
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            read += 1;
            if *number < u64::MAX / 10 {
                *number = *number * 10 + u64::from(digit);
                kept += 1;
            }
        }
        (read, kept)
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.rest = self.rest.as_str().strip_prefix(word)?.chars();
        Some(value)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.rest.next();
        }
    }

    fn skip(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.rest.next();
        }
        found
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }
}

/// Whether no name occurs twice. Sorted, as an answer may have tens of thousands of them.
fn are_distinct(members: &[(String, Json)]) -> bool {
    let mut names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.is_sorted_by(|one, next| one < next)
}

/// How many bytes there are before the closing quote. What they mean is never longer.
fn length(text: &str) -> usize {
    let mut escaped = false;
    let inside = |byte: &u8| {
        let end = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        !end
    };
    text.bytes().take_while(inside).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use miniserde::json::Value;

    /// Whether the reference reads the text as the same value.
    fn same(ours: &Json, theirs: &Value) -> bool {
        match (ours, theirs) {
            (Json::Null, Value::Null) => true,
            (Json::Bool(ours), Value::Bool(theirs)) => ours == theirs,
            (Json::Number(ours), Value::Number(theirs)) => {
                let theirs = match *theirs {
                    miniserde::json::Number::U64(number) => number as f64,
                    miniserde::json::Number::I64(number) => number as f64,
                    miniserde::json::Number::F64(number) => number,
                };
                (ours - theirs).abs() <= theirs.abs() * 4.0 * f64::EPSILON
            }
            (Json::Text(ours), Value::String(theirs)) => ours == theirs,
            (Json::List(ours), Value::Array(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs.iter()).all(|(ours, theirs)| same(ours, theirs))
            }
            (Json::Object(ours), Value::Object(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
            }
            (Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_), _) => {
                false
            }
        }
    }

    #[test]
    fn a_reference_accepts_the_same_texts_and_reads_the_same_values() {
        let seeds = [
            r#" { "a" : [ 1 , -2.50 , 3e2 , 0 , -0 , 12345678901234567890123 ] , "b\u00e9\ud834\udd1e" : { } } "#,
            r#"["\"\\\/\b\f\n\r\t",true,false,null,0.000001E-3,1.7976931348623157e308,5e-324,"é𝄞"]"#,
        ];
        let parts =
            ["", "0", "-", ".", "e", "+", "\"", "\\", "\\u", "d", "\u{1}", "\n", "{", "}", "[", "]", ",", ":", "t"];
        for seed in seeds {
            for (from, _) in seed.char_indices() {
                for part in parts {
                    for removed in 0..3 {
                        let rest: String = seed[from..].chars().skip(removed).collect();
                        let text = [&seed[..from], part, &rest].concat();
                        let theirs = miniserde::json::from_str::<Value>(&text).ok();
                        // The one difference that is meant: two members of one name.
                        let agree = match (parse(&text), &theirs) {
                            (Some(ours), Some(theirs)) => same(&ours, theirs),
                            (ours, theirs) => ours.is_none() && theirs.is_none(),
                        };
                        assert!(agree, "{text}");
                    }
                }
            }
        }
    }

    #[test]
    fn among_tens_of_thousands_of_members_the_one_that_occurs_twice_is_found_wherever_it_is() {
        let names: Vec<_> = (0..29_600).map(|number| number.to_string()).collect();
        let object = |names: &[String]| ["{\"", &names.join("\":0,\""), "\":0}"].concat();
        assert_eq!(parse(&object(&names)).unwrap().to_text(), object(&names), "their order is kept");
        for (one, other) in [(0, 29_599), (0, 1), (14_000, 15_000), (29_598, 29_599)] {
            let mut names = names.clone();
            names[other] = names[one].clone();
            assert_eq!(parse(&object(&names)), None, "{one} {other}");
        }
    }

    #[test]
    fn a_text_is_made_at_its_full_size() {
        for text in [r#""plain""#, r#""\"é\u00e9\ud834\udd1e\\""#, r#""\\""#] {
            let mut reader = Reader { rest: text.chars() };
            let room = length(&text[1..]);
            assert!(reader.text().is_some_and(|read| read.len() <= room && read.capacity() == room), "{text}");
        }
    }
}
