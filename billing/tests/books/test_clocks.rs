//! Test clocks: billing time that moves only when somebody says so, through all that is due on the way.

use std::sync::Arc;

use billing::customer::{self, Customer, CustomerFilter, CustomerUpdate};
use billing::gateway::PaymentGateway;
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::period::{Interval, Recurring};
use billing::subscription::create::Trial;
use billing::subscription::{
    self, MissingPaymentMethod, NewSubscription, Status, StatusFilter, Subscription, SubscriptionFilter, TrialSettings,
};
use billing::test_clock::{self, Status as ClockStatus, TestClock};
use billing::{Actor, Page, Seconds, Tenant, job, work};

use crate::support::{DAY, HOUR, Stage, at, done, field, kind, on_both, plan, refused, seen};

impl Stage {
    async fn test_clock(&self, time: Seconds) -> TestClock {
        done!(self, |tx| test_clock::create(tx, &self.who, time, Some("Years".into())))
    }

    async fn on_clock(&self, clock: &TestClock, test_method: Option<&str>) -> Customer {
        let new = CustomerUpdate { test_clock: Some(clock.id.clone()), ..CustomerUpdate::default() };
        let customer = done!(self, |tx| customer::create(tx, &self.who, new.clone()));
        match test_method {
            Some(name) => {
                let method = self.method(&customer, name).await;
                self.set_default(&customer, &method).await
            }
            None => customer,
        }
    }

    async fn clock_named(&self, id: &str) -> TestClock {
        seen!(self, |tx| test_clock::get(tx, &self.who, id))
    }

    /// Moves a clock, and does a worker's work until it stands.
    async fn move_to(&self, clock: &TestClock, to: Seconds) -> TestClock {
        let moved = done!(self, |tx| test_clock::advance(tx, &self.who, &clock.id, to));
        assert_eq!((moved.status, moved.target_time), (ClockStatus::Advancing, Some(to)));
        let gateway: Arc<dyn PaymentGateway> = self.sandbox.clone();
        let job = billing::transact!(self.db, |tx| job::claim(tx).await).unwrap().expect("the clock's job");
        while test_clock::tick(&self.db, &gateway, &self.system(), &clock.id, &job.id).await.unwrap() {}
        let clock = self.clock_named(&clock.id).await;
        assert_eq!((clock.status, clock.frozen_time, clock.target_time), (ClockStatus::Ready, to, None));
        clock
    }

