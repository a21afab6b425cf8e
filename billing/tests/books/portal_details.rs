//! What a customer changes of how they are billed, as far as the configuration lists it.

use billing::customer::{Address, Shipping};
use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::details::{self, DetailsUpdate};
use billing::{Error, Patch};
use serde_json::{Value, json};

use crate::support::{Stage, done, field, on_both, refused};

async fn portal(stage: &Stage, customer_update: Value) -> Configuration {
    let features = Some(json!({ "customer_update": customer_update }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

fn bonn() -> Address {
    Address { city: Some("Bonn".into()), country: Some("DE".into()), ..Address::default() }
}

fn each() -> [(&'static str, DetailsUpdate); 4] {
    let keep = DetailsUpdate::default;
    let shipping = Shipping { address: bonn(), name: "Eve".into(), phone: None };
    [
        ("name", DetailsUpdate { name: Patch::Set("Eve".into()), ..keep() }),
        ("phone", DetailsUpdate { phone: Patch::Set("+49 228 1".into()), ..keep() }),
        ("address", DetailsUpdate { address: Patch::Set(bonn()), ..keep() }),
        ("shipping", DetailsUpdate { shipping: Patch::Set(shipping), ..keep() }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_detail_changes_only_where_it_is_listed() {
    on_both(async |stage| {
        for (listed, _) in each() {
            let portal = portal(stage, json!({"enabled": true, "allowed_updates": [listed]})).await;
            let customer = stage.customer().await;
            let me = stage.portal(&customer);
            for (touched, update) in each() {
                if touched == listed {
                    done!(stage, |tx| details::update(tx, &me, &portal, update.clone()));
                    let told = stage.last_event(&customer.id).await;
                    assert_eq!((told.r#type.as_str(), told.origin.as_str()), ("customer.updated", "portal"));
                    assert!(told.data["previous_attributes"].get(touched).is_some(), "{touched}");
                } else {
                    let error = refused!(stage, |tx| details::update(tx, &me, &portal, update.clone()));
                    assert!(matches!(error, Error::Forbidden(_)), "{touched} where only {listed} is listed");
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_so_already_is_not_news() {
    on_both(async |stage| {
        let portal = portal(stage, json!({"enabled": true, "allowed_updates": ["name"]})).await;
        let customer = stage.customer().await;
        let said = stage.events().await.len();
        let same = DetailsUpdate { name: Patch::Set("Ada".into()), ..DetailsUpdate::default() };
        let after = done!(stage, |tx| details::update(tx, &stage.portal(&customer), &portal, same.clone()));
        assert_eq!((after, stage.events().await.len()), (customer, said));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_detail_that_is_not_listed_refuses_all() {
    on_both(async |stage| {
        let portal = portal(stage, json!({"enabled": true, "allowed_updates": ["name"]})).await;
        let customer = stage.customer().await;
        let both =
            DetailsUpdate { name: Patch::Set("Eve".into()), phone: Patch::Set("1".into()), ..DetailsUpdate::default() };
        let error = refused!(stage, |tx| details::update(tx, &stage.portal(&customer), &portal, both.clone()));
        assert!(matches!(error, Error::Forbidden(_)));
        assert_eq!(stage.customer_named(&customer.id).await, customer);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_is_off_and_a_preview_refuse_the_call() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let all = json!(["name", "phone", "address", "shipping"]);
        let off = portal(stage, json!({"enabled": false, "allowed_updates": all})).await;
        let looking = stage.guest(&customer, "bps_preview", true);
        let on = portal(stage, json!({"enabled": true, "allowed_updates": all})).await;
        for (who, portal) in [(stage.portal(&customer), off), (looking, on.clone()), (stage.who.clone(), on)] {
            for (_, update) in each() {
                let error = refused!(stage, |tx| details::update(tx, &who, &portal, update.clone()));
                assert!(matches!(error, Error::Forbidden(_)));
            }
        }
        assert_eq!(stage.customer_named(&customer.id).await, customer);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_is_named_and_changes_nothing() {
    on_both(async |stage| {
        let portal = portal(stage, json!({"enabled": true, "allowed_updates": ["name", "phone", "address"]})).await;
        let customer = stage.customer().await;
        let me = stage.portal(&customer);
        let keep = DetailsUpdate::default;
        let nowhere = Address { country: Some("Germany".into()), ..Address::default() };
        let endless = Address { line1: Some("x".repeat(501)), ..bonn() };
        for (param, update) in [
            ("name", DetailsUpdate { name: Patch::Set("x".repeat(257)), ..keep() }),
            ("phone", DetailsUpdate { phone: Patch::Set("1".repeat(21)), ..keep() }),
            ("address[country]", DetailsUpdate { address: Patch::Set(nowhere), ..keep() }),
            ("address", DetailsUpdate { address: Patch::Set(endless), ..keep() }),
        ] {
            let error = refused!(stage, |tx| details::update(tx, &me, &portal, update.clone()));
            assert_eq!(field(&error), param);
        }
        assert_eq!(stage.customer_named(&customer.id).await, customer);
    })
    .await;
}
