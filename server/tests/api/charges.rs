//! Paying invoices, and what is to be read of it: payment intents, charges, mandates.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(
    an_invoice_is_paid,
    a_decline_says_why,
    a_customer_is_to_confirm,
    charges_and_intents_are_listed,
    a_debit_has_its_mandate,
);

/// The open first invoice of a customer with this card.
async fn open_invoice(shop: &Shop, card: &str) -> (String, String) {
    let form = format!("payment_method={card}&invoice_settings[default_payment_method]={card}");
    let customer = shop.post("/v1/customers", &form).await.made();
    let price = shop.monthly_price(1000).await;
    let form = format!("customer={customer}&items[0][price]={price}&payment_behavior=default_incomplete");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    (customer, made["latest_invoice"].as_str().unwrap().to_owned())
}

async fn an_invoice_is_paid(shop: Shop) {
    let (customer, invoice) = open_invoice(&shop, "pm_card_chargeCustomerFail").await;
    let path = format!("/v1/invoices/{invoice}/pay");
    let better = shop.post("/v1/payment_methods/pm_card_amex/attach", &format!("customer={customer}")).await.made();
    let other = shop.post("/v1/payment_methods/pm_card_visa/attach", "customer=x").await;
    other.refused(404, "resource_missing", "customer");
    shop.post(&path, "payment_method=pm_none").await.refused(404, "resource_missing", "payment_method");
    shop.post(&path, "foo=1").await.refused(400, "parameter_unknown", "foo");
    assert!(shop.get("/v1/charges").await.ids().is_empty(), "what was refused changed nothing");

    let form = format!("payment_method={better}&off_session=true&expand[]=payment_intent.latest_charge");
    let paid = shop.post(&path, &form).await.ok();
    assert_eq!(
        (&paid["status"], &paid["amount_paid"], &paid["attempt_count"]),
        (&json!("paid"), &json!(1000), &json!(1))
    );
    let charge = &paid["payment_intent"]["latest_charge"];
    assert_eq!(
        (&charge["status"], &charge["paid"], &charge["amount_captured"]),
        (&json!("succeeded"), &json!(true), &json!(1000))
    );
    assert_eq!(charge["payment_method_details"]["card"]["brand"], "amex");
    assert_eq!((&charge["payment_method"], &charge["invoice"]), (&json!(better), &json!(invoice)));
    shop.post(&path, "").await.refused(400, "invoice_already_paid", "");
    shop.post("/v1/invoices/in_none/pay", "").await.refused(404, "resource_missing", "id");
    assert_eq!(shop.sandbox.captured("eur").await.unwrap(), 1000);
}

async fn a_decline_says_why(shop: Shop) {
    for (card, kind, code) in [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedLostCard", "card_declined", "lost_card"),
        ("pm_card_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
        ("pm_mobileMoney_chargeDeclined", "card_declined", "insufficient_funds"),
    ] {
        let (_, invoice) = open_invoice(&shop, card).await;
        let path = format!("/v1/invoices/{invoice}/pay");
        let error = shop.post_with_key(card, &path, "").await.refused(402, kind, "");
        assert_eq!((&error["type"], &error["decline_code"]), (&json!("card_error"), &json!(code)), "{card}");
        let again = shop.post_with_key(card, &path, "").await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (402, "true"));
        let read = shop.get(&format!("/v1/invoices/{invoice}?expand[]=payment_intent.latest_charge")).await.ok();
        let intent = &read["payment_intent"];
        assert_eq!((&read["status"], &intent["status"]), (&json!("open"), &json!("requires_payment_method")));
        assert_eq!(
            (&intent["last_payment_error"]["decline_code"], &intent["last_payment_error"]["code"]),
            (&json!(code), &json!(kind))
        );
        let charge = &intent["latest_charge"];
        assert_eq!(
            (&charge["status"], &charge["failure_code"], &charge["outcome"]["reason"]),
            (&json!("failed"), &json!(kind), &json!(code))
        );
    }
    assert_eq!(shop.events("payment_intent.payment_failed").await, 8);
    assert_eq!(shop.sandbox.captured("eur").await.unwrap(), 0);
}

async fn a_customer_is_to_confirm(shop: Shop) {
    let (_, invoice) = open_invoice(&shop, "pm_card_authenticationRequired").await;
    let path = format!("/v1/invoices/{invoice}/pay");
    for _ in 0..2 {
        shop.post(&path, "").await.refused(400, "invoice_payment_intent_requires_action", "");
    }
    let read = shop.get(&format!("/v1/invoices/{invoice}?expand[]=payment_intent.latest_charge")).await.ok();
    let intent = &read["payment_intent"];
    assert_eq!((&read["status"], &intent["status"]), (&json!("open"), &json!("requires_action")));
    assert_eq!(intent["next_action"]["type"], "redirect_to_url");
    assert_eq!(intent["next_action"]["redirect_to_url"]["url"], read["hosted_invoice_url"]);
    assert_eq!(
        (&intent["latest_charge"]["status"], &intent["latest_charge"]["outcome"]),
        (&json!("pending"), &json!(null))
    );
    assert_eq!(shop.get("/v1/charges").await.ids().len(), 1, "asked twice, it is one charge");
    assert_eq!(shop.events("payment_intent.requires_action").await, 1);
    assert_eq!(shop.events("invoice.payment_action_required").await, 1);
}

