//! Endpoints that are switched off: at once where the receiver is gone, after days of nothing but failures where it only fails.

use billing::Patch;
use billing::mail::{Template, queue};
use billing::settings::{self, SettingsUpdate};
use billing::webhook::delivery::Status;
use billing::webhook::lane;
use billing::webhook::{self, EndpointUpdate};

use crate::deliveries::answer;
use crate::support::{DAY, HOUR, done, on_both, seen};

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_sent_nothing_more() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("gone", &["customer.created"]).await;
        let other = stage.endpoint("other", &["customer.created"]).await;
        stage.customer().await;
        let lane = loop {
            let lane = stage.enter().await.unwrap();
            if lane.endpoint == endpoint.id {
                break lane;
            }
        };
        let message = stage.batch(&lane).await.unwrap().messages.remove(0);
        done!(stage, |tx| lane::settle(tx, &lane, &[(message.clone(), answer(410))]));
        assert_eq!(stage.endpoint_now(&endpoint).await.status, webhook::Status::Disabled);
        assert_eq!(stage.endpoint_now(&other).await.status, webhook::Status::Enabled);
        assert_eq!(stage.log(&endpoint).await[0].status, Status::Failed);
        assert!(stage.audit().await.contains(&("webhook_endpoint.disabled".into(), endpoint.id.clone())));
        stage.customer().await;
        assert_eq!(stage.log(&endpoint).await.len(), 1);

        done!(stage, |tx| webhook::delete(tx, &stage.who, &other.id));
        let log = stage.log(&other).await;
        assert!(log.iter().all(|delivery| delivery.status == Status::Failed && delivery.next_ms.is_none()));
        stage.pass(DAY);
        assert!(stage.answered(&answer(200)).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_only_fails_is_switched_off_and_its_owner_knew() {
    on_both(async |stage| {
        let owner =
            SettingsUpdate { owner_email: Patch::Set("owner@shop.example".into()), ..SettingsUpdate::default() };
        done!(stage, |tx| settings::update(tx, &stage.who, owner.clone()));
        let endpoint = stage.endpoint("down", &["customer.updated"]).await;
        let customer = stage.customer().await;
        let begun = stage.now();
        let (mut written, mut off) = (None, None);
        for n in 0..60 {
            stage.happens(&customer, &format!("name {n}")).await;
            // Once in the time it takes something: that begins anew.
            let outcome = if n == 10 { answer(200) } else { answer(500) };
            stage.answered(&outcome).await;
            if let Some(mut mail) = done!(stage, |tx| queue::claim(tx)) {
                assert_eq!((mail.template, mail.recipient.as_str()), (Template::WebhookFailing, "owner@shop.example"));
                assert_eq!((mail.data.endpoint.as_deref(), &mail.customer), (Some(endpoint.url.as_str()), &None));
                assert!(seen!(stage, |tx| queue::sender(tx, &mut mail)).is_some());
                assert!(written.replace((stage.now(), mail.data.at.unwrap())).is_none(), "once");
                done!(stage, |tx| queue::settle(tx, &mail, queue::Outcome::Sent));
            }
            if stage.endpoint_now(&endpoint).await.status == webhook::Status::Disabled {
                off = Some(stage.now());
                break;
            }
            stage.pass(3 * HOUR);
        }
        let since = begun.plus(11 * 3 * HOUR);
        let (written, announced) = written.expect("the owner was written to");
        let off = off.expect("it was switched off");
        assert_eq!((written, off), (since.plus(72 * HOUR), since.plus(120 * HOUR)));
        assert_eq!(announced, off);
        let again = EndpointUpdate { disabled: Some(false), ..EndpointUpdate::default() };
        done!(stage, |tx| webhook::update(tx, &stage.who, &endpoint.id, again.clone()));
        stage.answered(&answer(500)).await;
        assert_eq!(stage.endpoint_now(&endpoint).await.status, webhook::Status::Enabled, "it begins anew");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lonely_failure_long_ago_switches_nothing_off() {
    on_both(async |stage| {
        let endpoint = stage.endpoint("seldom", &["customer.created"]).await;
        for _ in 0..2 {
            stage.customer().await;
            stage.answered(&answer(500)).await;
            stage.pass(30 * DAY);
        }
        assert_eq!(stage.endpoint_now(&endpoint).await.status, webhook::Status::Enabled);
    })
    .await;
}
