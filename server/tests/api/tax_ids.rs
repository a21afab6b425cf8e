//! Tax IDs of customers, below them and by themselves.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(a_tax_id_lives, by_itself_it_has_an_owner, a_customer_comes_with_tax_ids, what_is_wrong_is_named,);

async fn a_tax_id_lives(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let list = format!("/v1/customers/{customer}/tax_ids");
    let made = shop.post(&list, "type=eu_vat&value=DE123456789").await.ok();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("txi_"));
    assert_eq!((&made["object"], &made["livemode"]), (&json!("tax_id"), &json!(false)));
    assert_eq!(
        (&made["type"], &made["value"], &made["country"]),
        (&json!("eu_vat"), &json!("DE123456789"), &json!("DE"))
    );
    assert_eq!(made["owner"], json!({"type": "customer", "customer": customer, "customer_account": null}));
    assert_eq!(made["verification"]["status"], "unavailable");
    assert_eq!(shop.get(&format!("{list}/{id}")).await.ok(), made);
    assert_eq!(shop.get(&format!("/v1/tax_ids/{id}")).await.ok(), made);
    let second = shop.post(&list, "type=us_ein&value=12-3456789").await.made();
    let page = shop.get(&format!("{list}?limit=1")).await.ok();
    assert_eq!((&page["data"][0]["id"], &page["has_more"], &page["url"]), (&json!(second), &json!(true), &json!(list)));
    assert_eq!(shop.get(&format!("{list}?starting_after={second}")).await.ids(), [id]);

    let other = shop.post("/v1/customers", "").await.made();
    shop.get(&format!("/v1/customers/{other}/tax_ids/{id}")).await.refused(404, "resource_missing", "id");
    shop.delete(&format!("/v1/customers/{other}/tax_ids/{id}")).await.refused(404, "resource_missing", "id");
    let stub = json!({"id": id, "object": "tax_id", "deleted": true});
    assert_eq!(shop.delete(&format!("{list}/{id}")).await.ok(), stub);
    shop.get(&format!("{list}/{id}")).await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get(&list).await.ids(), [second]);
    assert_eq!((shop.events("customer.tax_id.created").await, shop.events("customer.tax_id.deleted").await), (2, 1));
    let verified = shop.post(&list, "type=gb_vat&value=000000000").await.ok();
    assert_eq!(verified["verification"]["status"], "verified");
    assert_eq!(shop.events("customer.tax_id.updated").await, 1);
}

async fn by_itself_it_has_an_owner(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let owner = format!("owner[type]=customer&owner[customer]={customer}");
    let id = shop.post("/v1/tax_ids", &format!("type=eu_vat&value=FRAB123456789&{owner}")).await.made();
    assert_eq!(shop.get(&format!("/v1/tax_ids?{owner}")).await.ids(), [id.as_str()]);
    let expanded = shop.get(&format!("/v1/tax_ids/{id}?expand[]=customer&expand[]=owner.customer")).await.ok();
    assert_eq!((&expanded["customer"]["name"], &expanded["owner"]["customer"]["name"]), (&json!("Ada"), &json!("Ada")));
    shop.get("/v1/tax_ids").await.refused(400, "parameter_missing", "owner");
    shop.get("/v1/tax_ids?owner[type]=self").await.refused(400, "parameter_unsupported", "owner[type]");
    let theirs = format!("/v1/tax_ids?{owner}");
    shop.neighbour().await.get(&theirs).await.refused(404, "resource_missing", "customer");
    shop.get("/v1/tax_ids?owner[type]=customer").await.refused(400, "parameter_missing", "owner[customer]");
    shop.delete(&format!("/v1/tax_ids/{id}")).await.ok();
    shop.delete(&format!("/v1/tax_ids/{id}")).await.refused(404, "resource_missing", "id");
}

async fn a_customer_comes_with_tax_ids(shop: Shop) {
    let form = "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE123456789&tax_id_data[1][type]=us_ein\
                &tax_id_data[1][value]=12-3456789&expand[]=tax_ids";
    let made = shop.post("/v1/customers", form).await.ok();
    assert_eq!(made["tax_ids"]["object"], "list");
    assert_eq!(made["tax_ids"]["data"][0]["type"], "us_ein");
    assert_eq!(made["tax_ids"]["data"][1]["customer"], made["id"]);
    let plain = shop.get(&format!("/v1/customers/{}", made["id"].as_str().unwrap())).await.ok();
    assert!(plain.get("tax_ids").is_none());
    let wrong = "tax_id_data[0][type]=eu_vat&tax_id_data[0][value]=DE123456789&tax_id_data[1][type]=us_ein\
                 &tax_id_data[1][value]=x";
    shop.post("/v1/customers", wrong).await.refused(400, "tax_id_invalid", "tax_id_data[1][value]");
    assert_eq!(shop.get("/v1/customers").await.ids().len(), 1);
}

async fn what_is_wrong_is_named(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let list = format!("/v1/customers/{customer}/tax_ids");
    for (form, code, param) in [
        ("value=DE123456789", "parameter_missing", "type"),
        ("type=eu_vat", "parameter_missing", "value"),
        ("type=eu_vat&value=", "parameter_invalid_empty", "value"),
        ("type=eu_vat&value=DE1", "tax_id_invalid", "value"),
        ("type=unknown&value=DE1", "parameter_invalid", "type"),
        ("type=eu_vat&value=DE123456789&country=DE", "parameter_unknown", "country"),
    ] {
        shop.post(&list, form).await.refused(400, code, param);
    }
    shop.post("/v1/customers/cus_no/tax_ids", "type=eu_vat&value=DE123456789").await.refused(
        404,
        "resource_missing",
        "customer",
    );
    assert!(shop.get(&list).await.ids().is_empty());
}
