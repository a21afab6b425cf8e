//! What a customer changes a plan to in the portal: only what is offered, for exactly what was quoted.

use billing::catalog::price::{self, NewPrice};
use billing::catalog::{Price, promotion_code};
use billing::portal::change::{self, Given, Wished};
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::quote::{Confirmed, Done};
use billing::subscription::{Status, Subscription};
use billing::{Actor, Error};
use serde_json::{Value, json};

use crate::changes::{HALF, since_april, step};
use crate::offers::{code, coupon, half};
use crate::support::{Stage, at, done, field, kind, on_both, plain_price, refused, seen};

/// A plan of April at 10.00 with one of 5.00 below it and one of 20.00 above, that the portal offers.
struct Shop {
    before: Subscription,
    me: Actor,
    lower: Price,
    higher: Price,
    products: Vec<Value>,
}

impl Shop {
    async fn open(stage: &Stage) -> Self {
        let before = since_april(stage, |new| new).await;
        let me = stage.portal(&stage.customer_named(&before.customer).await);
        let (lower, higher) = (stage.price(500).await, stage.price(2000).await);
        let own = &before.items[0].price;
        let products = [own, &lower, &higher].map(|price| json!({ "product": price.product }));
        stage.pass(HALF);
        Self { before, me, lower, higher, products: products.into() }
    }

    /// The default configuration with these products, and what else is said of changes.
    async fn allowed(&self, stage: &Stage, more: Value) -> Configuration {
        let mut feature = json!({
            "enabled": true,
            "default_allowed_updates": ["price", "quantity", "promotion_code"],
            "proration_behavior": "always_invoice",
            "products": self.products,
            "schedule_at_period_end": { "conditions": [{ "type": "decreasing_item_amount" }] },
        });
        for (name, value) in more.as_object().unwrap() {
            feature[name] = value.clone();
        }
        let features = Some(json!({ "subscription_update": feature }));
        let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
        done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
    }

    fn wish(&self, price: &Price, quantity: i64) -> Wished {
        Wished {
            subscription: self.before.id.clone(),
            item: self.before.items[0].id.clone(),
            price: price.id.clone(),
            quantity,
            discount: None,
        }
    }

    async fn refused(&self, stage: &Stage, allowed: &Configuration, wished: &Wished) -> Error {
        let error = refused!(stage, |tx| change::quote(tx, &self.me, allowed, wished));
        assert_eq!(stage.subscription(&self.before.id).await, self.before);
        error
    }

