//! Ending a subscription: at the end of its period, which can be undone, or at once, which cannot.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::invoice::{Bill, NewLine, compose, credit, issue, item};
use crate::page::Page;
use crate::patch::check_text;
use crate::portal::feedback;
use crate::store::{Tx, run};
use crate::subscription::update::{Updated, begin_collecting};
use crate::subscription::{
    CancellationDetails, Feedback, Status, Subscription, SubscriptionFilter, announce, get, list, save,
};
use crate::subscription::{pending, proposal};

/// Sets the flag; nothing else changes until the period ends.
pub(crate) async fn schedule(tx: &mut Tx, who: &Actor, subscription: &mut Subscription) -> Result<()> {
    if subscription.cancel_at_period_end {
        return Ok(());
    }
    let customer = customer::get(tx, who, &subscription.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    subscription.cancel_at_period_end = true;
    subscription.cancel_at = Some(subscription.current_period_end);
    subscription.canceled_at = Some(now);
    subscription.cancellation_details.0 =
        CancellationDetails { reason: Some("cancellation_requested".into()), ..CancellationDetails::default() };
    Ok(())
}

/// Sets the instant at which it ends, whatever its periods are.
pub(crate) fn schedule_at(subscription: &mut Subscription, at: Seconds, now: Seconds) -> Result<()> {
    if at <= now {
        return Err(Error::invalid("cancel_at", "cancel_at must be in the future."));
    }
    if subscription.cancel_at == Some(at) && !subscription.cancel_at_period_end {
        return Ok(());
    }
    subscription.cancel_at_period_end = false;
    (subscription.cancel_at, subscription.canceled_at) = (Some(at), Some(now));
    subscription.cancellation_details.0.reason = Some("cancellation_requested".into());
    Ok(())
}

/// Clears the flag, and nothing else.
pub(crate) fn unschedule(subscription: &mut Subscription) {
    if subscription.cancel_at_period_end {
        clear(subscription);
    }
}

/// Takes back an end that was set, by flag or by instant.
pub(crate) fn clear(subscription: &mut Subscription) {
    if subscription.cancel_at.is_some() {
        subscription.cancel_at_period_end = false;
        subscription.cancel_at = None;
        subscription.canceled_at = None;
        subscription.cancellation_details.0 = CancellationDetails::default();
    }
}

/// What is said of a cancellation that takes effect at once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    pub feedback: Option<Feedback>,
    pub feedback_option: Option<String>,
    pub comment: Option<String>,
    /// Whether unused time that was paid for is given back.
    pub prorate: bool,
    /// Whether what waits is invoiced now. Otherwise it waits for the customer's next invoice.
    pub invoice_now: bool,
}

/// Cancels at once, and gives nothing back.
pub async fn now(
    tx: &mut Tx,
    who: &Actor,
    id: &str,
    feedback: Option<Feedback>,
    comment: Option<String>,
) -> Result<Subscription> {
    let cancellation = Cancellation { feedback, comment, ..Cancellation::default() };
    Ok(at_once(tx, who, id, cancellation).await?.subscription)
}

/// Cancels at once. Canceling what is canceled answers the same and says nothing again.
pub async fn at_once(tx: &mut Tx, who: &Actor, id: &str, cancellation: Cancellation) -> Result<Updated> {
    let before = get(tx, who, id).await?;
    if before.status.is_ended() {
        return Ok(Updated { subscription: before, invoice: None, collect: false });
    }
    check_text(cancellation.comment.as_deref().unwrap_or_default(), 5000, "cancellation_details[comment]")?;
    if let Some(option) = &cancellation.feedback_option {
        feedback::check_usable(tx, who, option, "cancellation_details[feedback_option]").await?;
    }
    let customer = customer::get(tx, who, &before.customer).await?;
    let at = customer::now(tx, who, &customer).await?;
    let before = pending::expire(tx, who, &before, at).await?;
    let mut ending = Subscription { cancel_at_period_end: false, canceled_at: Some(at), ..before.clone() };
    // What was said when it was scheduled stands, unless something is said now.
    let said = &mut ending.cancellation_details.0;
    said.reason = Some("cancellation_requested".into());
    said.feedback = cancellation.feedback.or(said.feedback);
    said.feedback_option = cancellation.feedback_option.or(said.feedback_option.take());
    said.comment = cancellation.comment.or(said.comment.take());
    let credits = if cancellation.prorate { proposal::credits(tx, who, &before, at).await? } else { Vec::new() };
    if !cancellation.invoice_now && !settles_debt(tx, who, &before, &credits).await? {
        let subscription = end(tx, who, &before, ending, at).await?;
        for line in credits {
            item::wait(tx, who, &before.customer, &before.currency, line, at).await?;
        }
        return Ok(Updated { subscription, invoice: None, collect: false });
    }
    finish(tx, who, &before, ending, credits, at).await
}

