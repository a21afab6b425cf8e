//! The books prove themselves: each invariant is broken by hand, past every rule, and is the one that is named.

use std::sync::Arc;

use billing::catalog::NewCoupon;
use billing::check::{self, Look};
use billing::credit_note::{self, NewCreditNote, What};
use billing::gateway::sandbox::Sandbox;
use billing::gateway::{Charge, PaymentGateway};
use billing::payment::charge;
use billing::refund::{self, NewRefund, Of};
use billing::subscription::{CollectionMethod, NewSubscription};
use billing::{Patch, work};

use crate::discounts::{by, discounted, made, percent};
use crate::invoice_items::rate;
use crate::support::{HOUR, Stage, at, done, on_both, plan, seen};

/// A number of the list, what breaks just this one, and what mends it.
type Break = (u32, &'static str, &'static str);

#[rustfmt::skip]
const BREAKS: &[Break] = &[
    (1, "update invoice_line set amount = amount + 1, discount = discount + 1 where id = (select min(id) from invoice_line)",
        "update invoice_line set amount = amount - 1, discount = discount - 1 where id = (select min(id) from invoice_line)"),
    (1, "update invoice_line set discount_amounts = '[]' where id = (select min(id) from invoice_line where discount <> 0)",
        "update invoice_line set discount_amounts = (select min(o.discount_amounts) from invoice_line o where o.discount <> 0 and o.discount_amounts <> '[]') where discount <> 0"),
    (1, "update credit_note_line set tax = tax + 1", "update credit_note_line set tax = tax - 1"),
    (2, "update invoice set amount_due = amount_due + 1 where status = 'open'",
        "update invoice set amount_due = amount_due - 1 where status = 'open'"),
    (2, "update invoice set pre_payment_credit_notes = pre_payment_credit_notes + 1, amount_due = amount_due - 1 where status = 'open'",
        "update invoice set pre_payment_credit_notes = pre_payment_credit_notes - 1, amount_due = amount_due + 1 where status = 'open'"),
    (3, "update invoice set status = 'uncollectible' where status = 'paid'", "update invoice set status = 'paid' where status = 'uncollectible'"),
    (3, "update invoice set number = null where status = 'open'", "update invoice set number = id where status = 'open'"),
    (4, "update invoice set cycle_start = 0 where cycle_start is not null", "update invoice set cycle_start = period_start where cycle_start is not null"),
    (5, "update subscription_item set current_period_end = current_period_end + 1",
        "update subscription_item set current_period_end = current_period_end - 1"),
    (5, "update invoice set period_start = period_start + 3600 where billing_reason = 'subscription_cycle'",
        "update invoice set period_start = period_start - 3600 where billing_reason = 'subscription_cycle'"),
    (6, "update payment_attempt set amount = amount + 1 where status = 'succeeded'",
        "update payment_attempt set amount = amount - 1 where status = 'succeeded'"),
    (6, "update refund set amount = amount + 1", "update refund set amount = amount - 1"),
    (7, "update customer_balance set amount = amount + 1", "update customer_balance set amount = amount - 1"),
    (7, "update balance_transaction set ending_balance = ending_balance + 1",
        "update balance_transaction set ending_balance = ending_balance - 1"),
    (7, "update credit_note set credited = credited + 1, out_of_band = out_of_band - 1",
        "update credit_note set credited = credited - 1, out_of_band = out_of_band + 1"),
    (8, "update coupon set max_redemptions = 0", "update coupon set max_redemptions = 5"),
    (8, "update coupon set times_redeemed = 0", "update coupon set times_redeemed = 1"),
    (9, "update customer set deleted_at = 1", "update customer set deleted_at = null"),
    (10, "update event set created = created - 1 where type = 'invoice.paid'", "update event set created = created + 1 where type = 'invoice.paid'"),
    (10, "update event set sequence = sequence + 100 where type = 'invoice.created'", "update event set sequence = sequence - 100 where type = 'invoice.created'"),
    (11, "update subscription set default_payment_method = (select min(c.id) from customer c where c.tenant <> subscription.tenant)",
        "update subscription set default_payment_method = null"),
    (11, "update event set customer = (select min(c.id) from customer c where c.tenant <> event.tenant) where type = 'product.created'",
        "update event set customer = null where type = 'product.created'"),
    (12, "update payment_attempt set created = created - 700000 where status = 'unknown'",
        "update payment_attempt set created = created + 700000 where status = 'unknown'"),
    (13, "update subscription set wakes_at = wakes_at - 40 * 86400", "update subscription set wakes_at = wakes_at + 40 * 86400"),
    (13, "update payment_attempt set next_lookup_ms = next_lookup_ms - 1000000 where status = 'unknown'",
        "update payment_attempt set next_lookup_ms = next_lookup_ms + 1000000 where status = 'unknown'"),
    (14, "update subscription set next_due = null where status = 'active'", "update subscription set next_due = current_period_end where status = 'active'"),
    (14, "update subscription set wakes_at = null where status = 'active'", "update subscription set wakes_at = current_period_end where status = 'active'"),
];

