//! Canceling: at the end of the period, which can be undone, and at once, which cannot.

use billing::invoice::Status as InvoiceStatus;
use billing::subscription::{self, CollectionMethod, Feedback, NewSubscription, Status, SubscriptionUpdate};
use billing::{Error, Patch};

use crate::support::{at, done, field, on_both, plan, refused};

fn flag(on: bool) -> SubscriptionUpdate {
    SubscriptionUpdate { cancel_at_period_end: Some(on), ..SubscriptionUpdate::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_is_set_once_and_can_be_taken_back() {
    on_both(async |stage| {
        let before = stage.active().await;
        let update = SubscriptionUpdate {
            feedback: Patch::Set(Feedback::TooExpensive),
            comment: Patch::Set("Too much".into()),
            ..flag(true)
        };
        stage.pass(60);
        let set =
            done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, update.clone())).subscription;
        assert_eq!((set.status, set.cancel_at_period_end), (Status::Active, true));
        assert_eq!((set.cancel_at, set.canceled_at), (Some(at("2026-02-28")), Some(stage.now())));
        let details = &set.cancellation_details;
        assert_eq!((details.feedback, details.comment.as_deref()), (Some(Feedback::TooExpensive), Some("Too much")));
        let said = stage.events_of(&before.id).await;
        let scheduled = ["customer.subscription.updated", "subscription.cancellation_scheduled"];
        assert!(said.ends_with(&scheduled.map(String::from)), "{said:?}");

        stage.pass(60);
        let again =
            done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, flag(true))).subscription;
        assert_eq!(again, set);
        assert_eq!(stage.events_of(&before.id).await, said);

        let undone =
            done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, flag(false))).subscription;
        assert_eq!(undone, subscription::Subscription { version: undone.version, ..before.clone() });
        let again =
            done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, flag(false))).subscription;
        assert_eq!(again, undone);
        assert_eq!(stage.events_of(&before.id).await.len(), said.len() + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_at_once_is_final_and_said_once() {
    on_both(async |stage| {
        let before = stage.active().await;
        stage.pass(3600);
        let cancel = || (Some(Feedback::Unused), Some("Bye".to_owned()));
        let (feedback, comment) = cancel();
        let ended = done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &before.id, feedback, comment.clone()));
        assert_eq!((ended.status, ended.ended_at), (Status::Canceled, Some(stage.now())));
        assert_eq!((ended.canceled_at, ended.next_due), (Some(stage.now()), None));
        assert_eq!(ended.cancellation_details.reason.as_deref(), Some("cancellation_requested"));
        assert_eq!(ended.cancellation_details.comment.as_deref(), Some("Bye"));
        assert_eq!(ended, stage.subscription(&before.id).await);

        stage.pass(60);
        let again = done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &before.id, None, None));
        assert_eq!(again, ended);
        let said = stage.events_of(&before.id).await;
        assert_eq!(said.iter().filter(|e| *e == "customer.subscription.deleted").count(), 1);
        assert_eq!(said.last().unwrap(), "customer.subscription.deleted");

        for update in [flag(true), flag(false)] {
            let error = refused!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, update.clone()));
            assert_eq!(field(&error), "id");
        }
        let late = SubscriptionUpdate {
            feedback: Patch::Set(Feedback::Other),
            metadata: Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()),
            ..SubscriptionUpdate::default()
        };
        let after =
            done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, late.clone())).subscription;
        assert_eq!((after.status, after.cancellation_details.feedback), (Status::Canceled, Some(Feedback::Other)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_early_keeps_what_was_said_when_it_was_scheduled() {
    on_both(async |stage| {
        let before = stage.active().await;
        let update = SubscriptionUpdate { feedback: Patch::Set(Feedback::LowQuality), ..flag(true) };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, update.clone()));
        stage.pass(60);
        let ended = done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &before.id, None, None));
        assert_eq!(ended.cancellation_details.feedback, Some(Feedback::LowQuality));
        assert_eq!((ended.cancel_at_period_end, ended.canceled_at), (false, Some(stage.now())));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_invoices_of_an_ended_subscription_are_no_longer_collected_by_themselves() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(30),
            ..plan(&customer, &price)
        };
        let created = stage.create(new).await;
        assert!(created.invoice.auto_advance);
        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, &created.subscription.id, None, None));
        let invoice = stage.invoice(&created.invoice.id).await;
        assert_eq!((invoice.status, invoice.auto_advance), (InvoiceStatus::Open, false));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_has_an_end_too() {
    on_both(async |stage| {
        let before = stage.active().await;
        let long = "x".repeat(5001);
        let comment = Some(long.clone());
        let error = refused!(stage, |tx| subscription::cancel::now(tx, &stage.who, &before.id, None, comment.clone()));
        assert_eq!(field(&error), "cancellation_details[comment]");
        let update = SubscriptionUpdate { comment: Patch::Set(long.clone()), ..flag(true) };
        let error = refused!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, update.clone()));
        assert_eq!(field(&error), "cancellation_details[comment]");
        let error = refused!(stage, |tx| subscription::cancel::now(tx, &stage.who, "sub_no", None, None));
        assert!(matches!(error, Error::Missing { object: "subscription", .. }));
        assert_eq!(stage.subscription(&before.id).await, before);
    })
    .await;
}
