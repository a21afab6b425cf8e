//! What a printed document says, in the customer's language: an invoice, the receipt of one, a credit note.

mod credit_note;
mod invoice;

use billing::customer::Address;
use billing::directory::Merchant;
use billing::invoice::Status;
use billing::portal::branding::Brand;
use billing::portal::branding::color::Rgb;
use billing::{Actor, Seconds};

use crate::parts::sheet::{Party, Sum};
use crate::present::{frame, invoices};
use crate::text::{Locale, say};

pub use invoice::Kind;

/// Where letters are written on US Letter; everywhere else on A4 (CLDR's `paperSize`).
const LETTER: [&str; 17] =
    ["BZ", "CA", "CL", "CO", "CR", "GT", "MX", "NI", "PA", "PH", "PR", "SV", "US", "VE", "DO", "BO", "GU"];

/// A document in words, before it has a look. The same books give the same document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    pub locale: Locale,
    /// Of what it is the document, as the API names it.
    pub id: String,
    /// When that came to be.
    pub made: Seconds,
    pub format: Format,
    /// `Invoice`
    pub kind: String,
    /// `Invoice ACME-0001`
    pub title: String,
    /// The name and the colour that the merchant goes by.
    pub merchant: String,
    pub accent: Rgb,
    pub facts: Vec<(String, String)>,
    pub parties: Vec<Party>,
    /// `€50.00 due December 1, 2026`
    pub headline: Option<String>,
    /// Where to do something about it: in words, and the address.
    pub action: Option<(String, String)>,
    pub columns: [String; 4],
    pub rows: Vec<Row>,
    pub sums: Vec<Sum>,
    pub notes: Vec<String>,
    /// The merchant's pages, in words and by address.
    pub links: Vec<(String, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    A4,
    Letter,
}

/// One line of what is billed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    /// What stands under the name.
    pub details: Vec<String>,
    pub quantity: String,
    pub unit: String,
    pub amount: String,
}

/// Who asks for a document, in which language, and whose it is.
pub struct Asked<'a> {
    pub who: &'a Actor,
    pub locale: Locale,
    pub merchant: &'a Merchant,
    pub brand: &'a Brand,
    /// On the customer's billing clock.
    pub now: Seconds,
}

impl Paper {
    /// `Page 1 of 2`
    pub fn page(&self, page: usize, pages: usize) -> String {
        say!(paper.page, self.locale, page = page.to_string(), pages = pages.to_string())
    }
}

impl Format {
    fn of(address: Option<&Address>, merchant: &Merchant) -> Self {
        let country = address.and_then(|address| address.country.as_deref()).unwrap_or(&merchant.country);
        if LETTER.contains(&country) { Self::Letter } else { Self::A4 }
    }
}

impl Asked<'_> {
    fn links(&self) -> Vec<(String, String)> {
        let links = frame::links(self.brand);
        let each = [
            (say!(paper.help, self.locale), links.help),
            (say!(paper.privacy, self.locale), links.privacy),
            (say!(paper.terms, self.locale), links.terms),
        ];
        each.into_iter().filter_map(|(label, url)| Some((label, url?))).collect()
    }

    fn questions(&self) -> Option<String> {
        let email = self.brand.support_email.as_ref()?;
        Some(say!(paper.questions, self.locale, email = email))
    }

    fn columns(&self) -> [String; 4] {
        let locale = self.locale;
        [say!(sheet.item, locale), say!(paper.quantity, locale), say!(paper.unit, locale), say!(sheet.amount, locale)]
    }
}

/// The titles of a table of invoices: number, state, name, three days, currency, and from the subtotal to what is left.
pub fn titles(locale: Locale) -> [String; 13] {
    [
        say!(paper.number, locale),
        say!(paper.state, locale),
        say!(sheet.to, locale),
        say!(sheet.issued, locale),
        say!(sheet.due, locale),
        say!(sheet.paid_on, locale),
        say!(paper.currency, locale),
        say!(sheet.subtotal, locale),
        say!(sheet.discount, locale),
        say!(sheet.tax, locale),
        say!(sheet.total, locale),
        say!(sheet.paid, locale),
        say!(sheet.left, locale),
    ]
}

/// How an invoice stands, in a word.
pub fn state(locale: Locale, status: Status) -> String {
    invoices::status_word(locale, status)
}
