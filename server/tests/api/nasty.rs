//! Whatever stands in a parameter, the answer is an object or a refusal that names it, never a failure.

use serde_json::{Value, json};

use crate::support::{Shop, on_both};

on_both!(no_parameter_breaks_an_endpoint, no_query_breaks_a_list);

/// What each endpoint takes, with a value that is fine; `C`, `P`, `S`, `M`, `R`, `O`, `T` stand for ids.
const ENDPOINTS: &[(&str, &str)] = &[
    (
        "/v1/customers",
        "external_id=x&name=x&email=a@b.c&phone=1&description=x&address[city]=x&address[country]=DE&address[line1]=x&address[line2]=x\
         &address[postal_code]=x&address[state]=x&shipping[name]=x&shipping[phone]=x&shipping[address][city]=x&invoice_prefix=ABC\
         &next_invoice_sequence=5&preferred_locales[0]=de&tax_exempt=none&metadata[a]=b&balance=0&payment_method=pm_card_visa\
         &invoice_settings[footer]=x&invoice_settings[custom_fields][0][name]=x&invoice_settings[custom_fields][0][value]=x\
         &invoice_settings[default_payment_method]=pm_card_visa&expand[0]=subscriptions",
    ),
    (
        "/v1/customers/C",
        "name=x&email=a@b.c&invoice_settings[default_payment_method]=M&metadata[a]=b&shipping[name]=x&shipping[address][city]=x",
    ),
    (
        "/v1/products",
        "name=x&id=x&active=true&description=x&external_id=x&images[0]=x&marketing_features[0][name]=x&shippable=true\
         &statement_descriptor=x&tax_code=x&unit_label=x&url=x&metadata[a]=b&type=service&default_price_data[currency]=eur\
         &default_price_data[unit_amount]=1&default_price_data[recurring][interval]=month\
         &default_price_data[recurring][interval_count]=1&default_price_data[tax_behavior]=inclusive",
    ),
    (
        "/v1/prices",
        "currency=eur&unit_amount=1&product=R&active=true&nickname=x&lookup_key=x&transfer_lookup_key=true&tax_behavior=inclusive\
         &billing_scheme=per_unit&external_id=x&metadata[a]=b&recurring[interval]=month&recurring[interval_count]=1\
         &recurring[trial_period_days]=1&recurring[usage_type]=licensed",
    ),
    (
        "/v1/prices",
        "currency=eur&product=R&billing_scheme=tiered&tiers_mode=graduated&tiers[0][up_to]=5&tiers[0][unit_amount]=1\
         &tiers[0][flat_amount]=1&tiers[1][up_to]=inf&tiers[1][unit_amount_decimal]=0.5&tiers[1][flat_amount_decimal]=0.5",
    ),
    (
        "/v1/prices",
        "currency=eur&product=R&unit_amount=1&transform_quantity[divide_by]=10&transform_quantity[round]=up",
    ),
    (
        "/v1/coupons",
        "id=x&percent_off=12.5&duration=repeating&duration_in_months=3&name=x&max_redemptions=10&redeem_by=1999999999\
         &applies_to[products][0]=R&metadata[a]=b",
    ),
    ("/v1/coupons", "amount_off=5&currency=eur"),
    ("/v1/coupons/O", "name=x&metadata[a]=b"),
    (
        "/v1/promotion_codes",
        "promotion[type]=coupon&promotion[coupon]=O&active=true&customer=C&max_redemptions=5&expires_at=1999999999\
         &restrictions[first_time_transaction]=true&restrictions[minimum_amount]=1&restrictions[minimum_amount_currency]=eur",
    ),
    ("/v1/promotion_codes", "coupon=O&code=x&metadata[a]=b"),
    (
        "/v1/tax_rates",
        "display_name=x&percentage=7.25&inclusive=false&active=true&country=US&state=CA&jurisdiction=x&description=x\
         &tax_type=vat&metadata[a]=b",
    ),
    ("/v1/prices", "currency=eur&unit_amount_decimal=1&product_data[name]=x&product_data[metadata][a]=b"),
    (
        "/v1/prices/P",
        "active=true&nickname=x&lookup_key=x&transfer_lookup_key=true&tax_behavior=unspecified&metadata[a]=b",
    ),
    ("/v1/payment_methods/pm_card_visa/attach", "customer=C"),
    ("/v1/customers/C/tax_ids", "type=eu_vat&value=DE123456789"),
    ("/v1/tax_ids", "type=eu_vat&value=DE123456789&owner[type]=customer&owner[customer]=C"),
    (
        "/v1/setup_intents",
        "customer=C&payment_method=M&confirm=false&usage=on_session&description=x&metadata[a]=b&payment_method_types[0]=card\
         &automatic_payment_methods[enabled]=true&automatic_payment_methods[allow_redirects]=never",
    ),
    (
        "/v1/webhook_endpoints",
        "url=https://x.org&enabled_events[0]=*&description=x&metadata[a]=b&api_version=2020-08-27&connect=false",
    ),
    ("/v1/portal_domains", "domain_name=x.example.org"),
    ("/v1/billing/feedback_options", "description=x"),
    (
        "/v1/portal_settings",
        "default_locale=de&owner_email=a@b.c&invoice_numbering=customer&dunning[schedule][0]=1&dunning[after_last_attempt]=cancel",
    ),
    (
        "/v1/portal_branding",
        "name=x&accent_color=#fff&light[page_color]=#fff&light[surface_color]=#000&dark[accent_color]=#123&dark[text_color]=#456\
         &font=serif&corner_radius=4&header_text=x&support_url=https://x.org&support_email=a@b.c&privacy_policy_url=https://x.org",
    ),
    (
        "/v1/subscriptions",
        "customer=C&items[0][price]=P&items[0][quantity]=1&items[0][metadata][a]=b&trial_period_days=1&cancel_at_period_end=false\
         &collection_method=send_invoice&days_until_due=1&default_payment_method=M&description=x&metadata[a]=b&off_session=true\
         &payment_behavior=allow_incomplete&payment_settings[payment_method_types][0]=card&proration_behavior=none&currency=eur\
         &payment_settings[save_default_payment_method]=off&trial_settings[end_behavior][missing_payment_method]=pause\
         &billing_mode[type]=flexible&automatic_tax[enabled]=false&default_tax_rates[0]=T&items[0][tax_rates][0]=T",
    ),
    ("/v1/subscriptions", "customer=C&items[0][price]=P&trial_end=now&cancel_at=1999999999"),
    ("/v1/subscriptions", "customer=C&items[0][price]=P&trial_from_plan=true"),
    (
        "/v1/subscriptions/S",
        "automatic_tax[enabled]=false&default_tax_rates[0]=T&cancel_at_period_end=false&cancellation_details[comment]=x&cancellation_details[feedback]=other&default_payment_method=M\
         &description=x&metadata[a]=b",
    ),
    (
        "/v1/billing_portal/sessions",
        "customer=C&configuration=default&return_url=https://x.org&cancel_url=https://x.org&locale=de&subscription=S",
    ),
    (
        "/v1/billing_portal/configurations",
        "name=x&metadata[a]=b&default_return_url=https://x.org&business_profile[headline]=x&session[link_ttl]=60&session[idle]=60\
         &session[max]=60&features[customer_update][enabled]=true&features[customer_update][allowed_updates][0]=email\
         &features[subscription_cancel][enabled]=true&features[subscription_cancel][mode]=immediately\
         &features[subscription_cancel][proration_behavior]=none&features[subscription_update][enabled]=true\
         &features[subscription_update][default_allowed_updates][0]=price&features[subscription_update][products][0][product]=R\
         &features[subscription_update][products][0][prices][0]=P&features[subscription_pause][duration][type]=indefinite\
         &features[subscription_update][products][0][adjustable_quantity][enabled]=true\
         &features[subscription_update][products][0][adjustable_quantity][maximum]=5\
         &features[subscription_update][products][0][adjustable_quantity][minimum]=1",
    ),
];

