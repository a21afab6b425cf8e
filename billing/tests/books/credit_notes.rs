//! Credit notes: what they lower, what they give back, and that they are never more than their invoice.

use billing::credit_note::{self, CreditNote, NewCreditNote, NewNoteLine, Status, Type, What};
use billing::gateway::PaymentGateway;
use billing::invoice::draft::{InvoiceUpdate, NewInvoice};
use billing::invoice::item::edit::{InvoiceItemUpdate, NewInvoiceItem, Worth};
use billing::invoice::{self, Invoice, Status as InvoiceStatus};
use billing::payment;
use billing::refund::{self, NewRefund, Of};
use billing::{Decimal, Error, Patch, Result};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::invoice_items::{add, draft, draft_for, finalized, over, rate};
use crate::refunds::charged;
use crate::support::{Stage, change, done, field, kind, on_both, on_sqlite, refused, seen};

fn note(invoice: &Invoice, what: What) -> NewCreditNote {
    NewCreditNote {
        invoice: invoice.id.clone(),
        what,
        refund_amount: None,
        credit_amount: None,
        out_of_band_amount: None,
        reason: None,
        memo: None,
        metadata: Patch::Keep,
    }
}

fn by_line(line: &str, amount: Option<i64>, quantity: Option<i64>) -> What {
    What::Lines(vec![NewNoteLine::OfInvoice { line: line.into(), amount, quantity, description: None }])
}

async fn credit(stage: &Stage, new: NewCreditNote) -> Result<CreditNote> {
    change!(stage, |tx| credit_note::create(tx, &stage.who, new.clone()))
}

async fn refusal(stage: &Stage, new: NewCreditNote) -> Error {
    refused!(stage, |tx| credit_note::create(tx, &stage.who, new.clone()))
}

/// An open invoice over three units at 10.01 with 19 % on top: 30.03 + 5.71.
async fn open(stage: &Stage) -> Invoice {
    let ada = stage.customer().await;
    let vat = rate(stage, "19", false).await;
    let unit = Decimal::parse("1001", 0, "unit").unwrap();
    let fields = InvoiceItemUpdate {
        worth: Some(Worth::Unit(unit)),
        quantity: Some(3),
        tax_rates: Patch::Set(vec![vat]),
        ..InvoiceItemUpdate::default()
    };
    add(stage, NewInvoiceItem { fields, ..over(&ada, 0) }).await;
    let made = draft(stage, draft_for(&ada)).await;
    finalized(stage, &made).await
}

