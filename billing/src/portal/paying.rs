//! What a customer pays by themselves: an invoice that is open, now.

use std::sync::Arc;

use crate::actor::Actor;
use crate::customer::payment_method;
use crate::error::{Error, Result};
use crate::gateway::PaymentGateway;
use crate::invoice::{self, Invoice, InvoiceFilter, Status};
use crate::page::Page;
use crate::portal::configuration::Configuration;
use crate::portal::{may_write, session};
use crate::store::{Db, Tx};
use crate::subscription::{self, CollectionMethod};
use crate::{payment, transact};

/// How many invoices are paid at once, and told of.
const MANY: i64 = 20;

/// Whether invoices may be paid here.
pub fn is_open(who: &Actor, allowed: &Configuration) -> bool {
    !who.is_read_only() && allowed.features.invoice_payment.enabled
}

/// The invoice to be charged, where that is the customer's to ask for.
pub async fn asked_for(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Invoice> {
    may_write(who, is_open(who, allowed))?;
    invoice::get(tx, who, id).await
}

/// The customer's invoices that were charged in vain, oldest first.
pub async fn failed(tx: &mut Tx, who: &Actor) -> Result<Vec<Invoice>> {
    let filter = InvoiceFilter { status: Some(Status::Open), ..InvoiceFilter::default() };
    let listed = invoice::list(tx, who, &Page::first(MANY), &filter).await?.data;
    let failed = |invoice: &Invoice| invoice.attempted && invoice.amount_remaining() > 0;
    Ok(listed.into_iter().rev().filter(failed).collect())
}

/// A method has become what is charged: what failed is charged to it from now on, rather than to the one that failed.
/// Answers what is to be tried again; that is the door's to do.
pub async fn turn_to(tx: &mut Tx, who: &Actor, allowed: &Configuration, method: &str) -> Result<Vec<String>> {
    may_write(who, allowed.features.payment_method_update.enabled)?;
    payment_method::get(tx, who, method).await?;
    let mut again = Vec::new();
    for mut invoice in failed(tx, who).await? {
        if invoice.collection_method != CollectionMethod::ChargeAutomatically {
            continue;
        }
        if invoice.default_payment_method.as_deref().is_some_and(|own| own != method) {
            let before = invoice.clone();
            invoice.default_payment_method = Some(method.to_owned());
            invoice::save(tx, who, &mut invoice).await?;
            let event = "invoice.updated";
            invoice::announce(tx, who, Some(&before), &invoice, event, &[event]).await?;
        }
        if let Some(id) = &invoice.subscription {
            let own = subscription::get(tx, who, id).await?.default_payment_method;
            if own.as_deref().is_some_and(|own| own != method) {
                subscription::update::charge_to(tx, who, id, Some(method)).await?;
            }
        }
        again.push(invoice.id);
    }
    Ok(again)
}

/// Turns what failed to a method, and tries it again at once. What comes of it stands in the books: a decline is no
/// error here, nor is a charge that somebody else has begun.
pub async fn pay_failed(
    db: &Db,
    gateway: Arc<dyn PaymentGateway>,
    who: &Actor,
    allowed: &Configuration,
    method: &str,
) -> Result<()> {
    let again = transact!(db, |tx| {
        tx.unaudited();
        turn_to(tx, who, allowed, method).await
    })?;
    for invoice in &again {
        match payment::collect(db, gateway.clone(), who, invoice).await {
            Ok(_) | Err(Error::Busy | Error::Conflict { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(())
}

/// Something was paid in this session.
pub async fn note_paid(tx: &mut Tx, who: &Actor) -> Result<()> {
    tx.unaudited();
    session::complete(tx, who).await
}
