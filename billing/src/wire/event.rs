//! Events, as stored and as sent; where they are sent; and the audit log beside them.

use serde_json::{Value, json};

use super::API_VERSION;
use crate::actor::Tenant;
use crate::audit::Entry;
use crate::clock::Millis;
use crate::event::Event;
use crate::webhook::Endpoint;
use crate::webhook::delivery::Delivery;

pub fn event(tenant: &Tenant, e: &Event) -> Value {
    json!({
        "id": e.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": e.created,
        "data": *e.data,
        "livemode": tenant.livemode,
        "pending_webhooks": e.pending_webhooks,
        "request": { "id": e.request_id, "idempotency_key": e.idempotency_key },
        "type": e.r#type,
        // Ours: who did it, and the how-manieth event of its object this is.
        "origin": e.origin,
        "sequence": e.sequence,
        "session": e.session,
    })
}

/// Without its secret, which only the answer that makes it shows.
pub fn webhook_endpoint(tenant: &Tenant, w: &Endpoint) -> Value {
    json!({
        "id": w.id,
        "object": "webhook_endpoint",
        "api_version": w.api_version,
        "application": null,
        "created": w.created,
        "description": w.description,
        "enabled_events": *w.enabled_events,
        "livemode": tenant.livemode,
        "metadata": *w.metadata,
        "status": w.status,
        "url": w.url,
        // Ours: until when the secret before the last rotation signs too.
        "previous_secret_expires": w.previous_secret_expires,
    })
}

/// Ours: how many deliveries to an endpoint were asked for again.
pub fn webhook_replay(endpoint: &str, deliveries: usize) -> Value {
    json!({ "object": "webhook_replay", "deliveries": deliveries, "webhook_endpoint": endpoint })
}

/// Ours: what became of an event that was sent.
pub fn webhook_delivery(tenant: &Tenant, d: &Delivery) -> Value {
    json!({
        "id": d.id,
        "object": "webhook_delivery",
        "attempts": d.attempts,
        "created": d.created,
        "event": d.event,
        "last_error": d.last_error,
        "last_response_code": d.last_status,
        "livemode": tenant.livemode,
        "next_attempt": d.next_ms.map(Millis::seconds),
        "settled": d.settled_ms.map(Millis::seconds),
        "status": d.status,
        "type": d.name,
        "webhook_endpoint": d.endpoint,
    })
}

/// Ours: who did what, and what it changed.
pub fn audit_entry(tenant: &Tenant, e: &Entry) -> Value {
    json!({
        "id": e.id,
        "object": "audit_entry",
        "action": e.action,
        "actor": e.actor,
        "after": e.after.as_deref(),
        "before": e.before.as_deref(),
        "created": e.at_ms.seconds(),
        "customer": e.customer,
        "event": e.event,
        "ip": e.ip,
        "livemode": tenant.livemode,
        "origin": e.origin,
        "request": { "id": e.request_id, "idempotency_key": e.idempotency_key },
        "target": { "id": e.object_id, "type": e.object },
        "user_agent": e.user_agent,
    })
}
