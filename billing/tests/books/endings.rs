//! How subscriptions end: with credit for what was paid, a last invoice, at a day that is set.

use billing::Patch;
use billing::invoice::Status as InvoiceStatus;
use billing::subscription::cancel::{self, Cancellation};
use billing::subscription::{CollectionMethod, NewSubscription, Status, SubscriptionUpdate};

use crate::changes::{HALF, amounts, apply, count, refusal, since_april, step, waiting};
use crate::support::{at, done, field, on_both, plan};

#[tokio::test(flavor = "multi_thread")]
async fn canceling_gives_back_what_was_paid_where_that_is_asked() {
    on_both(async |stage| {
        for invoice_now in [false, true] {
            let before = since_april(stage, |new| new).await;
            stage.pass(HALF);
            let cancellation = Cancellation { prorate: true, invoice_now, ..Cancellation::default() };
            let ended = done!(stage, |tx| cancel::at_once(tx, &stage.who, &before.id, cancellation.clone()));
            assert_eq!((ended.subscription.status, ended.collect), (Status::Canceled, false));
            let again = done!(stage, |tx| cancel::at_once(tx, &stage.who, &before.id, cancellation.clone()));
            assert_eq!((again.subscription, again.invoice), (ended.subscription.clone(), None));
            match ended.invoice {
                None => assert_eq!(waiting(stage, &before).await, [-500]),
                Some(made) => {
                    assert_eq!((amounts(&made), made.amount_due, made.status), (vec![-500], 0, InvoiceStatus::Paid));
                    assert_eq!(ended.subscription.latest_invoice, Some(made.id));
                }
            }
            assert_eq!(
                stage.events_of(&before.id).await.iter().filter(|e| *e == "customer.subscription.deleted").count(),
                1
            );
            stage.go_to(at("2026-03-01"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_gives_back_nothing_that_was_not_paid() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let sent = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(30),
            ..plan(&customer, &price)
        };
        let before = stage.subscribe(sent).await;
        stage.pass(HALF);
        let cancellation = Cancellation { prorate: true, ..Cancellation::default() };
        let ended = done!(stage, |tx| cancel::at_once(tx, &stage.who, &before.id, cancellation.clone()));
        assert!(ended.invoice.is_none() && waiting(stage, &before).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_is_billed_when_the_last_period_ends() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(HALF);
        apply(stage, &before.id, count(&before, 2)).await;
        let flag = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        apply(stage, &before.id, flag).await;
        assert_eq!(waiting(stage, &before).await, [-500, 1000]);
        stage.go_to(at("2026-05-01"));
        let last = step(stage, &before.id).await.unwrap();
        assert_eq!((amounts(&last), last.amount_paid), (vec![-500, 1000], 500));
        let after = stage.subscription(&before.id).await;
        assert_eq!((after.status, after.latest_invoice), (Status::Canceled, Some(last.id)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_is_set_moved_and_taken_back() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let end = |cancel_at| SubscriptionUpdate { cancel_at, ..SubscriptionUpdate::default() };
        let day = at("2026-06-15");
        let (after, _) = apply(stage, &before.id, end(Patch::Set(day))).await;
        assert_eq!(
            (after.cancel_at, after.cancel_at_period_end, after.canceled_at),
            (Some(day), false, Some(stage.now()))
        );
        assert_eq!(field(&refusal(stage, &before.id, end(Patch::Set(stage.now()))).await), "cancel_at");
        let both = SubscriptionUpdate { cancel_at_period_end: Some(true), ..end(Patch::Set(day)) };
        assert_eq!(field(&refusal(stage, &before.id, both).await), "cancel_at");
        let (after, _) = apply(stage, &before.id, end(Patch::Clear)).await;
        assert_eq!((after.cancel_at, after.canceled_at), (None, None));
        assert_eq!(after.cancellation_details, before.cancellation_details);
    })
    .await;
}
