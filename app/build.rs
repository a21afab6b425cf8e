//! Turns `locales/` into Rust: macros that know every key and its placeholders, the catalogues, and how each language
//! writes. A language is its files there, and no line of code.
//!
//! A key that one language has and another lacks, a placeholder that is not the same everywhere, or a missing plural
//! form stops the build with its name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::{env, fs, process};

use serde::Deserialize;
use serde::de::DeserializeOwned;

const CATEGORIES: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];
/// Groups of keys that only the server speaks: they never travel to the browser.
const SERVER_ONLY: [&str; 36] = [
    "add",
    "address",
    "alert",
    "billed",
    "brand",
    "buy",
    "by",
    "challenge",
    "decline",
    "detail",
    "did",
    "effect",
    "entry",
    "every",
    "fact",
    "fields",
    "filter",
    "flow",
    "frame",
    "glance",
    "hold",
    "hosted",
    "invoice",
    "lasts",
    "login",
    "lull",
    "mail",
    "method",
    "offer",
    "paper",
    "pay",
    "quote",
    "reason",
    "sheet",
    "standing",
    "stay",
];

type Catalogue = BTreeMap<String, String>;

fn main() {
    println!("cargo:rerun-if-changed=locales");
    let locales = locales();
    let languages: Vec<&Locale> = locales.iter().filter(|locale| locale.texts == locale.tag).collect();
    let catalogues: Vec<Catalogue> = languages.iter().map(|locale| read(&format!("{}.json", locale.tag))).collect();
    let plurals = plural_keys(&catalogues[0]);
    let texts: BTreeSet<&str> =
        catalogues[0].keys().map(String::as_str).filter(|key| plural_of(key, &plurals).is_none()).collect();
    for (locale, catalogue) in languages.iter().zip(&catalogues) {
        check(locale, catalogue, &catalogues[0], &texts, &plurals);
    }
    let labels: Vec<&str> = texts.iter().copied().filter(|key| is_label(key, &catalogues[0])).collect();
    let sentences: Vec<&str> = texts.iter().copied().filter(|key| !labels.contains(key)).collect();
    let names: Vec<&str> = languages.iter().map(|locale| locale.tag.as_str()).collect();
    write("keys.rs", &macros(&labels, &sentences, &plurals, &catalogues[0]));
    write("catalogue.rs", &tables(&labels, &sentences, &plurals, &catalogues, &names));
    write("locales.rs", &formats(&locales, &names));
}

/// A language as a region writes it: `locales/TAG.format.json`. Where it has words of its own, they are in
/// `locales/TAG.json`, and the names of countries in `locales/countries/TAG.tsv`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Locale {
    #[serde(skip)]
    tag: String,
    /// Whose words it speaks, where they are another's.
    #[serde(default)]
    texts: String,
    language: String,
    #[serde(default)]
    regions: Vec<String>,
    #[serde(default)]
    rtl: bool,
    plural: Plural,
    decimal: String,
    group: String,
    group_from: usize,
    minus: String,
    money: String,
    day: String,
    date: String,
    month: String,
    months: [String; 12],
    clock: Option<[String; 2]>,
    comma: String,
    and: String,
    symbols: BTreeMap<String, String>,
}

/// The rules of `text/server/plural.rs`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Plural {
    Any,
    One,
    OneMillions,
    NoneMillions,
    Polish,
    Arabic,
}

impl Plural {
    /// The forms that a text needs, by CLDR's names.
    fn forms(self) -> &'static [&'static str] {
        match self {
            Self::Any => &["other"],
            Self::One => &["one", "other"],
            Self::OneMillions | Self::NoneMillions => &["one", "many", "other"],
            Self::Polish => &["one", "few", "many", "other"],
            Self::Arabic => &CATEGORIES,
        }
    }
}