const LISTS: &[(&str, &[&str])] = &[
    (
        "/v1/customers",
        &["email", "external_id", "created", "created[gt]", "limit", "starting_after", "ending_before", "expand[]"],
    ),
    ("/v1/products", &["active", "external_id", "ids[]", "created[lt]", "limit", "starting_after"]),
    (
        "/v1/prices",
        &["active", "currency", "product", "type", "lookup_keys[]", "external_id", "created[gte]", "ending_before"],
    ),
    ("/v1/coupons", &["created", "limit", "starting_after"]),
    ("/v1/promotion_codes", &["active", "code", "coupon", "customer", "created[gt]", "ending_before"]),
    ("/v1/tax_rates", &["active", "inclusive", "created", "starting_after"]),
    ("/v1/subscriptions", &["customer", "status", "price", "created[lte]", "starting_after"]),
    ("/v1/invoices", &["customer", "subscription", "status", "collection_method", "created"]),
    ("/v1/events", &["type", "types[]", "created", "starting_after"]),
    ("/v1/payment_methods", &["customer", "type", "limit", "starting_after"]),
    ("/v1/tax_ids", &["owner", "owner[type]", "owner[customer]", "starting_after"]),
    ("/v1/setup_intents", &["customer", "payment_method", "created", "ending_before"]),
    ("/v1/webhook_endpoints", &["limit", "starting_after"]),
    ("/v1/portal_domains", &["limit", "starting_after"]),
    ("/v1/billing/feedback_options", &["status", "starting_after"]),
    (
        "/v1/audit_entries",
        &["customer", "target", "action", "origin", "created[gt]", "starting_after", "ending_before"],
    ),
    ("/v1/subscription_items", &["subscription", "limit", "starting_after"]),
    ("/v1/billing_portal/configurations", &["active", "is_default", "starting_after"]),
];

