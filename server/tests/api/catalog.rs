//! Products and prices.

use serde_json::json;

use crate::support::{Shop, on_both};

on_both!(
    a_product_lives,
    what_is_wrong_with_a_product_is_named,
    a_product_comes_with_its_price,
    products_are_found,
    a_price_lives,
    what_is_wrong_with_a_price_is_named,
    a_lookup_key_belongs_to_one_price,
    prices_are_found,
);

async fn a_product_lives(shop: Shop) {
    let form = "name=Pro&description=All of it&id=pro.1&external_id=p_1&images[]=https://x.org/1.png\
                &marketing_features[0][name]=Fast&unit_label=seat&url=https://x.org&metadata[a]=1&shippable=false&type=service";
    let made = shop.post("/v1/products", form).await.ok();
    assert_eq!((&made["id"], &made["object"], &made["active"]), (&json!("pro.1"), &json!("product"), &json!(true)));
    assert_eq!(made["marketing_features"], json!([{"name": "Fast"}]));
    assert_eq!(shop.get("/v1/products/pro.1").await.ok(), made);
    let updated = shop.post("/v1/products/pro.1", "name=Pro 2&active=false&images=&description=").await.ok();
    assert_eq!(
        (&updated["name"], &updated["active"], &updated["images"]),
        (&json!("Pro 2"), &json!(false), &json!([]))
    );
    assert_eq!(
        shop.delete("/v1/products/pro.1").await.ok(),
        json!({"id": "pro.1", "object": "product", "deleted": true})
    );
    shop.get("/v1/products/pro.1").await.refused(404, "resource_missing", "id");
    for event in ["product.created", "product.updated", "product.deleted"] {
        assert_eq!(shop.events(event).await, 1, "{event}");
    }
}

async fn what_is_wrong_with_a_product_is_named(shop: Shop) {
    let cases = [
        ("", "parameter_missing", "name"),
        ("name=", "parameter_invalid_empty", "name"),
        ("name=x&active=perhaps", "parameter_invalid", "active"),
        ("name=x&type=good", "parameter_unsupported", "type"),
        ("name=x&package_dimensions[height]=1", "parameter_unsupported", "package_dimensions"),
        ("name=x&marketing_features[0][title]=y", "parameter_missing", "marketing_features[0][name]"),
        (
            "name=x&marketing_features[0][name]=y&marketing_features[0][z]=y",
            "parameter_unknown",
            "marketing_features[0][z]",
        ),
        ("name=x&default_price_data[unit_amount]=5", "parameter_missing", "default_price_data[currency]"),
        (
            "name=x&default_price_data[currency]=eur&default_price_data[unit_amount]=-5",
            "parameter_invalid",
            "default_price_data[unit_amount]",
        ),
        ("name=x&id=a b", "parameter_invalid", "id"),
    ];
    for (form, code, param) in cases {
        shop.post("/v1/products", form).await.refused(400, code, param);
    }
    assert!(shop.get("/v1/products").await.ids().is_empty());
    shop.post("/v1/products", "name=x&id=p1").await.ok();
    shop.post("/v1/products", "name=x&id=p1").await.refused(400, "resource_already_exists", "id");
}

async fn a_product_comes_with_its_price(shop: Shop) {
    let form = "name=Pro&default_price_data[currency]=EUR&default_price_data[unit_amount_decimal]=900.0\
                &default_price_data[recurring][interval]=month&expand[]=default_price";
    let product = shop.post("/v1/products", form).await.ok();
    let price = &product["default_price"];
    assert_eq!(
        (&price["unit_amount"], &price["currency"], &price["product"]),
        (&json!(900), &json!("eur"), &product["id"])
    );
    let id = product["id"].as_str().unwrap();
    shop.delete(&format!("/v1/products/{id}")).await.refused(400, "parameter_invalid", "id");
}

async fn products_are_found(shop: Shop) {
    for form in ["name=a&id=a&external_id=x", "name=b&id=b&active=false", "name=c&id=c"] {
        shop.post("/v1/products", form).await.ok();
    }
    let sorted = async |query: &str| {
        let mut ids = shop.get(&format!("/v1/products?{query}")).await.ids();
        ids.sort();
        ids
    };
    assert_eq!(sorted("active=true").await, ["a", "c"]);
    assert_eq!(sorted("external_id=x").await, ["a"]);
    assert_eq!(sorted("ids[]=a&ids[]=b&ids[]=none").await, ["a", "b"]);
    assert_eq!(sorted("ids[]=a&ids[]=b&active=true").await, ["a"]);
    assert_eq!(sorted("ids[]=a&ids[]=b&limit=1").await.len(), 1);
    shop.get("/v1/products?ids[]=a&starting_after=b").await.refused(400, "parameter_invalid", "ids");
    shop.get("/v1/products?shippable=true").await.refused(400, "parameter_unsupported", "shippable");
}

