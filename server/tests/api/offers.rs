//! Coupons, promotion codes and tax rates, as SDKs make them; prices of every kind, and what they cost a subscriber.

use serde_json::json;

use crate::support::{NOW, Shop, on_both};

on_both!(
    a_coupon_lives,
    what_is_wrong_with_a_coupon_is_named,
    a_promotion_code_lives,
    what_is_wrong_with_a_promotion_code_is_named,
    a_tax_rate_lives,
    what_is_wrong_with_a_tax_rate_is_named,
    prices_have_tiers_packages_and_fractions,
    a_subscriber_pays_by_tiers,
);

const DAY: i64 = 86_400;

async fn a_coupon_lives(shop: Shop) {
    let product = shop.post("/v1/products", "name=x").await.made();
    let form = format!(
        "id=SPRING&percent_off=12.5&duration=repeating&duration_in_months=3&name=Spring&max_redemptions=10&redeem_by={}\
         &applies_to[products][]={product}&metadata[a]=1&expand[]=applies_to",
        NOW + DAY
    );
    let made = shop.post("/v1/coupons", &form).await.ok();
    assert_eq!((&made["id"], &made["object"], &made["valid"]), (&json!("SPRING"), &json!("coupon"), &json!(true)));
    assert_eq!((made["percent_off"].to_string().as_str(), &made["amount_off"]), ("12.5", &json!(null)));
    assert_eq!((&made["duration"], &made["duration_in_months"]), (&json!("repeating"), &json!(3)));
    assert_eq!(made["applies_to"], json!({ "products": [product] }));
    assert_eq!(shop.get("/v1/coupons/SPRING").await.ok(), made);
    let renamed = shop.post("/v1/coupons/SPRING", "name=&metadata[b]=2").await.ok();
    assert_eq!((&renamed["name"], &renamed["metadata"]), (&json!(null), &json!({"a": "1", "b": "2"})));
    shop.post("/v1/coupons/SPRING", "percent_off=20").await.refused(400, "parameter_unknown", "percent_off");

    let amount = shop.post_json("/v1/coupons", &json!({"amount_off": 500, "currency": "EUR"})).await.ok();
    assert_eq!((&amount["amount_off"], &amount["currency"]), (&json!(500), &json!("eur")));
    assert_eq!((&amount["duration"], amount["id"].as_str().unwrap().len()), (&json!("once"), 8));
    let json = shop.post_json("/v1/coupons", &json!({"percent_off": 25.5, "duration": "forever"})).await.ok();
    assert_eq!(json["percent_off"].to_string(), "25.5");

    shop.clock.advance(2 * DAY * 1000);
    assert_eq!(shop.get("/v1/coupons/SPRING").await.ok()["valid"], json!(false));
    assert_eq!(shop.get("/v1/coupons").await.ids().len(), 3);
    let gone = shop.delete("/v1/coupons/SPRING").await.ok();
    assert_eq!(gone, json!({"id": "SPRING", "object": "coupon", "deleted": true}));
    shop.get("/v1/coupons/SPRING").await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get("/v1/coupons").await.ids().len(), 2);
    for (name, count) in [("coupon.created", 3), ("coupon.updated", 1), ("coupon.deleted", 1)] {
        assert_eq!(shop.events(name).await, count, "{name}");
    }
}

