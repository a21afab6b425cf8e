//! Portal configurations.

use serde_json::{Value, json};

use crate::support::{Shop, on_both};

const PATH: &str = "/v1/billing_portal/configurations";

on_both!(
    a_configuration_lives,
    json_features_are_read_leniently,
    reasons_in_the_merchants_own_words,
    what_is_wrong_is_named,
);

async fn a_configuration_lives(shop: Shop) {
    let price = shop.monthly_price(1000).await;
    let product = shop.get(&format!("/v1/prices/{price}")).await.ok()["product"].as_str().unwrap().to_owned();
    let form = format!(
        "name=Small&metadata[a]=1&business_profile[headline]=Hello&business_profile[privacy_policy_url]=https://x.org/p\
         &default_return_url=https://x.org&login_page[enabled]=false&session[link_ttl]=120&session[idle]=600&session[max]=1200\
         &features[customer_update][enabled]=true&features[customer_update][allowed_updates][0]=email\
         &features[invoice_history][enabled]=true&features[payment_method_update][enabled]=false\
         &features[subscription_cancel][enabled]=true&features[subscription_cancel][mode]=immediately\
         &features[subscription_cancel][cancellation_reason][enabled]=true\
         &features[subscription_cancel][cancellation_reason][options][]=other\
         &features[subscription_update][enabled]=true&features[subscription_update][default_allowed_updates][]=price\
         &features[subscription_update][products][0][product]={product}\
         &features[subscription_update][products][0][prices][0]={price}\
         &features[subscription_update][products][0][adjustable_quantity][enabled]=true\
         &features[subscription_update][products][0][adjustable_quantity][maximum]=9\
         &features[subscription_update][schedule_at_period_end][conditions][0][type]=decreasing_item_amount\
         &features[subscription_update][proration_behavior]=full_difference\
         &features[subscription_update][charge_timing]=period_end\
         &features[subscription_update][transitions][0][cooldown_days]=30\
         &features[subscription_update][transitions][0][effective]=at_period_end\
         &features[payment_method_update][accepted_types][0]=sepa_debit\
         &features[invoice_payment][enabled]=true\
         &features[embedding][parent_origins][0]=https://shop.test"
    );
    let made = shop.post(PATH, &form).await.ok();
    assert_eq!(
        (&made["object"], &made["active"], &made["is_default"]),
        (&json!("billing_portal.configuration"), &json!(true), &json!(false))
    );
    let features = &made["features"];
    assert_eq!(features["customer_update"], json!({"allowed_updates": ["email"], "enabled": true}));
    assert_eq!(features["subscription_cancel"]["cancellation_reason"]["options"], json!(["other"]));
    let allowed = &features["subscription_update"]["products"][0];
    assert_eq!(allowed["adjustable_quantity"], json!({"enabled": true, "maximum": 9, "minimum": 1}));
    let update = &features["subscription_update"];
    assert_eq!(
        (&update["proration_behavior"], &update["charge_timing"]),
        (&json!("full_difference"), &json!("period_end"))
    );
    let rule = json!({"cooldown_days": 30, "effective": "at_period_end", "from": null, "to": null});
    assert_eq!(update["transitions"], json!([rule]));
    assert_eq!(features["payment_method_update"]["accepted_types"], json!(["sepa_debit"]));
    assert_eq!(features["invoice_payment"]["enabled"], true);
    assert_eq!(features["embedding"]["parent_origins"], json!(["https://shop.test"]));
    assert_eq!(made["session"], json!({"link_ttl": 120, "idle": 600, "max": 1200}));
    let path = format!("{PATH}/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok(), made);

    assert_eq!(made["login_page"], json!({"enabled": false, "url": null}));
    let form = "active=false&name=&features[subscription_cancel][enabled]=false&features[subscription_update][products]=\
                &features[subscription_update][enabled]=false&business_profile[headline]=";
    let updated = shop.post(&path, form).await.ok();
    assert_eq!((&updated["active"], &updated["name"]), (&json!(false), &json!(null)));
    assert_eq!(updated["features"]["subscription_cancel"]["mode"], "immediately");
    assert_eq!(updated["features"]["subscription_update"]["products"], json!([]));
    assert_eq!(shop.get(&format!("{PATH}?active=true")).await.ids().len(), 1);
    assert_eq!(shop.get(&format!("{PATH}?is_default=true")).await.ids().len(), 1);
    assert_eq!(shop.get(&format!("{PATH}?is_default=false")).await.ids(), [made["id"].as_str().unwrap()]);
    assert_eq!(shop.get(&format!("{PATH}/default")).await.ok()["is_default"], true);
    let form = "branding[name]=Umbra&branding[dark][accent_color]=%23fe0&branding[corner_radius]=4";
    let looks = shop.post(&path, form).await.ok();
    assert_eq!((&looks["branding"]["name"], &looks["branding"]["corner_radius"]), (&json!("Umbra"), &json!(4)));
    assert_eq!(looks["branding"]["dark"]["accent_color"], "#ffee00");
    assert_eq!(shop.post(&path, "branding=").await.ok()["branding"], made["branding"]);
    let customer = shop.post("/v1/customers", "").await.made();
    let form = format!("customer={customer}&configuration={}", made["id"].as_str().unwrap());
    shop.post("/v1/billing_portal/sessions", &form).await.refused(400, "parameter_invalid", "configuration");
}

async fn json_features_are_read_leniently(shop: Shop) {
    let body = json!({"features": {
        "invoice_history": {"enabled": "true"},
        "subscription_pause": {"enabled": true, "duration": {"type": "interval_options", "interval_options": [{"interval": "month", "interval_count": "2"}]}},
    }});
    let made = shop.post_json(PATH, &body).await.ok();
    assert_eq!(made["features"]["invoice_history"]["enabled"], true);
    assert_eq!(
        made["features"]["subscription_pause"]["duration"]["interval_options"],
        json!([{"interval": "month", "interval_count": 2}])
    );
}

async fn reasons_in_the_merchants_own_words(shop: Shop) {
    let path = "/v1/billing/feedback_options";
    let one = shop.post(path, "description=Too many mails").await.made();
    let other = shop.post(path, "description=Moved away").await.made();
    let reason = "features[subscription_cancel][cancellation_reason]";
    let form =
        format!("{reason}[enabled]=true&{reason}[feedback_options][]={other}&{reason}[feedback_options][]={one}");
    let asked = |made: &Value| made["features"]["subscription_cancel"]["cancellation_reason"].clone();
    let made = shop.post(PATH, &form).await.ok();
    let said = json!({"enabled": true, "feedback_options": [other, one], "options": [], "required": false});
    assert_eq!(asked(&made), said);
    let own = format!("{PATH}/{}", made["id"].as_str().unwrap());
    let expand = "expand[]=features.subscription_cancel.cancellation_reason.feedback_options";
    let shown = asked(&shop.get(&format!("{own}?{expand}")).await.ok());
    assert_eq!(
        (&shown["feedback_options"][0]["description"], &shown["feedback_options"][1]["id"]),
        (&json!("Moved away"), &json!(one))
    );

    let param = format!("{reason}[feedback_options]");
    let with = |id: &str| format!("{param}[]={id}");
    shop.post(&own, &with("bfo_no")).await.refused(404, "resource_missing", &format!("{param}[0]"));
    let theirs = shop.neighbour().await.post(path, "description=Theirs").await.made();
    shop.post(&own, &with(&theirs)).await.refused(404, "resource_missing", &format!("{param}[0]"));
    let twice = format!("{}&{}", with(&one), with(&one));
    shop.post(&own, &twice).await.refused(400, "parameter_invalid", &format!("{param}[1]"));
    shop.post(&own, &format!("{param}=")).await.refused(400, "parameter_invalid", &format!("{reason}[options]"));

    // What was canceled says which one it was for.
    let price = shop.monthly_price(1000).await;
    let customer = shop.paying_customer().await;
    let form = format!("customer={customer}&items[0][price]={price}");
    let subscription = format!("/v1/subscriptions/{}", shop.post("/v1/subscriptions", &form).await.made());
    let param = "cancellation_details[feedback_option]";
    shop.post(&subscription, &format!("{param}={theirs}")).await.refused(404, "resource_missing", param);
    let said = shop.post(&subscription, &format!("cancel_at_period_end=true&{param}={one}")).await.ok();
    assert_eq!(said["cancellation_details"]["feedback_option"], json!(one));
    shop.post(&format!("{path}/{other}/deactivate"), "").await.ok();
    shop.delete(&format!("{subscription}?{param}={other}")).await.refused(400, "parameter_invalid", param);
    let ended = shop.delete(&format!("{subscription}?expand[]=cancellation_details.feedback_option")).await.ok();
    assert_eq!(ended["cancellation_details"]["feedback_option"]["description"], "Too many mails");
}

async fn what_is_wrong_is_named(shop: Shop) {
    let cases = [
        ("name=x", "parameter_missing", "features"),
        ("features[foo][enabled]=true", "parameter_unknown", "features[foo]"),
        ("features[invoice_history][enabled]=perhaps", "parameter_invalid", "features[invoice_history][enabled]"),
        ("features[invoice_history][color]=red", "parameter_unknown", "features[invoice_history][color]"),
        ("features[subscription_cancel][mode]=later", "parameter_invalid", "features[subscription_cancel][mode]"),
        (
            "features[subscription_cancel][offers][0][coupon]=x",
            "parameter_invalid",
            "features[subscription_cancel][offers][0]",
        ),
        ("features[customer_update][enabled]=true", "parameter_invalid", "features[customer_update][allowed_updates]"),
        ("features[subscription_create][enabled]=true", "parameter_invalid", "features[subscription_create][products]"),
        (
            "features[embedding][parent_origins][0]=https://shop.test/",
            "parameter_invalid",
            "features[embedding][parent_origins][0]",
        ),
        (
            "features[payment_method_update][accepted_types][0]=cash",
            "parameter_invalid",
            "features[payment_method_update][accepted_types][0]",
        ),
        (
            "features[invoice_history][enabled]=true&login_page[enabled]=perhaps",
            "parameter_invalid",
            "login_page[enabled]",
        ),
        ("features[invoice_history][enabled]=true&session[link_ttl]=5", "parameter_invalid", "session[link_ttl]"),
        ("features[invoice_history][enabled]=true&default_return_url=x", "url_invalid", "default_return_url"),
        (
            "features[invoice_history][enabled]=true&branding[light][page_color]=grey",
            "parameter_invalid",
            "branding[light][page_color]",
        ),
        ("features[invoice_history][enabled]=true&branding[logo]=x", "parameter_invalid", "branding[logo]"),
        ("features[invoice_history][enabled]=true&active=false", "parameter_unknown", "active"),
    ];
    for (form, code, param) in cases {
        shop.post(PATH, form).await.refused(400, code, param);
    }
    let form = "features[subscription_update][enabled]=true&features[subscription_update][default_allowed_updates][0]=price\
                &features[subscription_update][products][0][product]=prod_none";
    shop.post(PATH, form).await.refused(404, "resource_missing", "features[subscription_update][products][0][product]");
    shop.post(&format!("{PATH}/default"), "active=false").await.refused(400, "parameter_invalid", "active");
    shop.get(&format!("{PATH}/bpc_none")).await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get(PATH).await.ids().len(), 1);
}
