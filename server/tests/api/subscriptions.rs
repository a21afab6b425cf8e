//! Subscriptions: what starts, what it costs at once, what ends it.

use billing::gateway::{Answer, Charge, Outcome, PaymentGateway, Refund, Refunded};
use serde_json::json;

use crate::support::{NOW, Shop, on_both};

const DAY: i64 = 86_400;

/// A processor that says nothing, or dies while it is asked.
pub struct Silent {
    pub dies: bool,
}

impl PaymentGateway for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn charge<'a>(&'a self, _: &'a Charge) -> Answer<'a, Outcome> {
        Box::pin(async {
            assert!(!self.dies, "the process died here");
            Outcome::Unknown
        })
    }

    fn look_up<'a>(&'a self, _: &'a str) -> Answer<'a, Option<Outcome>> {
        Box::pin(async { Some(Outcome::Unknown) })
    }

    fn refund<'a>(&'a self, _: &'a Refund) -> Answer<'a, Refunded> {
        Box::pin(async { Refunded::Unknown })
    }
}

on_both!(
    a_subscription_starts_and_is_paid,
    a_declined_card_leaves_it_incomplete,
    a_trial_costs_nothing_yet,
    an_invoice_may_be_sent_instead,
    what_is_wrong_is_named,
    a_subscription_is_updated,
    a_subscription_is_canceled_once,
    items_are_read_by_themselves,
    a_request_that_was_cut_off_goes_on,
    an_unknown_outcome_is_not_guessed,
    a_plan_is_switched,
    a_change_that_was_cut_off_goes_on,
    one_that_must_be_paid_for_is_not_started,
    unused_time_is_given_back,
    a_first_part_of_a_period_is_prorated,
);

async fn a_subscription_starts_and_is_paid(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1500).await);
    let form = format!(
        "customer={customer}&items[0][price]={price}&items[0][quantity]=2&items[0][metadata][a]=1&metadata[b]=2&description=Two seats\
         &collection_method=charge_automatically&payment_behavior=allow_incomplete&off_session=true&currency=eur\
         &billing_mode[type]=flexible&proration_behavior=none&automatic_tax[enabled]=false&discounts=\
         &payment_settings[save_default_payment_method]=on_subscription&payment_settings[payment_method_types][0]=card\
         &expand[]=latest_invoice.payment_intent&expand[]=items.data.price.product&expand[]=customer"
    );
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    assert_eq!((&made["object"], &made["status"]), (&json!("subscription"), &json!("active")));
    assert_eq!(made["customer"]["id"], json!(customer));
    assert_eq!(made["current_period_start"], json!(NOW));
    assert_eq!(made["current_period_end"], json!(NOW + 30 * DAY));
    let item = &made["items"]["data"][0];
    assert_eq!((&item["quantity"], &item["price"]["product"]["name"]), (&json!(2), &json!("Plan")));
    let invoice = &made["latest_invoice"];
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(3000)));
    assert_eq!(invoice["payment_intent"]["status"], "succeeded");
    assert_eq!(made["metadata"], json!({"b": "2"}));
    assert_eq!(made["payment_settings"]["save_default_payment_method"], "on_subscription");
    let id = made["id"].as_str().unwrap();
    assert_eq!(shop.get(&format!("/v1/subscriptions/{id}")).await.ok()["status"], "active");
    for name in [
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "payment_intent.succeeded",
    ] {
        assert_eq!(shop.events(name).await, 1, "{name}");
    }
}

