//! What time does to a subscription, one step at a time.

use billing::customer::payment_method;
use billing::cycle::{self, Step};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::subscription::create::Trial;
use billing::subscription::{
    self, CollectionMethod, MissingPaymentMethod, NewSubscription, Status, Subscription, SubscriptionUpdate,
    TrialSettings,
};
use billing::{Seconds, invoice};

use crate::support::{DAY, HOUR, Stage, at, done, kind, on_both, plan, refused};

async fn step(stage: &Stage, id: &str) -> Step {
    done!(stage, |tx| cycle::advance(tx, &stage.system(), id))
}

/// Steps until nothing is due, and collects what is to be collected.
async fn settle(stage: &Stage, id: &str) {
    loop {
        match step(stage, id).await {
            Step::Waiting => return,
            Step::Billed(invoice) if invoice.status == InvoiceStatus::Open && !invoice.attempted => {
                stage.collect(&invoice).await.unwrap();
            }
            _ => {}
        }
    }
}

async fn invoices(stage: &Stage, subscription: &Subscription) -> Vec<Invoice> {
    stage.invoices(&subscription.customer).await
}

fn starts(invoices: &[Invoice]) -> Vec<Seconds> {
    invoices.iter().map(|i| i.period_start).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_year_of_months_from_the_31st() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let days = "02-28 03-31 04-30 05-31 06-30 07-31 08-31 09-30 10-31 11-30 12-31";
        let mut days: Vec<_> = days.split(' ').map(|day| at(&format!("2026-{day}"))).collect();
        days.extend([at("2027-01-31"), at("2027-02-28")]);
        for day in &days {
            stage.go_to(day.plus(-1));
            assert!(matches!(step(stage, &subscription.id).await, Step::Told));
            assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
            stage.go_to(*day);
            settle(stage, &subscription.id).await;
        }
        let invoices = invoices(stage, &subscription).await;
        days.insert(0, at("2026-01-31"));
        assert_eq!(starts(&invoices), days);
        for (n, invoice) in invoices.iter().enumerate() {
            assert_eq!((invoice.status, invoice.amount_paid), (InvoiceStatus::Paid, 1000));
            assert!(invoice.number.as_ref().unwrap().ends_with(&format!("-{:04}", n + 1)));
            assert_eq!(invoice.billing_reason, if n == 0 { "subscription_create" } else { "subscription_cycle" });
            assert!(n == 0 || invoices[n - 1].period_end == invoice.period_start, "periods tile the time line");
            assert_eq!((invoice.lines[0].period_start, invoice.created), (invoice.period_start, invoice.period_start));
        }
        assert_eq!(stage.captured().await, 14_000);
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.current_period_start, after.current_period_end), (at("2027-02-28"), at("2027-03-31")));
        assert_eq!(after.items[0].current_period_end, at("2027-03-31"));
        assert_eq!((after.status, after.cycle, after.next_due), (Status::Active, 13, Some(at("2027-03-24"))));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_worker_makes_each_missed_period_once_and_in_order() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription {
            collection_method: CollectionMethod::SendInvoice,
            days_until_due: Some(14),
            ..plan(&customer, &price)
        };
        let subscription = stage.create(new).await.subscription;
        stage.go_to(at("2026-05-03"));
        for start in ["2026-02-28", "2026-03-31", "2026-04-30"] {
            let Step::Billed(invoice) = step(stage, &subscription.id).await else { panic!("a period is due") };
            assert_eq!((invoice.period_start, invoice.created), (at(start), at(start)));
            assert_eq!(invoice.due_date, Some(at(start).plus(14 * DAY)));
        }
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
        let made = invoices(stage, &subscription).await;
        assert_eq!(made.len(), 4);
        let updates = stage.events_of(&subscription.id).await;
        assert_eq!(updates.iter().filter(|e| *e == "customer.subscription.updated").count(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_ends_with_a_card_begins_to_cost() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let new = NewSubscription { trial: Trial::Days(14), ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        let end = subscription.trial_end.unwrap();
        stage.go_to(end);
        settle(stage, &subscription.id).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.cycle), (Status::Active, 0));
        assert_eq!((after.current_period_start, after.current_period_end), (end, at("2026-03-14")));
        assert_eq!(after.trial_end, Some(end));
        let invoices = invoices(stage, &subscription).await;
        assert_eq!(invoices.iter().map(|i| i.amount_paid).collect::<Vec<_>>(), [0, 1000]);
        assert_eq!(stage.captured().await, 1000);
    })
    .await;
}

