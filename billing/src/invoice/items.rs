//! What the items of a subscription say on an invoice: a line each.

use crate::catalog::Cost;
use crate::clock::Seconds;
use crate::error::Result;
use crate::invoice::NewLine;
use crate::money::Currency;
use crate::subscription::{Item, Subscription};

/// What the current period of a subscription costs: a line an item.
pub fn period_lines(subscription: &Subscription) -> Result<Vec<NewLine>> {
    let each = subscription.items.iter().map(|item| {
        let amount = item.price.amount(item.quantity)?;
        period_line(subscription, item, amount)
    });
    each.collect()
}

/// A trial is billed too, at nothing, so that its invoice says what it is.
pub fn trial_lines(subscription: &Subscription) -> Vec<NewLine> {
    let each = subscription
        .items
        .iter()
        .map(|item| whole(subscription, item, 0, format!("Trial period for {}", item.product_name)));
    each.collect()
}

/// The current period of one item, at what it costs.
pub(crate) fn period_line(subscription: &Subscription, item: &Item, amount: i64) -> Result<NewLine> {
    Ok(whole(subscription, item, amount, describe(item, &subscription.currency)?))
}

fn whole(subscription: &Subscription, item: &Item, amount: i64, description: String) -> NewLine {
    let period = (subscription.current_period_start, subscription.current_period_end);
    NewLine { metadata: item.metadata.clone(), ..item_line(item, amount, description, period) }
}

/// A line about an item, taxed by the item's own rates where it has some.
pub(crate) fn item_line(item: &Item, amount: i64, description: String, period: (Seconds, Seconds)) -> NewLine {
    NewLine {
        subscription: Some(item.subscription.clone()),
        subscription_item: Some(item.id.clone()),
        price: Some(item.price.clone()),
        product_name: Some(item.product_name.clone()),
        tax_rates: item.tax_rates.clone(),
        ..NewLine::new(description, item.quantity, amount, period)
    }
}

/// Stripe's wording: `2 × Pro (at 20.00 EUR / month)`; a tiered price has no one amount to name.
fn describe(item: &Item, currency: &Currency) -> Result<String> {
    let at = match item.price.cost()? {
        Cost::PerUnit { unit, transform } => {
            let amount = unit.shifted(currency.decimals());
            let per = transform.map(|packages| format!(" per {}", packages.divide_by)).unwrap_or_default();
            format!("at {amount} {}{per}", currency.code().to_ascii_uppercase())
        }
        Cost::Tiered { mode, .. } => format!("{} pricing", mode.name()),
    };
    let every = match item.price.recurring() {
        Some(r) if r.count == 1 => r.interval.name().to_owned(),
        Some(r) => format!("every {} {}s", r.count, r.interval.name()),
        None => String::new(),
    };
    Ok(format!("{} × {} ({at} / {every})", item.quantity, item.product_name))
}
