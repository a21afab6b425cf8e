//! Ending a subscription: at the end of its period, which can be undone, or at once, which cannot.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::Result;
use crate::page::Page;
use crate::patch::check_text;
use crate::store::{Tx, run};
use crate::subscription::{
    CancellationDetails, Feedback, Status, StatusFilter, Subscription, SubscriptionFilter, announce, get, list, save,
};

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

/// Clears the flag, and nothing else.
pub(crate) fn unschedule(subscription: &mut Subscription) {
    if subscription.cancel_at_period_end {
        subscription.cancel_at_period_end = false;
        subscription.cancel_at = None;
        subscription.canceled_at = None;
        subscription.cancellation_details.0 = CancellationDetails::default();
    }
}

/// Cancels at once. Canceling what is canceled answers the same and says nothing again.
pub async fn now(
    tx: &mut Tx,
    who: &Actor,
    id: &str,
    feedback: Option<Feedback>,
    comment: Option<String>,
) -> Result<Subscription> {
    let before = get(tx, who, id).await?;
    if before.status.is_ended() {
        return Ok(before);
    }
    check_text(comment.as_deref().unwrap_or_default(), 5000, "cancellation_details[comment]")?;
    let customer = customer::get(tx, who, &before.customer).await?;
    let at = customer::now(tx, who, &customer).await?;
    let mut ending = Subscription { cancel_at_period_end: false, canceled_at: Some(at), ..before.clone() };
    // What was said when it was scheduled stands, unless something is said now.
    let said = &mut ending.cancellation_details.0;
    said.reason = Some("cancellation_requested".into());
    said.feedback = feedback.or(said.feedback);
    said.comment = comment.or(said.comment.take());
    end(tx, who, &before, ending, at).await
}

/// Every subscription of a customer that is being deleted.
pub(crate) async fn all_of(tx: &mut Tx, who: &Actor, customer: &str) -> Result<()> {
    let filter = SubscriptionFilter { customer: Some(customer.into()), status: StatusFilter::NotCanceled, price: None };
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
    mut subscription: Subscription,
    at: Seconds,
) -> Result<Subscription> {
    subscription.enter(Status::Canceled, at)?;
    save(tx, who, &mut subscription).await?;
    run!(
        tx,
        "update invoice set auto_advance = false, next_payment_attempt = null, version = version + 1
         where tenant = $1 and subscription = $2 and status in ('draft', 'open')",
        who.tenant.key,
        &subscription.id
    )?;
    announce(tx, who, Some(before), &subscription, "customer.subscription.deleted", &["customer.subscription.deleted"])
        .await?;
    Ok(subscription)
}
