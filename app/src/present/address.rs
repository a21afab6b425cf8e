//! Postal addresses by country: which lines there are, in which order, what they are called, and which must be filled.
//!
//! The rules are those of the Universal Postal Union as far as an invoice needs them. A country without a row of its
//! own gets every line and must fill only what every address has.

use billing::customer::Address;

use crate::parts::{Choice, Field};
use crate::text::{Locale, countries, say};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    One,
    Two,
    City,
    State,
    Postal,
}

/// What a country calls its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    City,
    Town,
    Suburb,
    District,
    State,
    Province,
    County,
    Prefecture,
    Emirate,
    Governorate,
    Region,
    Postal,
    Zip,
    Postcode,
    Eircode,
    Pin,
    Cep,
}

struct Rule {
    order: &'static [Line],
    required: &'static [Line],
    city: Word,
    state: Word,
    postal: Word,
}

use Line::{City, One, Postal, State, Two};

const STREET_THEN_CODE: &[Line] = &[One, Two, Postal, City];
const STREET_THEN_CITY: &[Line] = &[One, Two, City, Postal];
const WITH_STATE: &[Line] = &[One, Two, City, State, Postal];

const EVERY: Rule = rule(WITH_STATE, &[One, City], Word::City, Word::State, Word::Postal);

const fn rule(order: &'static [Line], required: &'static [Line], city: Word, state: Word, postal: Word) -> Rule {
    Rule { order, required, city, state, postal }
}

fn rule_of(country: &str) -> Rule {
    use Word as W;
    match country {
        "AT" | "BE" | "BG" | "CH" | "CY" | "CZ" | "DE" | "DK" | "EE" | "FI" | "FR" | "GR" | "HR" | "IS" | "LI"
        | "LT" | "LU" | "LV" | "MC" | "NL" | "NO" | "PL" | "PT" | "RO" | "RS" | "SE" | "SI" | "SK" => {
            rule(STREET_THEN_CODE, &[One, Postal, City], W::City, W::State, W::Postal)
        }
        "ES" | "IT" => {
            rule(&[One, Two, Postal, City, State], &[One, Postal, City, State], W::City, W::Province, W::Postal)
        }
        "HU" => rule(&[City, One, Two, Postal], &[City, One, Postal], W::City, W::State, W::Postal),
        "GB" => rule(STREET_THEN_CITY, &[One, City, Postal], W::Town, W::County, W::Postcode),
        "IE" => rule(WITH_STATE, &[One, City], W::Town, W::County, W::Eircode),
        "US" => rule(WITH_STATE, &[One, City, State, Postal], W::City, W::State, W::Zip),
        "CA" => rule(WITH_STATE, &[One, City, State, Postal], W::City, W::Province, W::Postal),
        "AU" => rule(WITH_STATE, &[One, City, State, Postal], W::Suburb, W::State, W::Postcode),
        "NZ" => rule(STREET_THEN_CITY, &[One, City, Postal], W::Town, W::Region, W::Postcode),
        "IN" => rule(WITH_STATE, &[One, City, State, Postal], W::City, W::State, W::Pin),
        "BR" => rule(WITH_STATE, &[One, City, State, Postal], W::City, W::State, W::Cep),
        "MX" => rule(&[One, Two, Postal, City, State], &[One, Postal, City, State], W::City, W::State, W::Postal),
        "JP" => rule(&[Postal, State, City, One, Two], &[Postal, State, One], W::City, W::Prefecture, W::Postal),
        "CN" => rule(&[State, City, One, Two, Postal], &[State, City, One], W::City, W::Province, W::Postal),
        "KR" => rule(&[State, City, One, Two, Postal], &[City, One, Postal], W::City, W::Province, W::Postal),
        "TR" => rule(&[One, Two, Postal, City, State], &[One, City], W::District, W::Province, W::Postal),
        "SG" => rule(&[One, Two, Postal], &[One, Postal], W::City, W::State, W::Postal),
        "HK" => rule(&[One, Two, City, State], &[One, State], W::District, W::Region, W::Postal),
        "AE" => rule(&[One, Two, City, State], &[One, State], W::City, W::Emirate, W::Postal),
        "EG" => rule(WITH_STATE, &[One, City, State], W::City, W::Governorate, W::Postal),
        "SA" => rule(STREET_THEN_CITY, &[One, City, Postal], W::City, W::Region, W::Postal),
        _ => EVERY,
    }
}

/// The entries of an address in a country, filled with what is known.
pub fn fields(locale: Locale, country: &str, known: &Address) -> Vec<Field> {
    let rule = rule_of(country);
    let each = |line: &Line| {
        let (name, autocomplete, label) = match line {
            One => ("line_one", "address-line1", say!(address.line_one, locale)),
            Two => ("line_two", "address-line2", say!(address.line_two, locale)),
            City => ("city", "address-level2", word(locale, rule.city)),
            State => ("state", "address-level1", word(locale, rule.state)),
            Postal => ("postal_code", "postal-code", word(locale, rule.postal)),
        };
        Field {
            name: name.into(),
            label,
            value: part(known, *line).clone().unwrap_or_default(),
            autocomplete: autocomplete.into(),
            required: rule.required.contains(line),
            longest: 200,
        }
    };
    rule.order.iter().map(each).collect()
}

fn part(address: &Address, line: Line) -> &Option<String> {
    match line {
        One => &address.line1,
        Two => &address.line2,
        City => &address.city,
        State => &address.state,
        Postal => &address.postal_code,
    }
}

