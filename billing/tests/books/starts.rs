//! How subscriptions start: with things billed once, at an anchor of their own, with an end.

use billing::catalog::Price;
use billing::period::{Interval, Recurring};
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::{
    AddedItem, ItemChange, NewSubscription, ProrationBehavior, Status, Subscription, SubscriptionUpdate,
};
use billing::{Patch, Seconds, subscription};

use crate::support::{DAY, HOUR, Stage, at, done, on_both, plan};

/// Starts 24.95 a month at an instant, with whole periods from the 25th on, and answers what that costs at first.
async fn stub(stage: &Stage, start: &str, anchor: &str) -> (i64, Subscription) {
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

/// What one that is made on 16 April bills, a month at 10.00, where it began on another day.
async fn since(
    stage: &Stage,
    start: &str,
    anchor: Option<&str>,
    behavior: ProrationBehavior,
) -> (Subscription, Vec<i64>) {
    stage.go_to(at("2026-04-16"));
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
    let new = NewSubscription {
        backdate_start_date: Some(at(start)),
        billing_cycle_anchor: anchor.map(at),
        proration_behavior: behavior,
        ..plan(&customer, &price)
    };
    let started = stage.subscribe(new).await;
    assert_eq!((started.status, started.start_date, started.created), (Status::Active, at(start), stage.now()));
    let invoice = stage.invoice(started.latest_invoice.as_ref().unwrap()).await;
    let ends = invoice.lines.windows(2).all(|two| two[0].period_end == two[1].period_start);
    assert!(ends, "no gap and no overlap");
    let is_billed = behavior != ProrationBehavior::None;
    assert_eq!(invoice.lines[0].period_start, if is_billed { at(start) } else { started.current_period_start });
    (started, invoice.lines.iter().map(|line| line.amount).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_have_begun_in_the_past() {
    on_both(async |stage| {
        let (bill, free) = (ProrationBehavior::CreateProrations, ProrationBehavior::None);
        // 14 of the 28 days from 16 February, a whole month, and the one that begins.
        let (started, billed) = since(stage, "2026-03-02", None, bill).await;
        assert_eq!((started.billing_cycle_anchor, billed), (stage.now(), vec![500, 1000, 1000]));
        assert_eq!(started.current_period_start, stage.now());
        let (started, billed) = since(stage, "2026-03-01", Some("2026-05-01"), bill).await;
        assert_eq!((started.current_period_start, billed), (at("2026-04-01"), vec![1000, 1000]));
        // What is billed for April is given back as always.
        let two = SubscriptionUpdate {
            items: vec![ItemChange {
                id: Some(started.items[0].id.clone()),
                quantity: Some(2),
                ..ItemChange::default()
            }],
            proration_behavior: Some(ProrationBehavior::AlwaysInvoice),
            ..SubscriptionUpdate::default()
        };
        let changed = done!(stage, |tx| subscription::update::update(tx, &stage.who, &started.id, two.clone()));
        let amounts: Vec<i64> = changed.invoice.unwrap().lines.iter().map(|line| line.amount).collect();
        assert_eq!(amounts, [-500, 1000]);
        let (started, billed) = since(stage, "2026-04-10", Some("2026-05-01"), bill).await;
        assert_eq!((started.current_period_start, billed), (at("2026-04-10"), vec![700]));
        let (started, billed) = since(stage, "2026-03-01", None, free).await;
        assert_eq!((started.current_period_start, billed), (stage.now(), vec![1000]));
        let (started, billed) = since(stage, "2026-03-01", Some("2026-05-01"), free).await;
        assert_eq!((started.current_period_start, billed), (at("2026-04-01"), vec![0]));
        stage.go_to(at("2026-05-01"));
        done!(stage, |tx| billing::cycle::advance(tx, &stage.system(), &started.id));
        let next = stage.subscription(&started.id).await;
        assert_eq!((next.cycle, next.current_period_end), (0, at("2026-06-01")));
        assert_eq!(stage.invoice(next.latest_invoice.as_ref().unwrap()).await.total, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_back_it_begins_has_its_bounds() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let daily = stage.price_of(&stage.who, 10, Some(Recurring { interval: Interval::Day, count: 1 })).await;
        let start = |price: &Price, date: Seconds| NewSubscription {
            backdate_start_date: Some(date),
            ..plan(&customer, price)
        };
        let day = |n: i64| stage.now().plus(-n * DAY);
        let on_trial = NewSubscription { trial: Trial::Days(7), ..start(&price, day(1)) };
        for wrong in [start(&price, stage.now().plus(1)), start(&daily, day(250)), on_trial] {
            assert_eq!(stage.create_refused(wrong).await, "backdate_start_date");
        }
        let most = stage.create(start(&daily, day(249))).await;
        assert_eq!((most.invoice.lines.len(), most.invoice.total), (250, 2500));
        // It has its 23 hours all the same.
        assert_eq!(most.subscription.next_due, Some(stage.now().plus(23 * HOUR)));
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
