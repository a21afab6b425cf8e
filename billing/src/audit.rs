//! The append-only record of who did what; triggers refuse update and delete, a sealer chains it after the fact.

pub mod list;
pub mod seal;
pub mod verify;

use serde_json::Value;

use crate::actor::Actor;
use crate::clock::Millis;
use crate::error::Result;
use crate::event::Change;
use crate::id;
use crate::page::{Listed, Page};
use crate::store::{Json, Tx, all, run};

/// One entry. `before` and `after` hold only what changed; a creation's full object is in its event.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Entry {
    pub id: String,
    pub at_ms: Millis,
    pub action: String,
    pub object: String,
    pub object_id: String,
    pub customer: Option<String>,
    pub origin: String,
    pub actor: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub idempotency_key: Option<String>,
    pub event: Option<String>,
    pub before: Option<Json<Value>>,
    pub after: Option<Json<Value>>,
}

macro_rules! columns {
    () => {
        "id, at_ms, action, object, object_id, customer, origin, actor, ip, user_agent, request_id, idempotency_key, event, before, after"
    };
}
pub(crate) use columns;

/// Called by [`crate::event::record`] for every change.
pub(crate) async fn append(
    tx: &mut Tx,
    who: &Actor,
    change: &Change<'_>,
    previous: Option<Value>,
    event: Option<String>,
) -> Result<()> {
    let after = match (&previous, &change.after) {
        (Some(previous), Some(after)) => Some(narrow(after, previous)),
        (None, after) if event.is_none() => after.clone(),
        _ => None,
    };
    write(tx, who, change, event, previous.map(Json), after.map(Json)).await
}

/// Records something that changed no object but must be known: a refused sign-in, a session that began.
pub async fn note(
    tx: &mut Tx,
    who: &Actor,
    action: &'static str,
    object: &'static str,
    id: &str,
    customer: Option<&str>,
) -> Result<()> {
    let change = Change { object, id, customer, before: None, after: None, action, events: &[] };
    write(tx, who, &change, None, None, None).await
}

async fn write(
    tx: &mut Tx,
    who: &Actor,
    change: &Change<'_>,
    event: Option<String>,
    before: Option<Json<Value>>,
    after: Option<Json<Value>>,
) -> Result<()> {
    let entry = id::new("aud", tx.now);
    run!(
        tx,
        concat!(
            "insert into audit_entry (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        ),
        who.tenant.key,
        &entry,
        tx.now,
        change.action,
        change.object,
        change.id,
        change.customer,
        who.origin_name(),
        who.name(),
        who.trace.ip.as_deref(),
        who.trace.user_agent.as_deref(),
        who.trace.request.as_deref(),
        who.trace.idempotency_key.as_deref(),
        event.as_deref(),
        before.as_ref(),
        after.as_ref()
    )?;
    tx.audited();
    Ok(())
}

/// The values in `object` at the keys that `previous` names.
fn narrow(object: &Value, previous: &Value) -> Value {
    match (object, previous) {
        (Value::Object(object), Value::Object(previous)) => {
            let kept = previous
                .iter()
                .map(|(key, old)| (key.clone(), object.get(key).map_or(Value::Null, |now| narrow(now, old))));
            Value::Object(kept.collect())
        }
        (now, _) => now.clone(),
    }
}

/// A customer's entries, newest first.
pub async fn of_customer(tx: &mut Tx, who: &Actor, customer: &str, page: &Page) -> Result<Listed<Entry>> {
    let customer = who.customer().unwrap_or(customer);
    let rows = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from audit_entry where tenant = $1 and customer = $2 and ($3 = '' or id < $3) order by id desc limit $4"
        ),
        who.tenant.key,
        customer,
        page.starting_after.as_deref().unwrap_or_default(),
        page.limit + 1
    )?;
    Ok(page.cut(rows))
}

/// An entry as a customer may read it, with the object as its event has it.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Told {
    pub id: String,
    pub at_ms: Millis,
    pub action: String,
    pub object_id: String,
    pub origin: String,
    /// The values that changed, before and after; `None` where something began or ended.
    pub before: Option<Json<Value>>,
    pub after: Option<Json<Value>>,
    /// `{"object": …}` as it was right after.
    pub event: Option<Json<Value>>,
}

/// What was done with a customer's things, newest first: what means something to them, not every step of the works.
pub async fn activity(tx: &mut Tx, who: &Actor, customer: &str, page: &Page) -> Result<Listed<Told>> {
    let rows = all!(
        tx,
        "select a.id, a.at_ms, a.action, a.object_id, a.origin, a.before, a.after, e.data as event
         from audit_entry a left join event e on e.tenant = a.tenant and e.id = a.event
         where a.tenant = $1 and a.customer = $2 and ($3 = '' or a.id < $3) and a.action in (
             'billing_portal.session.started', 'customer.created', 'customer.updated',
             'customer.subscription.created', 'customer.subscription.updated', 'customer.subscription.deleted',
             'customer.subscription.paused', 'customer.subscription.resumed',
             'customer.tax_id.created', 'customer.tax_id.deleted',
             'invoice.finalized', 'invoice.marked_uncollectible', 'invoice.paid', 'invoice.payment_action_required',
             'invoice.payment_failed', 'invoice.voided', 'payment_method.attached', 'payment_method.detached')
         order by a.id desc limit $4",
        who.tenant.key,
        who.customer().unwrap_or(customer),
        page.starting_after.as_deref().unwrap_or_default(),
        page.limit + 1
    )?;
    Ok(page.cut(rows))
}
