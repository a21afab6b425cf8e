//! Money and dates as each language writes them: the words of CLDR 48, in UTC, compared with `Intl` in the tests. How
//! a language writes is in its file, `locales/….format.json`; here is what they have in common.
//!
//! Arabic keeps the digits 0 to 9: card statements, bank transfers and invoice numbers use them all over the Arab
//! world, and an amount must look the same wherever it is compared.

use billing::{Currency, Seconds};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::Locale;
use super::plural::Rule;

const NBSP: &str = "\u{a0}";

/// Currencies with two decimals on the wire whose fraction nobody uses: it is shown only where there is one.
const SELDOM_DIVIDED: [&str; 15] =
    ["afn", "all", "cop", "huf", "idr", "isk", "lak", "lbp", "mmk", "pkr", "rsd", "sos", "std", "ugx", "yer"];

/// How one language of one region writes: the fields of its file.
pub struct Format {
    /// For `<html lang>`.
    pub(super) tag: &'static str,
    pub(super) language: &'static str,
    /// The regions that write so, `""` for none said; empty where all others do.
    pub(super) regions: &'static [&'static str],
    /// Which catalogue it speaks from.
    pub(super) texts: usize,
    pub(super) rtl: bool,
    pub(super) plural: Rule,
    pub(super) decimal: &'static str,
    pub(super) group: &'static str,
    /// How many digits a number has at least whose digits are grouped.
    pub(super) group_from: usize,
    pub(super) minus: &'static str,
    pub(super) money: &'static str,
    pub(super) day: &'static str,
    pub(super) date: &'static str,
    pub(super) month: &'static str,
    pub(super) months: [&'static str; 12],
    /// What the halves of the day are called, where it is counted in two.
    pub(super) clock: Option<[&'static str; 2]>,
    pub(super) comma: &'static str,
    pub(super) and: &'static str,
    /// The symbols of currencies that are not the same everywhere.
    pub(super) symbols: &'static [(&'static str, &'static str)],
}

/// `$20.00`, `20,00 €`.
pub fn money(locale: Locale, amount: i64, currency: &Currency) -> String {
    let format = locale.format();
    let number = decimal(format, amount.unsigned_abs(), currency);
    let symbol = symbol(format, currency.code());
    // A code or a word keeps its distance, a sign does not.
    let gap = if symbol.ends_with(char::is_alphabetic) { NBSP } else { "" };
    // A symbol is held together by a mark at its end: Arabic letters with full stops as CLDR has it, and `US$` too,
    // which CLDR lets fall apart into `$US` where text runs from right to left.
    let end = match symbol.chars().next_back() {
        Some('.') => "\u{200f}",
        Some(last) if !last.is_alphanumeric() && symbol.len() > last.len_utf8() => "\u{200e}",
        _ => "",
    };
    let minus = if amount < 0 { format.minus } else { "" };
    let values =
        [("minus", minus), ("number", number.as_str()), ("symbol", symbol.as_str()), ("gap", gap), ("end", end)];
    pattern(format.money, &values)
}

/// A pattern of a language's file with its values.
fn pattern(text: &str, values: &[(&str, &str)]) -> String {
    let mut parts = text.split('{');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        out.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        out.push_str(rest);
    }
    out
}

fn decimal(format: &Format, minor: u64, currency: &Currency) -> String {
    let scale = 10_u64.pow(currency.decimals());
    let (whole, fraction) = (grouped(format, minor / scale), minor % scale);
    if scale == 1 || (fraction == 0 && SELDOM_DIVIDED.contains(&currency.code())) {
        return whole;
    }
    let digits = usize::try_from(currency.decimals()).unwrap_or_default();
    format!("{whole}{}{fraction:0digits$}", format.decimal)
}

/// `1,234`.
/// A decimal in digits and a full stop, as this language divides it.
pub fn fraction(locale: Locale, text: &str) -> String {
    text.replace('.', locale.format().decimal)
}

pub fn integer(locale: Locale, n: i64) -> String {
    let minus = if n < 0 { "-" } else { "" };
    format!("{minus}{}", grouped(locale.format(), n.unsigned_abs()))
}

fn grouped(format: &Format, n: u64) -> String {
    let digits = n.to_string();
    if digits.len() < format.group_from {
        return digits;
    }
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push_str(format.group);
        }
        out.push(digit);
    }
    out
}

fn symbol(format: &Format, code: &str) -> String {
    let local = format.symbols.iter().find(|(known, _)| *known == code).map(|(_, symbol)| *symbol);
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

/// `November 20, 2026`, `20. November 2026`.
pub fn date(locale: Locale, at: Seconds) -> String {
    written(locale.format(), locale.format().date, civil(at))
}

/// From one day to another, saying the year once where it is the same.
pub fn dates(locale: Locale, from: Seconds, until: Seconds) -> String {
    let (start, end) = (civil(from), civil(until));
    let first = if start.year() == end.year() {
        written(locale.format(), locale.format().day, start)
    } else {
        date(locale, from)
    };
    format!("{first} – {}", date(locale, until))
}

/// `December 2027`: when a card expires.
pub fn month(locale: Locale, year: i64, month: i64) -> String {
    let (format, year) = (locale.format(), year.to_string());
    pattern(format.month, &[("month", month_name(format, month)), ("y", year.as_str())])
}

fn written(format: &Format, shape: &str, date: Date) -> String {
    let (day, year) = (date.day().to_string(), date.year().to_string());
    let month = month_name(format, i64::from(date.month()));
    pattern(shape, &[("d", day.as_str()), ("month", month), ("y", year.as_str())])
}

fn month_name(format: &Format, month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|index| format.months.get(index)).copied().unwrap_or_default()
}

/// `Team, Support and Pro`.
pub fn list(locale: Locale, names: &[String]) -> String {
    let format = locale.format();
    match names {
        [] => String::new(),
        [first @ .., last] if !first.is_empty() => format!("{}{}{last}", first.join(format.comma), format.and),
        [only, ..] => only.clone(),
    }
}

/// `2:05 PM`, `14:05`.
pub fn time(locale: Locale, at: Seconds) -> String {
    let time = datetime(at).time();
    let (hour, minute) = (time.hour(), time.minute());
    match locale.format().clock {
        Some([before, after]) => {
            let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
            format!("{twelve}:{minute:02}{NBSP}{}", if hour < 12 { before } else { after })
        }
        None => format!("{hour:02}:{minute:02}"),
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
