//! The merchant's settings for a mode as a whole, and its branding: one object each, read and updated in place.

use billing::portal::branding::{self, BrandingUpdate, Colors, Font};
use billing::settings::{self, AfterLastAttempt, Numbering, SettingsUpdate};
use billing::{Error, Patch, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::params::Params;

pub async fn retrieve(call: Call) -> Result<Reply> {
    let call = call.ready(Shape::One(Kind::Settings))?;
    let mut tx = call.read().await?;
    let settings = settings::get(&mut tx, &call.who).await?;
    call.show(&mut tx, wire::portal_settings(&call.who.tenant, &settings)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let update = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Settings))?;
    change!(call, |tx| {
        wire::portal_settings(&call.who.tenant, &settings::update(tx, &call.who, update.clone()).await?)
    })
}

fn read(params: &mut Params) -> Result<SettingsUpdate> {
    let mut update = SettingsUpdate {
        default_locale: params.patch_text("default_locale")?,
        invoice_numbering: params.word("invoice_numbering", Numbering::parse)?,
        owner_email: params.patch_text("owner_email")?,
        ..SettingsUpdate::default()
    };
    params.object("seller", |seller| {
        update.seller_address = seller.patch_text("address")?;
        update.seller_tax_id = seller.patch_text("tax_id")?;
        Ok(())
    })?;
    params.object("dunning", |dunning| {
        update.after_last_attempt = dunning.word("after_last_attempt", AfterLastAttempt::parse)?;
        let name = dunning.name("schedule");
        update.schedule = match dunning.patch_texts("schedule")? {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(days) => Patch::Set(read_days(&days, &name)?),
        };
        Ok(())
    })?;
    Ok(update)
}

fn read_days(days: &[String], name: &str) -> Result<Vec<i64>> {
    let each = days.iter().enumerate().map(|(n, day)| {
        day.parse().map_err(|_| Error::Invalid {
            param: format!("{name}[{n}]"),
            code: "parameter_invalid_integer",
            message: format!("Invalid integer: {day}"),
        })
    });
    each.collect()
}

pub async fn retrieve_branding(call: Call) -> Result<Reply> {
    let call = call.ready(Shape::One(Kind::Branding))?;
    let mut tx = call.read().await?;
    let branding = branding::get(&mut tx, &call.who).await?;
    call.show(&mut tx, wire::portal_branding(&call.who.tenant, &branding)).await
}

pub async fn update_branding(mut call: Call) -> Result<Reply> {
    let update = read_look(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Branding))?;
    change!(call, |tx| {
        wire::portal_branding(&call.who.tenant, &branding::update(tx, &call.who, update.clone()).await?)
    })
}

/// What a merchant's branding and a configuration's own have in common.
pub fn read_look(params: &mut Params) -> Result<BrandingUpdate> {
    let corner_radius = params.name("corner_radius");
    Ok(BrandingUpdate {
        name: params.patch_text("name")?,
        accent_color: params.patch_text("accent_color")?,
        light: params.object("light", read_colors)?.unwrap_or_default(),
        dark: params.object("dark", read_colors)?.unwrap_or_default(),
        font: params.patch_word("font", Font::parse)?,
        corner_radius: match params.patch_text("corner_radius")? {
            Patch::Keep => Patch::Keep,
            Patch::Clear => Patch::Clear,
            Patch::Set(text) => Patch::Set(text.parse().map_err(|_| Error::Invalid {
                param: corner_radius,
                code: "parameter_invalid_integer",
                message: format!("Invalid integer: {text}"),
            })?),
        },
        header_text: params.patch_text("header_text")?,
        logo: params.patch_text("logo")?,
        icon: params.patch_text("icon")?,
        support_url: params.patch_text("support_url")?,
        support_email: params.patch_text("support_email")?,
        privacy_policy_url: params.patch_text("privacy_policy_url")?,
        terms_of_service_url: params.patch_text("terms_of_service_url")?,
    })
}

fn read_colors(params: &mut Params) -> Result<Colors<Patch<String>>> {
    Ok(Colors {
        accent: params.patch_text("accent_color")?,
        page: params.patch_text("page_color")?,
        surface: params.patch_text("surface_color")?,
        text: params.patch_text("text_color")?,
    })
}
