//! Which events a customer is written about, and what is said of them.

use serde_json::Value;

use super::{About, Template};
use crate::actor::{Actor, Origin};
use crate::catalog::{price, product};
use crate::clock::Seconds;
use crate::error::Result;
use crate::money::Currency;
use crate::store::Tx;
use crate::subscription::scheduled::Kind;
use crate::subscription::{self, Subscription};

/// The mail that an event asks for; `before` and `after` are the object in the wire's shape.
pub(super) fn template(who: &Actor, event: &str, before: Option<&Value>, after: &Value) -> Option<Template> {
    // Whoever pays in person sees what becomes of it.
    let is_alone = matches!(who.origin, Origin::System { .. });
    match event {
        "invoice.paid" => (after["amount_paid"].as_i64() > Some(0)).then_some(Template::Receipt),
        "invoice.payment_failed" => is_alone.then_some(Template::PaymentFailed),
        "invoice.payment_action_required" => is_alone.then_some(Template::PaymentAction),
        "invoice.upcoming" => (after["amount_due"].as_i64() > Some(0)).then_some(Template::Upcoming),
        "customer.subscription.trial_will_end" => Some(Template::TrialEnding),
        "customer.subscription.deleted" => {
            (before.is_none_or(|before| before["status"] != "incomplete")).then_some(Template::Ended)
        }
        "customer.subscription.updated" => changed(before?, after),
        _ => None,
    }
}

/// The most that an update says: an end before other items, and those before what is scheduled.
fn changed(before: &Value, after: &Value) -> Option<Template> {
    if !["active", "trialing", "past_due"].iter().any(|status| after["status"] == *status) {
        return None;
    }
    let scheduled = |object: &Value| object["scheduled_change"]["id"].clone();
    if before["cancel_at"].is_null() && !after["cancel_at"].is_null() {
        Some(Template::Canceling)
    } else if before["status"] != "incomplete" && subscribed(before) != subscribed(after) {
        Some(Template::Changed)
    } else if scheduled(before) != scheduled(after) && after["scheduled_change"]["type"] == "update" {
        Some(Template::ChangeScheduled)
    } else {
        None
    }
}

/// The prices and how many of each.
fn subscribed(subscription: &Value) -> Vec<(&Value, &Value)> {
    let items = subscription["items"]["data"].as_array();
    items.into_iter().flatten().map(|item| (&item["price"]["id"], &item["quantity"])).collect()
}

pub(super) async fn about(tx: &mut Tx, who: &Actor, template: Template, after: &Value) -> Result<About> {
    match template {
        Template::Receipt => Ok(of_invoice(after, "amount_paid")),
        Template::PaymentFailed | Template::PaymentAction => Ok(of_invoice(after, "amount_remaining")),
        Template::Upcoming => {
            let invoice = About { invoice: None, ..of_invoice(after, "amount_due") };
            match &invoice.subscription {
                Some(id) => Ok(About { items: named(&subscription::get(tx, who, id).await?), ..invoice }),
                None => Ok(invoice),
            }
        }
        // No event asks for these.
        Template::Login | Template::WebhookFailing => Ok(About::default()),
        Template::TrialEnding
        | Template::Changed
        | Template::ChangeScheduled
        | Template::Canceling
        | Template::Ended => {
            let subscription = subscription::get(tx, who, after["id"].as_str().unwrap_or_default()).await?;
            of_subscription(tx, who, template, subscription).await
        }
    }
}

fn text(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().map(str::to_owned)
}

fn of_invoice(invoice: &Value, amount: &str) -> About {
    About {
        amount: invoice[amount].as_i64().unwrap_or_default(),
        currency: serde_json::from_value::<Currency>(invoice["currency"].clone()).ok(),
        number: text(invoice, "number"),
        at: invoice["next_payment_attempt"].as_i64().map(Seconds),
        invoice: text(invoice, "id"),
        subscription: text(invoice, "subscription"),
        url: text(invoice, "hosted_invoice_url"),
        ..About::default()
    }
}

async fn of_subscription(tx: &mut Tx, who: &Actor, template: Template, of: Subscription) -> Result<About> {
    let at = match template {
        Template::TrialEnding => of.trial_end,
        Template::Canceling => of.cancel_at,
        Template::ChangeScheduled => of.scheduled.as_ref().map(|change| change.due),
        _ => None,
    };
    let items = match of.scheduled.as_ref().filter(|change| change.kind == Kind::Update) {
        Some(change) if template == Template::ChangeScheduled => {
            let mut items = Vec::new();
            for item in &change.change.items {
                let price = price::get(tx, who, &item.price).await?;
                items.push((product::get(tx, who, &price.product).await?.name, item.quantity));
            }
            items
        }
        _ => named(&of),
    };
    let amount = of.renewal_amount()?;
    Ok(About { items, amount, currency: Some(of.currency), at, subscription: Some(of.id), ..About::default() })
}

fn named(subscription: &Subscription) -> Vec<(String, i64)> {
    subscription.items.iter().map(|item| (item.product_name.clone(), item.quantity)).collect()
}
