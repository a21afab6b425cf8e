//! How subscriptions start: with things billed once, at an anchor of their own, with an end.

use billing::subscription::create::PaymentBehavior;
use billing::subscription::{AddedItem, NewSubscription, ProrationBehavior, Status};
use billing::{Patch, Seconds, subscription};

use crate::support::{Stage, at, done, on_both, plan};

/// Starts 24.95 a month at an instant, with whole periods from the 25th on, and answers what that costs at first.
async fn stub(stage: &Stage, start: &str, anchor: &str) -> (i64, subscription::Subscription) {
    stage.go_to(at(&format!("{start} 00:00")));
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(2495).await);
    let anchor: Seconds = at(&format!("{anchor} 00:00"));
    let started =
        stage.subscribe(NewSubscription { billing_cycle_anchor: Some(anchor), ..plan(&customer, &price) }).await;
    assert_eq!((started.status, started.current_period_end, started.cycle), (Status::Active, anchor, -1));
    let invoice = stage.invoice(started.latest_invoice.as_ref().unwrap()).await;
    assert_eq!((invoice.amount_paid, invoice.lines[0].proration), (invoice.total, true));
    assert_eq!((invoice.lines[0].period_start, invoice.lines[0].period_end), (stage.now(), anchor));
    (invoice.total, started)
}

/// Kill Bill's documentation on bill days.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_before_the_anchor_is_prorated() {
    on_both(async |stage| {
        assert_eq!(stub(stage, "2021-09-16", "2021-09-25").await.0, 724);
        assert_eq!(stub(stage, "2021-09-17", "2021-09-25").await.0, 644);
        let (first, started) = stub(stage, "2021-09-30", "2021-10-25").await;
        assert_eq!(first, 2079);
        stage.go_to(at("2021-10-25 00:00"));
        done!(stage, |tx| billing::cycle::advance(tx, &stage.system(), &started.id));
        let next = stage.subscription(&started.id).await;
        assert_eq!((next.cycle, next.current_period_end), (0, at("2021-11-25 00:00")));
        assert_eq!(stage.invoice(next.latest_invoice.as_ref().unwrap()).await.total, 2495);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_before_the_anchor_may_be_free() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(2495).await);
        let new = NewSubscription {
            billing_cycle_anchor: Some(stage.now().plus(86_400)),
            proration_behavior: ProrationBehavior::None,
            ..plan(&customer, &price)
        };
        let created = stage.create(new.clone()).await;
        assert_eq!((created.invoice.total, created.subscription.status), (0, Status::Active));
        for anchor in [stage.now().plus(-1), at("2026-03-01")] {
            let wrong = NewSubscription { billing_cycle_anchor: Some(anchor), ..new.clone() };
            assert_eq!(stage.create_refused(wrong).await, "billing_cycle_anchor");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_added_is_billed_once() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let setup = stage.price_of(&stage.who, 250, None).await;
        let added = AddedItem {
            price: setup.id,
            price_data: None,
            quantity: Some(2),
            tax_rates: Vec::new(),
            metadata: Patch::Keep,
        };
        let new = NewSubscription { add_invoice_items: vec![added.clone()], ..plan(&customer, &price) };
        let started = stage.subscribe(new.clone()).await;
        let first = stage.invoice(started.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(first.lines.iter().map(|line| line.amount).collect::<Vec<_>>(), [1000, 500]);
        assert_eq!((first.lines[1].subscription_item.as_ref(), first.amount_paid), (None, 1500));
        stage.go_to(at("2026-02-28"));
        done!(stage, |tx| billing::cycle::advance(tx, &stage.system(), &started.id));
        let next = stage.subscription(&started.id).await.latest_invoice.unwrap();
        assert_eq!(stage.invoice(&next).await.total, 1000);

        let wrong = AddedItem { price: price.id.clone(), ..added.clone() };
        let wrong = NewSubscription { add_invoice_items: vec![added, wrong], ..new };
        assert_eq!(stage.create_refused(wrong).await, "add_invoice_items[1][price]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_must_be_paid_for_is_taken_back() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let new = NewSubscription { payment_behavior: PaymentBehavior::ErrorIfIncomplete, ..plan(&customer, &price) };
        let started = stage.subscribe(new).await;
        let first = started.latest_invoice.clone().unwrap();
        let refused = done!(stage, |tx| subscription::withdraw::withdraw(tx, &stage.who, &first));
        assert!(matches!(refused, Some(billing::Error::Declined { .. })));
        let after = stage.subscription(&started.id).await;
        assert_eq!(after.status, Status::IncompleteExpired);
        let invoice = stage.invoice(after.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(invoice.status, billing::invoice::Status::Void);
    })
    .await;
}