async fn what_is_wrong_with_a_coupon_is_named(shop: Shop) {
    for (form, code, param) in [
        ("", "parameter_missing", "percent_off"),
        ("percent_off=0", "parameter_invalid", "percent_off"),
        ("percent_off=101", "parameter_invalid", "percent_off"),
        ("percent_off=-5", "parameter_invalid", "percent_off"),
        ("percent_off=ten", "parameter_invalid", "percent_off"),
        ("percent_off=5&amount_off=5&currency=eur", "parameter_invalid", "percent_off"),
        ("amount_off=5", "parameter_missing", "currency"),
        ("amount_off=5&currency=zzz", "parameter_invalid", "currency"),
        ("amount_off=1.5&currency=eur", "parameter_invalid_integer", "amount_off"),
        ("percent_off=5&duration=weekly", "parameter_invalid", "duration"),
        ("percent_off=5&duration=repeating", "parameter_missing", "duration_in_months"),
        ("percent_off=5&duration_in_months=3", "parameter_invalid", "duration_in_months"),
        ("percent_off=5&max_redemptions=0", "parameter_invalid", "max_redemptions"),
        ("percent_off=5&redeem_by=5", "parameter_invalid", "redeem_by"),
        ("percent_off=5&currency_options[usd][amount_off]=5", "parameter_unsupported", "currency_options"),
        ("percent_off=5&applies_to[prices][]=x", "parameter_unknown", "applies_to[prices]"),
        ("percent_off=5&foo=1", "parameter_unknown", "foo"),
    ] {
        shop.post("/v1/coupons", form).await.refused(400, code, param);
    }
    shop.post("/v1/coupons", "percent_off=5&applies_to[products][]=prod_none").await.refused(
        404,
        "resource_missing",
        "applies_to[products][0]",
    );
    assert!(shop.get("/v1/coupons").await.ids().is_empty());
}

