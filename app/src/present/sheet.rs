//! One invoice in words: the same sheet in the portal and on the invoice's own page.

use billing::customer::payment_method::PaymentMethod;
use billing::customer::{Address, TaxExempt};
use billing::directory::Merchant;
use billing::invoice::{self, Invoice, Line, Status, line};
use billing::{Actor, Error, Page, Result, Seconds, Tx, credit_note, payment};

use super::{address, invoices, method, standing};
use crate::parts::Fact;
use crate::parts::sheet::{Bill, File, Headings, Party, Sheet, SheetLine};
use crate::text::{Locale, countries, format, say};

mod sums;

pub use sums::{Parts, Tax, sums, taxes};

/// How many lines a sheet shows.
const LINES: i64 = 500;
/// How many credit notes of one invoice are offered.
const NOTES: i64 = 20;

/// What a sheet is made of.
pub struct Billed {
    pub now: Seconds,
    pub invoice: Invoice,
    pub lines: Vec<Line>,
    pub more_lines: bool,
    /// What takes from it and adds to it.
    pub parts: Parts,
    /// What it was paid with, where that is still on file.
    pub method: Option<PaymentMethod>,
}

/// Reads what belongs to an invoice that the caller may see. `now` is the customer's.
pub async fn read(tx: &mut Tx, who: &Actor, invoice: Invoice, now: Seconds) -> Result<Billed> {
    let listed = line::first(tx, who, &invoice.id, LINES).await?;
    let method = match &invoice.payment_intent {
        Some(intent) if invoice.status == Status::Paid => paid_with(tx, who, intent).await?,
        _ => None,
    };
    let parts = sums::parts(tx, who, &invoice).await?;
    Ok(Billed { now, invoice, lines: listed.data, more_lines: listed.has_more, parts, method })
}

pub async fn read_own(tx: &mut Tx, session: &crate::session::Session, id: &str) -> Result<Billed> {
    let found = invoice::get(tx, &session.who, id).await?;
    let now = billing::customer::now(tx, &session.who, &session.guest.customer).await?;
    read(tx, &session.who, found, now).await
}

/// What can be saved of an invoice in the portal: itself, its receipt, its credit notes.
pub async fn own_files(tx: &mut Tx, session: &crate::session::Session, invoice: &Invoice) -> Result<Vec<File>> {
    let locale = session.locale;
    let href = invoices::href(invoice);
    let mut files = vec![File { label: say!(sheet.pdf, locale), href: format!("{href}/pdf") }];
    if invoice.status == Status::Paid {
        files.push(File { label: say!(sheet.receipt, locale), href: format!("{href}/receipt") });
    }
    if invoice.credit_notes() > 0 {
        let page = Page { limit: NOTES, starting_after: None, ending_before: None, created: (i64::MIN, i64::MAX) };
        let notes = credit_note::list(tx, &session.who, &page, (None, Some(&invoice.id))).await?;
        files.extend(notes.data.iter().map(|note| File {
            label: say!(sheet.note, locale, number = note.number),
            href: format!("/credit-notes/{}/pdf", note.id),
        }));
    }
    Ok(files)
}

