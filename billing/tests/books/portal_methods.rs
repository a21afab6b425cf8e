//! What a customer does with their payment methods in the portal.

use billing::customer::payment_method::PaymentMethod;
use billing::customer::{Customer, payment_method};
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::methods;
use billing::subscription::{CollectionMethod, NewSubscription, SubscriptionUpdate};
use billing::{Error, Page, Patch, subscription};
use serde_json::json;

use crate::support::{Stage, done, kind, on_both, plan, refused, seen};

async fn portal(stage: &Stage, enabled: bool) -> Configuration {
    let features = Some(json!({ "payment_method_update": { "enabled": enabled } }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

async fn held(stage: &Stage, customer: &Customer) -> Vec<String> {
    let page = Page::first(10);
    let listed = seen!(stage, |tx| payment_method::list(tx, &stage.who, &customer.id, &page, None));
    listed.data.into_iter().map(|method: PaymentMethod| method.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn another_default_is_charged_from_now_on() {
    on_both(async |stage| {
        let (customer, portal) = (stage.payer("pm_card_visa").await, portal(stage, true).await);
        let (me, other) = (stage.portal(&customer), stage.method(&customer, "pm_card_amex").await);
        let after = done!(stage, |tx| methods::set_default(tx, &me, &portal, &other.id));
        assert_eq!(after.default_payment_method.as_ref(), Some(&other.id));
        let told = stage.last_event(&customer.id).await;
        assert_eq!((told.r#type.as_str(), told.origin.as_str()), ("customer.updated", "portal"));
        let said = stage.events().await.len();
        done!(stage, |tx| methods::set_default(tx, &me, &portal, &other.id));
        assert_eq!(stage.events().await.len(), said, "what is so already is not news");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_method_of_a_living_subscription_stays() {
    on_both(async |stage| {
        let (customer, portal) = (stage.payer("pm_card_visa").await, portal(stage, true).await);
        let (me, price) = (stage.portal(&customer), stage.price(1000).await);
        let card = customer.default_payment_method.clone().unwrap();
        let living = stage.subscribe(plan(&customer, &price)).await;
        let error = refused!(stage, |tx| methods::remove(tx, &me, &portal, &card));
        assert_eq!(kind(&error), "payment_method_needed");
        let ending = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &living.id, ending.clone()));
        let error = refused!(stage, |tx| methods::remove(tx, &me, &portal, &card));
        assert_eq!(kind(&error), "payment_method_needed", "it may still be kept");
        assert_eq!(held(stage, &customer).await, [card.clone()]);

        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &living.id, None, None));
        let removed = done!(stage, |tx| methods::remove(tx, &me, &portal, &card));
        assert!(removed.detached_at.is_some());
        assert!(held(stage, &customer).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_that_is_paid_by_invoice_needs_none() {
    on_both(async |stage| {
        let (customer, portal) = (stage.payer("pm_card_visa").await, portal(stage, true).await);
        let sent = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(10),
            ..plan(&customer, &stage.price(1000).await)
        };
        stage.create(sent).await;
        let card = customer.default_payment_method.clone().unwrap();
        done!(stage, |tx| methods::remove(tx, &stage.portal(&customer), &portal, &card));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_default_goes_the_newest_of_the_others_takes_its_place() {
    on_both(async |stage| {
        let (customer, portal) = (stage.payer("pm_card_visa").await, portal(stage, true).await);
        let (me, price) = (stage.portal(&customer), stage.price(1000).await);
        let first = customer.default_payment_method.clone().unwrap();
        let living = stage.subscribe(plan(&customer, &price)).await;
        stage.pass(10);
        let second = stage.method(&customer, "pm_card_amex").await.id;
        stage.pass(10);
        let third = stage.method(&customer, "pm_card_mastercard").await.id;
        let default = async || stage.customer_named(&customer.id).await.default_payment_method.unwrap();

        done!(stage, |tx| methods::remove(tx, &me, &portal, &second));
        assert_eq!(default().await, first, "one that is not the default goes alone");
        let own = SubscriptionUpdate { default_payment_method: Patch::Set(first.clone()), ..Default::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &living.id, own.clone()));
        done!(stage, |tx| methods::remove(tx, &me, &portal, &first));
        assert_eq!(default().await, third);
        assert_eq!(stage.subscription(&living.id).await.default_payment_method, None, "it falls to the default");
        assert_eq!(kind(&refused!(stage, |tx| methods::remove(tx, &me, &portal, &third))), "payment_method_needed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_is_off_and_a_preview_refuse_the_call() {
    on_both(async |stage| {
        let customer = stage.payer("pm_card_visa").await;
        let card = customer.default_payment_method.clone().unwrap();
        let looking = stage.guest(&customer, "bps_preview", true);
        for (who, portal) in
            [(stage.portal(&customer), portal(stage, false).await), (looking, portal(stage, true).await)]
        {
            let error = refused!(stage, |tx| methods::set_default(tx, &who, &portal, &card));
            assert!(matches!(error, Error::Forbidden(_)));
            let error = refused!(stage, |tx| methods::remove(tx, &who, &portal, &card));
            assert!(matches!(error, Error::Forbidden(_)));
        }
        assert_eq!(held(stage, &customer).await, [card]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_touches_a_method_of_somebody_elses() {
    on_both(async |stage| {
        let (ada, bob) = (stage.payer("pm_card_visa").await, stage.payer("pm_card_visa").await);
        let (portal, his) = (portal(stage, true).await, bob.default_payment_method.clone().unwrap());
        let me = stage.portal(&ada);
        assert_eq!(kind(&refused!(stage, |tx| methods::set_default(tx, &me, &portal, &his))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| methods::remove(tx, &me, &portal, &his))), "missing");
        assert_eq!(held(stage, &bob).await, [his]);
    })
    .await;
}
