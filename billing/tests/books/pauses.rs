//! Pausing, going on, and what is scheduled meanwhile.

use billing::cycle::{self, Step};
use billing::invoice::Status as InvoiceStatus;
use billing::subscription::pause::{self, Invoicing, Pause, UnusedTime};
use billing::subscription::resume::{self, Resume};
use billing::subscription::scheduled::{self, By, Kind, ScheduledChange, State};
use billing::subscription::{self, Anchor, ProrationBehavior, Status, Subscription, SubscriptionUpdate, cancel};
use billing::{Actor, Page, Result, Seconds};

use crate::support::{DAY, Stage, at, change, done, field, kind, on_both, refused, seen};

async fn pause_as(stage: &Stage, who: &Actor, id: &str, pause: Pause) -> Result<Subscription> {
    change!(stage, |tx| pause::pause(tx, who, id, pause))
}

/// Pauses at the end of the period.
async fn scheduled_pause(stage: &Stage, id: &str, resumes_at: Option<Seconds>) -> Subscription {
    let pause = Pause { at_period_end: true, resumes_at, ..Pause::default() };
    pause_as(stage, &stage.who, id, pause).await.unwrap()
}

async fn step(stage: &Stage, id: &str) -> Step {
    done!(stage, |tx| cycle::advance(tx, &stage.system(), id))
}

async fn flag(stage: &Stage, id: &str, at_period_end: bool) -> Result<Subscription> {
    let update = SubscriptionUpdate { cancel_at_period_end: Some(at_period_end), ..SubscriptionUpdate::default() };
    let updated = change!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
    updated.map(|updated| updated.subscription)
}

/// What was ever scheduled, newest first.
async fn all(stage: &Stage, id: &str) -> Vec<ScheduledChange> {
    seen!(stage, |tx| scheduled::list(tx, &stage.who, id, &Page::first(10))).data
}