async fn a_declined_card_leaves_it_incomplete(shop: Shop) {
    let (customer, price) = (shop.post("/v1/customers", "").await.made(), shop.monthly_price(1500).await);
    for method in ["pm_card_chargeDeclined", "pm_card_authenticationRequired"] {
        let method =
            shop.post(&format!("/v1/payment_methods/{method}/attach"), &format!("customer={customer}")).await.made();
        let form = format!(
            "customer={customer}&items[][price]={price}&default_payment_method={method}&expand[]=latest_invoice"
        );
        let made = shop.post_with_key(&method, "/v1/subscriptions", &form).await;
        let again = shop.post_with_key(&method, "/v1/subscriptions", &form).await;
        assert_eq!(again.text, made.text);
        let made = made.ok();
        assert_eq!((&made["status"], &made["latest_invoice"]["status"]), (&json!("incomplete"), &json!("open")));
    }
    assert_eq!(shop.get("/v1/subscriptions").await.ids().len(), 2);
    let form = format!("customer={customer}&items[][price]={price}&payment_behavior=default_incomplete");
    assert_eq!(shop.post("/v1/subscriptions", &form).await.ok()["status"], "incomplete");
    let form = format!("customer={customer}&items[][price]={price}");
    shop.post("/v1/subscriptions", &form).await.refused(400, "resource_missing", "default_payment_method");
}

async fn a_trial_costs_nothing_yet(shop: Shop) {
    let customer = shop.post("/v1/customers", "").await.made();
    let price = shop.post("/v1/prices", "currency=eur&unit_amount=1000&recurring[interval]=month&recurring[trial_period_days]=7&product_data[name]=x").await.made();
    let start = async |more: &str| {
        shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}&{more}")).await
    };
    let by_days = start("trial_period_days=14&trial_settings[end_behavior][missing_payment_method]=cancel").await.ok();
    assert_eq!((&by_days["status"], &by_days["trial_end"]), (&json!("trialing"), &json!(NOW + 14 * DAY)));
    assert_eq!(by_days["trial_settings"]["end_behavior"]["missing_payment_method"], "cancel");
    let by_date = start(&format!("trial_end={}", NOW + 5 * DAY)).await.ok();
    assert_eq!(by_date["trial_end"], json!(NOW + 5 * DAY));
    assert_eq!(start("trial_from_plan=true").await.ok()["trial_end"], json!(NOW + 7 * DAY));
    start("trial_end=now").await.refused(400, "resource_missing", "default_payment_method");
    start("trial_end=5").await.refused(400, "parameter_invalid", "trial_end");
    start("trial_period_days=731").await.refused(400, "parameter_invalid", "trial_period_days");
    start("trial_period_days=7&trial_from_plan=true").await.refused(400, "parameter_invalid", "trial_end");
    start("trial_settings[end_behavior][missing_payment_method]=wait").await.refused(
        400,
        "parameter_invalid",
        "trial_settings[end_behavior][missing_payment_method]",
    );
}

async fn an_invoice_may_be_sent_instead(shop: Shop) {
    let (customer, price) = (shop.post("/v1/customers", "").await.made(), shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}&collection_method=send_invoice");
    for days in ["", "&days_until_due=-1", "&days_until_due=3651", "&days_until_due=9223372036854775807"] {
        let form = format!("{form}{days}");
        shop.post("/v1/subscriptions", &form).await.refused(400, "parameter_invalid", "days_until_due");
    }
    let made = shop.post("/v1/subscriptions", &format!("{form}&days_until_due=14&expand[]=latest_invoice")).await.ok();
    assert_eq!((&made["status"], &made["latest_invoice"]["due_date"]), (&json!("active"), &json!(NOW + 14 * DAY)));
}

