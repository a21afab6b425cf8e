//! The real pause: status `paused`, no invoices, service off, until it resumes.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{self, Bill, Invoice, compose, issue, item};
use crate::store::Tx;
use crate::subscription::proposal;
use crate::subscription::scheduled::{self, By, Kind, Planned, State};
use crate::subscription::{Status, Subscription, announce, get, pending, save};
use crate::text_enum::text_enum;

text_enum!(
    /// From when on paid time that is not used is given back.
    UnusedTime { ItemCurrentPeriodStart = "item_current_period_start", None = "none", Now = "now" }
);
text_enum!(
    /// What is given back becomes credit at once, by an invoice of its own, or waits for the next one.
    Invoicing { Invoice = "invoice", PendingInvoiceItem = "pending_invoice_item" }
);

/// How to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Not now, but when the period that is paid for ends. Then there is nothing to give back.
    pub at_period_end: bool,
    /// When it ends by itself; open without.
    pub resumes_at: Option<Seconds>,
    pub unused_time_from: UnusedTime,
    pub invoicing: Invoicing,
}

impl Default for Pause {
    /// Stripe's: now, and what was paid beyond that waits for the invoice that it goes on with.
    fn default() -> Self {
        Self {
            at_period_end: false,
            resumes_at: None,
            unused_time_from: UnusedTime::Now,
            invoicing: Invoicing::PendingInvoiceItem,
        }
    }
}

/// Pauses a subscription now or with its period. On one that is paused already, it sets the day on which that ends.
///
/// Refused with `subscription_unexpected_state` for one that has not begun to be paid for, or has ended.
pub async fn pause(tx: &mut Tx, who: &Actor, id: &str, pause: Pause) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    scheduled::check_open(who, &before)?;
    pending::check_none(&before)?;
    let customer = customer::get(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    let mut after = before.clone();
    match before.status {
        Status::Active | Status::PastDue | Status::Unpaid if pause.at_period_end => {
            scheduled::check_goes_on(&before)?;
            check_resumes(pause.resumes_at, before.current_period_end)?;
            let planned = Planned { resumes_at: pause.resumes_at, ..Planned::default() };
            scheduled::plan(tx, who, &mut after, (Kind::Pause, before.current_period_end, By::of(who)), planned, now)
                .await?;
            changed(tx, who, &before, after).await
        }
        Status::Active | Status::PastDue | Status::Unpaid => {
            check_resumes(pause.resumes_at, now)?;
            scheduled::settle(tx, who, &mut after, State::Replaced, now).await?;
            resume_at(tx, who, &mut after, (pause.resumes_at, By::of(who)), now).await?;
            let credit = give_back(tx, who, &before, pause, now).await?;
            after.latest_invoice = credit.as_ref().map(|made| made.id.clone()).or(after.latest_invoice);
            let stopped = stop(tx, who, &before, after, now).await?;
            if let Some(credit) = &credit {
                invoice::credit::settle_owed(tx, who, credit, now).await?;
            }
            Ok(stopped)
        }
        Status::Paused if pause.resumes_at.is_none() || pause.resumes_at == before.resumes_at => Ok(before),
        Status::Paused => {
            check_resumes(pause.resumes_at, now)?;
            resume_at(tx, who, &mut after, (pause.resumes_at, By::of(who)), now).await?;
            changed(tx, who, &before, after).await
        }
        other => {
            let message = format!("A subscription that is {} cannot be paused.", other.name());
            Err(Error::conflict("subscription_unexpected_state", message))
        }
    }
}

/// Gives back what was paid for and is not used; answers the invoice that does.
async fn give_back(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    pause: Pause,
    now: Seconds,
) -> Result<Option<Invoice>> {
    let from = match pause.unused_time_from {
        UnusedTime::None => return Ok(None),
        UnusedTime::Now => now,
        UnusedTime::ItemCurrentPeriodStart => before.current_period_start,
    };
    let lines = proposal::credits(tx, who, before, from).await?;
    match pause.invoicing {
        Invoicing::PendingInvoiceItem => {
            for line in lines {
                item::wait(tx, who, &before.customer, &before.currency, line, now).await?;
            }
            Ok(None)
        }
        Invoicing::Invoice if lines.is_empty() => Ok(None),
        Invoicing::Invoice => {
            let bill = Bill { pulls: false, ..Bill::of(before, "subscription_update", lines, now) };
            let composed = compose(tx, who, &bill).await?;
            issue(tx, who, composed).await.map(Some)
        }
    }
}

fn check_resumes(at: Option<Seconds>, after: Seconds) -> Result<()> {
    match at {
        Some(at) if at <= after => Err(Error::invalid("resumes_at", "A pause ends after it has begun.")),
        _ => Ok(()),
    }
}

/// Says when a pause ends by itself.
pub(crate) async fn resume_at(
    tx: &mut Tx,
    who: &Actor,
    subscription: &mut Subscription,
    (at, origin): (Option<Seconds>, By),
    now: Seconds,
) -> Result<()> {
    subscription.resumes_at = at;
    match at {
        Some(at) => scheduled::plan(tx, who, subscription, (Kind::Resume, at, origin), Planned::default(), now).await,
        None => Ok(()),
    }
}

async fn changed(tx: &mut Tx, who: &Actor, before: &Subscription, mut after: Subscription) -> Result<Subscription> {
    save(tx, who, &mut after).await?;
    let event = "customer.subscription.updated";
    announce(tx, who, Some(before), &after, event, &[event]).await?;
    Ok(after)
}

/// Stops it at `at`; `subscription` is what `before` becomes beside that.
pub(crate) async fn stop(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut subscription: Subscription,
    at: Seconds,
) -> Result<Subscription> {
    subscription.enter(Status::Paused, at)?;
    // There is no end of a period to wait for any more.
    if subscription.scheduled.as_ref().is_some_and(|change| change.kind != Kind::Resume) {
        scheduled::settle(tx, who, &mut subscription, State::Replaced, at).await?;
    }
    save(tx, who, &mut subscription).await?;
    let event = "customer.subscription.paused";
    announce(tx, who, Some(before), &subscription, event, &["customer.subscription.updated", event]).await?;
    Ok(subscription)
}
