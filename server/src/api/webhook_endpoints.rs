//! Webhook endpoints: create, retrieve, update, list, delete, and beyond Stripe: rotate the secret, send again.

use billing::webhook::delivery::Status;
use billing::webhook::replay::{self, Range};
use billing::webhook::{self, EndpointUpdate, NewEndpoint};
use billing::{Result, Seconds, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};

/// The secret is in the answer, and in what the request's key keeps of it for a replay, and is not shown again.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read_new(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::WebhookEndpoint))?;
    call.app.outbound.check_param(&new.url, "url").await?;
    change!(call, |tx| {
        let (endpoint, secret) = webhook::create(tx, &call.who, new.clone()).await?;
        shown_once(&call, &endpoint, secret)
    })
}

fn shown_once(call: &Ready, endpoint: &webhook::Endpoint, secret: String) -> Value {
    let mut shown = wire::webhook_endpoint(&call.who.tenant, endpoint);
    shown["secret"] = Value::from(secret);
    shown
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::WebhookEndpoint))?;
    let mut tx = call.read().await?;
    let endpoint = webhook::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::webhook_endpoint(&call.who.tenant, &endpoint)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let params = &mut call.params;
    let update = EndpointUpdate {
        url: params.text("url")?,
        enabled_events: params.texts("enabled_events")?,
        disabled: params.boolean("disabled")?,
        ..read(params)?
    };
    let call = call.ready(Shape::One(Kind::WebhookEndpoint))?;
    if let Some(url) = &update.url {
        call.app.outbound.check_param(url, "url").await?;
    }
    change!(call, |tx| {
        let endpoint = webhook::update(tx, &call.who, &id, update.clone()).await?;
        wire::webhook_endpoint(&call.who.tenant, &endpoint)
    })
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::WebhookEndpoint))?;
    change!(call, |tx| {
        webhook::delete(tx, &call.who, &id).await?;
        wire::deleted("webhook_endpoint", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::WebhookEndpoint))?;
    let mut tx = call.read().await?;
    let found = webhook::list(&mut tx, &call.who, &page).await?;
    let render = |endpoint: &webhook::Endpoint| wire::webhook_endpoint(&call.who.tenant, endpoint);
    call.show_list(&mut tx, "/v1/webhook_endpoints", found, render).await
}

/// A new secret, shown this once; the one before it signs too for 24 hours.
pub async fn rotate_secret(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::WebhookEndpoint))?;
    change!(call, |tx| {
        let (endpoint, secret) = webhook::rotate(tx, &call.who, &id).await?;
        shown_once(&call, &endpoint, secret)
    })
}

/// Sends what happened in a time again, `created` being that of the events, or only what has `failed`.
pub async fn replay(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let params = &mut call.params;
    let (from, until) = list::created(params)?;
    let status = params.word("status", Status::parse)?;
    let range = Range { from: Seconds(from), until: Seconds(until), status };
    let call = call.ready(Shape::One(Kind::WebhookReplay))?;
    change!(call, |tx| {
        let deliveries = replay::range(tx, &call.who, &id, &range).await?;
        wire::webhook_replay(&id, deliveries)
    })
}

fn read_new(params: &mut Params) -> Result<NewEndpoint> {
    params.fixed("connect", &["false"])?;
    Ok(NewEndpoint {
        url: params.required_text("url")?,
        enabled_events: params.texts("enabled_events")?.ok_or_else(|| missing("enabled_events"))?,
        api_version: params.text("api_version")?,
        fields: read(params)?,
    })
}

fn read(params: &mut Params) -> Result<EndpointUpdate> {
    Ok(EndpointUpdate {
        description: params.patch_text("description")?,
        metadata: params.metadata()?,
        ..EndpointUpdate::default()
    })
}
