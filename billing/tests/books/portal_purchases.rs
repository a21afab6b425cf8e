//! The first purchase: what may be bought, for exactly what was quoted, once.

use billing::catalog::price::{self, NewPrice};
use billing::customer::{Address, CustomerUpdate};
use billing::patch::Patch;
use billing::period::{Interval, Recurring};
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::purchase::{self, Wished};
use billing::quote::{Confirmed, Done};
use billing::subscription::Status;
use billing::{Actor, Currency, customer};
use serde_json::{Value, json};

use crate::offers::{code, coupon, half};
use crate::support::{Stage, done, field, kind, on_both, plain_price, refused, seen};
use crate::taxes::rate;

struct Shop {
    me: Actor,
    customer: String,
    portal: Configuration,
    price: String,
}

impl Shop {
    async fn open(stage: &Stage, method: &str) -> Self {
        let (buyer, price) = (stage.payer(method).await, stage.price(1000).await);
        let sold = json!([{"product": price.product, "adjustable_quantity": {"enabled": true, "maximum": 5}}]);
        let portal = allowed(stage, json!({"enabled": true, "products": sold})).await;
        Self { me: stage.portal(&buyer), customer: buyer.id, portal, price: price.id }
    }

    fn wish(&self, quantity: i64, code: Option<&str>) -> Wished {
        Wished { price: self.price.clone(), quantity, code: code.map(str::to_owned) }
    }

    async fn buy(&self, stage: &Stage, wished: &Wished, method: Option<&str>) -> (Done, i64) {
        let quote = done!(stage, |tx| purchase::quote(tx, &self.me, &self.portal, wished));
        let token = quote.token.as_str();
        let bought = done!(stage, |tx| purchase::confirm(tx, &self.me, &self.portal, wished, method, token));
        let Confirmed::Done(done) = bought else { panic!("nothing has changed since") };
        let invoice = stage.invoice(done.invoice.as_ref().unwrap()).await;
        assert_eq!(
            (invoice.total, invoice.amount_due),
            quote.invoice.as_ref().map(|i| (i.total, i.amount_due)).unwrap()
        );
        if invoice.amount_due > 0 {
            _ = stage.collect(&invoice).await;
        }
        (done, quote.due_now())
    }

    async fn wrong(&self, stage: &Stage, wished: &Wished) -> billing::Error {
        refused!(stage, |tx| purchase::quote(tx, &self.me, &self.portal, wished))
    }
}

