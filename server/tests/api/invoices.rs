//! Invoices, their lines and their payment intents.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(an_invoice_is_read_with_its_lines, invoices_are_found, an_invoice_has_a_page_of_its_own,);

async fn an_invoice_has_a_page_of_its_own(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    let invoice = &made["latest_invoice"];
    let url = invoice["hosted_invoice_url"].as_str().unwrap();
    let secret = url.strip_prefix("https://billing.example/invoice/").unwrap();
    assert_eq!(secret.len(), 43);
    let id = invoice["id"].as_str().unwrap();
    let again = shop.get(&format!("/v1/invoices/{id}")).await.ok();
    assert_eq!(again["hosted_invoice_url"], json!(url));
    let listed = shop.get("/v1/invoices").await.ok();
    assert_eq!(listed["data"][0]["hosted_invoice_url"], json!(url));
    let events = shop.get("/v1/events?type=invoice.paid").await.ok();
    assert_eq!(events["data"][0]["data"]["object"]["hosted_invoice_url"], json!(url));
}

async fn an_invoice_is_read_with_its_lines(shop: Shop) {
    let customer = shop.paying_customer().await;
    let mut form = format!("customer={customer}");
    for n in 0..15 {
        let price = shop.monthly_price(100 + n).await;
        form.push_str(&format!("&items[{n}][price]={price}"));
    }
    let subscription = shop.post("/v1/subscriptions", &form).await.ok();
    let id = subscription["latest_invoice"].as_str().unwrap();
    let invoice = shop.get(&format!("/v1/invoices/{id}?expand[]=payment_intent&expand[]=customer")).await.ok();
    assert_eq!((&invoice["status"], &invoice["total"]), (&json!("paid"), &json!(15 * 100 + 105)));
    assert_eq!(invoice["customer"]["id"], json!(customer));
    assert_eq!((invoice["lines"]["data"].as_array().unwrap().len(), &invoice["lines"]["has_more"]), (10, &json!(true)));
    let url = invoice["lines"]["url"].as_str().unwrap().to_owned();
    assert_eq!(url, format!("/v1/invoices/{id}/lines"));

    let all = shop.get(&format!("{url}?limit=100")).await.ids();
    assert_eq!(all.len(), 15);
    let first = shop.get(&format!("{url}?limit=4")).await.ids();
    assert_eq!(first, all[..4]);
    assert_eq!(shop.get(&format!("{url}?limit=4&starting_after={}", first[3])).await.ids(), all[4..8]);
    let before = shop.get(&format!("{url}?limit=4&ending_before={}", all[8])).await;
    assert_eq!(before.json["has_more"], true, "{}", before.text);
    assert_eq!(before.ids(), all[4..8]);
    let rest = shop.get(&format!("{url}?limit=4&ending_before={}", all[3])).await;
    assert_eq!(rest.json["has_more"], false);
    assert_eq!(rest.ids(), all[..3]);
    shop.get(&format!("{url}?starting_after=il_none")).await.refused(404, "resource_missing", "starting_after");

    let intent = invoice["payment_intent"]["id"].as_str().unwrap();
    let intent = shop.get(&format!("/v1/payment_intents/{intent}?expand[]=payment_method")).await.ok();
    assert_eq!((&intent["amount"], &intent["payment_method"]["card"]["last4"]), (&json!(1605), &json!("4242")));
}

async fn invoices_are_found(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let other = shop.post("/v1/customers", "").await.made();
    let paid = shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.ok();
    let sent = shop
        .post(
            "/v1/subscriptions",
            &format!("customer={other}&items[0][price]={price}&collection_method=send_invoice&days_until_due=7"),
        )
        .await
        .ok();
    let (paid, sent) = (paid["latest_invoice"].as_str().unwrap(), sent["latest_invoice"].as_str().unwrap());
    let ids = async |query: &str| shop.get(&format!("/v1/invoices?{query}")).await.ids();
    assert_eq!(ids("").await.len(), 2);
    assert_eq!(ids(&format!("customer={customer}")).await, [paid]);
    assert_eq!(ids("status=open").await, [sent]);
    assert_eq!(ids("collection_method=send_invoice").await, [sent]);
    let subscription = shop.get(&format!("/v1/subscriptions?customer={other}")).await.ids().remove(0);
    assert_eq!(ids(&format!("subscription={subscription}")).await, [sent]);
    shop.get("/v1/invoices?customer=cus_none").await.refused(404, "resource_missing", "customer");
    shop.get("/v1/invoices?subscription=sub_none").await.refused(404, "resource_missing", "subscription");
    shop.get("/v1/invoices?due_date=1").await.refused(400, "parameter_unsupported", "due_date");
    shop.get("/v1/invoices?status=lost").await.refused(400, "parameter_invalid", "status");
}
