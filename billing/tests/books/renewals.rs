//! The billing worker: any number of them, on time, late, and with a defect in their way.

use std::sync::Arc;

use billing::cycle::parking;
use billing::gateway::PaymentGateway;
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::period::{Interval, Recurring};
use billing::subscription::{Status, Subscription, cancel};
use billing::{Db, Seconds, work};

use crate::support::{HOUR, Stage, at, done, kind, on_both, plan, refused, scale, seen};

/// Works until nothing is due; answers how much there was to do.
async fn work_off(db: &Db, gateway: Arc<dyn PaymentGateway>) -> usize {
    let mut done = 0;
    while work::one(db, &gateway).await.unwrap() {
        done += 1;
    }
    done
}

impl Stage {
    /// Goes to an instant, an hour later to be sure that its turn has come, and does all that is due by then.
    async fn live_until(&self, then: Seconds) -> usize {
        self.go_to(then.plus(HOUR));
        work_off(&self.db, self.sandbox.clone()).await
    }

    async fn invoices_of(&self, subscription: &Subscription) -> Vec<Invoice> {
        self.invoices(&subscription.customer).await
    }
}

fn starts(invoices: &[Invoice]) -> Vec<Seconds> {
    invoices.iter().map(|invoice| invoice.period_start).collect()
}

