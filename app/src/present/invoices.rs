//! Invoices as rows: number, date, amount, and how they stand.

use billing::invoice::{Invoice, InvoiceFilter, Status, list_heads};
use billing::subscription::CollectionMethod;
use billing::{Listed, Page, Result, Seconds, Tx};

use crate::pages::invoices::Invoices;
use crate::parts::{InvoiceRow, Pill, Tone};
use crate::session::Session;
use crate::text::{Locale, format, say};

const ROWS: i64 = 20;

/// A page of the list: what comes after an invoice, what comes before one, or the newest.
pub async fn read(tx: &mut Tx, session: &Session, after: Option<String>, before: Option<String>) -> Result<Invoices> {
    let is_first = after.is_none() && before.is_none();
    let backward = after.is_none() && before.is_some();
    let page = Page { limit: ROWS, starting_after: after, ending_before: before, ..Page::default() };
    let listed = list_heads(tx, &session.who, &page, &InvoiceFilter::default()).await?;
    let now = billing::customer::now(tx, &session.who, &session.guest.customer).await?;
    Ok(view(session.locale, now, &listed, is_first, backward))
}

fn view(locale: Locale, now: Seconds, listed: &Listed<Invoice>, is_first: bool, backward: bool) -> Invoices {
    let id = |invoice: Option<&Invoice>| invoice.map(|invoice| invoice.id.clone());
    // Where a page was turned to, the way it came from goes on.
    let (newer, older) = (!is_first && (!backward || listed.has_more), backward || listed.has_more);
    Invoices {
        newer: newer.then(|| id(listed.data.first())).flatten(),
        older: older.then(|| id(listed.data.last())).flatten(),
        rows: listed.data.iter().map(|invoice| row(locale, now, invoice)).collect(),
    }
}

pub fn row(locale: Locale, now: Seconds, invoice: &Invoice) -> InvoiceRow {
    InvoiceRow {
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
        Status::Paid => (Tone::Good, say!(invoice.paid, locale)),
        Status::Open if is_overdue(now, invoice) => (Tone::Bad, say!(invoice.overdue, locale)),
        Status::Open if failed => (Tone::Bad, say!(invoice.failed, locale)),
        Status::Open | Status::Draft => (Tone::Info, say!(invoice.open, locale)),
        Status::Void => (Tone::Quiet, say!(invoice.void, locale)),
        Status::Uncollectible => (Tone::Quiet, say!(invoice.uncollectible, locale)),
    };
    Pill { tone, label }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::sample::{at, invoice};

    fn links(rows: i64, has_more: bool, is_first: bool, backward: bool) -> (Option<String>, Option<String>) {
        let data = (1..=rows).map(|n| Invoice { id: format!("in_{n}"), ..invoice(2000) }).collect();
        let shown = view(Locale::En, at("2026-11-20"), &Listed { data, has_more }, is_first, backward);
        (shown.newer, shown.older)
    }

    #[test]
    fn pages_turn_both_ways() {
        let link = |id: &str| Some(id.to_owned());
        assert_eq!(links(3, false, true, false), (None, None));
        assert_eq!(links(3, true, true, false), (None, link("in_3")));
        assert_eq!(links(3, false, false, false), (link("in_1"), None));
        assert_eq!(links(3, true, false, false), (link("in_1"), link("in_3")));
        assert_eq!(links(3, false, false, true), (None, link("in_3")));
        assert_eq!(links(3, true, false, true), (link("in_1"), link("in_3")));
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
