//! From an invoice's lines to what is left to pay: each discount, each rate of tax, what the balance and credit notes took.

use billing::catalog::tax_rate;
use billing::discount::record as discount;
use billing::invoice::{Invoice, RateBorne, Status};
use billing::{Actor, Error, Result, Tx};

use crate::parts::sheet::Sum;
use crate::text::{Locale, format, say};

/// What takes from an invoice and adds to it, by name. Where nothing is named, all discounts and all taxes are one.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// The coupon's name, and what it took.
    pub discounts: Vec<(Option<String>, i64)>,
    pub taxes: Vec<Tax>,
}

#[derive(Debug, Clone)]
pub struct Tax {
    /// `VAT`
    pub name: String,
    /// `19`, of a hundred.
    pub percentage: String,
    pub borne: RateBorne,
}

/// The names of what an invoice's lines bear.
pub async fn parts(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<Parts> {
    let mut discounts = Vec::new();
    for taken in invoice.discounts_taken() {
        let name = match discount::get(tx, who, &taken.discount).await {
            Ok(found) => found.redeemed.and_then(|coupon| coupon.name),
            Err(Error::Missing { .. }) => None,
            Err(error) => return Err(error),
        };
        discounts.push((name, taken.amount));
    }
    Ok(Parts { discounts, taxes: taxes(tx, who, invoice.rates_borne()).await? })
}

pub async fn taxes(tx: &mut Tx, who: &Actor, borne: Vec<RateBorne>) -> Result<Vec<Tax>> {
    let mut taxes = Vec::new();
    for borne in borne {
        let rate = tax_rate::get(tx, who, &borne.rate).await?;
        taxes.push(Tax { name: rate.display_name, percentage: rate.percentage.to_string(), borne });
    }
    Ok(taxes)
}

/// From the lines to what is left to pay; what is nothing is not said.
pub fn sums(locale: Locale, invoice: &Invoice, parts: &Parts) -> Vec<Sum> {
    let sum = |label: String, amount: i64, strong: bool| Sum {
        label,
        amount: format::money(locale, amount, &invoice.currency),
        strong,
    };
    let mut sums = Vec::new();
    if invoice.discount != 0 || invoice.tax != 0 {
        sums.push(sum(say!(sheet.subtotal, locale), invoice.subtotal, false));
    }
    if invoice.discount != 0 {
        sums.extend(discounts(locale, invoice, parts).into_iter().map(|(label, amount)| sum(label, -amount, false)));
    }
    if invoice.tax != 0 || !parts.taxes.is_empty() {
        sums.extend(taxed(locale, invoice, parts).into_iter().map(|(label, amount)| sum(label, amount, false)));
    }
    sums.push(sum(say!(sheet.total, locale), invoice.total, true));
    let credited = invoice.pre_payment_credit_notes;
    let from_balance = invoice.amount_due + credited - invoice.total;
    if from_balance != 0 {
        sums.push(sum(say!(sheet.balance, locale), from_balance, false));
    }
    if credited != 0 {
        sums.push(sum(say!(paper.credit_notes, locale), -credited, false));
    }
    if invoice.amount_paid != 0 {
        sums.push(sum(say!(sheet.paid, locale), -invoice.amount_paid, false));
    }
    if matches!(invoice.status, Status::Open | Status::Paid) {
        sums.push(sum(say!(sheet.left, locale), invoice.amount_remaining(), true));
    }
    sums
}

fn discounts(locale: Locale, invoice: &Invoice, parts: &Parts) -> Vec<(String, i64)> {
    let named = parts.discounts.iter().map(|(name, amount)| match name {
        Some(name) => (say!(paper.named_discount, locale, name = name), *amount),
        None => (say!(sheet.discount, locale), *amount),
    });
    let named: Vec<_> = named.collect();
    // Of an invoice whose lines were not all read, the whole is still known.
    let is_all = parts.discounts.iter().map(|(_, amount)| amount).sum::<i64>() == invoice.discount;
    if is_all { named } else { vec![(say!(sheet.discount, locale), invoice.discount)] }
}

fn taxed(locale: Locale, invoice: &Invoice, parts: &Parts) -> Vec<(String, i64)> {
    let is_all = parts.taxes.iter().map(|tax| tax.borne.tax).sum::<i64>() == invoice.tax;
    if parts.taxes.is_empty() || !is_all {
        return vec![(say!(sheet.tax, locale), invoice.tax)];
    }
    parts.taxes.iter().map(|tax| (tax.words(locale, &invoice.currency), tax.borne.tax)).collect()
}

impl Tax {
    /// `VAT 19% on €50.00`
    pub fn words(&self, locale: Locale, currency: &billing::Currency) -> String {
        let (name, percent) = (&self.name, format::fraction(locale, &self.percentage));
        let amount = format::money(locale, self.borne.net, currency);
        if self.borne.inclusive {
            say!(paper.tax_inside, locale, name = name, percent = percent, amount = amount)
        } else {
            say!(paper.tax, locale, name = name, percent = percent, amount = amount)
        }
    }
}
