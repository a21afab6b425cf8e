//! CLDR's cardinal plural rules, for whole numbers.

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

/// The rules of the languages that may be served; a language's file names its own.
#[allow(dead_code, reason = "which of them are used is for the languages that are there to say")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// One form: Japanese, Chinese.
    Any,
    /// English, German, Dutch.
    One,
    /// One, and whole millions: Spanish, Italian.
    OneMillions,
    /// None and one alike, and whole millions: French, Portuguese.
    NoneMillions,
    Polish,
    Arabic,
}

pub fn category(rule: Rule, n: i64) -> Category {
    use Category::{Few, Many, One, Other, Two, Zero};
    let n = n.unsigned_abs();
    let is_millions = n != 0 && n.is_multiple_of(1_000_000);
    match rule {
        Rule::One | Rule::OneMillions | Rule::Polish if n == 1 => One,
        Rule::NoneMillions if n <= 1 => One,
        Rule::OneMillions | Rule::NoneMillions if is_millions => Many,
        Rule::Any | Rule::One | Rule::OneMillions | Rule::NoneMillions => Other,
        Rule::Polish => match (n % 10, n % 100) {
            (2..=4, tens) if !(12..=14).contains(&tens) => Few,
            _ => Many,
        },
        Rule::Arabic => match (n, n % 100) {
            (0, _) => Zero,
            (1, _) => One,
            (2, _) => Two,
            (_, 3..=10) => Few,
            (_, 11..=99) => Many,
            _ => Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `Intl.PluralRules` of Node 20 (CLDR 48) answers for each of these.
    #[test]
    fn as_cldr_has_them() {
        let numbers =
            [0, 1, 2, 3, 4, 5, 10, 11, 12, 14, 21, 22, 25, 99, 100, 101, 102, 103, 111, 112, 1_000_000, 2_000_000];
        let rules = [
            (Rule::Any, ANY),
            (Rule::One, ONE),
            (Rule::OneMillions, ONE_MILLIONS),
            (Rule::NoneMillions, NONE_MILLIONS),
            (Rule::Polish, POLISH),
            (Rule::Arabic, ARABIC),
        ];
        for (rule, expected) in rules {
            let said = numbers.map(|n| format!("{:?}", category(rule, n)).to_lowercase());
            assert_eq!(said.join(" "), expected, "{rule:?}");
        }
    }

    const ANY: &str = "other other other other other other other other other other other other other other other other other other other other other other";
    const ONE: &str = "other one other other other other other other other other other other other other other other other other other other other other";
    const ONE_MILLIONS: &str = "other one other other other other other other other other other other other other other other other other other other many many";
    const NONE_MILLIONS: &str = "one one other other other other other other other other other other other other other other other other other other many many";
    const POLISH: &str =
        "many one few few few many many many many many many few many many many many few few many many many many";
    const ARABIC: &str =
        "zero one two few few few few many many many many many many many other other other few many many other other";
}
