//! The dialect as a whole: what holds on every endpoint, whatever it is about.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use server::api::{ROUTES, known};

use crate::support::{Answer, Shop, on_both};

on_both!(
    no_parameter_of_stripes_is_unknown,
    what_is_not_supported_is_told_from_what_is_not_there,
    clearing_what_is_never_set_is_no_request,
    what_nobody_has_is_refused_everywhere,
    another_account_is_refused_everywhere,
    another_method_is_refused_everywhere,
    any_version_is_echoed_on_failures_too,
    ids_may_be_percent_encoded,
    deletions_take_parameters_in_the_query,
    an_empty_text_clears,
    keys_of_metadata_are_free,
    lists_come_in_three_spellings,
    older_sdks_find_their_fields,
    an_external_id_names_one_object_of_each_kind,
);

/// A path of a route, with ids of nothing.
fn concrete(route: &str) -> String {
    route.replace("{id}", "x_1").replace("{inner}", "y_1")
}

fn request(shop: &Shop, method: &str, route: &str, params: &str) -> Request<Body> {
    let path = format!("{}?{params}", concrete(route));
    shop.request(method.parse().unwrap(), &path).body(Body::empty()).unwrap()
}

fn said(answer: &Answer) -> (&str, &str) {
    let text = |key: &str| answer.json["error"][key].as_str().unwrap_or_default();
    (text("code"), text("param"))
}

async fn no_parameter_of_stripes_is_unknown(shop: Shop) {
    let mut asked = 0;
    for (method, route, name) in known::outermost() {
        for params in [format!("{name}=x"), format!("{name}[x]=x"), format!("{name}[0][x]=x")] {
            let answer = shop.send(request(&shop, method, route, &params)).await;
            let (code, param) = said(&answer);
            assert!(code != "parameter_unknown" || param != name, "{method} {route} {params}: {}", answer.text);
            assert!(answer.status < 500, "{method} {route} {params}: {}", answer.text);
        }
        asked += 1;
    }
    assert!(asked > 300, "{asked} parameters are known");
}

async fn what_is_not_supported_is_told_from_what_is_not_there(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let path = format!("/v1/customers/{customer}");
    for (form, code, param) in [
        ("tax[ip_address]=192.0.2.1", "parameter_unsupported", "tax"),
        ("source=tok_visa", "parameter_unsupported", "source"),
        (
            "invoice_settings[rendering_options][template]=x",
            "parameter_unsupported",
            "invoice_settings[rendering_options]",
        ),
        ("invoice_settings[colour]=red", "parameter_unknown", "invoice_settings[colour]"),
        ("taxes[ip_address]=192.0.2.1", "parameter_unknown", "taxes"),
        ("source=tok_visa&nonsense=1", "parameter_unknown", "nonsense"),
        // Of another endpoint.
        ("trial_end=now", "parameter_unknown", "trial_end"),
    ] {
        shop.post(&path, form).await.refused(400, code, param);
    }
    let error = shop.post(&path, "source=tok_visa").await.refused(400, "parameter_unsupported", "source");
    assert!(error["message"].as_str().unwrap().contains("source"));
    shop.get("/v1/customers?test_clocks=clock_1").await.refused(400, "parameter_unknown", "test_clocks");
    assert_eq!(shop.events("customer.updated").await, 0);
}

async fn clearing_what_is_never_set_is_no_request(shop: Shop) {
    let customer = shop.post("/v1/customers", "name=Ada&source=&tax=").await.made();
    let path = format!("/v1/customers/{customer}");
    shop.post_json(&path, &json!({"source": null, "cash_balance": null})).await.ok();
    shop.post(&path, "nonsense=").await.refused(400, "parameter_unknown", "nonsense");
}

async fn what_nobody_has_is_refused_everywhere(shop: Shop) {
    for (method, route) in ROUTES.iter().filter(|(_, route)| *route != "/v1/accounts/{id}") {
        let answer = shop.send(request(&shop, method, route, "nonsense=1")).await;
        // What is missing is said first.
        let first = ["parameter_unknown", "parameter_missing", "parameter_unsupported"];
        assert!(first.contains(&said(&answer).0), "{method} {route}: {}", answer.text);
        assert_eq!(answer.status, 400);
    }
}

async fn another_account_is_refused_everywhere(shop: Shop) {
    let other = shop.neighbour().await;
    for (method, route) in ROUTES {
        for name in ["Stripe-Account", "Stripe-Context"] {
            let (mut parts, body) = request(&shop, method, route, "").into_parts();
            parts.headers.insert(name, other.merchant.parse().unwrap());
            let answer = shop.send(Request::from_parts(parts, body)).await;
            answer.refused(403, "account_invalid", "");
        }
    }
}

