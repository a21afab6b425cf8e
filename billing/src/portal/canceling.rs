//! Canceling in the portal: at the end of the period, which can be taken back, or at once, for what was quoted.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::features::{CancelMode, CancellationReason, Proration, SubscriptionCancel};
use crate::portal::{feedback, may_write, session};
use crate::quote::{self, Change, Confirmed, Done, Quote};
use crate::store::Tx;
use crate::subscription::{self, Feedback, Subscription, SubscriptionUpdate, cancel};

#[derive(Debug, Clone, Default)]
pub struct Cancellation {
    pub feedback: Option<Feedback>,
    /// The id of a reason in the merchant's own words.
    pub feedback_option: Option<String>,
    pub comment: Option<String>,
}

/// What canceling gives back, where it is at once; at the end of a period there is nothing to quote. Writes nothing;
/// `tx` must be one to write in.
pub async fn quote(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Option<Quote>> {
    let feature = &allowed.features.subscription_cancel;
    may_write(who, feature.enabled)?;
    if feature.mode == CancelMode::AtPeriodEnd {
        return Ok(None);
    }
    quote::make(tx, who, at_once(feature, id, Cancellation::default())).await.map(Some)
}

/// Cancels a subscription as the configuration says; `token` is the quote of a cancellation at once.
pub async fn cancel(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    id: &str,
    given: Cancellation,
    token: Option<&str>,
) -> Result<Confirmed> {
    let feature = &allowed.features.subscription_cancel;
    may_write(who, feature.enabled)?;
    check_reason(tx, who, &feature.cancellation_reason, &given).await?;
    let given = Cancellation { comment: given.comment.filter(|comment| !comment.trim().is_empty()), ..given };
    let current = subscription::get(tx, who, id).await?;
    let at_period_end = feature.mode == CancelMode::AtPeriodEnd;
    if current.status.is_ended() || (at_period_end && current.cancel_at_period_end) {
        return Ok(Confirmed::Done(Done {
            subscription: current.id,
            invoice: None,
            collect: false,
            only_if_paid: false,
        }));
    }
    let confirmed = match feature.mode {
        CancelMode::Immediately => confirm(tx, who, feature, id, given, token).await?,
        CancelMode::AtPeriodEnd => Confirmed::Done(at_period_end_of(tx, who, id, given).await?),
    };
    if let Confirmed::Done(_) = confirmed {
        session::complete(tx, who).await?;
    }
    Ok(confirmed)
}

async fn at_period_end_of(tx: &mut Tx, who: &Actor, id: &str, given: Cancellation) -> Result<Done> {
    let update = SubscriptionUpdate {
        cancel_at_period_end: Some(true),
        comment: given.comment.map_or(Patch::Keep, Patch::Set),
        feedback: given.feedback.map_or(Patch::Keep, Patch::Set),
        feedback_option: given.feedback_option.map_or(Patch::Keep, Patch::Set),
        ..SubscriptionUpdate::default()
    };
    let subscription = subscription::update::update(tx, who, id, update).await?.subscription;
    Ok(Done { subscription: subscription.id, invoice: None, collect: false, only_if_paid: false })
}

/// Does what was quoted, and says why; what is said costs nothing.
async fn confirm(
    tx: &mut Tx,
    who: &Actor,
    feature: &SubscriptionCancel,
    id: &str,
    given: Cancellation,
    token: Option<&str>,
) -> Result<Confirmed> {
    let token = token.ok_or_else(|| Error::invalid("quote", "Canceling at once needs the quote that was shown."))?;
    let plain = at_once(feature, id, Cancellation::default());
    if quote::change(tx, who, token)? != plain {
        return Ok(Confirmed::Stale(Box::new(quote::make(tx, who, plain).await?)));
    }
    quote::confirm_as(tx, who, token, at_once(feature, id, given)).await
}

fn at_once(feature: &SubscriptionCancel, id: &str, given: Cancellation) -> Change {
    let Cancellation { feedback, feedback_option, comment } = given;
    let prorate = feature.proration_behavior == Proration::CreateProrations;
    let cancellation = cancel::Cancellation { feedback, feedback_option, comment, prorate, invoice_now: false };
    Change::Cancel { subscription: id.into(), cancellation }
}

/// A reason is one of those offered, and still in use.
pub(super) async fn check_reason(
    tx: &mut Tx,
    who: &Actor,
    asked: &CancellationReason,
    given: &Cancellation,
) -> Result<()> {
    let own = asked.feedback_options.as_deref().unwrap_or_default();
    let is_offered = given.feedback.is_none_or(|word| asked.options.contains(&word))
        && given.feedback_option.as_ref().is_none_or(|id| own.contains(id));
    let is_given = given.feedback.is_some() || given.feedback_option.is_some();
    if is_given && !(asked.enabled && is_offered) {
        return Err(Error::invalid("feedback", "This reason is not one of those offered."));
    }
    if asked.required && !is_given {
        return Err(Error::invalid("feedback", "Please choose a reason."));
    }
    match &given.feedback_option {
        Some(id) => feedback::check_usable(tx, who, id, "feedback").await,
        None => Ok(()),
    }
}

/// Takes back a cancellation that has not taken effect.
pub async fn undo(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Subscription> {
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
