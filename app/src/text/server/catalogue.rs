//! The catalogues of all languages, compiled into the server only.

use std::sync::LazyLock;

use super::{Locale, format, plural};
use crate::text::Texts;

include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// U+2068 and U+2069: whatever stands between them keeps its own direction.
const ISOLATE: (char, char) = ('\u{2068}', '\u{2069}');

/// A text with its values filled in; `say!` is how to call it.
pub(crate) fn said(locale: Locale, table: &[&[&str]], index: usize, values: &[(&str, &str)]) -> String {
    let text = table.get(locale.language()).and_then(|texts| texts.get(index)).copied().unwrap_or_default();
    fill(locale, text, values)
}

/// The form of a text that goes with the number `n`; `say!` is how to call it.
pub(crate) fn counted(locale: Locale, index: usize, n: i64, values: &[(&str, &str)]) -> String {
    let forms = PLURALS.get(locale.language()).and_then(|texts| texts.get(index));
    let text = forms.map_or("", |forms| forms[plural::category(locale.format().plural, n) as usize]);
    let number = format::integer(locale, n);
    let mut all = vec![("n", number.as_str())];
    all.extend_from_slice(values);
    fill(locale, text, &all)
}

/// In one pass, so that a value that holds braces stays as it is. Where the text runs from right to left, each value
/// is isolated: a name or an amount never pulls the words around it out of order.
fn fill(locale: Locale, text: &str, values: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        if locale.is_rtl() {
            out.push(ISOLATE.0);
            out.push_str(value);
            out.push(ISOLATE.1);
        } else {
            out.push_str(value);
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

static TEXTS: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    LABELS.iter().map(|texts| Texts::new(texts.iter().map(|text| (*text).to_owned()).collect())).collect()
});

/// The labels of a language, as pages read them.
pub fn texts(locale: Locale) -> Texts {
    TEXTS.get(locale.language()).cloned().unwrap_or_default()
}

/// The same as JSON for `<script type="application/json" id="texts">`; no text can end the script early.
pub fn payload(locale: Locale) -> String {
    let labels = LABELS.get(locale.language()).copied().unwrap_or_default();
    serde_json::to_string(labels).unwrap_or_else(|_| "[]".into()).replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_filled_in_once() {
        let values = [("name", "{date}"), ("date", "today")];
        assert_eq!(fill(Locale::En, "{name} on {date}", &values), "{date} on today");
        assert_eq!(fill(Locale::En, "nothing", &values), "nothing");
    }

    #[test]
    fn values_are_isolated_where_text_runs_from_right_to_left() {
        assert_eq!(fill(Locale::Ar, "حتى {date}", &[("date", "20")]), "حتى \u{2068}20\u{2069}");
    }

    #[test]
    fn the_payload_is_the_labels_and_cannot_end_its_script() {
        for locale in Locale::ALL {
            let labels: Vec<String> = serde_json::from_str(&payload(locale)).unwrap();
            assert_eq!(labels, LABELS[locale.language()]);
            assert!(!payload(locale).contains('<'));
        }
    }

    #[test]
    fn numbers_choose_their_form() {
        assert_eq!(say!(every.months, Locale::En, n = 1), "per month");
        assert_eq!(say!(every.months, Locale::En, n = 3), "every 3 months");
        assert_eq!(say!(every.months, Locale::De, n = 6), "alle 6 Monate");
        assert_eq!(say!(every.months, Locale::Ar, n = 2), "كل شهرين");
        assert_eq!(say!(every.months, Locale::Ar, n = 3), "كل \u{2068}3\u{2069} أشهر");
    }

    use crate::text::say;
}
