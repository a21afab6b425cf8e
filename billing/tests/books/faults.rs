//! What goes wrong between the books and the processor, and what is left of it: one charge, one payment.

use billing::gateway::{Notice, Outcome, PaymentGateway};
use billing::invoice::{self, Invoice, Status as InvoiceStatus};
use billing::payment::charge::{self, AttemptStatus, Charge, ChargeFilter};
use billing::payment::{IntentStatus, fate};
use billing::store::Conn;
use billing::subscription::create::PaymentBehavior;
use billing::subscription::{NewSubscription, Status};
use billing::{Error, Page, payment, transact};

use crate::support::{DAY, HOUR, MINUTE, Stage, done, kind, on_both, on_sqlite, plan, refused, scale, seen};

const FAULTS: &[&str] = &[
    "pm_sandbox_timeoutBeforeCharge",
    "pm_sandbox_timeoutAfterCharge",
    "pm_sandbox_errorAfterCharge",
    "pm_sandbox_lateNotice",
    "pm_sandbox_noticeTwice",
    "pm_sandbox_noticesReversed",
];

/// An invoice that waits to be paid by a card.
async fn waiting(stage: &Stage, card: &str) -> Invoice {
    let (customer, price) = (stage.payer(card).await, stage.price(1000).await);
    let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
    stage.create(new).await.invoice
}

async fn charges(stage: &Stage, invoice: &Invoice) -> Vec<Charge> {
    let filter = ChargeFilter { customer: Some(invoice.customer.clone()), ..ChargeFilter::default() };
    let mut listed = seen!(stage, |tx| charge::list(tx, &stage.who, &Page::first(100), &filter)).data;
    listed.reverse();
    listed
}

/// Each look at what is due.
async fn reconcile(stage: &Stage) -> usize {
    fate::reconcile_due(&stage.db, &*stage.sandbox).await.unwrap()
}

async fn take_notices(stage: &Stage) -> usize {
    fate::take_notices(&stage.db, &*stage.sandbox).await.unwrap()
}