/// The periods of the invoices follow each other without a gap, and each is paid.
fn tile(invoices: &[Invoice]) {
    for pair in invoices.windows(2) {
        assert_eq!(pair[0].period_end, pair[1].period_start);
    }
    assert!(invoices.iter().all(|invoice| invoice.status == InvoiceStatus::Paid));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_workers_make_one_invoice_each() {
    const WORKERS: usize = 32;
    let count = scale(200, 1000);
    on_both(async |stage| {
        let price = stage.price(1000).await;
        for _ in 0..count {
            let customer = stage.payer("pm_card_visa").await;
            stage.subscribe(plan(&customer, &price)).await;
        }
        // Half of the workers in another process, with connections of its own.
        let other = stage.process().await;
        let mut date = at("2026-01-31");
        for round in 1..=scale(1, 5) {
            date = Recurring { interval: Interval::Month, count: 1 }
                .start_of(at("2026-01-31"), i64::try_from(round).unwrap())
                .unwrap();
            stage.go_to(date.plus(HOUR));
            let gateway: Arc<dyn PaymentGateway> = stage.sandbox.clone();
            let workers: Vec<_> = (0..WORKERS)
                .map(|n| {
                    let db = if n % 2 == 0 { stage.db.clone() } else { other.clone() };
                    let gateway = gateway.clone();
                    tokio::spawn(async move { work_off(&db, gateway).await })
                })
                .collect();
            for worker in workers {
                worker.await.unwrap();
            }
        }
        let rounds = i64::try_from(scale(1, 5)).unwrap();
        let due = i64::try_from(count).unwrap();
        assert_eq!(stage.number("select count(*) from invoice").await, due * (rounds + 1));
        assert_eq!(stage.number("select count(*) from invoice where status = 'paid'").await, due * (rounds + 1));
        let twice = "select count(*) from (select subscription, cycle_start from invoice group by subscription, cycle_start having count(*) > 1) as twice";
        assert_eq!(stage.number(twice).await, 0);
        assert_eq!(stage.number("select min(current_period_start) from subscription").await, date.0);
        assert_eq!(stage.agreed().await, 1000 * due * (rounds + 1));
        assert_eq!(work_off(&stage.db, stage.sandbox.clone()).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn three_years_from_the_31st_never_drift() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let months = Recurring { interval: Interval::Month, count: 1 };
        let mut days = vec![at("2026-01-31")];
        for n in 1..=36 {
            days.push(months.start_of(days[0], n).unwrap());
            stage.live_until(days[days.len() - 1]).await;
        }
        let invoices = stage.invoices_of(&subscription).await;
        assert_eq!(starts(&invoices), days);
        assert!(days.contains(&at("2028-02-29")) && days[36] == at("2029-01-31"));
        tile(&invoices);
        assert_eq!(stage.agreed().await, 37_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leap_day_comes_back_after_four_years() {
    on_both(async |stage| {
        stage.go_to(at("2028-02-29"));
        let yearly = Recurring { interval: Interval::Year, count: 1 };
        let price = stage.price_of(&stage.who, 12_000, Some(yearly)).await;
        let customer = stage.payer("pm_card_visa").await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        for day in ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"] {
            stage.live_until(at(day)).await;
        }
        let invoices = stage.invoices_of(&subscription).await;
        let days = ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"];
        assert_eq!(starts(&invoices), days.map(at));
        tile(&invoices);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stood_still_for_three_days_catches_up_in_order() {
    on_both(async |stage| {
        let daily = Recurring { interval: Interval::Day, count: 1 };
        let price = stage.price_of(&stage.who, 100, Some(daily)).await;
        let customer = stage.payer("pm_card_visa").await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        assert_eq!(stage.live_until(at("2026-02-03")).await, 3);
        let invoices = stage.invoices_of(&subscription).await;
        assert_eq!(starts(&invoices), ["2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"].map(at));
        assert!(invoices.iter().all(|invoice| invoice.created == invoice.period_start));
        tile(&invoices);
        assert_eq!(stage.agreed().await, 400, "once a period");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renewals_wait_for_their_minute_of_the_hour() {
    on_both(async |stage| {
        let price = stage.price(1000).await;
        for _ in 0..40 {
            let customer = stage.payer("pm_card_visa").await;
            stage.subscribe(plan(&customer, &price)).await;
        }
        assert_eq!(stage.live_until(at("2026-02-21")).await, 40, "each is told of beforehand");
        let mut each = Vec::new();
        stage.go_to(at("2026-02-28"));
        for _ in 0..4 {
            each.push(work_off(&stage.db, stage.sandbox.clone()).await);
            stage.pass(HOUR / 3);
        }
        assert_eq!(each.iter().sum::<usize>(), 40, "{each:?}");
        assert!(each[0] < 5 && each[1..].iter().all(|count| (3..30).contains(count)), "{each:?}");
        let late = stage.number("select count(*) from invoice where created > 1772272800").await;
        assert_eq!(
            (late, at("2026-02-28")),
            (0, Seconds(1_772_272_800)),
            "on the invoice stands the scheduled instant"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_invoice_for_a_period_parks_the_subscription() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        stage.live_until(at("2026-02-28")).await;
        // A defect that forgets that the period has begun.
        let back = "update subscription set cycle = cycle - 1, current_period_end = current_period_start, wakes_at = 0";
        stage.force(back).await.unwrap();
        assert_eq!(stage.live_until(at("2026-03-01")).await, 1);
        let parked = stage.subscription(&subscription.id).await;
        assert_eq!((parked.parked_at, parked.next_due), (Some(stage.now()), None));
        assert!(stage.audit().await.contains(&("subscription.parked".into(), subscription.id.clone())));
        assert_eq!(stage.live_until(at("2027-03-01")).await, 0, "nothing more happens by itself");
        assert_eq!(stage.invoices_of(&subscription).await.len(), 2);
        assert_eq!(stage.agreed().await, 2000);
        let ended = done!(stage, |tx| cancel::now(tx, &stage.who, &subscription.id, None, None));
        assert_eq!(ended.status, Status::Canceled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_parked_goes_on_when_somebody_has_looked() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        assert_eq!(kind(&refused!(stage, |tx| parking::release(tx, &stage.who, id))), "subscription_unexpected_state");
        stage.live_until(at("2026-02-28")).await;
        let back = "update subscription set cycle = cycle - 1, current_period_end = current_period_start, wakes_at = 0";
        stage.force(back).await.unwrap();
        stage.live_until(at("2026-03-01")).await;
        let parked = seen!(stage, |tx| parking::list(tx));
        assert_eq!((parked.len(), &parked[0].id, parked[0].parked_at), (1, id, stage.now()));
        assert_eq!((&parked[0].merchant, parked[0].livemode), (&stage.merchant.id, false));
        assert_eq!(seen!(stage, |tx| parking::tenant_of(tx, id)), stage.who.tenant);

        let customer = stage.customer_named(&subscription.customer).await;
        let guest = stage.portal(&customer);
        assert_eq!(kind(&refused!(stage, |tx| parking::release(tx, &guest, id))), "forbidden");
        assert_eq!(kind(&refused!(stage, |tx| parking::release(tx, &stage.stranger, id))), "missing");
        let free = done!(stage, |tx| parking::release(tx, &stage.system(), id));
        assert_eq!((free.parked_at, free.current_period_start), (None, at("2026-02-28")), "what is billed is billed");
        assert_eq!(free.current_period_end, at("2026-03-31"));
        assert!(stage.audit().await.contains(&("subscription.unparked".into(), id.clone())));
        assert_eq!(stage.last_event(id).await.data["previous_attributes"]["parked_at"], parked[0].parked_at.0);
        assert_eq!(seen!(stage, |tx| parking::count(tx)), 0);
        stage.live_until(at("2026-03-31")).await;
        assert_eq!(starts(&stage.invoices_of(&subscription).await), ["2026-01-31", "2026-02-28", "2026-03-31"].map(at));
        assert_eq!(stage.agreed().await, 3000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_times_in_one_day_is_enough() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        // A defect that moves the period on by a second at a time.
        let loops = "update subscription set billing_cycle_anchor = billing_cycle_anchor + 1, cycle = 0,
            current_period_end = 1772272800 + billing_cycle_anchor - 1769853600, wakes_at = 0";
        stage.go_to(at("2026-02-28").plus(HOUR));
        for _ in 0..20 {
            stage.force(loops).await.unwrap();
            work_off(&stage.db, stage.sandbox.clone()).await;
        }
        assert!(stage.subscription(&subscription.id).await.parked_at.is_some());
        assert_eq!(stage.number("select count(*) from invoice").await, 1 + 15);
        assert_eq!(stage.agreed().await, 16_000, "and not once more");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_cannot_be_advanced_keeps_no_other_waiting() {
    on_both(async |stage| {
        let (broken, other) = (stage.active().await, stage.active().await);
        // Its invoice's number is taken, so that it cannot be finalised.
        stage.force("update customer set next_invoice_sequence = 1 where id = (select customer from subscription order by id limit 1)").await.unwrap();
        assert_eq!(stage.live_until(at("2026-02-28")).await, 2);
        assert_eq!(stage.invoices_of(&broken).await.len(), 1);
        assert_eq!(stage.invoices_of(&other).await.len(), 2);
        assert_eq!(work_off(&stage.db, stage.sandbox.clone()).await, 0, "not again at once");
        stage.force("update customer set next_invoice_sequence = 2 where next_invoice_sequence = 1").await.unwrap();
        stage.pass(HOUR);
        assert_eq!(work_off(&stage.db, stage.sandbox.clone()).await, 1, "and later it goes on where it was");
        assert_eq!(starts(&stage.invoices_of(&broken).await), [at("2026-01-31"), at("2026-02-28")]);
    })
    .await;
}
