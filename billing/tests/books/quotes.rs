//! Quotes: confirmed, they charge exactly what they said; else they are made anew.

use billing::catalog::price;
use billing::customer::{self, CustomerUpdate};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::quote::{self, Change, Confirmed, Done, Quote};
use billing::subscription::cancel::Cancellation;
use billing::subscription::create::PaymentBehavior;
use billing::subscription::pause::Pause;
use billing::subscription::resume::Resume;
use billing::subscription::{self, ItemChange, ProrationBehavior, Status, Subscription, SubscriptionUpdate};
use billing::{Actor, Patch};

use crate::changes::{HALF, at_once, by, count, since_april, switch};
use crate::previews::books;
use crate::support::{DAY, MINUTE, Stage, at, done, field, kind, on_both, plan, refused};

pub async fn make(stage: &Stage, who: &Actor, change: &Change) -> Quote {
    let before = books(stage).await;
    let quote = done!(stage, |tx| quote::make(tx, who, change.clone()));
    assert_eq!(books(stage).await, before, "a quote writes nothing");
    quote
}

pub async fn confirm(stage: &Stage, who: &Actor, token: &str) -> Confirmed {
    done!(stage, |tx| quote::confirm(tx, who, token))
}

async fn confirmed(stage: &Stage, who: &Actor, quote: &Quote) -> Done {
    let Confirmed::Done(done) = confirm(stage, who, &quote.token).await else { panic!("it is stale") };
    done
}

/// Confirms it after a while, and holds the invoice that it makes against what was quoted.
async fn as_quoted(stage: &Stage, who: &Actor, change: &Change) -> (Quote, Subscription) {
    let quote = make(stage, who, change).await;
    stage.pass(9 * MINUTE);
    let done = confirmed(stage, who, &quote).await;
    let made = match &done.invoice {
        Some(id) => Some(stage.invoice(id).await),
        None => None,
    };
    assert_eq!(made.as_ref().map(money), quote.invoice.as_ref().map(money));
    if done.collect {
        let paid = stage.collect(&made.unwrap()).await.unwrap();
        assert_eq!((paid.status, paid.amount_paid), (InvoiceStatus::Paid, quote.due_now()));
    }
    (quote, stage.subscription(&done.subscription).await)
}

async fn stale(stage: &Stage, who: &Actor, quote: &Quote) -> Quote {
    let before = books(stage).await;
    let Confirmed::Stale(fresh) = confirm(stage, who, &quote.token).await else { panic!("it still holds good") };
    assert_eq!(books(stage).await, before, "a stale quote changes nothing");
    *fresh
}

async fn start(stage: &Stage) -> (Actor, Change) {
    let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
    let mut new = plan(&customer, &price);
    new.items[0].quantity = Some(3);
    (stage.portal(&customer), Change::Start(Box::new(new)))
}

fn update(subscription: &Subscription, update: SubscriptionUpdate) -> Change {
    Change::Update { subscription: subscription.id.clone(), update: Box::new(update) }
}

async fn guest(stage: &Stage, subscription: &Subscription) -> Actor {
    stage.portal(&stage.customer_named(&subscription.customer).await)
}

/// All that an invoice says of money.
pub type Said = (Vec<(String, i64, i64, i64, i64)>, [i64; 6]);

