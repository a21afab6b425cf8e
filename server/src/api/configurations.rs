//! Portal configurations: create, retrieve, update, list.

use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::{Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::configuration_features::features;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing};
use super::portal_settings::read_look;

pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read(&mut call.params)?;
    if new.features.is_none() {
        return Err(missing("features"));
    }
    let call = call.ready(Shape::One(Kind::Configuration))?;
    change!(call, |tx| {
        let made = configuration::create(tx, &call.who, new.clone()).await?;
        wire::portal_configuration(&call.who.tenant, &made)
    })
}

/// By id, or `default`.
pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Configuration))?;
    let mut tx = call.read().await?;
    let configuration = configuration::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::portal_configuration(&call.who.tenant, &configuration)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let active = call.params.boolean("active")?;
    let update = ConfigurationUpdate { active, ..read(&mut call.params)? };
    let call = call.ready(Shape::One(Kind::Configuration))?;
    change!(call, |tx| {
        let configuration = configuration::update(tx, &call.who, &id, update.clone()).await?;
        wire::portal_configuration(&call.who.tenant, &configuration)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let (active, is_default) = (call.params.boolean("active")?, call.params.boolean("is_default")?);
    let call = call.ready(Shape::Many(Kind::Configuration))?;
    let mut tx = call.read().await?;
    let found = configuration::list(&mut tx, &call.who, &page, active, is_default).await?;
    let render = |c: &configuration::Configuration| wire::portal_configuration(&call.who.tenant, c);
    call.show_list(&mut tx, "/v1/billing_portal/configurations", found, render).await
}

fn read(params: &mut Params) -> Result<ConfigurationUpdate> {
    let mut update = ConfigurationUpdate {
        name: params.patch_text("name")?,
        branding: params.patch_object("branding", read_look)?,
        custom_domain: params.patch_text("custom_domain")?,
        default_return_url: params.patch_text("default_return_url")?,
        features: params.object("features", features)?,
        metadata: params.metadata()?,
        ..ConfigurationUpdate::default()
    };
    params.object("business_profile", |profile| {
        update.headline = profile.patch_text("headline")?;
        update.privacy_policy_url = profile.patch_text("privacy_policy_url")?;
        update.terms_of_service_url = profile.patch_text("terms_of_service_url")?;
        Ok(())
    })?;
    params.object("login_page", |page| {
        update.login_page = page.boolean("enabled")?;
        Ok(())
    })?;
    params.object("session", |session| {
        update.link_ttl = session.integer("link_ttl")?;
        update.idle = session.integer("idle")?;
        update.max = session.integer("max")?;
        session.unsupported(&["step_up_amount"])
    })?;
    params.unsupported(&["portal_header", "texts"])?;
    Ok(update)
}
