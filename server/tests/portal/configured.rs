//! What a configuration does not allow is refused by the server, whatever is sent; and what is the books' to say, a form
//! cannot.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use billing::invoice::{Invoice, InvoiceFilter};
use billing::subscription::{self, Subscription};
use billing::{Page, transact};
use serde_json::{Value, json};

use crate::stage::{Merchant, Stage, cookie_of, from_a_page, request};
use crate::visitor::{Visitor, allow};

/// A customer of a shop that allows everything.
struct Scene<'a> {
    stage: &'a Stage,
    merchant: Merchant,
    /// A dearer price that plans may be changed to, and one that is not offered.
    dearer: String,
    hidden: String,
    customer: String,
    method: String,
    subscription: String,
    item: String,
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage) -> Self {
        let merchant = stage.merchant("Acme").await;
        let (dearer, hidden) = (stage.price(&merchant, 4_900).await, stage.price(&merchant, 100).await);
        allow(stage, &merchant, everything(&merchant, &dearer)).await;
        let scene = Self {
            stage,
            merchant,
            dearer,
            hidden,
            customer: String::new(),
            method: String::new(),
            subscription: String::new(),
            item: String::new(),
        };
        scene.with_another_customer().await
    }

    async fn with_another_customer(self) -> Self {
        let who = &self.merchant.who;
        let (customer, method) = self.stage.customer(who).await;
        let (subscription, _) = self.stage.subscription(who, &customer, &self.merchant.price).await;
        let item = self.get(&subscription).await.items[0].id.clone();
        Self { customer, method, subscription, item, ..self }
    }

    async fn get(&self, id: &str) -> Subscription {
        let mut tx = self.stage.app.db.read().await.unwrap();
        subscription::get(&mut tx, &self.merchant.who, id).await.unwrap()
    }

    async fn visitor(&self) -> Visitor<'_> {
        Visitor::of(self.stage, &self.merchant.who, &self.customer).await
    }

    async fn bought(&self) -> (Subscription, Vec<Invoice>) {
        let filter = InvoiceFilter { customer: Some(self.customer.clone()), ..InvoiceFilter::default() };
        let mut tx = self.stage.app.db.read().await.unwrap();
        let listed = billing::invoice::list(&mut tx, &self.merchant.who, &Page::first(100), &filter).await.unwrap();
        drop(tx);
        (self.get(&self.subscription).await, listed.data)
    }

    async fn entries(&self) -> usize {
        let mut tx = self.stage.app.db.read().await.unwrap();
        let (page, filter) = (Page::first(100), Default::default());
        let listed = billing::audit::list::list(&mut tx, &self.merchant.who, &page, &filter).await.unwrap();
        listed.data.iter().filter(|entry| entry.customer.as_deref() == Some(&self.customer)).count()
    }

    fn change(&self, price: &str, quantity: &str) -> String {
        let (id, item) = (&self.subscription, &self.item);
        format!("id={id}&wish[item]={item}&wish[price]={price}&wish[quantity]={quantity}")
    }

    /// What the page says a change costs, and the token that says it.
    async fn quoted(&self, visitor: &Visitor<'_>, change: &str) -> Option<(String, String)> {
        let page = visitor.read("review/read_review", &format!("{change}&stale=false")).await.ok()?;
        let quoted = &page["way"]["Open"]["quoted"];
        Some((quoted["due"].as_str()?.to_owned(), quoted["token"].as_str()?.to_owned()))
    }
}

fn everything(merchant: &Merchant, dearer: &str) -> Value {
    let products = json!([{
        "product": merchant.product,
        "prices": [merchant.price, dearer],
        "adjustable_quantity": { "enabled": true, "minimum": 1, "maximum": 9 },
    }]);
    json!({
        "customer_update": { "enabled": true, "allowed_updates": ["name", "phone", "tax_id"] },
        "invoice_history": { "enabled": true },
        "payment_method_update": { "enabled": true },
        "subscription_cancel": { "enabled": true },
        "subscription_create": { "enabled": true, "products": products },
        "subscription_pause": { "enabled": true },
        "subscription_update": {
            "enabled": true, "default_allowed_updates": ["price", "quantity"],
            "products": products, "proration_behavior": "always_invoice",
        },
    })
}