async fn what_is_wrong_is_named(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let once = shop.post("/v1/prices", "currency=eur&unit_amount=1&product_data[name]=x").await.made();
    let good = format!("customer={customer}&items[0][price]={price}");
    let cases = [
        (format!("items[0][price]={price}"), "parameter_missing", "customer"),
        (format!("customer={customer}"), "parameter_missing", "items"),
        (format!("customer={customer}&items[0][quantity]=1"), "parameter_missing", "items[0][price]"),
        (format!("customer={customer}&items[0][price]={once}"), "parameter_invalid", "items[0][price]"),
        (format!("{good}&items[1][price]={price}"), "parameter_invalid", "items[1][price]"),
        (format!("{good}&items[0][quantity]=-1"), "parameter_invalid", "items[0][quantity]"),
        (format!("{good}&items[0][quantity]=x"), "parameter_invalid_integer", "items[0][quantity]"),
        (format!("{good}&items[0][foo]=1"), "parameter_unknown", "items[0][foo]"),
        (format!("{good}&items[0][price_data][currency]=eur"), "parameter_missing", "items[0][price_data][product]"),
        (format!("{good}&currency=usd"), "parameter_invalid", "currency"),
        (format!("{good}&billing_mode[type]=classic"), "parameter_unsupported", "billing_mode[type]"),
        (format!("{good}&payment_behavior=pending_if_incomplete"), "parameter_unsupported", "payment_behavior"),
        (format!("{good}&payment_behavior=hope"), "parameter_invalid", "payment_behavior"),
        (format!("{good}&automatic_tax[liability][type]=self"), "parameter_unsupported", "automatic_tax[liability]"),
        (format!("{good}&add_invoice_items[0][price]={price}"), "parameter_invalid", "add_invoice_items[0][price]"),
        (
            format!("{good}&add_invoice_items[0][price]={once}&add_invoice_items[0][quantity]=-1"),
            "parameter_invalid",
            "add_invoice_items[0][quantity]",
        ),
        (format!("{good}&billing_cycle_anchor={}", NOW - 1), "parameter_invalid", "billing_cycle_anchor"),
        (format!("{good}&billing_cycle_anchor={}", NOW + 40 * DAY), "parameter_invalid", "billing_cycle_anchor"),
        (
            format!("{good}&billing_cycle_anchor={}&trial_period_days=3", NOW + DAY),
            "parameter_unsupported",
            "billing_cycle_anchor",
        ),
        (format!("{good}&cancel_at=min_period_end"), "parameter_unsupported", "cancel_at"),
        (format!("{good}&cancel_at={}", NOW - 1), "parameter_invalid", "cancel_at"),
        (format!("{good}&cancel_at={}", NOW * 1000), "parameter_invalid", "cancel_at"),
        (format!("{good}&days_until_due=7"), "parameter_invalid", "days_until_due"),
        (format!("{good}&proration_behavior=maybe"), "parameter_invalid", "proration_behavior"),
        (
            format!("{good}&payment_settings[save_default_payment_method]=yes"),
            "parameter_invalid",
            "payment_settings[save_default_payment_method]",
        ),
        (format!("{good}&foo=1"), "parameter_unknown", "foo"),
        (format!("{good}&expand[]=foo"), "parameter_invalid", "expand"),
    ];
    for (form, code, param) in cases {
        shop.post("/v1/subscriptions", &form).await.refused(400, code, param);
    }
    let missing = [
        ("customer=cus_none&items[0][price]=p".to_owned(), "customer"),
        (format!("customer={customer}&items[0][price]=price_none"), "items[0][price]"),
        (format!("{good}&default_payment_method=pm_none"), "default_payment_method"),
    ];
    for (form, param) in missing {
        shop.post("/v1/subscriptions", &form).await.refused(404, "resource_missing", param);
    }
    assert!(shop.get("/v1/subscriptions?status=all").await.ids().is_empty());
}

async fn a_subscription_is_updated(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let id = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let path = format!("/v1/subscriptions/{id}");
    let form = "cancel_at_period_end=true&cancellation_details[comment]=Too dear&cancellation_details[feedback]=too_expensive\
                &metadata[a]=1&description=x&proration_behavior=create_prorations";
    let updated = shop.post(&path, form).await.ok();
    assert_eq!(updated["cancel_at_period_end"], true);
    assert_eq!(updated["cancel_at"], updated["current_period_end"]);
    assert_eq!(updated["cancellation_details"]["feedback"], "too_expensive");
    let kept = shop.post(&path, "cancel_at_period_end=false&metadata=&description=").await.ok();
    assert_eq!(
        (&kept["cancel_at_period_end"], &kept["cancel_at"], &kept["metadata"]),
        (&json!(false), &json!(null), &json!({}))
    );
    shop.post(&path, "invoice_settings=1").await.refused(400, "parameter_unsupported", "invoice_settings");
    shop.post(&path, "cancellation_details[feedback]=bored").await.refused(
        400,
        "parameter_invalid",
        "cancellation_details[feedback]",
    );
    shop.post(&path, "customer=cus_2").await.refused(400, "parameter_unknown", "customer");
    assert_eq!(shop.events("subscription.cancellation_scheduled").await, 1);
}

