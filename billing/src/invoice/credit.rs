//! What the customer's balance does to an invoice: credit is used up and debt collected when the invoice is finalised,
//! what cannot be charged is carried to the next one, and a void invoice gives back what it took.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::balance::{self, Kind, Posting};
use crate::customer::{self, Customer};
use crate::error::{Error, Result};
use crate::invoice::{Invoice, Status, announce, mark_paid, save};
use crate::money::{Currency, MAX_AMOUNT};
use crate::payment;
use crate::store::{Tx, all, one};
use crate::subscription::status;

/// How an invoice's total and the balance before it come to an amount due and a balance after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    pub due: i64,
    /// What the invoice uses of the balance: the opposite of a credit that it takes.
    pub applied: i64,
    /// What of it is not asked for now, since no processor would charge it.
    pub carried: i64,
}

/// Credit is used up to the total, debt is collected with it, the whole of a negative total becomes credit, and what is
/// too small or too large to charge goes to the balance. An invoice over nothing leaves the balance alone.
pub fn settle(total: i64, balance: i64, currency: &Currency) -> Settled {
    let whole = total.saturating_add(balance);
    if total <= 0 || whole <= 0 {
        return Settled { due: 0, applied: total, carried: 0 };
    }
    let due = if whole < currency.least_charge() { 0 } else { whole.min(MAX_AMOUNT) };
    Settled { due, applied: -balance, carried: whole - due }
}

/// Settles an invoice that is being finalised.
pub(super) async fn apply(tx: &mut Tx, who: &Actor, customer: &mut Customer, invoice: &mut Invoice) -> Result<()> {
    let currency = invoice.currency.clone();
    let before = balance::of(tx, who, &customer.id, &currency).await?;
    let settled = settle(invoice.total, before, &currency);
    invoice.starting_balance = before;
    invoice.ending_balance = Some(before + settled.applied + settled.carried);
    invoice.amount_due = settled.due;
    post(tx, who, customer, invoice, settled).await
}

async fn post(tx: &mut Tx, who: &Actor, customer: &mut Customer, invoice: &Invoice, settled: Settled) -> Result<()> {
    let too = if settled.due == 0 { Kind::InvoiceTooSmall } else { Kind::InvoiceTooLarge };
    for (amount, kind) in [(settled.applied, Kind::AppliedToInvoice), (settled.carried, too)] {
        if amount != 0 {
            let (currency, invoice) = (&invoice.currency, Some(invoice.id.as_str()));
            let posting = Posting { currency, amount, kind, invoice, credit_note: None };
            balance::post(tx, who, customer, posting).await?;
        }
    }
    Ok(())
}

/// What was paid above the amount due is the customer's credit.
/// Unused time that is not paid for yet is no money: what an invoice gives back settles what is still owed on its
/// subscription before any of it is the customer's. `Busy` while a gateway is asked for that. The subscription must be
/// written as the invoice leaves it.
pub(crate) async fn settle_owed(tx: &mut Tx, who: &Actor, invoice: &Invoice, now: Seconds) -> Result<()> {
    let (Some(subscription), Some(balance)) = (&invoice.subscription, invoice.ending_balance) else { return Ok(()) };
    let credit = invoice.total.max(balance);
    if credit >= 0 {
        return Ok(());
    }
    let mut customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let owed = owed(tx, who, subscription).await?;
    let remaining: Vec<i64> = owed.iter().map(Invoice::amount_remaining).collect();
    for (before, settled) in owed.iter().zip(settle_each(&remaining, credit, &invoice.currency)) {
        if settled.applied == 0 {
            break;
        }
        if payment::is_running(tx, who, &before.id).await? {
            return Err(Error::Busy);
        }
        post(tx, who, &mut customer, before, settled).await?;
        let amount_due = before.amount_due - (before.amount_remaining() - settled.due);
        lowered(tx, who, before, Invoice { amount_due, ..before.clone() }, now).await?;
    }
    if owed.is_empty() { Ok(()) } else { status::settled(tx, who, subscription, now).await }
}

/// What a credit (below zero) does to amounts that are owed, one after the other.
pub(crate) fn settle_each(owed: &[i64], mut credit: i64, currency: &Currency) -> Vec<Settled> {
    let mut each = Vec::new();
    for owed in owed {
        let settled =
            if credit < 0 { settle(*owed, credit, currency) } else { Settled { due: *owed, applied: 0, carried: 0 } };
        credit += settled.applied;
        each.push(settled);
    }
    each
}

