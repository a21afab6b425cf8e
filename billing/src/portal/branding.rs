//! The merchant's look: names, links and colours. What is shown of it is [`brand`]'s, what is painted [`palette`]'s.

pub mod brand;
pub mod color;
pub mod image;
pub mod palette;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::check_email;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::patch::{Patch, check_text};
use crate::portal::configuration::check_url;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::wire;

use color::Rgb;

pub use brand::Brand;
pub use image::Image;
pub use palette::Palette;

text_enum!(
    /// Families that every system has.
    Font { System = "system", Serif = "serif", Rounded = "rounded", Monospace = "monospace" }
);

/// What a merchant may say of the colours of one mode.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Colors<T> {
    pub accent: T,
    pub page: T,
    pub surface: T,
    pub text: T,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Look {
    /// Instead of the account's name.
    pub name: Option<String>,
    /// Of both modes, where they name none of their own.
    pub accent_color: Option<Rgb>,
    pub light: Colors<Option<Rgb>>,
    pub dark: Colors<Option<Rgb>>,
    pub font: Option<Font>,
    /// Pixels, 0 to 24.
    pub corner_radius: Option<i64>,
    pub header_text: Option<String>,
    /// In the place of the name.
    pub logo: Option<Image>,
    /// Beside the name, and in the browser's tab; square.
    pub icon: Option<Image>,
    pub support_url: Option<String>,
    pub support_email: Option<String>,
    pub privacy_policy_url: Option<String>,
    pub terms_of_service_url: Option<String>,
}

/// A look, and when it was last changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Branding {
    pub look: Look,
    pub updated: Option<Seconds>,
}

#[derive(Debug, Clone, Default)]
pub struct BrandingUpdate {
    pub name: Patch<String>,
    pub accent_color: Patch<String>,
    pub light: Colors<Patch<String>>,
    pub dark: Colors<Patch<String>>,
    pub font: Patch<Font>,
    pub corner_radius: Patch<i64>,
    pub header_text: Patch<String>,
    /// In base64.
    pub logo: Patch<String>,
    /// The same.
    pub icon: Patch<String>,
    pub support_url: Patch<String>,
    pub support_email: Patch<String>,
    pub privacy_policy_url: Patch<String>,
    pub terms_of_service_url: Patch<String>,
}

/// The caller's tenant's look; what nobody has said is the usual.
pub async fn get(tx: &mut Tx, who: &Actor) -> Result<Branding> {
    let row: Option<(Json<Look>, Seconds)> =
        maybe!(tx, "select settings, updated from branding where tenant = $1", who.tenant.key)?;
    Ok(row.map(|(look, updated)| Branding { look: look.0, updated: Some(updated) }).unwrap_or_default())
}

pub async fn update(tx: &mut Tx, who: &Actor, update: BrandingUpdate) -> Result<Branding> {
    if who.customer().is_some() {
        return Err(Error::Forbidden("The look is the merchant's."));
    }
    let before = get(tx, who).await?;
    let mut after = before.clone();
    apply(tx, who, &mut after.look, update).await?;
    if after == before {
        return Ok(after);
    }
    after.updated = Some(tx.now.seconds());
    run!(
        tx,
        "insert into branding (tenant, settings, updated) values ($1, $2, $3)
         on conflict (tenant) do update set settings = excluded.settings, updated = excluded.updated",
        who.tenant.key,
        Json(&after.look),
        tx.now.seconds()
    )?;
    let change = Change {
        object: "portal_branding",
        id: &who.tenant.merchant,
        customer: None,
        before: Some(wire::portal_branding(&who.tenant, &before)),
        after: Some(wire::portal_branding(&who.tenant, &after)),
        action: "portal_branding.updated",
        events: &[],
    };
    record(tx, who, change).await?;
    Ok(after)
}

/// Changes a look as an update says, and keeps its pictures; names the field that cannot be.
pub(super) async fn apply(tx: &mut Tx, who: &Actor, look: &mut Look, update: BrandingUpdate) -> Result<()> {
    paste(tx, who, update.logo, &mut look.logo, "logo").await?;
    paste(tx, who, update.icon, &mut look.icon, "icon").await?;
    if look.icon.as_ref().is_some_and(|icon| icon.width != icon.height) {
        return Err(Error::invalid("icon", "An icon is as high as it is wide."));
    }
    update.name.apply(&mut look.name);
    paint(update.accent_color, &mut look.accent_color, "accent_color")?;
    for (mode, colors, patch) in [("light", &mut look.light, update.light), ("dark", &mut look.dark, update.dark)] {
        paint(patch.accent, &mut colors.accent, &format!("{mode}[accent_color]"))?;
        paint(patch.page, &mut colors.page, &format!("{mode}[page_color]"))?;
        paint(patch.surface, &mut colors.surface, &format!("{mode}[surface_color]"))?;
        paint(patch.text, &mut colors.text, &format!("{mode}[text_color]"))?;
    }
    update.font.apply(&mut look.font);
    update.corner_radius.apply(&mut look.corner_radius);
    update.header_text.apply(&mut look.header_text);
    update.support_url.apply(&mut look.support_url);
    update.support_email.apply(&mut look.support_email);
    update.privacy_policy_url.apply(&mut look.privacy_policy_url);
    update.terms_of_service_url.apply(&mut look.terms_of_service_url);
    check(who.tenant.livemode, look)
}

async fn paste(
    tx: &mut Tx,
    who: &Actor,
    patch: Patch<String>,
    image: &mut Option<Image>,
    param: &'static str,
) -> Result<()> {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *image = None,
        Patch::Set(text) => {
            let upload = image::read(&text, param)?;
            image::keep(tx, who, &upload).await?;
            *image = Some(upload.image);
        }
    }
    Ok(())
}

fn paint(patch: Patch<String>, color: &mut Option<Rgb>, param: &str) -> Result<()> {
    match patch {
        Patch::Keep => {}
        Patch::Clear => *color = None,
        Patch::Set(text) => *color = Some(Rgb::parse(&text, param)?),
    }
    Ok(())
}

fn check(livemode: bool, look: &Look) -> Result<()> {
    check_text(look.name.as_deref().unwrap_or_default(), 100, "name")?;
    check_text(look.header_text.as_deref().unwrap_or_default(), 200, "header_text")?;
    if look.corner_radius.is_some_and(|radius| !(0..=24).contains(&radius)) {
        return Err(Error::invalid("corner_radius", "Corners are rounded by 0 to 24 pixels."));
    }
    if let Some(email) = &look.support_email {
        check_email(email, "support_email")?;
    }
    let urls = [
        (&look.support_url, "support_url"),
        (&look.privacy_policy_url, "privacy_policy_url"),
        (&look.terms_of_service_url, "terms_of_service_url"),
    ];
    for (url, param) in urls {
        if let Some(url) = url {
            check_url(url, livemode, param)?;
        }
    }
    Ok(())
}
