//! Changes that move the periods of a subscription: another interval, another anchor, a trial.

use billing::invoice::Status as InvoiceStatus;
use billing::subscription::create::Trial;
use billing::subscription::{Anchor, NewSubscription, ProrationBehavior, Status, SubscriptionUpdate, TrialEnd};

use crate::changes::{HALF, YEARLY, amounts, apply, at_once, by, refusal, since_april, step, switch, waiting};
use crate::support::{DAY, at, field, on_both, plan};

#[tokio::test(flavor = "multi_thread")]
async fn another_interval_begins_a_new_period_at_once() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        let yearly = stage.price_of(&stage.who, 10_000, Some(YEARLY)).await;
        stage.pass(HALF);
        let (after, made) = apply(stage, &before.id, switch(&before, &yearly)).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.amount_paid), (vec![-500, 10_000], 9500));
        assert_eq!((made.lines[1].proration, made.lines[1].discountable), (false, true));
        assert_eq!((after.billing_cycle_anchor, after.cycle), (at("2026-04-16"), 0));
        assert_eq!((after.current_period_start, after.current_period_end), (at("2026-04-16"), at("2027-04-16")));
        assert!(step(stage, &before.id).await.is_none());
        // And back: a year of which half a day is gone.
        stage.pass(DAY / 2);
        let (after, made) = apply(stage, &before.id, switch(&after, &before.items[0].price)).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.total, made.status), (vec![-9986, 1000], -8986, InvoiceStatus::Paid));
        assert_eq!(after.current_period_end, at("2026-05-16 22:00"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_anchor_can_be_set_to_now() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(HALF);
        let now = SubscriptionUpdate { billing_cycle_anchor: Some(Anchor::Now), ..SubscriptionUpdate::default() };
        let (after, made) = apply(stage, &before.id, now.clone()).await;
        assert_eq!(amounts(&made.unwrap()), [-500, 1000]);
        assert_eq!((after.current_period_start, after.current_period_end), (at("2026-04-16"), at("2026-05-16")));
        let (_, made) = apply(stage, &before.id, by(ProrationBehavior::None, now)).await;
        assert_eq!(amounts(&made.unwrap()), [1000], "nothing is given back");
        let kept =
            SubscriptionUpdate { billing_cycle_anchor: Some(Anchor::Unchanged), ..SubscriptionUpdate::default() };
        assert_eq!(apply(stage, &before.id, kept).await.0, stage.subscription(&before.id).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_on_trial_costs_nothing_and_the_trial_goes_on() {
    on_both(async |stage| {
        let before = since_april(stage, |new| NewSubscription { trial: Trial::Days(14), ..new }).await;
        let (dearer, yearly) = (stage.price(2000).await, stage.price_of(&stage.who, 9000, Some(YEARLY)).await);
        stage.pass(DAY);
        for price in [&dearer, &yearly, &dearer] {
            let (after, made) = apply(stage, &before.id, at_once(switch(&before, price))).await;
            assert!(made.is_none() && waiting(stage, &before).await.is_empty());
            assert_eq!((after.status, after.trial_end), (Status::Trialing, before.trial_end));
            assert_eq!(after.current_period_end, before.current_period_end);
        }
        let refused = refusal(
            stage,
            &before.id,
            SubscriptionUpdate { billing_cycle_anchor: Some(Anchor::Now), ..SubscriptionUpdate::default() },
        );
        assert_eq!(field(&refused.await), "billing_cycle_anchor");
        stage.go_to(before.trial_end.unwrap());
        assert_eq!(amounts(&step(stage, &before.id).await.unwrap()), [2000]);
    })
    .await;
}

fn trial_until(end: TrialEnd) -> SubscriptionUpdate {
    SubscriptionUpdate { trial_end: Some(end), ..SubscriptionUpdate::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_ends_now_or_lasts_longer() {
    on_both(async |stage| {
        let before = since_april(stage, |new| NewSubscription { trial: Trial::Days(14), ..new }).await;
        for wrong in [stage.now(), stage.now().plus(-1), stage.now().plus(731 * DAY)] {
            assert_eq!(field(&refusal(stage, &before.id, trial_until(TrialEnd::At(wrong))).await), "trial_end");
        }
        let later = at("2026-06-01");
        let (after, made) = apply(stage, &before.id, trial_until(TrialEnd::At(later))).await;
        assert!(made.is_none());
        assert_eq!((after.status, after.trial_end, after.current_period_end), (Status::Trialing, Some(later), later));
        assert_eq!((after.billing_cycle_anchor, after.next_due), (later, Some(at("2026-05-29"))));
        stage.pass(DAY);
        let (after, made) = apply(stage, &before.id, trial_until(TrialEnd::Now)).await;
        assert_eq!((amounts(&made.unwrap()), after.status), (vec![1000], Status::Active));
        assert_eq!((after.trial_end, after.current_period_end), (Some(stage.now()), at("2026-05-02")));
        let (again, made) = apply(stage, &before.id, trial_until(TrialEnd::Now)).await;
        assert!(made.is_none() && again == after, "one that is on no trial has none to end");
    })
    .await;
}

/// Stripe's page on billing cycles: billed on the 23rd; on the 15th of July the trial is set to the first of August.
#[tokio::test(flavor = "multi_thread")]
async fn a_trial_takes_the_place_of_what_was_paid() {
    on_both(async |stage| {
        stage.go_to(at("2026-06-23"));
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(3000).await);
        let before = stage.subscribe(plan(&customer, &price)).await;
        stage.go_to(at("2026-07-15"));
        let until = trial_until(TrialEnd::At(at("2026-08-01")));
        let (after, made) = apply(stage, &before.id, until).await;
        let made = made.unwrap();
        assert_eq!((amounts(&made), made.status), (vec![0], InvoiceStatus::Paid));
        assert_eq!((after.status, after.trial_start), (Status::Trialing, Some(stage.now())));
        assert_eq!(waiting(stage, &before).await, [-800], "8 of 30 days");
        stage.go_to(at("2026-07-23"));
        assert!(step(stage, &before.id).await.is_none());
        stage.go_to(at("2026-08-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!((amounts(&next), next.total), (vec![-800, 3000], 2200));
    })
    .await;
}
