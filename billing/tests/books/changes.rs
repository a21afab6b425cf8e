//! Changes of running subscriptions: what they give back, what they ask for, and when.

use billing::catalog::Price;
use billing::cycle::{self, Step};
use billing::invoice::{self, Invoice, Status as InvoiceStatus, item};
use billing::period::{Interval, Recurring};
use billing::subscription::create::PaymentBehavior;
use billing::subscription::update::{Updated, update};
use billing::subscription::{
    Anchor, CollectionMethod, ItemChange, NewItem, NewSubscription, ProrationBehavior, Status, Subscription,
    SubscriptionUpdate, cancel,
};
use billing::{Patch, Seconds};

use crate::support::{DAY, Stage, at, change, done, field, kind, on_both, plan, refused, seen};

pub const YEARLY: Recurring = Recurring { interval: Interval::Year, count: 1 };
/// The middle of April, which has 30 days.
pub const HALF: i64 = 15 * DAY;

/// Who pays 10.00 a month from the first of April, with what else a test says.
pub async fn since_april(stage: &Stage, new: impl FnOnce(NewSubscription) -> NewSubscription) -> Subscription {
    stage.go_to(at("2026-04-01"));
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
    stage.subscribe(new(plan(&customer, &price))).await
}

pub fn switch(subscription: &Subscription, price: &Price) -> SubscriptionUpdate {
    let item = subscription.items[0].id.clone();
    let items = vec![ItemChange { id: Some(item), price: Some(price.id.clone()), ..ItemChange::default() }];
    SubscriptionUpdate { items, ..SubscriptionUpdate::default() }
}

pub fn count(subscription: &Subscription, quantity: i64) -> SubscriptionUpdate {
    let item = subscription.items[0].id.clone();
    let items = vec![ItemChange { id: Some(item), quantity: Some(quantity), ..ItemChange::default() }];
    SubscriptionUpdate { items, ..SubscriptionUpdate::default() }
}

pub fn by(behavior: ProrationBehavior, update: SubscriptionUpdate) -> SubscriptionUpdate {
    SubscriptionUpdate { proration_behavior: Some(behavior), ..update }
}

pub fn at_once(update: SubscriptionUpdate) -> SubscriptionUpdate {
    by(ProrationBehavior::AlwaysInvoice, update)
}

/// Makes the change, and collects its invoice as the door does.
pub async fn apply(stage: &Stage, id: &str, what: SubscriptionUpdate) -> (Subscription, Option<Invoice>) {
    let updated: Updated = done!(stage, |tx| update(tx, &stage.who, id, what.clone()));
    let Some(invoice) = updated.invoice else { return (updated.subscription, None) };
    if updated.collect {
        stage.collect(&invoice).await.unwrap();
    }
    (stage.subscription(id).await, Some(stage.invoice(&invoice.id).await))
}

pub async fn refusal(stage: &Stage, id: &str, what: SubscriptionUpdate) -> billing::Error {
    let before = stage.subscription(id).await;
    let error = refused!(stage, |tx| update(tx, &stage.who, id, what.clone()));
    assert_eq!(stage.subscription(id).await, before, "nothing changed");
    error
}

pub async fn waiting(stage: &Stage, subscription: &Subscription) -> Vec<i64> {
    let items =
        seen!(stage, |tx| item::waiting(tx, &stage.who, &subscription.customer, Some(subscription.id.as_str())));
    items.iter().map(|item| item.amount).collect()
}

pub fn amounts(invoice: &Invoice) -> Vec<i64> {
    invoice.lines.iter().map(|line| line.amount).collect()
}

