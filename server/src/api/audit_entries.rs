//! The audit log: retrieve, list.

use billing::audit::Entry;
use billing::audit::list::{self as log, EntryFilter};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::AuditEntry))?;
    let mut tx = call.read().await?;
    let entry = log::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::audit_entry(&call.who.tenant, &entry)).await
}

/// `target` is the id of what was changed.
pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = EntryFilter {
        customer: params.text("customer")?,
        object: params.text("target")?,
        action: params.text("action")?,
        origin: params.text("origin")?,
    };
    let call = call.ready(Shape::Many(Kind::AuditEntry))?;
    let mut tx = call.read().await?;
    let found = log::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/audit_entries", found, |e: &Entry| wire::audit_entry(&call.who.tenant, e)).await
}
