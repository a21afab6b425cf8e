//! Previews of invoices, as SDKs ask for them.

use serde_json::{Value, json};

use crate::support::{NOW, Shop, on_both};

const DAY: i64 = 86_400;

on_both!(
    what_would_be_billed_is_shown,
    what_changes_is_previewed_as_it_would_be_billed,
    what_is_supposed_is_in_the_preview_alone,
    nobody_has_to_be_there_yet,
    what_is_wrong_is_named,
);

async fn what_would_be_billed_is_shown(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let half = shop.post("/v1/coupons", "percent_off=50&duration=once").await.made();
    let form = format!(
        "customer={customer}&subscription_details[items][0][price]={price}&subscription_details[items][0][quantity]=2\
         &discounts[0][coupon]={half}&automatic_tax[enabled]=false&preview_mode=next"
    );
    let shown = shop.post("/v1/invoices/create_preview", &form).await.ok();
    assert_eq!(
        (&shown["object"], &shown["status"], &shown["number"]),
        (&json!("invoice"), &json!("draft"), &json!(null))
    );
    assert!(shown["id"].as_str().unwrap().starts_with("upcoming_in_"));
    assert_eq!((&shown["subtotal"], &shown["amount_due"]), (&json!(4000), &json!(2000)));
    assert_eq!((&shown["total_discount_amounts"][0]["amount"], &shown["attempted"]), (&json!(2000), &json!(false)));
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 0);
    assert_eq!(shop.get(&format!("/v1/coupons/{half}")).await.ok()["times_redeemed"], json!(0));
    for name in ["customer.subscription.created", "invoice.created", "customer.discount.created"] {
        assert_eq!(shop.events(name).await, 0, "{name}");
    }

    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let next = shop.post_with_key("once", "/v1/invoices/create_preview", &format!("subscription={id}")).await;
    let again = shop.post_with_key("once", "/v1/invoices/create_preview", &format!("subscription={id}")).await;
    assert_eq!(again.text, next.text);
    let next = next.ok();
    assert_eq!((&next["amount_due"], &next["billing_reason"]), (&json!(2000), &json!("subscription_cycle")));
    assert_eq!((&next["period_start"], &next["subscription"]), (&json!(NOW + 30 * 86_400), &json!(id)));
    let form = format!("subscription={id}&discounts[0][coupon]={half}");
    assert_eq!(shop.post("/v1/invoices/create_preview", &form).await.ok()["amount_due"], json!(1000));
    let form = format!("subscription={id}&subscription_details[cancel_at_period_end]=true");
    let none = shop.post("/v1/invoices/create_preview", &form).await;
    assert_eq!(none.json["error"]["code"], "invoice_upcoming_none");
    assert_eq!(shop.get("/v1/invoices").await.ids().len(), 1);
}

/// What is shown, without a trace.
async fn shown(shop: &Shop, form: &str) -> Value {
    let before = shop.get("/v1/events?limit=1").await.ids();
    let shown = shop.post("/v1/invoices/create_preview", form).await.ok();
    assert_eq!(shop.get("/v1/events?limit=1").await.ids(), before);
    shown
}