async fn a_subscription_is_canceled_once(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let start =
        async || shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let path = format!("/v1/subscriptions/{}", start().await);
    shop.delete(&format!("{path}?prorate=maybe")).await.refused(400, "parameter_invalid", "prorate");
    let form = "prorate=false&cancellation_details[comment]=Bye&cancellation_details[feedback]=unused";
    let canceled = shop.send(shop.form(axum::http::Method::DELETE, &path, form)).await.ok();
    assert_eq!(
        (&canceled["status"], &canceled["cancellation_details"]["comment"]),
        (&json!("canceled"), &json!("Bye"))
    );
    assert_eq!(shop.delete(&path).await.ok(), canceled);
    assert_eq!(shop.post(&format!("{path}/cancel"), "").await.ok(), canceled);
    assert_eq!(shop.events("customer.subscription.deleted").await, 1);

    let other = start().await;
    shop.post(&format!("/v1/subscriptions/{other}/cancel"), "").await.ok();
    let third = start().await;
    let ids = async |query: &str| shop.get(&format!("/v1/subscriptions?{query}")).await.ids();
    assert_eq!(ids("").await, [third.as_str()]);
    assert_eq!(ids("status=all").await.len(), 3);
    assert_eq!(ids("status=ended").await.len(), 2);
    assert_eq!(ids("status=active").await, [third.as_str()]);
    assert_eq!(ids(&format!("customer={customer}&price={price}")).await, [third.as_str()]);
    assert_eq!(shop.get(&format!("/v1/customers/{customer}/subscriptions")).await.ids(), [third.as_str()]);
    shop.get("/v1/subscriptions?customer=cus_none").await.refused(404, "resource_missing", "customer");
    shop.get("/v1/subscriptions?status=odd").await.refused(400, "parameter_invalid", "status");
    shop.get("/v1/subscriptions?plan=x").await.refused(400, "parameter_unsupported", "plan");
    shop.delete(&format!("/v1/customers/{customer}")).await.ok();
    assert_eq!(shop.get(&format!("/v1/subscriptions/{third}")).await.ok()["status"], "canceled");
}

async fn items_are_read_by_themselves(shop: Shop) {
    let (customer, a, b) =
        (shop.paying_customer().await, shop.monthly_price(1000).await, shop.monthly_price(500).await);
    let made = shop
        .post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={a}&items[1][price]={b}"))
        .await
        .ok();
    let id = made["id"].as_str().unwrap();
    let items = shop.get(&format!("/v1/subscription_items?subscription={id}")).await.ids();
    assert_eq!(items.len(), 2);
    assert_eq!(shop.get(&format!("/v1/subscription_items?subscription={id}&limit=1")).await.ok()["has_more"], true);
    assert_eq!(
        shop.get(&format!("/v1/subscription_items?subscription={id}&starting_after={}", items[0])).await.ids(),
        [items[1].as_str()]
    );
    assert_eq!(
        shop.get(&format!("/v1/subscription_items?subscription={id}&ending_before={}", items[1])).await.ids(),
        [items[0].as_str()]
    );
    let item = shop.get(&format!("/v1/subscription_items/{}?expand[]=price.product", items[0])).await.ok();
    assert_eq!((&item["subscription"], &item["price"]["product"]["name"]), (&json!(id), &json!("Plan")));
    shop.get("/v1/subscription_items").await.refused(400, "parameter_missing", "subscription");
    shop.get("/v1/subscription_items/si_none").await.refused(404, "resource_missing", "id");
}

