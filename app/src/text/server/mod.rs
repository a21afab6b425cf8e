//! What only the server knows of languages: the catalogues, the plural rules, the formats.

pub mod catalogue;
pub mod countries;
pub mod format;
mod locale;
mod plural;

pub use catalogue::payload;
pub use locale::Locale;

use leptos::prelude::provide_context;

/// Lets everything drawn from here on speak a language.
pub fn provide(locale: Locale) {
    provide_context(catalogue::texts(locale));
    provide_context(locale);
}

/// What a page without a name of its own is called.
pub fn title(locale: Locale) -> String {
    crate::text::say!(entry.title, locale)
}
