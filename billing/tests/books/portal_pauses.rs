//! Pausing and going on in the portal, as far as the configuration lets a customer.

use billing::portal::configuration::{self, Configuration, ConfigurationUpdate};
use billing::portal::pausing;
use billing::quote::Confirmed;
use billing::subscription::{Status, Subscription};
use billing::{Actor, Error, cycle};
use serde_json::{Value, json};

use crate::changes::{HALF, since_april};
use crate::support::{Stage, at, done, field, kind, on_both, refused};

async fn allowed(stage: &Stage, pause: Value) -> Configuration {
    let features = Some(json!({ "subscription_pause": pause }));
    let update = ConfigurationUpdate { features, ..ConfigurationUpdate::default() };
    done!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()))
}

async fn me(stage: &Stage, subscription: &Subscription) -> Actor {
    stage.portal(&stage.customer_named(&subscription.customer).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_begins_with_the_period_that_is_not_paid_for() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let me = me(stage, &before).await;
        let lengths = json!({ "type": "interval_options", "interval_options": [{ "interval": "month" }, { "interval": "month", "interval_count": 3 }] });
        let portal = allowed(stage, json!({ "enabled": true, "duration": lengths })).await;
        for length in [None, Some(2)] {
            let error = refused!(stage, |tx| pausing::pause(tx, &me, &portal, &before.id, length));
            assert_eq!(field(&error), "length");
        }
        let set = done!(stage, |tx| pausing::pause(tx, &me, &portal, &before.id, Some(1)));
        let waiting = set.scheduled.clone().unwrap();
        assert_eq!((set.status, waiting.due), (Status::Active, at("2026-05-01")));
        assert_eq!(waiting.change.resumes_at, Some(at("2026-08-01")));
        let said = stage.events().await.len();
        let again = done!(stage, |tx| pausing::pause(tx, &me, &portal, &before.id, Some(0)));
        assert_eq!((again, stage.events().await.len()), (set, said));
        stage.go_to(at("2026-05-01"));
        done!(stage, |tx| cycle::advance(tx, &stage.who, &before.id));
        let paused = stage.subscription(&before.id).await;
        assert_eq!((paused.status, paused.resumes_at), (Status::Paused, Some(at("2026-08-01"))));

        stage.pass(HALF);
        let quote = done!(stage, |tx| pausing::quote_resume(tx, &me, &portal, &before.id));
        assert_eq!(quote.due_now(), 1000);
        let done = done!(stage, |tx| pausing::resume(tx, &me, &portal, &before.id, &quote.token));
        let Confirmed::Done(done) = done else { panic!("nothing has changed since") };
        let invoice = stage.collect(&stage.invoice(done.invoice.as_ref().unwrap()).await).await.unwrap();
        assert_eq!(invoice.amount_paid, 1000);
        assert_eq!(stage.subscription(&before.id).await.status, Status::Active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_from_now_is_credited_when_it_ends() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let me = me(stage, &before).await;
        let portal = allowed(stage, json!({ "enabled": true, "at_period_end": false })).await;
        stage.pass(HALF);
        let paused = done!(stage, |tx| pausing::pause(tx, &me, &portal, &before.id, None));
        assert_eq!((paused.status, paused.resumes_at), (Status::Paused, None));
        stage.pass(HALF);
        let quote = done!(stage, |tx| pausing::quote_resume(tx, &me, &portal, &before.id));
        assert_eq!(quote.due_now(), 500);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_is_refused() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let me = me(stage, &before).await;
        let (on, off) = (allowed(stage, json!({ "enabled": true })).await, allowed(stage, json!({ "enabled": false })).await);
        let error = refused!(stage, |tx| pausing::pause(tx, &me, &off, &before.id, None));
        assert!(matches!(error, Error::Forbidden(_)));
        let error = refused!(stage, |tx| pausing::quote_resume(tx, &me, &off, &before.id));
        assert!(matches!(error, Error::Forbidden(_)));
        let error = refused!(stage, |tx| pausing::quote_resume(tx, &me, &on, &before.id));
        assert_eq!(kind(&error), "subscription_not_paused");
        let other = stage.portal(&stage.customer().await);
        let error = refused!(stage, |tx| pausing::pause(tx, &other, &on, &before.id, None));
        assert!(matches!(error, Error::Missing { .. }));
        let features = json!({ "subscription_pause": { "enabled": true, "duration": { "type": "interval_options", "interval_options": [] } } });
        let update = ConfigurationUpdate { features: Some(features), ..ConfigurationUpdate::default() };
        let error = refused!(stage, |tx| configuration::update(tx, &stage.who, "default", update.clone()));
        assert_eq!(field(&error), "features[subscription_pause][duration][interval_options]");
        assert_eq!(stage.subscription(&before.id).await, before);
    })
    .await;
}
