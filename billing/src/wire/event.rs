//! Events, as stored and as sent.

use serde_json::{Value, json};

use super::API_VERSION;
use crate::actor::Tenant;
use crate::event::Event;

pub fn event(tenant: &Tenant, e: &Event) -> Value {
    json!({
        "id": e.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": e.created,
        "data": *e.data,
        "livemode": tenant.livemode,
        "pending_webhooks": 0,
        "request": { "id": e.request_id, "idempotency_key": e.idempotency_key },
        "type": e.r#type,
        // Ours: who did it, and the how-manieth event of its object this is.
        "origin": e.origin,
        "sequence": e.sequence,
        "session": e.session,
    })
}