/// English first, which decides what keys there are and serves whoever speaks nothing else that is served.
fn locales() -> Vec<Locale> {
    let folder = fs::read_dir("locales").unwrap_or_else(|error| stop(&format!("locales: {error}")));
    let names = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut tags: Vec<String> = names.filter_map(|name| Some(name.strip_suffix(".format.json")?.to_owned())).collect();
    tags.sort_by_key(|tag| (tag != "en", tag.clone()));
    let each = tags.into_iter().map(|tag| {
        let locale: Locale = read(&format!("{tag}.format.json"));
        let texts = if locale.texts.is_empty() { tag.clone() } else { locale.texts.clone() };
        Locale { tag, texts, ..locale }
    });
    each.collect()
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("locales/{name}");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| stop(&format!("{path}: {error}")));
    serde_json::from_str(&text).unwrap_or_else(|error| stop(&format!("{path}: {error}")))
}

/// The enum of all locales, and what stands in their files.
fn formats(locales: &[Locale], languages: &[&str]) -> String {
    let count = locales.len();
    let variants: Vec<String> = locales.iter().map(|locale| variant(&locale.tag)).collect();
    let all: Vec<String> = variants.iter().map(|name| format!("Self::{name}")).collect();
    let mut out = String::from(
        "/// A language with the formats of a region.\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]\npub enum Locale {\n    #[default]\n",
    );
    let _ = writeln!(out, "    {}\n}}", variants.join(",\n    "));
    let _ = writeln!(out, "impl Locale {{\n    pub const ALL: [Self; {count}] = [{}];\n}}", all.join(", "));
    let _ = writeln!(out, "static FORMATS: [Format; {count}] = [");
    for l in locales {
        let Some(texts) = languages.iter().position(|name| *name == l.texts) else {
            stop(&format!("{}.format.json speaks from {}.json, which there is not", l.tag, l.texts))
        };
        let symbols: Vec<(&String, &String)> = l.symbols.iter().collect();
        let _ = writeln!(
            out,
            "    Format {{ tag: {:?}, language: {:?}, regions: &{:?}, texts: {texts}, rtl: {}, plural: Rule::{:?}, decimal: {:?}, \
             group: {:?}, group_from: {}, minus: {:?}, money: {:?}, day: {:?}, date: {:?}, month: {:?}, months: {:?}, clock: {:?}, \
             comma: {:?}, and: {:?}, symbols: &{symbols:?} }},",
            l.tag,
            l.language,
            l.regions,
            l.rtl,
            l.plural,
            l.decimal,
            l.group,
            l.group_from,
            l.minus,
            l.money,
            l.day,
            l.date,
            l.month,
            l.months,
            l.clock,
            l.comma,
            l.and
        );
    }
    out.push_str("];\n");
    out
}

/// `EnGb` for `en-GB`.
fn variant(tag: &str) -> String {
    let parts = tag.split('-').map(|part| {
        let (first, rest) = part.split_at(1);
        first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
    });
    parts.collect()
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

fn check(
    locale: &Locale,
    catalogue: &Catalogue,
    first: &Catalogue,
    texts: &BTreeSet<&str>,
    plurals: &BTreeSet<String>,
) {
    let (name, forms) = (&locale.tag, locale.plural.forms());
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

fn tables(
    labels: &[&str],
    sentences: &[&str],
    plurals: &BTreeSet<String>,
    catalogues: &[Catalogue],
    languages: &[&str],
) -> String {
    let mut out = String::new();
    for (name, keys) in [("LABELS", labels), ("SENTENCES", sentences)] {
        let _ = writeln!(out, "pub(crate) static {name}: [&[&str]; {}] = [", languages.len());
        for catalogue in catalogues {
            let texts: Vec<&String> = keys.iter().map(|key| &catalogue[*key]).collect();
            let _ = writeln!(out, "    &{texts:?},");
        }
        out.push_str("];\n");
    }
    let _ = writeln!(out, "static PLURALS: [&[[&str; 6]]; {}] = [", languages.len());
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
    let _ = writeln!(out, "pub(crate) static COUNTRIES: [&str; {}] = [", languages.len());
    for name in languages {
        let path = format!("locales/countries/{name}.tsv");
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
