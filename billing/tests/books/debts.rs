//! Credit for what was never paid: it settles what is owed, and is nobody's money.

use billing::customer::balance;
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::subscription::cancel::{self, Cancellation};
use billing::subscription::pause::{Invoicing, Pause, UnusedTime};
use billing::subscription::{CollectionMethod, NewSubscription, Status, Subscription, pause};
use billing::{Actor, invoice, payment};

use crate::changes::{HALF, amounts, apply, at_once, count, step, switch, waiting};
use crate::support::{Stage, at, done, kind, on_both, plan, refused, seen};

/// One who has been sent an invoice over 100.00 for April and has not paid it.
async fn who_owes(stage: &Stage) -> Subscription {
    stage.go_to(at("2026-04-01"));
    let (customer, price) = (stage.customer().await, stage.price(10_000).await);
    let sent = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(30),
        ..plan(&customer, &price)
    };
    stage.subscribe(sent).await
}

/// One who has paid 100.00 for April, and whose card is declined from now on.
async fn whose_card_is_bad_now(stage: &Stage) -> Subscription {
    stage.go_to(at("2026-04-01"));
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(10_000).await);
    let subscription = stage.subscribe(plan(&customer, &price)).await;
    let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
    stage.set_default(&customer, &bad).await;
    subscription
}

async fn credit(stage: &Stage, subscription: &Subscription) -> i64 {
    seen!(stage, |tx| balance::of(tx, &stage.who, &subscription.customer, &stage.eur()))
}

async fn first(stage: &Stage, subscription: &Subscription) -> Invoice {
    stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await
}

/// To 10.00 at half: -50.00 and 5.00.
async fn down(stage: &Stage, before: &Subscription) -> Subscription {
    let cheap = stage.price(1000).await;
    stage.pass(HALF);
    let (after, made) = apply(stage, &before.id, at_once(switch(before, &cheap))).await;
    let made = made.unwrap();
    assert_eq!((amounts(&made), made.total, made.status), (vec![-5000, 500], -4500, InvoiceStatus::Paid));
    after
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dear_plan_unpaid_then_a_cheap_one_leaves_no_credit() {
    on_both(async |stage| {
        let before = who_owes(stage).await;
        let open = first(stage, &before).await;
        down(stage, &before).await;
        let lowered = stage.invoice(&open.id).await;
        assert_eq!((lowered.status, lowered.amount_due, lowered.total), (InvoiceStatus::Open, 5500, 10_000));
        assert_eq!(credit(stage, &before).await, 0);
        assert_eq!(stage.events_of(&open.id).await.last().unwrap(), "invoice.updated");
        // Of the cheap one, nothing was paid either.
        let cancellation = Cancellation { prorate: true, invoice_now: true, ..Cancellation::default() };
        done!(stage, |tx| cancel::at_once(tx, &stage.who, &before.id, cancellation.clone()));
        assert_eq!((stage.invoice(&open.id).await.amount_due, credit(stage, &before).await), (5000, 0));
        // What was used is still owed, and can be paid.
        let now = stage.now();
        done!(stage, |tx| invoice::pay_out_of_band(tx, &stage.who, &open.id, now));
        assert_eq!((stage.invoice(&open.id).await.amount_paid, credit(stage, &before).await), (5000, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_that_waits_does_not_outlive_a_debt() {
    on_both(async |stage| {
        for prorate in [false, true] {
            let before = who_owes(stage).await;
            let (open, cheap) = (first(stage, &before).await, stage.price(1000).await);
            stage.pass(HALF);
            apply(stage, &before.id, switch(&before, &cheap)).await;
            assert_eq!(waiting(stage, &before).await, [-5000, 500]);
            let cancellation = Cancellation { prorate, ..Cancellation::default() };
            let ended = done!(stage, |tx| cancel::at_once(tx, &stage.who, &before.id, cancellation.clone()));
            let left = if prorate { 5000 } else { 5500 };
            assert_eq!((ended.subscription.status, ended.collect), (Status::Canceled, false));
            assert_eq!((stage.invoice(&open.id).await.amount_due, credit(stage, &before).await), (left, 0));
            assert!(waiting(stage, &before).await.is_empty());
            stage.go_to(at("2026-03-01"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_period_it_ends_the_same() {
    on_both(async |stage| {
        let before = who_owes(stage).await;
        let (open, cheap) = (first(stage, &before).await, stage.price(1000).await);
        stage.pass(HALF);
        apply(stage, &before.id, switch(&before, &cheap)).await;
        stage.go_to(at("2026-05-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!((amounts(&next), next.total), (vec![-5000, 500, 1000], -3500));
        assert_eq!((stage.invoice(&open.id).await.amount_due, credit(stage, &before).await), (6500, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_settled_whole_is_paid_and_what_is_beyond_it_is_credit() {
    on_both(async |stage| {
        let before = whose_card_is_bad_now(stage).await;
        stage.pass(HALF);
        let (behind, up) = apply(stage, &before.id, at_once(count(&before, 2))).await;
        assert_eq!((behind.status, up.as_ref().unwrap().amount_due), (Status::PastDue, 5000));
        let (after, down) = apply(stage, &before.id, at_once(count(&behind, 0))).await;
        assert_eq!((amounts(&down.unwrap()), credit(stage, &before).await), (vec![-10_000], -5000));
        let up = stage.invoice(&up.unwrap().id).await;
        assert_eq!((up.status, up.amount_due, up.amount_paid), (InvoiceStatus::Paid, 0, 0));
        assert_eq!(after.status, Status::Active, "nothing is owed any more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_gives_back_to_what_is_owed() {
    on_both(async |stage| {
        let before = whose_card_is_bad_now(stage).await;
        let (_, up) = apply(stage, &before.id, at_once(count(&before, 2))).await;
        assert_eq!(up.as_ref().unwrap().amount_due, 10_000);
        stage.pass(HALF);
        let (_, more) = apply(stage, &before.id, at_once(count(&before, 1))).await;
        assert_eq!(amounts(&more.unwrap()), [-10_000, 5000]);
        assert_eq!(stage.invoice(&up.as_ref().unwrap().id).await.amount_due, 5000);
        let how = Pause { unused_time_from: UnusedTime::Now, invoicing: Invoicing::Invoice, ..Pause::default() };
        let paused = done!(stage, |tx| pause::pause(tx, &stage.who, &before.id, how));
        assert_eq!(paused.status, Status::Paused);
        let up = stage.invoice(&up.unwrap().id).await;
        assert_eq!((up.amount_due, credit(stage, &before).await), (0, 0), "half of what was paid was used");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_is_being_charged_nothing_settles_it() {
    on_both(async |stage| {
        let before = who_owes(stage).await;
        let (open, cheap) = (first(stage, &before).await, stage.price(1000).await);
        let customer = stage.customer_named(&before.customer).await;
        let card = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &card).await;
        let who: &Actor = &stage.who;
        let attempt = done!(stage, |tx| payment::begin(tx, who, &open.id, "sandbox"));
        stage.pass(HALF);
        let down = at_once(switch(&before, &cheap));
        let error = refused!(stage, |tx| billing::subscription::update::update(tx, who, &before.id, down.clone()));
        assert_eq!(kind(&error), "busy");
        let declined = billing::gateway::Outcome::Declined { reference: "r".into(), code: "generic_decline".into() };
        done!(stage, |tx| payment::settle(tx, who, &attempt, &declined));
        apply(stage, &before.id, down).await;
        assert_eq!((stage.invoice(&open.id).await.amount_due, credit(stage, &before).await), (5500, 0));
    })
    .await;
}
