//! The demo: every state has its customer, with a history that the operations made, and a second run makes nothing.

use std::collections::BTreeMap;

use billing::catalog::price;
use billing::customer::{self, TaxExempt};
use billing::invoice::{self, InvoiceFilter, Status as Paid};
use billing::subscription::scheduled::Kind;
use billing::subscription::{self, Status, StatusFilter, Subscription, SubscriptionFilter};
use billing::{Actor, Clock, Page, Tx, directory};
use server::commands::{check, connect, demo};
use server::config::Settings;

use crate::support::settings;

const DAY: i64 = 24 * 60 * 60;

struct Demo {
    tx: Tx,
    who: Actor,
    customers: BTreeMap<&'static str, String>,
}

impl Demo {
    /// Newest first.
    async fn subscriptions(&mut self, state: &str) -> Vec<Subscription> {
        let customer = Some(self.customers[state].clone());
        let filter = SubscriptionFilter { customer, status: StatusFilter::All, ..Default::default() };
        subscription::list(&mut self.tx, &self.who, &Page::first(100), &filter).await.unwrap().data
    }

    async fn invoices(&mut self, state: &str) -> Vec<invoice::Invoice> {
        let filter = InvoiceFilter { customer: Some(self.customers[state].clone()), ..Default::default() };
        invoice::list(&mut self.tx, &self.who, &Page::first(100), &filter).await.unwrap().data
    }
}

