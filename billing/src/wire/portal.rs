//! Portal configurations and portal sessions.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::portal::branding::color::Rgb;
use crate::portal::branding::{Branding, Colors, Image, Look, Palette};
use crate::portal::domain::Domain;
use crate::portal::feedback::FeedbackOption;
use crate::portal::issuer::Issuer;
use crate::portal::{Configuration, Session};
use crate::settings::Settings;

pub fn portal_configuration(tenant: &Tenant, c: &Configuration) -> Value {
    json!({
        "id": c.id,
        "object": "billing_portal.configuration",
        "active": c.active,
        "application": null,
        "business_profile": *c.business_profile,
        "created": c.created,
        "default_return_url": c.default_return_url,
        // The record's fields are Stripe's, one for one.
        "features": *c.features,
        "is_default": c.is_default,
        "livemode": tenant.livemode,
        "login_page": { "enabled": c.login_page.enabled, "url": c.login_url },
        "metadata": *c.metadata,
        "name": c.name,
        "updated": c.updated,
        // Ours.
        "branding": look(&c.branding),
        "custom_domain": c.custom_domain,
        "session": *c.session,
    })
}

/// `url` is the link, known only when it is made.
pub fn portal_session(tenant: &Tenant, s: &Session, url: &str) -> Value {
    json!({
        "id": s.id,
        "object": "billing_portal.session",
        "after_expiration": null,
        "configuration": s.configuration,
        "created": s.created,
        "customer": s.customer,
        "customer_account": null,
        "flow": s.flow.as_deref(),
        "livemode": tenant.livemode,
        "locale": s.locale,
        "on_behalf_of": null,
        "return_url": s.return_url,
        "url": url,
        // Ours.
        "cancel_url": s.cancel_url,
        "expires_at": s.link_expires_ms.seconds(),
        "hidden": *s.hidden,
        "revoked_at": s.revoked_ms.map(|at| at.seconds()),
        "subscription": s.subscription,
    })
}

pub fn feedback_option(tenant: &Tenant, f: &FeedbackOption) -> Value {
    json!({
        "id": f.id,
        "object": "billing.feedback_option",
        "description": f.description,
        "livemode": tenant.livemode,
        "status": if f.active { "active" } else { "inactive" },
        "status_transitions": { "deactivated_at": f.deactivated_at },
        // Ours.
        "created": f.created,
    })
}

/// Ours: whose tokens are believed. The shared secret is never shown.
pub fn portal_issuer(tenant: &Tenant, i: &Issuer) -> Value {
    json!({
        "id": i.id,
        "object": "portal_issuer",
        "active": i.active,
        "algorithm": i.settings.algorithm,
        "audience": i.audience,
        "clock_skew": i.settings.clock_skew,
        "created": i.created,
        "customer_claim": i.settings.claim,
        "customer_match": i.settings.matches,
        "issuer": i.issuer,
        "jwks_url": i.settings.jwks_url,
        "livemode": tenant.livemode,
        "origins": i.settings.origins,
        "public_key": i.settings.public_key,
        "return_urls": i.settings.return_urls,
        "updated": i.updated,
    })
}

/// Ours: one a merchant and mode.
pub fn portal_settings(tenant: &Tenant, s: &Settings) -> Value {
    json!({
        "object": "portal_settings",
        "default_locale": s.default_locale,
        "dunning": { "after_last_attempt": s.dunning.after_last_attempt, "schedule": s.dunning.schedule },
        "invoice_numbering": s.invoice_numbering,
        "livemode": tenant.livemode,
        "owner_email": s.owner_email,
        "seller": { "address": s.seller.address, "tax_id": s.seller.tax_id },
    })
}

/// Ours: what the merchant said of its look, and under `palette` what is painted, corrected so that it can be read.
pub fn portal_branding(tenant: &Tenant, b: &Branding) -> Value {
    let mut shape = look(&b.look);
    let own = json!({
        "object": "portal_branding",
        "livemode": tenant.livemode,
        "palette": { "dark": palette(b.look.dark()), "light": palette(b.look.light()) },
        "updated": b.updated,
    });
    if let (Value::Object(shape), Value::Object(own)) = (&mut shape, own) {
        shape.extend(own);
    }
    shape
}

/// Ours: a name that the merchant has claimed, and the DNS records that prove it.
pub fn portal_domain(tenant: &Tenant, d: &Domain) -> Value {
    json!({
        "id": d.id,
        "object": "portal_domain",
        "created": d.created,
        "domain_name": d.domain_name,
        "livemode": tenant.livemode,
        "status": d.status,
        "verification": {
            "checked_at": d.checked_at,
            "error": d.problem,
            "failing_since": d.failing_since,
            "records": [
                { "name": d.domain_name, "type": "CNAME", "value": d.target },
                { "name": d.txt_name(), "type": "TXT", "value": d.token },
            ],
        },
        "verified_at": d.verified_at,
    })
}

fn look(look: &Look) -> Value {
    json!({
        "accent_color": look.accent_color,
        "corner_radius": look.corner_radius,
        "dark": colors(&look.dark),
        "font": look.font,
        "header_text": look.header_text,
        "icon": look.icon.as_ref().map(image),
        "light": colors(&look.light),
        "logo": look.logo.as_ref().map(image),
        "name": look.name,
        "privacy_policy_url": look.privacy_policy_url,
        "support_email": look.support_email,
        "support_url": look.support_url,
        "terms_of_service_url": look.terms_of_service_url,
    })
}

fn image(i: &Image) -> Value {
    json!({ "id": i.id, "content_type": i.media_type, "height": i.height, "path": i.path(), "width": i.width })
}

fn colors(c: &Colors<Option<Rgb>>) -> Value {
    json!({ "accent_color": c.accent, "page_color": c.page, "surface_color": c.surface, "text_color": c.text })
}

fn palette(p: Palette) -> Value {
    json!({
        "accent": p.accent,
        "accent_text": p.accent_text,
        "on_accent": p.on_accent,
        "page": p.page,
        "surface": p.surface,
        "text": p.text,
    })
}
