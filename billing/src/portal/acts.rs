//! What a customer does in the portal: the configuration is asked first, the same operations as the API's follow.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::features::{CancelMode, CancellationReason};
use crate::portal::{feedback, session};
use crate::store::Tx;
use crate::subscription::{self, Feedback, Subscription, SubscriptionUpdate};

#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    pub feedback: Option<Feedback>,
    /// The id of a reason in the merchant's own words.
    pub feedback_option: Option<String>,
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
    check_reason(tx, who, &feature.cancellation_reason, &cancellation).await?;
    let comment = cancellation.comment.filter(|c| !c.trim().is_empty());
    let current = subscription::get(tx, who, id).await?;
    let at_period_end = feature.mode == CancelMode::AtPeriodEnd;
    if current.status.is_ended() || (at_period_end && current.cancel_at_period_end) {
        return Ok(current);
    }
    let subscription = match feature.mode {
        CancelMode::Immediately => {
            let ending = subscription::cancel::Cancellation {
                feedback: cancellation.feedback,
                feedback_option: cancellation.feedback_option,
                comment,
                ..Default::default()
            };
            subscription::cancel::at_once(tx, who, id, ending).await?.subscription
        }
        CancelMode::AtPeriodEnd => {
            let update = SubscriptionUpdate {
                cancel_at_period_end: Some(true),
                comment: comment.map_or(Patch::Keep, Patch::Set),
                feedback: cancellation.feedback.map_or(Patch::Keep, Patch::Set),
                feedback_option: cancellation.feedback_option.map_or(Patch::Keep, Patch::Set),
                ..SubscriptionUpdate::default()
            };
            subscription::update::update(tx, who, id, update).await?.subscription
        }
    };
    session::complete(tx, who).await?;
    Ok(subscription)
}

/// A reason is one of those offered, and still in use.
async fn check_reason(tx: &mut Tx, who: &Actor, asked: &CancellationReason, given: &Cancellation) -> Result<()> {
    let own = asked.feedback_options.as_deref().unwrap_or_default();
    let is_offered = given.feedback.is_none_or(|word| asked.options.contains(&word))
        && given.feedback_option.as_ref().is_none_or(|id| own.contains(id));
    let is_given = given.feedback.is_some() || given.feedback_option.is_some();
    if is_given && !(asked.enabled && is_offered) {
        return Err(Error::invalid("feedback", "This reason is not one of those offered."));
    }
    match &given.feedback_option {
        Some(id) => feedback::check_usable(tx, who, id, "feedback").await,
        None => Ok(()),
    }
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