/// A small generator, so that each case is another and every run the same.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_goes_wrong_one_payment_is_one_charge() {
    on_both(async |stage| {
        let mut dice = Dice(7);
        for n in 0..scale(60, 1000) {
            let fault = FAULTS[n % FAULTS.len()];
            let invoice = waiting(stage, fault).await;
            let open = stage.collect(&invoice).await.unwrap();
            assert_eq!((open.status, open.attempt_count), (InvoiceStatus::Open, 0), "{fault}");
            let notices = stage.sandbox.notices().await;
            for _ in 0..dice.throw(5) {
                match dice.throw(4) {
                    0 => {
                        let again = stage.collect(&invoice).await.unwrap_err();
                        assert!(again == Error::Busy || kind(&again) == "invoice_already_paid", "{fault}: {again:?}");
                    }
                    1 => _ = take_notices(stage).await,
                    2 => {
                        for told in notices.iter().rev() {
                            done!(stage, |tx| fate::notice(tx, &stage.system(), told));
                        }
                    }
                    _ => {
                        stage.pass(MINUTE);
                        reconcile(stage).await;
                    }
                }
            }
            take_notices(stage).await;
            stage.pass(5 * MINUTE);
            reconcile(stage).await;
            let paid = stage.invoice(&invoice.id).await;
            assert_eq!((paid.status, paid.amount_paid, paid.attempt_count), (InvoiceStatus::Paid, 1000, 1), "{fault}");
            assert_eq!(kind(&stage.collect(&invoice).await.unwrap_err()), "invoice_already_paid");
            let made = charges(stage, &invoice).await;
            assert_eq!(made.iter().map(|c| c.status).collect::<Vec<_>>(), [AttemptStatus::Succeeded], "{fault}");
            let subscription = stage.subscription(invoice.subscription.as_ref().unwrap()).await;
            assert_eq!(subscription.status, Status::Active, "{fault}");
        }
        let rounds = i64::try_from(scale(60, 1000)).unwrap();
        assert_eq!(stage.agreed().await, 1000 * rounds);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_end_the_same_however_often_and_in_whatever_order_they_come() {
    on_both(async |stage| {
        let mut dice = Dice(3);
        for n in 0..scale(20, 1000) {
            let invoice = waiting(stage, "pm_card_authenticationRequired").await;
            stage.collect(&invoice).await.unwrap();
            let asked = charges(stage, &invoice).await.remove(0);
            let key = format!("{}/{}/1", stage.who.tenant.key, invoice.id);
            let reference = asked.gateway_ref.clone().unwrap();
            let succeeded = stage.sandbox.challenge(&reference, true).await.unwrap();
            assert_eq!(succeeded, Outcome::Succeeded { reference: reference.clone() });
            let declined = Outcome::Declined { reference: reference.clone(), code: "authentication_required".into() };
            let outcomes = [Outcome::RequiresAction { reference }, declined, succeeded, Outcome::Unknown];
            let mut order: Vec<&Outcome> = outcomes.iter().cycle().take(10 * outcomes.len()).collect();
            if n % 2 == 1 {
                order.reverse();
            }
            for _ in 0..n {
                let (a, b) = (dice.throw(40), dice.throw(40));
                order.swap(usize::try_from(a).unwrap(), usize::try_from(b).unwrap());
            }
            let mut was_paid = false;
            for outcome in order {
                let told = Notice { id: 0, key: key.clone(), outcome: outcome.clone() };
                done!(stage, |tx| fate::notice(tx, &stage.system(), &told));
                let now = stage.invoice(&invoice.id).await;
                assert!(!was_paid || now.status == InvoiceStatus::Paid, "a paid invoice was opened again");
                assert!(now.amount_due >= now.amount_paid, "less than nothing is due");
                was_paid = now.status == InvoiceStatus::Paid;
            }
            let paid = stage.invoice(&invoice.id).await;
            assert_eq!(
                (paid.status, paid.amount_paid, paid.amount_overpaid, paid.attempt_count),
                (InvoiceStatus::Paid, 1000, 0, 1)
            );
            let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, paid.payment_intent.as_ref().unwrap()));
            assert_eq!((intent.status, intent.amount_received), (IntentStatus::Succeeded, 1000));
            assert!(intent.last_error.is_none() && intent.next_action.is_none());
        }
        stage.agreed().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_charge_without_an_answer_is_looked_up_at_its_times() {
    struct Deaf;
    impl PaymentGateway for Deaf {
        fn name(&self) -> &'static str {
            "sandbox"
        }
        fn charge<'a>(&'a self, _: &'a billing::gateway::Charge) -> billing::gateway::Answer<'a, Outcome> {
            Box::pin(async { Outcome::Unknown })
        }
        fn look_up<'a>(&'a self, _: &'a str) -> billing::gateway::Answer<'a, Option<Outcome>> {
            Box::pin(async { Some(Outcome::Unknown) })
        }
        fn refund<'a>(
            &'a self,
            _: &'a billing::gateway::Refund,
        ) -> billing::gateway::Answer<'a, billing::gateway::Refunded> {
            Box::pin(async { billing::gateway::Refunded::Unknown })
        }
    }
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_sandbox_timeoutAfterCharge").await;
        stage.collect(&invoice).await.unwrap();
        let begun = stage.now();
        let mut looked = Vec::new();
        while stage.now() <= begun.plus(6 * DAY) {
            if fate::reconcile_due(&stage.db, &Deaf).await.unwrap() > 0 {
                looked.push(stage.now().0 - begun.0);
            }
            stage.pass(5 * MINUTE);
        }
        assert_eq!(looked, [5 * MINUTE, HOUR, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY]);
        assert_eq!(charges(stage, &invoice).await[0].status, AttemptStatus::Unknown, "it is never guessed");
        assert_eq!(stage.collect(&invoice).await.unwrap_err(), Error::Busy);
        assert_eq!(refused!(stage, |tx| invoice::void(tx, &stage.who, &invoice.id, stage.now())), Error::Busy);

        let key = format!("{}/{}/1", stage.who.tenant.key, invoice.id);
        let outcome = stage.sandbox.look_up(&key).await.unwrap();
        done!(stage, |tx| fate::notice(
            tx,
            &stage.system(),
            &Notice { id: 0, key: key.clone(), outcome: outcome.clone() }
        ));
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Paid, "what is told late still counts");
        stage.agreed().await;
    })
    .await;
}

