//! The real pause: status `paused`, no invoices, service off, until it resumes.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::Result;
use crate::store::Tx;
use crate::subscription::{Status, Subscription, announce, save};

/// Stops it at `at`; `subscription` is what `before` becomes beside that.
pub(crate) async fn stop(
    tx: &mut Tx,
    who: &Actor,
    before: &Subscription,
    mut subscription: Subscription,
    at: Seconds,
) -> Result<Subscription> {
    subscription.enter(Status::Paused, at)?;
    save(tx, who, &mut subscription).await?;
    let event = "customer.subscription.paused";
    announce(tx, who, Some(before), &subscription, event, &["customer.subscription.updated", event]).await?;
    Ok(subscription)
}
