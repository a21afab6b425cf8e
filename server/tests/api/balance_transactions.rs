//! The customer's balance, as the merchant sees and changes it.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(a_balance_is_adjusted, a_customer_comes_with_a_balance, what_is_wrong_is_named);

async fn a_balance_is_adjusted(shop: Shop) {
    let customer = shop.paying_customer().await;
    let list = format!("/v1/customers/{customer}/balance_transactions");
    let made = shop.post(&list, "amount=-1500&currency=eur&description=Sorry&metadata[case]=7").await.ok();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("cbtxn_"));
    assert_eq!(made["object"], "customer_balance_transaction");
    assert_eq!(
        (&made["amount"], &made["ending_balance"], &made["type"]),
        (&json!(-1500), &json!(-1500), &json!("adjustment"))
    );
    assert_eq!(shop.get(&format!("{list}/{id}")).await.ok(), made);
    let changed = shop.post(&format!("{list}/{id}"), "description=&metadata[case]=8").await.ok();
    assert_eq!((&changed["description"], &changed["metadata"]), (&json!(null), &json!({"case": "8"})));

    let price = shop.monthly_price(1000).await;
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice");
    let invoice = shop.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].clone();
    assert_eq!((&invoice["starting_balance"], &invoice["ending_balance"]), (&json!(-1500), &json!(-500)));
    assert_eq!((&invoice["amount_due"], &invoice["status"]), (&json!(0), &json!("paid")));
    let page = shop.get(&format!("{list}?limit=1&expand[]=data.invoice")).await.ok();
    assert_eq!((&page["data"][0]["type"], &page["has_more"]), (&json!("applied_to_invoice"), &json!(true)));
    assert_eq!(page["data"][0]["invoice"]["total"], 1000);
    let of_invoice = format!("{list}?invoice={}", invoice["id"].as_str().unwrap());
    assert_eq!(shop.get(&of_invoice).await.ids().len(), 1);
    assert_eq!(shop.get(&format!("/v1/customers/{customer}")).await.ok()["balance"], -500);
}

async fn a_customer_comes_with_a_balance(shop: Shop) {
    let made = shop.post("/v1/customers", "balance=-250").await.ok();
    assert_eq!((&made["balance"], &made["currency"]), (&json!(-250), &json!("eur")));
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, "balance=0").await.ok()["balance"], 0);
    let list = shop.get(&format!("{path}/balance_transactions")).await.ok();
    let amounts: Vec<_> = list["data"].as_array().unwrap().iter().map(|t| (&t["type"], &t["amount"])).collect();
    assert_eq!(amounts, [(&json!("adjustment"), &json!(250)), (&json!("initial"), &json!(-250))]);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let customer = shop.post("/v1/customers", "").await.made();
    let list = format!("/v1/customers/{customer}/balance_transactions");
    for (form, code, param) in [
        ("currency=eur", "parameter_missing", "amount"),
        ("amount=1", "parameter_missing", "currency"),
        ("amount=0&currency=eur", "parameter_invalid", "amount"),
        ("amount=999999999&currency=eur", "parameter_invalid", "amount"),
        ("amount=1&currency=xxx", "parameter_invalid", "currency"),
        ("amount=1&currency=eur&type=initial", "parameter_unknown", "type"),
    ] {
        shop.post(&list, form).await.refused(400, code, param);
    }
    shop.get(&format!("{list}/cbtxn_no")).await.refused(404, "resource_missing", "id");
    assert!(shop.get(&list).await.ids().is_empty());
}