async fn a_promotion_code_lives(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    shop.post("/v1/coupons", "id=HALF&percent_off=50").await.ok();
    let form = format!(
        "promotion[type]=coupon&promotion[coupon]=HALF&code=FALL26&customer={customer}&max_redemptions=5&expires_at={}\
         &restrictions[first_time_transaction]=true&restrictions[minimum_amount]=1000\
         &restrictions[minimum_amount_currency]=eur&metadata[a]=1",
        NOW + DAY
    );
    let made = shop.post("/v1/promotion_codes", &form).await.ok();
    assert_eq!((&made["object"], &made["code"]), (&json!("promotion_code"), &json!("FALL26")));
    assert_eq!((&made["active"], &made["times_redeemed"]), (&json!(true), &json!(0)));
    assert_eq!(made["promotion"], json!({"coupon": "HALF", "type": "coupon"}));
    assert_eq!(made["coupon"]["percent_off"], json!(50));
    let restrictions =
        json!({"first_time_transaction": true, "minimum_amount": 1000, "minimum_amount_currency": "eur"});
    assert_eq!(made["restrictions"], restrictions);
    let path = format!("/v1/promotion_codes/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok(), made);
    let expanded = shop.get(&format!("{path}?expand[]=promotion.coupon&expand[]=customer")).await.ok();
    assert_eq!(
        (&expanded["promotion"]["coupon"]["id"], &expanded["customer"]["name"]),
        (&json!("HALF"), &json!("Ada"))
    );

    let older = shop.post("/v1/promotion_codes", "coupon=HALF").await.ok();
    assert_eq!(older["code"].as_str().unwrap().len(), 8);
    assert_eq!(shop.get("/v1/promotion_codes?code=fall26&active=true&coupon=HALF").await.ids().len(), 1);
    let off = shop.post(&path, "active=false&metadata[a]=").await.ok();
    assert_eq!((&off["active"], &off["metadata"]), (&json!(false), &json!({})));
    assert_eq!(shop.get("/v1/promotion_codes?active=true").await.ids().len(), 1);
    shop.post(&path, "active=true").await.ok();
    shop.clock.advance(2 * DAY * 1000);
    assert_eq!(shop.get(&path).await.ok()["active"], json!(false));
    assert_eq!(shop.events("promotion_code.created").await, 2);
    assert_eq!(shop.events("promotion_code.updated").await, 2);
}

async fn what_is_wrong_with_a_promotion_code_is_named(shop: Shop) {
    shop.post("/v1/coupons", "id=HALF&percent_off=50").await.ok();
    shop.post("/v1/promotion_codes", "coupon=HALF&code=SAVE").await.ok();
    for (form, status, code, param) in [
        ("", 400, "parameter_missing", "promotion"),
        ("promotion[type]=coupon", 400, "parameter_missing", "promotion[coupon]"),
        ("promotion[type]=gift&promotion[coupon]=HALF", 400, "parameter_unsupported", "promotion[type]"),
        ("promotion[coupon]=HALF&coupon=HALF", 400, "parameter_invalid", "coupon"),
        ("promotion[coupon]=none", 404, "resource_missing", "promotion[coupon]"),
        ("coupon=HALF&customer=cus_none", 404, "resource_missing", "customer"),
        ("coupon=HALF&code=a b", 400, "parameter_invalid", "code"),
        ("coupon=HALF&code=save", 400, "resource_already_exists", "code"),
        ("coupon=HALF&expires_at=5", 400, "parameter_invalid", "expires_at"),
        (
            "coupon=HALF&restrictions[minimum_amount]=5",
            400,
            "parameter_invalid",
            "restrictions[minimum_amount_currency]",
        ),
        ("coupon=HALF&restrictions[foo]=5", 400, "parameter_unknown", "restrictions[foo]"),
    ] {
        shop.post("/v1/promotion_codes", form).await.refused(status, code, param);
    }
    assert_eq!(shop.get("/v1/promotion_codes").await.ids().len(), 1);
}

async fn a_tax_rate_lives(shop: Shop) {
    let form = "display_name=VAT&percentage=7.25&inclusive=false&country=US&state=CA&jurisdiction=CA&description=x\
                &tax_type=sales_tax&metadata[a]=1";
    let made = shop.post("/v1/tax_rates", form).await.ok();
    assert_eq!((&made["object"], made["percentage"].to_string().as_str()), (&json!("tax_rate"), "7.25"));
    assert_eq!((&made["country"], &made["state"], &made["inclusive"]), (&json!("US"), &json!("CA"), &json!(false)));
    let path = format!("/v1/tax_rates/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok(), made);
    let updated = shop.post(&path, "active=false&state=&display_name=Tax").await.ok();
    assert_eq!(
        (&updated["active"], &updated["state"], &updated["display_name"]),
        (&json!(false), &json!(null), &json!("Tax"))
    );
    shop.post(&path, "percentage=8").await.refused(400, "parameter_unknown", "percentage");
    let german = json!({"display_name": "MwSt.", "percentage": 19, "inclusive": true, "country": "DE"});
    let german = shop.post_json("/v1/tax_rates", &german).await.ok();
    assert_eq!(german["percentage"], json!(19));
    assert_eq!(shop.get("/v1/tax_rates?active=true&inclusive=true").await.ids(), [german["id"].as_str().unwrap()]);
    assert_eq!(shop.get("/v1/tax_rates?active=false").await.ids().len(), 1);
    assert_eq!((shop.events("tax_rate.created").await, shop.events("tax_rate.updated").await), (2, 1));
}

async fn what_is_wrong_with_a_tax_rate_is_named(shop: Shop) {
    for (form, code, param) in [
        ("percentage=19&inclusive=true", "parameter_missing", "display_name"),
        ("display_name=VAT&inclusive=true", "parameter_missing", "percentage"),
        ("display_name=VAT&percentage=19", "parameter_missing", "inclusive"),
        ("display_name=VAT&percentage=101&inclusive=true", "parameter_invalid", "percentage"),
        ("display_name=VAT&percentage=7.12345&inclusive=true", "parameter_invalid", "percentage"),
        ("display_name=VAT&percentage=19&inclusive=true&country=Germany", "parameter_invalid", "country"),
        ("display_name=VAT&percentage=19&inclusive=true&state=CA", "parameter_invalid", "state"),
        ("display_name=VAT&percentage=19&inclusive=true&tax_type=toll", "parameter_invalid", "tax_type"),
        ("display_name=VAT&percentage=19&inclusive=true&foo=1", "parameter_unknown", "foo"),
    ] {
        shop.post("/v1/tax_rates", form).await.refused(400, code, param);
    }
    assert!(shop.get("/v1/tax_rates").await.ids().is_empty());
}

const TIERS: &str = "currency=eur&billing_scheme=tiered&tiers[0][up_to]=5&tiers[0][unit_amount]=700&tiers[1][up_to]=10\
                     &tiers[1][unit_amount]=650&tiers[2][up_to]=inf&tiers[2][unit_amount_decimal]=600.5\
                     &tiers[2][flat_amount]=100&recurring[interval]=month&product_data[name]=Seats";

async fn prices_have_tiers_packages_and_fractions(shop: Shop) {
    let tiered = shop.post("/v1/prices", &format!("{TIERS}&tiers_mode=volume&expand[]=tiers")).await.ok();
    assert_eq!((&tiered["billing_scheme"], &tiered["tiers_mode"]), (&json!("tiered"), &json!("volume")));
    assert_eq!((&tiered["unit_amount"], &tiered["unit_amount_decimal"]), (&json!(null), &json!(null)));
    let first = json!({"flat_amount": null, "flat_amount_decimal": null, "unit_amount": 700, "unit_amount_decimal": "700", "up_to": 5});
    let last = json!({"flat_amount": 100, "flat_amount_decimal": "100", "unit_amount": null, "unit_amount_decimal": "600.5", "up_to": null});
    assert_eq!((&tiered["tiers"][0], &tiered["tiers"][2]), (&first, &last));

    let packages = "currency=eur&unit_amount=1000&transform_quantity[divide_by]=10&transform_quantity[round]=up\
                    &recurring[interval]=week&product_data[name]=x";
    let packages = shop.post("/v1/prices", packages).await.ok();
    assert_eq!(packages["transform_quantity"], json!({"divide_by": 10, "round": "up"}));
    let fine = "currency=eur&unit_amount_decimal=0.000000000001&recurring[interval]=day&product_data[name]=x";
    let fine = shop.post("/v1/prices", fine).await.ok();
    assert_eq!((&fine["unit_amount"], &fine["unit_amount_decimal"]), (&json!(null), &json!("0.000000000001")));
    assert!(fine.get("tiers").is_none());
    let path = format!("/v1/prices/{}", tiered["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok()["tiers"], tiered["tiers"]);
}

async fn a_subscriber_pays_by_tiers(shop: Shop) {
    let customer = shop.paying_customer().await;
    let pays = async |price: &str, quantity: i64| {
        let form = format!(
            "customer={customer}&items[0][price]={price}&items[0][quantity]={quantity}&expand[]=latest_invoice"
        );
        let invoice = shop.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].clone();
        let line = invoice["lines"]["data"][0].clone();
        assert_eq!((&invoice["total"], &line["quantity"]), (&line["amount"], &json!(quantity)));
        (invoice["amount_paid"].as_i64().unwrap(), line["description"].as_str().unwrap().to_owned())
    };
    let graduated = shop.post("/v1/prices", &format!("{TIERS}&tiers_mode=graduated")).await.made();
    assert_eq!(pays(&graduated, 11).await, (7451, "11 × Seats (graduated pricing / month)".into()));
    let volume = shop.post("/v1/prices", &format!("{TIERS}&tiers_mode=volume")).await.made();
    assert_eq!(pays(&volume, 6).await, (3900, "6 × Seats (volume pricing / month)".into()));
    let packages = "currency=eur&unit_amount=1000&transform_quantity[divide_by]=10&transform_quantity[round]=up\
                    &recurring[interval]=week&product_data[name]=Mail";
    let packages = shop.post("/v1/prices", packages).await.made();
    assert_eq!(pays(&packages, 11).await, (2000, "11 × Mail (at 10.00 EUR per 10 / week)".into()));
    let fine = "currency=eur&unit_amount_decimal=0.25&recurring[interval]=year&product_data[name]=Calls";
    let fine = shop.post("/v1/prices", fine).await.made();
    assert_eq!(pays(&fine, 250).await, (63, "250 × Calls (at 0.0025 EUR / year)".into()));
}
