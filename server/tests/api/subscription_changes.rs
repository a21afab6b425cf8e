//! What stops a subscription and lets it go on, and what is scheduled on it.

use serde_json::{Value, json};

use crate::support::{NOW, Shop, on_both};

const DAY: i64 = 86_400;

on_both!(
    what_is_unused_is_given_back,
    a_paused_subscription_goes_on,
    items_change_with_the_period,
    a_change_waits_for_its_payment,
    what_is_scheduled_is_seen_and_taken_back,
    collection_is_paused,
    what_a_trial_does_at_its_end_can_be_changed,
);

/// A new subscription's id.
async fn active(shop: &Shop) -> String {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made()
}

async fn stop(shop: &Shop, id: &str, form: &str) -> Value {
    shop.post(&format!("/v1/subscriptions/{id}/pause"), form).await.ok()
}

async fn a_paused_subscription_goes_on(shop: Shop) {
    let id = active(&shop).await;
    let path = format!("/v1/subscriptions/{id}/resume");
    shop.post(&path, "").await.refused(400, "subscription_not_paused", "");
    stop(&shop, &id, &format!("bill_for[unused_time_from][type]=none&resumes_at={}", NOW + 90 * DAY)).await;
    let paused = shop.get(&format!("/v1/subscriptions/{id}")).await.ok();
    assert_eq!((&paused["status"], &paused["paused_at"]), (&json!("paused"), &json!(NOW)));
    assert_eq!(paused["resumes_at"], json!(NOW + 90 * DAY));
    assert_eq!(paused["scheduled_change"]["type"], "resume");

    shop.clock.advance(40 * DAY * 1000);
    shop.post(&path, "billing_cycle_anchor=now").await.refused(400, "parameter_invalid", "billing_cycle_anchor");
    shop.post(&path, "payment_behavior=resume_on_payment_success").await.refused(
        400,
        "parameter_unsupported",
        "payment_behavior",
    );
    let form = "billing_cycle_anchor[type]=now&payment_behavior=resume_on_payment_attempt&expand[]=latest_invoice";
    let resumed = shop.post_with_key("go", &path, form).await;
    let again = shop.post_with_key("go", &path, form).await;
    assert_eq!(again.text, resumed.text);
    let resumed = resumed.ok();
    assert_eq!((&resumed["status"], &resumed["paused_at"]), (&json!("active"), &json!(null)));
    assert_eq!((&resumed["resumes_at"], &resumed["scheduled_change"]), (&json!(null), &json!(null)));
    assert_eq!(resumed["billing_cycle_anchor"], json!(NOW + 40 * DAY));
    assert_eq!(resumed["current_period_start"], json!(NOW + 40 * DAY));
    let invoice = &resumed["latest_invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(1000)));
    assert_eq!(invoice["billing_reason"], "subscription_update");
    assert_eq!(shop.events("customer.subscription.resumed").await, 1);
    shop.post("/v1/subscriptions/sub_none/resume", "").await.refused(404, "resource_missing", "id");
}

async fn what_is_scheduled_is_seen_and_taken_back(shop: Shop) {
    let id = active(&shop).await;
    let path = format!("/v1/subscriptions/{id}");
    let end = shop.get(&path).await.ok()["current_period_end"].clone();
    stop(&shop, &id, "at_period_end=true").await;
    let change = shop.get(&path).await.ok()["scheduled_change"].clone();
    assert_eq!((&change["object"], &change["type"]), (&json!("scheduled_change"), &json!("pause")));
    assert_eq!((&change["effective_at"], &change["status"]), (&end, &json!("scheduled")));
    assert_eq!((&change["subscription"], &change["items"]), (&json!(id), &json!(null)));
    let list = shop.get(&format!("{path}/scheduled_changes")).await.ok();
    assert_eq!((&list["data"], &list["has_more"]), (&json!([change]), &json!(false)));

    let free = shop.post(&format!("{path}/scheduled_change/cancel"), "").await.ok();
    assert_eq!((&free["status"], &free["scheduled_change"]), (&json!("active"), &json!(null)));
    assert_eq!(shop.post(&format!("{path}/scheduled_change/cancel"), "").await.ok(), free);
    let list = shop.get(&format!("{path}/scheduled_changes?limit=1")).await.ok();
    assert_eq!((&list["data"][0]["status"], &list["data"][0]["settled_at"]), (&json!("undone"), &json!(NOW)));
    let neighbour = shop.neighbour().await;
    neighbour.get(&format!("{path}/scheduled_changes")).await.refused(404, "resource_missing", "id");
    neighbour.post(&format!("{path}/scheduled_change/cancel"), "").await.refused(404, "resource_missing", "id");
}

async fn collection_is_paused(shop: Shop) {
    let path = format!("/v1/subscriptions/{}", active(&shop).await);
    let form = format!("pause_collection[behavior]=keep_as_draft&pause_collection[resumes_at]={}", NOW + 40 * DAY);
    let paused = shop.post(&path, &form).await.ok();
    let said = json!({"behavior": "keep_as_draft", "resumes_at": NOW + 40 * DAY});
    assert_eq!((&paused["pause_collection"], &paused["status"]), (&said, &json!("active")));
    for (form, code, param) in [
        ("pause_collection[behavior]=wait", "parameter_invalid", "pause_collection[behavior]"),
        ("pause_collection[resumes_at]=1", "parameter_missing", "pause_collection[behavior]"),
        (
            "pause_collection[behavior]=void&pause_collection[resumes_at]=1",
            "parameter_invalid",
            "pause_collection[resumes_at]",
        ),
        ("pause_collection=1", "parameter_invalid", "pause_collection"),
    ] {
        shop.post(&path, form).await.refused(400, code, param);
    }
    assert_eq!(shop.post(&path, "metadata[a]=1").await.ok()["pause_collection"], said);
    assert_eq!(shop.post(&path, "pause_collection=").await.ok()["pause_collection"], json!(null));
}

async fn what_a_trial_does_at_its_end_can_be_changed(shop: Shop) {
    let path = format!("/v1/subscriptions/{}", active(&shop).await);
    let form = "trial_settings[end_behavior][missing_payment_method]=pause";
    let changed = shop.post(&path, form).await.ok();
    assert_eq!(changed["trial_settings"]["end_behavior"]["missing_payment_method"], "pause");
    assert_eq!(shop.post(&path, "metadata[a]=1").await.ok()["trial_settings"], changed["trial_settings"]);
}

async fn what_is_unused_is_given_back(shop: Shop) {
    let id = active(&shop).await;
    let path = format!("/v1/subscriptions/{id}/pause");
    for (form, code, param) in [
        ("type=item", "parameter_unsupported", "type"),
        ("invoicing_behavior=never", "parameter_invalid", "invoicing_behavior"),
        ("bill_for[unused_time_from][type]=then", "parameter_invalid", "bill_for[unused_time_from][type]"),
        (
            "bill_for[outstanding_usage_through][type]=x",
            "parameter_unsupported",
            "bill_for[outstanding_usage_through][type]",
        ),
        ("resumes_at=1", "parameter_invalid", "resumes_at"),
        ("pause=1", "parameter_unknown", "pause"),
    ] {
        shop.post(&path, form).await.refused(400, code, param);
    }
    shop.clock.advance(15 * DAY * 1000);
    let form = "type=subscription&bill_for[unused_time_from][type]=now&bill_for[outstanding_usage_through][type]=now\
                &invoicing_behavior=pending_invoice_item";
    let paused = stop(&shop, &id, form).await;
    assert_eq!((&paused["status"], &paused["paused_at"]), (&json!("paused"), &json!(NOW + 15 * DAY)));
    assert_eq!(stop(&shop, &id, "").await, paused);
    assert_eq!(shop.events("customer.subscription.paused").await, 1);
    shop.clock.advance(DAY * 1000);
    let resumed = shop.post(&format!("/v1/subscriptions/{id}/resume"), "expand[]=latest_invoice").await.ok();
    let invoice = &resumed["latest_invoice"];
    // Half of a November from the 20th on: 15 of 30 days of 10.00.
    assert_eq!((&invoice["total"], &invoice["amount_paid"]), (&json!(500), &json!(500)));
    let amounts: Vec<_> =
        invoice["lines"]["data"].as_array().unwrap().iter().map(|line| line["amount"].clone()).collect();
    assert_eq!(amounts, [json!(-500), json!(1000)]);
}

async fn items_change_with_the_period(shop: Shop) {
    let id = active(&shop).await;
    let (path, cheaper) = (format!("/v1/subscriptions/{id}"), shop.monthly_price(600).await);
    let item = shop.get(&path).await.ok()["items"]["data"][0]["id"].as_str().unwrap().to_owned();
    let form =
        format!("schedule_at_period_end=true&proration_behavior=none&items[0][id]={item}&items[0][price]={cheaper}");
    let waiting = shop.post(&path, &form).await.ok();
    let change = &waiting["scheduled_change"];
    assert_eq!((&change["type"], &change["effective_at"]), (&json!("update"), &waiting["current_period_end"]));
    let expected = json!([{"id": item, "price": cheaper, "quantity": 1, "metadata": {}, "tax_rates": []}]);
    assert_eq!((&change["items"], &change["origin"]), (&expected, &json!("merchant")));
    assert_eq!(waiting["items"]["data"][0]["price"]["unit_amount"], 1000);
    for (form, code, param) in [
        ("schedule_at_period_end=true".to_owned(), "parameter_missing", "items"),
        (form.replace("behavior=none", "behavior=always_invoice"), "parameter_unsupported", "proration_behavior"),
        (format!("{form}&cancel_at_period_end=true"), "parameter_unsupported", "cancel_at_period_end"),
        (format!("{form}&items[0][quantity]=x"), "parameter_invalid_integer", "items[0][quantity]"),
    ] {
        shop.post(&path, &form).await.refused(400, code, param);
    }
    assert_eq!(shop.get(&path).await.ok()["scheduled_change"], *change);
}

async fn a_change_waits_for_its_payment(shop: Shop) {
    let id = active(&shop).await;
    let path = format!("/v1/subscriptions/{id}");
    let subscription = shop.get(&path).await.ok();
    let (customer, item) = (&subscription["customer"], subscription["items"]["data"][0]["id"].clone());
    let (customer, item) = (customer.as_str().unwrap(), item.as_str().unwrap());
    let method =
        shop.post("/v1/payment_methods/pm_card_chargeDeclined/attach", &format!("customer={customer}")).await.made();
    shop.post(&path, &format!("default_payment_method={method}")).await.ok();
    let form = format!(
        "items[0][id]={item}&items[0][quantity]=3&proration_behavior=always_invoice&payment_behavior=pending_if_incomplete"
    );
    let waiting = shop.post(&path, &format!("{form}&expand[]=latest_invoice")).await.ok();
    assert_eq!((&waiting["status"], &waiting["items"]["data"][0]["quantity"]), (&json!("active"), &json!(1)));
    let pending = &waiting["pending_update"];
    assert_eq!((&pending["expires_at"], &pending["trial_end"]), (&json!(NOW + 23 * 3600), &json!(null)));
    let shown = &pending["subscription_items"][0];
    assert_eq!(
        (&shown["id"], &shown["quantity"], &shown["price"]["unit_amount"]),
        (&json!(item), &json!(3), &json!(1000))
    );
    assert_eq!(
        (&waiting["latest_invoice"]["status"], &waiting["latest_invoice"]["amount_due"]),
        (&json!("open"), &json!(2000))
    );
    shop.post(&path, &form).await.refused(400, "subscription_pending_update", "");
    let free = shop.post(&format!("{path}/pending_update/cancel"), "").await.ok();
    assert_eq!((&free["pending_update"], &free["latest_invoice"]), (&json!(null), &subscription["latest_invoice"]));
    assert_eq!(shop.post(&format!("{path}/pending_update/cancel"), "").await.ok(), free);
    assert_eq!(shop.events("customer.subscription.pending_update_expired").await, 1);
    shop.post(&path, "default_payment_method=").await.ok();
    assert_eq!(shop.post(&path, &form).await.ok()["items"]["data"][0]["quantity"], 3);
    assert_eq!(shop.events("customer.subscription.pending_update_applied").await, 1);
}