/// Whether everything is filled that the address's country asks for, and the country is one that there is.
pub fn is_complete(address: &Address) -> bool {
    let Some(country) = address.country.as_deref().filter(|code| countries::exists(code)) else { return false };
    rule_of(country).required.iter().all(|line| part(address, *line).is_some())
}

/// As it is written on an envelope there, with the country's name last.
pub fn lines(locale: Locale, address: &Address) -> Vec<String> {
    let country = address.country.as_deref().unwrap_or_default();
    let order = rule_of(country).order;
    let at = |line: Line| order.iter().position(|other| *other == line);
    let code_first = at(Postal) < at(City);
    let given = |line: Line| part(address, line).clone().filter(|text| !text.is_empty());
    let (code, city, state) = (given(Postal), given(City), given(State));
    let place = if code_first {
        joined(", ", [joined(" ", [code, city]), state])
    } else {
        joined(", ", [city, joined(" ", [state, code])])
    };
    let name = address.country.as_deref().map(|code| countries::name(locale, code).to_owned());
    [given(One), given(Two), place, name].into_iter().flatten().collect()
}

fn joined(with: &str, parts: [Option<String>; 2]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(with))
}

/// All countries by their names in the reader's language, in its order.
pub fn choices(locale: Locale, chosen: &str) -> Vec<Choice> {
    let each = |(code, name): (&str, &str)| Choice { value: code.into(), label: name.into(), chosen: code == chosen };
    countries::all(locale).map(each).collect()
}

fn word(locale: Locale, word: Word) -> String {
    match word {
        Word::City => say!(address.city, locale),
        Word::Town => say!(address.town, locale),
        Word::Suburb => say!(address.suburb, locale),
        Word::District => say!(address.district, locale),
        Word::State => say!(address.state, locale),
        Word::Province => say!(address.province, locale),
        Word::County => say!(address.county, locale),
        Word::Prefecture => say!(address.prefecture, locale),
        Word::Emirate => say!(address.emirate, locale),
        Word::Governorate => say!(address.governorate, locale),
        Word::Region => say!(address.region, locale),
        Word::Postal => say!(address.postal, locale),
        Word::Zip => say!(address.zip, locale),
        Word::Postcode => say!(address.postcode, locale),
        Word::Eircode => say!(address.eircode, locale),
        Word::Pin => say!(address.pin, locale),
        Word::Cep => say!(address.cep, locale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(country: &str, rest: [&str; 5]) -> Address {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let [line1, line2, city, state, postal_code] = rest.map(given);
        Address { country: given(country), line1, line2, city, state, postal_code }
    }

    #[test]
    fn labels_order_and_duties_go_with_the_country() {
        let shown = |locale, country| -> Vec<(String, bool)> {
            let fields = fields(locale, country, &Address::default());
            fields.into_iter().map(|field| (field.label, field.required)).collect()
        };
        let named = |pairs: &[(&str, bool)]| pairs.iter().map(|(l, r)| ((*l).to_owned(), *r)).collect::<Vec<_>>();
        assert_eq!(
            shown(Locale::En, "US"),
            named(&[
                ("Address line 1", true),
                ("Address line 2", false),
                ("City", true),
                ("State", true),
                ("ZIP code", true)
            ])
        );
        assert_eq!(
            shown(Locale::De, "DE"),
            named(&[("Straße und Hausnummer", true), ("Adresszusatz", false), ("Postleitzahl", true), ("Stadt", true)])
        );
        assert_eq!(shown(Locale::En, "GB").last(), Some(&("Postcode".to_owned(), true)));
        assert_eq!(shown(Locale::En, "BO").iter().filter(|(_, required)| *required).count(), 2);
    }

    #[test]
    fn an_address_is_complete_by_its_countrys_rule() {
        assert!(is_complete(&address("DE", ["Lange Gasse 1", "", "Bonn", "", "53111"])));
        assert!(!is_complete(&address("DE", ["Lange Gasse 1", "", "Bonn", "", ""])));
        assert!(!is_complete(&address("US", ["1 Main St", "", "Boise", "", "83702"])));
        assert!(is_complete(&address("BO", ["Calle 1", "", "La Paz", "", ""])));
        assert!(!is_complete(&address("", ["Calle 1", "", "La Paz", "", ""])));
        assert!(!is_complete(&address("XX", ["Calle 1", "", "La Paz", "", ""])));
    }

    #[test]
    fn it_is_written_as_on_an_envelope() {
        let bonn = address("DE", ["Lange Gasse 1", "", "Bonn", "", "53111"]);
        assert_eq!(lines(Locale::En, &bonn), ["Lange Gasse 1", "53111 Bonn", "Germany"]);
        let boise = address("US", ["1 Main St", "Suite 2", "Boise", "ID", "83702"]);
        assert_eq!(lines(Locale::De, &boise), ["1 Main St", "Suite 2", "Boise, ID 83702", "Vereinigte Staaten"]);
        let leeds = address("GB", ["2 High St", "", "Leeds", "", "LS1 4AP"]);
        assert_eq!(lines(Locale::En, &leeds), ["2 High St", "Leeds, LS1 4AP", "United Kingdom"]);
        assert_eq!(lines(Locale::En, &address("DE", ["", "", "Leipzig", "", ""])), ["Leipzig", "Germany"]);
        assert!(lines(Locale::En, &Address::default()).is_empty());
    }
}
