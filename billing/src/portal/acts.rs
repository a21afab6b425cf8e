//! What a customer does in the portal: the configuration is asked first, the same operations as the API's follow.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::features::CancelMode;
use crate::portal::session;
use crate::store::Tx;
use crate::subscription::{self, Feedback, Subscription, SubscriptionUpdate};

#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    pub feedback: Option<Feedback>,
    pub comment: Option<String>,
}

/// Cancels a subscription as the configuration says: at the end of the period, or at once.
pub async fn cancel(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    id: &str,
    cancellation: Cancellation,
) -> Result<Subscription> {
    let feature = &allowed.features.subscription_cancel;
    may_write(who, feature.enabled)?;
    if let Some(feedback) = cancellation.feedback
        && !(feature.cancellation_reason.enabled && feature.cancellation_reason.options.contains(&feedback))
    {
        return Err(Error::invalid("feedback", "This reason is not one of those offered."));
    }
    let comment = cancellation.comment.filter(|c| !c.trim().is_empty());
    let current = subscription::get(tx, who, id).await?;
    let at_period_end = feature.mode == CancelMode::AtPeriodEnd;
    if current.status.is_ended() || (at_period_end && current.cancel_at_period_end) {
        return Ok(current);
    }
    let subscription = match feature.mode {
        CancelMode::Immediately => subscription::cancel::now(tx, who, id, cancellation.feedback, comment).await?,
        CancelMode::AtPeriodEnd => {
            let update = SubscriptionUpdate {
                cancel_at_period_end: Some(true),
                comment: comment.map_or(Patch::Keep, Patch::Set),
                feedback: cancellation.feedback.map_or(Patch::Keep, Patch::Set),
                ..SubscriptionUpdate::default()
            };
            subscription::update::update(tx, who, id, update).await?.subscription
        }
    };
    session::complete(tx, who).await?;
    Ok(subscription)
}

/// Takes back a cancellation that has not taken effect.
pub async fn undo_cancel(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Subscription> {
    may_write(who, allowed.features.subscription_cancel.enabled)?;
    let current = subscription::get(tx, who, id).await?;
    if current.status.is_ended() {
        return Err(Error::conflict("subscription_ended", "This subscription has already ended."));
    }
    if !current.cancel_at_period_end {
        return Ok(current);
    }
    let update = SubscriptionUpdate { cancel_at_period_end: Some(false), ..SubscriptionUpdate::default() };
    let subscription = subscription::update::update(tx, who, id, update).await?.subscription;
    session::complete(tx, who).await?;
    Ok(subscription)
}

/// A preview reads only; a feature that is off refuses the call, not only the button.
pub(super) fn may_write(who: &Actor, enabled: bool) -> Result<()> {
    if who.is_read_only() {
        return Err(Error::Forbidden("This is a preview: nothing can be changed in it."));
    }
    if enabled { Ok(()) } else { Err(Error::Forbidden("This is not available in this portal.")) }
}
