//! Turns `locales/*.json` into Rust: macros that know every key and its placeholders, and the catalogues themselves.
//!
//! A key that one language has and another lacks, a placeholder that is not the same everywhere, or a missing plural
//! form stops the build with its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs, process};

/// In the order of `Language` in `text/locale.rs`; the first decides which keys there are.
const LOCALES: [&str; 3] = ["en", "de", "ar"];
/// The plural forms that a language needs, by CLDR's names.
const FORMS: [(&str, &[&str]); 3] =
    [("en", &["one", "other"]), ("de", &["one", "other"]), ("ar", &["zero", "one", "two", "few", "many", "other"])];
const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// Groups of keys that only the server speaks: they never travel to the browser.
const SERVER_ONLY: [&str; 20] = [
    "address", "alert", "brand", "by", "detail", "did", "effect", "entry", "every", "fact", "filter", "frame",
    "glance", "hold", "hosted", "invoice", "method", "reason", "sheet", "standing",
];

type Catalogue = BTreeMap<String, String>;

fn main() {
    let catalogues: Vec<Catalogue> = LOCALES.iter().map(|name| read(name)).collect();
    let plurals = plural_keys(&catalogues[0]);
    let texts: BTreeSet<&str> =
        catalogues[0].keys().map(String::as_str).filter(|key| plural_of(key, &plurals).is_none()).collect();
    for (name, catalogue) in LOCALES.iter().zip(&catalogues) {
        check(name, catalogue, &catalogues[0], &texts, &plurals);
    }
    let labels: Vec<&str> = texts.iter().copied().filter(|key| is_label(key, &catalogues[0])).collect();
    let sentences: Vec<&str> = texts.iter().copied().filter(|key| !labels.contains(key)).collect();
    write("keys.rs", &macros(&labels, &sentences, &plurals, &catalogues[0]));
    write("catalogue.rs", &tables(&labels, &sentences, &plurals, &catalogues));
}

fn read(name: &str) -> Catalogue {
    let path = format!("locales/{name}.json");
    println!("cargo:rerun-if-changed={path}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| stop(&format!("{path}: {error}")));
    serde_json::from_str(&text).unwrap_or_else(|error| stop(&format!("{path}: {error}")))
}

fn stop(message: &str) -> ! {
    eprintln!("texts: {message}");
    process::exit(1)
}

/// `every.months` for `every.months.other`.
fn plural_keys(catalogue: &Catalogue) -> BTreeSet<String> {
    catalogue.keys().filter_map(|key| key.strip_suffix(".other")).map(str::to_owned).collect()
}

fn plural_of<'a>(key: &'a str, plurals: &BTreeSet<String>) -> Option<&'a str> {
    let (stem, last) = key.rsplit_once('.')?;
    (CATEGORIES.contains(&last) && plurals.contains(stem)).then_some(stem)
}

fn is_label(key: &str, catalogue: &Catalogue) -> bool {
    let group = key.split('.').next().unwrap_or_default();
    !SERVER_ONLY.contains(&group) && placeholders(&catalogue[key]).is_empty()
}

fn check(name: &str, catalogue: &Catalogue, first: &Catalogue, texts: &BTreeSet<&str>, plurals: &BTreeSet<String>) {
    let forms = FORMS.iter().find(|(locale, _)| *locale == name).map_or(&[][..], |(_, forms)| forms);
    let mut expected: BTreeSet<String> = texts.iter().map(|key| (*key).to_owned()).collect();
    expected.extend(plurals.iter().flat_map(|key| forms.iter().map(move |form| format!("{key}.{form}"))));
    if let Some(key) = expected.iter().find(|key| !catalogue.contains_key(*key)) {
        stop(&format!("{name}.json lacks {key}"));
    }
    for (key, text) in catalogue {
        if !expected.contains(key) {
            stop(&format!("{name}.json has {key}, which no other language has"));
        }
        let segment = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if text.trim().is_empty() || !key.split('.').all(segment) {
            stop(&format!("{name}.json: {key} is empty or not made of a-z, _ and dots"));
        }
        let plural = plural_of(key, plurals);
        let model = plural.map_or_else(|| key.clone(), |stem| format!("{stem}.other"));
        let (mut want, mut have) = (sorted(&first[&model]), sorted(text));
        if plural.is_some() {
            // "one month" need not say its number in figures.
            want.retain(|name| name != "n");
            have.retain(|name| name != "n");
        }
        if want != have {
            stop(&format!("{name}.json: {key} has the placeholders {have:?}, not {want:?}"));
        }
    }
}

