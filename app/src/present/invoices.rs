//! Invoices as rows: number, date, amount, and how they stand.

use billing::invoice::{self, Invoice, InvoiceFilter, Status, list_heads};
use billing::patch::check_text;
use billing::subscription::CollectionMethod;
use billing::{Error, Listed, Page, Result, Seconds, Tx};
use leptos_router::location::Url;

use crate::pages::invoices::{Export, Invoices, Search};
use crate::parts::{Choice, InvoiceRow, Pill, Tone, options};
use crate::session::Session;
use crate::text::{Locale, format, say};

const ROWS: i64 = 20;
/// What a list may be narrowed to; drafts are not for customers.
const STATUSES: [Status; 4] = [Status::Open, Status::Paid, Status::Void, Status::Uncollectible];

/// What the list is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    text: Option<String>,
    status: Option<Status>,
    year: Option<i64>,
}

impl Asked {
    /// From the address: what is empty asks nothing.
    pub fn new(text: Option<String>, status: Option<String>, year: Option<String>) -> Result<Self> {
        let given = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let text = given(text);
        check_text(text.as_deref().unwrap_or_default(), 100, "q")?;
        let status = given(status).map(|word| Status::parse(&word, "status")).transpose()?;
        let year = given(year).map(|year| parse_year(&year)).transpose()?;
        Ok(Self { text, status, year })
    }

    fn is_narrow(&self) -> bool {
        *self != Self::default()
    }

    fn filter(&self) -> InvoiceFilter {
        InvoiceFilter { search: self.text.clone(), status: self.status, ..InvoiceFilter::default() }
    }

    /// The address of the same list from another invoice on.
    fn href(&self, from: &str, id: &str) -> String {
        let text = self.text.as_ref().map(|text| ("q", Url::escape(text)));
        let status = self.status.map(|status| ("status", status.name().to_owned()));
        let year = self.year.map(|year| ("year", year.to_string()));
        let from = Some((from, Url::escape(id)));
        let pairs = [text, status, year, from].into_iter().flatten();
        format!("/invoices?{}", pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"))
    }
}

fn parse_year(text: &str) -> Result<i64> {
    let year = text.parse().ok().filter(|year| (1970..=9998).contains(year));
    year.ok_or_else(|| Error::invalid("year", "A year has four digits."))
}

/// A page of the list: what comes after an invoice, what comes before one, or the newest.
pub async fn read(
    tx: &mut Tx,
    session: &Session,
    asked: Asked,
    after: Option<String>,
    before: Option<String>,
) -> Result<Invoices> {
    let is_first = after.is_none() && before.is_none();
    let backward = after.is_none() && before.is_some();
    let created = asked.year.map_or((i64::MIN, i64::MAX), format::year);
    let page = Page { limit: ROWS, starting_after: after, ending_before: before, created };
    let listed = list_heads(tx, &session.who, &page, &asked.filter()).await?;
    let now = billing::customer::now(tx, &session.who, &session.guest.customer).await?;
    let span = invoice::span(tx, &session.who, &session.guest.customer.id).await?;
    let search = span.map(|span| search(session.locale, &asked, span));
    let year = span.map(|(_, last)| asked.year.unwrap_or_else(|| format::year_of(last)));
    let export = year.map(|year| Export { title: say!(filter.year, session.locale, year = year.to_string()), year });
    Ok(Invoices { search, export, ..view(session.locale, now, &listed, &asked, is_first, backward) })
}

fn search(locale: Locale, asked: &Asked, (first, last): (Seconds, Seconds)) -> Search {
    let all = |is_all| Choice { value: String::new(), label: say!(filter.all, locale), chosen: is_all };
    let statuses = STATUSES.into_iter().map(|status| Choice {
        value: status.name().into(),
        label: status_word(locale, status),
        chosen: asked.status == Some(status),
    });
    let years = (format::year_of(first)..=format::year_of(last)).rev().map(|year| Choice {
        value: year.to_string(),
        label: year.to_string(),
        chosen: asked.year == Some(year),
    });
    Search {
        text: asked.text.clone().unwrap_or_default(),
        statuses: options([all(asked.status.is_none())].into_iter().chain(statuses).collect()),
        years: options([all(asked.year.is_none())].into_iter().chain(years).collect()),
        is_narrowed: asked.is_narrow(),
    }
}

pub fn status_word(locale: Locale, status: Status) -> String {
    match status {
        Status::Open | Status::Draft => say!(invoice.open, locale),
        Status::Paid => say!(invoice.paid, locale),
        Status::Void => say!(invoice.void, locale),
        Status::Uncollectible => say!(invoice.uncollectible, locale),
    }
}

fn view(
    locale: Locale,
    now: Seconds,
    listed: &Listed<Invoice>,
    asked: &Asked,
    is_first: bool,
    backward: bool,
) -> Invoices {
    let href = |from: &str, invoice: Option<&Invoice>| invoice.map(|invoice| asked.href(from, &invoice.id));
    // Where a page was turned to, the way it came from goes on.
    let (newer, older) = (!is_first && (!backward || listed.has_more), backward || listed.has_more);
    Invoices {
        newer: newer.then(|| href("before", listed.data.first())).flatten(),
        older: older.then(|| href("after", listed.data.last())).flatten(),
        rows: listed.data.iter().map(|invoice| row(locale, now, invoice)).collect(),
        search: None,
        export: None,
    }
}

pub fn href(invoice: &Invoice) -> String {
    format!("/invoices/{}", invoice.id)
}

pub fn row(locale: Locale, now: Seconds, invoice: &Invoice) -> InvoiceRow {
    InvoiceRow {
        href: href(invoice),
        number: invoice.number.clone().unwrap_or_else(|| say!(invoice.unnumbered, locale)),
        date: format::date(locale, invoice.finalized_at.unwrap_or(invoice.created)),
        amount: format::money(locale, invoice.total, &invoice.currency),
        pill: pill(locale, now, invoice),
    }
}

pub fn is_overdue(now: Seconds, invoice: &Invoice) -> bool {
    let by_invoice = invoice.collection_method == CollectionMethod::SendInvoice;
    by_invoice && invoice.status == Status::Open && invoice.due_date.is_some_and(|due| due < now)
}

fn pill(locale: Locale, now: Seconds, invoice: &Invoice) -> Pill {
    let failed = invoice.attempted && invoice.collection_method == CollectionMethod::ChargeAutomatically;
    let (tone, label) = match invoice.status {
        Status::Paid => (Tone::Good, status_word(locale, Status::Paid)),
        Status::Open if is_overdue(now, invoice) => (Tone::Bad, say!(invoice.overdue, locale)),
        Status::Open if failed => (Tone::Bad, say!(invoice.failed, locale)),
        Status::Open | Status::Draft => (Tone::Info, status_word(locale, Status::Open)),
        other => (Tone::Quiet, status_word(locale, other)),
    };
    Pill { tone, label }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, invoice};