async fn charges_and_intents_are_listed(shop: Shop) {
    let (ada, first) = open_invoice(&shop, "pm_card_chargeDeclined").await;
    let (grace, second) = open_invoice(&shop, "pm_card_visa").await;
    for invoice in [&first, &first, &second] {
        shop.post(&format!("/v1/invoices/{invoice}/pay"), "").await;
    }
    let charges = async |query: &str| shop.get(&format!("/v1/charges?{query}")).await.ids();
    let all = charges("").await;
    assert_eq!(all.len(), 3);
    assert_eq!(charges(&format!("customer={ada}")).await, all[1..]);
    assert_eq!(charges(&format!("customer={grace}")).await, all[..1]);
    assert_eq!(charges(&format!("limit=1&starting_after={}", all[0])).await, all[1..2]);
    let intents = async |query: &str| shop.get(&format!("/v1/payment_intents?{query}")).await.ids();
    let both = intents("").await;
    assert_eq!(both.len(), 2);
    assert_eq!(intents(&format!("customer={grace}")).await, both[..1]);
    assert_eq!(charges(&format!("payment_intent={}", both[1])).await, all[1..]);
    let charge =
        shop.get(&format!("/v1/charges/{}?expand[]=payment_intent.invoice&expand[]=customer", all[2])).await.ok();
    assert_eq!((&charge["payment_intent"]["invoice"]["id"], &charge["customer"]["id"]), (&json!(first), &json!(ada)));
    for (path, param) in [
        ("/v1/charges?customer=cus_none", "customer"),
        ("/v1/charges?payment_intent=pi_none", "payment_intent"),
        ("/v1/charges/ch_none", "id"),
        ("/v1/payment_intents?customer=cus_none", "customer"),
    ] {
        shop.get(path).await.refused(404, "resource_missing", param);
    }
    let neighbour = shop.neighbour().await;
    assert!(neighbour.get("/v1/charges").await.ids().is_empty());
    assert!(neighbour.get("/v1/payment_intents").await.ids().is_empty());
    neighbour.get(&format!("/v1/charges/{}", all[0])).await.refused(404, "resource_missing", "id");
}

async fn a_debit_has_its_mandate(shop: Shop) {
    for (method, kind) in [("pm_sepaDebit", "sepa_debit"), ("pm_usBankAccount", "us_bank_account")] {
        let (_, invoice) = open_invoice(&shop, method).await;
        let form = "expand[]=payment_intent.latest_charge";
        let paid = shop.post(&format!("/v1/invoices/{invoice}/pay"), form).await.ok();
        let charge = &paid["payment_intent"]["latest_charge"];
        let id = charge["payment_method_details"][kind]["mandate"].as_str().unwrap();
        let mandate = shop.get(&format!("/v1/mandates/{id}?expand[]=payment_method")).await.ok();
        assert_eq!((&mandate["status"], &mandate["type"]), (&json!("active"), &json!("multi_use")));
        assert_eq!(
            (&mandate["payment_method"]["id"], &mandate["payment_method_details"]["type"]),
            (&charge["payment_method"], &json!(kind))
        );
        assert_eq!(mandate["customer_acceptance"]["type"], "offline");
        let detach = format!("/v1/payment_methods/{}/detach", charge["payment_method"].as_str().unwrap());
        shop.post(&detach, "").await.ok();
        assert_eq!(shop.get(&format!("/v1/mandates/{id}")).await.ok()["status"], "inactive");
        shop.neighbour().await.get(&format!("/v1/mandates/{id}")).await.refused(404, "resource_missing", "id");
        let read = shop.get(&format!("/v1/charges/{}", charge["id"].as_str().unwrap())).await.ok();
        assert_eq!(read["payment_method_details"][kind]["mandate"], json!(id), "what was charged stays known");
    }
    let (_, invoice) = open_invoice(&shop, "pm_card_visa").await;
    let paid = shop.post(&format!("/v1/invoices/{invoice}/pay"), "expand[]=payment_intent.latest_charge").await.ok();
    assert!(paid["payment_intent"]["latest_charge"]["payment_method_details"]["card"]["mandate"].is_null());
    shop.get("/v1/mandates/mandate_none").await.refused(404, "resource_missing", "id");
}