fn sorted(text: &str) -> Vec<String> {
    let mut names = placeholders(text);
    names.sort();
    names
}

/// The names in braces, each once, in the order they are first named.
fn placeholders(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in text.split('{').skip(1) {
        let Some((name, _)) = part.split_once('}') else { stop(&format!("a brace is not closed: {text}")) };
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

fn macros(labels: &[&str], sentences: &[&str], plurals: &BTreeSet<String>, english: &Catalogue) -> String {
    let mut out =
        String::from("/// The text of a label, in the reader's language: `t!(overview.title)`.\nmacro_rules! t {\n");
    for (index, key) in labels.iter().enumerate() {
        let _ = writeln!(out, "    ({key}) => {{ $crate::text::label({index}) }};");
    }
    out.push_str("}\n/// A text said by the server: `say!(alert.due.text, locale, amount = a)`.\n#[cfg(feature = \"ssr\")]\nmacro_rules! say {\n");
    let all = labels.iter().map(|key| (*key, "LABELS")).enumerate();
    let all = all.chain(sentences.iter().map(|key| (*key, "SENTENCES")).enumerate());
    for (index, (key, table)) in all {
        let names = placeholders(&english[key]);
        let pattern: String = names.iter().map(|n| format!(", {n} = ${n}:expr")).collect();
        let values: String =
            names.iter().map(|n| format!("(\"{n}\", ::core::convert::AsRef::<str>::as_ref(&${n})), ")).collect();
        let _ = writeln!(
            out,
            "    ({key}, $locale:expr{pattern}) => {{ $crate::text::catalogue::said($locale, &$crate::text::catalogue::{table}, {index}, &[{values}]) }};"
        );
    }
    for (index, key) in plurals.iter().enumerate() {
        let names = placeholders(&english[&format!("{key}.other")]);
        let names: Vec<&String> = names.iter().filter(|name| *name != "n").collect();
        let pattern: String = names.iter().map(|n| format!(", {n} = ${n}:expr")).collect();
        let values: String =
            names.iter().map(|n| format!("(\"{n}\", ::core::convert::AsRef::<str>::as_ref(&${n})), ")).collect();
        let _ = writeln!(
            out,
            "    ({key}, $locale:expr, n = $n:expr{pattern}) => {{ $crate::text::catalogue::counted($locale, {index}, $n, &[{values}]) }};"
        );
    }
    out.push_str("}\npub(crate) use t;\n#[cfg(feature = \"ssr\")]\npub(crate) use say;\n");
    out
}

fn tables(labels: &[&str], sentences: &[&str], plurals: &BTreeSet<String>, catalogues: &[Catalogue]) -> String {
    let mut out = String::new();
    for (name, keys) in [("LABELS", labels), ("SENTENCES", sentences)] {
        let _ = writeln!(out, "pub(crate) static {name}: [&[&str]; {}] = [", LOCALES.len());
        for catalogue in catalogues {
            let texts: Vec<&String> = keys.iter().map(|key| &catalogue[*key]).collect();
            let _ = writeln!(out, "    &{texts:?},");
        }
        out.push_str("];\n");
    }
    let _ = writeln!(out, "static PLURALS: [&[[&str; 6]]; {}] = [", LOCALES.len());
    for catalogue in catalogues {
        out.push_str("    &[");
        for key in plurals {
            let other = &catalogue[&format!("{key}.other")];
            let forms: Vec<&String> =
                CATEGORIES.iter().map(|form| catalogue.get(&format!("{key}.{form}")).unwrap_or(other)).collect();
            let _ = write!(out, "{forms:?}, ");
        }
        out.push_str("],\n");
    }
    out.push_str("];\n");
    let _ = writeln!(out, "pub(crate) static COUNTRIES: [&str; {}] = [", LOCALES.len());
    for name in LOCALES {
        let path = format!("locales/countries/{name}.tsv");
        println!("cargo:rerun-if-changed={path}");
        let table = fs::read_to_string(&path).unwrap_or_else(|error| stop(&format!("{path}: {error}")));
        let _ = writeln!(out, "    {table:?},");
    }
    out.push_str("];\n");
    out
}

fn write(name: &str, text: &str) {
    let folder = env::var("OUT_DIR").unwrap_or_else(|error| stop(&error.to_string()));
    let path = Path::new(&folder).join(name);
    if fs::read_to_string(&path).is_ok_and(|there| there == text) {
        return;
    }
    fs::write(&path, text).unwrap_or_else(|error| stop(&format!("{}: {error}", path.display())));
}
