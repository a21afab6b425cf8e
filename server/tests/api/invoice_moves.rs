//! Invoices and their items by hand, as the merchant's backend makes and moves them.

use billing::gateway::{Notice, Outcome};
use billing::payment::fate;
use billing::{Actor, directory, transact};
use serde_json::{Value, json};

use crate::subscriptions::Silent;
use crate::support::{Shop, on_both};

on_both!(
    an_invoice_is_made_of_items,
    an_invoice_is_paid,
    a_card_that_is_declined_leaves_it_open,
    a_payment_that_was_cut_off_is_not_asked_for_again,
    an_invoice_is_moved,
    what_is_wrong_is_named,
);

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

/// An item that waits, and its invoice as a draft.
async fn draft(shop: &Shop, customer: &str, amount: i64) -> String {
    shop.post("/v1/invoiceitems", &format!("customer={customer}&amount={amount}&currency=eur")).await.made();
    shop.post("/v1/invoices", &format!("customer={customer}&pending_invoice_items_behavior=include")).await.made()
}

async fn an_invoice_is_made_of_items(shop: Shop) {
    let customer = shop.paying_customer().await;
    let item = format!("customer={customer}&amount=1500&currency=eur&description=Setup&metadata[a]=1");
    let item = shop.post("/v1/invoiceitems", &item).await.ok();
    assert_eq!((&item["object"], &item["amount"], &item["quantity"]), (&json!("invoiceitem"), &json!(1500), &json!(1)));
    assert_eq!((&item["invoice"], &item["proration"], &item["pricing"]), (&json!(null), &json!(false), &json!(null)));
    let path = format!("/v1/invoiceitems/{}", id(&item));
    assert_eq!(shop.get(&path).await.ok(), item);
    assert_eq!(shop.post(&path, "amount=1600&metadata[a]=").await.ok()["amount"], 1600);
    assert_eq!(shop.get(&format!("/v1/invoiceitems?customer={customer}&pending=true")).await.ids(), [id(&item)]);

    let excluded = shop.post("/v1/invoices", &format!("customer={customer}")).await.ok();
    assert_eq!((&excluded["total"], &excluded["status"]), (&json!(0), &json!("draft")));
    let form = format!(
        "customer={customer}&pending_invoice_items_behavior=include&collection_method=send_invoice&days_until_due=14\
         &description=Hello&footer=Bye&metadata[order]=7&auto_advance=false"
    );
    let draft = shop.post("/v1/invoices", &form).await.ok();
    assert_eq!(
        (&draft["total"], &draft["billing_reason"], &draft["number"]),
        (&json!(1600), &json!("manual"), &json!(null))
    );
    assert_eq!((&draft["description"], &draft["footer"]), (&json!("Hello"), &json!("Bye")));
    assert_eq!(draft["lines"]["data"][0]["parent"]["invoice_item_details"]["invoice_item"], id(&item));
    assert_eq!(shop.get(&path).await.ok()["invoice"], draft["id"]);
    assert!(shop.get("/v1/invoiceitems?pending=true").await.ids().is_empty());

    let invoice = format!("/v1/invoices/{}", id(&draft));
    let more = format!("customer={customer}&invoice={}&unit_amount_decimal=12.5&quantity=4&currency=eur", id(&draft));
    let more = shop.post("/v1/invoiceitems", &more).await.ok();
    assert_eq!((&more["amount"], &more["invoice"]), (&json!(50), &draft["id"]));
    assert_eq!(shop.get(&invoice).await.ok()["total"], 1650);
    let stub = json!({"id": more["id"], "object": "invoiceitem", "deleted": true});
    assert_eq!(shop.delete(&format!("/v1/invoiceitems/{}", id(&more))).await.ok(), stub);
    assert_eq!(shop.post(&invoice, "description=").await.ok()["description"], json!(null));
    let open = shop.post(&format!("{invoice}/finalize"), "").await.ok();
    assert_eq!((&open["status"], &open["amount_due"]), (&json!("open"), &json!(1600)));
    assert!(open["number"].is_string() && open["hosted_invoice_url"].is_string());
    assert_eq!(shop.post(&format!("{invoice}/send"), "").await.ok()["status"], "open");
    assert_eq!(shop.events("invoice.sent").await, 1);
    let stub = json!({"id": excluded["id"], "object": "invoice", "deleted": true});
    assert_eq!(shop.delete(&format!("/v1/invoices/{}", id(&excluded))).await.ok(), stub);
}