pub fn money(invoice: &Invoice) -> Said {
    let lines = invoice.lines.iter();
    let lines = lines.map(|l| (l.description.clone(), l.quantity, l.amount, l.discount, l.tax)).collect();
    let i = invoice;
    (lines, [i.subtotal, i.discount, i.tax, i.total, i.starting_balance, i.amount_due])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_purchase_costs_what_was_quoted_and_a_token_buys_once() {
    on_both(async |stage| {
        let (me, change) = start(stage).await;
        let (quote, bought) = as_quoted(stage, &me, &change).await;
        // Whoever confirms pays, so there is a renewal.
        let renewal = quote.renewal.as_ref().unwrap();
        assert_eq!((quote.due_now(), renewal.amount_due, renewal.created), (3000, 3000, bought.current_period_end));
        assert_eq!(bought.status, Status::Active);
        stage.pass(MINUTE * 60);
        let again = confirmed(stage, &me, &quote).await;
        assert_eq!((again.subscription, again.invoice), (bought.id, bought.latest_invoice));
        assert_eq!(stage.number("select count(*) from subscription").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_change_costs_what_was_quoted() {
    on_both(async |stage| {
        let running = since_april(stage, |new| new).await;
        let me = guest(stage, &running).await;
        stage.go_to(at("2026-04-01").plus(HALF));
        // Two more, prorated at once: half of 20.00.
        let (quote, three) = as_quoted(stage, &me, &update(&running, at_once(count(&running, 3)))).await;
        assert_eq!((quote.due_now(), quote.renewal.unwrap().amount_due), (1000, 3000));
        // Fewer with the next invoice: what waits for it is said.
        let later = by(ProrationBehavior::CreateProrations, count(&three, 1));
        let (quote, one) = as_quoted(stage, &me, &update(&three, later)).await;
        let waiting: Vec<i64> = quote.waiting.iter().map(|item| item.amount).collect();
        assert_eq!((quote.invoice.is_none(), quote.due_now(), waiting.len()), (true, 0, 2));
        assert_eq!(quote.renewal.unwrap().total, 1000 + waiting.iter().sum::<i64>());
        // Another plan, when the period ends.
        let price = stage.price(500).await;
        let items = switch(&one, &price).items;
        let scheduled = Change::Schedule { subscription: one.id.clone(), items };
        let (quote, planned) = as_quoted(stage, &me, &scheduled).await;
        assert_eq!((quote.due_now(), quote.renewal.unwrap().subtotal), (0, 500 + waiting.iter().sum::<i64>()));
        assert!(planned.scheduled.is_some());
        // A pause, its end, and the end of it all.
        let pause = Change::Pause { subscription: one.id.clone(), pause: Pause::default() };
        let (quote, paused) = as_quoted(stage, &me, &pause).await;
        assert_eq!((quote.waiting.len(), quote.renewal.is_none(), paused.status), (1, true, Status::Paused));
        let resume = Change::Resume { subscription: one.id.clone(), resume: Resume::default() };
        let (_, resumed) = as_quoted(stage, &me, &resume).await;
        assert_eq!(resumed.status, Status::Active);
        let end = Cancellation { prorate: true, invoice_now: true, ..Cancellation::default() };
        let (quote, ended) =
            as_quoted(stage, &me, &Change::Cancel { subscription: one.id.clone(), cancellation: end }).await;
        assert!(quote.invoice.unwrap().total < 0 && quote.renewal.is_none());
        assert_eq!(ended.status, Status::Canceled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_waits_for_its_payment_is_quoted_as_paid() {
    on_both(async |stage| {
        let running = since_april(stage, |new| new).await;
        let me = guest(stage, &running).await;
        stage.go_to(at("2026-04-01").plus(HALF));
        let waits = SubscriptionUpdate {
            payment_behavior: Some(PaymentBehavior::PendingIfIncomplete),
            ..at_once(count(&running, 3))
        };
        let (quote, after) = as_quoted(stage, &me, &update(&running, waits)).await;
        assert_eq!((quote.due_now(), quote.renewal.unwrap().amount_due), (1000, 3000));
        assert_eq!((after.items[0].quantity, after.pending_update), (3, None));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_cost_something_else_is_quoted_anew() {
    on_both(async |stage| {
        let (me, change) = start(stage).await;
        let quote = make(stage, &me, &change).await;
        stage.pass(10 * MINUTE);
        let fresh = stale(stage, &me, &quote).await;
        assert_eq!(fresh.due_now(), 3000);
        // A credit is entered in between.
        let customer = me.customer().unwrap().to_owned();
        let credit = CustomerUpdate { balance: Some(-500), ..CustomerUpdate::default() };
        done!(stage, |tx| customer::update(tx, &stage.who, &customer, credit.clone()));
        let less = stale(stage, &me, &fresh).await;
        assert_eq!(less.due_now(), 2500);
        assert_eq!(stage.number("select count(*) from subscription").await, 0);
        confirmed(stage, &me, &less).await;
        assert_eq!(stage.number("select count(*) from subscription").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_in_between_makes_it_stale() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let me = guest(stage, &subscription).await;
        let ends = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        let change = update(&subscription, ends);
        let quote = make(stage, &me, &change).await;
        assert_eq!((quote.due_now(), quote.renewal.is_none()), (0, true));
        let told = SubscriptionUpdate { description: Patch::Set("x".into()), ..SubscriptionUpdate::default() };
        done!(stage, |tx| subscription::update::update(tx, &stage.who, &subscription.id, told.clone()));
        let fresh = stale(stage, &me, &quote).await;
        confirmed(stage, &me, &fresh).await;
        let after = stage.subscription(&subscription.id).await;
        assert_eq!((after.status, after.cancel_at_period_end), (Status::Active, true));
        // Of two quotes for the same, the second is stale once the first is confirmed.
        let back = SubscriptionUpdate { cancel_at_period_end: Some(false), ..SubscriptionUpdate::default() };
        let change = update(&subscription, back);
        let (one, other) = (make(stage, &me, &change).await, make(stage, &me, &change).await);
        confirmed(stage, &me, &one).await;
        stale(stage, &me, &other).await;
        // What comes later is quoted, too: an item that waits for the next invoice changes what that will cost.
        let quote = make(stage, &me, &update(&subscription, at_once(count(&subscription, 1)))).await;
        let price = stage.price_of(&stage.who, 300, None).await;
        let item = billing::invoice::item::edit::NewInvoiceItem {
            customer: subscription.customer.clone(),
            subscription: Some(subscription.id.clone()),
            invoice: None,
            currency: None,
            fields: billing::invoice::item::edit::InvoiceItemUpdate {
                worth: Some(billing::invoice::item::edit::Worth::Price(price.id)),
                ..Default::default()
            },
        };
        done!(stage, |tx| billing::invoice::item::edit::create(tx, &stage.who, item.clone()));
        assert_eq!(stale(stage, &me, &quote).await.renewal.unwrap().total, 1300);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_done_no_more_is_refused_and_changes_nothing() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let me = guest(stage, &subscription).await;
        let price = stage.price(2000).await;
        let quote = make(stage, &me, &update(&subscription, at_once(switch(&subscription, &price)))).await;
        let archived = price::PriceUpdate { active: Some(false), ..price::PriceUpdate::default() };
        done!(stage, |tx| price::update(tx, &stage.who, &price.id, archived.clone()));
        let before = books(stage).await;
        let error = refused!(stage, |tx| quote::confirm(tx, &me, &quote.token));
        assert_eq!(field(&error), "items[0][price]");
        assert_eq!(books(stage).await, before);
        let change = Change::Resume { subscription: subscription.id.clone(), resume: Resume::default() };
        let error = refused!(stage, |tx| quote::make(tx, &me, change.clone()));
        assert_eq!(kind(&error), "subscription_not_paused");
        let other = ItemChange { id: Some("si_no".into()), ..ItemChange::default() };
        let change = Change::Schedule { subscription: subscription.id.clone(), items: vec![other] };
        assert_eq!(field(&refused!(stage, |tx| quote::make(tx, &me, change.clone()))), "items[0][id]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_for_its_session_and_not_to_be_forged() {
    on_both(async |stage| {
        let (me, change) = start(stage).await;
        let token = make(stage, &me, &change).await.token;
        let own = stage.customer_named(me.customer().unwrap()).await;
        let elsewhere = stage.guest(&own, "bps_other", false);
        let mut bytes = token.clone().into_bytes();
        let last = bytes.len() / 2;
        bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(bytes).unwrap();
        for (who, token) in [(&elsewhere, &token), (&stage.who, &token), (&stage.stranger, &token), (&me, &forged)] {
            assert_eq!(field(&refused!(stage, |tx| quote::confirm(tx, who, token))), "token");
        }
        assert_eq!(stage.number("select count(*) from subscription").await, 0);
        // Nobody is quoted what is not theirs.
        let subscription = stage.active().await;
        let theirs = update(&subscription, count(&subscription, 2));
        assert_eq!(field(&refused!(stage, |tx| quote::make(tx, &me, theirs.clone()))), "subscription");
        let Change::Start(mut new) = change else { panic!() };
        new.customer = subscription.customer;
        let theirs = Change::Start(new);
        assert_eq!(field(&refused!(stage, |tx| quote::make(tx, &me, theirs.clone()))), "customer");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_twice_at_once_it_is_done_once() {
    on_both(async |stage| {
        let (me, change) = start(stage).await;
        let token = make(stage, &me, &change).await.token;
        let (one, other) =
            tokio::join!(async { billing::transact!(stage.db, |tx| quote::confirm(tx, &me, &token).await) }, async {
                billing::transact!(stage.db, |tx| quote::confirm(tx, &me, &token).await)
            },);
        let ids = [one, other].map(|confirmed| match confirmed.unwrap() {
            Confirmed::Done(done) => done.subscription,
            Confirmed::Stale(_) => panic!("it is stale"),
        });
        assert_eq!((&ids[0], stage.number("select count(*) from subscription").await), (&ids[1], 1));
        stage.pass(DAY);
        assert_eq!(
            confirmed(stage, &me, &Quote { token, ..make(stage, &me, &change).await }).await.subscription,
            ids[0]
        );
    })
    .await;
}