async fn what_changes_is_previewed_as_it_would_be_billed(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let item = shop.get(&format!("/v1/subscriptions/{id}")).await.ok()["items"]["data"][0]["id"].clone();
    let item = item.as_str().unwrap();
    shop.clock.advance(15 * DAY * 1000);
    let change = format!("items[0][id]={item}&items[0][quantity]=3");
    let nested = |form: &str| {
        let each = form.split('&').map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            let (first, rest) = name.find('[').map_or((name, ""), |at| name.split_at(at));
            format!("subscription_details[{first}]{rest}={value}")
        });
        each.collect::<Vec<_>>().join("&")
    };
    let date = format!("&proration_date={}&proration_behavior=always_invoice", NOW + 10 * DAY);
    let form = format!("subscription={id}&{}", nested(&(change.clone() + &date)));
    let preview = shown(&shop, &form).await;
    let updated =
        shop.post(&format!("/v1/subscriptions/{id}"), &format!("{change}{date}&expand[]=latest_invoice")).await;
    let made = &updated.ok()["latest_invoice"];
    for field in ["total", "subtotal", "amount_due", "billing_reason", "period_start", "period_end"] {
        assert_eq!(preview[field], made[field], "{field}");
    }
    assert_eq!(preview["lines"]["data"][0]["description"], made["lines"]["data"][0]["description"]);

    // An end at once gives the rest back, or does not.
    let end = shown(&shop, &format!("subscription={id}&subscription_details[cancel_now]=true")).await;
    assert!(end["total"].as_i64().unwrap() < 0 && end["amount_due"] == json!(0));
    let none = "subscription_details[cancel_now]=true&subscription_details[proration_behavior]=none";
    let none = shop.post("/v1/invoices/create_preview", &format!("subscription={id}&{none}")).await;
    assert_eq!(none.json["error"]["code"], "invoice_upcoming_none");
    let anew = shown(&shop, &format!("subscription={id}&subscription_details[billing_cycle_anchor]=now")).await;
    assert_eq!(anew["period_start"], json!(NOW + 15 * DAY));
    let trial = shown(&shop, &format!("subscription={id}&subscription_details[trial_end]={}", NOW + 60 * DAY)).await;
    assert_eq!(trial["billing_reason"], "subscription_update");
    let soon = format!("subscription={id}&subscription_details[cancel_at]={}", NOW + 16 * DAY);
    let soon = shop.post("/v1/invoices/create_preview", &soon).await;
    assert_eq!(soon.json["error"]["code"], "invoice_upcoming_none");

    // A pause, which is invoiced only where that is asked for, and its end.
    let give_back =
        "subscription_details[pause][type]=subscription&subscription_details[pause][invoicing_behavior]=invoice";
    assert!(shown(&shop, &format!("subscription={id}&{give_back}")).await["total"].as_i64().unwrap() < 0);
    shop.post(&format!("/v1/subscriptions/{id}/pause"), "bill_for[unused_time_from][type]=none").await.ok();
    let resumed = shown(&shop, &format!("subscription={id}&subscription_details[resume_at]=now")).await;
    assert_eq!((&resumed["total"], &resumed["period_start"]), (&json!(6000), &json!(NOW + 15 * DAY)));
}

async fn what_is_supposed_is_in_the_preview_alone(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let rate = "display_name=VAT&percentage=19&inclusive=false&country=DE";
    shop.post("/v1/tax_rates", rate).await.made();
    let start = format!("customer={customer}&subscription_details[items][0][price]={price}");
    let taxed = format!("{start}&automatic_tax[enabled]=true&customer_details[address][country]=DE");
    assert_eq!(shown(&shop, &taxed).await["total"], json!(2380));
    assert_eq!(shown(&shop, &format!("{taxed}&customer_details[tax_exempt]=exempt")).await["total"], json!(2000));
    assert_eq!(shop.get(&format!("/v1/customers/{customer}")).await.ok()["address"], json!(null));
    let once = "invoice_items[0][amount]=700&invoice_items[0][description]=Setup&invoice_items[1][amount]=-200";
    let billed = shown(&shop, &format!("{start}&{once}&currency=eur&expand[]=customer")).await;
    assert_eq!((&billed["total"], &billed["customer"]["id"]), (&json!(2500), &json!(customer)));
    assert_eq!((&billed["lines"]["data"][0]["description"], &billed["subscription"]), (&json!("Setup"), &json!(null)));
    // Items alone, without a subscription.
    assert_eq!(shown(&shop, &format!("customer={customer}&{once}")).await["total"], json!(500));
    assert_eq!(shop.get("/v1/invoiceitems").await.ids().len(), 0);
    let later = NOW + 5 * DAY;
    let later = shown(&shop, &format!("{start}&subscription_details[start_date]={later}")).await;
    assert_eq!(later["period_start"], json!(NOW + 5 * DAY));
    let before = shown(&shop, &format!("{start}&subscription_details[start_date]={}", NOW - 31 * DAY)).await;
    assert_eq!(before["total"], json!(4000), "the month before, too");
    let anchored = format!("{start}&subscription_details[billing_cycle_anchor]={}", NOW + 15 * DAY);
    assert_eq!(shown(&shop, &anchored).await["total"], json!(1000));
    // What it refers to can be looked at.
    let half = shop.post("/v1/coupons", "percent_off=50&duration=once").await.made();
    let form = format!("{start}&discounts[0][coupon]={half}&expand[]=total_discount_amounts.discount");
    let discount = shown(&shop, &form).await["total_discount_amounts"][0]["discount"].clone();
    assert_eq!(discount["source"]["coupon"], json!(half));
}