async fn states(stage: &Stage, id: &str) -> Vec<(Kind, State)> {
    all(stage, id).await.into_iter().map(|change| (change.kind, change.status)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_stops_at_once_until_it_is_ended() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        stage.pass(10 * DAY);
        let paused = pause_as(stage, &stage.who, &subscription.id, Pause::default()).await.unwrap();
        assert_eq!((paused.status, paused.paused_at, paused.next_due), (Status::Paused, Some(stage.now()), None));
        assert_eq!(paused, stage.subscription(&subscription.id).await);
        let again = pause_as(stage, &stage.who, &subscription.id, Pause::default()).await.unwrap();
        assert_eq!(again, paused);
        let told = stage.events_of(&subscription.id).await;
        assert_eq!(told.iter().filter(|name| *name == "customer.subscription.paused").count(), 1);

        stage.go_to(at("2026-06-15"));
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting), "nothing renews meanwhile");
        assert_eq!(stage.invoices(&subscription.customer).await.len(), 1);
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, Resume::default()));
        stage.collect(&resumed.invoice.clone().unwrap()).await.unwrap();
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.paused_at, after.billing_cycle_anchor), (Status::Active, None, stage.now()));
        assert_eq!((after.current_period_start, after.current_period_end), (at("2026-06-15"), at("2026-07-15")));
        assert_eq!(after.latest_invoice, resumed.invoice.map(|invoice| invoice.id));
        assert_eq!(stage.last_event(&subscription.id).await.r#type, "customer.subscription.resumed");
        let error = refused!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, Resume::default()));
        assert_eq!(kind(&error), "subscription_not_paused");

        stage.go_to(at("2026-07-15"));
        assert!(matches!(step(stage, &subscription.id).await, Step::Billed(_)), "and renews in its new rhythm");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_at_the_periods_end_comes_then_and_ends_on_its_day() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let (end, back) = (subscription.current_period_end, at("2026-05-10"));
        let waiting = scheduled_pause(stage, &subscription.id, Some(back)).await;
        let change = waiting.scheduled.clone().unwrap();
        assert_eq!((change.kind, change.due, change.origin), (Kind::Pause, end, By::Merchant));
        assert_eq!((waiting.status, change.change.resumes_at), (Status::Active, Some(back)));
        assert_eq!(waiting, stage.subscription(&subscription.id).await);
        assert_eq!(stage.last_event(&subscription.id).await.r#type, "customer.subscription.updated");

        // The worker is days late; the pause is not.
        stage.go_to(end.plus(3 * DAY));
        assert!(matches!(step(stage, &subscription.id).await, Step::Paused));
        let paused = stage.subscription(&subscription.id).await;
        assert_eq!((paused.status, paused.paused_at, paused.next_due), (Status::Paused, Some(end), Some(back)));
        assert_eq!(paused.scheduled.as_ref().map(|change| (change.kind, change.due)), Some((Kind::Resume, back)));
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));

        stage.go_to(back.plus(DAY));
        let Step::Billed(invoice) = step(stage, &subscription.id).await else { panic!("it goes on") };
        assert_eq!((invoice.status, invoice.amount_due, invoice.created), (InvoiceStatus::Open, 1000, back));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.resumes_at, after.scheduled), (Status::Active, None, None));
        assert_eq!((after.current_period_start, after.current_period_end), (back, at("2026-06-10")));
        let applied = [(Kind::Resume, State::Applied), (Kind::Pause, State::Applied)];
        assert_eq!(states(stage, &subscription.id).await, applied);
        assert_eq!(all(stage, &subscription.id).await[0].settled_at, Some(back));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_scheduled_can_be_replaced_and_taken_back() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        scheduled_pause(stage, id, None).await;
        scheduled_pause(stage, id, Some(at("2026-08-01"))).await;
        assert_eq!(states(stage, id).await, [(Kind::Pause, State::Scheduled), (Kind::Pause, State::Replaced)]);
        let free = done!(stage, |tx| scheduled::undo(tx, &stage.who, id));
        assert_eq!((free.scheduled.clone(), states(stage, id).await[0]), (None, (Kind::Pause, State::Undone)));
        let before = stage.events_of(id).await.len();
        assert_eq!(done!(stage, |tx| scheduled::undo(tx, &stage.who, id)), free);
        assert_eq!(stage.events_of(id).await.len(), before, "nothing is said where nothing changes");
        stage.go_to(subscription.current_period_end);
        assert!(matches!(step(stage, id).await, Step::Billed(_)), "it renews as if nothing had been");

        let until = Pause { resumes_at: Some(at("2026-08-01")), ..Pause::default() };
        pause_as(stage, &stage.who, id, until).await.unwrap();
        let later = Pause { resumes_at: Some(at("2026-09-01")), ..Pause::default() };
        let later = pause_as(stage, &stage.who, id, later).await.unwrap();
        assert_eq!((later.resumes_at, later.next_due), (Some(at("2026-09-01")), Some(at("2026-09-01"))));
        let open = done!(stage, |tx| scheduled::undo(tx, &stage.who, id));
        assert_eq!((open.status, open.resumes_at, open.next_due), (Status::Paused, None, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_drops_what_is_scheduled_and_is_never_in_its_way() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        scheduled_pause(stage, id, None).await;
        let ending = flag(stage, id, true).await.unwrap();
        assert_eq!((ending.scheduled, states(stage, id).await[0].1), (None, State::Dropped));
        let error = pause_as(stage, &stage.who, id, Pause { at_period_end: true, ..Pause::default() }).await;
        assert_eq!(kind(&error.unwrap_err()), "subscription_canceling");
        flag(stage, id, false).await.unwrap();

        scheduled_pause(stage, id, None).await;
        let canceled = done!(stage, |tx| cancel::now(tx, &stage.who, id, None, None));
        assert_eq!((canceled.status, canceled.scheduled), (Status::Canceled, None));
        assert_eq!(states(stage, id).await[0].1, State::Dropped);
        let error = pause_as(stage, &stage.who, id, Pause::default()).await.unwrap_err();
        assert_eq!(kind(&error), "subscription_unexpected_state");

        // What ends on a day of its own ends while it is paused, too.
        let other = stage.active().await;
        let until = Pause { resumes_at: Some(at("2026-12-01")), ..Pause::default() };
        pause_as(stage, &stage.who, &other.id, until).await.unwrap();
        let canceled = done!(stage, |tx| cancel::now(tx, &stage.who, &other.id, None, None));
        assert_eq!((canceled.paused_at, canceled.resumes_at, canceled.next_due), (None, None, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_customer_cannot_touch_what_the_merchant_scheduled() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let id = &subscription.id;
        let customer = stage.portal(&stage.customer_named(&subscription.customer).await);
        scheduled_pause(stage, id, None).await;
        assert_eq!(kind(&refused!(stage, |tx| scheduled::undo(tx, &customer, id))), "forbidden");
        for at_period_end in [true, false] {
            let pause = Pause { at_period_end, ..Pause::default() };
            assert_eq!(kind(&pause_as(stage, &customer, id, pause).await.unwrap_err()), "forbidden");
        }
        done!(stage, |tx| scheduled::undo(tx, &stage.who, id));

        let own = Pause { at_period_end: true, ..Pause::default() };
        let own = pause_as(stage, &customer, id, own).await.unwrap();
        assert_eq!(own.scheduled.unwrap().origin, By::Portal);
        assert_eq!(done!(stage, |tx| scheduled::undo(tx, &customer, id)).scheduled, None);

        // The merchant's is no obstacle to leaving.
        scheduled_pause(stage, id, None).await;
        let gone = done!(stage, |tx| cancel::now(tx, &customer, id, None, None));
        assert_eq!((gone.status, gone.scheduled), (Status::Canceled, None));
        let stranger = stage.portal(&stage.customer().await);
        assert_eq!(kind(&refused!(stage, |tx| scheduled::undo(tx, &stranger, id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| scheduled::undo(tx, &stage.stranger, id))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_ends_after_it_has_begun() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let end = subscription.current_period_end;
        for (at_period_end, resumes_at) in [(false, stage.now()), (true, end), (true, end.plus(-1))] {
            let pause = Pause { at_period_end, resumes_at: Some(resumes_at), ..Pause::default() };
            let error = pause_as(stage, &stage.who, &subscription.id, pause).await.unwrap_err();
            assert_eq!(field(&error), "resumes_at");
        }
        assert_eq!(stage.subscription(&subscription.id).await, subscription);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn going_on_without_a_method_is_past_due() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let keep = Pause { unused_time_from: UnusedTime::None, ..Pause::default() };
        pause_as(stage, &stage.who, &subscription.id, keep).await.unwrap();
        stage.pass(DAY);
        let method = stage.customer_named(&subscription.customer).await.default_payment_method.unwrap();
        done!(stage, |tx| billing::customer::payment_method::detach(tx, &stage.who, &method));
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, Resume::default()));
        let invoice = resumed.invoice.unwrap();
        assert_eq!((invoice.status, invoice.attempted), (InvoiceStatus::Open, true));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, resumed.subscription.status), (Status::PastDue, Status::PastDue));
    })
    .await;
}

