//! Money in: asked for once, written down once, and the same sum on both sides.

use billing::customer::payment_method;
use billing::customer::{self};
use billing::cycle;
use billing::gateway::{Charge, Outcome, PaymentGateway, Refund, Refunded};
use billing::invoice::{self, Invoice, Status as InvoiceStatus};
use billing::payment::{self, IntentStatus};
use billing::subscription::create::PaymentBehavior;
use billing::subscription::{NewSubscription, Status};
use billing::{Error, Result};

use crate::support::{HOUR, Stage, done, kind, on_both, plan, refused, seen};

/// An invoice that waits to be paid by a card.
async fn waiting(stage: &Stage, card: &str) -> Invoice {
    let (customer, price) = (stage.payer(card).await, stage.price(1000).await);
    let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
    stage.create(new).await.invoice
}

/// Begins an attempt, answering at once where it is refused.
async fn begin(stage: &Stage, invoice: &Invoice) -> Result<payment::Attempt> {
    let mut tx = stage.db.begin().await?;
    let attempt = payment::begin(&mut tx, &stage.who, &invoice.id, "sandbox").await?;
    tx.commit().await?;
    Ok(attempt)
}

async fn settle(stage: &Stage, attempt: &payment::Attempt, outcome: &Outcome) -> Invoice {
    done!(stage, |tx| payment::settle(tx, &stage.who, attempt, outcome))
}

async fn received(stage: &Stage) -> i64 {
    stage.number("select cast(coalesce(sum(amount_received), 0) as bigint) from payment_intent").await
}

