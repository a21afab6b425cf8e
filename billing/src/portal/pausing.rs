//! Pausing and going on in the portal: for how long is the configuration's to say, and what going on costs is quoted.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::period::Recurring;
use crate::portal::configuration::Configuration;
use crate::portal::features::{PauseDuration, SubscriptionPause};
use crate::portal::may_write;
use crate::portal::session;
use crate::quote::{self, Change, Confirmed, Quote};
use crate::store::Tx;
use crate::subscription::pause::{self, Pause};
use crate::subscription::resume::Resume;
use crate::subscription::{self, Status, Subscription};

/// Whether a subscription is in a state to be paused by its customer.
pub fn is_pausable(subscription: &Subscription) -> bool {
    let lives = matches!(subscription.status, Status::Active | Status::PastDue);
    lives && subscription.goes_on() && subscription.pending_update.is_none() && subscription.scheduled.is_none()
}

/// When a pause that is asked for at `now` begins.
pub fn begins(feature: &SubscriptionPause, subscription: &Subscription, now: Seconds) -> Seconds {
    if feature.at_period_end { subscription.current_period_end } else { now }
}

/// How long a pause may be, in the order of the configuration; empty where it lasts until the customer ends it.
pub fn lengths(feature: &SubscriptionPause) -> Vec<Recurring> {
    let options = &feature.duration.interval_options;
    let each = options.iter().map(|option| Recurring { interval: option.interval, count: option.interval_count });
    if feature.duration.r#type == PauseDuration::IntervalOptions { each.collect() } else { Vec::new() }
}

/// Pauses, for one of the lengths that may be chosen. On one that is paused, or is to be, nothing changes.
pub async fn pause(
    tx: &mut Tx,
    who: &Actor,
    allowed: &Configuration,
    id: &str,
    length: Option<usize>,
) -> Result<Subscription> {
    let feature = &allowed.features.subscription_pause;
    may_write(who, feature.enabled)?;
    let current = subscription::get(tx, who, id).await?;
    let waits = current.scheduled.as_ref().is_some_and(|change| change.kind == subscription::scheduled::Kind::Pause);
    if waits || current.status == Status::Paused {
        return Ok(current);
    }
    if !is_pausable(&current) {
        let message = format!("A subscription that is {}, or ends, cannot be paused.", current.status.name());
        return Err(Error::conflict("subscription_unexpected_state", message));
    }
    let owner = customer::get(tx, who, &current.customer).await?;
    let begins = begins(feature, &current, customer::now(tx, who, &owner).await?);
    let lengths = lengths(feature);
    let chosen = length.and_then(|n| lengths.get(n));
    if chosen.is_none() && !(lengths.is_empty() && length.is_none()) {
        return Err(Error::invalid("length", "This length is not one of those offered."));
    }
    let resumes_at = chosen.map(|length| length.start_of(begins, 1)).transpose()?;
    let asked = Pause { at_period_end: feature.at_period_end, resumes_at, ..Pause::default() };
    let paused = pause::pause(tx, who, id, asked).await?;
    session::complete(tx, who).await?;
    Ok(paused)
}

/// What going on costs. Writes nothing; `tx` must be one to write in.
pub async fn quote_resume(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Quote> {
    may_write(who, allowed.features.subscription_pause.enabled)?;
    quote::make(tx, who, Change::Resume { subscription: id.into(), resume: Resume::default() }).await
}

/// Goes on for what was quoted.
pub async fn resume(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str, token: &str) -> Result<Confirmed> {
    may_write(who, allowed.features.subscription_pause.enabled)?;
    subscription::get(tx, who, id).await?;
    if !matches!(quote::change(tx, who, token)?, Change::Resume { subscription, .. } if subscription == id) {
        return Err(Error::invalid("token", "This quote is for something else."));
    }
    let confirmed = quote::confirm(tx, who, token).await?;
    if let Confirmed::Done(_) = confirmed {
        session::complete(tx, who).await?;
    }
    Ok(confirmed)
}