async fn paid_with(tx: &mut Tx, who: &Actor, intent: &str) -> Result<Option<PaymentMethod>> {
    let Some(id) = payment::intent(tx, who, intent).await?.payment_method else { return Ok(None) };
    match billing::customer::payment_method::get(tx, who, &id).await {
        Ok(method) => Ok(Some(method)),
        Err(Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `Invoice ACME-0001`
pub fn title(locale: Locale, invoice: &Invoice) -> String {
    match &invoice.number {
        Some(number) => say!(sheet.title, locale, number = number),
        None => say!(invoice.unnumbered, locale),
    }
}

pub fn sheet(locale: Locale, billed: &Billed, merchant: &Merchant) -> Sheet {
    let invoice = &billed.invoice;
    let money = |amount: i64| format::money(locale, amount, &invoice.currency);
    let left = if invoice.status == Status::Open { invoice.amount_remaining() } else { invoice.total };
    Sheet {
        title: title(locale, invoice),
        pill: invoices::row(locale, billed.now, invoice).pill,
        amount: money(left),
        facts: facts(locale, billed),
        files: Vec::new(),
        parties: vec![from(locale, invoice, merchant), to(locale, invoice)],
        bill: Bill { sums: sums(locale, invoice, &billed.parts), ..bill(locale, invoice, &billed.lines) },
        notes: notes(locale, billed),
    }
}

pub fn bill(locale: Locale, invoice: &Invoice, lines: &[Line]) -> Bill {
    Bill {
        headings: Headings { item: say!(sheet.item, locale), amount: say!(sheet.amount, locale) },
        lines: lines.iter().map(|line| sheet_line(locale, line)).collect(),
        sums: sums(locale, invoice, &Parts::default()),
    }
}

pub fn facts(locale: Locale, billed: &Billed) -> Vec<Fact> {
    let invoice = &billed.invoice;
    let fact = |label: String, value: String| Fact { label, value, hint: None };
    let date = |at: Seconds| format::date(locale, at);
    let mut facts = vec![fact(say!(sheet.issued, locale), date(invoice.finalized_at.unwrap_or(invoice.created)))];
    match invoice.status {
        Status::Paid => facts.extend(invoice.paid_at.map(|at| fact(say!(sheet.paid_on, locale), date(at)))),
        Status::Void => facts.extend(invoice.voided_at.map(|at| fact(say!(sheet.voided_on, locale), date(at)))),
        _ => facts.extend(invoice.due_date.map(|at| fact(say!(sheet.due, locale), date(at)))),
    }
    if let Some(at) = invoice.next_payment_attempt.filter(|_| invoice.status == Status::Open) {
        facts.push(fact(say!(sheet.next_attempt, locale), date(at)));
    }
    facts.extend(billed.method.as_ref().map(|found| fact(say!(fact.paid_with, locale), method::short(locale, found))));
    facts
}

/// Who bills, as the invoice has it.
pub fn from(locale: Locale, invoice: &Invoice, merchant: &Merchant) -> Party {
    let name = invoice.bill_to.account_name.clone().unwrap_or_else(|| merchant.name.clone());
    let country = invoice.bill_to.account_country.as_deref().unwrap_or(&merchant.country);
    let seller = &invoice.bill_to.seller;
    let mut lines = vec![name];
    lines.extend(seller.address.iter().flat_map(|text| text.lines()).map(str::to_owned));
    lines.push(countries::name(locale, country).to_owned());
    lines.extend(seller.tax_id.as_ref().map(|value| say!(sheet.tax_id, locale, value = value)));
    let business = &merchant.business;
    lines.extend([&business.support_email, &business.support_phone].into_iter().flatten().cloned());
    Party { label: say!(sheet.from, locale), lines }
}

pub fn to(locale: Locale, invoice: &Invoice) -> Party {
    let to = &invoice.bill_to;
    let none = Address::default();
    let mut lines: Vec<String> = to.name.iter().cloned().collect();
    lines.extend(address::lines(locale, to.address.as_ref().unwrap_or(&none)));
    lines.extend([&to.email, &to.phone].into_iter().flatten().cloned());
    lines.extend(to.tax_ids.iter().map(|(_, value)| say!(sheet.tax_id, locale, value = value)));
    Party { label: say!(sheet.to, locale), lines }
}

/// In words of ours where the line is a price times a quantity; else in the words that it was given.
pub fn sheet_line(locale: Locale, line: &Line) -> SheetLine {
    let plain = line.priced.as_ref().filter(|price| {
        let is_all = price.amount(line.quantity).is_ok_and(|amount| amount == line.amount);
        is_all && !line.proration
    });
    let product = line.product_name.as_ref();
    let (name, detail) = match (plain, product) {
        (Some(price), Some(product)) => (product.clone(), Some(standing::unit(locale, price, line.quantity))),
        (None, Some(product)) if line.proration => {
            let time = if line.amount < 0 { say!(sheet.unused, locale) } else { say!(sheet.remaining, locale) };
            (standing::lot(product, line.quantity), Some(time))
        }
        _ => (line.description.clone(), None),
    };
    let lasts = line.period_start < line.period_end;
    SheetLine {
        name,
        detail,
        period: lasts.then(|| format::dates(locale, line.period_start, line.period_end)),
        amount: format::money(locale, line.amount, &line.currency),
    }
}

pub fn notes(locale: Locale, billed: &Billed) -> Vec<String> {
    let invoice = &billed.invoice;
    let more = billed.more_lines.then(|| say!(sheet.more, locale));
    let reverse = (invoice.bill_to.tax_exempt == Some(TaxExempt::Reverse)).then(|| say!(sheet.reverse, locale));
    [more, reverse, invoice.description.clone(), invoice.footer.clone()].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
