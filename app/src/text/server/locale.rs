//! Which language a reader gets, and how it is written down. The locales are the files `locales/….format.json`.

use super::format::Format;
use super::plural::Rule;

include!(concat!(env!("OUT_DIR"), "/locales.rs"));

impl Locale {
    /// The session's language, unless it is `auto`; else the customer's; else the browser's; else what the merchant says
    /// for those; else English.
    pub fn choose(session: Option<&str>, customer: &[String], accept_language: &str, usual: Option<&str>) -> Self {
        let session = session.filter(|tag| !tag.eq_ignore_ascii_case("auto"));
        let preferred = session.into_iter().chain(customer.iter().map(String::as_str));
        preferred.chain(ranked(accept_language)).chain(usual).find_map(Self::of_tag).unwrap_or_default()
    }

    /// The locale that serves a BCP 47 tag such as `de-CH`; none where the language is not served.
    fn of_tag(tag: &str) -> Option<Self> {
        let mut parts = tag.split(['-', '_']);
        let language = parts.next().unwrap_or_default().to_ascii_lowercase();
        let region = parts.find(|part| part.len() == 2).map(str::to_ascii_uppercase).unwrap_or_default();
        let mut spoken = Self::ALL.into_iter().filter(|locale| locale.format().language == language);
        let own = spoken.clone().find(|locale| locale.format().regions.contains(&region.as_str()));
        own.or_else(|| spoken.find(|locale| locale.format().regions.is_empty()))
    }

    pub(super) fn format(self) -> &'static Format {
        &FORMATS[self as usize]
    }

    /// For `<html lang>`.
    pub fn tag(self) -> &'static str {
        self.format().tag
    }

    /// For `<html dir>`.
    pub fn dir(self) -> &'static str {
        if self.is_rtl() { "rtl" } else { "ltr" }
    }

    pub(crate) fn is_rtl(self) -> bool {
        self.format().rtl
    }

    /// Which catalogue.
    pub(crate) fn language(self) -> usize {
        self.format().texts
    }
}

/// The tags of an `Accept-Language` header, the most wanted first; those with `q=0` are not wanted at all.
fn ranked(header: &str) -> impl Iterator<Item = &str> {
    let mut tags: Vec<(u32, &str)> = header
        .split(',')
        .take(20)
        .filter_map(|entry| {
            let (tag, quality) = entry.split_once(';').unwrap_or((entry, "q=1"));
            let quality = thousandths(quality.trim().strip_prefix("q=").unwrap_or("1"));
            (quality > 0).then_some((quality, tag.trim()))
        })
        .collect();
    tags.sort_by_key(|(quality, _)| std::cmp::Reverse(*quality));
    tags.into_iter().map(|(_, tag)| tag)
}

/// `0.8` is 800; what is no number counts as unwanted.
fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let padded: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), padded.parse::<u32>()) {
        (Ok(whole @ 0..=1), Ok(fraction)) => whole * 1000 + fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(session: Option<&str>, customer: &[&str], accept: &str) -> Locale {
        let customer: Vec<String> = customer.iter().map(|tag| (*tag).to_owned()).collect();
        Locale::choose(session, &customer, accept, None)
    }

    #[test]
    fn session_then_customer_then_browser_then_english() {
        assert_eq!(choose(Some("de"), &["ar"], "en"), Locale::De);
        assert_eq!(choose(Some("auto"), &["ar"], "de"), Locale::Ar);
        assert_eq!(choose(None, &["ar-EG"], "de"), Locale::Ar);
        assert_eq!(choose(None, &[], "de-CH,en;q=0.5"), Locale::De);
        assert_eq!(choose(None, &[], ""), Locale::En);
    }

    #[test]
    fn a_language_that_is_not_served_passes_the_question_on() {
        assert_eq!(choose(Some("tlh"), &["xx", "de-AT"], "ar"), Locale::De);
        assert_eq!(choose(None, &["xx"], "fr,ar;q=0.1"), Locale::Ar);
    }

    #[test]
    fn the_browser_ranks_its_languages() {
        assert_eq!(choose(None, &[], "en;q=0.4, ar;q=0.9, de;q=0.91"), Locale::De);
        assert_eq!(choose(None, &[], "de;q=0, en-AU;q=0.2"), Locale::EnGb);
        assert_eq!(choose(None, &[], "de;q=x, *;q=1, ;;, ar"), Locale::Ar);
    }

    #[test]
    fn the_merchant_decides_where_nobody_else_does() {
        let choose = |accept: &str, usual| Locale::choose(None, &[], accept, Some(usual));
        assert_eq!(choose("xx", "de"), Locale::De);
        assert_eq!(choose("ar", "de"), Locale::Ar);
        assert_eq!(choose("", "xx"), Locale::En);
    }

    #[test]
    fn regions_decide_how_english_dates_read() {
        assert_eq!(choose(Some("en"), &[], ""), Locale::En);
        assert_eq!(choose(Some("en-US"), &[], ""), Locale::En);
        assert_eq!(choose(Some("en_GB"), &[], ""), Locale::EnGb);
        assert_eq!(choose(Some("en-Latn-IE"), &[], ""), Locale::EnGb);
    }
}