/// Books with something of everything in them, two months on: what was billed, renewed, discounted, taxed, given back,
/// credited, sent, and what nobody knows of yet.
async fn story(stage: &Stage) {
    let coupon =
        made(stage, NewCoupon { max_redemptions: Some(5), ..percent(10, billing::discount::Duration::Forever) }).await;
    let vat = rate(stage, "19", false).await;
    let (ada, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
    let new = NewSubscription { default_tax_rates: vec![vat], ..discounted(&ada, &price, &[by(&coupon)]) };
    let first = stage.subscribe(new).await.latest_invoice.unwrap();
    let sent = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(60),
        ..plan(&stage.customer().await, &price)
    };
    stage.create(sent).await;
    stage.price_of(&stage.stranger, 500, None).await;
    stage.customer_of(&stage.stranger).await;

    let charge = seen!(stage, |tx| charge::last(tx, &stage.who, &first)).unwrap();
    let new = NewRefund { of: Of::Charge(charge.id), amount: Some(100), reason: None, metadata: Patch::Keep };
    let refund = done!(stage, |tx| refund::begin(tx, &stage.who, new.clone()));
    refund::give_back(&stage.db, stage.sandbox.clone(), &stage.who, &refund.id).await.unwrap();
    let new = NewCreditNote {
        invoice: first,
        what: What::Amount(300),
        refund_amount: None,
        credit_amount: Some(200),
        out_of_band_amount: Some(100),
        reason: None,
        memo: None,
        metadata: Patch::Keep,
    };
    done!(stage, |tx| credit_note::create(tx, &stage.who, new.clone()));

    let gateway: Arc<dyn PaymentGateway> = stage.sandbox.clone();
    for day in ["2026-02-28 11:00", "2026-03-31 11:00"] {
        stage.go_to(at(day));
        while work::one(&stage.db, &gateway).await.unwrap() {}
    }
    let bob = stage.payer("pm_sandbox_timeoutBeforeCharge").await;
    stage.subscribe(plan(&bob, &price)).await;
    stage.pass(HOUR / 30);
}

/// The numbers of the invariants that are broken.
async fn broken(stage: &Stage, ledger: Option<&Sandbox>) -> Vec<u32> {
    let found = check::run(&stage.db, Look { ledger, at_rest: false }).await.unwrap();
    assert_eq!(found.iter().map(|finding| finding.number).collect::<Vec<_>>(), (1..=14).collect::<Vec<_>>());
    let broken = found.into_iter().filter(|finding| !finding.violations.is_empty());
    broken.inspect(|finding| println!("{}: {:?}", finding.number, finding.violations)).map(|f| f.number).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_what_is_named() {
    on_both(async |stage| {
        story(stage).await;
        assert_eq!(broken(stage, Some(&stage.sandbox)).await, [0; 0], "sound books");
        stage.force("drop index invoice_of_period").await.unwrap();
        for (number, wrong, right) in BREAKS {
            assert!(stage.force(wrong).await.unwrap() > 0, "{wrong}: nothing to break");
            assert_eq!(broken(stage, Some(&stage.sandbox)).await, [*number], "{wrong}");
            stage.force(right).await.unwrap();
        }
        assert_eq!(broken(stage, Some(&stage.sandbox)).await, [0; 0], "mended");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_processor_says_is_held_against_the_books() {
    on_both(async |stage| {
        story(stage).await;
        let folder = tempfile::tempdir().unwrap();
        let empty = Sandbox::open(&format!("sqlite://{}", folder.path().join("other.db").display())).await.unwrap();
        assert_eq!(broken(stage, Some(&empty)).await, [6], "paid, and never captured");
        assert_eq!(broken(stage, None).await, [0; 0], "nobody to ask");
        stage.tampers();
        let charge =
            Charge { key: "1/in_none/1".into(), method: "pm_card_visa".into(), amount: 700, currency: stage.eur() };
        stage.sandbox.charge(&charge).await;
        assert_eq!(broken(stage, Some(&stage.sandbox)).await, [6], "captured, and not in the books");
    })
    .await;
}

/// Nobody works on books that rest: what is late there is no violation, everything else is.
#[tokio::test(flavor = "multi_thread")]
async fn at_rest_time_does_not_count() {
    on_both(async |stage| {
        story(stage).await;
        stage.pass(90 * 24 * HOUR);
        assert_eq!(broken(stage, Some(&stage.sandbox)).await, [12, 13]);
        let found = stage.check().await;
        assert!(found.iter().all(|finding| finding.violations.is_empty()));
        assert_eq!(found.iter().filter(|finding| finding.left_out.is_some()).count(), 2);
        stage.force("update customer set deleted_at = 1").await.unwrap();
        assert!(stage.check().await.iter().any(|finding| finding.number == 9 && !finding.violations.is_empty()));
    })
    .await;
}
