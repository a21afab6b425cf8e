//! Portal configurations: merged, cleared, contradictions refused by name.

use billing::portal::configuration::{self, Configuration, ConfigurationUpdate, check_url};
use billing::portal::features::{CancelMode, ChangeAllowed};
use billing::subscription::Feedback;
use billing::{Page, Patch};
use serde_json::{Value, json};

use crate::support::{Stage, done, field, kind, on_both, refused, seen};

fn features(value: Value) -> ConfigurationUpdate {
    ConfigurationUpdate { features: Some(value), ..ConfigurationUpdate::default() }
}

async fn create(stage: &Stage, new: ConfigurationUpdate) -> Configuration {
    done!(stage, |tx| configuration::create(tx, &stage.who, new.clone()))
}

async fn update(stage: &Stage, id: &str, update: ConfigurationUpdate) -> Configuration {
    done!(stage, |tx| configuration::update(tx, &stage.who, id, update.clone()))
}

async fn refuse(stage: &Stage, new: ConfigurationUpdate) -> String {
    let error = refused!(stage, |tx| configuration::create(tx, &stage.who, new.clone()));
    let again = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", new.clone()));
    assert_eq!(field(&error), field(&again));
    field(&error).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_merchant_has_a_default_one_that_allows_what_is_usual() {
    on_both(async |stage| {
        let default = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        assert!(default.is_default && default.active);
        assert_eq!(default, seen!(stage, |tx| configuration::get(tx, &stage.who, &default.id)));
        assert!(default.features.subscription_cancel.enabled && default.features.invoice_history.enabled);
        assert!(!default.features.subscription_update.enabled && !default.features.subscription_pause.enabled);
        assert_eq!((default.session.link_ttl, default.session.idle, default.session.max), (1800, 1800, 7200));

        let bare = create(stage, ConfigurationUpdate::default()).await;
        assert!(!bare.is_default && bare.active);
        assert!(!bare.features.subscription_cancel.enabled && !bare.features.customer_update.enabled);
        assert_eq!(stage.events_of(&bare.id).await, ["billing_portal.configuration.created"]);

        let error = refused!(stage, |tx| configuration::update(
            tx,
            &stage.who,
            "default",
            ConfigurationUpdate { active: Some(false), ..ConfigurationUpdate::default() }
        ));
        assert_eq!(field(&error), "active");
        let off = ConfigurationUpdate { active: Some(false), ..ConfigurationUpdate::default() };
        assert!(!update(stage, &bare.id, off).await.active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_merges_and_says_so_once() {
    on_both(async |stage| {
        let new = ConfigurationUpdate {
            name: Patch::Set("Teams".into()),
            default_return_url: Patch::Set("https://shop.test/".into()),
            headline: Patch::Set("Hello".into()),
            privacy_policy_url: Patch::Set("https://shop.test/privacy".into()),
            terms_of_service_url: Patch::Set("https://shop.test/terms".into()),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            features: Some(json!({"subscription_cancel": {"enabled": true, "mode": "immediately",
                "cancellation_reason": {"enabled": true, "options": ["unused", "other"]}}})),
            ..ConfigurationUpdate::default()
        };
        let made = create(stage, new).await;
        assert_eq!(made, seen!(stage, |tx| configuration::get(tx, &stage.who, &made.id)));
        assert_eq!(made.business_profile.headline.as_deref(), Some("Hello"));
        let cancel = &made.features.subscription_cancel;
        assert_eq!((cancel.enabled, cancel.mode), (true, CancelMode::Immediately));
        assert_eq!(cancel.cancellation_reason.options, [Feedback::Unused, Feedback::Other]);

        stage.pass(5);
        let change = || {
            features(json!({"subscription_cancel": {"mode": "at_period_end"}, "invoice_history": {"enabled": true}}))
        };
        let after = update(stage, &made.id, change()).await;
        let cancel = &after.features.subscription_cancel;
        assert_eq!((cancel.enabled, cancel.mode), (true, CancelMode::AtPeriodEnd));
        assert_eq!(cancel.cancellation_reason.options.len(), 2, "what is not named stays");
        assert!(after.features.invoice_history.enabled);
        assert_eq!((after.name.as_deref(), after.updated), (Some("Teams"), stage.now()));
        let told = ["billing_portal.configuration.created", "billing_portal.configuration.updated"];
        assert_eq!(update(stage, &made.id, change()).await, after);
        assert_eq!(stage.events_of(&made.id).await, told);

        let options = json!({"subscription_cancel": {"cancellation_reason": {"options": ["too_complex"]}}});
        let after = update(stage, &made.id, features(options)).await;
        let replaced = &after.features.subscription_cancel.cancellation_reason.options;
        assert_eq!(replaced, &[Feedback::TooComplex], "arrays are replaced whole");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_text_clears() {
    on_both(async |stage| {
        let cancel = features(json!({"subscription_cancel": {"enabled": "", "mode": ""}}));
        let after = update(stage, "default", cancel).await;
        assert!(!after.features.subscription_cancel.enabled);
        let whole = features(json!({"customer_update": ""}));
        let after = update(stage, "default", whole).await;
        assert!(!after.features.customer_update.enabled && after.features.customer_update.allowed_updates.is_empty());
        let texts = ConfigurationUpdate {
            name: Patch::Clear,
            headline: Patch::Clear,
            default_return_url: Patch::Clear,
            metadata: Patch::Clear,
            ..ConfigurationUpdate::default()
        };
        let after = update(stage, "default", texts).await;
        assert_eq!((after.name, after.default_return_url, after.business_profile.0.headline), (None, None, None));
    })
    .await;
}

fn charged(proration: &str, timing: &str) -> Value {
    json!({ "subscription_update": { "proration_behavior": proration, "charge_timing": timing } })
}

fn moves(transitions: Value) -> Value {
    json!({ "subscription_update": { "transitions": transitions } })
}

fn framed(origin: &str) -> Value {
    json!({ "embedding": { "parent_origins": [origin] } })
}

#[tokio::test(flavor = "multi_thread")]
async fn contradictions_are_refused_by_name() {
    on_both(async |stage| {
        let cases = [
            (
                json!({"subscription_cancel": {"mode": "at_period_end", "proration_behavior": "create_prorations"}}),
                "features[subscription_cancel][proration_behavior]",
            ),
            (
                json!({"subscription_cancel": {"mode": "immediately", "proration_behavior": "always_invoice"}}),
                "features[subscription_cancel][proration_behavior]",
            ),
            (
                json!({"subscription_cancel": {"cancellation_reason": {"enabled": true, "options": []}}}),
                "features[subscription_cancel][cancellation_reason][options]",
            ),
            (
                json!({"customer_update": {"enabled": true, "allowed_updates": []}}),
                "features[customer_update][allowed_updates]",
            ),
            (
                json!({"subscription_update": {"enabled": true, "default_allowed_updates": ["price"]}}),
                "features[subscription_update][products]",
            ),
            (
                json!({"subscription_cancel": {"mode": "immediately", "proration_behavior": "full_difference"}}),
                "features[subscription_cancel][proration_behavior]",
            ),
            (charged("create_prorations", "immediately"), "features[subscription_update][charge_timing]"),
            (charged("always_invoice", "period_end"), "features[subscription_update][charge_timing]"),
            (charged("none", "period_end"), "features[subscription_update][charge_timing]"),
            (moves(json!([{}, {}])), "features[subscription_update][transitions][1]"),
            (moves(json!([{"cooldown_days": 0}])), "features[subscription_update][transitions][0][cooldown_days]"),
            (moves(json!([{"from": "price_a", "to": "price_a"}])), "features[subscription_update][transitions][0][to]"),
            (moves(json!([{"from": "price_a"}])), "features[subscription_update][transitions][0][from]"),
            (
                json!({"payment_method_update": {"accepted_types": ["card", "card"]}}),
                "features[payment_method_update][accepted_types][1]",
            ),
            (framed("https://shop.test/path"), "features[embedding][parent_origins][0]"),
            (framed("http://shop.test"), "features[embedding][parent_origins][0]"),
            (framed("*"), "features[embedding][parent_origins][0]"),
        ];
        for (value, name) in cases {
            assert_eq!(refuse(stage, features(value)).await, name);
        }
        let price = stage.price(1000).await;
        let products = |extra: Value| {
            let mut product = json!({"product": price.product, "prices": [price.id]});
            product.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
            json!([product])
        };
        let updates = |products: Value, allowed: Value| {
            let value = json!({"enabled": true, "default_allowed_updates": allowed, "products": products});
            features(json!({"subscription_update": value}))
        };
        let name = "features[subscription_update][default_allowed_updates]";
        assert_eq!(refuse(stage, updates(products(json!({})), json!([]))).await, name);
        let narrow = json!({"adjustable_quantity": {"enabled": true, "minimum": 5, "maximum": 4}});
        let name = "features[subscription_update][products][0][adjustable_quantity][maximum]";
        assert_eq!(refuse(stage, updates(products(narrow), json!(["quantity"]))).await, name);
        let other = stage.price(500).await;
        let foreign = products(json!({"prices": [price.id, other.id]}));
        let name = "features[subscription_update][products][0][prices][1]";
        assert_eq!(refuse(stage, updates(foreign, json!(["price"]))).await, name);
        let unknown = products(json!({"product": "prod_no", "prices": []}));
        let name = "features[subscription_update][products][0][product]";
        assert_eq!(refuse(stage, updates(unknown, json!(["price"]))).await, name);
        let fine = update(stage, "default", updates(products(json!({})), json!(["price", "quantity"]))).await;
        let update = &fine.features.subscription_update;
        assert_eq!(update.default_allowed_updates, [ChangeAllowed::Price, ChangeAllowed::Quantity]);
        assert_eq!(update.products[0].adjustable_quantity.minimum, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_does_not_know_is_refused_by_name() {
    on_both(async |stage| {
        let cases = [
            (json!({"subscription_cancel": {"mode": "sometimes"}}), "features[subscription_cancel][mode]"),
            (json!({"subscription_cancel": {"enabled": "perhaps"}}), "features[subscription_cancel][enabled]"),
            (
                json!({"customer_update": {"allowed_updates": ["name", "shoe_size"]}}),
                "features[customer_update][allowed_updates][1]",
            ),
            (json!({"subscription_cancel": {"colour": "red"}}), "features[subscription_cancel][colour]"),
            (json!({"teleport": {"enabled": true}}), "features[teleport]"),
        ];
        for (value, name) in cases {
            assert_eq!(refuse(stage, features(value)).await, name);
        }
        let plain = ConfigurationUpdate::default;
        let text = |text: &str| Patch::Set(text.to_owned());
        let long = "x".repeat(257);
        assert_eq!(refuse(stage, ConfigurationUpdate { name: text(&long), ..plain() }).await, "name");
        let headline = ConfigurationUpdate { headline: text(&"x".repeat(61)), ..plain() };
        assert_eq!(refuse(stage, headline).await, "business_profile[headline]");
        let url = ConfigurationUpdate { default_return_url: text("ftp://shop.test"), ..plain() };
        assert_eq!(refuse(stage, url).await, "default_return_url");
        let url = ConfigurationUpdate { privacy_policy_url: text("shop.test"), ..plain() };
        assert_eq!(refuse(stage, url).await, "business_profile[privacy_policy_url]");
        let url = ConfigurationUpdate { terms_of_service_url: text("https://"), ..plain() };
        assert_eq!(refuse(stage, url).await, "business_profile[terms_of_service_url]");
        let lifetimes = [
            (ConfigurationUpdate { link_ttl: Some(59), ..plain() }, "session[link_ttl]"),
            (ConfigurationUpdate { link_ttl: Some(7201), ..plain() }, "session[link_ttl]"),
            (ConfigurationUpdate { idle: Some(59), ..plain() }, "session[idle]"),
            (ConfigurationUpdate { idle: Some(7201), ..plain() }, "session[max]"),
            (ConfigurationUpdate { max: Some(86_401), ..plain() }, "session[max]"),
        ];
        for (new, name) in lifetimes {
            assert_eq!(refuse(stage, new).await, name);
        }
        assert_eq!(stage.number("select count(*) from portal_configuration").await, 4, "two merchants, two modes each");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_listed_by_whether_they_are_active_and_default() {
    on_both(async |stage| {
        let default = seen!(stage, |tx| configuration::get(tx, &stage.who, "default"));
        stage.pass(5);
        let off = create(stage, ConfigurationUpdate { active: Some(false), ..ConfigurationUpdate::default() }).await;
        let listed = async |active, is_default| {
            let page = Page::first(10);
            let listed = seen!(stage, |tx| configuration::list(tx, &stage.who, &page, active, is_default));
            listed.data.into_iter().map(|c| c.id).collect::<Vec<_>>()
        };
        let (default, off) = (default.id, off.id);
        assert_eq!(listed(None, None).await, [off.clone(), default.clone()]);
        assert_eq!(listed(Some(true), None).await, [default.clone()]);
        assert_eq!(listed(None, Some(true)).await, [default]);
        assert_eq!(listed(Some(false), Some(false)).await, [off]);
        assert_eq!(kind(&refused!(stage, |tx| configuration::get(tx, &stage.who, "bpc_no"))), "missing");
    })
    .await;
}

#[test]
fn urls_are_absolute_and_safe() {
    let fine = |url: &str, live| check_url(url, live, "return_url").is_ok();
    for url in ["https://shop.test/", "https://shop.test:8443/a?b=c#d", "https://xn--bcher-kva.example"] {
        assert!(fine(url, true) && fine(url, false), "{url}");
    }
    let loopback =
        ["http://localhost:3000/", "http://127.0.0.1/", "http://127.9.9.9/", "http://[::1]:80/", "http://a.localhost/"];
    for url in loopback {
        assert!(fine(url, false) && !fine(url, true), "{url}");
    }
    let never = [
        "",
        "/account",
        "shop.test",
        "//shop.test",
        "http://shop.test/",
        "http://127.0.0.1.evil.test/",
        "http://localhost.evil.test/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://localhost/",
        "https://",
        "https://user@shop.test/",
        "https://:pw@shop.test/",
        "https://shop.test/\nSet-Cookie: a=b",
        "mailto:a@b.c",
        "file:///etc/passwd",
    ];
    for url in never {
        assert!(!fine(url, false), "{url}");
    }
}