async fn trial_without_card(stage: &Stage, setting: MissingPaymentMethod) -> Subscription {
    let (customer, price) = (stage.customer().await, stage.price(1000).await);
    let trial_settings = TrialSettings { missing_payment_method: setting };
    let new = NewSubscription { trial: Trial::Days(14), trial_settings, ..plan(&customer, &price) };
    let subscription = stage.subscribe(new).await;
    stage.go_to(subscription.trial_end.unwrap());
    subscription
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_ends_without_a_card_may_cancel() {
    on_both(async |stage| {
        let subscription = trial_without_card(stage, MissingPaymentMethod::Cancel).await;
        stage.pass(HOUR);
        assert!(matches!(step(stage, &subscription.id).await, Step::Ended));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.ended_at), (Status::Canceled, subscription.trial_end));
        assert_eq!(after.cancellation_details.reason.as_deref(), Some("payment_failed"));
        assert_eq!(stage.events_of(&after.id).await.last().unwrap(), "customer.subscription.deleted");
        assert_eq!(invoices(stage, &after).await.len(), 1);
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_ends_without_a_card_may_pause() {
    on_both(async |stage| {
        let subscription = trial_without_card(stage, MissingPaymentMethod::Pause).await;
        assert!(matches!(step(stage, &subscription.id).await, Step::Paused));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.paused_at, after.next_due), (Status::Paused, subscription.trial_end, None));
        assert_eq!(stage.events_of(&after.id).await.last().unwrap(), "customer.subscription.paused");
        stage.pass(365 * DAY);
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
        assert_eq!(invoices(stage, &after).await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trial_that_ends_without_a_card_may_owe() {
    on_both(async |stage| {
        let subscription = trial_without_card(stage, MissingPaymentMethod::CreateInvoice).await;
        let Step::Billed(invoice) = step(stage, &subscription.id).await else { panic!("an invoice is made") };
        assert_eq!((invoice.status, invoice.attempted), (InvoiceStatus::Open, true));
        assert_eq!(*invoice, stage.invoice(&invoice.id).await);
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.latest_invoice), (Status::PastDue, Some(invoice.id.clone())));
        assert_eq!(stage.events_of(&invoice.id).await.last().unwrap(), "invoice.payment_failed");
        assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "resource_missing");

        let customer = stage.customer_named(&after.customer).await;
        let method = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &method).await;
        stage.collect(&invoice).await.unwrap();
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_declined_is_past_due_until_it_is_paid() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let customer = stage.customer_named(&subscription.customer).await;
        let bad = stage.method(&customer, "pm_card_chargeDeclined").await;
        stage.set_default(&customer, &bad).await;
        stage.go_to(at("2026-02-28"));
        settle(stage, &subscription.id).await;
        let behind = stage.subscription(&subscription.id).await;
        assert_eq!(behind.status, Status::PastDue);
        let invoice = stage.invoice(behind.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.status, invoice.attempt_count), (InvoiceStatus::Open, 1));

        stage.go_to(at("2026-03-31"));
        settle(stage, &subscription.id).await;
        let latest = stage.subscription(&subscription.id).await.latest_invoice.unwrap();
        let good = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&stage.customer_named(&customer.id).await, &good).await;
        stage.collect(&invoice).await.unwrap();
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue, "the latest one is not paid");
        stage.collect(&stage.invoice(&latest).await).await.unwrap();
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::Active);
        assert_eq!(stage.captured().await, 3000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_with_no_method_left_is_past_due() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let method = stage.customer_named(&subscription.customer).await.default_payment_method.unwrap();
        done!(stage, |tx| payment_method::detach(tx, &stage.who, &method));
        stage.go_to(at("2026-02-28"));
        settle(stage, &subscription.id).await;
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancellation_takes_effect_at_the_end_of_the_period() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let flag = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, flag.clone()));
        let asked = stage.now();
        stage.go_to(at("2026-02-28").plus(-1));
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
        stage.go_to(at("2026-06-30"));
        assert!(matches!(step(stage, &subscription.id).await, Step::Ended));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.ended_at), (Status::Canceled, Some(at("2026-02-28"))));
        assert_eq!((after.canceled_at, after.cancel_at_period_end), (Some(asked), true));
        assert_eq!(invoices(stage, &after).await.len(), 1);
        let said = stage.events_of(&after.id).await;
        assert_eq!(said.iter().filter(|e| *e == "customer.subscription.deleted").count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_date_to_cancel_at_comes_periods_later_or_in_the_middle_of_one() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let new = NewSubscription { cancel_at: Some(at("2026-03-15")), ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        stage.go_to(at("2026-12-01"));
        settle(stage, &subscription.id).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.ended_at), (Status::Canceled, Some(at("2026-03-15"))));
        assert_eq!(starts(&invoices(stage, &after).await), [at("2026-01-31"), at("2026-02-28")]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn canceling_a_trial_ends_it_with_the_trial_and_costs_nothing() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let new = NewSubscription { trial: Trial::Days(14), cancel_at_period_end: true, ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        stage.go_to(at("2026-03-01"));
        settle(stage, &subscription.id).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.ended_at), (Status::Canceled, subscription.trial_end));
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unpaid_start_expires_after_23_hours_and_owes_nothing() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        stage.pass(23 * HOUR - 1);
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
        stage.pass(1);
        assert!(matches!(step(stage, &subscription.id).await, Step::Expired));
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.next_due), (Status::IncompleteExpired, None));
        let invoice = stage.invoice(after.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.status, invoice.voided_at), (InvoiceStatus::Void, Some(stage.now())));
        assert_eq!(stage.events_of(&invoice.id).await.last().unwrap(), "invoice.voided");
        assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "invoice_not_open");
        assert!(matches!(step(stage, &subscription.id).await, Step::Waiting));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_expires_too_where_the_merchant_voided_its_invoice() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let subscription = stage.subscribe(plan(&customer, &price)).await;
        let invoice = subscription.latest_invoice.unwrap();
        done!(stage, |tx| invoice::void(tx, &stage.who, &invoice, stage.now()));
        let error = refused!(stage, |tx| invoice::void(tx, &stage.who, &invoice, stage.now()));
        assert_eq!(kind(&error), "invoice_not_open");
        stage.pass(23 * HOUR);
        assert!(matches!(step(stage, &subscription.id).await, Step::Expired));
        assert_eq!(stage.events_of(&invoice).await.iter().filter(|e| *e == "invoice.voided").count(), 1);
    })
    .await;
}
