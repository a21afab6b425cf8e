//! The end of a pause: the subscription goes on, from now or in its old rhythm.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{self, Bill, Invoice, NewLine, compose, issue, item};
use crate::payment;
use crate::store::Tx;
use crate::subscription::proposal::{self, Billing};
use crate::subscription::scheduled::{self, State};
use crate::subscription::{Anchor, ProrationBehavior, Status, Subscription, announce, discounts, get, save, status};

/// How to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// `now` begins a new period, billed in full; `unchanged` goes on with the rest of the one that it would be in.
    pub anchor: Anchor,
    /// Of that rest: what it costs waits for the next invoice, is invoiced now, or is not asked for.
    pub proration_behavior: ProrationBehavior,
    /// From when the rest counts: in that period, not later than now.
    pub proration_date: Option<Seconds>,
}

impl Default for Resume {
    fn default() -> Self {
        Self { anchor: Anchor::Now, proration_behavior: ProrationBehavior::CreateProrations, proration_date: None }
    }
}

/// A subscription that goes on, and what that costs.
#[derive(Debug)]
pub struct Resumed {
    pub subscription: Subscription,
    /// To be collected by the door that asked, if it is open and not attempted already.
    pub invoice: Option<Invoice>,
}

/// Ends a pause at once. What was given back when it began is used up by the invoice that is made.
///
/// Refused with `subscription_not_paused` for a subscription that is not.
pub async fn resume(tx: &mut Tx, who: &Actor, id: &str, resume: Resume) -> Result<Resumed> {
    let before = get(tx, who, id).await?;
    scheduled::check_open(who, &before)?;
    let customer = customer::get(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    if before.status != Status::Paused {
        let message = format!("Only a paused subscription can be resumed; this one is {}.", before.status.name());
        return Err(Error::conflict("subscription_not_paused", message));
    }
    let mut after = before.clone();
    scheduled::settle(tx, who, &mut after, State::Replaced, now).await?;
    go_on(tx, who, &before, after, resume, now).await
}

/// Ends it at `at`; `subscription` is what `before` becomes beside that. Whether its charge succeeds is known later, so
/// that it goes on first and may be behind then.
pub(crate) async fn go_on(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut subscription: Subscription,
    resume: Resume,
    at: Seconds,
) -> Result<Resumed> {
    subscription.enter(Status::Active, at)?;
    turn(&mut subscription, resume.anchor, at)?;
    discounts::expire(tx, who, &mut subscription).await?;
    save(tx, who, &mut subscription).await?;
    let mut invoice = None;
    if let Some(lines) = lines(tx, who, &subscription, resume, at).await? {
        let bill = Bill::of(&subscription, "subscription_update", lines, at);
        let composed = compose(tx, who, &bill).await?;
        let made = issue(tx, who, composed).await?;
        subscription.latest_invoice = Some(made.id.clone());
        save(tx, who, &mut subscription).await?;
        invoice = Some(made);
    }
    let events = ["customer.subscription.updated", "customer.subscription.resumed"];
    announce(tx, who, Some(before), &subscription, events[1], &events).await?;
    match invoice.take() {
        Some(made) => {
            invoice::credit::settle_owed(tx, who, &made, at).await?;
            invoice = Some(payment::unpayable(tx, who, &subscription, made).await?);
        }
        None => owe_again(tx, who, &subscription, at).await?,
    }
    // Either may have moved it on.
    Ok(Resumed { subscription: get(tx, who, &before.id).await?, invoice })
}

/// Moves the periods to the one that it goes on with.
fn turn(subscription: &mut Subscription, anchor: Anchor, at: Seconds) -> Result<()> {
    let recurring = subscription.recurring().ok_or_else(|| Error::internal("a subscription without an interval"))?;
    match anchor {
        Anchor::Now => (subscription.billing_cycle_anchor, subscription.cycle) = (at, 0),
        Anchor::Unchanged => {
            while recurring.start_of(subscription.billing_cycle_anchor, subscription.cycle + 1)? <= at {
                subscription.cycle += 1;
            }
        }
    }
    let (anchor, cycle) = (subscription.billing_cycle_anchor, subscription.cycle);
    subscription.current_period_start = recurring.start_of(anchor, cycle)?;
    subscription.current_period_end = recurring.start_of(anchor, cycle + 1)?;
    if subscription.cancel_at_period_end {
        subscription.cancel_at = Some(subscription.current_period_end);
    }
    Ok(())
}

/// The lines of the invoice that is made now, if one is; what is for the next one waits.
async fn lines(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    resume: Resume,
    now: Seconds,
) -> Result<Option<Vec<NewLine>>> {
    if resume.anchor == Anchor::Now {
        return invoice::period_lines(subscription).map(Some);
    }
    let at = resume.proration_date.unwrap_or(now);
    if at < subscription.current_period_start || at > now {
        let message = "Invalid timestamp: a proration counts from an instant of the current period, up to now.";
        return Err(Error::invalid("proration_date", message));
    }
    let billing = Billing { behavior: resume.proration_behavior, at, now };
    let lines = proposal::rest(tx, who, subscription, billing).await?;
    if resume.proration_behavior == ProrationBehavior::AlwaysInvoice && !lines.is_empty() {
        return Ok(Some(lines));
    }
    for line in lines {
        item::wait(tx, who, &subscription.customer, &subscription.currency, line, now).await?;
    }
    Ok(None)
}

/// Nothing was charged now: what it owed when it stopped, it still owes.
async fn owe_again(tx: &mut Tx, who: &Actor, subscription: &Subscription, at: Seconds) -> Result<()> {
    let Some(latest) = &subscription.latest_invoice else { return Ok(()) };
    let latest = invoice::get(tx, who, latest).await?;
    if latest.status == invoice::Status::Open && latest.attempted {
        status::failed(tx, who, &latest, at).await?;
    }
    Ok(())
}
