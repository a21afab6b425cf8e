//! What a merchant decides for its portal as a whole: settings, branding, feedback options, and ending a session.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(
    settings_are_read_and_updated_in_place,
    branding_answers_with_what_is_painted,
    a_feedback_option_lives,
    a_session_is_revoked,
    what_is_wrong_is_named,
);

async fn settings_are_read_and_updated_in_place(shop: Shop) {
    let usual = shop.get("/v1/portal_settings").await.ok();
    assert_eq!(
        (&usual["object"], &usual["dunning"]["schedule"]),
        (&json!("portal_settings"), &json!([1, 3, 5, 7, 9, 11, 14]))
    );
    let form = "default_locale=de&owner_email=owner@shop.example&dunning[schedule][]=2&dunning[schedule][]=8\
                &dunning[after_last_attempt]=unpaid&seller[address]=Gasse 1%0A1010 Wien&seller[tax_id]=ATU12345678";
    let updated = shop.post("/v1/portal_settings", form).await.ok();
    assert_eq!(updated["dunning"], json!({"after_last_attempt": "unpaid", "schedule": [2, 8]}));
    assert_eq!((&updated["default_locale"], &updated["owner_email"]), (&json!("de"), &json!("owner@shop.example")));
    assert_eq!(updated["seller"], json!({ "address": "Gasse 1\n1010 Wien", "tax_id": "ATU12345678" }));
    assert_eq!(shop.get("/v1/portal_settings").await.ok(), updated);
    let cleared =
        shop.post_json("/v1/portal_settings", &json!({"owner_email": null, "dunning": {"schedule": ""}})).await.ok();
    assert_eq!(
        (&cleared["owner_email"], &cleared["dunning"]["schedule"]),
        (&json!(null), &usual["dunning"]["schedule"])
    );
    assert_eq!(shop.neighbour().await.get("/v1/portal_settings").await.ok(), usual);
}

async fn branding_answers_with_what_is_painted(shop: Shop) {
    let usual = shop.get("/v1/portal_branding").await.ok();
    assert_eq!(usual["palette"]["light"]["accent"], "#3534a0");
    let form = "name=Umbra&accent_color=%23FE0&light[page_color]=%23ffffff&font=serif&corner_radius=0\
                &support_url=https://shop.example/help&header_text=Hello";
    let updated = shop.post("/v1/portal_branding", form).await.ok();
    assert_eq!((&updated["accent_color"], &updated["corner_radius"]), (&json!("#ffee00"), &json!(0)));
    assert_eq!(updated["palette"]["dark"]["accent"], "#ffee00");
    assert_ne!(updated["palette"]["light"]["accent"], "#ffee00");
    assert_eq!(shop.get("/v1/portal_branding").await.ok(), updated);
    let cleared = shop.post("/v1/portal_branding", "accent_color=&light[page_color]=&font=&corner_radius=").await.ok();
    assert_eq!(cleared["palette"], usual["palette"]);
    assert_eq!((&cleared["font"], &cleared["name"]), (&json!(null), &json!("Umbra")));
}

async fn a_feedback_option_lives(shop: Shop) {
    let made = shop.post("/v1/billing/feedback_options", "description=Too many mails").await.ok();
    let path = format!("/v1/billing/feedback_options/{}", made["id"].as_str().unwrap());
    assert_eq!((&made["status"], &made["object"]), (&json!("active"), &json!("billing.feedback_option")));
    assert_eq!(made["status_transitions"], json!({"deactivated_at": null}));
    assert_eq!(shop.post(&path, "description=Too much mail").await.ok()["description"], "Too much mail");
    let off = shop.post(&format!("{path}/deactivate"), "").await.ok();
    assert_eq!((&off["status"], &off["status_transitions"]["deactivated_at"]), (&json!("inactive"), &off["created"]));
    assert_eq!(shop.get(&path).await.ok(), off);
    let other = shop.post("/v1/billing/feedback_options", "description=Moved away").await.made();
    assert_eq!(shop.get("/v1/billing/feedback_options?status=active").await.ids(), [other]);
    assert_eq!(shop.get("/v1/billing/feedback_options?status=inactive").await.ids().len(), 1);
}

async fn a_session_is_revoked(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let made = shop.post("/v1/billing_portal/sessions", &format!("customer={customer}")).await.ok();
    assert_eq!(made["revoked_at"], json!(null));
    let path = format!("/v1/billing_portal/sessions/{}/revoke", made["id"].as_str().unwrap());
    let ended = shop.post(&path, "").await.ok();
    assert_eq!((&ended["id"], &ended["revoked_at"], &ended["url"]), (&made["id"], &made["created"], &json!("")));
    shop.clock.advance(60_000);
    assert_eq!(shop.post(&path, "").await.ok(), ended, "it ended once");
    shop.post("/v1/billing_portal/sessions/bps_no/revoke", "").await.refused(404, "resource_missing", "id");
    let entries =
        shop.get(&format!("/v1/audit_entries?customer={customer}&action=billing_portal.session.revoked")).await;
    assert_eq!(entries.ids().len(), 1);
}

async fn what_is_wrong_is_named(shop: Shop) {
    for (path, form, code, param) in [
        ("portal_settings", "default_locale=German", "parameter_invalid", "default_locale"),
        ("portal_settings", "dunning[schedule][]=x", "parameter_invalid_integer", "dunning[schedule][0]"),
        ("portal_settings", "dunning[schedule][]=5&dunning[schedule][]=2", "parameter_invalid", "dunning[schedule][1]"),
        ("portal_settings", "dunning[after_last_attempt]=forget", "parameter_invalid", "dunning[after_last_attempt]"),
        ("portal_settings", "dunning[retries]=3", "parameter_unknown", "dunning[retries]"),
        ("portal_settings", "invoice_numbering=random", "parameter_invalid", "invoice_numbering"),
        ("portal_settings", "owner_email=x", "email_invalid", "owner_email"),
        ("portal_branding", "accent_color=red", "parameter_invalid", "accent_color"),
        ("portal_branding", "dark[text_color]=%2312", "parameter_invalid", "dark[text_color]"),
        ("portal_branding", "corner_radius=1.5", "parameter_invalid_integer", "corner_radius"),
        ("portal_branding", "corner_radius=25", "parameter_invalid", "corner_radius"),
        ("portal_branding", "font=Comic", "parameter_invalid", "font"),
        ("portal_branding", "logo=file_1", "parameter_invalid", "logo"),
        ("portal_branding", "icon=PHN2Zy8%2B", "parameter_invalid", "icon"),
        ("portal_branding", "support_url=javascript:alert(1)", "url_invalid", "support_url"),
        ("billing/feedback_options", "", "parameter_missing", "description"),
        ("billing/feedback_options", "description=%20", "parameter_invalid", "description"),
    ] {
        shop.post(&format!("/v1/{path}"), form).await.refused(400, code, param);
    }
    shop.get("/v1/billing/feedback_options?status=all").await.refused(400, "parameter_invalid", "status");
}