    /// Quoted, confirmed and charged.
    async fn changed(&self, stage: &Stage, allowed: &Configuration, wished: &Wished) -> (Done, String) {
        let quote = done!(stage, |tx| change::quote(tx, &self.me, allowed, wished));
        let done = done!(stage, |tx| change::confirm(tx, &self.me, allowed, wished, &quote.token));
        let Confirmed::Done(done) = done else { panic!("nothing has changed since") };
        let said = |invoice: &billing::invoice::Invoice| (invoice.total, invoice.amount_due);
        if let Some(id) = &done.invoice {
            let invoice = stage.invoice(id).await;
            assert_eq!(Some(said(&invoice)), quote.invoice.as_ref().map(said));
            if done.collect {
                _ = stage.collect(&invoice).await;
            }
        }
        (done, quote.token)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_counts_at_once_and_a_resent_confirmation_does_nothing_more() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({})).await;
        let wished = shop.wish(&shop.higher, 1);
        let (done, token) = shop.changed(stage, &allowed, &wished).await;
        let invoice = stage.invoice(done.invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.total, invoice.amount_paid), (500, 500));
        let after = stage.subscription(&shop.before.id).await;
        assert_eq!((after.items[0].price.id.as_str(), after.pending_update), (shop.higher.id.as_str(), None));
        let said = stage.events().await.len();
        let again = done!(stage, |tx| change::confirm(tx, &shop.me, &allowed, &wished, &token));
        let Confirmed::Done(again) = again else { panic!("it was done") };
        assert_eq!((again, stage.events().await.len()), (done, said));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_downgrade_waits_for_the_end_of_the_period_where_that_is_configured() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({})).await;
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.lower, 1)).await;
        assert_eq!(done.invoice, None);
        let waiting = stage.subscription(&shop.before.id).await;
        assert_eq!(waiting.items[0].price.id, shop.before.items[0].price.id);
        assert_eq!(waiting.scheduled.map(|change| change.due), Some(at("2026-05-01")));
        let kept = done!(stage, |tx| change::undo(tx, &shop.me, &shop.before.id));
        assert!(kept.scheduled.is_none());
        let said = stage.events().await.len();
        let again = done!(stage, |tx| change::undo(tx, &shop.me, &shop.before.id));
        assert_eq!((again, stage.events().await.len()), (kept, said), "where nothing waits, nothing changes");

        let at_once = shop.allowed(stage, json!({ "schedule_at_period_end": { "conditions": [] } })).await;
        let (done, _) = shop.changed(stage, &at_once, &shop.wish(&shop.lower, 1)).await;
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.total, -250);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_offered_is_refused() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({})).await;
        let foreign = stage.price(3000).await;
        assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&foreign, 1)).await), "price");
        let dollars = NewPrice {
            currency: billing::Currency::parse("usd", "currency").unwrap(),
            ..plain_price(stage.eur(), &shop.higher.product, 100)
        };
        let dollars = done!(stage, |tx| price::create(tx, &stage.who, dollars.clone()));
        assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&dollars, 1)).await), "price");
        assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&shop.higher, 2)).await), "quantity");

        let only_prices = shop.allowed(stage, json!({ "default_allowed_updates": ["price"] })).await;
        let code = Wished { discount: Some(Given::Code("ANY".into())), ..shop.wish(&shop.higher, 1) };
        assert_eq!(field(&shop.refused(stage, &only_prices, &code).await), "promotion_code");
        let only_seats = shop.allowed(stage, json!({ "default_allowed_updates": ["quantity"] })).await;
        assert_eq!(field(&shop.refused(stage, &only_seats, &shop.wish(&shop.higher, 1)).await), "price");

        let off = shop.allowed(stage, json!({ "enabled": false })).await;
        assert!(matches!(shop.refused(stage, &off, &shop.wish(&shop.higher, 1)).await, Error::Forbidden(_)));
        let looking = stage.guest(&stage.customer_named(&shop.before.customer).await, "bps_open", true);
        let error = refused!(stage, |tx| change::quote(tx, &looking, &allowed, &shop.wish(&shop.higher, 1)));
        assert!(matches!(error, Error::Forbidden(_)));
        let other = stage.portal(&stage.customer().await);
        let error = refused!(stage, |tx| change::quote(tx, &other, &allowed, &shop.wish(&shop.higher, 1)));
        assert!(matches!(error, Error::Missing { .. }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seats_are_adjusted_within_their_bounds() {
    on_both(async |stage| {
        let mut shop = Shop::open(stage).await;
        shop.products[0]["adjustable_quantity"] = json!({ "enabled": true, "minimum": 1, "maximum": 5 });
        let allowed = shop.allowed(stage, json!({})).await;
        let own = shop.before.items[0].price.clone();
        for quantity in [0, 6, -1] {
            assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&own, quantity)).await), "quantity");
        }
        assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&own, 1)).await), "price", "nothing would change");
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&own, 5)).await;
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.total, 2000);
        assert_eq!(stage.subscription(&shop.before.id).await.items[0].quantity, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmation_of_something_else_or_against_the_configuration_changes_nothing() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({ "schedule_at_period_end": { "conditions": [] } })).await;
        let (higher, lower) = (shop.wish(&shop.higher, 1), shop.wish(&shop.lower, 1));
        let quote = done!(stage, |tx| change::quote(tx, &shop.me, &allowed, &higher));
        let confirmed = done!(stage, |tx| change::confirm(tx, &shop.me, &allowed, &lower, &quote.token));
        let Confirmed::Stale(fresh) = confirmed else { panic!("the token is for another plan") };
        assert_ne!(fresh.token, quote.token);
        let off = shop.allowed(stage, json!({ "enabled": false })).await;
        let error = refused!(stage, |tx| change::confirm(tx, &shop.me, &off, &higher, &quote.token));
        assert!(matches!(error, Error::Forbidden(_)));
        let error = refused!(stage, |tx| change::confirm(tx, &shop.me, &allowed, &higher, "forged"));
        assert_eq!(field(&error), "token");
        assert_eq!(stage.subscription(&shop.before.id).await, shop.before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_paid_waits_and_can_be_dropped() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({})).await;
        let customer = stage.customer_named(&shop.before.customer).await;
        let broken = stage.method(&customer, "pm_card_chargeCustomerFail").await;
        stage.set_default(&customer, &broken).await;
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.higher, 1)).await;
        let waiting = stage.subscription(&shop.before.id).await;
        assert_eq!((waiting.status, waiting.items), (Status::Active, shop.before.items.clone()));
        assert!(waiting.pending_update.is_some());
        let error = refused!(stage, |tx| change::quote(tx, &shop.me, &allowed, &shop.wish(&shop.lower, 1)));
        assert_eq!(field(&error), "price", "nothing is offered while a change waits");
        let dropped = done!(stage, |tx| change::undo(tx, &shop.me, &shop.before.id));
        assert!(dropped.pending_update.is_none());
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.status, billing::invoice::Status::Void);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_ends_or_goes_on_as_configured() {
    on_both(async |stage| {
        let trial = |days| billing::subscription::create::Trial::Days(days);
        for (behavior, status, total) in
            [("end_trial", Status::Active, Some(2000)), ("continue_trial", Status::Trialing, None)]
        {
            let mut shop = Shop::open(stage).await;
            shop.before = since_trial(stage, &shop, trial(30)).await;
            let allowed = shop.allowed(stage, json!({ "trial_update_behavior": behavior })).await;
            let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.higher, 1)).await;
            let after = stage.subscription(&shop.before.id).await;
            assert_eq!((after.status, &after.items[0].price.id), (status, &shop.higher.id), "{behavior}");
            let billed = match &done.invoice {
                Some(id) => Some(stage.invoice(id).await.total),
                None => None,
            };
            assert_eq!(billed, total, "{behavior}");
        }
    })
    .await;
}