async fn open(settings: &Settings, made: &demo::Made) -> Demo {
    let db = connect(settings, Clock::system()).await.unwrap();
    let mut tx = db.read().await.unwrap();
    let who = Actor::system(directory::tenant(&mut tx, &made.merchant, false).await.unwrap(), "test");
    Demo { tx, who, customers: made.customers.iter().cloned().collect() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let at = Settings { database_url: format!("sqlite://{}/books.db", folder.path().display()), ..settings() };
    let made = Box::pin(demo::make(&at)).await.unwrap();
    every_state_has_its_customer(&mut open(&at, &made).await).await;
    the_histories_are_what_the_operations_make_of_two_years(&mut open(&at, &made).await).await;
    a_second_run_makes_nothing(&at, &made).await;
    a_crowd_comes_with_a_year_of_paid_invoices(&at, &made).await;
    check::run(&at, &check::Options { at_rest: true }).await.unwrap();
}

async fn a_second_run_makes_nothing(at: &Settings, made: &demo::Made) {
    let again = Box::pin(demo::make(at)).await.unwrap();
    assert_eq!(
        (&again.merchant, &again.secret_key, &again.customers),
        (&made.merchant, &made.secret_key, &made.customers)
    );
    assert_ne!(again.portal_url, made.portal_url);
}

async fn every_state_has_its_customer(demo: &mut Demo) {
    let states = [
        ("active", Status::Active),
        ("trialing", Status::Trialing),
        ("scheduled_to_cancel", Status::Active),
        ("scheduled_to_change", Status::Active),
        ("past_due", Status::PastDue),
        ("unpaid", Status::Unpaid),
        ("incomplete", Status::Incomplete),
        ("incomplete_expired", Status::IncompleteExpired),
        ("paused", Status::Paused),
        ("canceled", Status::Canceled),
        ("yearly", Status::Active),
        ("tiered", Status::Active),
        ("discounted", Status::Active),
        ("tax_exempt", Status::Active),
        ("reverse_charge", Status::Active),
        ("taxed", Status::Active),
        ("yen", Status::Active),
        ("invoiced", Status::Active),
        ("mobile_money", Status::Active),
    ];
    for (state, status) in states {
        let found = demo.subscriptions(state).await;
        assert_eq!(found.iter().map(|s| s.status).collect::<Vec<_>>(), [status], "{state}");
        assert!(found[0].parked_at.is_none());
    }
    assert!(demo.subscriptions("no_subscription").await.is_empty());
    assert_eq!(demo.subscriptions("several_subscriptions").await.len(), 2);
    assert_eq!(demo.customers.len(), states.len() + 2);

    let canceling = &demo.subscriptions("scheduled_to_cancel").await[0];
    assert!(canceling.cancel_at_period_end && canceling.cancel_at == Some(canceling.current_period_end));
    let changing = &demo.subscriptions("scheduled_to_change").await[0];
    assert_eq!(changing.scheduled.as_ref().map(|change| change.kind), Some(Kind::Update));
    assert!(demo.subscriptions("paused").await[0].resumes_at.is_some());
}

async fn the_histories_are_what_the_operations_make_of_two_years(demo: &mut Demo) {
    let now = demo.tx.now.seconds();

    let bills = demo.invoices("active").await;
    assert!(bills.len() >= 25 && bills.iter().all(|i| i.status == Paid::Paid), "{}", bills.len());
    assert!(bills.last().is_some_and(|first| first.created <= now.plus(-730 * DAY)));
    assert!(bills.iter().any(|i| i.billing_reason == "subscription_update"));
    assert!(bills.windows(2).all(|pair| pair[0].created >= pair[1].created && pair[0].number > pair[1].number));

    let owed = demo.invoices("past_due").await;
    assert_eq!((owed[0].status, owed[0].attempted), (Paid::Open, true));
    assert!(owed[0].next_payment_attempt.is_some_and(|next| next > now), "it is tried again");
    assert_eq!(demo.invoices("invoiced").await.iter().map(|i| i.status).collect::<Vec<_>>(), [Paid::Open, Paid::Paid]);
    assert!(demo.invoices("taxed").await.iter().all(|i| i.tax * 100 == i.subtotal * 19));
    for untaxed in ["tax_exempt", "reverse_charge"] {
        assert!(demo.invoices(untaxed).await.iter().all(|i| i.tax == 0 && i.bill_to.tax_ids.len() == 1), "{untaxed}");
    }
    assert!(demo.invoices("discounted").await.iter().any(|i| i.discount * 5 == i.subtotal));
    assert!(demo.invoices("yen").await.iter().all(|i| i.currency.code() == "jpy" && i.total == 7_400));

    let exempt = demo.customers["reverse_charge"].clone();
    let exempt = customer::get(&mut demo.tx, &demo.who, &exempt).await.unwrap();
    assert_eq!(exempt.tax_exempt, TaxExempt::Reverse);
    let tiered = &demo.subscriptions("tiered").await[0];
    assert!(tiered.items.iter().any(|item| item.price.tiers.is_some()));
    let prices = price::list(&mut demo.tx, &demo.who, &Page::first(100), &Default::default()).await.unwrap().data;
    let lengths: Vec<&str> = prices.iter().filter_map(|p| p.interval).map(|interval| interval.name()).collect();
    assert!(lengths.contains(&"month") && lengths.contains(&"year"));
}

async fn a_crowd_comes_with_a_year_of_paid_invoices(at: &Settings, made: &demo::Made) {
    for (many, due) in [(24, false), (12, true)] {
        Box::pin(demo::gather(at, &made.merchant, many, due)).await.unwrap();
    }
    let mut demo = open(at, made).await;
    let now = demo.tx.now.seconds();
    let all = customer::list(&mut demo.tx, &demo.who, &Page::first(100), &Default::default()).await.unwrap().data;
    let crowd: Vec<_> = all.into_iter().filter(|customer| customer.external_id.is_none()).collect();
    assert_eq!(crowd.len(), 36);
    let mut due = 0;
    for one in crowd {
        demo.customers.insert("one", one.id);
        let bills = demo.invoices("one").await;
        assert_eq!(bills.iter().map(|i| i.status).collect::<Vec<_>>(), [Paid::Paid; 12]);
        let found = demo.subscriptions("one").await;
        assert_eq!(found.iter().map(|s| s.status).collect::<Vec<_>>(), [Status::Active]);
        due += usize::from(found[0].next_due.is_some_and(|next| next <= now));
    }
    assert_eq!(due, 12);
}
