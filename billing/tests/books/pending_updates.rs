//! A change that waits for its payment.

use billing::Result;
use billing::cycle::{self, Step};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::subscription::create::PaymentBehavior;
use billing::subscription::pause::{self, Pause};
use billing::subscription::{
    self, Anchor, ItemChange, ProrationBehavior, Status, Subscription, SubscriptionUpdate, Updated, cancel, pending,
    scheduled,
};

use crate::support::{DAY, HOUR, Stage, change, done, kind, on_both, refused};

const METHODS: [&str; 2] = ["pm_card_chargeDeclined", "pm_card_authenticationRequired"];

fn update(subscription: &Subscription, quantity: i64) -> SubscriptionUpdate {
    SubscriptionUpdate {
        items: vec![ItemChange {
            id: Some(subscription.items[0].id.clone()),
            quantity: Some(quantity),
            ..ItemChange::default()
        }],
        proration_behavior: Some(ProrationBehavior::AlwaysInvoice),
        payment_behavior: Some(PaymentBehavior::PendingIfIncomplete),
        ..SubscriptionUpdate::default()
    }
}

async fn ask(stage: &Stage, id: &str, update: SubscriptionUpdate) -> Result<Updated> {
    change!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()))
}

/// Asks for three where there is one, half-way through the first day, and charges as the door does.
async fn pending_with(stage: &Stage, method: &str) -> (Subscription, Invoice) {
    let subscription = stage.active().await;
    let customer = stage.customer_named(&subscription.customer).await;
    let method = stage.method(&customer, method).await;
    stage.set_default(&customer, &method).await;
    stage.pass(HOUR);
    let updated = ask(stage, &subscription.id, update(&subscription, 3)).await.unwrap();
    assert!(updated.collect);
    let invoice = stage.collect(&updated.invoice.unwrap()).await.unwrap();
    (stage.subscription(&subscription.id).await, invoice)
}