/// The process died between asking and writing the answer down.
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_whose_process_died_is_looked_up_too() {
    on_both(async |stage| {
        for (card, was_asked, ends) in [
            ("pm_card_visa", true, InvoiceStatus::Paid),
            ("pm_card_visa", false, InvoiceStatus::Paid),
            ("pm_card_chargeDeclined", true, InvoiceStatus::Open),
        ] {
            let invoice = waiting(stage, card).await;
            let attempt = done!(stage, |tx| payment::begin(tx, &stage.who, &invoice.id, "sandbox"));
            if was_asked {
                stage.sandbox.charge(&attempt.charge).await;
            }
            assert_eq!(reconcile(stage).await, 0);
            stage.pass(5 * MINUTE);
            assert_eq!(reconcile(stage).await, 1);
            assert_eq!(reconcile(stage).await, 0);
            assert_eq!(stage.invoice(&invoice.id).await.status, ends);
        }
        stage.agreed().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_got_through_is_not_sent_again_for_an_invoice_that_was_taken_back() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_sandbox_timeoutBeforeCharge").await;
        stage.collect(&invoice).await.unwrap();
        stage.pass(23 * HOUR);
        let subscription = invoice.subscription.as_ref().unwrap();
        done!(stage, |tx| billing::cycle::advance(tx, &stage.system(), subscription));
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Void);
        assert_eq!(reconcile(stage).await, 1);
        assert_eq!(charges(stage, &invoice).await[0].status, AttemptStatus::Declined);
        assert_eq!((stage.invoice(&invoice.id).await.status, stage.agreed().await), (InvoiceStatus::Void, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_confirms_or_does_not() {
    on_both(async |stage| {
        let cases = [
            ("pm_card_authenticationRequired", true, InvoiceStatus::Paid, AttemptStatus::Succeeded),
            ("pm_card_authenticationRequired", false, InvoiceStatus::Open, AttemptStatus::Declined),
            (
                "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds",
                true,
                InvoiceStatus::Open,
                AttemptStatus::Declined,
            ),
        ];
        for (card, is_confirmed, ends, attempt) in cases {
            let invoice = waiting(stage, card).await;
            let open = stage.collect(&invoice).await.unwrap();
            assert_eq!((open.status, open.attempt_count), (InvoiceStatus::Open, 1));
            let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, open.payment_intent.as_ref().unwrap()));
            assert_eq!(intent.status, IntentStatus::RequiresAction);
            assert_eq!(intent.next_action.as_ref().unwrap()["type"], "redirect_to_url");
            let said = ["payment_intent.created", "payment_intent.requires_action"];
            assert_eq!(stage.events_of(&intent.id).await, said);
            stage.collect(&invoice).await.unwrap();
            let asked = charges(stage, &invoice).await;
            assert_eq!(asked.len(), 1, "a second click while it waits is the same attempt");
            assert_eq!(stage.invoice(&invoice.id).await.attempt_count, 1);

            let gateway = stage.sandbox.clone();
            let after = fate::confirm(&stage.db, gateway, &stage.who, &asked[0].id, is_confirmed).await.unwrap();
            assert_eq!((after.status, after.attempt_count), (ends, 1));
            assert_eq!(charges(stage, &invoice).await[0].status, attempt);
            let said = take_notices(stage).await;
            assert_eq!(said, 1, "the processor tells of it too");
            assert_eq!(stage.invoice(&invoice.id).await, after);
        }
        assert_eq!(stage.agreed().await, 1000);
        let nobody = fate::confirm(&stage.db, stage.sandbox.clone(), &stage.who, "ch_no", true).await;
        assert_eq!(kind(&nobody.unwrap_err()), "missing");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_of_somebody_elses_charge_changes_nothing() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_visa").await;
        done!(stage, |tx| payment::begin(tx, &stage.who, &invoice.id, "sandbox"));
        let succeeded = Outcome::Succeeded { reference: "sbx_1".into() };
        let own = format!("{}/{}/1", stage.who.tenant.key, invoice.id);
        for key in
            ["", "x", "1/2", "1/in_no/1", "999/in_no/1", "x/y/z", &format!("{}/{}/2", stage.who.tenant.key, invoice.id)]
        {
            let told = Notice { id: 1, key: key.into(), outcome: succeeded.clone() };
            assert_eq!(kind(&refused!(stage, |tx| fate::notice(tx, &stage.system(), &told))), "missing", "{key}");
        }
        let told = Notice { id: 1, key: own, outcome: succeeded };
        assert_eq!(kind(&refused!(stage, |tx| fate::notice(tx, &stage.stranger, &told))), "missing");
        assert_eq!(stage.invoice(&invoice.id).await.status, InvoiceStatus::Open);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_that_is_taken_back_asks_nobody_for_its_payment() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_chargeDeclined").await;
        let open = stage.collect(&invoice).await.unwrap();
        done!(stage, |tx| invoice::void(tx, &stage.who, &invoice.id, stage.now()));
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, open.payment_intent.as_ref().unwrap()));
        assert_eq!((intent.status, intent.canceled_at), (IntentStatus::Canceled, Some(stage.now())));
        let said = ["payment_intent.created", "payment_intent.payment_failed", "payment_intent.canceled"];
        assert_eq!(stage.events_of(&intent.id).await, said);
    })
    .await;
}