async fn an_invoice_is_paid(shop: Shop) {
    let customer = shop.paying_customer().await;
    let draft = draft(&shop, &customer, 900).await;
    let path = format!("/v1/invoices/{draft}/pay");
    let paid = shop.post_with_key("once", &path, "").await.ok();
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(900)));
    assert_eq!(shop.post_with_key("once", &path, "").await.ok(), paid);
    shop.post(&path, "").await.refused(400, "invoice_already_paid", "");
    let payments = shop.get(&format!("/v1/invoice_payments?invoice={draft}")).await.ok();
    let payment = &payments["data"][0];
    assert_eq!((&payment["status"], &payment["amount_paid"]), (&json!("paid"), &json!(900)));
    assert_eq!(shop.get(&format!("/v1/invoice_payments/{}", id(payment))).await.ok(), *payment);
    shop.get("/v1/invoice_payments/inpay_no").await.refused(404, "resource_missing", "id");

    let own = self::draft(&shop, &customer, 700).await;
    let path = format!("/v1/invoices/{own}/pay");
    shop.post(&path, "payment_method=pm_no").await.refused(404, "resource_missing", "payment_method");
    let method = shop.get(&format!("/v1/customers/{customer}/payment_methods")).await.ids().remove(0);
    let paid = shop.post(&path, &format!("payment_method={method}&expand[]=payment_intent")).await.ok();
    assert_eq!(paid["payment_intent"]["payment_method"], method);
    let all = shop.get("/v1/invoice_payments?limit=1").await.ok();
    assert_eq!((&all["data"][0]["amount_paid"], &all["has_more"]), (&json!(700), &json!(true)), "newest first");
    let rest = format!("/v1/invoice_payments?starting_after={}", id(&all["data"][0]));
    assert_eq!(shop.get(&rest).await.ok()["data"], json!([payment]));
    let elsewhere = self::draft(&shop, &customer, 800).await;
    let paid = shop.post(&format!("/v1/invoices/{elsewhere}/pay"), "paid_out_of_band=true").await.ok();
    assert_eq!((&paid["status"], &paid["paid_out_of_band"]), (&json!("paid"), &json!(true)));
}

async fn a_card_that_is_declined_leaves_it_open(shop: Shop) {
    for (card, status, code) in [
        ("pm_card_chargeCustomerFail", 402, "card_declined"),
        ("pm_card_authenticationRequired", 400, "invoice_payment_intent_requires_action"),
    ] {
        let form = format!("payment_method={card}&invoice_settings[default_payment_method]={card}");
        let customer = shop.post("/v1/customers", &form).await.made();
        let draft = draft(&shop, &customer, 900).await;
        let answer = shop.post(&format!("/v1/invoices/{draft}/pay"), "").await;
        assert_eq!((answer.status, &answer.json["error"]["code"]), (status, &json!(code)));
        assert_eq!(shop.get(&format!("/v1/invoices/{draft}")).await.ok()["status"], "open");
    }
}