#[tokio::test]
async fn a_feature_that_is_off_refuses_the_call_and_on_takes_it() {
    let stage = Stage::new().await;
    let mut scene = Scene::set(&stage).await;
    for (feature, function) in [
        ("customer_update", "details_form/save_details"),
        ("customer_update", "details/add_tax_id"),
        ("invoice_history", "invoices/read_invoices"),
        ("invoice_history", "invoice/read_invoice"),
        ("payment_method_update", "methods/read_methods"),
        ("payment_method_update", "methods/set_default_method"),
        ("payment_method_update", "methods/remove_method"),
        ("subscription_cancel", "cancel/cancel_subscription"),
        ("subscription_create", "subscribe/read_choosing"),
        ("subscription_create", "purchase/read_purchase"),
        ("subscription_create", "purchase/buy"),
        ("subscription_pause", "pause/read_pausing"),
        ("subscription_pause", "pause/pause_subscription"),
        ("subscription_update", "change/read_changing"),
        ("subscription_update", "review/read_review"),
        ("subscription_update", "review/confirm_change"),
    ] {
        scene = scene.with_another_customer().await;
        let visitor = scene.visitor().await;
        let (change, id, method) = (scene.change(&scene.dearer, "1"), &scene.subscription, &scene.method);
        let fields = match function {
            "details_form/save_details" => "part=contact&entered[name]=Maya+L.".into(),
            "details/add_tax_id" => "kind=eu_vat&value=DE000000000".into(),
            "invoices/read_invoices" => "status=paid".into(),
            "invoice/read_invoice" => format!("id={}", scene.bought().await.1[0].id),
            "methods/set_default_method" => format!("id={method}"),
            "methods/remove_method" => {
                let card = billing::gateway::sandbox::test_method("pm_card_amex", 2030).unwrap();
                let who = &scene.merchant.who;
                let attached = transact!(stage.app.db, |tx| {
                    billing::customer::payment_method::attach(tx, who, &scene.customer, card.clone()).await
                });
                format!("id={}", attached.unwrap().id)
            }
            "purchase/read_purchase" | "purchase/buy" => {
                format!("wish[item]=&wish[price]={}&wish[quantity]=1&quote=none", scene.dearer)
            }
            "review/read_review" => format!("{change}&stale=false"),
            "review/confirm_change" => format!("{change}&quote={}", scene.quoted(&visitor, &change).await.unwrap().1),
            _ => format!("id={id}"),
        };
        let sent = format!("session={}&key=k&{fields}", visitor.session);
        allow(&stage, &scene.merchant, json!({ feature: { "enabled": false } })).await;
        let before = (scene.bought().await, scene.entries().await);
        assert_eq!(visitor.read(function, &sent).await, Err(StatusCode::FORBIDDEN), "{function} without {feature}");
        assert_eq!((scene.bought().await, scene.entries().await), before, "{function} without {feature}");
        allow(&stage, &scene.merchant, json!({ feature: { "enabled": true } })).await;
        let answer = visitor.read(function, &sent).await;
        assert_ne!(answer, Err(StatusCode::FORBIDDEN), "{function} with {feature}");
    }
}