#[tokio::test(flavor = "multi_thread")]
async fn while_one_attempt_runs_there_is_no_other() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        let attempt = begin(stage, &invoice).await.unwrap();
        assert_eq!(attempt.charge.key, format!("{}/{}/1", stage.who.tenant.key, invoice.id));
        assert_eq!((attempt.charge.amount, attempt.charge.method.as_str()), (1000, "pm_card_visa"));
        assert_eq!(begin(stage, &invoice).await.unwrap_err(), Error::Busy);
        let error = refused!(stage, |tx| invoice::void(tx, &stage.who, &invoice.id, stage.now()));
        assert_eq!(error, Error::Busy);

        let outcome = stage.sandbox.charge(&attempt.charge).await;
        let paid = settle(stage, &attempt, &outcome).await;
        assert_eq!((paid.status, paid.amount_paid, paid.paid_at), (InvoiceStatus::Paid, 1000, Some(stage.now())));
        assert_eq!(kind(&begin(stage, &invoice).await.unwrap_err()), "invoice_already_paid");
        assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "invoice_already_paid");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_said_twice_counts_once() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        let attempt = begin(stage, &invoice).await.unwrap();
        let outcome = stage.sandbox.charge(&attempt.charge).await;
        assert_eq!(stage.sandbox.charge(&attempt.charge).await, outcome, "the same key charges once");
        let paid = settle(stage, &attempt, &outcome).await;
        let said = stage.events().await;
        let late = Outcome::Declined { reference: "sbx_late".into(), code: "lost_card".into() };
        for outcome in [&outcome, &late, &Outcome::Unknown] {
            assert_eq!(settle(stage, &attempt, outcome).await, paid);
        }
        assert_eq!(stage.events().await, said);
        assert_eq!((stage.captured().await, received(stage).await), (1000, 1000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_locks_the_invoice_until_it_is_known() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        let attempt = begin(stage, &invoice).await.unwrap();
        let open = settle(stage, &attempt, &Outcome::Unknown).await;
        assert_eq!((open.status, open.attempt_count), (InvoiceStatus::Open, 0));
        assert_eq!(begin(stage, &invoice).await.unwrap_err(), Error::Busy);
        let due = stage.number("select next_lookup_ms from payment_attempt where status = 'unknown'").await;
        assert_eq!(due, stage.clock.wall().plus(5 * 60 * 1000).0);

        assert_eq!(stage.sandbox.look_up(&attempt.charge.key).await, None);
        let outcome = stage.sandbox.charge(&attempt.charge).await;
        assert_eq!(stage.sandbox.look_up(&attempt.charge.key).await, Some(outcome.clone()));
        assert_eq!(settle(stage, &attempt, &outcome).await.status, InvoiceStatus::Paid);
        assert_eq!((stage.captured().await, received(stage).await), (1000, 1000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_attempt_has_a_key_of_its_own_for_ever() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_chargeDeclined").await;
        for n in 1..=3 {
            let attempt = begin(stage, &invoice).await.unwrap();
            assert!(attempt.charge.key.ends_with(&format!("/{n}")));
            let outcome = stage.sandbox.charge(&attempt.charge).await;
            let open = settle(stage, &attempt, &outcome).await;
            assert_eq!((open.status, open.attempt_count), (InvoiceStatus::Open, 1), "only the first of those that people make");
        }
        let copy = "insert into payment_attempt (tenant, id, payment_intent, invoice, number, scheduled, customer, payment_method, amount, currency,
            status, gateway, amount_refunded, lookups, created, version)
            select tenant, 'ch_copy', payment_intent, invoice, number, scheduled, customer, payment_method, amount, currency, 'processing', gateway,
            0, 0, created, 1 from payment_attempt where number = 1";
        assert!(stage.force(copy).await.unwrap_err().as_database_error().unwrap().is_unique_violation());
        let intent = seen!(stage, |tx| invoice::get(tx, &stage.who, &invoice.id)).payment_intent.unwrap();
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, &intent));
        assert_eq!((intent.status, intent.amount_received), (IntentStatus::RequiresPaymentMethod, 0));
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_nearest_method_pays() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_chargeDeclined").await, stage.price(1000).await);
        let own = stage.method(&customer, "pm_card_mastercard").await;
        let new = NewSubscription { default_payment_method: Some(own.id.clone()), ..plan(&customer, &price) };
        let subscription = stage.subscribe(new).await;
        assert_eq!(subscription.status, Status::Active, "the subscription's own goes before the customer's");
        done!(stage, |tx| payment_method::detach(tx, &stage.who, &own.id));
        stage.go_to(subscription.current_period_end);
        let step = done!(stage, |tx| cycle::advance(tx, &stage.system(), &subscription.id));
        let cycle::Step::Billed(invoice) = step else { panic!("a renewal is due") };
        assert_eq!(stage.collect(&invoice).await.unwrap().status, InvoiceStatus::Open, "then the customer's");
        assert_eq!(stage.subscription(&subscription.id).await.status, Status::PastDue);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_comes_for_a_void_invoice_goes_back() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        let attempt = begin(stage, &invoice).await.unwrap();
        let subscription = invoice.subscription.clone().unwrap();
        stage.pass(23 * HOUR);
        let step = done!(stage, |tx| cycle::advance(tx, &stage.system(), &subscription));
        assert!(matches!(step, cycle::Step::Expired));

        let outcome = stage.sandbox.charge(&attempt.charge).await;
        let after = settle(stage, &attempt, &outcome).await;
        assert_eq!((after.status, after.amount_paid), (InvoiceStatus::Void, 0));
        assert_eq!(stage.subscription(&subscription).await.status, Status::IncompleteExpired);
        assert_eq!((stage.captured().await, received(stage).await), (1000, 1000), "the books know what is owed back");
        assert_eq!(stage.number("select count(*) from refund where status = 'pending'").await, 1);
        stage.pass(5 * 60);
        for refunds in [1, 0] {
            assert_eq!(billing::refund::retry_due(&stage.db, &*stage.sandbox).await.unwrap(), refunds);
            assert_eq!((stage.sandbox.refunded("eur").await.unwrap(), stage.agreed().await), (1000, 0));
        }
        assert_eq!(stage.last_event(&attempt.id).await.r#type, "charge.refunded");
        assert_eq!(settle(stage, &attempt, &outcome).await.status, InvoiceStatus::Void);
        assert_eq!(stage.number("select count(*) from refund").await, 1, "owed once");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_for_a_void_invoice_changes_nothing() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_chargeDeclined").await;
        let attempt = begin(stage, &invoice).await.unwrap();
        stage.pass(23 * HOUR);
        done!(stage, |tx| cycle::advance(tx, &stage.system(), invoice.subscription.as_ref().unwrap()));
        let void = stage.invoice(&invoice.id).await;
        let outcome = stage.sandbox.charge(&attempt.charge).await;
        assert_eq!(settle(stage, &attempt, &outcome).await, void);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_finds_no_gateway_answer_is_not_guessed() {
    struct Silent;
    impl PaymentGateway for Silent {
        fn name(&self) -> &'static str {
            "sandbox"
        }
        fn charge<'a>(&'a self, _: &'a Charge) -> billing::gateway::Answer<'a, Outcome> {
            Box::pin(async { Outcome::Unknown })
        }
        fn look_up<'a>(&'a self, _: &'a str) -> billing::gateway::Answer<'a, Option<Outcome>> {
            Box::pin(async { None })
        }
        fn refund<'a>(&'a self, _: &'a Refund) -> billing::gateway::Answer<'a, Refunded> {
            Box::pin(async { Refunded::Unknown })
        }
    }
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        let silent = std::sync::Arc::new(Silent);
        let open = payment::collect(&stage.db, silent, &stage.who, &invoice.id).await.unwrap();
        assert_eq!(open.status, InvoiceStatus::Open);
        let subscription = stage.subscription(invoice.subscription.as_ref().unwrap()).await;
        assert_eq!(subscription.status, Status::Incomplete);
        assert_eq!(stage.collect(&invoice).await.unwrap_err(), Error::Busy);
        assert_eq!(stage.captured().await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_where_there_is_nothing_to_ask_with() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
        let invoice = stage.create(new).await.invoice;
        assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "resource_missing");
        assert_eq!(stage.number("select count(*) from payment_attempt").await, 0);
        let error = refused!(stage, |tx| payment::begin(tx, &stage.who, "in_no", "sandbox"));
        assert_eq!(kind(&error), "missing");
        assert_eq!(kind(&refused!(stage, |tx| payment::intent(tx, &stage.who, "pi_no"))), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn books_and_ledger_agree_after_everything() {
    on_both(async |stage| {
        let cards = ["pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired", "pm_sepaDebit"];
        for card in cards {
            let (customer, price) = (stage.payer(card).await, stage.price(1234).await);
            let subscription = stage.subscribe(plan(&customer, &price)).await;
            let good = stage.method(&customer, "pm_card_amex").await;
            stage.set_default(&stage.customer_named(&customer.id).await, &good).await;
            for _ in 0..2 {
                stage.go_to(stage.subscription(&subscription.id).await.current_period_end);
                let step = done!(stage, |tx| cycle::advance(tx, &stage.system(), &subscription.id));
                if let cycle::Step::Billed(invoice) = step {
                    stage.collect(&invoice).await.unwrap();
                }
            }
            assert!(seen!(stage, |tx| customer::get(tx, &stage.who, &customer.id)).currency.is_some());
        }
        let paid = "select cast(coalesce(sum(amount_paid), 0) as bigint) from invoice";
        assert_eq!(stage.number(paid).await, stage.captured().await);
        assert_eq!(received(stage).await, stage.captured().await);
        let uneven = "select count(*) from invoice i where status <> 'void' and total <>
            (select cast(coalesce(sum(amount), 0) as bigint) from invoice_line l where l.tenant = i.tenant and l.invoice = i.id)";
        assert_eq!(stage.number(uneven).await, 0);
        assert_eq!(stage.number("select count(*) from invoice where (status = 'paid') <> (amount_due = amount_paid)").await, 0);
    })
    .await;
}
