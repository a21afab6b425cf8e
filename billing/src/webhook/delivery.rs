//! Deliveries: which endpoint is sent which event, under which name, and what became of it.

use serde_json::Value;

use super::check_merchant;
use crate::actor::Actor;
use crate::clock::{Millis, Seconds};
use crate::error::{Error, Result};
use crate::id;
use crate::page::{Listed, Page, page};
use crate::store::{Json, Tx, all, maybe, run};
use crate::text_enum::text_enum;

/// What it was sent for 30 days, an endpoint's log shows.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

text_enum!(
    /// A delivery that failed was tried for three days, or ended with its endpoint.
    Status { Pending = "pending", Delivered = "delivered", Failed = "failed" }
);

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Delivery {
    pub id: String,
    pub endpoint: String,
    pub event: String,
    /// The type that the endpoint lists, and so receives it under.
    pub name: String,
    pub status: Status,
    /// Since it was written or asked for again.
    pub attempts: i64,
    /// When it is tried next, while it is pending.
    pub next_ms: Option<Millis>,
    /// The HTTP status of the last answer; `None` where there was none.
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub created: Seconds,
    pub settled_ms: Option<Millis>,
}

macro_rules! columns {
    () => {
        "id, endpoint, event, name, status, attempts, next_ms, last_status, last_error, created, settled_ms"
    };
}

/// Which deliveries a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub endpoint: Option<String>,
    pub event: Option<String>,
    pub status: Option<Status>,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Delivery> {
    check_merchant(who)?;
    maybe!(tx, concat!("select ", columns!(), " from delivery where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("webhook_delivery", id))
}

/// The log, newest first.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &Filter) -> Result<Listed<Delivery>> {
    check_merchant(who)?;
    page!(
        tx,
        who,
        page,
        "delivery",
        columns!(),
        "(cast($7 as text) is null or endpoint = $7) and (cast($8 as text) is null or event = $8) and (cast($9 as text) is null or status = $9)",
        filter.endpoint,
        filter.event,
        filter.status
    )
}

/// Writes a delivery for each enabled endpoint that is sent this event, in the event's own transaction.
pub(crate) async fn follow(tx: &mut Tx, who: &Actor, event: &str, kind: &str, data: &Value) -> Result<()> {
    let endpoints: Vec<(String, Json<Vec<String>>)> = all!(
        tx,
        "select id, enabled_events from webhook_endpoint where tenant = $1 and status = 'enabled' and deleted_at is null",
        who.tenant.key
    )?;
    for (endpoint, listed) in endpoints {
        for name in names(kind, data, &listed) {
            ask(tx, who, &endpoint, event, name).await?;
        }
    }
    Ok(())
}

/// The names under which an endpoint that lists these receives an event; both where it lists both.
pub(super) fn names<'a>(kind: &'a str, data: &Value, listed: &[String]) -> Vec<&'a str> {
    let lists = |name: &str| listed.iter().any(|listed| listed == name);
    let own = (lists("*") || lists(kind)).then_some(kind);
    let other = alias(kind, data).filter(|alias| lists(alias));
    own.into_iter().chain(other).collect()
}

/// The name that the references print for what Stripe calls otherwise.
fn alias(kind: &str, data: &Value) -> Option<&'static str> {
    match kind {
        "customer.subscription.updated" => Some("subscription.updated"),
        "customer.subscription.deleted" => Some("subscription.deleted"),
        "customer.subscription.paused" => Some("subscription.paused"),
        "customer.subscription.pending_update_applied" => Some("subscription.pending_update.success"),
        "payment_method.attached" | "payment_method.updated" | "payment_method.detached" => Some(METHOD_UPDATED),
        "customer.updated" => new_default(data).map(|_| METHOD_UPDATED),
        _ => None,
    }
}

pub(super) const METHOD_UPDATED: &str = "customer.payment_method_updated";

/// The method that an update of a customer made their default.
pub(super) fn new_default(data: &Value) -> Option<&str> {
    data["previous_attributes"]["invoice_settings"].get("default_payment_method")?;
    data["object"]["invoice_settings"]["default_payment_method"].as_str()
}

/// Has an event sent to an endpoint, again if it was before: from now on as if it had just happened.
pub(super) async fn ask(tx: &mut Tx, who: &Actor, endpoint: &str, event: &str, name: &str) -> Result<()> {
    run!(
        tx,
        "insert into delivery (tenant, id, endpoint, event, name, status, attempts, since_ms, next_ms, created)
         values ($1, $2, $3, $4, $5, 'pending', 0, $6, $6, $7)
         on conflict (tenant, event, endpoint, name) do update
         set status = 'pending', attempts = 0, since_ms = $6, next_ms = $6, last_status = null, last_error = null, settled_ms = null",
        who.tenant.key,
        id::new("whd", tx.now),
        endpoint,
        event,
        name,
        tx.now,
        tx.now.seconds()
    )?;
    Ok(())
}

/// What waits for an endpoint that is gone will not be sent.
pub(super) async fn give_up_all(tx: &mut Tx, who: &Actor, endpoint: &str) -> Result<()> {
    run!(
        tx,
        "update delivery set status = 'failed', next_ms = null, settled_ms = $3, last_error = 'the endpoint was deleted'
         where tenant = $1 and endpoint = $2 and status = 'pending'",
        who.tenant.key,
        endpoint,
        tx.now
    )?;
    Ok(())
}

/// Forgets what became of deliveries long ago; answers of how many. The events stay.
pub async fn prune(tx: &mut Tx) -> Result<u64> {
    tx.unaudited();
    run!(tx, "delete from delivery where settled_ms < $1", tx.now.plus(-KEPT_MS))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn received<'a>(kind: &'a str, listed: &[&str]) -> Vec<&'a str> {
        names(kind, &json!({}), &listed.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn an_endpoint_receives_what_it_lists_by_the_name_it_lists() {
        let updated = "customer.subscription.updated";
        assert_eq!(received(updated, &["*"]), [updated]);
        assert_eq!(received(updated, &["subscription.updated"]), ["subscription.updated"]);
        assert_eq!(received(updated, &["*", "subscription.updated"]), [updated, "subscription.updated"]);
        assert_eq!(received(updated, &["invoice.paid", "subscription.deleted"]), [""; 0]);
        let scheduled = "subscription.cancellation_scheduled";
        assert_eq!(received(scheduled, &["*"]), [scheduled]);
        assert_eq!(received(scheduled, &[updated]), [""; 0]);
        assert_eq!(received("payment_method.detached", &[METHOD_UPDATED]), [METHOD_UPDATED]);
        assert_eq!(
            received("customer.subscription.pending_update_applied", &["subscription.pending_update.success"]),
            ["subscription.pending_update.success"]
        );
    }

    #[test]
    fn a_new_default_is_an_update_of_the_method() {
        let listed = [METHOD_UPDATED.to_owned()];
        let updated = |before: Value, after: Value| json!({"object": {"invoice_settings": {"default_payment_method": after}}, "previous_attributes": before});
        let changed = updated(json!({"invoice_settings": {"default_payment_method": null}}), json!("pm_1"));
        assert_eq!(names("customer.updated", &changed, &listed), [METHOD_UPDATED]);
        assert_eq!(new_default(&changed), Some("pm_1"));
        for other in [
            updated(json!({"name": "Ada"}), json!("pm_1")),
            updated(json!({"invoice_settings": {"footer": null}}), json!("pm_1")),
            updated(json!({"invoice_settings": {"default_payment_method": "pm_1"}}), json!(null)),
        ] {
            assert_eq!(names("customer.updated", &other, &listed), [""; 0]);
        }
    }
}