async fn another_method_is_refused_everywhere(shop: Shop) {
    for (_, route) in ROUTES {
        let answer = shop.send(request(&shop, "PATCH", route, "")).await;
        assert!(!answer.header("allow").is_empty(), "{route}");
        assert_eq!(answer.header("stripe-should-retry"), "false");
        answer.refused(405, "method_not_allowed", "");
        let beyond = format!("{route}/and/so/on");
        shop.send(request(&shop, "POST", &beyond, "")).await.refused(404, "url_unknown", "");
    }
}

async fn any_version_is_echoed_on_failures_too(shop: Shop) {
    for path in ["/v1/account", "/v1/customers/cus_no", "/v1/nothing"] {
        let request = shop.request(Method::GET, path).header("Stripe-Version", "2019-05-16");
        let answer = shop.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("stripe-version"), "2019-05-16", "{path}");
    }
}

async fn ids_may_be_percent_encoded(shop: Shop) {
    let id = shop.post("/v1/products", "name=Odd&id=a.b-c_d").await.made();
    let encoded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
    assert_eq!(shop.get(&format!("/v1/products/{encoded}")).await.ok()["name"], "Odd");
    assert_eq!(shop.post(&format!("/v1/products/{encoded}"), "name=Even").await.ok()["name"], "Even");
    for odd in ["a%2Fb", "%20", "a%3Fb%23c", "..%2f..%2fetc", "%F0%9F%A6%80"] {
        shop.get(&format!("/v1/products/{odd}")).await.refused(404, "resource_missing", "id");
    }
    shop.get("/v1/products/%ff").await.refused(400, "url_invalid", "");
    assert_eq!(shop.delete(&format!("/v1/products/{encoded}")).await.ok()["id"], json!(id));
}

async fn deletions_take_parameters_in_the_query(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}");
    let id = shop.post("/v1/subscriptions", &form).await.made();
    let path = format!("/v1/subscriptions/{id}");
    shop.delete(&format!("{path}?nonsense=1")).await.refused(400, "parameter_unknown", "nonsense");
    let query = "cancellation_details[comment]=So%20long&cancellation_details%5Bfeedback%5D=unused&expand[]=customer";
    let ended = shop.delete(&format!("{path}?{query}")).await.ok();
    assert_eq!((&ended["status"], &ended["customer"]["id"]), (&json!("canceled"), &json!(customer)));
    assert_eq!(ended["cancellation_details"]["comment"], "So long");
    let id = shop.post("/v1/subscriptions", &form).await.made();
    let body = shop.form(Method::DELETE, &format!("/v1/subscriptions/{id}"), "cancellation_details[feedback]=other");
    assert_eq!(shop.send(body).await.ok()["cancellation_details"]["feedback"], "other");
}

async fn an_empty_text_clears(shop: Shop) {
    let customer = shop.paying_customer().await;
    let price = shop.monthly_price(1000).await;
    let product = shop.post("/v1/products", "name=x").await.made();
    let subscription =
        shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let endpoint = shop.post("/v1/webhook_endpoints", "url=https://x.org&enabled_events[]=*").await.made();
    let objects = [
        (
            format!("/v1/customers/{customer}"),
            "name=x&phone=1&description=x&external_id=x&address[city]=x&shipping[name]=x&shipping[address][city]=x\
             &preferred_locales[]=de&tax_exempt=exempt&invoice_settings[footer]=x&metadata[a]=b",
            "name phone description external_id address shipping preferred_locales tax_exempt invoice_settings[footer] metadata \
             email invoice_settings[default_payment_method]",
        ),
        (
            format!("/v1/products/{product}"),
            "description=x&external_id=x&images[]=https://x.org&statement_descriptor=x&unit_label=x&url=https://x.org&metadata[a]=b\
             &marketing_features[][name]=x&tax_code=txcd_1",
            "description external_id images statement_descriptor unit_label url metadata marketing_features tax_code",
        ),
        (
            format!("/v1/prices/{price}"),
            "nickname=x&external_id=x&lookup_key=x&metadata[a]=b",
            "nickname external_id lookup_key metadata",
        ),
        (format!("/v1/subscriptions/{subscription}"), "description=x&metadata[a]=b", "description metadata"),
        (format!("/v1/webhook_endpoints/{endpoint}"), "description=x&metadata[a]=b", "description metadata"),
        (
            "/v1/billing_portal/configurations/default".into(),
            "name=x&default_return_url=https://x.org&business_profile[headline]=x&metadata[a]=b",
            "name default_return_url business_profile[headline] metadata",
        ),
    ];
    for (path, set, fields) in objects {
        shop.post(&path, set).await.ok();
        for field in fields.split_whitespace() {
            let cleared = shop.post(&path, &format!("{field}=")).await.ok();
            let pointer = format!("/{}", field.replace(']', "").replace('[', "/"));
            let value = cleared.pointer(&pointer).unwrap();
            let is_empty = [json!(null), json!([]), json!({}), json!("none")].contains(value);
            assert!(is_empty, "{path} {field}: {value}");
        }
    }
}