    fn links(rows: i64, has_more: bool, is_first: bool, backward: bool) -> (Option<String>, Option<String>) {
        let data = (1..=rows).map(|n| Invoice { id: format!("in_{n}"), ..invoice(2000) }).collect();
        let (now, listed) = (at("2026-11-20"), Listed { data, has_more });
        let shown = view(Locale::En, now, &listed, &Asked::default(), is_first, backward);
        (shown.newer, shown.older)
    }

    #[test]
    fn pages_turn_both_ways() {
        let (before, after) = (Some("/invoices?before=in%5F1".to_owned()), Some("/invoices?after=in%5F3".to_owned()));
        assert_eq!(links(3, false, true, false), (None, None));
        assert_eq!(links(3, true, true, false), (None, after.clone()));
        assert_eq!(links(3, false, false, false), (before.clone(), None));
        assert_eq!(links(3, true, false, false), (before.clone(), after.clone()));
        assert_eq!(links(3, false, false, true), (None, after.clone()));
        assert_eq!(links(3, true, false, true), (before, after));
    }

    #[test]
    fn what_is_asked_stays_asked_when_pages_turn() {
        let some = |text: &str| Some(text.to_owned());
        let asked = Asked::new(some(" a&b=ü "), some("paid"), some("2025")).unwrap();
        assert_eq!(asked.href("after", "in_1"), "/invoices?q=a%26b%3D%C3%BC&status=paid&year=2025&after=in%5F1");
        assert!(!Asked::new(some("  "), some(""), None).unwrap().is_narrow());
    }

    #[test]
    fn what_is_no_status_or_year_is_refused() {
        let refused = |status: &str, year: &str| Asked::new(None, Some(status.into()), Some(year.into())).is_err();
        assert!(refused("lost", "") && refused("", "20255") && refused("", "1e3") && refused("", "-1"));
        assert!(Asked::new(Some("x".repeat(101)), None, None).is_err());
        assert!(!refused("void", "2026"));
    }

    #[test]
    fn an_open_invoice_says_why() {
        let label = |invoice: Invoice| row(Locale::En, at("2026-11-20"), &invoice).pill.label;
        let open = Invoice { status: Status::Open, ..invoice(2000) };
        assert_eq!(label(open.clone()), "Open");
        assert_eq!(label(Invoice { attempted: true, ..open.clone() }), "Payment failed");
        let sent = Invoice { collection_method: CollectionMethod::SendInvoice, attempted: true, ..open };
        assert_eq!(label(Invoice { due_date: Some(at("2026-11-21")), ..sent.clone() }), "Open");
        assert_eq!(label(Invoice { due_date: Some(at("2026-11-19")), ..sent }), "Overdue");
    }
}
