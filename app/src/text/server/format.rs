//! Money and dates as each language writes them: the words of CLDR 48, in UTC, compared with `Intl` in the tests.
//!
//! Arabic keeps the digits 0 to 9: card statements, bank transfers and invoice numbers use them all over the Arab
//! world, and an amount must look the same wherever it is compared.

use billing::{Currency, Seconds};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Locale;

const NBSP: char = '\u{a0}';
const RIGHT_TO_LEFT_MARK: char = '\u{200f}';
const LEFT_TO_RIGHT_MARK: char = '\u{200e}';

/// Currencies with two decimals on the wire whose fraction nobody uses: it is shown only where there is one.
const SELDOM_DIVIDED: [&str; 15] =
    ["afn", "all", "cop", "huf", "idr", "isk", "lak", "lbp", "mmk", "pkr", "rsd", "sos", "std", "ugx", "yer"];

/// `$20.00`, `20,00 €`.
pub fn money(locale: Locale, amount: i64, currency: &Currency) -> String {
    let number = decimal(locale, amount.unsigned_abs(), currency);
    let symbol = symbol(locale, currency.code());
    match locale {
        Locale::En | Locale::EnGb => {
            let minus = if amount < 0 { "-" } else { "" };
            // A code or a word keeps its distance, a sign does not.
            let gap = if symbol.ends_with(char::is_alphabetic) { "\u{a0}" } else { "" };
            format!("{minus}{symbol}{gap}{number}")
        }
        Locale::De => {
            let minus = if amount < 0 { "-" } else { "" };
            format!("{minus}{number}{NBSP}{symbol}")
        }
        Locale::Ar => {
            let minus = if amount < 0 { format!("{LEFT_TO_RIGHT_MARK}-") } else { String::new() };
            // A symbol is held together by a mark at its end: Arabic letters with full stops as CLDR has it, and `US$`
            // too, which CLDR lets fall apart into `$US` where text runs from right to left.
            let end = match symbol.chars().next_back() {
                Some('.') => "\u{200f}",
                Some(last) if !last.is_alphanumeric() && symbol.len() > last.len_utf8() => "\u{200e}",
                _ => "",
            };
            format!("{RIGHT_TO_LEFT_MARK}{minus}{number}{NBSP}{symbol}{end}")
        }
    }
}

fn decimal(locale: Locale, minor: u64, currency: &Currency) -> String {
    let scale = 10_u64.pow(currency.decimals());
    let (whole, fraction) = (grouped(locale, minor / scale), minor % scale);
    if scale == 1 || (fraction == 0 && SELDOM_DIVIDED.contains(&currency.code())) {
        return whole;
    }
    let digits = usize::try_from(currency.decimals()).unwrap_or_default();
    let point = if locale == Locale::De { ',' } else { '.' };
    format!("{whole}{point}{fraction:0digits$}")
}

/// `1,234`.
pub fn integer(locale: Locale, n: i64) -> String {
    let minus = if n < 0 { "-" } else { "" };
    format!("{minus}{}", grouped(locale, n.unsigned_abs()))
}

fn grouped(locale: Locale, n: u64) -> String {
    let comma = if locale == Locale::De { '.' } else { ',' };
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(comma);
        }
        out.push(digit);
    }
    out
}

fn symbol(locale: Locale, code: &str) -> String {
    let local = match locale {
        Locale::En => in_english(code),
        Locale::EnGb => in_british(code),
        Locale::De => in_german(code),
        Locale::Ar => in_arabic(code),
    };
    local.or_else(|| anywhere(code)).map_or_else(|| code.to_ascii_uppercase(), str::to_owned)
}

fn anywhere(code: &str) -> Option<&'static str> {
    Some(match code {
        "brl" => "R$",
        "cad" => "CA$",
        "cny" => "CN¥",
        "eur" => "€",
        "gbp" => "£",
        "hkd" => "HK$",
        "ils" => "₪",
        "inr" => "₹",
        "krw" => "₩",
        "mxn" => "MX$",
        "nzd" => "NZ$",
        "twd" => "NT$",
        "vnd" => "₫",
        "xaf" => "FCFA",
        "xcd" => "EC$",
        "xof" => "F\u{202f}CFA",
        "xpf" => "CFPF",
        _ => return None,
    })
}

fn in_english(code: &str) -> Option<&'static str> {
    Some(match code {
        "aud" => "A$",
        "jpy" => "¥",
        "php" => "₱",
        "usd" => "$",
        _ => return None,
    })
}

