//! Custom domains: claim, retrieve, list, verify, delete.

use billing::portal::domain::{self, Domain};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use crate::dns;

pub async fn create(mut call: Call) -> Result<Reply> {
    let name = call.params.required_text("domain_name")?;
    let call = call.ready(Shape::One(Kind::PortalDomain))?;
    change!(call, |tx| wire::portal_domain(&call.who.tenant, &domain::claim(tx, &call.who, &name).await?))
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PortalDomain))?;
    let mut tx = call.read().await?;
    let domain = domain::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::portal_domain(&call.who.tenant, &domain)).await
}

/// Looks the name up now; what is missing stands in the answer.
pub async fn verify(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PortalDomain))?;
    let mut tx = call.read().await?;
    let domain = domain::get(&mut tx, &call.who, &id).await?;
    drop(tx);
    let found = dns::look_up(call.app.settings.dns_server, &domain).await;
    change!(call, |tx| wire::portal_domain(&call.who.tenant, &domain::settle(tx, &call.who, &id, &found).await?))
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PortalDomain))?;
    change!(call, |tx| {
        domain::release(tx, &call.who, &id).await?;
        wire::deleted("portal_domain", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::PortalDomain))?;
    let mut tx = call.read().await?;
    let found = domain::list(&mut tx, &call.who, &page).await?;
    let render = |domain: &Domain| wire::portal_domain(&call.who.tenant, domain);
    call.show_list(&mut tx, "/v1/portal_domains", found, render).await
}