#[tokio::test]
async fn what_is_the_books_to_say_a_form_cannot() {
    let stage = Stage::new().await;
    let scene = Scene::set(&stage).await;
    let visitor = scene.visitor().await;
    let change = scene.change(&scene.dearer, "2");
    let (due, token) = scene.quoted(&visitor, &change).await.unwrap();
    for extra in [
        "amount=1",
        "unit_amount=1",
        "wish[amount]=1",
        "wish[unit_amount]=0",
        "total=0",
        "currency=jpy",
        "wish[currency]=jpy",
        "customer=cus_other",
        "wish[customer]=cus_other",
        "tenant=2",
        "merchant=acct_other",
        "proration_date=1",
        "wish[proration_date]=1",
        "proration_behavior=none",
        "wish[proration_behavior]=none",
        "billing_cycle_anchor=now",
        "trial_end=now",
        "wish[trial_end]=99999999999",
        "coupon=FREE",
        "wish[coupon]=FREE",
        "wish[discounts][0][coupon]=FREE",
        "discount=100",
        "percent_off=100",
        "tax=0",
        "tax_exempt=exempt",
        "default_payment_method=pm_other",
        "collection_method=send_invoice",
        "payment_behavior=allow_incomplete",
        "metadata[a]=b",
        "status=active",
        "livemode=true",
        "version=99",
    ] {
        let shown = scene.quoted(&visitor, &format!("{change}&{extra}")).await.map(|(due, _)| due);
        assert!(shown.is_none() || shown.as_ref() == Some(&due), "{extra} makes it {shown:?}");
    }
    let before = scene.bought().await;
    let flipped = |at: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let stranger = scene.stage.customer(&scene.merchant.who).await.0;
    let foreign = scene.stage.subscription(&scene.merchant.who, &stranger, &scene.merchant.price).await.0;
    let foreign_item = scene.get(&foreign).await.items[0].id.clone();
    let other = scene.quoted(&visitor, &scene.change(&scene.dearer, "1")).await.unwrap().1;
    let tampered = [
        format!("{change}&quote={}", flipped(0)),
        format!("{change}&quote={}", flipped(token.len() / 2)),
        format!("{change}&quote={}", flipped(token.len() - 2)),
        format!("{change}&quote={}", &token[..token.len() - 1]),
        format!("{change}&quote="),
        format!("{change}&quote={other}"),
        format!("{}&quote={token}", scene.change(&scene.dearer, "1")),
        format!("{}&quote={token}", scene.change(&scene.hidden, "2")),
        format!("{}&quote={token}", scene.change(&scene.dearer, "-2")),
        format!("{}&quote={token}", scene.change(&scene.dearer, "0")),
        format!("{}&quote={token}", scene.change(&scene.dearer, "2.5")),
        format!("{}&quote={token}", scene.change(&scene.dearer, "99999999999999999999")),
        format!("{change}&wish[code]=FREE&quote={token}"),
        format!("{}&quote={token}", change.replace(&scene.item, &foreign_item)),
        format!("{}&quote={token}", change.replace(&scene.subscription, &foreign)),
    ];
    for fields in tampered {
        let (_, to) = visitor.send("review/confirm_change", &fields).await;
        assert!(to.contains("__err=") || to.contains("stale"), "{fields} leads to {to}");
        assert_eq!(scene.bought().await, before, "{fields}");
    }
    let another = scene.visitor().await;
    let (_, to) = another.send("review/confirm_change", &format!("{change}&quote={token}")).await;
    assert!(to.contains("__err=") || to.contains("stale"), "a quote is its session's: {to}");
    assert_eq!(scene.bought().await, before);
    let (_, to) = visitor.send("review/confirm_change", &format!("{change}&quote={token}&amount=1")).await;
    assert!(to.contains("done=changed"), "{to}");
    let (after, invoices) = scene.bought().await;
    assert_eq!((after.items[0].price.id.as_str(), after.items[0].quantity), (scene.dearer.as_str(), 2));
    let made = invoices.iter().find(|invoice| before.1.iter().all(|other| other.id != invoice.id)).unwrap();
    assert_eq!((made.amount_due, made.customer.as_str()), (made.amount_paid, scene.customer.as_str()));
}

#[tokio::test]
async fn a_preview_shows_everything_and_changes_nothing() {
    let stage = Stage::new().await;
    let scene = Scene::set(&stage).await;
    let authorization = format!("Bearer {}", scene.merchant.key);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let asked = request(Method::POST, "/v1/billing_portal/configurations/default/preview", &headers);
    let (_, text) = stage.text(asked.map(|_| Body::from(format!("customer={}", scene.customer)))).await;
    let made: Value = serde_json::from_str(&text).unwrap();
    let path = made["url"].as_str().unwrap().strip_prefix("http://localhost:3000").unwrap();
    let cookie = cookie_of(&stage.send(from_a_page(path)).await).unwrap();
    let visitor = Visitor { stage: &stage, cookie, session: made["id"].as_str().unwrap().to_owned() };
    assert!(visitor.see("/").await.1.contains("Team"));
    let before = (scene.bought().await, scene.entries().await);
    let id = &scene.subscription;
    for (function, fields) in [
        ("cancel/cancel_subscription", format!("id={id}")),
        ("pause/pause_subscription", format!("id={id}")),
        ("methods/set_default_method", format!("id={}", scene.method)),
        ("details_form/save_details", "part=contact&entered[name]=Eve".into()),
    ] {
        let sent = format!("session={}&key=k&{fields}", visitor.session);
        assert_eq!(visitor.read(function, &sent).await, Err(StatusCode::FORBIDDEN), "{function}");
    }
    assert_eq!((scene.bought().await, scene.entries().await), before);
}