#[tokio::test(flavor = "multi_thread")]
async fn before_payment_less_is_due() {
    on_both(async |stage| {
        let i = open(stage).await;
        assert_eq!((i.total, i.amount_due), (3574, 3574));
        let line = i.lines[0].id.clone();
        let previewed =
            seen!(stage, |tx| credit_note::preview(tx, &stage.who, note(&i, by_line(&line, None, Some(1)))));
        let one = credit(stage, note(&i, by_line(&line, None, Some(1)))).await.unwrap();
        assert_eq!((one.total, one.tax, one.lines.len()), (previewed.total, previewed.tax, 1));
        assert_eq!((one.subtotal, one.tax, one.total, one.r#type), (1001, 190, 1191, Type::PrePayment));
        assert_eq!(one.number, format!("{}-CN-01", i.number.as_ref().unwrap()));
        assert_eq!(seen!(stage, |tx| credit_note::get(tx, &stage.who, &one.id)), one);
        let now = stage.invoice(&i.id).await;
        assert_eq!((now.amount_due, now.amount_remaining(), now.pre_payment_credit_notes), (2383, 2383, 1191));
        let void = done!(stage, |tx| credit_note::void(tx, &stage.who, &one.id));
        assert_eq!((void.status, stage.invoice(&i.id).await.amount_due), (Status::Void, 3574));
        assert_eq!(kind(&refused!(stage, |tx| credit_note::void(tx, &stage.who, &one.id))), "credit_note_already_void");
        assert_eq!(stage.events_of(&one.id).await, ["credit_note.created", "credit_note.voided"]);
        let all = credit(stage, note(&i, by_line(&line, None, Some(3)))).await.unwrap();
        assert_eq!((all.tax, all.total), (571, 3574));
        let now = stage.invoice(&i.id).await;
        assert_eq!((now.status, now.amount_due, now.amount_remaining()), (InvoiceStatus::Paid, 0, 0));
        assert_eq!(field(&refusal(stage, note(&i, What::Amount(1))).await), "amount");
        assert_eq!(kind(&refused!(stage, |tx| credit_note::void(tx, &stage.who, &all.id))), "credit_note_not_voidable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_payment_it_is_given_back() {
    on_both(async |stage| {
        let (i, charge) = charged(stage, 1000).await;
        let missing = refusal(stage, note(&i, What::Amount(400))).await;
        assert_eq!(field(&missing), "credit_amount");
        let too_much = NewCreditNote { refund_amount: Some(500), ..note(&i, What::Amount(400)) };
        assert_eq!(field(&refusal(stage, too_much).await), "refund_amount");
        let new = NewCreditNote {
            refund_amount: Some(100),
            credit_amount: Some(250),
            out_of_band_amount: Some(50),
            ..note(&i, What::Amount(400))
        };
        let made = credit(stage, new).await.unwrap();
        assert_eq!((made.r#type, made.post_payment(), made.pre_payment()), (Type::PostPayment, 400, 0));
        assert_eq!(stage.customer_named(&i.customer).await.balance, -250);
        let back = refund::give_back(&stage.db, stage.sandbox.clone(), &stage.who, made.refund.as_ref().unwrap()).await;
        assert_eq!(back.unwrap().credit_note.as_ref(), Some(&made.id));
        assert_eq!(stage.sandbox.refunded("eur").await, Ok(100));
        let now = stage.invoice(&i.id).await;
        assert_eq!((now.status, now.amount_paid, now.post_payment_credit_notes), (InvoiceStatus::Paid, 1000, 400));
        assert_eq!(
            kind(&refused!(stage, |tx| credit_note::void(tx, &stage.who, &made.id))),
            "credit_note_not_voidable"
        );
        // What notes gave back cannot be refunded once more, nor credited what was refunded.
        let refund = |amount| NewRefund {
            of: Of::Charge(charge.id.clone()),
            amount: Some(amount),
            reason: None,
            metadata: Patch::Keep,
        };
        assert_eq!(field(&refused!(stage, |tx| refund::begin(tx, &stage.who, refund(601)))), "amount");
        done!(stage, |tx| refund::begin(tx, &stage.who, refund(500)));
        let rest = NewCreditNote { credit_amount: Some(101), ..note(&i, What::Amount(101)) };
        assert_eq!(field(&refusal(stage, rest).await), "amount");
        let rest = NewCreditNote { credit_amount: Some(100), ..note(&i, What::Amount(100)) };
        assert_eq!(credit(stage, rest).await.unwrap().number.rsplit('-').next(), Some("02"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_charged_is_not_lowered() {
    on_both(async |stage| {
        let ada = stage.payer("pm_card_visa").await;
        add(stage, over(&ada, 900)).await;
        let made = draft(stage, draft_for(&ada)).await;
        let i = finalized(stage, &made).await;
        let attempt = done!(stage, |tx| payment::begin(tx, &stage.who, &i.id, "sandbox"));
        assert_eq!(refusal(stage, note(&i, What::Amount(900))).await, Error::Busy);
        let outcome = stage.sandbox.charge(&attempt.charge).await;
        let paid = done!(stage, |tx| payment::settle(tx, &stage.who, &attempt, &outcome));
        assert_eq!((paid.status, paid.amount_paid), (InvoiceStatus::Paid, 900));
        let after = NewCreditNote { credit_amount: Some(900), ..note(&i, What::Amount(900)) };
        assert_eq!(credit(stage, after).await.unwrap().post_payment(), 900);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named() {
    on_both(async |stage| {
        let i = open(stage).await;
        let line = i.lines[0].id.clone();
        let custom = |quantity, unit: u32| {
            What::Lines(vec![NewNoteLine::Custom {
                description: "x".into(),
                quantity,
                unit_amount: Decimal::whole(unit),
            }])
        };
        for (what, param) in [
            (What::Amount(0), "amount"),
            (What::Amount(3575), "amount"),
            (What::Lines(vec![]), "amount"),
            (by_line(&line, Some(3004), None), "lines[0][amount]"),
            (by_line(&line, None, Some(4)), "lines[0][quantity]"),
            (by_line(&line, None, None), "lines[0][amount]"),
            (by_line(&line, Some(1), Some(1)), "lines[0][quantity]"),
            (by_line("il_no", Some(1), None), "lines[0][invoice_line_item]"),
            (custom(0, 5), "lines[0][quantity]"),
            (custom(1, 3575), "amount"),
        ] {
            assert_eq!(field(&refusal(stage, note(&i, what)).await), param);
        }
        assert_eq!(credit(stage, note(&i, custom(2, 100))).await.unwrap().total, 200);
        done!(stage, |tx| invoice::void(tx, &stage.who, &i.id, stage.now()));
        assert_eq!(kind(&refusal(stage, note(&i, What::Amount(1))).await), "invoice_not_creditable");
        let nobody = NewCreditNote { invoice: "in_no".into(), ..note(&i, What::Amount(1)) };
        assert_eq!(field(&refusal(stage, nobody).await), "invoice");
    })
    .await;
}

/// Lines of an invoice with their taxation, and in which steps they are credited: by line or in all, in percent.
type Story = (Vec<(i64, u8)>, Vec<(u8, i64)>);

fn stories() -> impl Strategy<Value = Story> {
    (proptest::collection::vec((60i64..60_000, 0u8..3), 1..4), proptest::collection::vec((0u8..4, 1i64..100), 0..6))
}

/// However an invoice is credited, its notes together are the invoice exactly: lines, tax and total.
async fn notes_are_the_invoice(stage: &Stage, cases: usize) {
    let (on_top, inside) = (rate(stage, "19", false).await, rate(stage, "7.25", true).await);
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases {
        let (lines, steps) = stories().new_tree(&mut runner).unwrap().current();
        let ada = stage.customer().await;
        for (amount, taxed) in &lines {
            let rates = match taxed {
                0 => Patch::Keep,
                1 => Patch::Set(vec![on_top.clone()]),
                _ => Patch::Set(vec![inside.clone()]),
            };
            let fields = InvoiceItemUpdate { tax_rates: rates, ..over(&ada, *amount).fields };
            add(stage, NewInvoiceItem { fields, ..over(&ada, 0) }).await;
        }
        let made =
            draft(stage, NewInvoice { fields: InvoiceUpdate { ..draft_for(&ada).fields }, ..draft_for(&ada) }).await;
        let i = finalized(stage, &made).await;
        let (mut notes, mut left) = (Vec::new(), i.total);
        for (n, percent) in steps {
            let what = match i.lines.get(usize::from(n)) {
                Some(line) => by_line(&line.id, Some((line.amount * percent / 100).max(1)), None),
                None => What::Amount((left * percent / 100).max(1)),
            };
            // What is left of a line may be less: then it is refused, and changes nothing.
            if let Ok(made) = credit(stage, note(&i, what)).await {
                left -= made.total;
                notes.push(made);
            }
            assert_eq!(stage.invoice(&i.id).await.amount_remaining(), left, "{lines:?}");
        }
        if left > 0 {
            notes.push(credit(stage, note(&i, What::Amount(left))).await.unwrap());
        }
        let sum = |of: fn(&CreditNote) -> i64| notes.iter().map(of).sum::<i64>();
        assert_eq!((sum(|n| n.subtotal), sum(|n| n.tax), sum(|n| n.total)), (i.subtotal, i.tax, i.total), "{lines:?}");
        assert_eq!(stage.invoice(&i.id).await.status, InvoiceStatus::Paid);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_notes_together_are_the_invoice() {
    on_sqlite(async |stage| notes_are_the_invoice(stage, 60).await).await;
    crate::support::on_postgres(async |stage| notes_are_the_invoice(stage, 10).await).await;
}
