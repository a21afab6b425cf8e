//! What a change does to the periods of a subscription: they go on, a new one begins, or a trial takes their place.

use serde::{Deserialize, Serialize};

use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::proration::Span;
use crate::subscription::{Status, Subscription};
use crate::text_enum::text_enum;

text_enum!(Anchor { Now = "now", Unchanged = "unchanged" });

/// When a trial is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TrialEnd {
    Now,
    At(Seconds),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    GoesOn,
    /// A new period begins now, and is billed at once.
    Begins,
    /// What is paid for ends now, and a trial begins.
    Trial,
}

/// The longest that a trial lasts: two years.
pub(crate) const MOST_TRIAL: i64 = 730 * 86_400;

pub(crate) fn check_trial_end(end: Seconds, now: Seconds) -> Result<()> {
    if end <= now || end.0 - now.0 > MOST_TRIAL {
        return Err(Error::invalid("trial_end", "Invalid timestamp: a trial ends in the future, within 730 days."));
    }
    Ok(())
}

/// Moves the periods of `after`, whose items have changed already. A change of the interval begins a new period, except
/// during a trial, which ends when it ends.
pub(crate) fn turn(
    before: &Subscription,
    after: &mut Subscription,
    trial_end: Option<TrialEnd>,
    anchor: Option<Anchor>,
    now: Seconds,
) -> Result<Turn> {
    let was_on_trial = before.status == Status::Trialing;
    let turn = match trial_end {
        Some(TrialEnd::At(end)) => {
            check_trial_end(end, now)?;
            begin_trial(after, was_on_trial, end, now)?;
            if was_on_trial { Turn::GoesOn } else { Turn::Trial }
        }
        Some(TrialEnd::Now) if was_on_trial => {
            after.enter(Status::Active, now)?;
            after.trial_end = Some(now);
            begin(after, now)?;
            Turn::Begins
        }
        _ if was_on_trial && anchor == Some(Anchor::Now) => {
            let message = "A trial's periods begin when it ends: set trial_end to `now` instead.";
            return Err(Error::invalid("billing_cycle_anchor", message));
        }
        _ if was_on_trial => Turn::GoesOn,
        _ if before.status == Status::Paused && after.recurring() != before.recurring() => {
            let message = "The interval of a subscription cannot change while it is paused.";
            return Err(Error::conflict("subscription_unexpected_state", message));
        }
        _ if anchor == Some(Anchor::Now) || after.recurring() != before.recurring() => {
            begin(after, now)?;
            Turn::Begins
        }
        _ => Turn::GoesOn,
    };
    if after.cancel_at_period_end {
        after.cancel_at = Some(after.current_period_end);
    }
    Ok(turn)
}

fn begin(subscription: &mut Subscription, now: Seconds) -> Result<()> {
    let recurring = subscription.recurring().ok_or_else(|| Error::internal("a subscription without an interval"))?;
    (subscription.billing_cycle_anchor, subscription.cycle) = (now, 0);
    subscription.current_period_start = now;
    subscription.current_period_end = recurring.start_of(now, 1)?;
    Ok(())
}

/// A trial is period -1 of an anchor at its end.
fn begin_trial(subscription: &mut Subscription, was_on_trial: bool, end: Seconds, now: Seconds) -> Result<()> {
    if !was_on_trial {
        subscription.enter(Status::Trialing, now)?;
        subscription.trial_start = Some(now);
        subscription.current_period_start = now;
    }
    subscription.trial_end = Some(end);
    (subscription.billing_cycle_anchor, subscription.cycle) = (end, -1);
    subscription.current_period_end = end;
    Ok(())
}

/// The whole period that prices are for: longer than the current one where that began late, at a set anchor.
pub(crate) fn whole(subscription: &Subscription) -> Result<Span> {
    let recurring = subscription.recurring().ok_or_else(|| Error::internal("a subscription without an interval"))?;
    let (anchor, cycle) = (subscription.billing_cycle_anchor, subscription.cycle);
    Span::new(recurring.start_of(anchor, cycle)?, recurring.start_of(anchor, cycle + 1)?)
}
