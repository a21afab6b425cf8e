//! Portal configurations and portal sessions.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::portal::{Configuration, Session};

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
        "login_page": { "enabled": c.login_page.enabled, "url": null },
        "metadata": *c.metadata,
        "name": c.name,
        "updated": c.updated,
        // Ours.
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
        "subscription": s.subscription,
    })
}
