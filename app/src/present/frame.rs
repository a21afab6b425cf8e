//! The frame's data: who the merchant and the customer are, and what this portal offers.

use billing::portal::branding::{Brand, Image};
use billing::portal::flow::After;

use crate::parts::{FrameData, Links, Mark, Picture};
use crate::session::{Session, place};
use crate::text::say;

pub fn frame(session: &Session) -> FrameData {
    let guest = &session.guest;
    let merchant = &guest.brand.name;
    FrameData {
        way_back: has_way_back(session).then(|| say!(frame.return, session.locale, merchant = merchant)),
        mark: mark(&guest.brand),
        headline: guest.brand.headline.clone(),
        customer: guest.customer.name.clone(),
        email: guest.customer.email.as_deref().map(masked),
        has_methods: guest.configuration.features.payment_method_update.is_open(),
        has_invoices: guest.configuration.features.invoice_history.enabled,
        is_preview: session.who.is_read_only(),
        flow: guest.session.in_flow().map(|flow| match flow.after_completion.r#type {
            After::PortalHomepage => place(flow),
            After::HostedConfirmation | After::Redirect => "/".to_owned(),
        }),
        links: links(&guest.brand),
        sign_out: (!session.who.is_read_only()).then(|| say!(frame.sign_out, session.locale)),
    }
}

pub fn mark(brand: &Brand) -> Mark {
    let picture = |image: &Image| Picture { src: image.path(), width: image.width, height: image.height };
    Mark {
        monogram: monogram(&brand.name),
        name: brand.name.clone(),
        logo: brand.look.logo.as_ref().map(picture),
        icon: brand.look.icon.as_ref().map(picture),
    }
}

pub fn links(brand: &Brand) -> Links {
    Links { help: brand.support.clone(), privacy: brand.privacy.clone(), terms: brand.terms.clone() }
}

/// Whoever is in a frame of the merchant's page has never left it.
pub fn has_way_back(session: &Session) -> bool {
    let guest = &session.guest;
    if session.is_framed {
        return false;
    }
    let after = guest.session.flow.as_ref().and_then(|flow| flow.after_completion.redirect.as_ref());
    if after.is_some() && guest.session.completed_ms.is_some() {
        return true;
    }
    let own = guest.session.return_url.is_some() || guest.session.cancel_url.is_some();
    own || guest.configuration.default_return_url.is_some()
}

fn monogram(name: &str) -> String {
    name.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().collect()).unwrap_or_default()
}

/// `a•••@example.com`: enough to know oneself by, too little to learn.
pub fn masked(email: &str) -> String {
    let (local, host) = email.split_once('@').unwrap_or((email, ""));
    let first: String = local.chars().take(1).collect();
    if host.is_empty() { format!("{first}•••") } else { format!("{first}•••@{host}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_first_letter_and_its_host() {
        assert_eq!(masked("ada@example.com"), "a•••@example.com");
        assert_eq!(masked("x"), "x•••");
    }

    #[test]
    fn a_monogram_is_the_first_letter_or_digit() {
        assert_eq!(monogram("»acme«"), "A");
        assert_eq!(monogram("9 Lives"), "9");
        assert_eq!(monogram("—"), "");
    }
}
