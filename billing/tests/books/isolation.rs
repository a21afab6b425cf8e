//! Nothing of one merchant is reached with another's key, nothing of one customer from another's session.

use billing::catalog::{PriceUpdate, ProductUpdate, price, product};
use billing::customer::{self, Customer, CustomerFilter, CustomerUpdate, payment_method};
use billing::invoice::{self, InvoiceFilter};
use billing::portal::configuration::{self, ConfigurationUpdate};
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::subscription::create::{self, Trial};
use billing::subscription::{self, SubscriptionFilter, SubscriptionUpdate};
use billing::{Actor, Page, Patch, cycle, event, payment};

use crate::support::{Stage, done, field, kind, on_both, plan, refused, seen};

/// One of everything that a customer has.
struct Belongings {
    customer: Customer,
    subscription: String,
    invoice: String,
    intent: String,
    method: String,
    session: String,
    event: String,
    price: String,
    product: String,
    configuration: String,
}

async fn belongings(stage: &Stage) -> Belongings {
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
    let subscription = stage.subscribe(plan(&customer, &price)).await;
    let invoice = subscription.latest_invoice.clone().unwrap();
    let session = NewSession {
        flow: None,
        customer: customer.id.clone(),
        configuration: None,
        return_url: None,
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Api,
    };
    let session = done!(stage, |tx| session::create(tx, &stage.who, session.clone()));
    let configuration = done!(stage, |tx| configuration::create(tx, &stage.who, ConfigurationUpdate::default()));
    Belongings {
        intent: stage.invoice(&invoice).await.payment_intent.unwrap(),
        method: customer.default_payment_method.clone().unwrap(),
        event: stage.last_event(&subscription.id).await.id,
        subscription: subscription.id,
        session: session.session.id,
        price: price.id,
        product: price.product,
        configuration: configuration.id,
        invoice,
        customer,
    }
}

/// Every way to a customer's things by their ids, by name.
async fn try_everything(stage: &Stage, who: &Actor, b: &Belongings) {
    let now = stage.now();
    let page = Page::first(10);
    let rename = || CustomerUpdate { name: Patch::Set("Eve".into()), ..CustomerUpdate::default() };
    let describe = || SubscriptionUpdate { description: Patch::Set("Eve".into()), ..SubscriptionUpdate::default() };
    let id = &b.customer.id;
    let refusals = [
        ("customer::get", refused!(stage, |tx| customer::get(tx, who, id))),
        ("customer::get_or_deleted", refused!(stage, |tx| customer::get_or_deleted(tx, who, id))),
        ("customer::update", refused!(stage, |tx| customer::update(tx, who, id, rename()))),
        ("customer::delete", refused!(stage, |tx| customer::delete(tx, who, id))),
        ("payment_method::get", refused!(stage, |tx| payment_method::get(tx, who, &b.method))),
        ("payment_method::list", refused!(stage, |tx| payment_method::list(tx, who, id, &page, None))),
        ("payment_method::detach", refused!(stage, |tx| payment_method::detach(tx, who, &b.method))),
        ("subscription::get", refused!(stage, |tx| subscription::get(tx, who, &b.subscription))),
        (
            "subscription::update",
            refused!(stage, |tx| subscription::update::update(tx, who, &b.subscription, describe())),
        ),
        ("subscription::cancel", refused!(stage, |tx| subscription::cancel::now(tx, who, &b.subscription, None, None))),
        ("cycle::advance", refused!(stage, |tx| cycle::advance(tx, who, &b.subscription))),
        ("invoice::get", refused!(stage, |tx| invoice::get(tx, who, &b.invoice))),
        ("invoice::void", refused!(stage, |tx| invoice::void(tx, who, &b.invoice, now))),
        ("payment::begin", refused!(stage, |tx| payment::begin(tx, who, &b.invoice, "sandbox"))),
        ("payment::intent", refused!(stage, |tx| payment::intent(tx, who, &b.intent))),
        ("session::get", refused!(stage, |tx| session::get(tx, who, &b.session))),
        ("session::revoke", refused!(stage, |tx| session::revoke(tx, who, &b.session))),
        ("event::get", refused!(stage, |tx| event::get(tx, who, &b.event))),
    ];
    for (name, error) in refusals {
        assert_eq!(kind(&error), "missing", "{name}");
    }
    let lines = seen!(stage, |tx| invoice::line::first(tx, who, &b.invoice, 10));
    assert!(lines.data.is_empty());
}

