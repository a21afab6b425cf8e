//! What is one merchant's does not exist for another: in no path, parameter, cursor or filter.

use axum::http::Method;
use server::api::ROUTES;

use crate::support::{Shop, on_both};

/// An object of each kind, by the beginning of the path that reads it.
async fn stock(shop: &Shop) -> Vec<(&'static str, String, String)> {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let subscription =
        shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let invoice = text(&subscription["latest_invoice"]);
    let intent = text(&shop.get(&format!("/v1/invoices/{invoice}")).await.ok()["payment_intent"]);
    let method = shop.get(&format!("/v1/customers/{customer}/payment_methods")).await.ids().remove(0);
    let tax_ids = format!("/v1/customers/{customer}/tax_ids");
    let tax_id = shop.post(&tax_ids, "type=eu_vat&value=DE123456789").await.made();
    let balance = format!("/v1/customers/{customer}/balance_transactions");
    let adjustment = shop.post(&balance, "amount=-100&currency=eur").await.made();
    let item = shop.post("/v1/invoiceitems", &format!("customer={customer}&amount=5&currency=eur")).await.made();
    let payment = intent.replacen("pi_", "inpay_", 1);
    let note = format!("invoice={invoice}&amount=100&refund_amount=100");
    let note = shop.post("/v1/credit_notes", &note).await.made();
    let refund = shop.get("/v1/refunds").await.ids().remove(0);
    let form = "payment_method=pm_sepaDebit&invoice_settings[default_payment_method]=pm_sepaDebit";
    let debtor = shop.post("/v1/customers", form).await.made();
    shop.post("/v1/subscriptions", &format!("customer={debtor}&items[0][price]={price}")).await.ok();
    let charge = shop.get(&format!("/v1/charges?customer={debtor}")).await.ok()["data"][0].clone();
    let mandate = text(&charge["payment_method_details"]["sepa_debit"]["mandate"]);
    let setup = shop.post("/v1/setup_intents", &format!("customer={customer}")).await.made();
    let endpoint = shop.post("/v1/webhook_endpoints", "url=https://shop.example/hooks&enabled_events[]=*").await.made();
    let domain = shop.post("/v1/portal_domains", "domain_name=billing.shop.example").await.made();
    let option = shop.post("/v1/billing/feedback_options", "description=Other plans").await.made();
    let session = shop.post("/v1/billing_portal/sessions", &format!("customer={customer}")).await.made();
    let entry = shop.get("/v1/audit_entries?limit=1").await.ids().remove(0);
    let product = text(&shop.get(&format!("/v1/prices/{price}")).await.ok()["product"]);
    let coupon = shop.post("/v1/coupons", "percent_off=50").await.made();
    let code = shop.post("/v1/promotion_codes", &format!("coupon={coupon}")).await.made();
    let rate = shop.post("/v1/tax_rates", "display_name=VAT&percentage=19&inclusive=false").await.made();
    let clock = shop.post("/v1/test_helpers/test_clocks", "frozen_time=1800000000").await.made();
    let event = shop.get("/v1/events").await.ids().remove(0);
    let delivery = shop.get("/v1/webhook_deliveries").await.ids().remove(0);
    let issuer = "issuer=https://id.example/&audience=billing&algorithm=HS256&return_urls[]=https://app.example/\
                  &secret=a+secret+of+more+than+32+characters";
    let issuer = shop.post("/v1/portal_issuers", issuer).await.made();
    let configuration = text(&shop.get("/v1/billing_portal/configurations/default").await.ok()["id"]);
    vec![
        ("/v1/accounts/", shop.merchant.clone(), String::new()),
        ("/v1/customers/{id}/balance_transactions", customer.clone(), adjustment),
        ("/v1/customers/{id}/tax_ids", customer.clone(), tax_id.clone()),
        ("/v1/customers/", customer, method.clone()),
        ("/v1/tax_ids/", tax_id, String::new()),
        ("/v1/portal_issuers/", issuer, String::new()),
        ("/v1/products/", product, String::new()),
        ("/v1/prices/", price, String::new()),
        ("/v1/coupons/", coupon, String::new()),
        ("/v1/promotion_codes/", code, String::new()),
        ("/v1/tax_rates/", rate, String::new()),
        ("/v1/payment_methods/", method, String::new()),
        ("/v1/subscriptions/", text(&subscription["id"]), String::new()),
        ("/v1/subscription_items/", text(&subscription["items"]["data"][0]["id"]), String::new()),
        ("/v1/credit_notes/", note, String::new()),
        ("/v1/refunds/", refund, String::new()),
        ("/v1/invoiceitems/", item, String::new()),
        ("/v1/invoice_payments/", payment, String::new()),
        ("/v1/invoices/", invoice, String::new()),
        ("/v1/payment_intents/", intent, String::new()),
        ("/v1/charges/", text(&charge["id"]), String::new()),
        ("/v1/mandates/", mandate, String::new()),
        ("/v1/events/", event, String::new()),
        ("/v1/billing_portal/configurations/", configuration, String::new()),
        ("/v1/billing_portal/sessions/", session, String::new()),
        ("/v1/billing/feedback_options/", option, String::new()),
        ("/v1/setup_intents/", setup, String::new()),
        ("/v1/webhook_endpoints/", endpoint, String::new()),
        ("/v1/portal_domains/", domain, String::new()),
        ("/v1/webhook_deliveries/", delivery, String::new()),
        ("/v1/audit_entries/", entry, String::new()),
        ("/v1/test_helpers/test_clocks/", clock, String::new()),
    ]
}