async fn keys_of_metadata_are_free(shop: Shop) {
    let form =
        "metadata[0]=zero&metadata[1]=one&metadata[a b]=space&metadata[%C3%A4]=umlaut&metadata[a.b]=dot&metadata[x]=";
    let made = shop.post("/v1/customers", form).await.ok();
    let whole = json!({"0": "zero", "1": "one", "a b": "space", "ä": "umlaut", "a.b": "dot"});
    assert_eq!(made["metadata"], whole);
    let path = format!("/v1/customers/{}", made["id"].as_str().unwrap());
    assert_eq!(shop.post(&path, "metadata[0]=&metadata[a.b]=point").await.ok()["metadata"]["a.b"], "point");
    assert_eq!(shop.get(&path).await.ok()["metadata"].get("0"), None);
    shop.post(&path, "metadata[]=x").await.ok();
    shop.post(&path, "metadata[a][b]=x").await.refused(400, "parameter_invalid", "metadata[a]");
    let long = format!("metadata[{}]=x", "k".repeat(41));
    assert_eq!(shop.post(&path, &long).await.status, 400);
    assert_eq!(shop.post(&path, "metadata=").await.ok()["metadata"], json!({}));
}

async fn lists_come_in_three_spellings(shop: Shop) {
    let locales = async |form: &str| shop.post("/v1/customers", form).await.ok()["preferred_locales"].clone();
    let both = json!(["de", "en"]);
    assert_eq!(locales("preferred_locales[]=de&preferred_locales[]=en").await, both);
    assert_eq!(locales("preferred_locales[0]=de&preferred_locales[1]=en").await, both);
    assert_eq!(locales("preferred_locales%5B1%5D=en&preferred_locales%5B0%5D=de").await, both);
    let made = shop.post_json("/v1/customers", &json!({"preferred_locales": ["de", "en"]})).await.ok();
    assert_eq!(made["preferred_locales"], both);
    shop.post("/v1/customers", "preferred_locales=de").await.refused(400, "parameter_invalid", "preferred_locales");
    shop.post("/v1/customers", "preferred_locales[x]=de").await.refused(400, "parameter_invalid", "preferred_locales");
    shop.post("/v1/customers", "preferred_locales[][]=de").await.refused(
        400,
        "parameter_invalid",
        "preferred_locales[0]",
    );
}

async fn older_sdks_find_their_fields(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}&expand[]=latest_invoice.payment_intent");
    let made = shop.post("/v1/subscriptions", &form).await.ok();
    let item = &made["items"]["data"][0];
    for field in ["current_period_start", "current_period_end"] {
        assert!(made[field].is_i64() && made[field] == item[field], "{field}");
    }
    assert_eq!((&item["plan"]["id"], &item["plan"]["interval"]), (&json!(price), &json!("month")));
    let invoice = &made["latest_invoice"];
    assert_eq!((&invoice["subscription"], &invoice["paid"]), (&made["id"], &json!(true)));
    assert!(invoice.get("tax").is_some());
    assert_eq!(invoice["payment_intent"]["status"], "succeeded");
}

async fn an_external_id_names_one_object_of_each_kind(shop: Shop) {
    let product = shop.post("/v1/products", "name=Plan").await.made();
    let kinds: [(&str, String); 3] = [
        ("/v1/customers", String::new()),
        ("/v1/products", "name=x&".into()),
        ("/v1/prices", format!("currency=eur&unit_amount=1&product={product}&")),
    ];
    for (list, form) in kinds {
        let first = shop.post(list, &format!("{form}external_id=x")).await.ok();
        assert_eq!(first["external_id"], "x");
        let first = first["id"].as_str().unwrap().to_owned();
        shop.post(list, &format!("{form}external_id=x")).await.refused(400, "resource_already_exists", "external_id");
        let second = shop.post(list, &format!("{form}external_id=y")).await.made();
        let path = format!("{list}/{second}");
        shop.post(&path, "external_id=x").await.refused(400, "resource_already_exists", "external_id");
        assert_eq!(shop.post(&path, "external_id=y").await.ok()["external_id"], "y");
        assert_eq!(shop.get(&format!("{list}?external_id=x")).await.ids(), [first.as_str()]);
        shop.post(&format!("{list}/{first}"), "external_id=").await.ok();
        assert!(shop.get(&format!("{list}?external_id=x")).await.ids().is_empty());
        assert_eq!(shop.post(&path, "external_id=x").await.ok()["external_id"], "x");
        assert_eq!(shop.get(&format!("{list}?external_id=x")).await.ids(), [second]);
        let long = format!("external_id={}", "x".repeat(256));
        shop.post(&path, &long).await.refused(400, "parameter_invalid", "external_id");
        let theirs = shop.neighbour().await.get(&format!("{list}?external_id=x")).await.ok();
        assert_eq!(theirs["data"], Value::Array(Vec::new()));
    }
}
