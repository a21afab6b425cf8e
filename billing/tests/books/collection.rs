//! Pausing collection: the subscription goes on, and nobody is asked for money.

use billing::cycle::{self, Step};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::settings::{self, AfterLastAttempt, SettingsUpdate};
use billing::subscription::collection::{Behavior, PauseCollection};
use billing::subscription::{self, Status, Subscription, SubscriptionUpdate, status};
use billing::{Patch, Seconds};

use crate::support::{DAY, Stage, at, done, field, kind, on_both, refused};

async fn set(stage: &Stage, id: &str, pause: Patch<PauseCollection>) {
    let update = SubscriptionUpdate { pause_collection: pause, ..SubscriptionUpdate::default() };
    done!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
}

/// An active subscription whose invoices are not collected.
async fn held(stage: &Stage, behavior: Behavior, resumes_at: Option<Seconds>) -> Subscription {
    let subscription = stage.active().await;
    set(stage, &subscription.id, Patch::Set(PauseCollection { behavior, resumes_at })).await;
    stage.subscription(&subscription.id).await
}

async fn renew(stage: &Stage, id: &str) -> Invoice {
    match done!(stage, |tx| cycle::advance(tx, &stage.system(), id)) {
        Step::Billed(invoice) => *invoice,
        other => panic!("a period is due, and not {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invoices_go_as_far_as_is_said_and_nobody_is_behind() {
    on_both(async |stage| {
        let cases = [
            (Behavior::KeepAsDraft, InvoiceStatus::Draft, "invoice.created"),
            (Behavior::MarkUncollectible, InvoiceStatus::Uncollectible, "invoice.marked_uncollectible"),
            (Behavior::Void, InvoiceStatus::Void, "invoice.voided"),
        ];
        for (behavior, state, event) in cases {
            let subscription = held(stage, behavior, None).await;
            stage.go_to(subscription.current_period_end);
            let invoice = renew(stage, &subscription.id).await;
            assert_eq!((invoice.status, invoice.total, invoice.auto_advance), (state, 1000, false));
            assert_eq!(invoice.number.is_none(), state == InvoiceStatus::Draft);
            assert_eq!(invoice, stage.invoice(&invoice.id).await);
            assert_eq!(stage.events_of(&invoice.id).await.last().unwrap(), event);
            let after = stage.subscription(&subscription.id).await;
            assert_eq!((after.status, after.latest_invoice), (Status::Active, Some(invoice.id)));
        }
        assert_eq!(stage.captured().await, 3000, "only what was paid when they began");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn collection_resumes_on_its_day_and_when_it_is_told_to() {
    on_both(async |stage| {
        let back = at("2026-03-15");
        let subscription = held(stage, Behavior::Void, Some(back)).await;
        let id = &subscription.id;
        stage.go_to(at("2026-02-28"));
        assert_eq!(renew(stage, id).await.status, InvoiceStatus::Void);
        assert_eq!(stage.subscription(id).await.next_due, Some(back));
        stage.go_to(at("2026-04-01"));
        assert!(matches!(done!(stage, |tx| cycle::advance(tx, &stage.system(), id)), Step::Collecting));
        let after = stage.subscription(id).await;
        assert_eq!((after.pause_collection, after.status), (None, Status::Active));
        assert_eq!(stage.last_event(id).await.r#type, "customer.subscription.updated");
        assert_eq!(renew(stage, id).await.status, InvoiceStatus::Open);

        let other = held(stage, Behavior::Void, None).await;
        set(stage, &other.id, Patch::Clear).await;
        stage.go_to(other.current_period_end);
        assert_eq!(renew(stage, &other.id).await.status, InvoiceStatus::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_past_is_refused_and_so_is_what_has_ended() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        let pause = PauseCollection { behavior: Behavior::Void, resumes_at: Some(stage.now()) };
        let update = SubscriptionUpdate { pause_collection: Patch::Set(pause), ..SubscriptionUpdate::default() };
        let error = refused!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
        assert_eq!(field(&error), "pause_collection[resumes_at]");
        done!(stage, |tx| subscription::cancel::now(tx, &stage.who, id, None, None));
        let error = refused!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
        assert_eq!(kind(&error), "parameter_invalid");
        assert_eq!(stage.subscription(id).await.pause_collection, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_what_is_unpaid_no_more_is_asked_for() {
    on_both(async |stage| {
        let update = SettingsUpdate { after_last_attempt: Some(AfterLastAttempt::Unpaid), ..SettingsUpdate::default() };
        done!(stage, |tx| settings::update(tx, &stage.who, update.clone()));
        let subscription = stage.active().await;
        let customer = stage.customer_named(&subscription.customer).await;
        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        stage.go_to(subscription.current_period_end);
        let invoice = renew(stage, &subscription.id).await;
        stage.collect(&invoice).await.unwrap();
        stage.pass(DAY);
        let unpaid = done!(stage, |tx| status::give_up(tx, &stage.system(), &subscription.id, stage.now()));
        stage.go_to(unpaid.current_period_end);
        let next = renew(stage, &subscription.id).await;
        assert_eq!((next.status, next.auto_advance, next.attempted), (InvoiceStatus::Draft, false, false));
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Unpaid);
    })
    .await;
}
