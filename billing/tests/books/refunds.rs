//! Money given back: never more than was taken, and once however often it is asked for.

use billing::Patch;
use billing::gateway::{PaymentGateway, Refund, Refunded};
use billing::invoice::Invoice;
use billing::payment::charge::{self, Charge};
use billing::refund::{self, NewRefund, Of, Status};

use crate::support::{HOUR, Stage, done, field, kind, on_both, on_sqlite, plan, refused, seen};

async fn ask(stage: &Stage, key: &str, charge: &str, amount: i64) -> bool {
    let refund = Refund { key: key.into(), charge: charge.into(), amount, currency: stage.eur() };
    matches!(stage.sandbox.refund(&refund).await, Refunded::Succeeded { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_back_what_it_took_and_no_more() {
    on_sqlite(async |stage| {
        stage.tampers();
        stage.active().await;
        let (charge,): (String,) =
            stage.rows("select gateway_ref from payment_attempt where status = 'succeeded'").await.remove(0);
        assert!(ask(stage, "re_1", &charge, 400).await);
        assert!(ask(stage, "re_1", &charge, 400).await, "the same one again");
        assert!(!ask(stage, "re_2", &charge, 601).await);
        assert!(ask(stage, "re_3", &charge, 600).await);
        assert!(!ask(stage, "re_4", "sbx_no", 1).await);
        assert_eq!(stage.sandbox.refunded("eur").await, Ok(1000));
        assert_eq!(stage.captured().await, 1000);
    })
    .await;
}

fn of(charge: &Charge, amount: Option<i64>) -> NewRefund {
    NewRefund { of: Of::Charge(charge.id.clone()), amount, reason: None, metadata: Patch::Keep }
}

async fn begin(stage: &Stage, new: NewRefund) -> refund::Refund {
    done!(stage, |tx| refund::begin(tx, &stage.who, new.clone()))
}

/// What was paid for an invoice over so much.
pub async fn charged(stage: &Stage, amount: i64) -> (Invoice, Charge) {
    let customer = stage.payer("pm_card_visa").await;
    let subscription = stage.subscribe(plan(&customer, &stage.price(amount).await)).await;
    let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
    let charge = seen!(stage, |tx| charge::last(tx, &stage.who, &invoice.id)).unwrap();
    (invoice, charge)
}

async fn amount_refunded(stage: &Stage, charge: &Charge) -> i64 {
    seen!(stage, |tx| charge::get(tx, &stage.who, &charge.id)).amount_refunded
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_is_given_back_once_and_no_more_of_it() {
    on_both(async |stage| {
        let (_, charge) = charged(stage, 1000).await;
        let first = begin(stage, of(&charge, Some(300))).await;
        assert_eq!((first.status, first.amount), (Status::Pending, 300));
        assert_eq!(amount_refunded(stage, &charge).await, 300, "it is reserved before anybody is asked");
        for _ in 0..2 {
            let made = refund::give_back(&stage.db, stage.sandbox.clone(), &stage.who, &first.id).await.unwrap();
            assert_eq!(made.status, Status::Succeeded);
        }
        assert_eq!(stage.events_of(&first.id).await, ["refund.created", "refund.updated"]);
        let error = refused!(stage, |tx| refund::begin(tx, &stage.who, of(&charge, Some(701))));
        assert_eq!(field(&error), "amount");
        let intent = Of::PaymentIntent(charge.payment_intent.clone());
        let rest = begin(stage, NewRefund { of: intent, ..of(&charge, None) }).await;
        assert_eq!(rest.amount, 700);
        refund::give_back(&stage.db, stage.sandbox.clone(), &stage.who, &rest.id).await.unwrap();
        let error = refused!(stage, |tx| refund::begin(tx, &stage.who, of(&charge, None)));
        assert_eq!(kind(&error), "charge_already_refunded");
        assert_eq!(stage.sandbox.refunded("eur").await, Ok(1000));
        let stranger = refused!(stage, |tx| refund::begin(tx, &stage.stranger, of(&charge, None)));
        assert_eq!(field(&stranger), "charge");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_that_fails_can_be_made_again() {
    on_both(async |stage| {
        let (_, charge) = charged(stage, 1000).await;
        let made = begin(stage, of(&charge, None)).await;
        let failed = Refunded::Failed { reason: "expired_or_canceled_card".into() };
        let settled = done!(stage, |tx| refund::settle(tx, &stage.who, &made.id, &failed));
        assert_eq!(
            (settled.status, settled.failure_reason.as_deref()),
            (Status::Failed, Some("expired_or_canceled_card"))
        );
        let late = Refunded::Succeeded { reference: "x".into() };
        assert_eq!(done!(stage, |tx| refund::settle(tx, &stage.who, &made.id, &late)), settled);
        assert_eq!(amount_refunded(stage, &charge).await, 0);
        assert_eq!(begin(stage, of(&charge, None)).await.amount, 1000);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refund_without_an_answer_is_asked_for_again() {
    on_both(async |stage| {
        let (_, charge) = charged(stage, 1000).await;
        let made = begin(stage, of(&charge, None)).await;
        let unknown = done!(stage, |tx| refund::settle(tx, &stage.who, &made.id, &Refunded::Unknown));
        assert_eq!((unknown.status, unknown.tries), (Status::Pending, 1));
        assert_eq!(refund::retry_due(&stage.db, &*stage.sandbox).await, Ok(0));
        stage.pass(HOUR);
        assert_eq!(refund::retry_due(&stage.db, &*stage.sandbox).await, Ok(1));
        assert_eq!(seen!(stage, |tx| refund::get(tx, &stage.who, &made.id)).status, Status::Succeeded);
        assert_eq!(refund::retry_due(&stage.db, &*stage.sandbox).await, Ok(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_racing_refunds_no_more_than_the_charge_is_given_back() {
    on_both(async |stage| {
        let (_, charge) = charged(stage, 1000).await;
        let each = (0..6).map(|_| {
            let new = of(&charge, Some(400));
            async move { billing::transact!(stage.db, |tx| refund::begin(tx, &stage.who, new.clone()).await) }
        });
        let made = futures::future::join_all(each).await;
        assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 2);
        assert_eq!(amount_refunded(stage, &charge).await, 800);
    })
    .await;
}
