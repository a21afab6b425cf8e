//! Every change leaves an audit entry and its events in the transaction that makes it.

mod size;

use serde_json::{Map, Value, json};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::page::{Listed, Page, page};
use crate::store::{Json, Tx, maybe, one, run};
use crate::webhook::delivery;
use crate::{audit, id, mail};

/// What happened to one object, as it was and is in the wire's shape.
pub struct Change<'a> {
    /// The object's kind (`customer`) and id.
    pub object: &'static str,
    pub id: &'a str,
    pub customer: Option<&'a str>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// What the audit log calls it; also the event when `events` names no other.
    pub action: &'static str,
    /// Events to send. Empty for changes that only the audit log records.
    pub events: &'a [&'static str],
}

/// An event as it was rendered when it happened.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Event {
    pub id: String,
    pub r#type: String,
    pub object_id: String,
    pub sequence: i64,
    pub customer: Option<String>,
    pub data: Json<Value>,
    pub origin: String,
    pub session: Option<String>,
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
    pub created: Seconds,
    /// How many deliveries of it are still to be made.
    pub pending_webhooks: i64,
}

/// Every event that is sent, by its canonical name: what a webhook endpoint may subscribe to.
pub const NAMES: &[&str] = &[
    "billing_portal.configuration.created",
    "billing_portal.configuration.updated",
    "billing_portal.session.created",
    "charge.refunded",
    "coupon.created",
    "coupon.deleted",
    "coupon.updated",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "customer.created",
    "customer.deleted",
    "customer.discount.created",
    "customer.discount.deleted",
    "customer.discount.updated",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "customer.subscription.updated",
    "customer.tax_id.created",
    "customer.tax_id.deleted",
    "customer.tax_id.updated",
    "customer.updated",
    "invoice.created",
    "invoice.deleted",
    "invoice.finalized",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.paid",
    "invoice.payment_action_required",
    "invoice.payment_failed",
    "invoice.sent",
    "invoice.upcoming",
    "invoice.updated",
    "invoice.voided",
    "invoiceitem.created",
    "invoiceitem.deleted",
    "payment_intent.canceled",
    "payment_intent.created",
    "payment_intent.payment_failed",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "price.created",
    "price.deleted",
    "price.updated",
    "product.created",
    "product.deleted",
    "product.updated",
    "promotion_code.created",
    "promotion_code.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.canceled",
    "setup_intent.created",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
    "subscription.cancellation_scheduled",
    "tax_rate.created",
    "tax_rate.updated",
    "test_helpers.test_clock.advancing",
    "test_helpers.test_clock.created",
    "test_helpers.test_clock.deleted",
    "test_helpers.test_clock.internal_failure",
    "test_helpers.test_clock.ready",
];

macro_rules! columns {
    () => {
        "id, type, object_id, sequence, customer, data, origin, session, request_id, idempotency_key, created, \
         (select count(*) from delivery d where d.tenant = event.tenant and d.event = event.id and d.status = 'pending') as pending_webhooks"
    };
}

/// Whether a delivery is still to be made, or failed, as `$9` says.
macro_rules! sent {
    () => {
        "(cast($9 as bigint) is null or $9 = case when exists (
             select 1 from delivery d where d.tenant = event.tenant and d.event = event.id and d.status <> 'delivered')
             then 1 else 0 end)"
    };
}

/// Writes the audit entry and the events of a change. One that nobody outside can see is told to nobody outside.
pub async fn record(tx: &mut Tx, who: &Actor, change: Change<'_>) -> Result<()> {
    let previous = match (&change.before, &change.after) {
        (Some(before), Some(after)) => Some(previous_attributes(before, after)),
        _ => None,
    };
    let mut first_event = None;
    if change.before != change.after {
        for name in change.events {
            let event = append(tx, who, &change, name, previous.as_ref()).await?;
            first_event.get_or_insert(event);
            if tx.writes_mail() {
                Box::pin(mail::follow(tx, who, name, &change)).await?;
            }
        }
    }
    audit::append(tx, who, &change, previous, first_event).await
}

