//! Events: retrieve, list, send again.

use billing::webhook::replay;
use billing::{Error, Result, event, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;

const MOST_TYPES: usize = 20;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Event))?;
    let mut tx = call.read().await?;
    let event = event::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::event(&call.who.tenant, &event)).await
}

/// `type` is one type or a family (`customer.*`), `types` a choice of them.
pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let kind = params.text("type")?;
    let kinds = params.texts("types")?;
    let delivered = params.boolean("delivery_success")?;
    if kind.is_some() && kinds.is_some() {
        return Err(Error::invalid("types", "You may only specify one of these parameters: type, types."));
    }
    if kinds.as_ref().is_some_and(|kinds| kinds.len() > MOST_TYPES) {
        return Err(Error::invalid("types", format!("Up to {MOST_TYPES} types can be asked for at a time.")));
    }
    let call = call.ready(Shape::Many(Kind::Event))?;
    let mut tx = call.read().await?;
    let found = match kinds {
        None => event::list_sent(&mut tx, &call.who, &page, kind.as_deref(), delivered).await?,
        Some(kinds) => {
            let mut lists = Vec::new();
            for kind in &kinds {
                lists.push(event::list_sent(&mut tx, &call.who, &page, Some(kind), delivered).await?);
            }
            list::merge(&page, lists, |event| (event.created, event.id.clone()))
        }
    };
    call.show_list(&mut tx, "/v1/events", found, |event| wire::event(&call.who.tenant, event)).await
}

/// Sends it again to every endpoint that is sent such events, or to the one that is named.
pub async fn retry(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let endpoint = call.params.text("webhook_endpoint")?;
    let call = call.ready(Shape::One(Kind::Event))?;
    change!(call, |tx| {
        replay::one(tx, &call.who, &id, endpoint.as_deref()).await?;
        wire::event(&call.who.tenant, &event::get(tx, &call.who, &id).await?)
    })
}
