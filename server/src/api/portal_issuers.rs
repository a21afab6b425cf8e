//! Issuers of the tokens that say who is signed in at the merchant's: create, retrieve, update, list, delete.

use billing::portal::issuer::{self, Algorithm, IssuerUpdate, Match};
use billing::{Patch, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::Params;
use crate::doors::check_public_key;

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::PortalIssuer))?;
    if let Patch::Set(url) = &new.jwks_url {
        call.app.outbound.check_param(url, "jwks_url").await?;
    }
    change!(call, |tx| {
        let made = issuer::create(tx, &call.who, new.clone()).await?;
        check_public_key(&made)?;
        wire::portal_issuer(&call.who.tenant, &made)
    })
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PortalIssuer))?;
    let mut tx = call.read().await?;
    let issuer = issuer::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::portal_issuer(&call.who.tenant, &issuer)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::PortalIssuer))?;
    if let Patch::Set(url) = &update.jwks_url {
        call.app.outbound.check_param(url, "jwks_url").await?;
    }
    change!(call, |tx| {
        let issuer = issuer::update(tx, &call.who, &id, update.clone()).await?;
        check_public_key(&issuer)?;
        wire::portal_issuer(&call.who.tenant, &issuer)
    })
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::PortalIssuer))?;
    change!(call, |tx| {
        issuer::delete(tx, &call.who, &id).await?;
        wire::deleted("portal_issuer", &id)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::PortalIssuer))?;
    let mut tx = call.read().await?;
    let found = issuer::list(&mut tx, &call.who, &page).await?;
    let render = |issuer: &issuer::Issuer| wire::portal_issuer(&call.who.tenant, issuer);
    call.show_list(&mut tx, "/v1/portal_issuers", found, render).await
}

fn read(params: &mut Params) -> Result<IssuerUpdate> {
    Ok(IssuerUpdate {
        active: params.boolean("active")?,
        issuer: params.text("issuer")?,
        audience: params.text("audience")?,
        algorithm: params.word("algorithm", Algorithm::parse)?,
        secret: params.patch_text("secret")?,
        public_key: params.patch_text("public_key")?,
        jwks_url: params.patch_text("jwks_url")?,
        clock_skew: params.integer("clock_skew")?,
        claim: params.text("customer_claim")?,
        matches: params.word("customer_match", Match::parse)?,
        return_urls: params.texts("return_urls")?,
        origins: params.texts("origins")?,
    })
}