async fn a_price_lives(shop: Shop) {
    let form = "currency=usd&unit_amount=1500&recurring[interval]=month&recurring[interval_count]=3\
                &recurring[usage_type]=licensed&recurring[trial_period_days]=14&product_data[name]=Pro&product_data[metadata][a]=1\
                &nickname=Quarterly&lookup_key=pro_q&tax_behavior=exclusive&billing_scheme=per_unit&external_id=x&expand[]=product";
    let made = shop.post("/v1/prices", form).await.ok();
    assert_eq!(
        (&made["type"], &made["unit_amount"], &made["unit_amount_decimal"]),
        (&json!("recurring"), &json!(1500), &json!("1500"))
    );
    assert_eq!((&made["recurring"]["interval"], &made["recurring"]["interval_count"]), (&json!("month"), &json!(3)));
    assert_eq!((&made["product"]["name"], &made["product"]["metadata"]), (&json!("Pro"), &json!({"a": "1"})));
    let path = format!("/v1/prices/{}", made["id"].as_str().unwrap());
    let updated = shop.post(&path, "nickname=&active=false&metadata[k]=v&lookup_key=").await.ok();
    assert_eq!(
        (&updated["nickname"], &updated["active"], &updated["lookup_key"]),
        (&json!(null), &json!(false), &json!(null))
    );
    shop.post(&path, "unit_amount=1").await.refused(400, "parameter_unknown", "unit_amount");
    shop.post(&path, "tax_behavior=inclusive").await.refused(400, "parameter_invalid", "tax_behavior");
    assert_eq!(shop.get(&path).await.ok(), updated);
    let form = format!("currency=jpy&unit_amount=0&product={}", made["product"]["id"].as_str().unwrap());
    assert_eq!(shop.post("/v1/prices", &form).await.ok()["type"], "one_time");
}

async fn what_is_wrong_with_a_price_is_named(shop: Shop) {
    let cases = [
        ("unit_amount=1&product_data[name]=x", "parameter_missing", "currency"),
        ("currency=zzz&unit_amount=1&product_data[name]=x", "parameter_invalid", "currency"),
        ("currency=eur&unit_amount=1", "parameter_missing", "product"),
        ("currency=eur&unit_amount=1&product=p&product_data[name]=x", "parameter_invalid", "product_data"),
        ("currency=eur&product_data[name]=x", "parameter_missing", "unit_amount"),
        (
            "currency=eur&unit_amount=1&unit_amount_decimal=1&product_data[name]=x",
            "parameter_invalid",
            "unit_amount_decimal",
        ),
        ("currency=eur&unit_amount_decimal=-0.5&product_data[name]=x", "parameter_invalid", "unit_amount_decimal"),
        (
            "currency=eur&unit_amount_decimal=0.0000000000001&product_data[name]=x",
            "parameter_invalid",
            "unit_amount_decimal",
        ),
        ("currency=eur&unit_amount_decimal=100000000&product_data[name]=x", "parameter_invalid", "unit_amount_decimal"),
        ("currency=eur&unit_amount=-1&product_data[name]=x", "parameter_invalid", "unit_amount"),
        ("currency=eur&unit_amount=999999999&product_data[name]=x", "parameter_invalid", "unit_amount"),
        ("currency=eur&unit_amount=1&product_data[id]=x", "parameter_missing", "product_data[name]"),
        (
            "currency=eur&unit_amount=1&product_data[name]=x&product_data[foo]=1",
            "parameter_unknown",
            "product_data[foo]",
        ),
        (
            "currency=eur&unit_amount=1&product_data[name]=x&recurring[interval]=fortnight",
            "parameter_invalid",
            "recurring[interval]",
        ),
        (
            "currency=eur&unit_amount=1&product_data[name]=x&recurring[interval_count]=2",
            "parameter_missing",
            "recurring[interval]",
        ),
        (
            "currency=eur&unit_amount=1&product_data[name]=x&recurring[interval]=year&recurring[interval_count]=4",
            "parameter_invalid",
            "recurring[interval_count]",
        ),
        (
            "currency=eur&unit_amount=1&product_data[name]=x&recurring[interval]=day&recurring[usage_type]=metered",
            "parameter_unsupported",
            "recurring[usage_type]",
        ),
        ("currency=eur&billing_scheme=metered&product_data[name]=x", "parameter_invalid", "billing_scheme"),
        ("currency=eur&billing_scheme=tiered&product_data[name]=x", "parameter_missing", "tiers_mode"),
        ("currency=eur&billing_scheme=tiered&tiers_mode=volume&product_data[name]=x", "parameter_missing", "tiers"),
        ("currency=eur&billing_scheme=tiered&unit_amount=1&product_data[name]=x", "parameter_invalid", "unit_amount"),
        (
            "currency=eur&billing_scheme=tiered&tiers_mode=volume&tiers[0][unit_amount]=1&product_data[name]=x",
            "parameter_missing",
            "tiers[0][up_to]",
        ),
        (
            "currency=eur&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=inf&product_data[name]=x",
            "parameter_invalid",
            "tiers[0][unit_amount]",
        ),
        (
            "currency=eur&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=5&tiers[0][unit_amount]=1&product_data[name]=x",
            "parameter_invalid",
            "tiers[0][up_to]",
        ),
        (
            "currency=eur&billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=inf&tiers[0][unit_amount]=-1&product_data[name]=x",
            "parameter_invalid",
            "tiers[0][unit_amount]",
        ),
        ("currency=eur&unit_amount=1&tiers[0][up_to]=inf&product_data[name]=x", "parameter_invalid", "tiers"),
        ("currency=eur&unit_amount=1&tiers_mode=volume&product_data[name]=x", "parameter_invalid", "tiers_mode"),
        (
            "currency=eur&unit_amount=1&currency_options[usd][unit_amount]=1&product_data[name]=x",
            "parameter_unsupported",
            "currency_options",
        ),
        (
            "currency=eur&unit_amount=1&transform_quantity[divide_by]=2&product_data[name]=x",
            "parameter_missing",
            "transform_quantity[round]",
        ),
        (
            "currency=eur&unit_amount=1&transform_quantity[divide_by]=0&transform_quantity[round]=up&product_data[name]=x",
            "parameter_invalid",
            "transform_quantity[divide_by]",
        ),
    ];
    for (form, code, param) in cases {
        shop.post("/v1/prices", form).await.refused(400, code, param);
    }
    shop.post("/v1/prices", "currency=eur&unit_amount=1&product=prod_none").await.refused(
        404,
        "resource_missing",
        "product",
    );
    assert!(shop.get("/v1/prices").await.ids().is_empty());
    assert!(shop.get("/v1/products").await.ids().is_empty());
}