async fn allowed(stage: &Stage, create: Value) -> Configuration {
    let features = Some(json!({"subscription_create": create}));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

fn eur() -> Currency {
    Currency::parse("eur", "currency").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_bought_costs_what_was_quoted_and_is_bought_once() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_visa").await;
        let offers = seen!(stage, |tx| purchase::offers(tx, &shop.me, &shop.portal, &eur()));
        assert_eq!(offers.iter().map(|offer| offer.price.id.as_str()).collect::<Vec<_>>(), [shop.price.as_str()]);
        let half = coupon(stage, half()).await;
        let code = done!(stage, |tx| billing::catalog::promotion_code::create(tx, &stage.who, code(&half))).code;
        let (done, due) = shop.buy(stage, &shop.wish(3, Some(&code)), None).await;
        let bought = stage.subscription(&done.subscription).await;
        assert_eq!((due, bought.status, bought.items[0].quantity), (1500, Status::Active, 3));
        assert!(bought.automatic_tax);

        assert!(seen!(stage, |tx| purchase::offers(tx, &shop.me, &shop.portal, &eur())).is_empty());
        assert_eq!(kind(&shop.wrong(stage, &shop.wish(1, None)).await), "subscription_exists");
        let over = billing::subscription::cancel::now;
        done!(stage, |tx| over(tx, &stage.who, &bought.id, None, None));
        assert!(seen!(stage, |tx| purchase::is_open(tx, &shop.me, &shop.portal)), "what has ended is no obstacle");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_country_decides_the_tax_and_an_old_quote_is_stale() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_visa").await;
        let wished = shop.wish(1, None);
        let quote = done!(stage, |tx| purchase::quote(tx, &shop.me, &shop.portal, &wished));
        assert_eq!(quote.due_now(), 1000);
        rate(stage, "19", false, Some(("DE", None))).await;
        let address = Address { country: Some("DE".into()), ..Address::default() };
        let move_to = || CustomerUpdate { address: Patch::Set(address.clone()), ..CustomerUpdate::default() };
        done!(stage, |tx| customer::update(tx, &stage.who, &shop.customer, move_to()));
        let late = done!(stage, |tx| purchase::confirm(tx, &shop.me, &shop.portal, &wished, None, &quote.token));
        let Confirmed::Stale(fresh) = late else { panic!("it costs more now") };
        assert_eq!(fresh.due_now(), 1190);
        assert!(seen!(stage, |tx| purchase::is_open(tx, &shop.me, &shop.portal)), "nothing was started");
        let (done, due) = shop.buy(stage, &wished, None).await;
        assert_eq!((due, stage.invoice(&done.invoice.unwrap()).await.amount_paid), (1190, 1190));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_payment_leaves_nothing_behind() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_chargeCustomerFail").await;
        let wished = shop.wish(1, None);
        let (done, _) = shop.buy(stage, &wished, None).await;
        assert!(done!(stage, |tx| purchase::withdraw_if_declined(tx, &shop.me, &done.subscription)));
        assert_eq!(stage.subscription(&done.subscription).await.status, Status::IncompleteExpired);

        // With a card that pays it is bought after all, and that card is the one from now on.
        let card = stage.method(&stage.customer_named(&shop.customer).await, "pm_card_visa").await;
        let (done, _) = shop.buy(stage, &wished, Some(&card.id)).await;
        assert!(!done!(stage, |tx| purchase::withdraw_if_declined(tx, &shop.me, &done.subscription)));
        let bought = stage.subscription(&done.subscription).await;
        assert_eq!((bought.status, bought.default_payment_method), (Status::Active, Some(card.id)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_paid_with_a_method_of_ones_own() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_visa").await;
        let rival = stage.payer("pm_card_visa").await;
        let theirs = rival.default_payment_method.unwrap();
        let wished = shop.wish(1, None);
        let quote = done!(stage, |tx| purchase::quote(tx, &shop.me, &shop.portal, &wished));
        for stranger in [theirs.as_str(), "pm_card_visa", "pm_no"] {
            let given = Some(stranger);
            let error =
                refused!(stage, |tx| purchase::confirm(tx, &shop.me, &shop.portal, &wished, given, &quote.token));
            assert_eq!(kind(&error), "missing");
        }
        let own = stage.method(&stage.customer_named(&shop.customer).await, "pm_card_amex").await.id;
        let (done, _) = shop.buy(stage, &wished, Some(&own)).await;
        let bought = stage.subscription(&done.subscription).await;
        assert_eq!((bought.status, bought.default_payment_method), (Status::Active, Some(own)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sold_is_refused() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_visa").await;
        let foreign = Wished { price: stage.price(700).await.id, ..shop.wish(1, None) };
        assert_eq!(field(&shop.wrong(stage, &foreign).await), "price");
        assert_eq!(field(&shop.wrong(stage, &shop.wish(6, None)).await), "quantity");
        assert_eq!(field(&shop.wrong(stage, &shop.wish(1, Some("NO"))).await), "promotion_code");
        let off = allowed(stage, json!({"enabled": false})).await;
        let error = refused!(stage, |tx| purchase::quote(tx, &shop.me, &off, &shop.wish(1, None)));
        assert_eq!(kind(&error), "forbidden");
        let empty = json!({"subscription_create": {"enabled": true, "products": []}});
        let update = ConfigurationUpdate { features: Some(empty), ..ConfigurationUpdate::default() };
        let error = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        assert_eq!(field(&error), "features[subscription_create][products]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_trial_a_customer_and_a_card() {
    on_both(async |stage| {
        let shop = Shop::open(stage, "pm_card_visa").await;
        let product = stage.price(1000).await.product;
        let recurring = Some(Recurring { interval: Interval::Month, count: 1 });
        let trial = NewPrice { recurring, trial_period_days: Some(14), ..plain_price(stage.eur(), &product, 1000) };
        let price = done!(stage, |tx| price::create(tx, &stage.who, trial.clone())).id;
        let sold = json!([{"product": product, "prices": [price]}]);
        let portal = allowed(stage, json!({"enabled": true, "products": sold})).await;
        let shop = Shop { price, portal, ..shop };
        let wished = shop.wish(1, None);
        let quote = done!(stage, |tx| purchase::quote(tx, &shop.me, &shop.portal, &wished));
        assert_eq!((quote.due_now(), quote.renewal.as_ref().map(|next| next.amount_due)), (0, Some(1000)));
        let (done, _) = shop.buy(stage, &wished, None).await;
        assert_eq!(stage.subscription(&done.subscription).await.status, Status::Trialing);
        let over = billing::subscription::cancel::now;
        done!(stage, |tx| over(tx, &stage.who, &done.subscription, None, None));
        let again = done!(stage, |tx| purchase::quote(tx, &shop.me, &shop.portal, &wished));
        assert_eq!(again.due_now(), 1000);
        // The same card, under another name.
        let twin = stage.portal(&stage.payer("pm_card_visa").await);
        let quote = done!(stage, |tx| purchase::quote(tx, &twin, &shop.portal, &wished));
        assert_eq!(quote.due_now(), 1000);
        let stranger = stage.portal(&stage.payer("pm_card_mastercard").await);
        let quote = done!(stage, |tx| purchase::quote(tx, &stranger, &shop.portal, &wished));
        assert_eq!(quote.due_now(), 0);
    })
    .await;
}