async fn since_trial(stage: &Stage, shop: &Shop, trial: billing::subscription::create::Trial) -> Subscription {
    let customer = stage.customer_named(&shop.before.customer).await;
    let mut new = crate::support::plan(&customer, &shop.before.items[0].price);
    new.trial = trial;
    stage.subscribe(new).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_code_is_taken_off_where_none_counts_yet() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let allowed = shop.allowed(stage, json!({})).await;
        let new = code(&coupon(stage, half()).await);
        let code = done!(stage, |tx| promotion_code::create(tx, &stage.who, new.clone()));
        let with = |code: &str| Wished { discount: Some(Given::Code(code.into())), ..shop.wish(&shop.higher, 1) };
        assert_eq!(field(&shop.refused(stage, &allowed, &with("WINTER")).await), "promotion_code");
        let waits = Wished { discount: Some(Given::Code(code.code.clone())), ..shop.wish(&shop.lower, 1) };
        assert_eq!(field(&shop.refused(stage, &allowed, &waits).await), "promotion_code");
        let (done, _) = shop.changed(stage, &allowed, &with(&code.code.to_lowercase())).await;
        // -5.00 for what was paid, +10.00 for half a month of 20.00, less half of that.
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.total, 0);
        let after = stage.subscription(&shop.before.id).await;
        assert_eq!(after.discounts.len(), 1);
        assert!(!change::takes_code(&allowed, &after));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_moves_are_ruled_only_those_are_offered_and_as_the_first_rule_says() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let (own, higher) = (&shop.before.items[0].price.id, &shop.higher.id);
        let up = json!({ "from": own, "to": higher, "effective": "at_period_end" });
        let allowed = shop.allowed(stage, json!({ "transitions": [up] })).await;
        assert_eq!(field(&shop.refused(stage, &allowed, &shop.wish(&shop.lower, 1)).await), "price");
        shop.changed(stage, &allowed, &shop.wish(&shop.higher, 1)).await;
        let waiting = stage.subscription(&shop.before.id).await;
        assert_eq!(waiting.scheduled.map(|change| change.due), Some(at("2026-05-01")), "though it is dearer");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_may_be_made_so_many_days_after_the_last_one() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let (lower, higher) = (&shop.lower.id, &shop.higher.id);
        let rules = json!([{ "to": higher }, { "to": lower, "effective": "immediately", "cooldown_days": 10 }]);
        let allowed = shop.allowed(stage, json!({ "transitions": rules })).await;
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.lower, 1)).await;
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.total, -250, "though it is cheaper: at once");
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.higher, 1)).await;
        assert!(done.invoice.is_some(), "this move may be made at any time");
        let soon = refused!(stage, |tx| change::quote(tx, &shop.me, &allowed, &shop.wish(&shop.lower, 1)));
        assert_eq!(kind(&soon), "subscription_change_too_soon");
        let offers = offered(stage, &shop, &allowed).await;
        assert_eq!(
            offers,
            [(lower.clone(), Some(stage.clock.wall().seconds().plus(10 * 86_400))), (higher.clone(), None)]
        );
        stage.pass(10 * 86_400 - 1);
        let soon = refused!(stage, |tx| change::quote(tx, &shop.me, &allowed, &shop.wish(&shop.lower, 1)));
        assert_eq!(kind(&soon), "subscription_change_too_soon");
        stage.pass(1);
        shop.changed(stage, &allowed, &shop.wish(&shop.lower, 1)).await;
    })
    .await;
}

/// What may be changed to now, and from when.
async fn offered(stage: &Stage, shop: &Shop, allowed: &Configuration) -> Vec<(String, Option<billing::Seconds>)> {
    let now = stage.subscription(&shop.before.id).await;
    let offers = seen!(stage, |tx| change::offers(tx, &shop.me, allowed, &now, &now.items[0]));
    offers.into_iter().map(|offer| (offer.price.id, offer.opens)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_full_difference_is_charged_at_once_or_with_the_next_invoice() {
    on_both(async |stage| {
        let shop = Shop::open(stage).await;
        let full = json!({ "proration_behavior": "full_difference" });
        let allowed = shop.allowed(stage, full.clone()).await;
        let (done, _) = shop.changed(stage, &allowed, &shop.wish(&shop.higher, 1)).await;
        assert_eq!(stage.invoice(done.invoice.as_ref().unwrap()).await.total, 1000, "and not half of it");

        let later = Shop::open(stage).await;
        let mut more = full;
        more["charge_timing"] = json!("period_end");
        let allowed = later.allowed(stage, more).await;
        let (done, _) = later.changed(stage, &allowed, &later.wish(&later.higher, 1)).await;
        assert_eq!(done.invoice, None);
        let after = stage.subscription(&later.before.id).await;
        assert_eq!(after.items[0].price.id, later.higher.id, "the plan itself changes at once");
        stage.go_to(at("2026-05-01"));
        let renewal = step(stage, &later.before.id).await.unwrap();
        assert_eq!(renewal.total, 3000, "with the difference of April");
    })
    .await;
}