async fn a_lookup_key_belongs_to_one_price(shop: Shop) {
    let form = "currency=eur&unit_amount=1&product_data[name]=x&lookup_key=standard";
    let first = shop.post("/v1/prices", form).await.made();
    shop.post("/v1/prices", form).await.refused(400, "resource_already_exists", "lookup_key");
    assert_eq!(shop.get("/v1/products").await.ids().len(), 1, "a refused price leaves no product behind");
    let second = shop.post("/v1/prices", &format!("{form}&transfer_lookup_key=true")).await.made();
    assert_eq!(shop.get("/v1/prices?lookup_keys[]=standard").await.ids(), [second]);
    assert_eq!(shop.get(&format!("/v1/prices/{first}")).await.ok()["lookup_key"], json!(null));
}

async fn prices_are_found(shop: Shop) {
    let product = shop.post("/v1/products", "name=x").await.made();
    let make = async |form: &str| shop.post("/v1/prices", &format!("unit_amount=1&{form}")).await.made();
    let a = make(&format!("currency=eur&lookup_key=a&product={product}&external_id=x")).await;
    let b = make("currency=usd&lookup_key=b&recurring[interval]=month&product_data[name]=y").await;
    let c = make("currency=eur&lookup_key=c&active=false&product_data[name]=z").await;
    let found = async |query: &str| {
        let mut ids = shop.get(&format!("/v1/prices?{query}")).await.ids();
        ids.sort();
        ids
    };
    let sorted = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    assert_eq!(found("").await, sorted(&[&a, &b, &c]));
    assert_eq!(found("active=true").await, sorted(&[&a, &b]));
    assert_eq!(found("currency=EUR").await, sorted(&[&a, &c]));
    assert_eq!(found(&format!("product={product}")).await, sorted(&[&a]));
    assert_eq!(found("type=recurring").await, sorted(&[&b]));
    assert_eq!(found("external_id=x").await, sorted(&[&a]));
    assert_eq!(found("lookup_keys[]=a&lookup_keys[]=c&lookup_keys[]=none").await, sorted(&[&a, &c]));
    assert_eq!(found("lookup_keys[]=a&lookup_keys[]=c&active=true").await, sorted(&[&a]));
    shop.get("/v1/prices?recurring[interval]=month").await.refused(400, "parameter_unsupported", "recurring[interval]");
    shop.get("/v1/prices?type=weekly").await.refused(400, "parameter_invalid", "type");
}
