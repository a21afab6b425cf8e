//! What a customer sees of the merchant: the configuration's words and colours before the merchant's own.

use super::{Colors, Look};
use crate::actor::{Actor, Tenant};
use crate::directory::Merchant;
use crate::error::Result;
use crate::portal::{Configuration, domain};
use crate::settings::Settings;
use crate::store::{Json, Tx, one};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub name: String,
    pub look: Look,
    /// A line under the name.
    pub headline: Option<String>,
    /// Where to ask: a page, or `mailto:`.
    pub support: Option<String>,
    pub support_email: Option<String>,
    pub privacy: Option<String>,
    pub terms: Option<String>,
    /// Where its pages are: `https://billing.example.com`; `None` where nobody reaches them.
    pub portal: Option<String>,
    /// The language where nobody has said one: a BCP 47 tag.
    pub default_locale: Option<String>,
}

/// The brand of the pages that a configuration makes.
pub async fn of(tx: &mut Tx, tenant: &Tenant, merchant: &Merchant, configuration: &Configuration) -> Result<Brand> {
    let (settings, look): (Json<Settings>, Option<Json<Look>>) = one!(
        tx,
        "select t.settings, b.settings from tenant t left join branding b on b.tenant = t.id where t.id = $1",
        tenant.key
    )?;
    let look = look.map(|look| look.0).unwrap_or_default();
    let portal = domain::portal_url(tx, &Actor::system(tenant.clone(), "brand"), configuration).await?;
    Ok(Brand { portal, ..Brand::new(merchant, look, configuration, settings.0.default_locale) })
}

impl Brand {
    fn new(merchant: &Merchant, look: Look, configuration: &Configuration, default_locale: Option<String>) -> Self {
        let look = configuration.branding.0.clone().over(look);
        let (profile, business) = (&configuration.business_profile, &merchant.business);
        let support_email = look.support_email.clone().or(business.support_email.clone());
        let mail = |address: &String| format!("mailto:{address}");
        let own = look.support_url.clone().or(look.support_email.as_ref().map(mail));
        Self {
            name: look.name.clone().unwrap_or_else(|| merchant.name.clone()),
            headline: profile.headline.clone().or(look.header_text.clone()),
            support: own.or(business.support_url.clone()).or(support_email.as_ref().map(mail)),
            support_email,
            privacy: profile.privacy_policy_url.clone().or(look.privacy_policy_url.clone()),
            terms: profile.terms_of_service_url.clone().or(look.terms_of_service_url.clone()),
            portal: None,
            default_locale,
            look,
        }
    }
}

impl Look {
    /// This one, and where it says nothing, the other. An accent of its own is not undone by the other's accent of a mode.
    fn over(self, other: Self) -> Self {
        let accents = if self.accent_color.is_some() { [None, None] } else { [other.light.accent, other.dark.accent] };
        let colors = |own: Colors<Option<_>>, other: Colors<Option<_>>, accent| Colors {
            accent: own.accent.or(accent),
            page: own.page.or(other.page),
            surface: own.surface.or(other.surface),
            text: own.text.or(other.text),
        };
        Self {
            name: self.name.or(other.name),
            accent_color: self.accent_color.or(other.accent_color),
            light: colors(self.light, other.light, accents[0]),
            dark: colors(self.dark, other.dark, accents[1]),
            font: self.font.or(other.font),
            corner_radius: self.corner_radius.or(other.corner_radius),
            header_text: self.header_text.or(other.header_text),
            logo: self.logo.or(other.logo),
            icon: self.icon.or(other.icon),
            support_url: self.support_url.or(other.support_url),
            support_email: self.support_email.or(other.support_email),
            privacy_policy_url: self.privacy_policy_url.or(other.privacy_policy_url),
            terms_of_service_url: self.terms_of_service_url.or(other.terms_of_service_url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::color::Rgb;
    use super::*;

    const RED: Option<Rgb> = Some(Rgb(200, 0, 0));
    const BLUE: Option<Rgb> = Some(Rgb(0, 0, 200));

    #[test]
    fn what_a_configuration_says_comes_first() {
        let merchants =
            Look { name: Some("Acme".into()), accent_color: RED, corner_radius: Some(4), ..Look::default() };
        let own = Look { name: Some("Umbra".into()), corner_radius: Some(0), ..Look::default() };
        let both = own.over(merchants);
        assert_eq!((both.name.as_deref(), both.corner_radius), (Some("Umbra"), Some(0)));
        assert_eq!(both.accent_color, RED);
    }

    #[test]
    fn an_accent_of_its_own_is_one_for_both_modes() {
        let of_mode = Colors { accent: RED, page: RED, ..Colors::default() };
        let merchants = Look { light: of_mode.clone(), ..Look::default() };
        let both = Look { accent_color: BLUE, ..Look::default() }.over(merchants.clone());
        assert_eq!((both.light.accent, both.light.page), (None, RED));
        assert_eq!(Look::default().over(merchants).light, of_mode);
    }
}