/// Every list, asked for with somebody else's ids as filters and as cursors.
async fn list_everything(stage: &Stage, who: &Actor, b: &Belongings) {
    let customer = Some(b.customer.id.clone());
    let page = Page::first(100);
    let invoices = InvoiceFilter { customer: customer.clone(), ..InvoiceFilter::default() };
    let subscriptions = SubscriptionFilter { customer, ..SubscriptionFilter::default() };
    for filter in [&invoices, &InvoiceFilter::default()] {
        let listed = seen!(stage, |tx| invoice::list(tx, who, &page, filter));
        assert!(listed.data.iter().all(|i| i.customer != b.customer.id));
    }
    for filter in [&subscriptions, &SubscriptionFilter::default()] {
        let listed = seen!(stage, |tx| subscription::list(tx, who, &page, filter));
        assert!(listed.data.iter().all(|s| s.customer != b.customer.id));
    }
    for email in [None, Some("nobody@example.com")] {
        let filter = CustomerFilter { email: email.map(str::to_owned), ..CustomerFilter::default() };
        let listed = seen!(stage, |tx| customer::list(tx, who, &page, &filter));
        assert!(listed.data.iter().all(|c| c.id != b.customer.id));
    }
    for kind in [None, Some("customer.*"), Some("invoice.paid")] {
        let listed = seen!(stage, |tx| event::list(tx, who, &page, kind));
        assert!(listed.data.iter().all(|e| e.customer.as_ref() != Some(&b.customer.id)));
    }

    let from = |id: &String| Page { starting_after: Some(id.clone()), ..Page::first(10) };
    let cursors = [
        refused!(stage, |tx| invoice::list(tx, who, &from(&b.invoice), &InvoiceFilter::default())),
        refused!(stage, |tx| invoice::list_heads(tx, who, &from(&b.invoice), &invoices)),
        refused!(stage, |tx| subscription::list(tx, who, &from(&b.subscription), &SubscriptionFilter::default())),
        refused!(stage, |tx| customer::list(tx, who, &from(&b.customer.id), &CustomerFilter::default())),
        refused!(stage, |tx| event::list(tx, who, &from(&b.event), None)),
    ];
    for error in cursors {
        assert_eq!((field(&error), kind(&error)), ("starting_after", "missing"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_merchant_reaches_nothing() {
    on_both(async |stage| {
        let b = belongings(stage).await;
        let who = &stage.stranger;
        let before = stage.number("select count(*) from audit_entry").await;
        try_everything(stage, who, &b).await;
        list_everything(stage, who, &b).await;
        let archive = || ProductUpdate { active: Some(false), ..ProductUpdate::default() };
        let hide = || PriceUpdate { active: Some(false), ..PriceUpdate::default() };
        let off = || ConfigurationUpdate { active: Some(false), ..ConfigurationUpdate::default() };
        let refusals = [
            ("product::get", refused!(stage, |tx| product::get(tx, who, &b.product))),
            ("product::update", refused!(stage, |tx| product::update(tx, who, &b.product, archive()))),
            ("product::delete", refused!(stage, |tx| product::delete(tx, who, &b.product))),
            ("price::get", refused!(stage, |tx| price::get(tx, who, &b.price))),
            ("price::update", refused!(stage, |tx| price::update(tx, who, &b.price, hide()))),
            ("configuration::get", refused!(stage, |tx| configuration::get(tx, who, &b.configuration))),
            ("configuration::update", refused!(stage, |tx| configuration::update(tx, who, &b.configuration, off()))),
        ];
        for (name, error) in refusals {
            assert_eq!(kind(&error), "missing", "{name}");
        }
        let page = Page::first(10);
        assert!(seen!(stage, |tx| price::list(tx, who, &page, &Default::default())).data.is_empty());
        assert!(seen!(stage, |tx| product::list(tx, who, &page, &Default::default())).data.is_empty());
        assert_eq!(seen!(stage, |tx| configuration::list(tx, who, &page, None, None)).data.len(), 1);

        let theirs = stage.customer_of(who).await;
        let foreign = || plan(&theirs, &price_named(&b.price));
        assert_eq!(field(&refused!(stage, |tx| create::create(tx, who, foreign()))), "items[0][price]");
        let default = || CustomerUpdate { default_payment_method: Patch::Set(b.method.clone()), ..Default::default() };
        let error = refused!(stage, |tx| customer::update(tx, who, &theirs.id, default()));
        assert_eq!(field(&error), "invoice_settings[default_payment_method]");
        let of =
            || subscription::NewSubscription { trial: Trial::Days(1), ..plan(&b.customer, &price_named(&b.price)) };
        assert_eq!(field(&refused!(stage, |tx| create::create(tx, who, of()))), "customer");
        assert_eq!(done!(stage, |tx| session::revoke_all(tx, who, Some(&b.customer.id))), 0);
        let written = stage.number("select count(*) from audit_entry").await - before;
        assert_eq!(written, 1, "a customer of their own; that no session ended is nothing to note");
    })
    .await;
}

/// Only the id of a price is looked at.
fn price_named(id: &str) -> billing::catalog::Price {
    billing::catalog::Price {
        id: id.into(),
        external_id: None,
        product: String::new(),
        active: true,
        r#type: price::PriceType::Recurring,
        currency: billing::Currency::parse("eur", "currency").unwrap(),
        billing_scheme: String::new(),
        unit_amount: None,
        unit_amount_decimal: None,
        tiers_mode: None,
        tiers: None,
        transform_quantity: None,
        interval: None,
        interval_count: None,
        trial_period_days: None,
        tax_behavior: price::TaxBehavior::Unspecified,
        lookup_key: None,
        nickname: None,
        metadata: billing::Json::default(),
        created: billing::Seconds(0),
        version: 1,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_merchants_live_mode_reaches_nothing_of_its_test_mode() {
    on_both(async |stage| {
        let b = belongings(stage).await;
        let live = seen!(stage, |tx| billing::directory::tenant(tx, &stage.merchant.id, true));
        let live = Actor { tenant: live, ..stage.who.clone() };
        try_everything(stage, &live, &b).await;
        list_everything(stage, &live, &b).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_customer_reaches_nothing() {
    on_both(async |stage| {
        let (b, own) = (belongings(stage).await, belongings(stage).await);
        let other = stage.portal(&own.customer);
        let events = stage.events().await.len();
        try_everything(stage, &other, &b).await;
        list_everything(stage, &other, &b).await;
        assert_eq!(stage.events().await.len(), events);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_reaches_their_own() {
    on_both(async |stage| {
        let (own, _) = (belongings(stage).await, belongings(stage).await);
        let me = stage.portal(&own.customer);
        let page = Page::first(100);
        seen!(stage, |tx| customer::get(tx, &me, &own.customer.id));
        seen!(stage, |tx| payment_method::get(tx, &me, &own.method));
        seen!(stage, |tx| payment::intent(tx, &me, &own.intent));
        seen!(stage, |tx| session::get(tx, &me, &own.session));
        seen!(stage, |tx| event::get(tx, &me, &own.event));
        assert_eq!(seen!(stage, |tx| invoice::line::first(tx, &me, &own.invoice, 10)).data.len(), 1);
        let methods = seen!(stage, |tx| payment_method::list(tx, &me, &own.customer.id, &page, None));
        assert_eq!(methods.data.len(), 1);
        let invoices = seen!(stage, |tx| invoice::list(tx, &me, &page, &InvoiceFilter::default()));
        assert_eq!(invoices.data.iter().map(|i| &i.id).collect::<Vec<_>>(), [&own.invoice]);
        let subscriptions = seen!(stage, |tx| subscription::list(tx, &me, &page, &SubscriptionFilter::default()));
        assert_eq!(subscriptions.data.iter().map(|s| &s.id).collect::<Vec<_>>(), [&own.subscription]);
        let customers = seen!(stage, |tx| customer::list(tx, &me, &page, &CustomerFilter::default()));
        assert_eq!(customers.data.iter().map(|c| &c.id).collect::<Vec<_>>(), [&own.customer.id]);
        let events = seen!(stage, |tx| event::list(tx, &me, &page, None));
        assert!(!events.data.is_empty());
    })
    .await;
}