fn in_british(code: &str) -> Option<&'static str> {
    Some(match code {
        "jpy" => "JP¥",
        "usd" => "US$",
        _ => return in_english(code),
    })
}

fn in_german(code: &str) -> Option<&'static str> {
    Some(match code {
        "aud" => "AU$",
        "jpy" => "¥",
        "thb" => "฿",
        "usd" => "$",
        _ => return None,
    })
}

fn in_arabic(code: &str) -> Option<&'static str> {
    Some(match code {
        "aed" => "د.إ.",
        "aud" => "AU$",
        "bhd" => "د.ب.",
        "dzd" => "د.ج.",
        "egp" => "ج.م.",
        "gbp" => "UK£",
        "jod" => "د.أ.",
        "jpy" => "JP¥",
        "kwd" => "د.ك.",
        "lbp" => "ل.ل.",
        "mad" => "د.م.",
        "omr" => "ر.ع.",
        "qar" => "ر.ق.",
        "sar" => "ر.س.",
        "thb" => "฿",
        "tnd" => "د.ت.",
        "usd" => "US$",
        "yer" => "ر.ي.",
        _ => return None,
    })
}

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const GERMAN: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];
const ARABIC: [&str; 12] =
    ["يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"];

/// `November 20, 2026`, `20. November 2026`.
pub fn date(locale: Locale, at: Seconds) -> String {
    let date = civil(at);
    match locale {
        Locale::En => format!("{}, {}", day(locale, date), date.year()),
        _ => format!("{} {}", day(locale, date), date.year()),
    }
}

/// From one day to another, saying the year once where it is the same.
pub fn dates(locale: Locale, from: Seconds, until: Seconds) -> String {
    let (start, end) = (civil(from), civil(until));
    let first = if start.year() == end.year() { day(locale, start) } else { date(locale, from) };
    format!("{first} – {}", date(locale, until))
}

/// `December 2027`: when a card expires.
pub fn month(locale: Locale, year: i64, month: i64) -> String {
    format!("{} {year}", month_name(locale, month))
}

fn day(locale: Locale, date: Date) -> String {
    let name = month_name(locale, i64::from(date.month()));
    match locale {
        Locale::En => format!("{name} {}", date.day()),
        Locale::De => format!("{}. {name}", date.day()),
        Locale::EnGb | Locale::Ar => format!("{} {name}", date.day()),
    }
}

fn month_name(locale: Locale, month: i64) -> &'static str {
    let names = match locale {
        Locale::En | Locale::EnGb => &ENGLISH,
        Locale::De => &GERMAN,
        Locale::Ar => &ARABIC,
    };
    usize::try_from(month - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// `Team, Support and Pro`.
pub fn list(locale: Locale, names: &[String]) -> String {
    let and = match locale {
        Locale::En | Locale::EnGb => " and ",
        Locale::De => " und ",
        Locale::Ar => " و",
    };
    let comma = if locale == Locale::Ar { "، " } else { ", " };
    match names {
        [] => String::new(),
        [first @ .., last] if !first.is_empty() => format!("{}{and}{last}", first.join(comma)),
        [only, ..] => only.clone(),
    }
}

/// `2:05 PM`, `14:05`.
pub fn time(locale: Locale, at: Seconds) -> String {
    let time = datetime(at).time();
    let (hour, minute) = (time.hour(), time.minute());
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    match locale {
        Locale::En => format!("{twelve}:{minute:02}{NBSP}{}", if hour < 12 { "AM" } else { "PM" }),
        Locale::Ar => format!("{twelve}:{minute:02}{NBSP}{}", if hour < 12 { "ص" } else { "م" }),
        Locale::EnGb | Locale::De => format!("{hour:02}:{minute:02}"),
    }
}

/// The first and the last second of a year.
pub fn year(year: i64) -> (i64, i64) {
    let start = |year: i64| {
        let first = Date::new(i16::try_from(year).unwrap_or(9998), 1, 1).ok();
        first.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map_or(i64::MAX, |at| at.timestamp().as_second())
    };
    (start(year), start(year + 1) - 1)
}

pub fn year_of(at: Seconds) -> i64 {
    i64::from(civil(at).year())
}

/// The day in UTC, in which billing counts.
fn civil(at: Seconds) -> Date {
    datetime(at).date()
}

fn datetime(at: Seconds) -> DateTime {
    TimeZone::UTC.to_datetime(Timestamp::from_second(at.0).unwrap_or(Timestamp::UNIX_EPOCH))
}

#[cfg(test)]
mod tests;