/// The process dies between the subscription and its charge: the same request, sent again, makes no second one.
async fn a_request_that_was_cut_off_goes_on(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice");
    let dying = shop.with_gateway(Silent { dies: true });
    dying.post_with_key("k1", "/v1/subscriptions", &form).await.refused(500, "internal_error", "");
    let again = shop.post_with_key("k1", "/v1/subscriptions", &form).await.ok();
    assert_eq!(again["status"], "incomplete", "what became of the charge is not known yet");
    assert_eq!(shop.get("/v1/subscriptions").await.ids(), [again["id"].as_str().unwrap().to_owned()]);
    assert_eq!(shop.post_with_key("k1", "/v1/subscriptions", &form).await.header("idempotent-replayed"), "true");
    shop.post_with_key("k1", "/v1/subscriptions", "customer=x&items[0][price]=y").await.refused(
        400,
        "idempotency_key_reused",
        "",
    );
}

async fn an_unknown_outcome_is_not_guessed(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let silent = shop.with_gateway(Silent { dies: false });
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice");
    let made = silent.post("/v1/subscriptions", &form).await.ok();
    assert_eq!((&made["status"], &made["latest_invoice"]["status"]), (&json!("incomplete"), &json!("open")));
}

async fn a_plan_is_switched(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let (dearer, once) = (shop.monthly_price(2500).await, "currency=eur&unit_amount=700&product_data[name]=Setup");
    let once = shop.post("/v1/prices", once).await.made();
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][plan]={price}")).await.ok();
    let (id, item) = (made["id"].as_str().unwrap(), made["items"]["data"][0]["id"].as_str().unwrap());
    let path = format!("/v1/subscriptions/{id}");
    let form = format!(
        "items[0][id]={item}&items[0][price]={dearer}&items[0][quantity]=2&proration_behavior=always_invoice\
         &proration_date={NOW}&add_invoice_items[0][price]={once}&expand[]=latest_invoice"
    );
    let after = shop.post(&path, &form).await.ok();
    let invoice = &after["latest_invoice"];
    let lines = invoice["lines"]["data"].as_array().unwrap();
    assert_eq!(lines.iter().map(|line| &line["amount"]).collect::<Vec<_>>(), [-1000, 5000, 700]);
    assert_eq!((&invoice["status"], &invoice["amount_paid"]), (&json!("paid"), &json!(4700)));
    assert_eq!((&invoice["billing_reason"], &after["status"]), (&json!("subscription_update"), &json!("active")));
    let details = &lines[0]["parent"]["subscription_item_details"];
    assert_eq!((&details["proration"], &details["subscription_item"]), (&json!(true), &json!(item)));
    let credited = &details["proration_details"]["credited_items"];
    assert_eq!(credited["invoice"], made["latest_invoice"]);
    assert_eq!(credited["invoice_line_items"].as_array().unwrap().len(), 1);
    assert_eq!(lines[1]["parent"]["subscription_item_details"]["proration_details"], json!({"credited_items": null}));
    assert_eq!(after["items"]["data"][0]["quantity"], 2);

    let cases = [
        (format!("items[0][id]={item}&items[0][price]={once}"), 400, "parameter_invalid", "items[0][price]"),
        (
            format!("items[0][id]={item}&items[0][clear_usage]=true"),
            400,
            "parameter_unsupported",
            "items[0][clear_usage]",
        ),
        ("items[0][id]=si_none&items[0][quantity]=2".into(), 404, "resource_missing", "items[0][id]"),
        ("items[0][quantity]=2".into(), 400, "parameter_missing", "items[0][price]"),
        (format!("items[0][id]={item}&items[0][deleted]=true"), 400, "parameter_invalid", "items"),
        (format!("proration_date={}", NOW + 60 * DAY), 400, "parameter_invalid", "proration_date"),
        ("trial_end=1".into(), 400, "parameter_invalid", "trial_end"),
        ("billing_cycle_anchor=later".into(), 400, "parameter_invalid", "billing_cycle_anchor"),
        ("payment_behavior=error_if_incomplete&description=x".into(), 400, "parameter_invalid", "description"),
        ("collection_method=send_invoice".into(), 400, "parameter_invalid", "days_until_due"),
        ("cancel_at=1".into(), 400, "parameter_invalid", "cancel_at"),
    ];
    for (form, status, code, param) in cases {
        shop.post(&path, &form).await.refused(status, code, param);
    }
    let settings = "payment_settings[save_default_payment_method]=on_subscription&cancel_at=";
    let ending = shop.post(&path, &format!("cancel_at={}", NOW + 90 * DAY)).await.ok();
    assert_eq!(ending["cancel_at"], json!(NOW + 90 * DAY));
    let kept = shop.post(&path, settings).await.ok();
    assert_eq!((&kept["cancel_at"], &kept["canceled_at"]), (&json!(null), &json!(null)));
    assert_eq!(kept["payment_settings"]["save_default_payment_method"], "on_subscription");
    let trial = shop.post(&path, &format!("trial_end={}&proration_behavior=none", NOW + 9 * DAY)).await.ok();
    assert_eq!((&trial["status"], &trial["trial_start"]), (&json!("trialing"), &json!(NOW)));
    let over = shop.post(&path, "trial_end=now&proration_behavior=none").await.ok();
    assert_eq!((&over["status"], &over["trial_end"]), (&json!("active"), &json!(NOW)));
}