/// The customer pays with another card, and then confirms the first payment after all.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_twice_goes_back_once() {
    on_both(async |stage| {
        let invoice = waiting(stage, "pm_card_authenticationRequired").await;
        stage.collect(&invoice).await.unwrap();
        let first = charges(stage, &invoice).await.remove(0);
        let customer = stage.customer_named(&invoice.customer).await;
        let better = stage.method(&customer, "pm_card_visa").await;
        stage.set_default(&customer, &better).await;
        assert_eq!(stage.collect(&invoice).await.unwrap().status, InvoiceStatus::Paid);
        let paid = fate::confirm(&stage.db, stage.sandbox.clone(), &stage.who, &first.id, true).await.unwrap();
        assert_eq!((paid.status, paid.amount_paid, paid.amount_overpaid), (InvoiceStatus::Paid, 1000, 0));
        let intent = seen!(stage, |tx| payment::intent(tx, &stage.who, paid.payment_intent.as_ref().unwrap()));
        assert_ne!(intent.latest_charge.as_ref(), Some(&first.id), "it was paid by the second");
        stage.pass(5 * MINUTE);
        billing::refund::retry_due(&stage.db, &*stage.sandbox).await.unwrap();
        assert_eq!((stage.agreed().await, stage.sandbox.refunded("eur").await.unwrap()), (1000, 1000));
        let reasons: Vec<(String,)> = stage.rows("select reason from refund where status = 'succeeded'").await;
        assert_eq!(reasons, [("duplicate".to_owned(),)]);
    })
    .await;
}

/// SQLite rolls back by itself what does not fit any more: the one connection that writes must not be lost over it.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_what_does_not_fit_and_nothing_after_it() {
    on_sqlite(async |stage| {
        let before = stage.customer().await;
        let full: billing::Result<()> = transact!(stage.db, |tx| {
            if let Conn::Sqlite(inner) = &mut tx.conn {
                // No page more than there are; it holds as long as the connection does.
                sqlx::query("pragma max_page_count = 1").execute(&mut **inner).await.map_err(Error::from)?;
            }
            for _ in 0..1000 {
                billing::customer::create(tx, &stage.who, Default::default()).await?;
            }
            Ok(())
        });
        assert!(matches!(full, Err(Error::Unavailable(_))), "{full:?}");
        let after = stage.customer().await;
        let kept: Vec<(String,)> = stage.rows("select id from customer order by created, id").await;
        assert_eq!(kept, [(before.id,), (after.id,)], "all of it or nothing");
    })
    .await;
}
