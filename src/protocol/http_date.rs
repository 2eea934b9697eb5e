//! Dates in headers. RFC 9110 §5.6.7.

use crate::types::UnixMillis;

/// Reads a date in any of the three forms that a recipient must accept. `None` for anything else.
///
/// The day of the week is not compared with the date: it follows from it, and nobody is helped by a refusal.
#[must_use]
pub fn parse(text: &str) -> Option<UnixMillis> {
    let text = text.trim();
    if text.len() > 40 || !text.is_ascii() {
        return None;
    }
    let (day_name, rest) = text.split_once(' ')?;
    let words: Vec<&str> = rest.split_ascii_whitespace().collect();
    let (day, month, year, time) = match (day_name.strip_suffix(','), words.as_slice()) {
        // Sun, 06 Nov 1994 08:49:37 GMT
        (Some(_), [day, month, year, time, "GMT"]) if year.len() == 4 => (*day, *month, digits(year)?, *time),
        // Sunday, 06-Nov-94 08:49:37 GMT
        (Some(_), [date, time, "GMT"]) => {
            let mut parts = date.split('-');
            let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
            if parts.next().is_some() || year.len() != 2 {
                return None;
            }
            // More than fifty years ahead would be the century before; there is no such server.
            let year = digits(year)?;
            (day, month, if year < 70 { 2000 + year } else { 1900 + year }, *time)
        }
        // Sun Nov  6 08:49:37 1994
        (None, [month, day, time, year]) if year.len() == 4 => (*day, *month, digits(year)?, *time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
    let day = digits(day).filter(|day| day_of(*day, month, year))?;
    let mut parts = time.split(':').map(digits);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    // 60 is a leap second.
    let fits = hour < 24 && minute < 60 && second <= 60 && parts.next().is_none();
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    fits.then_some(UnixMillis(seconds * 1000))
}

/// A number of up to four digits, and nothing else.
fn digits(text: &str) -> Option<i64> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn day_of(day: i64, month: i64, year: i64) -> bool {
    let last = match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    (1..=last).contains(&day)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Proleptic Gregorian calendar. Years are counted from March, so that the leap day is the last of its year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 153 days are in any five months from March on.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_forms_of_the_specification_are_the_same_instant() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "  Sun, 06 Nov 1994 08:49:37 GMT ",
        ] {
            assert_eq!(parse(text), Some(UnixMillis(784_111_777_000)), "{text}");
        }
    }

    #[test]
    fn every_day_of_the_calendar_is_counted_once() {
        let mut day = -719_528;
        for year in 0..2400 {
            for (at, month) in (1..=12).zip(MONTHS) {
                for date in (1..=31).filter(|date| day_of(*date, at, year)) {
                    let text = format!("Mon, {date:02} {month} {year:04} 00:00:00 GMT");
                    assert_eq!(parse(&text), Some(UnixMillis(day * 86_400_000)), "{text}");
                    day += 1;
                }
            }
        }
        assert_eq!(parse("Fri, 31 Dec 9999 23:59:60 GMT"), Some(UnixMillis(253_402_300_800_000)));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            " ",
            "0",
            "Sun,",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov -994 08:49:37 GMT",
            "Sun, 06 Nov +994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 6-Nov-1994 08:49:37 GMT",
            "Sun, 06-Nov-94-1 08:49:37 GMT",
            "Sun Nov 6 08:49:37 94",
            "1994-11-06T08:49:37Z",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
            "Sön, 06 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(&"Sun, 06 Nov 1994 08:49:37 GMT".repeat(1000)), None);
    }
}