/// Whether more is given back than asked for while something is still owed: that credit does not wait for what the
/// customer buys next, since it was never paid for.
async fn settles_debt(tx: &mut Tx, who: &Actor, ending: &Subscription, credits: &[NewLine]) -> Result<bool> {
    let waiting = item::waiting(tx, who, &ending.customer, Some(&ending.id)).await?;
    let own = waiting.iter().filter(|item| item.subscription.as_ref() == Some(&ending.id)).map(|item| item.amount);
    let sum: i64 = own.chain(credits.iter().map(|line| line.amount)).sum();
    Ok(sum < 0 && !credit::owed(tx, who, &ending.id).await?.is_empty())
}

/// Every subscription of a customer that is being deleted.
pub(crate) async fn all_of(tx: &mut Tx, who: &Actor, customer: &str) -> Result<()> {
    let filter = SubscriptionFilter { customer: Some(customer.into()), ..SubscriptionFilter::default() };
    loop {
        let listed = list(tx, who, &Page::first(100), &filter).await?;
        let open: Vec<Subscription> = listed.data.into_iter().filter(|s| !s.status.is_ended()).collect();
        if open.is_empty() {
            return Ok(());
        }
        for subscription in open {
            now(tx, who, &subscription.id, None, None).await?;
        }
    }
}

/// Ends it at `at`: terminal, no refund by itself, and its open invoices are no longer collected automatically.
pub(crate) async fn end(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    subscription: Subscription,
    at: Seconds,
) -> Result<Subscription> {
    stop_collecting(tx, who, &before.id).await?;
    close(tx, who, before, subscription, at).await
}

/// Ends it, and makes a last invoice of `lines` and what waits for its next, if there is any.
pub(crate) async fn finish(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut subscription: Subscription,
    lines: Vec<NewLine>,
    at: Seconds,
) -> Result<Updated> {
    stop_collecting(tx, who, &before.id).await?;
    let waiting = item::waiting(tx, who, &before.customer, Some(&before.id)).await?;
    let mut invoice = None;
    if !lines.is_empty() || waiting.iter().any(|item| item.subscription.as_ref() == Some(&before.id)) {
        let bill = Bill::of(before, "subscription_update", lines, at);
        let composed = compose(tx, who, &bill).await?;
        let made = issue(tx, who, composed).await?;
        subscription.latest_invoice = Some(made.id.clone());
        invoice = Some(made);
    }
    let subscription = close(tx, who, before, subscription, at).await?;
    let collect = match &mut invoice {
        Some(invoice) if invoice.total < 0 => {
            credit::settle_owed(tx, who, invoice, at).await?;
            false
        }
        Some(invoice) => begin_collecting(tx, who, &subscription, invoice).await?,
        None => false,
    };
    Ok(Updated { subscription, invoice, collect })
}

async fn stop_collecting(tx: &mut Tx, who: &Actor, subscription: &str) -> Result<()> {
    run!(
        tx,
        "update invoice set auto_advance = false, next_payment_attempt = null, next_due = null, version = version + 1
         where tenant = $1 and subscription = $2 and status in ('draft', 'open')",
        who.tenant.key,
        subscription
    )?;
    Ok(())
}

async fn close(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut subscription: Subscription,
    at: Seconds,
) -> Result<Subscription> {
    subscription.enter(Status::Canceled, at)?;
    save(tx, who, &mut subscription).await?;
    announce(tx, who, Some(before), &subscription, "customer.subscription.deleted", &["customer.subscription.deleted"])
        .await?;
    Ok(subscription)
}