/// What is owed on a subscription, oldest first.
pub(crate) async fn owed(tx: &mut Tx, who: &Actor, subscription: &str) -> Result<Vec<Invoice>> {
    let ids: Vec<(String,)> = all!(
        tx,
        "select id from invoice where tenant = $1 and subscription = $2 and status in ('open', 'uncollectible')
         and amount_due > amount_paid order by created, id",
        who.tenant.key,
        subscription
    )?;
    let mut owed = Vec::new();
    for (id,) in ids {
        owed.push(super::get(tx, who, &id).await?);
    }
    Ok(owed)
}

/// Less is due on an open invoice than before; one on which nothing is left is paid.
pub(crate) async fn lowered(
    tx: &mut Tx,
    who: &Actor,
    before: &Invoice,
    mut invoice: Invoice,
    now: Seconds,
) -> Result<()> {
    save(tx, who, &mut invoice).await?;
    announce(tx, who, Some(before), &invoice, "invoice.updated", &["invoice.updated"]).await?;
    if matches!(invoice.status, Status::Open | Status::Uncollectible) && invoice.amount_remaining() == 0 {
        mark_paid(tx, who, &mut invoice, 0, now).await?;
        payment::intents::cancel(tx, who, &invoice).await?;
        status::paid(tx, who, &invoice, now).await?;
    }
    Ok(())
}

pub(super) async fn overpaid(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<()> {
    if invoice.amount_overpaid == 0 {
        return Ok(());
    }
    let mut customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let posting = Posting {
        currency: &invoice.currency,
        amount: -invoice.amount_overpaid,
        kind: Kind::InvoiceOverpaid,
        invoice: Some(&invoice.id),
        credit_note: None,
    };
    balance::post(tx, who, &mut customer, posting).await.map(drop)
}

/// Gives back exactly what an invoice took of the balance, or brought to it.
pub(super) async fn give_back(tx: &mut Tx, who: &Actor, customer: &mut Customer, invoice: &Invoice) -> Result<()> {
    let (taken,): (i64,) = one!(
        tx,
        "select cast(coalesce(sum(amount), 0) as bigint) from balance_transaction where tenant = $1 and invoice = $2
         and type in ('applied_to_invoice', 'invoice_too_small', 'invoice_too_large', 'unapplied_from_invoice')",
        who.tenant.key,
        &invoice.id
    )?;
    if taken == 0 {
        return Ok(());
    }
    let posting = Posting {
        currency: &invoice.currency,
        amount: -taken,
        kind: Kind::UnappliedFromInvoice,
        invoice: Some(&invoice.id),
        credit_note: None,
    };
    balance::post(tx, who, customer, posting).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur() -> Currency {
        Currency::parse("eur", "currency").unwrap()
    }

    #[test]
    fn credit_is_used_up_to_the_total() {
        let settled = |total, balance| {
            let s = settle(total, balance, &eur());
            (s.due, balance + s.applied + s.carried)
        };
        assert_eq!(settled(3000, -5000), (0, -2000));
        assert_eq!(settled(3000, -1000), (2000, 0));
        assert_eq!(settled(3000, 500), (3500, 0));
        assert_eq!(settled(-700, 0), (0, -700));
        assert_eq!(settled(-700, 1000), (0, 300), "only what is charged for collects a debt");
        assert_eq!(settled(0, 1000), (0, 1000));
        assert_eq!(settled(49, 0), (0, 49));
        assert_eq!(settled(50, 0), (50, 0));
        assert_eq!(settled(1010, -1000), (0, 10));
        assert_eq!(settled(MAX_AMOUNT, 5), (MAX_AMOUNT, 5));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn nothing_is_lost_between_total_due_and_balance(
            total in prop_oneof![-2_000i64..2_000, -MAX_AMOUNT..=MAX_AMOUNT],
            balance in prop_oneof![-2_000i64..2_000, -MAX_AMOUNT..=MAX_AMOUNT],
            currency in prop_oneof![Just("eur"), Just("jpy"), Just("huf"), Just("xof")],
        ) {
            let currency = Currency::parse(currency, "currency").unwrap();
            let Settled { due, applied, carried } = settle(total, balance, &currency);
            let ending = balance + applied + carried;
            prop_assert_eq!(due, total + balance - ending);
            prop_assert!(due == 0 || (currency.least_charge()..=MAX_AMOUNT).contains(&due));
            prop_assert!(carried >= 0);
            // Credit is not taken where nothing is owed, and is not left where something is.
            prop_assert!(total < 0 || applied <= total);
            prop_assert!(due == 0 || ending >= 0);
        }
    }
}
