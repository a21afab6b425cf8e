//! What a change says with it: prices that are not there yet, discounts of one thing, and that it must be paid for.

use serde_json::{Value, json};

use crate::support::{Shop, on_both};

on_both!(
    a_price_is_said_where_it_is_used,
    one_thing_has_a_discount,
    what_must_be_paid_for_is_taken_back,
    a_drafts_lines
);

const DAY: i64 = 86_400;

async fn product(shop: &Shop) -> String {
    shop.post("/v1/products", "name=Seat").await.made()
}

fn data(at: &str, product: &str, amount: i64, rest: &str) -> String {
    format!(
        "{at}[price_data][currency]=eur&{at}[price_data][product]={product}&{at}[price_data][unit_amount]={amount}{rest}"
    )
}

fn monthly(at: &str, product: &str, amount: i64) -> String {
    data(at, product, amount, &format!("&{at}[price_data][recurring][interval]=month"))
}

async fn a_price_is_said_where_it_is_used(shop: Shop) {
    let (customer, product) = (shop.paying_customer().await, product(&shop).await);
    let items = monthly("items[0]", &product, 900);
    let once = data("add_invoice_items[0]", &product, 250, "");
    let form = format!("customer={customer}&{items}&{once}&expand[]=latest_invoice");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    assert_eq!((&made["status"], &made["latest_invoice"]["amount_paid"]), (&json!("active"), &json!(1150)));
    let item = &made["items"]["data"][0];
    assert_eq!((&item["price"]["unit_amount"], &item["price"]["active"]), (&json!(900), &json!(false)));

    shop.clock.advance(15 * DAY * 1000);
    let path = format!("/v1/subscriptions/{}", made["id"].as_str().unwrap());
    let dearer = monthly("items[0]", &product, 1900);
    let form = format!("items[0][id]={}&{dearer}&proration_behavior=always_invoice", item["id"].as_str().unwrap());
    let preview = format!("subscription={}&", made["id"].as_str().unwrap())
        + &form
            .replace("items[0]", "subscription_details[items][0]")
            .replace("proration_behavior", "subscription_details[proration_behavior]");
    assert_eq!(shop.post("/v1/invoices/create_preview", &preview).await.ok()["total"], json!(500));
    let after = shop.post(&path, &format!("{form}&expand[]=latest_invoice")).await.ok();
    assert_eq!(after["latest_invoice"]["amount_paid"], json!(500));

    let another = monthly("x", &product, 100).replace("x[price_data]", "price_data");
    let form = format!("subscription={}&{another}&quantity=2&proration_behavior=none", made["id"].as_str().unwrap());
    let added = shop.post("/v1/subscription_items", &form).await.ok();
    assert_eq!((&added["price"]["unit_amount"], &added["quantity"]), (&json!(100), &json!(2)));
    for (form, param) in [
        (data("items[0]", &product, 5, ""), "items[0][price_data][recurring]"),
        (format!("{}&items[0][price]=p", monthly("items[0]", &product, 5)), "items[0][price_data]"),
        (monthly("items[0]", &product, -5), "items[0][price_data][unit_amount]"),
        ("add_invoice_items[0][quantity]=1".into(), "add_invoice_items[0][price]"),
        (monthly("items[0]", "prod_no", 5), "items[0][price_data][product]"),
    ] {
        let refused = shop.post(&path, &form).await;
        assert_eq!(refused.json["error"]["param"], json!(param), "{}", refused.text);
    }
}

async fn one_thing_has_a_discount(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let half = shop.post("/v1/coupons", "percent_off=50&duration=forever").await.made();
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let (id, item) = (made["id"].as_str().unwrap(), made["items"]["data"][0]["id"].as_str().unwrap());
    let form = format!("items[0][id]={item}&items[0][discounts][0][coupon]={half}&expand[]=items.data.discounts");
    let after = shop.post(&format!("/v1/subscriptions/{id}"), &form).await.ok();
    assert_eq!(after["items"]["data"][0]["discounts"][0]["source"]["coupon"], json!(half));
    assert_eq!(after["discounts"], json!([]));
    let next = shop.post("/v1/invoices/create_preview", &format!("subscription={id}")).await.ok();
    assert_eq!(next["total"], json!(500));
    let bare = shop.post(&format!("/v1/subscription_items/{item}"), "discounts=").await.ok();
    assert_eq!(bare["discounts"], json!([]));

    let form = format!("customer={customer}&amount=800&currency=eur&discounts[0][coupon]={half}");
    let waits = shop.post("/v1/invoiceitems", &form).await.ok();
    assert_eq!(waits["discounts"].as_array().unwrap().len(), 1);
    let draft = format!("customer={customer}&pending_invoice_items_behavior=include");
    let draft = shop.post("/v1/invoices", &draft).await.ok();
    assert_eq!((&draft["subtotal"], &draft["total"]), (&json!(800), &json!(400)));
    assert_eq!(draft["lines"]["data"][0]["discounts"], waits["discounts"]);
    let wrong = format!("customer={customer}&amount=8&currency=eur&discounts[0][coupon]=NO");
    shop.post("/v1/invoiceitems", &wrong).await.refused(404, "resource_missing", "discounts[0][coupon]");
}