async fn append(tx: &mut Tx, who: &Actor, change: &Change<'_>, name: &str, previous: Option<&Value>) -> Result<String> {
    debug_assert!(NAMES.contains(&name), "{name} is missing in event::NAMES, so that nobody could subscribe to it");
    let object = change
        .after
        .as_ref()
        .or(change.before.as_ref())
        .ok_or_else(|| Error::internal("an event without its object"))?;
    let mut data = json!({ "object": object });
    if let Some(previous) = previous {
        data["previous_attributes"] = previous.clone();
    }
    let data = size::fitted(data);
    let event = id::new("evt", tx.now);
    let (sequence,): (i64,) = one!(
        tx,
        "select cast(coalesce(max(sequence), 0) + 1 as bigint) from event where tenant = $1 and object_id = $2",
        who.tenant.key,
        change.id
    )?;
    run!(
        tx,
        "insert into event (tenant, id, type, object_id, sequence, customer, data, origin, session, request_id, idempotency_key, created)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        who.tenant.key,
        &event,
        name,
        change.id,
        sequence,
        change.customer,
        Json(&data),
        who.origin_name(),
        who.session(),
        who.trace.request.as_deref(),
        who.trace.idempotency_key.as_deref(),
        tx.now.seconds()
    )?;
    delivery::follow(tx, who, &event, name, &data).await?;
    Ok(event)
}

/// The values that `after` replaced, in Stripe's manner: changed keys only, nested objects by their changed keys.
fn previous_attributes(before: &Value, after: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (before, after) else { return before.clone() };
    let mut changed = Map::new();
    for (key, value) in old {
        match new.get(key) {
            Some(now) if now == value => {}
            Some(now) if now.is_object() && value.is_object() => {
                changed.insert(key.clone(), previous_attributes(value, now));
            }
            _ => {
                changed.insert(key.clone(), value.clone());
            }
        }
    }
    for key in new.keys().filter(|key| !old.contains_key(*key)) {
        changed.insert(key.clone(), Value::Null);
    }
    Value::Object(changed)
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Event> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from event where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("event", id))
}

/// Events newest first; `kind` is one type (`customer.created`) or a family (`customer.*`).
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, kind: Option<&str>) -> Result<Listed<Event>> {
    list_sent(tx, who, page, kind, None).await
}

/// The same; `delivered` shows only what every endpoint has taken that it was sent to, or only what one of them has not.
pub async fn list_sent(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    kind: Option<&str>,
    delivered: Option<bool>,
) -> Result<Listed<Event>> {
    let own = who.customer();
    let open = delivered.map(|delivered| i64::from(!delivered));
    let family = kind.and_then(|k| k.strip_suffix('*'));
    match (kind, family) {
        (Some(kind), None) => page!(
            tx,
            who,
            page,
            "event" if "customer = $3",
            columns!(),
            concat!("type = $7 and (cast($8 as text) is null or customer = $8) and ", sent!()),
            kind,
            own,
            open
        ),
        (_, prefix) => page!(
            tx,
            who,
            page,
            "event" if "customer = $3",
            columns!(),
            concat!("substr(type, 1, length($7)) = $7 and (cast($8 as text) is null or customer = $8) and ", sent!()),
            prefix.unwrap_or_default(),
            own,
            open
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_attributes_hold_only_what_changed() {
        let before = json!({"id": "x", "name": "a", "address": {"city": "Bonn", "country": "DE"}, "metadata": {"a": "1"}, "list": [1]});
        let after = json!({"id": "x", "name": "b", "address": {"city": "Köln", "country": "DE"}, "metadata": {"b": "2"}, "list": [1, 2]});
        assert_eq!(
            previous_attributes(&before, &after),
            json!({"name": "a", "address": {"city": "Bonn"}, "metadata": {"a": "1", "b": null}, "list": [1]})
        );
    }
}
