//! The customer's balance: adjusted by hand, used up and filled by invoices, never in another currency.

use billing::customer::balance::{self, Adjustment, BalanceTransaction, Kind};
use billing::customer::{self, Customer, CustomerUpdate};
use billing::invoice::{self, Invoice, Status};
use billing::subscription::{CollectionMethod, NewSubscription, Status as SubscriptionStatus};
use billing::{Currency, Page, Patch};

use crate::support::{DAY, Stage, done, field, kind, on_both, plan, refused, seen};

async fn adjust(stage: &Stage, customer: &str, amount: i64, currency: &str) -> BalanceTransaction {
    let currency = Currency::parse(currency, "currency").unwrap();
    let new = Adjustment { amount, currency, description: Patch::Keep, metadata: Patch::Keep };
    done!(stage, |tx| balance::adjust(tx, &stage.who, customer, new.clone()))
}

/// A sent invoice over so much, finalised.
async fn invoiced(stage: &Stage, customer: &Customer, amount: i64) -> Invoice {
    let sent = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(30),
        ..plan(customer, &stage.price(amount).await)
    };
    stage.create(sent).await.invoice
}

async fn ledger(stage: &Stage, customer: &str) -> Vec<(Kind, i64, i64)> {
    let page = Page::first(100);
    let mut listed = seen!(stage, |tx| balance::list(tx, &stage.who, customer, &page, None)).data;
    listed.reverse();
    listed.iter().map(|t| (t.r#type, t.amount, t.ending_balance)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_adds_up_to_the_balance() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        assert_eq!(adjust(stage, &ada.id, -5000, "eur").await.ending_balance, -5000);
        let second = adjust(stage, &ada.id, 1500, "eur").await;
        assert_eq!((second.amount, second.ending_balance, second.r#type), (1500, -3500, Kind::Adjustment));
        let ada = stage.customer_named(&ada.id).await;
        assert_eq!((ada.balance, ada.currency), (-3500, Some(stage.eur())));
        assert_eq!(stage.events_of(&ada.id).await, ["customer.created", "customer.updated", "customer.updated"]);
        assert_eq!(stage.last_event(&ada.id).await.data["previous_attributes"]["balance"], -5000);

        let other = adjust(stage, &ada.id, -700, "usd").await;
        assert_eq!(other.ending_balance, -700, "each currency has a ledger of its own");
        assert_eq!(stage.customer_named(&ada.id).await.balance, -3500);
        let per_currency = "select count(*) from customer_balance b where amount <> (select cast(sum(t.amount) as bigint)
            from balance_transaction t where t.tenant = b.tenant and t.customer = b.customer and t.currency = b.currency)";
        assert_eq!(stage.number(per_currency).await, 0);
        assert_eq!(stage.number("select count(*) from customer_balance").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_may_be_said_to_have_a_balance() {
    on_both(async |stage| {
        let new = CustomerUpdate { balance: Some(-250), ..CustomerUpdate::default() };
        let ada = done!(stage, |tx| customer::create(tx, &stage.who, new.clone()));
        assert_eq!((ada.balance, ada.currency.clone()), (-250, Some(stage.eur())));
        assert_eq!(stage.events_of(&ada.id).await, ["customer.created"]);
        let more = CustomerUpdate { balance: Some(100), name: Patch::Set("Ada".into()), ..CustomerUpdate::default() };
        let told = done!(stage, |tx| customer::update(tx, &stage.who, &ada.id, more.clone()));
        assert_eq!((told.balance, told.clone()), (100, stage.customer_named(&ada.id).await));
        done!(stage, |tx| customer::update(tx, &stage.who, &ada.id, more.clone()));
        assert_eq!(ledger(stage, &ada.id).await, [(Kind::Initial, -250, -250), (Kind::Adjustment, 350, 100)]);
        assert_eq!(stage.events_of(&ada.id).await, ["customer.created", "customer.updated"]);
        let wrong = CustomerUpdate { balance: Some(i64::MIN), ..CustomerUpdate::default() };
        let error = refused!(stage, |tx| customer::update(tx, &stage.who, &ada.id, wrong.clone()));
        assert_eq!(field(&error), "balance");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credit_pays_when_an_invoice_is_finalised_and_comes_back_when_it_is_void() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        adjust(stage, &ada.id, -5000, "eur").await;
        let paid = invoiced(stage, &ada, 3000).await;
        assert_eq!((paid.total, paid.amount_due, paid.amount_paid, paid.status), (3000, 0, 0, Status::Paid));
        assert_eq!((paid.starting_balance, paid.ending_balance), (-5000, Some(-2000)));
        let open = invoiced(stage, &ada, 3000).await;
        assert_eq!((open.amount_due, open.status), (1000, Status::Open));
        assert_eq!((open.starting_balance, open.ending_balance), (-2000, Some(0)));
        assert_eq!(stage.customer_named(&ada.id).await.balance, 0);
        done!(stage, |tx| invoice::void(tx, &stage.who, &open.id, stage.now()));
        assert_eq!(stage.customer_named(&ada.id).await.balance, -2000);
        let expected = [
            (Kind::Adjustment, -5000, -5000),
            (Kind::AppliedToInvoice, 3000, -2000),
            (Kind::AppliedToInvoice, 2000, 0),
            (Kind::UnappliedFromInvoice, -2000, -2000),
        ];
        assert_eq!(ledger(stage, &ada.id).await, expected);
        let page = Page::first(10);
        let of_one = seen!(stage, |tx| balance::list(tx, &stage.who, &ada.id, &page, Some(&open.id)));
        assert_eq!(of_one.data.len(), 2);
        assert!(of_one.data.iter().all(|t| t.invoice.as_ref() == Some(&open.id)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_currency_is_left_alone() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        adjust(stage, &ada.id, 1, "eur").await;
        adjust(stage, &ada.id, -5000, "usd").await;
        let invoice = invoiced(stage, &ada, 3000).await;
        assert_eq!((invoice.amount_due, invoice.starting_balance, invoice.ending_balance), (3001, 1, Some(0)));
        let usd = Currency::parse("usd", "currency").unwrap();
        assert_eq!(seen!(stage, |tx| balance::of(tx, &stage.who, &ada.id, &usd)), -5000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_little_to_charge_is_carried_over() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let small = invoiced(stage, &ada, 30).await;
        assert_eq!((small.total, small.amount_due, small.status), (30, 0, Status::Paid));
        assert_eq!((small.starting_balance, small.ending_balance), (0, Some(30)));
        let next = invoiced(stage, &ada, 1000).await;
        assert_eq!((next.amount_due, next.starting_balance, next.ending_balance), (1030, 30, Some(0)));
        let expected = [(Kind::InvoiceTooSmall, 30, 30), (Kind::AppliedToInvoice, -30, 0)];
        assert_eq!(ledger(stage, &ada.id).await, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_credit_covers_is_active_at_once() {
    on_both(async |stage| {
        let ada = stage.payer("pm_card_visa").await;
        adjust(stage, &ada.id, -1000, "eur").await;
        for price in [1000, 49] {
            let created = stage.create(plan(&ada, &stage.price(price).await)).await;
            assert_eq!((created.subscription.status, created.collect), (SubscriptionStatus::Active, false));
            assert_eq!((created.invoice.status, created.invoice.amount_due), (Status::Paid, 0));
            let kept = stage.subscription(&created.subscription.id).await;
            assert_eq!((&kept, kept.next_due), (&created.subscription, Some(kept.current_period_end.plus(-7 * DAY))));
        }
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_beside_it_may_change() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let made = adjust(stage, &ada.id, -100, "eur").await;
        let said = (Patch::Set("Sorry".to_owned()), Patch::Set([("a".to_owned(), Some("1".to_owned()))].into()));
        let changed = done!(stage, |tx| balance::update(tx, &stage.who, &ada.id, &made.id, said.clone()));
        assert_eq!((changed.description.as_deref(), changed.amount), (Some("Sorry"), -100));
        assert_eq!(seen!(stage, |tx| balance::get(tx, &stage.who, &ada.id, &made.id)), changed);
        let wrong = refused!(stage, |tx| balance::get(tx, &stage.who, &bob.id, &made.id));
        assert_eq!(kind(&wrong), "missing");
        let theirs = refused!(stage, |tx| balance::get(tx, &stage.stranger, &ada.id, &made.id));
        assert_eq!(field(&theirs), "customer");
        let nothing = Adjustment { amount: 0, currency: stage.eur(), description: Patch::Keep, metadata: Patch::Keep };
        let error = refused!(stage, |tx| balance::adjust(tx, &stage.who, &ada.id, nothing.clone()));
        assert_eq!(field(&error), "amount");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn racing_adjustments_are_all_in_the_ledger() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let each = (0..8).map(|n| {
            let id = &ada.id;
            async move { adjust(stage, id, -(1 << n), "eur").await }
        });
        futures::future::join_all(each).await;
        assert_eq!(stage.customer_named(&ada.id).await.balance, -255);
        assert_eq!(ledger(stage, &ada.id).await.len(), 8);
    })
    .await;
}