/// Steps once, and collects what that billed.
pub async fn step(stage: &Stage, id: &str) -> Option<Invoice> {
    match done!(stage, |tx| cycle::advance(tx, &stage.system(), id)) {
        Step::Billed(invoice) => {
            if invoice.status == InvoiceStatus::Open && !invoice.attempted {
                stage.collect(&invoice).await.unwrap();
            }
            Some(stage.invoice(&invoice.id).await)
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_waits_for_the_next_invoice() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let dearer = stage.price(2000).await;
        stage.pass(HALF);
        let (after, made) = apply(stage, &before.id, switch(&before, &dearer)).await;
        assert!(made.is_none());
        assert_eq!((&after.items[0].id, &after.items[0].price.id), (&before.items[0].id, &dearer.id));
        assert_eq!(after.current_period_end, before.current_period_end);
        assert_eq!(waiting(stage, &after).await, [-500, 1000]);
        stage.go_to(at("2026-05-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!((amounts(&next), next.total, next.amount_paid), (vec![-500, 1000, 2000], 2500, 2500));
        let credit = &next.lines[0];
        assert_eq!(
            (credit.proration, credit.discountable, &credit.price),
            (true, false, &Some(before.items[0].price.id.clone()))
        );
        assert_eq!(credit.description, "Unused time on 1 × Pro after 16 Apr 2026");
        assert_eq!((credit.period_start, credit.period_end), (at("2026-04-16"), at("2026-05-01")));
        assert_eq!(waiting(stage, &after).await, [0; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_is_rounded_and_invoiced_at_once_where_that_is_asked() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let dearer = stage.price(2000).await;
        stage.pass(20 * DAY);
        let (after, made) = apply(stage, &before.id, at_once(switch(&before, &dearer))).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.total, made.amount_paid), (vec![-333, 667], 334, 334));
        assert_eq!((made.billing_reason.as_str(), made.cycle_start), ("subscription_update", None));
        assert_eq!((after.status, after.latest_invoice), (Status::Active, Some(made.id)));
        assert_eq!(stage.captured().await, 1334);
        let said = stage.events_of(&before.id).await;
        assert_eq!(said.iter().filter(|e| *e == "customer.subscription.updated").count(), 2, "paid, then changed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_in_one_second_costs_nothing() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let other = stage.price(2001).await;
        stage.pass(7 * DAY + 12_345);
        let (there, _) = apply(stage, &before.id, switch(&before, &other)).await;
        apply(stage, &before.id, switch(&there, &before.items[0].price)).await;
        let waits = waiting(stage, &before).await;
        assert_eq!((waits.len(), waits.iter().sum::<i64>()), (4, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_billed_is_not_given_back() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let dearer = stage.price(2000).await;
        stage.pass(10 * DAY);
        let (_, made) = apply(stage, &before.id, by(ProrationBehavior::None, switch(&before, &dearer))).await;
        assert!(made.is_none() && waiting(stage, &before).await.is_empty());
        stage.pass(10 * DAY);
        let (_, made) = apply(stage, &before.id, at_once(switch(&before, &before.items[0].price))).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.total, made.status), (vec![-333, 333], 0, InvoiceStatus::Paid));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_last_second_it_switches_and_costs_nothing() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let dearer = stage.price(1500).await;
        stage.go_to(before.current_period_end.plus(-1));
        let events = stage.events_of(&before.id).await.len();
        let (after, made) = apply(stage, &before.id, at_once(switch(&before, &dearer))).await;
        assert!(made.is_none() && waiting(stage, &before).await.is_empty());
        assert_eq!(after.items[0].price.id, dearer.id);
        assert_eq!(stage.events_of(&before.id).await.len(), events + 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quantities_go_up_and_down() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(HALF);
        let (_, made) = apply(stage, &before.id, at_once(count(&before, 3))).await;
        assert_eq!(amounts(&made.unwrap()), [-500, 1500]);
        let (_, made) = apply(stage, &before.id, at_once(count(&before, 2))).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.total, made.amount_due), (vec![-1500, 1000], -500, 0));
        let (after, made) = apply(stage, &before.id, at_once(count(&before, 0))).await;
        assert_eq!((amounts(&made.unwrap()), after.items[0].quantity), (vec![-1000], 0));
        stage.pass(DAY);
        let (_, made) = apply(stage, &before.id, at_once(count(&before, 1))).await;
        assert_eq!(amounts(&made.unwrap()), [467], "what was given back is not given back again");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn items_come_and_go_and_the_others_are_left_alone() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let (extra, third) = (stage.price(600).await, stage.price(300).await);
        stage.pass(HALF);
        let new = |price: &Price, quantity| ItemChange {
            price: Some(price.id.clone()),
            quantity: Some(quantity),
            ..ItemChange::default()
        };
        let items = vec![new(&extra, 2), new(&third, 1)];
        let (after, made) =
            apply(stage, &before.id, at_once(SubscriptionUpdate { items, ..SubscriptionUpdate::default() })).await;
        assert_eq!(amounts(&made.unwrap()), [600, 150]);
        assert_eq!(after.items.iter().map(|item| item.quantity).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(after.items[2].current_period_end, before.current_period_end);
        let gone = ItemChange { id: Some(before.items[0].id.clone()), deleted: true, ..ItemChange::default() };
        let items = vec![gone];
        let (after, made) =
            apply(stage, &before.id, at_once(SubscriptionUpdate { items, ..SubscriptionUpdate::default() })).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.lines[0].subscription_item.as_ref()), (vec![-500], Some(&before.items[0].id)));
        assert_eq!(after.items.iter().map(|item| &item.price.id).collect::<Vec<_>>(), [&extra.id, &third.id]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_make_no_sense_are_refused_by_name() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let (same, first) = (&before.items[0].price, before.items[0].id.clone());
        let yearly = stage.price_of(&stage.who, 9000, Some(YEARLY)).await;
        let once = stage.price_of(&stage.who, 9000, None).await;
        let priced = |price: &Price| ItemChange { price: Some(price.id.clone()), ..ItemChange::default() };
        let on_first = ItemChange { id: Some(first.clone()), ..ItemChange::default() };
        let cases = [
            (vec![ItemChange::default()], "items[0][price]"),
            (vec![priced(same)], "items[0][price]"),
            (vec![priced(&once)], "items[0][price]"),
            (vec![priced(&yearly)], "items"),
            (vec![on_first.clone(), on_first.clone()], "items[1][id]"),
            (vec![ItemChange { id: Some("si_no".into()), ..ItemChange::default() }], "items[0][id]"),
            (vec![ItemChange { deleted: true, ..ItemChange::default() }], "items[0][deleted]"),
            (vec![ItemChange { deleted: true, ..on_first.clone() }], "items"),
            (vec![ItemChange { quantity: Some(-1), ..on_first.clone() }], "items[0][quantity]"),
            (vec![ItemChange { quantity: Some(1_000_000), ..on_first.clone() }], "items[0][quantity]"),
            (vec![ItemChange { price: Some("price_no".into()), ..on_first.clone() }], "items[0][price]"),
            (vec![ItemChange { tax_rates: Patch::Set(vec!["txr_no".into()]), ..on_first }], "items[0][tax_rates][0]"),
        ];
        for (items, param) in cases {
            let what = SubscriptionUpdate { items, ..SubscriptionUpdate::default() };
            assert_eq!(field(&refusal(stage, &before.id, what.clone()).await), param, "{what:?}");
        }
        let dated =
            |proration_date: Seconds| SubscriptionUpdate { proration_date: Some(proration_date), ..count(&before, 2) };
        stage.pass(DAY);
        for date in [before.current_period_start.plus(-1), before.current_period_end] {
            assert_eq!(field(&refusal(stage, &before.id, dated(date)).await), "proration_date");
        }
        apply(stage, &before.id, dated(before.current_period_start.plus(3600))).await;
        assert_eq!(waiting(stage, &before).await, [-999, 1997]);
        let behind = SubscriptionUpdate { proration_date: Some(before.current_period_start), ..count(&before, 3) };
        assert_eq!(field(&refusal(stage, &before.id, behind).await), "proration_date");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_from_an_instant_to_come() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(DAY);
        let half = Some(before.current_period_start.plus(HALF));
        apply(stage, &before.id, SubscriptionUpdate { proration_date: half, ..count(&before, 2) }).await;
        assert_eq!(waiting(stage, &before).await, [-500, 1000]);
        // What comes next and says nothing of it comes after that.
        apply(stage, &before.id, count(&before, 3)).await;
        assert_eq!(waiting(stage, &before).await, [-500, 1000, -1000, 1500]);
        let now = SubscriptionUpdate {
            proration_date: Some(before.current_period_start.plus(HALF)),
            billing_cycle_anchor: Some(Anchor::Now),
            ..SubscriptionUpdate::default()
        };
        assert_eq!(field(&refusal(stage, &before.id, now).await), "proration_date");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_full_difference_knows_no_date() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let dearer = stage.price(2500).await;
        stage.pass(29 * DAY);
        let full = |update| by(ProrationBehavior::FullDifference, update);
        let (after, made) = apply(stage, &before.id, full(switch(&before, &dearer))).await;
        assert_eq!(amounts(&made.unwrap()), [1500]);
        let (_, made) = apply(stage, &before.id, full(switch(&after, &before.items[0].price))).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.amount_due), (vec![-1500], 0));
        stage.go_to(at("2026-05-01"));
        assert_eq!(amounts(&step(stage, &before.id).await.unwrap()), [1000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_21st_change_of_a_day_is_refused() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        for n in 0..20 {
            apply(stage, &before.id, count(&before, 2 + n % 2)).await;
        }
        assert_eq!(kind(&refusal(stage, &before.id, count(&before, 9)).await), "too_often");
        let described =
            SubscriptionUpdate { description: Patch::Set("still possible".into()), ..SubscriptionUpdate::default() };
        apply(stage, &before.id, described).await;
        stage.pass(DAY);
        apply(stage, &before.id, count(&before, 9)).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_is_not_paid_for_is_made_and_owed() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let customer = stage.customer_named(&before.customer).await;
        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        let (after, made) = apply(stage, &before.id, at_once(count(&before, 2))).await;
        let made = made.unwrap();
        assert_eq!((after.status, made.status, made.attempted), (Status::PastDue, InvoiceStatus::Open, true));
        assert_eq!(after.items[0].quantity, 2);

        let careful = SubscriptionUpdate {
            payment_behavior: Some(PaymentBehavior::DefaultIncomplete),
            ..at_once(count(&before, 3))
        };
        let updated = done!(stage, |tx| update(tx, &stage.who, &before.id, careful.clone()));
        assert_eq!((updated.collect, updated.subscription.status), (false, Status::PastDue));
        let good = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &good).await;
        stage.collect(&updated.invoice.unwrap()).await.unwrap();
        assert_eq!(stage.subscription(&before.id).await.status, Status::Active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_one_who_has_no_method_is_owed() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let (customer, free, dear) = (stage.customer().await, stage.price(0).await, stage.price(1000).await);
        let before = stage.subscribe(plan(&customer, &free)).await;
        let (after, made) = apply(stage, &before.id, at_once(switch(&before, &dear))).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.status, made.attempted), (vec![1000], InvoiceStatus::Open, true));
        assert_eq!(after.status, Status::PastDue);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_voided_change_leaves_what_was_billed_before() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(HALF);
        let careful = SubscriptionUpdate {
            payment_behavior: Some(PaymentBehavior::DefaultIncomplete),
            ..at_once(count(&before, 3))
        };
        let updated = done!(stage, |tx| update(tx, &stage.who, &before.id, careful.clone()));
        let open = updated.invoice.unwrap();
        assert_eq!(amounts(&open), [-500, 1500]);
        done!(stage, |tx| invoice::void(tx, &stage.who, &open.id, stage.now()));
        let (_, made) = apply(stage, &before.id, at_once(count(&before, 2))).await;
        assert_eq!(amounts(&made.unwrap()), [-500, 1000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_it_is_collected_can_change() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let sent = |days_until_due| SubscriptionUpdate {
            collection_method: Some(CollectionMethod::SendInvoice),
            days_until_due,
            ..SubscriptionUpdate::default()
        };
        assert_eq!(field(&refusal(stage, &before.id, sent(None)).await), "days_until_due");
        let (after, _) = apply(stage, &before.id, sent(Some(14))).await;
        assert_eq!((after.collection_method, after.days_until_due), (CollectionMethod::SendInvoice, Some(14)));
        stage.go_to(at("2026-05-01"));
        let next = step(stage, &before.id).await;
        assert!(next.is_some_and(|next| next.due_date == Some(at("2026-05-15"))));
        let charged = SubscriptionUpdate {
            collection_method: Some(CollectionMethod::ChargeAutomatically),
            ..SubscriptionUpdate::default()
        };
        assert_eq!(apply(stage, &before.id, charged).await.0.days_until_due, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_paid_for_yet_or_has_ended_does_not_change() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let items = vec![
            NewItem {
                price: price.id.clone(),
                price_data: None,
                quantity: None,
                tax_rates: Vec::new(),
                discounts: Vec::new(),
                metadata: Patch::Keep,
            },
            NewItem {
                price: stage.price(500).await.id,
                price_data: None,
                quantity: Some(2),
                tax_rates: Vec::new(),
                discounts: Vec::new(),
                metadata: Patch::Keep,
            },
        ];
        let started = stage.subscribe(NewSubscription { items, ..plan(&customer, &price) }).await;
        assert_eq!(started.status, Status::Incomplete);
        assert_eq!(kind(&refusal(stage, &started.id, count(&started, 2)).await), "subscription_unexpected_state");
        done!(stage, |tx| cancel::now(tx, &stage.who, &started.id, None, None));
        assert_eq!(field(&refusal(stage, &started.id, count(&started, 2)).await), "id");
        let stranger = change!(stage, |tx| update(tx, &stage.stranger, &started.id, count(&started, 2)));
        assert_eq!(kind(&stranger.unwrap_err()), "missing");
    })
    .await;
}
