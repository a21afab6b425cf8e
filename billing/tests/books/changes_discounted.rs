//! Discounts in what a change gives back and asks for: the price that was paid, and the one that still is.

use billing::catalog::{Coupon, NewCoupon};
use billing::customer::{self, CustomerUpdate};
use billing::discount::Duration;
use billing::subscription::{ItemChange, NewSubscription, Subscription, SubscriptionUpdate};
use billing::{Patch, subscription};

use crate::changes::{HALF, YEARLY, amounts, apply, at_once, step, switch, waiting};
use crate::discounts::{amount, by, discounted, made, percent, with};
use crate::support::{DAY, Stage, at, done, on_both, plan};

/// One who pays `price` from the first of April, less the coupon.
async fn since_april(stage: &Stage, price: i64, coupon: &Coupon) -> Subscription {
    stage.go_to(at("2026-04-01"));
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(price).await);
    stage.subscribe(discounted(&customer, &price, &[by(coupon)])).await
}

/// The lines of a switch to a price, invoiced at once.
async fn switched(stage: &Stage, id: &str, price: i64) -> Vec<i64> {
    let (before, price) = (stage.subscription(id).await, stage.price(price).await);
    amounts(&apply(stage, id, at_once(switch(&before, &price))).await.1.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_amount_is_taken_off_both_prices_and_then_prorated() {
    on_both(async |stage| {
        let five = made(stage, amount(stage, 500)).await;
        let before = since_april(stage, 2000, &five).await;
        stage.pass(HALF);
        assert_eq!(switched(stage, &before.id, 3000).await, [-750, 1250]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_gives_back_what_its_share_of_the_discount_left() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let five = made(stage, amount(stage, 500)).await;
        let (customer, ten, twenty) =
            (stage.payer("pm_card_visa").await, stage.price(1000).await, stage.price(2000).await);
        let mut new = discounted(&customer, &ten, &[by(&five)]);
        new.items.extend(plan(&customer, &twenty).items);
        let before = stage.subscribe(new).await;
        let first = stage.invoice(before.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(first.lines.iter().map(|line| line.discount).collect::<Vec<_>>(), [166, 334]);
        assert_eq!(first.amount_paid, 2500);
        stage.pass(HALF);
        let gone = ItemChange { id: Some(before.items[0].id.clone()), deleted: true, ..ItemChange::default() };
        let update = SubscriptionUpdate { items: vec![gone], ..SubscriptionUpdate::default() };
        assert_eq!(amounts(&apply(stage, &before.id, at_once(update)).await.1.unwrap()), [-417]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_stands_for_the_period_it_was_used_in_and_for_no_other() {
    on_both(async |stage| {
        let half = made(stage, percent(50, Duration::Once)).await;
        let before = since_april(stage, 1000, &half).await;
        stage.pass(HALF);
        // There and back in one second: nothing.
        assert_eq!(switched(stage, &before.id, 2000).await, [-250, 500]);
        assert_eq!(switched(stage, &before.id, 1000).await, [-500, 250]);
        stage.go_to(at("2026-05-01"));
        assert_eq!(step(stage, &before.id).await.unwrap().total, 1000);
        stage.pass(31 * DAY / 2);
        assert_eq!(switched(stage, &before.id, 2000).await, [-500, 1000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_that_is_not_used_yet_waits_for_an_invoice_that_is_not_of_prorations_only() {
    on_both(async |stage| {
        let half = made(stage, percent(50, Duration::Once)).await;
        stage.go_to(at("2026-04-01"));
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let before = stage.subscribe(plan(&customer, &price)).await;
        stage.pass(HALF);
        apply(stage, &before.id, with(&[by(&half)])).await;
        assert_eq!(switched(stage, &before.id, 2000).await, [-500, 1000]);
        assert_eq!(stage.subscription(&before.id).await.discounts.len(), 1);
        stage.go_to(at("2026-05-01"));
        assert_eq!(step(stage, &before.id).await.unwrap().amount_paid, 1000);
        assert!(stage.subscription(&before.id).await.discounts.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_takes_nothing_off_an_invoice_that_does_not_use_it_up() {
    on_both(async |stage| {
        let half = made(stage, percent(50, Duration::Once)).await;
        stage.go_to(at("2026-04-01"));
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(10_000).await);
        let before = stage.subscribe(plan(&customer, &price)).await;
        stage.pass(HALF);
        let cheap = stage.price(1000).await;
        apply(stage, &before.id, switch(&before, &cheap)).await;
        apply(stage, &before.id, with(&[by(&half)])).await;
        assert_eq!(waiting(stage, &before).await, [-5000, 500]);
        stage.go_to(at("2026-05-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!((next.subtotal, next.discount, next.total), (-3500, 0, -3500));
        stage.go_to(at("2026-06-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!((next.discount, next.total, next.amount_due), (500, 500, 0));
        assert!(stage.subscription(&before.id).await.discounts.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn repeating_discounts_a_whole_year_and_ends_with_a_switch_to_months() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let quarter = NewCoupon { duration_in_months: Some(3), ..percent(50, Duration::Repeating) };
        let quarter = made(stage, quarter).await;
        let customer = stage.payer("pm_card_visa").await;
        let [year, dearer] = [10_000, 20_000].map(|amount| stage.price_of(&stage.who, amount, Some(YEARLY)));
        let (year, dearer) = (year.await, dearer.await);
        let before = stage.subscribe(discounted(&customer, &year, &[by(&quarter)])).await;
        stage.pass(365 * DAY / 2);
        let (after, there) = apply(stage, &before.id, at_once(switch(&before, &dearer))).await;
        let (after, back) = apply(stage, &before.id, at_once(switch(&after, &year))).await;
        assert_eq!((amounts(&there.unwrap()), amounts(&back.unwrap())), (vec![-2500, 5000], vec![-5000, 2500]));
        let month = stage.price(1000).await;
        let (after, made) = apply(stage, &before.id, switch(&after, &month)).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.discount), (vec![-2500, 1000], 0));
        assert!(after.discounts.is_empty());
        assert_eq!(
            stage.events_of(&before.discounts[0].id).await,
            ["customer.discount.created", "customer.discount.deleted"]
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_discount_ends_when_its_time_is_over() {
    on_both(async |stage| {
        stage.go_to(at("2026-04-01"));
        let month = NewCoupon { duration_in_months: Some(1), ..percent(50, Duration::Repeating) };
        let month = made(stage, month).await;
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let year = stage.price_of(&stage.who, 10_000, Some(YEARLY)).await;
        let set = CustomerUpdate { discount: Patch::Set(by(&month)), ..CustomerUpdate::default() };
        let held = done!(stage, |tx| customer::update(tx, &stage.who, &customer.id, set.clone())).discount.unwrap();
        let monthly = stage.subscribe(plan(&customer, &price)).await;
        let yearly = stage.subscribe(plan(&customer, &year)).await;
        stage.go_to(at("2026-05-01"));
        assert_eq!(step(stage, &monthly.id).await.unwrap().amount_paid, 1000);
        assert_eq!(stage.customer_named(&customer.id).await.discount, None);
        assert_eq!(stage.events_of(&held.id).await, ["customer.discount.created", "customer.discount.deleted"]);
        // What had it for a year has it still.
        stage.go_to(at("2026-04-01").plus(365 * DAY / 2));
        assert_eq!(switched_to_yearly(stage, &yearly, 20_000).await, [-2500, 5000]);
    })
    .await;
}

async fn switched_to_yearly(stage: &Stage, before: &Subscription, amount: i64) -> Vec<i64> {
    let price = stage.price_of(&stage.who, amount, Some(YEARLY)).await;
    amounts(&apply(stage, &before.id, at_once(switch(before, &price))).await.1.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_discount_that_was_taken_away_is_given_back_of_and_not_asked_with() {
    on_both(async |stage| {
        let half = made(stage, percent(50, Duration::Forever)).await;
        let before = since_april(stage, 1000, &half).await;
        stage.pass(HALF);
        done!(stage, |tx| subscription::discounts::remove(tx, &stage.who, &before.id));
        assert_eq!(switched(stage, &before.id, 2000).await, [-250, 1000]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn once_is_for_the_first_whole_period_after_a_part_of_one() {
    on_both(async |stage| {
        let half = made(stage, percent(50, Duration::Once)).await;
        stage.go_to(at("2026-04-16"));
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let anchored = NewSubscription {
            billing_cycle_anchor: Some(at("2026-05-01")),
            ..discounted(&customer, &price, &[by(&half)])
        };
        let before = stage.subscribe(anchored).await;
        assert_eq!(stage.invoices(&customer.id).await[0].amount_paid, 500);
        stage.go_to(at("2026-05-01"));
        assert_eq!(step(stage, &before.id).await.unwrap().amount_paid, 500);
        stage.go_to(at("2026-06-01"));
        assert_eq!(step(stage, &before.id).await.unwrap().amount_paid, 1000);
    })
    .await;
}
