//! Credit notes and refunds, as the merchant's backend makes them.

use serde_json::{Value, json};

use crate::support::{Shop, on_both};

on_both!(a_paid_invoice_is_credited, an_open_invoice_is_credited, a_charge_is_refunded, what_is_wrong_is_named);

/// A customer's paid first invoice over 10.00.
async fn paid(shop: &Shop) -> Value {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice.payment_intent");
    shop.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].clone()
}

async fn a_paid_invoice_is_credited(shop: Shop) {
    let invoice = paid(&shop).await;
    let (id, line) = (invoice["id"].as_str().unwrap(), invoice["lines"]["data"][0]["id"].as_str().unwrap());
    let form = format!(
        "invoice={id}&lines[0][type]=invoice_line_item&lines[0][invoice_line_item]={line}&lines[0][amount]=400\
         &refund_amount=300&credit_amount=100&reason=order_change&memo=Sorry&metadata[case]=7"
    );
    let preview = shop.get(&format!("/v1/credit_notes/preview?{form}")).await.ok();
    assert_eq!((&preview["total"], &preview["id"]), (&json!(400), &json!("")));
    assert!(shop.get("/v1/credit_notes").await.ids().is_empty());
    let note = shop.post_with_key("once", "/v1/credit_notes", &form).await.ok();
    assert_eq!(shop.post_with_key("once", "/v1/credit_notes", &form).await.ok(), note);
    assert_eq!(
        (&note["amount"], &note["type"], &note["status"]),
        (&json!(400), &json!("post_payment"), &json!("issued"))
    );
    assert_eq!(
        (&note["reason"], &note["memo"], &note["metadata"]["case"]),
        (&json!("order_change"), &json!("Sorry"), &json!("7"))
    );
    assert_eq!(note["lines"]["data"][0]["invoice_line_item"], line);
    assert_eq!(note["refunds"][0]["amount_refunded"], 300);
    let path = format!("/v1/credit_notes/{}", note["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok(), note);
    let lines = shop.get(&format!("{path}/lines")).await.ok();
    assert_eq!(lines["data"], note["lines"]["data"]);
    let expanded = shop
        .get(&format!("{path}?expand[]=invoice&expand[]=customer_balance_transaction&expand[]=refunds.refund"))
        .await
        .ok();
    assert_eq!(expanded["invoice"]["post_payment_credit_notes_amount"], 400);
    assert_eq!(expanded["customer_balance_transaction"]["amount"], -100);
    assert_eq!(expanded["refunds"][0]["refund"]["status"], "succeeded");
    assert_eq!(shop.post(&path, "memo=Changed").await.ok()["memo"], "Changed");
    assert_eq!(shop.get(&format!("/v1/credit_notes?invoice={id}")).await.ids().len(), 1);
    shop.post(&format!("{path}/void"), "").await.refused(400, "credit_note_not_voidable", "");
    assert_eq!(shop.events("credit_note.created").await, 1);
}

async fn an_open_invoice_is_credited(shop: Shop) {
    let customer = shop.paying_customer().await;
    shop.post("/v1/invoiceitems", &format!("customer={customer}&amount=900&currency=eur")).await.made();
    let form = format!("customer={customer}&pending_invoice_items_behavior=include");
    let invoice = shop.post("/v1/invoices", &form).await.made();
    let note = format!("invoice={invoice}&amount=300");
    shop.post("/v1/credit_notes", &note).await.refused(400, "invoice_not_creditable", "invoice");
    shop.post(&format!("/v1/invoices/{invoice}/finalize"), "").await.ok();
    let made = shop.post("/v1/credit_notes", &note).await.ok();
    assert_eq!((&made["type"], &made["pre_payment_amount"]), (&json!("pre_payment"), &json!(300)));
    let now = shop.get(&format!("/v1/invoices/{invoice}")).await.ok();
    assert_eq!((&now["amount_remaining"], &now["pre_payment_credit_notes_amount"]), (&json!(600), &json!(300)));
    let void = shop.post(&format!("/v1/credit_notes/{}/void", made["id"].as_str().unwrap()), "").await.ok();
    assert_eq!((&void["status"], void["voided_at"].is_number()), (&json!("void"), true));
    let now = shop.post(&format!("/v1/invoices/{invoice}/pay"), "").await.ok();
    assert_eq!(now["amount_paid"], 900);
}

async fn a_charge_is_refunded(shop: Shop) {
    let invoice = paid(&shop).await;
    let (intent, charge) = (&invoice["payment_intent"]["id"], &invoice["payment_intent"]["latest_charge"]);
    let (intent, charge) = (intent.as_str().unwrap(), charge.as_str().unwrap());
    let form = format!("payment_intent={intent}&amount=400&reason=requested_by_customer&metadata[a]=1");
    let made = shop.post_with_key("once", "/v1/refunds", &form).await.ok();
    assert_eq!(shop.post_with_key("once", "/v1/refunds", &form).await.ok(), made);
    assert_eq!((&made["status"], &made["amount"], &made["charge"]), (&json!("succeeded"), &json!(400), &json!(charge)));
    let path = format!("/v1/refunds/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok(), made);
    assert_eq!(shop.post(&path, "metadata[a]=2").await.ok()["metadata"], json!({"a": "2"}));
    shop.post(&format!("{path}/cancel"), "").await.refused(400, "refund_not_cancelable", "");
    let rest = shop.post("/v1/refunds", &format!("charge={charge}")).await.ok();
    assert_eq!(rest["amount"], 600);
    shop.post("/v1/refunds", &format!("charge={charge}")).await.refused(400, "charge_already_refunded", "");
    assert_eq!(shop.get(&format!("/v1/refunds?payment_intent={intent}")).await.ids().len(), 2);
    assert_eq!(shop.events("refund.created").await, 2);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let id = paid(&shop).await["id"].as_str().unwrap().to_owned();
    for (form, status, code, param) in [
        ("", 400, "parameter_missing", "amount"),
        ("amount=1", 400, "parameter_missing", "invoice"),
        ("invoice=in_no&amount=1", 404, "resource_missing", "invoice"),
        ("invoice=$&amount=1&lines[0][type]=custom_line_item", 400, "parameter_missing", "lines[0][unit_amount]"),
        ("invoice=$&lines[0][type]=gift", 400, "parameter_invalid", "lines[0][type]"),
        ("invoice=$&amount=2000&credit_amount=2000", 400, "parameter_invalid", "amount"),
        ("invoice=$&amount=10&credit_amount=11", 400, "parameter_invalid", "credit_amount"),
        ("invoice=$&amount=10&credit_amount=10&reason=bored", 400, "parameter_invalid", "reason"),
        ("invoice=$&amount=10&refunds[0][refund]=re_1", 400, "parameter_unsupported", "refunds"),
        ("invoice=$&amount=10&colour=red", 400, "parameter_unknown", "colour"),
    ] {
        shop.post("/v1/credit_notes", &form.replace('$', &id)).await.refused(status, code, param);
    }
    for (form, status, code, param) in [
        ("", 400, "parameter_missing", "charge"),
        ("charge=ch_no", 404, "resource_missing", "charge"),
        ("payment_intent=pi_no", 404, "resource_missing", "payment_intent"),
        ("charge=ch_1&payment_intent=pi_1", 400, "parameter_invalid", "payment_intent"),
        ("charge=ch_no&reason=bored", 400, "parameter_invalid", "reason"),
    ] {
        shop.post("/v1/refunds", form).await.refused(status, code, param);
    }
    assert!(shop.get("/v1/credit_notes").await.ids().is_empty());
    assert!(shop.get("/v1/refunds").await.ids().is_empty());
}