/// What the lines of an invoice say, in their order.
fn amounts(invoice: &billing::invoice::Invoice) -> Vec<i64> {
    invoice.lines.iter().map(|line| line.amount).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn unused_paid_time_is_given_back_and_used_up_when_it_goes_on() {
    on_both(async |stage| {
        let cases = [(UnusedTime::Now, -250), (UnusedTime::ItemCurrentPeriodStart, -1000), (UnusedTime::None, 0)];
        for (unused_time_from, credit) in cases {
            let subscription = stage.active().await;
            let (start, end) = (subscription.current_period_start, subscription.current_period_end);
            stage.go_to(start.plus((end.0 - start.0) / 4 * 3));
            let pause = Pause { unused_time_from, ..Pause::default() };
            pause_as(stage, &stage.who, &subscription.id, pause).await.unwrap();
            assert_eq!(stage.invoices(&subscription.customer).await.len(), 1, "it waits for the next invoice");
            stage.pass(3 * DAY);
            let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, Resume::default()));
            let invoice = resumed.invoice.unwrap();
            let expected = if credit == 0 { vec![1000] } else { vec![credit, 1000] };
            assert_eq!((amounts(&invoice), invoice.amount_due), (expected, 1000 + credit));
            assert_eq!(invoice.status == InvoiceStatus::Paid, credit == -1000);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_may_become_credit_at_once() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let (start, end) = (subscription.current_period_start, subscription.current_period_end);
        stage.go_to(start.plus((end.0 - start.0) / 2));
        let pause = Pause { invoicing: Invoicing::Invoice, ..Pause::default() };
        let paused = pause_as(stage, &stage.who, &subscription.id, pause).await.unwrap();
        let invoice = stage.invoice(paused.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.total, invoice.status, invoice.ending_balance), (-500, InvoiceStatus::Paid, Some(-500)));
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, Resume::default()));
        assert_eq!(resumed.invoice.unwrap().amount_due, 500);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_paid_is_not_given_back() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let customer = stage.customer_named(&subscription.customer).await;
        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        stage.go_to(subscription.current_period_end);
        let Step::Billed(invoice) = step(stage, &subscription.id).await else { panic!("a period is due") };
        stage.collect(&invoice).await.unwrap();
        stage.pass(DAY);
        let paused = pause_as(stage, &stage.who, &subscription.id, Pause::default()).await.unwrap();
        assert_eq!(paused.status, Status::Paused);
        let unchanged =
            Resume { anchor: Anchor::Unchanged, proration_behavior: ProrationBehavior::None, ..Resume::default() };
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, unchanged));
        assert!(resumed.invoice.is_none());
        assert_eq!(resumed.subscription.status, Status::PastDue, "what it owed when it stopped, it still owes");
        let waiting = stage.number("select count(*) from invoice_item").await;
        assert_eq!(waiting, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_its_old_rhythm_it_costs_the_rest_of_the_period() {
    on_both(async |stage| {
        let always = Resume {
            anchor: Anchor::Unchanged,
            proration_behavior: ProrationBehavior::AlwaysInvoice,
            ..Resume::default()
        };
        // Paused with half of February's period left, which is given back; on again when half of the next is left.
        let subscription = stage.active().await;
        let half = |from: Seconds, to: Seconds| from.plus((to.0 - from.0) / 2);
        stage.go_to(half(at("2026-01-31"), at("2026-02-28")));
        pause_as(stage, &stage.who, &subscription.id, Pause::default()).await.unwrap();
        stage.go_to(half(at("2026-02-28"), at("2026-03-31")));
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &subscription.id, always));
        let invoice = resumed.invoice.unwrap();
        assert_eq!((amounts(&invoice), invoice.amount_due), (vec![-500, 500], 0));
        let after = resumed.subscription;
        assert_eq!((after.billing_cycle_anchor, after.cycle), (subscription.billing_cycle_anchor, 1));
        assert_eq!((after.current_period_start, after.current_period_end), (at("2026-02-28"), at("2026-03-31")));

        // Nothing was given back, and it is on again in the same period: that is paid.
        let other = stage.active().await;
        let keep = Pause { unused_time_from: UnusedTime::None, ..Pause::default() };
        pause_as(stage, &stage.who, &other.id, keep).await.unwrap();
        stage.pass(2 * DAY);
        let resumed = done!(stage, |tx| resume::resume(tx, &stage.who, &other.id, always));
        assert_eq!(resumed.invoice.map_or(0, |invoice| invoice.amount_due), 0);
        assert_eq!(resumed.subscription.current_period_end, other.current_period_end);
        let early = Resume { proration_date: Some(stage.now().plus(1)), ..always };
        pause_as(stage, &stage.who, &other.id, keep).await.unwrap();
        let error = refused!(stage, |tx| resume::resume(tx, &stage.who, &other.id, early));
        assert_eq!(field(&error), "proration_date");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_would_be_over_before_it_begins_is_dropped() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let end = subscription.current_period_end;
        scheduled_pause(stage, &subscription.id, Some(end.plus(5 * DAY))).await;
        stage.pass(20 * DAY);
        // The period ends later now than the pause would.
        let anew = SubscriptionUpdate { billing_cycle_anchor: Some(Anchor::Now), ..SubscriptionUpdate::default() };
        let updated = done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, anew.clone()));
        assert_eq!((updated.subscription.scheduled, updated.subscription.resumes_at), (None, None));
        let dropped = &all(stage, &subscription.id).await[0];
        assert_eq!((dropped.status, dropped.settled_at), (State::Dropped, Some(stage.now())));
    })
    .await;
}
