//! How a subscription stands: its name, its price, a word for its state, and what happens next.

use billing::customer::payment_method::PaymentMethod;
use billing::invoice::Invoice;
use billing::period::Interval;
use billing::subscription::{CollectionMethod, Status, Subscription};
use billing::{Seconds, catalog};

use super::method::short;
use super::overview::Held;
use crate::parts::{Fact, Pill, Tone};
use crate::text::{Locale, format, say};

/// How long an incomplete subscription waits for its first payment: 23 hours, as in the books.
const TO_COMPLETE: i64 = 23 * 3600;

/// As many items are named; of more, one less, so that a name stays one.
const NAMED: usize = 3;

/// `Pro`, `Team × 5 + Support`, `Team + Support + …`.
pub fn name(subscription: &Subscription) -> String {
    all(subscription.items.iter().map(|item| lot(&item.product_name, item.quantity)).collect())
}

/// Several lots as one name.
pub fn all(mut lots: Vec<String>) -> String {
    if lots.len() > NAMED {
        lots.truncate(NAMED - 1);
        lots.push("…".to_owned());
    }
    lots.join(" + ")
}

/// `Team × 5`
pub fn lot(product: &str, quantity: i64) -> String {
    if quantity == 1 { product.to_owned() } else { format!("{product} × {quantity}") }
}

/// What a period costs; `None` where that is not known beforehand.
pub fn price(locale: Locale, subscription: &Subscription) -> Option<String> {
    let amount = subscription.renewal_amount().ok()?;
    Some(format::money(locale, amount, &subscription.currency))
}

/// `per month`, `every 3 months`.
pub fn every(locale: Locale, subscription: &Subscription) -> Option<String> {
    interval(locale, &subscription.items.first()?.price)
}

pub fn interval(locale: Locale, price: &catalog::Price) -> Option<String> {
    let recurring = price.recurring()?;
    let n = recurring.count;
    Some(match recurring.interval {
        Interval::Day => say!(every.days, locale, n = n),
        Interval::Week => say!(every.weeks, locale, n = n),
        Interval::Month => say!(every.months, locale, n = n),
        Interval::Year => say!(every.years, locale, n = n),
    })
}

/// `Billed monthly`: a heading.
pub fn billed(locale: Locale, price: &catalog::Price) -> Option<String> {
    let recurring = price.recurring()?;
    let n = recurring.count;
    Some(match recurring.interval {
        Interval::Day => say!(billed.days, locale, n = n),
        Interval::Week => say!(billed.weeks, locale, n = n),
        Interval::Month => say!(billed.months, locale, n = n),
        Interval::Year => say!(billed.years, locale, n = n),
    })
}

/// `5 × €10.00 per month`; where a unit has no price of its own, how often alone.
pub fn unit(locale: Locale, price: &catalog::Price, quantity: i64) -> String {
    let every = interval(locale, price).unwrap_or_default();
    let Some(unit) = price.unit_amount else { return every };
    let unit = format!("{} {every}", format::money(locale, unit, &price.currency));
    let quantity = format::integer(locale, quantity);
    say!(fact.quantity, locale, quantity = quantity, unit = unit.trim_end())
}

/// The day a cancellation takes effect, where one is set.
pub fn ends_on(subscription: &Subscription) -> Option<Seconds> {
    let at_period_end = subscription.cancel_at_period_end.then_some(subscription.current_period_end);
    subscription.cancel_at.or(at_period_end).filter(|_| !subscription.status.is_ended())
}

/// When an incomplete subscription lapses.
pub fn lapses_on(subscription: &Subscription) -> Seconds {
    subscription.start_date.plus(TO_COMPLETE)
}

pub fn pill(locale: Locale, subscription: &Subscription) -> Pill {
    let (tone, label) = match subscription.status {
        Status::PastDue => (Tone::Bad, say!(standing.past_due, locale)),
        Status::Unpaid => (Tone::Bad, say!(standing.unpaid, locale)),
        Status::Canceled => (Tone::Quiet, say!(standing.ended, locale)),
        Status::IncompleteExpired => (Tone::Quiet, say!(standing.never_started, locale)),
        Status::Incomplete => (Tone::Warn, say!(standing.incomplete, locale)),
        _ if ends_on(subscription).is_some() => (Tone::Warn, say!(standing.ending, locale)),
        Status::Paused => (Tone::Info, say!(standing.paused, locale)),
        Status::Trialing => (Tone::Info, say!(standing.trialing, locale)),
        Status::Active => (Tone::Good, say!(standing.active, locale)),
    };
    Pill { tone, label }
}