async fn nobody_has_to_be_there_yet(shop: Shop) {
    let price = shop.monthly_price(2000).await;
    shop.post("/v1/tax_rates", "display_name=VAT&percentage=19&inclusive=false&country=FR").await.made();
    let visitor = format!(
        "subscription_details[items][0][price]={price}&automatic_tax[enabled]=true&customer_details[address][country]=FR"
    );
    let taxed = shown(&shop, &format!("{visitor}&expand[]=customer")).await;
    assert_eq!((&taxed["total"], &taxed["customer"]), (&json!(2380), &json!(null)));
    let number = "customer_details[tax_ids][0][type]=eu_vat&customer_details[tax_ids][0][value]=FRAB000000000";
    let reversed = shown(&shop, &format!("{visitor}&{number}")).await;
    assert_eq!(reversed["total"], json!(2000));
    assert_eq!(reversed["customer_tax_ids"], json!([{"type": "eu_vat", "value": "FRAB000000000"}]));
    let once = "customer_details[tax_exempt]=none&invoice_items[0][amount]=700&invoice_items[0][description]=Setup";
    assert_eq!(shown(&shop, once).await["total"], json!(700));
    assert_eq!(shop.get("/v1/customers").await.ids().len(), 0);

    // Those that are supposed stand in place of those that there are.
    let customer = shop.paying_customer().await;
    let own = format!("/v1/customers/{customer}/tax_ids");
    shop.post(&own, "type=eu_vat&value=FRAB000000000").await.made();
    let form = format!("customer={customer}&{visitor}");
    assert_eq!(shown(&shop, &form).await["total"], json!(2000));
    let other = number.replace("FRAB000000000", "FRAB111111111");
    assert_eq!(shown(&shop, &format!("{form}&{other}")).await["total"], json!(2380));
    assert_eq!(shop.get(&own).await.ids().len(), 1);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(2000).await);
    let other = shop.paying_customer().await;
    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let start = format!("customer={customer}&subscription_details[items][0][price]={price}");
    for (form, status, code, param) in [
        (String::new(), 400, "parameter_missing", "customer"),
        (format!("customer={customer}"), 400, "parameter_missing", "subscription_details[items]"),
        ("subscription=sub_no".into(), 404, "resource_missing", "subscription"),
        (format!("customer={customer}&schedule=x"), 400, "parameter_missing", "subscription_details[items]"),
        (format!("{start}&currency=gbp"), 400, "parameter_invalid", "currency"),
        (
            format!("{start}&subscription_details[cancel_now]=true"),
            400,
            "parameter_invalid",
            "subscription_details[cancel_now]",
        ),
        (
            format!("{start}&subscription_details[start_date]=5"),
            400,
            "parameter_invalid",
            "subscription_details[start_date]",
        ),
        (
            format!("{start}&subscription_details[trial_end]=5"),
            400,
            "parameter_invalid",
            "subscription_details[trial_end]",
        ),
        (
            format!("{start}&customer_details[tax_ids][0][type]=eu_vat"),
            400,
            "parameter_missing",
            "customer_details[tax_ids][0][value]",
        ),
        (
            format!("{start}&customer_details[tax_ids][0][type]=eu_vat&customer_details[tax_ids][0][value]=1"),
            400,
            "tax_id_invalid",
            "customer_details[tax_ids][0][value]",
        ),
        (format!("subscription_details[items][0][price]={price}"), 400, "parameter_missing", "customer"),
        (
            format!("{start}&customer_details[address][country]=nowhere"),
            400,
            "parameter_invalid",
            "customer_details[address][country]",
        ),
        (format!("{start}&invoice_items[0][quantity]=1"), 400, "parameter_missing", "invoice_items[0][amount]"),
        (format!("{start}&discounts[0][coupon]=NO"), 404, "resource_missing", "discounts[0][coupon]"),
        (
            format!("customer={customer}&invoice_items[0][amount]=1&discounts[0][coupon]=NO"),
            400,
            "parameter_unsupported",
            "discounts",
        ),
        ("customer=cus_no&subscription_details[items][0][price]=price_no".into(), 404, "resource_missing", "customer"),
        (
            format!("customer={customer}&subscription_details[items][0][price]=price_no"),
            404,
            "resource_missing",
            "subscription_details[items][0][price]",
        ),
        (format!("customer={other}&subscription={id}"), 404, "resource_missing", "subscription"),
        (
            format!("subscription={id}&subscription_details[resume_at]=5"),
            400,
            "parameter_unsupported",
            "subscription_details[resume_at]",
        ),
        ("subscription=sub_no&preview_mode=recurring".into(), 400, "parameter_unsupported", "preview_mode"),
        ("subscription=sub_no&foo=1".into(), 400, "parameter_unknown", "foo"),
        ("subscription=sub_no&schedule=x".into(), 400, "parameter_unsupported", "schedule"),
    ] {
        shop.post("/v1/invoices/create_preview", &form).await.refused(status, code, param);
    }
}
