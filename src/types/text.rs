//! Searching and printing, in the few forms that are needed here.
//!
//! The standard library's search for a text within a text, and its formatting, are made for every case and for long texts;
//! in the WebAssembly module they would cost more than the checks that use them.

/// Whether `part` occurs in `text`.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        if rest.starts_with(part.as_bytes()) {
            return true;
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    false
}

/// `text` with `new` in the place of every `old`, from the left, as `str::replace` does it. `old` is not empty.
pub(crate) fn replaced(text: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix(old) {
            out.push_str(new);
            rest = after;
        } else {
            out.push(next);
            rest = rest.get(next.len_utf8()..).unwrap_or_default();
        }
    }
    out
}

/// What is before and behind the first `part`.
pub(crate) fn split_once<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    while at < text.len() {
        if let Some(after) = text.get(at..).and_then(|rest| rest.strip_prefix(part)) {
            return Some((text.get(..at)?, after));
        }
        at += 1;
    }
    None
}

/// Sixteen hexadecimal digits.
pub(crate) fn hex(number: u64) -> String {
    (0..16).rev().filter_map(|nibble| char::from_digit((number >> (nibble * 4)) as u32 & 15, 16)).collect()
}

/// A finite number as a JSON text with the fewest digits from which `reads` gives it back, or else with 17 digits.
pub(crate) fn float(number: f64, reads: &dyn Fn(&str) -> bool) -> String {
    let size = number.abs();
    // The exponent of the first digit.
    let mut first = 0;
    while first < 308 && scaled(size, -first) >= 10.0 {
        first += 1;
    }
    while first > -324 && scaled(size, -first) < 1.0 {
        first -= 1;
    }
    let mut text = String::new();
    for more in 0..17 {
        let exponent = first - more;
        text = with_exponent(number < 0.0, scaled(size, -exponent).round() as u64, exponent);
        if reads(&text) {
            break;
        }
    }
    text
}

/// With a point where it falls among the digits.
fn with_exponent(negative: bool, digits: u64, exponent: i32) -> String {
    let digits = digits.to_string();
    let sign = if negative { "-" } else { "" };
    let after = usize::try_from(-exponent).ok().filter(|after| *after > 0 && *after < digits.len());
    match after.and_then(|after| digits.split_at_checked(digits.len() - after)) {
        Some((whole, part)) => [sign, whole, ".", part].concat(),
        None => [sign, &digits, "e", &exponent.to_string()].concat(),
    }
}

/// `number × 10^exponent`, by one exact power of ten where there is one.
pub(super) fn scaled(number: f64, exponent: i32) -> f64 {
    let (mut number, mut left) = (number, exponent.unsigned_abs());
    while left > 0 {
        let step = left.min(22);
        let mut power = 1.0;
        for _ in 0..step {
            power *= 10.0;
        }
        if exponent < 0 {
            number /= power;
        } else {
            number *= power;
        }
        left -= step;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn searching_and_replacing_agree_with_the_standard_library() {
        for text in ["", "/", "//", "a//b", "%2e%2E%%2e2e", "é//é", "%25252e", "aaa"] {
            for part in ["//", "%2e", "%25", "aa", "é"] {
                assert_eq!(contains(text, part), text.contains(part), "{text} {part}");
                assert_eq!(split_once(text, part), text.split_once(part), "{text} {part}");
                assert_eq!(replaced(text, part, "."), text.replace(part, "."), "{text} {part}");
            }
        }
    }

    fn print(number: f64) -> String {
        float(number, &|text| text.parse() == Ok(number))
    }

    #[test]
    fn a_fraction_is_printed_with_no_more_digits_than_it_needs() {
        for (number, text) in
            [(1.5, "1.5"), (0.1, "1e-1"), (-1234.5, "-1234.5"), (0.000_123, "123e-6"), (1.8e61, "18e60")]
        {
            assert_eq!(print(number), text);
        }
        for number in [-0.25, std::f64::consts::PI, 1_700_000_000.123, 0.3, 1e-7, 1e23, 123.456e20] {
            assert_eq!(print(number).parse(), Ok(number));
        }
    }

    #[test]
    fn the_largest_and_smallest_numbers_are_read_back_as_what_they_were_but_for_the_last_bits() {
        for number in [5e-324, f64::MIN_POSITIVE, f64::MAX, 1.0 / 3.0, 2.0 / 3.0 * 1e300, 1e22, 9.1e15] {
            let text = print(number);
            let read = text.parse::<f64>().unwrap();
            assert!((read - number).abs() <= number * 4.0 * f64::EPSILON, "{text} is not {number}");
        }
    }

    #[test]
    fn sixteen_digits_are_printed_whatever_the_number() {
        for number in [0, 1, 0xcbf2_9ce4_8422_2325, u64::MAX] {
            assert_eq!(hex(number), format!("{number:016x}"));
        }
    }
}