on_both!(another_merchants_objects_are_not_there, nor_in_a_parameter,);

async fn another_merchants_objects_are_not_there(shop: Shop) {
    let (stock, stranger) = (stock(&shop).await, shop.neighbour().await);
    let customer = stranger.post("/v1/customers", "").await.made();
    for (method, path) in ROUTES.iter().filter(|(_, path)| path.contains("{id}")) {
        let (_, id, inner) = stock
            .iter()
            .find(|(start, ..)| path.starts_with(start))
            .unwrap_or_else(|| panic!("{path} has no row in stock"));
        let form = match (*method, *path) {
            (_, "/v1/payment_methods/{id}/attach" | "/v1/billing_portal/configurations/{id}/preview") => {
                format!("customer={customer}")
            }
            ("POST", "/v1/customers/{id}/balance_transactions") => "amount=1&currency=eur".to_owned(),
            (_, "/v1/test_helpers/test_clocks/{id}/advance") => "frozen_time=1900000000".to_owned(),
            ("POST", "/v1/customers/{id}/tax_ids") => "type=eu_vat&value=DE123456789".to_owned(),
            ("POST", "/v1/invoices/{id}/add_lines") => "lines[0][amount]=1".to_owned(),
            ("POST", "/v1/invoices/{id}/update_lines") => "lines[0][id]=il_1&lines[0][amount]=1".to_owned(),
            ("POST", "/v1/invoices/{id}/remove_lines") => "lines[0][id]=il_1&lines[0][behavior]=delete".to_owned(),
            _ => String::new(),
        };
        let method: Method = method.parse().unwrap();
        let path_of = |id: &str, inner: &str| path.replace("{id}", id).replace("{inner}", inner);
        let theirs = stranger.send(stranger.form(method.clone(), &path_of(id, inner), &form)).await;
        let nobodys = stranger.send(stranger.form(method.clone(), &path_of("x_1", "x_2"), &form)).await;
        assert_eq!(theirs.status, 404, "{method} {path}: {}", theirs.text);
        assert_eq!(
            theirs.text.replace(id.as_str(), "x_1").replace(inner.as_str().max("\u{1}"), "x_2"),
            nobodys.text,
            "{method} {path}"
        );
    }
}