/// What is owed and what comes next.
pub fn facts(locale: Locale, held: &Held) -> Vec<Fact> {
    let (subscription, method) = (&held.subscription, held.method.as_ref());
    let date = |at: Seconds| format::date(locale, at);
    let mut facts: Vec<Fact> = owed(locale, subscription, held.open.as_ref()).into_iter().collect();
    match (subscription.status, ends_on(subscription)) {
        (Status::Canceled, _) => {
            facts.push(fact(
                say!(fact.ended_on, locale),
                date(subscription.ended_at.unwrap_or(subscription.current_period_end)),
            ));
        }
        (Status::IncompleteExpired, _) => {
            let lapsed =
                fact(say!(fact.lapsed_on, locale), date(subscription.ended_at.unwrap_or(lapses_on(subscription))));
            facts.push(Fact { hint: Some(say!(fact.never_charged, locale)), ..lapsed });
        }
        (Status::Incomplete, _) => {}
        (_, Some(end)) => {
            let access = fact(say!(fact.access_until, locale), date(end));
            facts.push(Fact { hint: Some(say!(fact.no_charge, locale)), ..access });
        }
        (Status::Paused, None) => facts.push(paused(locale, subscription)),
        (Status::Trialing, None) => {
            let end = subscription.trial_end.unwrap_or(subscription.current_period_end);
            facts.push(fact(say!(fact.trial_ends, locale), date(end)));
            facts.push(next(locale, subscription, method, true));
        }
        _ => facts.push(next(locale, subscription, method, false)),
    }
    facts
}

fn fact(label: String, value: String) -> Fact {
    Fact { label, value, hint: None }
}

fn owed(locale: Locale, subscription: &Subscription, open: Option<&Invoice>) -> Option<Fact> {
    let invoice = open?;
    let value = format::money(locale, invoice.amount_remaining(), &invoice.currency);
    Some(match subscription.status {
        Status::Incomplete => {
            let by = format::date(locale, lapses_on(subscription));
            Fact { label: say!(fact.to_start, locale), value, hint: Some(say!(fact.by, locale, date = by)) }
        }
        _ => {
            let retry = invoice.next_payment_attempt.map(|at| format::date(locale, at));
            let hint = retry.map(|date| say!(fact.retry, locale, date = date));
            Fact { label: say!(fact.due_now, locale), value, hint }
        }
    })
}

/// When it is paid next, how much, and how.
fn next(locale: Locale, subscription: &Subscription, method: Option<&PaymentMethod>, first: bool) -> Fact {
    let label = match (subscription.collection_method, first) {
        (CollectionMethod::ChargeAutomatically, false) => say!(fact.next_charge, locale),
        (CollectionMethod::ChargeAutomatically, true) => say!(fact.first_charge, locale),
        (CollectionMethod::SendInvoice, false) => say!(fact.next_invoice, locale),
        (CollectionMethod::SendInvoice, true) => say!(fact.first_invoice, locale),
    };
    let automatic = subscription.collection_method == CollectionMethod::ChargeAutomatically;
    let hint = match (price(locale, subscription), method.filter(|_| automatic)) {
        (Some(amount), Some(method)) => {
            Some(say!(fact.charged_to, locale, amount = amount, method = short(locale, method)))
        }
        (amount, _) => amount,
    };
    Fact { label, value: format::date(locale, subscription.current_period_end), hint }
}

fn paused(locale: Locale, subscription: &Subscription) -> Fact {
    let since = format::date(locale, subscription.paused_at.unwrap_or(subscription.current_period_start));
    let resumes = subscription.resumes_at.map(|at| format::date(locale, at));
    let hint = match resumes {
        Some(date) => say!(fact.resumes, locale, date = date),
        None => say!(fact.not_charged_while_paused, locale),
    };
    Fact { label: say!(fact.paused_since, locale), value: since, hint: Some(hint) }
}

#[cfg(test)]
mod tests;