/// The process dies while the gateway is asked: the same request, sent again, is told what became of that charge.
async fn a_payment_that_was_cut_off_is_not_asked_for_again(shop: Shop) {
    let path = format!("/v1/invoices/{}", draft(&shop, &shop.paying_customer().await, 900).await);
    let (dying, pay) = (shop.with_gateway(Silent { dies: true }), format!("{path}/pay"));
    dying.post_with_key("k1", &pay, "").await.refused(500, "internal_error", "");
    assert_eq!(shop.post_with_key("k1", &pay, "").await.status, 409, "nobody knows yet");

    let mut tx = shop.app.db.read().await.unwrap();
    let tenant = directory::tenant(&mut tx, &shop.merchant, false).await.unwrap();
    drop(tx);
    let who = Actor::system(tenant, "test");
    let key = format!("{}/{}/1", who.tenant.key, path.rsplit('/').next().unwrap());
    let outcome = Outcome::Declined { reference: "r".into(), code: "insufficient_funds".into() };
    let told = Notice { id: 1, key, outcome };
    transact!(shop.app.db, |tx| fate::notice(tx, &who, &told).await).unwrap();

    let answer = shop.post_with_key("k1", &pay, "").await;
    assert_eq!((answer.status, &answer.json["error"]["decline_code"]), (402, &json!("insufficient_funds")));
    assert_eq!(shop.get("/v1/charges").await.ids().len(), 1);
    assert_eq!(shop.post_with_key("k1", &pay, "").await.text, answer.text);
    assert_eq!(shop.post_with_key("k2", &pay, "").await.ok()["status"], "paid");
    assert_eq!(shop.get("/v1/charges").await.ids().len(), 2);
}

async fn an_invoice_is_moved(shop: Shop) {
    let customer = shop.paying_customer().await;
    let path = format!("/v1/invoices/{}", draft(&shop, &customer, 900).await);
    shop.post(&format!("{path}/void"), "").await.refused(400, "invoice_not_open", "");
    shop.post(&format!("{path}/finalize"), "").await.ok();
    shop.post(&format!("{path}/finalize"), "").await.refused(400, "invoice_already_finalized", "");
    shop.delete(&path).await.refused(400, "invoice_not_editable", "");
    let given_up = shop.post(&format!("{path}/mark_uncollectible"), "").await.ok();
    assert_eq!(given_up["status"], "uncollectible");
    let void = shop.post(&format!("{path}/void"), "").await.ok();
    assert_eq!((&void["status"], void["status_transitions"]["voided_at"].is_number()), (&json!("void"), true));
    shop.post(&format!("{path}/pay"), "").await.refused(400, "invoice_not_open", "");
}

async fn what_is_wrong_is_named(shop: Shop) {
    let customer = shop.paying_customer().await;
    for (form, status, code, param) in [
        ("", 400, "parameter_missing", "customer"),
        ("customer=cus_no", 404, "resource_missing", "customer"),
        ("customer=$&pending_invoice_items_behavior=all", 400, "parameter_invalid", "pending_invoice_items_behavior"),
        ("customer=$&collection_method=send_invoice", 400, "parameter_missing", "days_until_due"),
        ("customer=$&days_until_due=3", 400, "parameter_invalid", "days_until_due"),
        ("customer=$&default_payment_method=pm_no", 404, "resource_missing", "default_payment_method"),
        ("customer=$&default_tax_rates[]=txr_no", 404, "resource_missing", "default_tax_rates[0]"),
        ("customer=$&subscription=sub_no", 404, "resource_missing", "subscription"),
        ("customer=$&auto_advance=perhaps", 400, "parameter_invalid", "auto_advance"),
        ("customer=$&number=7", 400, "parameter_unsupported", "number"),
        ("customer=$&colour=red", 400, "parameter_unknown", "colour"),
    ] {
        shop.post("/v1/invoices", &form.replace('$', &customer)).await.refused(status, code, param);
    }
    for (form, code, param) in [
        ("customer=$", "parameter_missing", "amount"),
        ("customer=$&amount=1&unit_amount_decimal=1", "parameter_invalid", "unit_amount_decimal"),
        ("customer=$&amount=1&quantity=2", "parameter_invalid", "quantity"),
        ("customer=$&amount=1&period[start]=5", "parameter_missing", "period[end]"),
        ("customer=$&amount=1&period[start]=5&period[end]=4", "parameter_invalid", "period[end]"),
        ("customer=$&amount=1&discounts[0]=x", "parameter_invalid", "discounts[0]"),
    ] {
        shop.post("/v1/invoiceitems", &form.replace('$', &customer)).await.refused(400, code, param);
    }
    assert!(shop.get("/v1/invoices").await.ids().is_empty());
    assert!(shop.get("/v1/invoiceitems").await.ids().is_empty());
}
