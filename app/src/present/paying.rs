//! What is still to pay, in words: why it failed, when it is tried again, until when access lasts.

use billing::customer::payment_method::PaymentMethod;
use billing::invoice::{self, Invoice, Status};
use billing::payment::charge::{self, AttemptStatus, Charge};
use billing::portal::paying;
use billing::{Actor, Error as Books, Tx, dunning, payment, subscription, transact};

use super::{adding, decline, method, sheet, standing};
use crate::error::Result;
use crate::pages::repair::{Owed, Repair};
use crate::parts::{Fact, PayWay, Paying};
use crate::session::Session;
use crate::text::{Locale, format, say};

/// How an invoice may be paid; nothing where there is nothing left to pay.
pub async fn of(tx: &mut Tx, session: &Session, invoice: &Invoice) -> Result<Option<Paying>> {
    let is_open = paying::is_open(&session.who, &session.guest.configuration);
    let Some(found) = state(tx, session.locale, &session.who, is_open, invoice).await? else { return Ok(None) };
    let adds = session.guest.configuration.features.payment_method_update.is_open() && !session.who.is_read_only();
    Ok(Some(Paying { other: adds.then(|| adding::address(None, Some("/repair"), None)), ..found }))
}

/// The same for whoever may read the invoice.
pub async fn state(
    tx: &mut Tx,
    locale: Locale,
    who: &Actor,
    is_open: bool,
    invoice: &Invoice,
) -> billing::Result<Option<Paying>> {
    if invoice.status != Status::Open || invoice.amount_remaining() <= 0 {
        return Ok(None);
    }
    let last = charge::last(tx, who, &invoice.id).await?;
    let pays = match payment::method_for(tx, who, invoice).await {
        Ok(method) => Some(method),
        Err(Books::Invalid { .. } | Books::Missing { .. }) => None,
        Err(other) => return Err(other),
    };
    Ok(Some(Paying {
        invoice: invoice.id.clone(),
        trouble: trouble(locale, last.as_ref()),
        way: if is_open { way(locale, invoice, last.as_ref(), pays.as_ref()) } else { PayWay::Closed },
        other: None,
    }))
}

fn trouble(locale: Locale, last: Option<&Charge>) -> Option<String> {
    let last = last.filter(|last| last.status == AttemptStatus::Declined)?;
    Some(decline::words(locale, last.decline_code.as_deref().unwrap_or("generic_decline")))
}

fn way(locale: Locale, invoice: &Invoice, last: Option<&Charge>, pays: Option<&PaymentMethod>) -> PayWay {
    match (last.map(|last| last.status), pays) {
        (Some(AttemptStatus::Processing | AttemptStatus::Unknown), _) => PayWay::Waiting(say!(pay.waiting, locale)),
        (Some(AttemptStatus::RequiresAction), Some(pays))
            if last.is_some_and(|last| last.payment_method == pays.id && last.amount == invoice.amount_remaining()) =>
        {
            PayWay::Confirm { href: super::confirm::address("invoice", &invoice.id, None, false) }
        }
        (_, Some(pays)) => {
            let amount = format::money(locale, invoice.amount_remaining(), &invoice.currency);
            PayWay::Pay {
                label: say!(pay.now, locale, amount = amount),
                with: say!(pay.with, locale, method = method::short(locale, pays)),
            }
        }
        (_, None) => PayWay::Nothing(say!(pay.no_method, locale)),
    }
}

/// Everything that was charged in vain.
pub async fn repair(tx: &mut Tx, session: &Session) -> Result<Repair> {
    let mut owed = Vec::new();
    for invoice in paying::failed(tx, &session.who).await? {
        if let Some(paying) = of(tx, session, &invoice).await? {
            owed.push(told(tx, session, &invoice, paying).await?);
        }
    }
    Ok(Repair { owed })
}

async fn told(tx: &mut Tx, session: &Session, invoice: &Invoice, paying: Paying) -> Result<Owed> {
    let locale = session.locale;
    let attempts = dunning::attempts(tx, &session.who, invoice).await?;
    let held = match &invoice.subscription {
        Some(id) => Some(subscription::get(tx, &session.who, id).await?),
        None => None,
    };
    let dates: Vec<String> = attempts.iter().take(3).map(|at| format::date(locale, *at)).collect();
    let fact = |label: String, value: String| Fact { label, value, hint: None };
    let next = (!dates.is_empty()).then(|| fact(say!(pay.attempts, locale), format::list(locale, &dates)));
    let until = attempts.last().filter(|_| held.as_ref().is_some_and(|held| !held.status.is_ended()));
    let until = until.map(|at| fact(say!(fact.access_until, locale), format::date(locale, *at)));
    let title = sheet::title(locale, invoice);
    Ok(Owed {
        what: held.as_ref().map_or_else(|| title.clone(), standing::name),
        amount: format::money(locale, invoice.amount_remaining(), &invoice.currency),
        invoice: title,
        facts: next.into_iter().chain(until).collect(),
        paying,
    })
}

/// Charges an invoice once; answers where to go. A second click while nothing is known charges nothing.
pub async fn pay(session: &Session, id: &str) -> Result<String> {
    let (who, allowed) = (&session.who, &session.guest.configuration);
    paying::asked_for(&mut session.db.read().await?, who, allowed, id).await?;
    match payment::collect(&session.db, session.gateway.clone(), who, id).await {
        Ok(_) | Err(Books::Busy | Books::Conflict { .. }) => {}
        Err(other) => return Err(other.into()),
    }
    let mut tx = session.db.read().await?;
    let (found, last) = (invoice::get(&mut tx, who, id).await?, charge::last(&mut tx, who, id).await?);
    drop(tx);
    if last.is_some_and(|last| last.status == AttemptStatus::RequiresAction) {
        return Ok(super::confirm::address("invoice", id, None, false));
    }
    if found.status == Status::Paid {
        transact!(session.db, |tx| paying::note_paid(tx, who).await)?;
    }
    Ok(after(session, &found))
}

/// Where an invoice leads as it stands.
pub fn after(session: &Session, invoice: &Invoice) -> String {
    let has_page = session.guest.configuration.features.invoice_history.enabled;
    match invoice.status {
        Status::Paid if has_page => session.onward(format!("/invoices/{}?done=paid", invoice.id)),
        Status::Paid => session.onward("/".to_owned()),
        _ => "/repair".to_owned(),
    }
}

pub fn just_paid(locale: Locale, invoice: &Invoice) -> Option<String> {
    let amount = format::money(locale, invoice.amount_paid, &invoice.currency);
    (invoice.status == Status::Paid).then(|| say!(pay.done, locale, amount = amount))
}

/// What has become the default pays what failed: at once, and to it from now on.
pub async fn pay_failed(session: &Session, method: &str) -> Result<()> {
    let (who, allowed) = (&session.who, &session.guest.configuration);
    Ok(paying::pay_failed(&session.db, session.gateway.clone(), who, allowed, method).await?)
}

/// Where a new default leads: what could not be paid with it is told.
pub async fn after_new_default(session: &Session, method: &str, to: String) -> Result<String> {
    pay_failed(session, method).await?;
    let left = paying::failed(&mut session.db.read().await?, &session.who).await?;
    Ok(if left.is_empty() { session.onward(to) } else { "/repair".to_owned() })
}
