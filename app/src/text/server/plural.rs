//! CLDR's cardinal plural rules of the languages served, for whole numbers.

use super::Locale;

/// In the order of the forms in the catalogues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    Zero,
    One,
    Two,
    Few,
    Many,
    Other,
}

pub fn category(locale: Locale, n: i64) -> Category {
    let n = n.unsigned_abs();
    match locale {
        Locale::En | Locale::EnGb | Locale::De => {
            if n == 1 {
                Category::One
            } else {
                Category::Other
            }
        }
        Locale::Ar => match (n, n % 100) {
            (0, _) => Category::Zero,
            (1, _) => Category::One,
            (2, _) => Category::Two,
            (_, 3..=10) => Category::Few,
            (_, 11..=99) => Category::Many,
            _ => Category::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Intl.PluralRules` of Node 20 (CLDR 48) answers.
    #[test]
    fn as_cldr_has_them() {
        use Category::{Few, Many, One, Other, Two, Zero};
        let arabic = [
            (0, Zero),
            (1, One),
            (2, Two),
            (3, Few),
            (10, Few),
            (11, Many),
            (26, Many),
            (99, Many),
            (100, Other),
            (101, Other),
            (102, Other),
            (103, Few),
            (111, Many),
            (200, Other),
            (1003, Few),
            (1_000_000, Other),
        ];
        for (n, form) in arabic {
            assert_eq!(category(Locale::Ar, n), form, "{n}");
        }
        for (n, form) in [(0, Other), (1, One), (2, Other), (21, Other), (101, Other)] {
            assert_eq!(category(Locale::En, n), form, "{n}");
            assert_eq!(category(Locale::De, n), form, "{n}");
        }
    }
}
