//! Payment methods: attached, chosen, taken away.

use billing::customer::payment_method::{self, MethodType};
use billing::customer::{self, CustomerUpdate};
use billing::subscription::{self, SubscriptionUpdate};
use billing::{Page, Patch};

use crate::support::{done, field, kind, on_both, plan, refused, seen};

#[tokio::test(flavor = "multi_thread")]
async fn a_method_shows_what_may_be_shown() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let method = stage.method(&customer, "pm_card_visa").await;
        assert_eq!(method, seen!(stage, |tx| payment_method::get(tx, &stage.who, &method.id)));
        assert_eq!((method.details.brand.as_str(), method.details.last4.as_str()), ("visa", "4242"));
        assert_eq!((method.details.exp_month, method.details.exp_year), (Some(12), Some(2030)));
        assert_eq!(method.customer.as_ref(), Some(&customer.id));
        assert_eq!(stage.events_of(&method.id).await, ["payment_method.attached"]);
        let nobody = refused!(stage, |tx| payment_method::attach(
            tx,
            &stage.who,
            "cus_no",
            billing::gateway::sandbox::test_method("pm_card_visa", 2026).unwrap()
        ));
        assert_eq!((field(&nobody), kind(&nobody)), ("customer", "missing"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_are_listed_by_customer_and_type() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let card = stage.method(&ada, "pm_card_visa").await;
        let debit = stage.method(&ada, "pm_sepaDebit").await;
        stage.method(&bob, "pm_card_amex").await;
        let listed = async |customer: &str, kind| {
            let page = Page::first(10);
            let listed = seen!(stage, |tx| payment_method::list(tx, &stage.who, customer, &page, kind));
            listed.data.into_iter().map(|m| m.id).collect::<Vec<_>>()
        };
        assert_eq!(listed(&ada.id, None).await, [debit.id.clone(), card.id.clone()]);
        assert_eq!(listed(&ada.id, Some(MethodType::Card)).await, [card.id]);
        assert_eq!(listed(&ada.id, Some(MethodType::SepaDebit)).await, [debit.id]);
        assert!(listed(&ada.id, Some(MethodType::MobileMoney)).await.is_empty());
        let page = Page::first(10);
        let error = refused!(stage, |tx| payment_method::list(tx, &stage.who, "cus_no", &page, None));
        assert_eq!((field(&error), kind(&error)), ("customer", "missing"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_customers_own_method_can_be_its_default() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let (hers, his) = (stage.method(&ada, "pm_card_visa").await, stage.method(&bob, "pm_card_visa").await);
        let default =
            |id: &str| CustomerUpdate { default_payment_method: Patch::Set(id.into()), ..CustomerUpdate::default() };
        let after = done!(stage, |tx| customer::update(tx, &stage.who, &ada.id, default(&hers.id)));
        assert_eq!(after.default_payment_method, Some(hers.id));
        let error = refused!(stage, |tx| customer::update(tx, &stage.who, &ada.id, default(&his.id)));
        assert_eq!((field(&error), kind(&error)), ("invoice_settings[default_payment_method]", "resource_missing"));
        let error = refused!(stage, |tx| payment_method::of_customer(tx, &stage.who, &ada.id, &his.id));
        assert_eq!(kind(&error), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detached_method_is_charged_nowhere_any_more() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let method = customer.default_payment_method.clone().unwrap();
        let own = SubscriptionUpdate { default_payment_method: Patch::Set(method.clone()), ..Default::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, own.clone()));

        let after = done!(stage, |tx| payment_method::detach(tx, &stage.who, &method));
        assert_eq!((after.customer, after.detached_at), (None, Some(stage.now())));
        let customer = seen!(stage, |tx| customer::get(tx, &stage.who, &customer.id));
        assert_eq!(customer.default_payment_method, None);
        assert_eq!(stage.subscription(&subscription.id).await.default_payment_method, None);
        let said: Vec<_> = stage.events().await.into_iter().rev().take(3).collect();
        assert_eq!(said[0], ("payment_method.detached".into(), method.clone()));
        assert_eq!(said[1], ("customer.subscription.updated".into(), subscription.id));
        assert_eq!(said[2], ("customer.updated".into(), customer.id.clone()));

        let page = Page::first(10);
        let listed = seen!(stage, |tx| payment_method::list(tx, &stage.who, &customer.id, &page, None));
        assert!(listed.data.is_empty());
        let again = refused!(stage, |tx| payment_method::detach(tx, &stage.who, &method));
        assert_eq!((field(&again), kind(&again)), ("payment_method", "payment_method_unexpected_state"));
    })
    .await;
}
