//! What the first invoice of a subscription bills: its trial, or its first period or the part of one before its anchor,
//! and, where it began in the past, every period since then, each in a line of its own (Stripe's flexible billing).

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::invoice::{self, NewLine};
use crate::period::Recurring;
use crate::proration::{Span, debit};
use crate::store::Tx;
use crate::subscription::{ProrationBehavior, Subscription, proposal};

/// As many lines as an invoice can have.
const MOST: usize = 250;

pub(crate) async fn lines(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    behavior: ProrationBehavior,
) -> Result<Vec<NewLine>> {
    if subscription.trial_end.is_some() {
        return Ok(invoice::trial_lines(subscription));
    }
    let mut lines = Vec::new();
    for whole in periods(subscription, behavior)? {
        lines.extend(of_period(tx, who, subscription, behavior, whole).await?);
    }
    Ok(lines)
}

/// The whole periods that what is billed lies in, in their order. Time that is gone may be free.
fn periods(subscription: &Subscription, behavior: ProrationBehavior) -> Result<Vec<Span>> {
    let recurring = subscription.recurring().ok_or_else(|| Error::internal("a subscription without an interval"))?;
    let mut cycle = subscription.cycle;
    let mut periods = vec![period(recurring, subscription, cycle)?];
    while behavior != ProrationBehavior::None && periods[0].start() > subscription.start_date {
        if (periods.len() + 1) * subscription.items.len() > MOST {
            let message = "It lies so far back that the first invoice would have more lines than it can have.";
            return Err(Error::invalid("backdate_start_date", message));
        }
        cycle -= 1;
        periods.insert(0, period(recurring, subscription, cycle)?);
    }
    Ok(periods)
}

fn period(recurring: Recurring, subscription: &Subscription, cycle: i64) -> Result<Span> {
    let anchor = subscription.billing_cycle_anchor;
    Span::new(recurring.start_of(anchor, cycle)?, recurring.start_of(anchor, cycle + 1)?)
}

/// A period that is billed whole, or from the start of the subscription on: then its discounts are taken off first, and
/// what is left is prorated.
async fn of_period(
    tx: &mut Tx,
    who: &Actor,
    subscription: &Subscription,
    behavior: ProrationBehavior,
    whole: Span,
) -> Result<Vec<NewLine>> {
    let from = whole.start().max(subscription.start_date);
    let (start, end) = (from, whole.end());
    let of = Subscription { current_period_start: start, current_period_end: end, ..subscription.clone() };
    let lines = invoice::period_lines(&of)?;
    let is_free = behavior == ProrationBehavior::None && whole.start() < subscription.created;
    if from == whole.start() && !is_free {
        return Ok(lines);
    }
    let left = proposal::discounted(tx, who, subscription, &lines).await?;
    let each = lines.into_iter().zip(left).map(|(line, left)| NewLine {
        amount: if is_free { 0 } else { debit(left, whole, from) },
        proration: true,
        discountable: false,
        ..line
    });
    Ok(each.collect())
}
