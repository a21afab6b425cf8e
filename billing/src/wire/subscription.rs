//! Subscriptions and their items.

use serde_json::{Value, json};

use super::with;
use crate::actor::Tenant;
use crate::subscription::pending;
use crate::subscription::scheduled::Kind;
use crate::subscription::{Item, ScheduledChange, Subscription};

pub fn subscription(tenant: &Tenant, s: &Subscription) -> Value {
    let subscription = json!({
        "id": s.id,
        "object": "subscription",
        "application": null,
        "application_fee_percent": null,
        "automatic_tax": { "disabled_reason": null, "enabled": s.automatic_tax, "liability": liability(s) },
        "billing_cycle_anchor": s.billing_cycle_anchor,
        "billing_cycle_anchor_config": null,
        // What was paid is what is credited, discounts included: there is no other mode.
        "billing_mode": { "flexible": { "proration_discounts": "included" }, "type": "flexible" },
        "billing_schedules": [],
        "billing_thresholds": null,
        "cancel_at": s.cancel_at,
        "cancel_at_period_end": s.cancel_at_period_end,
        "canceled_at": s.canceled_at,
        "cancellation_details": {
            "comment": s.cancellation_details.comment,
            "feedback": s.cancellation_details.feedback,
            "feedback_option": s.cancellation_details.feedback_option,
            "reason": s.cancellation_details.reason,
        },
        "collection_method": s.collection_method,
        "created": s.created,
        "currency": s.currency,
        "customer": s.customer,
        "customer_account": null,
        "days_until_due": s.days_until_due,
        "default_payment_method": s.default_payment_method,
        "default_source": null,
        "default_tax_rates": super::named_rates(tenant, &s.default_tax_rates),
        "description": s.description,
        "discounts": super::discounts(&s.discounts),
        "ended_at": s.ended_at,
        "invoice_settings": invoice_settings(s),
        "items": items(tenant, s),
        "latest_invoice": s.latest_invoice,
        "livemode": tenant.livemode,
        "managed_payments": null,
        "metadata": *s.metadata,
        "next_pending_invoice_item_invoice": null,
        "on_behalf_of": null,
        "pause_collection": s.pause_collection.as_deref(),
        "payment_settings": {
            "payment_method_options": null,
            "payment_method_types": s.payment_settings.payment_method_types,
            "save_default_payment_method": s.payment_settings.save_default_payment_method,
        },
        "pending_invoice_item_interval": null,
        "pending_setup_intent": s.pending_setup_intent,
        "pending_update": pending_update(s),
        "schedule": null,
        "start_date": s.start_date,
        "status": s.status,
        "test_clock": s.clock_id,
        "transfer_data": null,
        "trial_end": s.trial_end,
        "trial_settings": {
            "end_behavior": {
                "billing_cycle_anchor": null,
                "missing_payment_method": s.trial_settings.missing_payment_method,
            },
        },
        "trial_start": s.trial_start,
    });
    with(with(subscription, legacy(tenant, s)), ours(tenant, s))
}

fn liability(s: &Subscription) -> Option<Value> {
    s.automatic_tax.then(|| json!({ "type": "self" }))
}

fn invoice_settings(s: &Subscription) -> Value {
    let unset = json!({
        "account_tax_ids": null,
        "custom_fields": null,
        "description": null,
        "footer": null,
        "issuer": { "type": "self" },
    });
    with(unset, s.invoice_settings.0.clone())
}

fn items(tenant: &Tenant, s: &Subscription) -> Value {
    let data = s.items.iter().map(|one| item(tenant, one)).collect();
    super::list(&format!("/v1/subscription_items?subscription={}", s.id), data, false)
}

fn pending_update(s: &Subscription) -> Option<Value> {
    let unset = json!({
        "billing_cycle_anchor": null,
        "cancel_at_period_end": null,
        "discount": null,
        "discounts": null,
        "expires_at": s.pending_update_expires_at,
        "metadata": null,
        "subscription_items": null,
        "trial_end": null,
        "trial_from_plan": null,
    });
    s.pending_update.as_ref().map(|update| with(unset, pending::shown(update)))
}

fn legacy(tenant: &Tenant, s: &Subscription) -> Value {
    json!({
        "current_period_end": s.current_period_end,
        "current_period_start": s.current_period_start,
        "discount": s.discounts.first().map(|discount| super::discount(tenant, discount)),
    })
}

/// When a defect's bound stopped it; a pause by status, which Stripe does not date; and what waits, for which Stripe has
/// schedules.
fn ours(tenant: &Tenant, s: &Subscription) -> Value {
    json!({
        "parked_at": s.parked_at,
        "paused_at": s.paused_at,
        "resumes_at": s.resumes_at,
        "scheduled_change": s.scheduled.as_ref().map(|change| scheduled_change(tenant, change)),
    })
}

/// `items` is everything that will stand on the subscription, of an update only.
pub fn scheduled_change(tenant: &Tenant, c: &ScheduledChange) -> Value {
    let items = c.change.items.iter().map(|item| {
        json!({
            "id": item.id,
            "metadata": item.metadata,
            "price": item.price,
            "quantity": item.quantity,
            "tax_rates": item.tax_rates,
        })
    });
    json!({
        "id": c.id,
        "object": "scheduled_change",
        "created": c.created,
        "effective_at": c.due,
        "items": (c.kind == Kind::Update).then(|| items.collect::<Vec<_>>()),
        "livemode": tenant.livemode,
        "origin": c.origin,
        "resumes_at": c.change.resumes_at,
        "settled_at": c.settled_at,
        "status": c.status,
        "subscription": c.subscription,
        "type": c.kind,
    })
}

pub fn item(tenant: &Tenant, i: &Item) -> Value {
    json!({
        "id": i.id,
        "object": "subscription_item",
        "billing_thresholds": null,
        "created": i.created,
        "current_period_end": i.current_period_end,
        "current_period_start": i.current_period_start,
        "current_trial": null,
        "discounts": super::discounts(&i.discounts),
        "metadata": i.metadata,
        "plan": super::plan(tenant, &i.price),
        "price": super::price(tenant, &i.price),
        "quantity": i.quantity,
        "subscription": i.subscription,
        "tax_rates": super::named_rates(tenant, &i.tax_rates),
    })
}