    async fn bills(&self, subscription: &Subscription) -> Vec<Invoice> {
        self.invoices(&subscription.customer).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_years_pass_in_order_at_their_own_instants() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-31")).await;
        let customer = stage.on_clock(&clock, Some("pm_card_visa")).await;
        assert_eq!((customer.created, customer.clock_id.as_ref()), (at("2027-01-31"), Some(&clock.id)));
        let price = stage.price(1000).await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        assert_eq!((subscription.status, subscription.created), (Status::Active, at("2027-01-31")));
        let ordinary = stage.active().await;
        let clock = stage.move_to(&clock, at("2030-02-01")).await;
        let monthly = Recurring { interval: Interval::Month, count: 1 };
        let days: Vec<Seconds> = (0..=36).map(|n| monthly.start_of(at("2027-01-31"), n).unwrap()).collect();
        let bills = stage.bills(&subscription).await;
        assert_eq!(bills.iter().map(|bill| bill.period_start).collect::<Vec<_>>(), days);
        for bill in &bills {
            assert_eq!((bill.status, bill.clock_id.as_ref()), (InvoiceStatus::Paid, Some(&clock.id)));
            assert_eq!((bill.created, bill.paid_at), (bill.period_start, Some(bill.period_start)), "then, not now");
        }
        assert_eq!(stage.subscription(&subscription.id).await.current_period_end, at("2030-02-28"));
        assert_eq!(stage.bills(&ordinary).await.len(), 1, "others live in their own time");
        assert_eq!(stage.agreed().await, 38_000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_workers_leave_what_runs_on_a_clock_alone() {
    on_both(async |stage| {
        let clock = stage.test_clock(stage.now()).await;
        let customer = stage.on_clock(&clock, Some("pm_card_chargeDeclined")).await;
        let price = stage.price(1000).await;
        let trial = NewSubscription { trial: Trial::Days(14), ..plan(&customer, &price) };
        let subscription = stage.subscribe(trial).await;
        stage.move_to(&clock, stage.now().plus(15 * DAY)).await;
        let behind = stage.subscription(&subscription.id).await;
        assert_eq!(behind.status, Status::PastDue);
        stage.pass(400 * DAY);
        let gateway: Arc<dyn PaymentGateway> = stage.sandbox.clone();
        assert!(!work::one(&stage.db, &gateway).await.unwrap());
        assert_eq!(stage.subscription(&subscription.id).await, behind);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dunning_keeps_its_days_on_a_clock() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-10")).await;
        let customer = stage.on_clock(&clock, Some("pm_card_visa")).await;
        let price = stage.price(1000).await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        let clock = stage.move_to(&clock, at("2027-02-12")).await;
        let behind = stage.subscription(&subscription.id).await;
        let invoice = stage.invoice(behind.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((behind.status, invoice.attempt_count), (Status::PastDue, 2));
        assert_eq!(invoice.next_payment_attempt, Some(at("2027-02-13")));
        stage.move_to(&clock, at("2027-06-01")).await;
        let ended = stage.subscription(&subscription.id).await;
        assert_eq!((ended.status, ended.ended_at), (Status::Canceled, Some(at("2027-02-24"))));
        assert_eq!(stage.invoice(&invoice.id).await.attempt_count, 8);
        assert_eq!(stage.bills(&subscription).await.len(), 2, "nothing is billed after the end");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn trials_end_as_they_are_set() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-10")).await;
        let price = stage.price(1000).await;
        let mut each = Vec::new();
        let ends = [
            (Some("pm_card_visa"), MissingPaymentMethod::Cancel, Status::Active),
            (None, MissingPaymentMethod::Cancel, Status::Canceled),
            (None, MissingPaymentMethod::Pause, Status::Paused),
            (None, MissingPaymentMethod::CreateInvoice, Status::PastDue),
        ];
        for (method, setting, end) in ends {
            let customer = stage.on_clock(&clock, method).await;
            let trial_settings = TrialSettings { missing_payment_method: setting };
            let new = NewSubscription { trial: Trial::Days(7), trial_settings, ..plan(&customer, &price) };
            each.push((stage.subscribe(new).await, end));
        }
        stage.move_to(&clock, at("2027-01-17").plus(HOUR)).await;
        for (subscription, end) in each {
            let after = stage.subscription(&subscription.id).await;
            assert_eq!(after.status, end);
            let told = stage.rows::<(String, i64)>("select object_id, count(*) from event where type = 'customer.subscription.trial_will_end' group by object_id").await;
            assert!(told.contains(&(subscription.id.clone(), 1)));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_moves_forward_once_at_a_time() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-10")).await;
        for wrong in [at("2027-01-10"), at("2026-01-10"), at("2040-01-10")] {
            let error = refused!(stage, |tx| test_clock::advance(tx, &stage.who, &clock.id, wrong));
            assert_eq!(field(&error), "frozen_time");
        }
        done!(stage, |tx| test_clock::advance(tx, &stage.who, &clock.id, at("2027-02-10")));
        let error = refused!(stage, |tx| test_clock::advance(tx, &stage.who, &clock.id, at("2027-03-10")));
        assert_eq!(kind(&error), "test_clock_not_ready");
        let strange = refused!(stage, |tx| test_clock::get(tx, &stage.stranger, &clock.id));
        assert_eq!(kind(&strange), "missing");
        let error = refused!(stage, |tx| test_clock::create(tx, &stage.who, Seconds(-1), None));
        assert_eq!(field(&error), "frozen_time");
        let live = Actor { tenant: Tenant { livemode: true, ..stage.who.tenant.clone() }, ..stage.who.clone() };
        let error = refused!(stage, |tx| test_clock::create(tx, &live, at("2027-01-10"), None));
        assert_eq!(kind(&error), "forbidden");
        let told = stage.events_of(&clock.id).await;
        assert_eq!(told, ["test_helpers.test_clock.created", "test_helpers.test_clock.advancing"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_takes_its_customers_with_it() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-10")).await;
        let customer = stage.on_clock(&clock, Some("pm_card_visa")).await;
        let price = stage.price(1000).await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let other = stage.active().await;
        done!(stage, |tx| test_clock::delete(tx, &stage.who, &clock.id));
        assert_eq!(kind(&refused!(stage, |tx| test_clock::get(tx, &stage.who, &clock.id))), "missing");
        assert_eq!(kind(&refused!(stage, |tx| customer::get(tx, &stage.who, &customer.id))), "missing");
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Canceled);
        assert_eq!(stage.subscription(&other.id).await.status, Status::Active);
        let new = CustomerUpdate { test_clock: Some(clock.id.clone()), ..CustomerUpdate::default() };
        assert_eq!(field(&refused!(stage, |tx| customer::create(tx, &stage.who, new.clone()))), "test_clock");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_leave_out_what_runs_on_a_clock_unless_it_is_asked_for() {
    on_both(async |stage| {
        let clock = stage.test_clock(at("2027-01-10")).await;
        let customer = stage.on_clock(&clock, Some("pm_card_visa")).await;
        let price = stage.price(1000).await;
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let other = stage.active().await;
        let (page, on) = (Page::first(10), Some(clock.id.clone()));
        let customers = async |test_clock: Option<String>| {
            let filter = CustomerFilter { test_clock, ..CustomerFilter::default() };
            let listed = seen!(stage, |tx| customer::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|customer| customer.id).collect::<Vec<_>>()
        };
        assert_eq!(customers(None).await, [other.customer.clone()]);
        assert_eq!(customers(on.clone()).await, [customer.id.clone()]);
        let subscriptions = async |customer: Option<String>, test_clock: Option<String>| {
            let filter = SubscriptionFilter { customer, test_clock, status: StatusFilter::All, price: None };
            let listed = seen!(stage, |tx| subscription::list(tx, &stage.who, &page, &filter));
            listed.data.into_iter().map(|subscription| subscription.id).collect::<Vec<_>>()
        };
        assert_eq!(subscriptions(None, None).await, [other.id.clone()]);
        assert_eq!(subscriptions(None, on).await, [subscription.id.clone()]);
        assert_eq!(subscriptions(Some(customer.id), None).await, [subscription.id]);
    })
    .await;
}
