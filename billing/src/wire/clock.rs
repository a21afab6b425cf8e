//! Test clocks.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::test_clock::{Status, TestClock};

pub fn test_clock(tenant: &Tenant, c: &TestClock) -> Value {
    let details = match (c.status, c.target_time) {
        (Status::Advancing, Some(target)) => json!({ "advancing": { "target_frozen_time": target } }),
        _ => json!({}),
    };
    json!({
        "id": c.id,
        "object": "test_helpers.test_clock",
        "created": c.created,
        "deletes_after": c.deletes_after,
        "frozen_time": c.frozen_time,
        "livemode": tenant.livemode,
        "name": c.name,
        "status": c.status,
        "status_details": details,
    })
}