fn nasty() -> Vec<Value> {
    let mut values: Vec<Value> = [
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999999999",
        "true",
        "null",
        "NaN",
        "'; drop table customer; --",
        "%_%*",
        "🦀",
        "\u{202e}\u{feff}",
        "\r\nX-Injected: 1",
        "../../etc/passwd",
        "cus_",
        "253402300799",
        "Infinity",
        "0x10",
        "１２",
    ]
    .into_iter()
    .map(Value::from)
    .collect();
    values.push("x".repeat(100_000).into());
    values.extend([
        json!(null),
        json!(true),
        json!(-5),
        json!(1.5),
        json!([]),
        json!({}),
        json!(["a", "a"]),
        json!({"a": "b"}),
        json!([[1]]),
    ]);
    values
}

async fn no_parameter_breaks_an_endpoint(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    let form = format!("customer={customer}&items[0][price]={price}");
    let subscription = shop.post("/v1/subscriptions", &form).await.made();
    let method = shop.get(&format!("/v1/customers/{customer}/payment_methods")).await.ids().remove(0);
    let product = shop.get(&format!("/v1/prices/{price}")).await.ok()["product"].as_str().unwrap().to_owned();
    let coupon = shop.post("/v1/coupons", "percent_off=50").await.made();
    let rate = shop.post("/v1/tax_rates", "display_name=VAT&percentage=19&inclusive=false").await.made();
    let id = |text: &str| match text {
        "C" => customer.clone(),
        "O" => coupon.clone(),
        "T" => rate.clone(),
        "P" => price.clone(),
        "S" => subscription.clone(),
        "M" => method.clone(),
        "R" => product.clone(),
        other => other.to_owned(),
    };
    for (path, form) in ENDPOINTS {
        let path: Vec<String> = path.split('/').map(id).collect();
        let path = path.join("/");
        let form: Vec<(String, String)> =
            form.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), id(v))).collect();
        let whole: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let fields = server::api::form::decode(&[whole.join("&").as_bytes()]).unwrap();
        for (name, _) in &form {
            for value in nasty() {
                let mut body = Value::Object(fields.clone());
                let pointer = format!("/{}", name.replace("][", "/").replace('[', "/").replace(']', ""));
                *body.pointer_mut(&pointer).unwrap() = value;
                // Ids, keys and the like can be taken once.
                for once in ["external_id", "id", "lookup_key"] {
                    if once != name {
                        body.as_object_mut().unwrap().shift_remove(once);
                    }
                }
                let answer = shop.post_json(&path, &body).await;
                assert!(
                    matches!(answer.status, 200 | 400 | 404),
                    "{path} {name} {body}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
}

async fn no_query_breaks_a_list(shop: Shop) {
    for (path, names) in LISTS {
        for name in *names {
            for value in nasty().iter().filter_map(Value::as_str).filter(|value| value.len() < 10_000) {
                let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
                let answer = shop.get(&format!("{path}?{name}={value}")).await;
                assert!(
                    matches!(answer.status, 200 | 400 | 404),
                    "{path} {name}={value}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
}