/// The process dies between the change and its charge: the same request, sent again, changes nothing a second time.
async fn a_change_that_was_cut_off_goes_on(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let (id, item) = (made["id"].as_str().unwrap(), made["items"]["data"][0]["id"].as_str().unwrap());
    let path = format!("/v1/subscriptions/{id}");
    let form = format!("items[0][id]={item}&items[0][quantity]=3&proration_behavior=always_invoice");
    let dying = shop.with_gateway(Silent { dies: true });
    dying.post_with_key("k1", &path, &form).await.refused(500, "internal_error", "");
    let again = shop.post_with_key("k1", &path, &form).await.ok();
    assert_eq!(again["items"]["data"][0]["quantity"], 3);
    assert_eq!(shop.get(&format!("/v1/invoices?subscription={id}")).await.ids().len(), 2);
}

async fn one_that_must_be_paid_for_is_not_started(shop: Shop) {
    let (customer, price) = (shop.post("/v1/customers", "").await.made(), shop.monthly_price(1500).await);
    let bad = format!("customer={customer}");
    let method = shop.post("/v1/payment_methods/pm_card_chargeDeclined/attach", &bad).await.made();
    let form = format!(
        "customer={customer}&items[0][price]={price}&default_payment_method={method}&payment_behavior=error_if_incomplete"
    );
    shop.post("/v1/subscriptions", &form).await.refused(402, "card_declined", "");
    assert!(shop.get("/v1/subscriptions?status=active").await.ids().is_empty());
    assert_eq!(shop.get("/v1/subscriptions?status=incomplete_expired").await.ids().len(), 1);
    assert!(shop.get("/v1/invoices?status=open").await.ids().is_empty());
}

async fn unused_time_is_given_back(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let ended = shop.delete(&format!("/v1/subscriptions/{made}?prorate=true&invoice_now=true")).await.ok();
    assert_eq!(ended["status"], "canceled");
    let last = shop.get(&format!("/v1/invoices/{}", ended["latest_invoice"].as_str().unwrap())).await.ok();
    assert_eq!((&last["total"], &last["amount_due"], &last["status"]), (&json!(-1000), &json!(0), &json!("paid")));
    assert_eq!(shop.get(&format!("/v1/customers/{customer}")).await.ok()["balance"], json!(-1000));
}

async fn a_first_part_of_a_period_is_prorated(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(3000).await);
    let anchor = NOW + 10 * DAY;
    let form =
        format!("customer={customer}&items[0][price]={price}&billing_cycle_anchor={anchor}&expand[]=latest_invoice");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    assert_eq!((&made["billing_cycle_anchor"], &made["current_period_end"]), (&json!(anchor), &json!(anchor)));
    let total = made["latest_invoice"]["total"].as_i64().unwrap();
    assert!([968, 1000, 1071].contains(&total), "10 of 31, 30 or 28 days: {total}");
    let free = shop.post("/v1/subscriptions", &format!("{form}&proration_behavior=none")).await.ok();
    assert_eq!(free["latest_invoice"]["total"], json!(0));
}