async fn repair(stage: &Stage, subscription: &Subscription) {
    let customer = stage.customer_named(&subscription.customer).await;
    let good = stage.method(&customer, "pm_card_visa").await;
    stage.set_default(&customer, &good).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn until_it_is_paid_the_old_plan_goes_on() {
    on_both(async |stage| {
        for method in METHODS {
            let (waiting, invoice) = pending_with(stage, method).await;
            assert_eq!((waiting.status, waiting.items[0].quantity), (Status::Active, 1));
            assert_eq!((invoice.status, invoice.attempted), (InvoiceStatus::Open, true));
            assert_eq!(waiting.latest_invoice.as_ref(), Some(&invoice.id));
            assert_eq!(waiting.pending_update_expires_at, Some(stage.now().plus(23 * HOUR)));
            assert_eq!(waiting.next_due, waiting.pending_update_expires_at);
            let pending = waiting.pending_update.clone().unwrap();
            assert_eq!((&pending.invoice, pending.items[0].quantity), (&invoice.id, 3));

            repair(stage, &waiting).await;
            stage.collect(&invoice).await.unwrap();
            let after = stage.subscription(&waiting.id).await;
            assert_eq!((after.items[0].quantity, after.items[0].id.as_str()), (3, waiting.items[0].id.as_str()));
            assert_eq!((after.pending_update, after.pending_update_expires_at), (None, None));
            assert_eq!((after.status, after.current_period_end), (Status::Active, waiting.current_period_end));
            let told = stage.last_event(&waiting.id).await;
            assert_eq!(told.r#type, "customer.subscription.pending_update_applied");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_at_once_takes_effect_at_once() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let updated = ask(stage, &subscription.id, update(&subscription, 3)).await.unwrap();
        let invoice = updated.invoice.unwrap();
        assert_eq!(invoice.amount_due, 2000);
        assert_eq!(stage.subscription(&subscription.id).await.items[0].quantity, 1);
        stage.collect(&invoice).await.unwrap();
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.items[0].quantity, after.pending_update), (3, None));
        // One that costs nothing now waits for nothing.
        let fewer = ask(stage, &subscription.id, update(&subscription, 2)).await.unwrap();
        assert_eq!((fewer.subscription.items[0].quantity, fewer.collect), (2, false));
        let later = SubscriptionUpdate {
            proration_behavior: Some(ProrationBehavior::CreateProrations),
            ..update(&subscription, 9)
        };
        assert_eq!(ask(stage, &subscription.id, later).await.unwrap().subscription.items[0].quantity, 9);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_period_that_waits_begins_when_it_was_asked_for() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        stage.pass(10 * DAY);
        let asked = stage.now();
        let anew = SubscriptionUpdate { billing_cycle_anchor: Some(Anchor::Now), ..update(&subscription, 2) };
        let updated = ask(stage, &subscription.id, anew).await.unwrap();
        assert_eq!(updated.subscription.current_period_end, subscription.current_period_end);
        stage.pass(HOUR);
        stage.collect(&updated.invoice.unwrap()).await.unwrap();
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.billing_cycle_anchor, after.current_period_start, after.cycle), (asked, asked, 0));
        assert_eq!((after.items[0].quantity, after.items[0].current_period_start), (2, asked));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_23_hours_it_is_dropped_and_nothing_is_owed() {
    on_both(async |stage| {
        let (waiting, invoice) = pending_with(stage, "pm_card_chargeDeclined").await;
        let id = &waiting.id;
        stage.pass(23 * HOUR - 1);
        assert!(matches!(done!(stage, |tx| cycle::advance(tx, &stage.system(), id)), Step::Waiting));
        stage.pass(1);
        assert!(matches!(done!(stage, |tx| cycle::advance(tx, &stage.system(), id)), Step::Dropped));
        let after = stage.subscription(id).await;
        assert_eq!((after.status, after.items[0].quantity, after.pending_update.clone()), (Status::Active, 1, None));
        assert_ne!(after.latest_invoice.as_ref(), Some(&invoice.id), "the one before it is the latest again");
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Void);
        assert_eq!(stage.last_event(id).await.r#type, "customer.subscription.pending_update_expired");
        repair(stage, &after).await;
        assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "invoice_not_open");
        stage.go_to(after.current_period_end);
        let Step::Billed(next) = done!(stage, |tx| cycle::advance(tx, &stage.system(), id)) else { panic!("renews") };
        assert_eq!(next.total, 1000, "at the old price, and without what was not bought");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_one_at_a_time_and_it_can_be_dropped() {
    on_both(async |stage| {
        let (waiting, invoice) = pending_with(stage, "pm_card_chargeDeclined").await;
        let id = &waiting.id;
        let second = ask(stage, id, update(&waiting, 5)).await.unwrap_err();
        let plain = SubscriptionUpdate { payment_behavior: None, ..update(&waiting, 5) };
        let plain = ask(stage, id, plain).await.unwrap_err();
        let items = update(&waiting, 5).items;
        let later = refused!(stage, |tx| scheduled::schedule(tx, &stage.who, id, &items));
        let paused = refused!(stage, |tx| pause::pause(tx, &stage.who, id, Pause::default()));
        for error in [second, plain, later, paused] {
            assert_eq!(kind(&error), "subscription_pending_update");
        }
        assert_eq!(stage.subscription(id).await, waiting);
        let described = SubscriptionUpdate {
            description: billing::Patch::Set("Still here".into()),
            ..SubscriptionUpdate::default()
        };
        ask(stage, id, described).await.unwrap();

        let free = done!(stage, |tx| pending::drop_update(tx, &stage.who, id));
        assert_eq!((free.pending_update.clone(), free.items[0].quantity), (None, 1));
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Void);
        assert_eq!(done!(stage, |tx| pending::drop_update(tx, &stage.who, id)), free);
        let error = refused!(stage, |tx| pending::drop_update(tx, &stage.stranger, id));
        assert_eq!(kind(&error), "missing");
        repair(stage, &free).await;
        let again = ask(stage, id, update(&free, 5)).await.unwrap();
        stage.collect(&again.invoice.unwrap()).await.unwrap();
        assert_eq!(stage.subscription(id).await.items[0].quantity, 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_always_works_and_takes_it_along() {
    on_both(async |stage| {
        let (waiting, invoice) = pending_with(stage, "pm_card_chargeDeclined").await;
        let flag = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        assert!(ask(stage, &waiting.id, flag).await.unwrap().subscription.cancel_at_period_end);
        let gone = done!(stage, |tx| cancel::now(tx, &stage.who, &waiting.id, None, None));
        assert_eq!((gone.status, gone.pending_update, gone.next_due), (Status::Canceled, None, None));
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Void);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_else_a_change_says_cannot_wait_with_it() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let both = SubscriptionUpdate { cancel_at_period_end: Some(true), ..update(&subscription, 3) };
        assert_eq!(kind(&ask(stage, &subscription.id, both).await.unwrap_err()), "parameter_invalid");
        assert_eq!(stage.subscription(&subscription.id).await, subscription);
    })
    .await;
}
