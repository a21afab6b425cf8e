//! Every format against what `Intl` says of the same value.

use super::*;

fn locale(tag: &str) -> Locale {
    Locale::ALL.into_iter().find(|locale| locale.tag() == tag).unwrap()
}

fn day_of(text: &str) -> Seconds {
    Seconds(format!("{text}T00:00:00Z").parse::<Timestamp>().unwrap().as_second())
}

fn second_of(text: &str) -> Seconds {
    Seconds(format!("{text}:00Z").parse::<Timestamp>().unwrap().as_second())
}

fn said(kind: &str, locale: Locale, input: &str) -> String {
    let pair = || input.split_once(' ').unwrap();
    match kind {
        "money" => money(locale, pair().0.parse().unwrap(), &Currency::parse(pair().1, "currency").unwrap()),
        "date" => date(locale, day_of(input)),
        // Node writes a plain space before AM; ours does not break.
        "time" => time(locale, second_of(input)).replace(NBSP, " "),
        "dates" => dates(locale, day_of(pair().0), day_of(pair().1)),
        "month" => {
            let (year, number) = input.split_once('-').unwrap();
            month(locale, year.parse().unwrap(), number.parse().unwrap())
        }
        _ => integer(locale, input.parse().unwrap()),
    }
}

#[test]
fn as_intl_says_it() {
    for row in include_str!("intl.tsv").lines().filter(|line| !line.starts_with('#')) {
        let [kind, tag, input, expected] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("{row}") };
        // Intl marks the sign of an Arabic integer, which stands alone nowhere here.
        let expected = if kind == "integer" { expected.replace('\u{200e}', "") } else { expected.to_owned() };
        // Two marks are ours: the one that holds `US$` together, and the one between a number and its symbol, without
        // which `US$` changes sides where an Arabic amount is negative.
        let said = said(kind, locale(tag), input).replace("\u{200f}\u{a0}", "\u{a0}");
        assert_eq!(said.trim_end_matches('\u{200e}'), expected, "{kind} {tag} {input}");
    }
}

#[test]
fn a_year_has_its_seconds_and_no_other() {
    let (first, last) = year(2026);
    assert_eq!((Seconds(first), Seconds(last)), (day_of("2026-01-01"), second_of("2026-12-31T23:59").plus(59)));
    assert_eq!((year_of(Seconds(first)), year_of(Seconds(last)), year_of(Seconds(last + 1))), (2026, 2026, 2027));
}

#[test]
fn a_fraction_that_is_seldom_used_is_never_hidden() {
    let huf = Currency::parse("huf", "currency").unwrap();
    assert_eq!(money(Locale::En, 100_050, &huf), "HUF\u{a0}1,000.50");
    assert_eq!(money(Locale::En, 100_000, &huf), "HUF\u{a0}1,000");
}
