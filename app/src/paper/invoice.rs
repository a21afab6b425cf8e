//! An invoice on paper, and its receipt once it is paid.

use billing::invoice::{Invoice, Line, Status};
use billing::{Result, Seconds, Tx};

use super::{Asked, Format, Paper, Row};
use crate::present::method;
use crate::present::sheet::{self, Billed};
use crate::text::{Locale, format, say};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Invoice,
    /// What was paid of it, and how.
    Receipt,
}

impl Asked<'_> {
    /// The document of an invoice, or the receipt of a paid one.
    pub async fn invoice(&self, tx: &mut Tx, invoice: Invoice, kind: Kind) -> Result<Paper> {
        let url = invoice.hosted_invoice_url.clone();
        let billed = sheet::read(tx, self.who, invoice, self.now).await?;
        Ok(self.of_invoice(&billed, kind, url))
    }

    fn of_invoice(&self, billed: &Billed, kind: Kind, url: Option<String>) -> Paper {
        let (locale, invoice) = (self.locale, &billed.invoice);
        let (name, title) = match (kind, &invoice.number) {
            (Kind::Invoice, _) => (say!(paper.invoice, locale), sheet::title(locale, invoice)),
            (Kind::Receipt, number) => {
                let name = say!(paper.receipt, locale);
                (
                    name.clone(),
                    [Some(&name), number.as_ref()].into_iter().flatten().cloned().collect::<Vec<_>>().join(" "),
                )
            }
        };
        let payable = kind == Kind::Invoice && invoice.status == Status::Open && invoice.amount_remaining() > 0;
        Paper {
            locale,
            id: invoice.id.clone(),
            made: invoice.finalized_at.unwrap_or(invoice.created),
            format: Format::of(invoice.bill_to.address.as_ref(), self.merchant),
            kind: name,
            title,
            merchant: self.brand.name.clone(),
            accent: self.brand.look.light().accent_text,
            facts: facts(locale, billed),
            parties: vec![sheet::from(locale, invoice, self.merchant), sheet::to(locale, invoice)],
            headline: headline(locale, invoice),
            action: url.filter(|_| payable).map(|url| (say!(paper.pay, locale), url)),
            columns: self.columns(),
            rows: billed.lines.iter().map(|line| row(locale, line)).collect(),
            sums: sheet::sums(locale, invoice, &billed.parts),
            notes: sheet::notes(locale, billed).into_iter().chain(self.questions()).collect(),
            links: self.links(),
        }
    }
}

fn facts(locale: Locale, billed: &Billed) -> Vec<(String, String)> {
    let invoice = &billed.invoice;
    let date = |at: Seconds| format::date(locale, at);
    let mut facts = Vec::new();
    facts.extend(invoice.number.clone().map(|number| (say!(paper.number, locale), number)));
    facts.push((say!(sheet.issued, locale), date(invoice.finalized_at.unwrap_or(invoice.created))));
    facts.extend(invoice.due_date.map(|at| (say!(sheet.due, locale), date(at))));
    facts.extend(invoice.paid_at.map(|at| (say!(sheet.paid_on, locale), date(at))));
    facts.extend(invoice.voided_at.map(|at| (say!(sheet.voided_on, locale), date(at))));
    facts.extend(billed.method.as_ref().map(|found| (say!(fact.paid_with, locale), method::short(locale, found))));
    facts
}

fn headline(locale: Locale, invoice: &Invoice) -> Option<String> {
    let money = |amount: i64| format::money(locale, amount, &invoice.currency);
    Some(match invoice.status {
        Status::Paid => {
            let amount = money(invoice.amount_paid);
            match invoice.paid_at {
                Some(at) => say!(paper.paid_on, locale, amount = amount, date = format::date(locale, at)),
                None => say!(paper.paid, locale, amount = amount),
            }
        }
        Status::Void => say!(paper.voided, locale),
        Status::Open | Status::Uncollectible | Status::Draft => {
            let amount = money(invoice.amount_remaining());
            match invoice.due_date {
                Some(at) => say!(paper.due_on, locale, amount = amount, date = format::date(locale, at)),
                None => say!(paper.due, locale, amount = amount),
            }
        }
    })
}

/// A line with how many at what price each, where its amount is that.
fn row(locale: Locale, line: &Line) -> Row {
    let shown = sheet::sheet_line(locale, line);
    let unit = unit(line);
    let details = if unit.is_some() || line.priced.is_none() { None } else { shown.detail };
    Row {
        name: if line.proration { line.product_name.clone().unwrap_or(shown.name) } else { shown.name },
        details: details.into_iter().chain(shown.period).collect(),
        quantity: if line.quantity == 0 { String::new() } else { format::integer(locale, line.quantity) },
        unit: unit.map(|unit| format::money(locale, unit, &line.currency)).unwrap_or_default(),
        amount: format::money(locale, line.amount, &line.currency),
    }
}

/// What one costs, where so many of it make the amount.
fn unit(line: &Line) -> Option<i64> {
    let of_price = line.priced.as_ref().map(|price| price.unit_amount);
    let each = match of_price {
        Some(unit) => unit?,
        None => line.amount.checked_div(line.quantity)?,
    };
    (each.checked_mul(line.quantity) == Some(line.amount)).then_some(each)
}