async fn nor_in_a_parameter(shop: Shop) {
    let (stock, stranger) = (stock(&shop).await, shop.neighbour().await);
    let id = |start: &str| stock.iter().find(|(s, ..)| *s == start).unwrap().1.clone();
    let own = stranger.paying_customer().await;
    let price = stranger.monthly_price(1).await;
    let posts = [
        ("/v1/setup_intents", format!("customer={}", id("/v1/customers/")), "customer"),
        (
            "/v1/setup_intents",
            format!("customer={own}&payment_method={}", id("/v1/payment_methods/")),
            "payment_method",
        ),
        ("/v1/prices", format!("currency=eur&unit_amount=1&product={}", id("/v1/products/")), "product"),
        (
            "/v1/coupons",
            format!("percent_off=5&applies_to[products][0]={}", id("/v1/products/")),
            "applies_to[products][0]",
        ),
        ("/v1/promotion_codes", format!("coupon={}", id("/v1/coupons/")), "promotion[coupon]"),
        ("/v1/products", format!("name=x&default_price={}", id("/v1/prices/")), "default_price"),
        ("/v1/subscriptions", format!("customer={}&items[0][price]={price}", id("/v1/customers/")), "customer"),
        ("/v1/subscriptions", format!("customer={own}&items[0][price]={}", id("/v1/prices/")), "items[0][price]"),
        (
            "/v1/subscriptions",
            format!("customer={own}&items[0][price]={price}&default_payment_method={}", id("/v1/payment_methods/")),
            "default_payment_method",
        ),
        (
            "/v1/subscriptions",
            format!("customer={own}&items[0][price]={price}&default_tax_rates[0]={}", id("/v1/tax_rates/")),
            "default_tax_rates[0]",
        ),
        ("/v1/billing_portal/sessions", format!("customer={}", id("/v1/customers/")), "customer"),
        (
            "/v1/billing_portal/sessions",
            format!("customer={own}&configuration={}", id("/v1/billing_portal/configurations/")),
            "configuration",
        ),
        (
            "/v1/billing_portal/sessions",
            format!("customer={own}&subscription={}", id("/v1/subscriptions/")),
            "subscription",
        ),
    ];
    for (path, form, param) in posts {
        let answer = stranger.post(path, &form).await;
        if param == "default_price" {
            answer.refused(400, "parameter_unknown", param);
        } else {
            answer.refused(404, "resource_missing", param);
        }
    }
    let attach = format!("/v1/payment_methods/pm_card_visa/attach?customer={}", id("/v1/customers/"));
    stranger.post(&attach, "").await.refused(404, "resource_missing", "customer");
    for (list, start) in [
        ("/v1/customers?", "/v1/customers/"),
        ("/v1/products?", "/v1/products/"),
        ("/v1/prices?", "/v1/prices/"),
        ("/v1/coupons?", "/v1/coupons/"),
        ("/v1/promotion_codes?", "/v1/promotion_codes/"),
        ("/v1/tax_rates?", "/v1/tax_rates/"),
        ("/v1/subscriptions?", "/v1/subscriptions/"),
        ("/v1/invoices?", "/v1/invoices/"),
        ("/v1/events?", "/v1/events/"),
        ("/v1/billing_portal/configurations?", "/v1/billing_portal/configurations/"),
        ("/v1/billing/feedback_options?", "/v1/billing/feedback_options/"),
        ("/v1/setup_intents?", "/v1/setup_intents/"),
        ("/v1/webhook_endpoints?", "/v1/webhook_endpoints/"),
        ("/v1/portal_domains?", "/v1/portal_domains/"),
        ("/v1/audit_entries?", "/v1/audit_entries/"),
    ] {
        for cursor in ["starting_after", "ending_before"] {
            stranger.get(&format!("{list}{cursor}={}", id(start))).await.refused(404, "resource_missing", cursor);
        }
    }
    for (list, param, start) in [
        ("/v1/subscriptions", "customer", "/v1/customers/"),
        ("/v1/invoices", "customer", "/v1/customers/"),
        ("/v1/invoices", "subscription", "/v1/subscriptions/"),
        ("/v1/payment_methods", "customer", "/v1/customers/"),
        ("/v1/subscription_items", "subscription", "/v1/subscriptions/"),
    ] {
        stranger.get(&format!("{list}?{param}={}", id(start))).await.refused(404, "resource_missing", param);
    }
    assert!(stranger.get(&format!("/v1/prices?product={}", id("/v1/products/"))).await.ids().is_empty());
    assert!(stranger.get(&format!("/v1/products?ids[]={}", id("/v1/products/"))).await.ids().is_empty());
}