async fn what_must_be_paid_for_is_taken_back(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let made = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let (id, item) = (made["id"].as_str().unwrap(), made["items"]["data"][0]["id"].as_str().unwrap());
    let bad =
        shop.post("/v1/payment_methods/pm_card_chargeDeclined/attach", &format!("customer={customer}")).await.made();
    let good =
        shop.get(&format!("/v1/customers/{customer}")).await.ok()["invoice_settings"]["default_payment_method"].clone();
    let path = format!("/v1/subscriptions/{id}");
    shop.post(&path, &format!("default_payment_method={bad}")).await.ok();
    shop.clock.advance(DAY * 1000);
    let before = shop.get(&path).await.ok();
    let more = "quantity=3&proration_behavior=always_invoice&payment_behavior=error_if_incomplete";
    let nested = more.replacen("quantity", "items[0][quantity]", 1);
    let form = format!("items[0][id]={item}&{nested}");
    let declined = shop.post_with_key("must", &path, &form).await;
    assert_eq!(shop.post_with_key("must", &path, &form).await.text, declined.text);
    let error = declined.refused(402, "card_declined", "");
    assert_eq!(error["type"], json!("card_error"));
    shop.post(&format!("/v1/subscription_items/{item}"), more).await.refused(402, "card_declined", "");
    let quote = format!(
        "type=update&subscription={id}&update[items][0][id]={item}&update[items][0][quantity]=3\
        &update[proration_behavior]=always_invoice&update[payment_behavior]=error_if_incomplete"
    );
    let quote = shop.post("/v1/subscription_quotes", &quote).await.ok();
    let confirm = |quote: &Value| format!("token={}", quote["token"].as_str().unwrap());
    shop.post("/v1/subscription_quotes/confirm", &confirm(&quote)).await.refused(402, "card_declined", "");
    let after = shop.get(&path).await.ok();
    for field in ["items", "status", "latest_invoice", "pending_update", "current_period_end"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    let open = shop.get(&format!("/v1/invoices?customer={customer}&status=open")).await.ids();
    assert!(open.is_empty(), "nothing is owed: {open:?}");

    shop.post(&path, &format!("default_payment_method={}", good.as_str().unwrap())).await.ok();
    let paid = shop.post(&format!("/v1/subscription_items/{item}"), more).await.ok();
    assert_eq!(paid["quantity"], json!(3));
}

async fn a_drafts_lines(shop: Shop) {
    let customer = shop.paying_customer().await;
    let waits = shop.post("/v1/invoiceitems", &format!("customer={customer}&amount=300&currency=eur")).await.made();
    let draft = shop.post("/v1/invoices", &format!("customer={customer}&currency=eur")).await.made();
    let path = |what: &str| format!("/v1/invoices/{draft}/{what}");
    let form = format!(
        "lines[0][invoice_item]={waits}&lines[1][amount]=1000&lines[1][description]=Setup&invoice_metadata[a]=1"
    );
    let added = shop.post(&path("add_lines"), &form).await.ok();
    assert_eq!((&added["total"], &added["metadata"]), (&json!(1300), &json!({"a": "1"})));
    let line = |n: usize| added["lines"]["data"][n]["id"].as_str().unwrap();
    let form = format!("lines[0][id]={}&lines[0][amount]=1100&lines[0][description]=More", line(1));
    let changed = shop.post(&path("update_lines"), &form).await.ok();
    assert_eq!((&changed["total"], &changed["lines"]["data"][1]["description"]), (&json!(1400), &json!("More")));
    let form = format!(
        "lines[0][id]={}&lines[0][behavior]=unassign&lines[1][id]={}&lines[1][behavior]=delete",
        line(0),
        line(1)
    );
    assert_eq!(shop.post(&path("remove_lines"), &form).await.ok()["total"], json!(0));
    assert_eq!(shop.get(&format!("/v1/invoiceitems?customer={customer}")).await.ids(), [waits]);
    for (what, form, status, code, param) in [
        ("add_lines", "", 400, "parameter_missing", "lines"),
        ("add_lines", "lines[0][description]=x", 400, "parameter_missing", "lines[0][amount]"),
        ("add_lines", "lines[0][invoice_item]=ii_no", 404, "resource_missing", "lines[0][invoice_item]"),
        ("update_lines", "lines[0][amount]=1", 400, "parameter_missing", "lines[0][id]"),
        ("update_lines", "lines[0][id]=il_no&lines[0][amount]=1", 404, "resource_missing", "lines[0][id]"),
        ("remove_lines", "lines[0][id]=il_no", 400, "parameter_missing", "lines[0][behavior]"),
        ("remove_lines", "lines[0][id]=x&lines[0][behavior]=burn", 400, "parameter_invalid", "lines[0][behavior]"),
    ] {
        shop.post(&path(what), form).await.refused(status, code, param);
    }
    shop.neighbour().await.post(&path("add_lines"), "lines[0][amount]=1").await.refused(404, "resource_missing", "id");
    shop.post(&path("finalize"), "").await.ok();
    shop.post(&path("add_lines"), "lines[0][amount]=1").await.refused(400, "invoice_not_editable", "");
}
