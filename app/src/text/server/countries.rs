//! The countries of ISO 3166-1 by the names that CLDR 48 gives them, in each language's own order.

use super::Locale;
use super::catalogue::COUNTRIES;

/// Code and name.
pub fn all(locale: Locale) -> impl Iterator<Item = (&'static str, &'static str)> {
    let table = COUNTRIES.get(locale.language()).copied().unwrap_or_default();
    table.lines().filter_map(|line| line.split_once('\t'))
}

/// The country's name; the code itself where there is no such country.
pub fn name(locale: Locale, code: &str) -> &str {
    all(locale).find(|(known, _)| *known == code).map_or(code, |(_, name)| name)
}

pub fn exists(code: &str) -> bool {
    all(Locale::En).any(|(known, _)| known == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_names_every_country_once() {
        let codes = |locale| all(locale).map(|(code, _)| code).collect::<std::collections::BTreeSet<_>>();
        for locale in Locale::ALL {
            assert_eq!(all(locale).count(), 249, "{locale:?}");
            assert_eq!(codes(locale), codes(Locale::En), "{locale:?}");
            assert!(all(locale).all(|(_, name)| !name.trim().is_empty()));
        }
        assert_eq!(name(Locale::De, "EG"), "Ägypten");
        assert_eq!(name(Locale::Ar, "DE"), "ألمانيا");
        assert_eq!(name(Locale::En, "XX"), "XX");
        assert!(exists("CH") && !exists("XX") && !exists("ch"));
    }
}
