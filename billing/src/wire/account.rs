//! The merchant as Stripe's account. It is its own platform: nothing is required of it and nothing is paid out to it.

use serde_json::{Value, json};

use crate::actor::Tenant;
use crate::directory::Merchant;

pub fn account(_tenant: &Tenant, m: &Merchant) -> Value {
    json!({
        "id": m.id,
        "object": "account",
        "business_profile": business_profile(m),
        "business_type": null,
        "capabilities": {},
        "charges_enabled": true,
        "controller": { "type": "account" },
        "country": m.country,
        "created": m.created,
        "default_currency": m.default_currency,
        "details_submitted": true,
        "email": m.email,
        "external_accounts": super::list(&format!("/v1/accounts/{}/external_accounts", m.id), Vec::new(), false),
        "future_requirements": requirements(),
        "groups": null,
        "metadata": {},
        "payouts_enabled": false,
        "requirements": requirements(),
        "settings": settings(m),
        "tos_acceptance": { "date": null, "ip": null, "user_agent": null },
        "type": "standard",
    })
}

fn business_profile(m: &Merchant) -> Value {
    json!({
        "annual_revenue": null,
        "estimated_worker_count": null,
        "mcc": null,
        "minority_owned_business_designation": null,
        "name": m.name,
        "product_description": null,
        "specified_commercial_transactions_act_url": null,
        "support_address": null,
        "support_email": m.business.support_email,
        "support_phone": m.business.support_phone,
        "support_url": m.business.support_url,
        "url": m.business.url,
    })
}

fn requirements() -> Value {
    json!({
        "alternatives": [],
        "current_deadline": null,
        "currently_due": [],
        "disabled_reason": null,
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    })
}

fn settings(m: &Merchant) -> Value {
    json!({
        "branding": { "icon": null, "logo": null, "primary_color": null, "secondary_color": null },
        "card_payments": {
            "statement_descriptor_prefix": null,
            "statement_descriptor_prefix_kana": null,
            "statement_descriptor_prefix_kanji": null,
        },
        "dashboard": { "display_name": m.name, "timezone": "Etc/UTC" },
        "invoices": { "default_account_tax_ids": null, "hosted_payment_method_save": null },
        "payments": {
            "statement_descriptor": null,
            "statement_descriptor_kana": null,
            "statement_descriptor_kanji": null,
            "statement_descriptor_prefix_kana": null,
            "statement_descriptor_prefix_kanji": null,
        },
    })
}
