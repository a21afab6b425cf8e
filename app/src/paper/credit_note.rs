//! A credit note on paper: what of an invoice is given back, and how.

use billing::credit_note::{CreditNote, NoteLine};
use billing::invoice::{self, Invoice, Line, rates_borne};
use billing::{Result, Tx};

use super::{Asked, Format, Paper, Row};
use crate::parts::sheet::Sum;
use crate::present::sheet::{self, Tax};
use crate::text::{Locale, format, say};

impl Asked<'_> {
    pub async fn credit_note(&self, tx: &mut Tx, note: CreditNote) -> Result<Paper> {
        let invoice = invoice::get(tx, self.who, &note.invoice).await?;
        let borne = rates_borne(note.lines.iter().map(|line| &line.taxes.0));
        let taxes = sheet::taxes(tx, self.who, borne).await?;
        Ok(self.of_note(&note, &invoice, &taxes))
    }

    fn of_note(&self, note: &CreditNote, invoice: &Invoice, taxes: &[Tax]) -> Paper {
        let locale = self.locale;
        let kind = say!(paper.credit_note, locale);
        let (amount, date) = (format::money(locale, note.total, &note.currency), format::date(locale, note.created));
        let headline = match note.voided_at {
            Some(_) => say!(paper.voided, locale),
            None => say!(paper.credited_on, locale, amount = amount, date = date),
        };
        let mut facts = vec![(say!(paper.note_number, locale), note.number.clone())];
        facts.extend(invoice.number.clone().map(|number| (say!(paper.number, locale), number)));
        facts.push((say!(sheet.issued, locale), date));
        facts.extend(note.voided_at.map(|at| (say!(sheet.voided_on, locale), format::date(locale, at))));
        Paper {
            locale,
            id: note.id.clone(),
            made: note.created,
            format: Format::of(invoice.bill_to.address.as_ref(), self.merchant),
            title: format!("{kind} {}", note.number),
            kind,
            merchant: self.brand.name.clone(),
            accent: self.brand.look.light().accent_text,
            facts,
            parties: vec![sheet::from(locale, invoice, self.merchant), sheet::to(locale, invoice)],
            headline: Some(headline),
            action: None,
            columns: self.columns(),
            rows: note.lines.iter().map(|line| row(locale, note, line, &invoice.lines)).collect(),
            sums: sums(locale, note, taxes),
            notes: note.memo.iter().cloned().chain(self.questions()).collect(),
            links: self.links(),
        }
    }
}

/// In the words of the invoice's line that it gives back, where it is one.
fn row(locale: Locale, note: &CreditNote, line: &NoteLine, billed: &[Line]) -> Row {
    let given = line.invoice_line.as_ref().and_then(|id| billed.iter().find(|billed| billed.id == *id));
    let given = given.map(|given| sheet::sheet_line(locale, given));
    let (name, period) = given.map(|given| (given.name, given.period)).unzip();
    let unit = line.unit_amount.and_then(billing::Decimal::as_whole);
    Row {
        name: name.or_else(|| line.description.clone()).unwrap_or_default(),
        details: period.flatten().into_iter().collect(),
        quantity: line.quantity.map(|quantity| format::integer(locale, quantity)).unwrap_or_default(),
        unit: unit.map(|unit| format::money(locale, unit, &note.currency)).unwrap_or_default(),
        amount: format::money(locale, line.amount, &note.currency),
    }
}

fn sums(locale: Locale, note: &CreditNote, taxes: &[Tax]) -> Vec<Sum> {
    let sum = |label: String, amount: i64, strong: bool| Sum {
        label,
        amount: format::money(locale, amount, &note.currency),
        strong,
    };
    let mut sums = Vec::new();
    if note.discount != 0 || note.tax != 0 {
        sums.push(sum(say!(sheet.subtotal, locale), note.subtotal, false));
    }
    if note.discount != 0 {
        sums.push(sum(say!(sheet.discount, locale), -note.discount, false));
    }
    sums.extend(taxes.iter().map(|tax| sum(tax.words(locale, &note.currency), tax.borne.tax, false)));
    sums.push(sum(say!(sheet.total, locale), note.total, true));
    let ways = [
        (say!(paper.off_due, locale), note.pre_payment()),
        (say!(paper.refunded, locale), note.refunded),
        (say!(paper.to_balance, locale), note.credited),
        (say!(paper.elsewhere, locale), note.out_of_band),
    ];
    sums.extend(ways.into_iter().filter(|(_, amount)| *amount != 0).map(|(label, amount)| sum(label, amount, false)));
    sums
}
