//! What an update says beside items: prices that are not there yet, discounts of one item, and that it is only to be if it is
//! paid for.

use billing::catalog::{CouponUpdate, NewCoupon, PriceData, coupon};
use billing::discount::{Duration, Wanted};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::subscription::create::PaymentBehavior;
use billing::subscription::withdraw::withdraw;
use billing::subscription::{
    self, AddedItem, ItemChange, NewSubscription, ProrationBehavior, Status, Subscription, SubscriptionUpdate,
};
use billing::{Decimal, Error, Patch, quote, transact};

use crate::changes::{HALF, apply, at_once, by, count, refusal, since_april};
use crate::support::{DAY, MONTHLY, Stage, at, done, field, kind, on_both, plan, refused};

async fn half(stage: &Stage) -> Wanted {
    let new = NewCoupon {
        id: None,
        percent_off: Some(Decimal::whole(50)),
        amount_off: None,
        currency: None,
        duration: Duration::Forever,
        duration_in_months: None,
        applies_to: None,
        max_redemptions: None,
        redeem_by: None,
        fields: CouponUpdate::default(),
    };
    Wanted::Coupon(done!(stage, |tx| coupon::create(tx, &stage.who, new.clone())).id)
}

async fn said(stage: &Stage, unit: &str, recurs: bool) -> PriceData {
    PriceData {
        currency: stage.eur(),
        product: stage.price(1).await.product,
        recurring: recurs.then_some(MONTHLY),
        unit: Decimal::parse(unit, 12, "unit_amount").unwrap(),
        tax_behavior: None,
    }
}

fn only_if_paid(update: SubscriptionUpdate) -> SubscriptionUpdate {
    SubscriptionUpdate { payment_behavior: Some(PaymentBehavior::ErrorIfIncomplete), ..at_once(update) }
}

/// Asks for it, charges as the door does, and takes it back if that fails.
async fn ask(stage: &Stage, id: &str, update: SubscriptionUpdate) -> (Invoice, Option<Error>) {
    let updated = done!(stage, |tx| subscription::update::update(tx, &stage.who, id, update.clone()));
    let made = updated.invoice.unwrap();
    if updated.collect {
        stage.collect(&made).await.unwrap();
    }
    let declined = transact!(stage.db, |tx| {
        tx.unaudited();
        withdraw(tx, &stage.who, &made.id).await
    });
    (stage.invoice(&made.id).await, declined.unwrap())
}

async fn pays_with(stage: &Stage, subscription: &Subscription, method: &str) {
    let customer = stage.customer_named(&subscription.customer).await;
    let method = stage.method(&customer, method).await;
    stage.set_default(&customer, &method).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_price_is_said_where_it_is_used() {
    on_both(async |stage| {
        let (customer, price) = (stage.payer("pm_card_visa").await, stage.price(1000).await);
        let mut new = plan(&customer, &price);
        (new.items[0].price, new.items[0].price_data) = (String::new(), Some(said(stage, "12.5", true).await));
        new.items[0].quantity = Some(3);
        new.add_invoice_items = vec![AddedItem {
            price: String::new(),
            price_data: Some(said(stage, "250", false).await),
            quantity: Some(2),
            tax_rates: Vec::new(),
            metadata: Patch::Keep,
        }];
        stage.go_to(at("2026-04-01"));
        let made = stage.subscribe(new).await;
        // 3 × 12.5 is rounded once.
        let first = stage.invoice(made.latest_invoice.as_ref().unwrap()).await;
        assert_eq!(first.lines.iter().map(|line| line.amount).collect::<Vec<_>>(), [38, 500]);
        assert!(!made.items[0].price.active, "nobody else takes it");
        stage.go_to(at("2026-04-01").plus(HALF));
        let dearer = ItemChange {
            id: Some(made.items[0].id.clone()),
            price_data: Some(said(stage, "2000", true).await),
            ..ItemChange::default()
        };
        let update = at_once(SubscriptionUpdate { items: vec![dearer.clone()], ..SubscriptionUpdate::default() });
        let (after, invoice) = apply(stage, &made.id, update).await;
        assert_eq!((after.items[0].quantity, invoice.unwrap().total), (3, 3000 - 19));

        let wrong = PriceData { product: "prod_no".into(), ..said(stage, "1", true).await };
        let other =
            PriceData { currency: billing::Currency::parse("usd", "c").unwrap(), ..said(stage, "1", true).await };
        for (data, param) in [(wrong, "items[0][price_data][product]"), (other, "items[0][price_data]")] {
            let items = vec![ItemChange { price_data: Some(data), ..dearer.clone() }];
            let update = SubscriptionUpdate { items, ..SubscriptionUpdate::default() };
            assert_eq!(field(&refusal(stage, &made.id, update).await), param);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_has_discounts_of_its_own() {
    on_both(async |stage| {
        let made = since_april(stage, |new| new).await;
        let (other, half) = (stage.price(600).await, half(stage).await);
        let discounts = Patch::Set(vec![half]);
        let of_first =
            ItemChange { id: Some(made.items[0].id.clone()), discounts: discounts.clone(), ..ItemChange::default() };
        let new = ItemChange { price: Some(other.id), discounts, ..ItemChange::default() };
        let update =
            |items: &[ItemChange]| SubscriptionUpdate { items: items.to_vec(), ..SubscriptionUpdate::default() };
        let (after, _) = apply(stage, &made.id, by(ProrationBehavior::None, update(&[of_first.clone(), new]))).await;
        let each = |of: &Subscription| of.items.iter().map(|item| item.discounts[0].id.clone()).collect::<Vec<_>>();
        assert_eq!((after.items.len(), each(&after)), (2, each(&stage.subscription(&made.id).await)));
        let bare = ItemChange { discounts: Patch::Clear, ..of_first.clone() };
        let (after, _) = apply(stage, &made.id, update(&[bare])).await;
        assert_eq!(after.items.iter().map(|item| item.discounts.len()).collect::<Vec<_>>(), [0, 1]);
        stage.go_to(at("2026-05-01"));
        done!(stage, |tx| billing::cycle::advance(tx, &stage.system(), &made.id));
        let renewed = stage.invoices(&made.customer).await.pop().unwrap();
        assert_eq!((renewed.subtotal, renewed.discount, renewed.total), (1600, 300, 1300));

        let nobodys = ItemChange { discounts: Patch::Set(vec![Wanted::Coupon("NO".into())]), ..of_first.clone() };
        let error = refusal(stage, &made.id, update(&[nobodys])).await;
        assert_eq!(field(&error), "items[0][discounts][0][coupon]");
        let error =
            refused!(stage, |tx| subscription::scheduled::schedule(tx, &stage.who, &made.id, &[of_first.clone()]));
        assert_eq!(field(&error), "items[0][discounts]");
        assert_eq!(field(&refusal(stage, &made.id, only_if_paid(update(&[of_first]))).await), "items");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_must_be_paid_for_is_taken_back() {
    on_both(async |stage| {
        for method in ["pm_card_chargeDeclined", "pm_card_authenticationRequired"] {
            let before = stage.active().await;
            pays_with(stage, &before, method).await;
            stage.pass(10 * DAY);
            let before = stage.subscription(&before.id).await;
            let (invoice, declined) = ask(stage, &before.id, only_if_paid(count(&before, 3))).await;
            assert_eq!(declined.as_ref().map(kind), Some("declined"), "{method}");
            assert_eq!(invoice.status, InvoiceStatus::Void);
            let after = stage.subscription(&before.id).await;
            assert_eq!((after.status, after.items[0].quantity, &after.pending_update), (Status::Active, 1, &None));
            assert_eq!((after.latest_invoice, after.next_due), (before.latest_invoice.clone(), before.next_due));

            pays_with(stage, &before, "pm_card_visa").await;
            let (invoice, declined) = ask(stage, &before.id, only_if_paid(count(&before, 3))).await;
            assert_eq!((invoice.status, declined), (InvoiceStatus::Paid, None));
            let after = stage.subscription(&before.id).await;
            assert_eq!((after.items[0].quantity, after.pending_update), (3, None));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_costs_nothing_or_cannot_wait_is_not_taken_back() {
    on_both(async |stage| {
        let before = since_april(stage, |new| new).await;
        stage.pass(DAY);
        // Fewer than one is a credit: there is nothing to be paid.
        let (_, declined) = ask(stage, &before.id, only_if_paid(count(&before, 0))).await;
        assert_eq!((declined, stage.subscription(&before.id).await.items[0].quantity), (None, 0));
        let named = SubscriptionUpdate { description: Patch::Set("x".into()), ..only_if_paid(count(&before, 2)) };
        assert_eq!(field(&refusal(stage, &before.id, named).await), "description");
        // A quote for one says so, and whoever confirms takes it back.
        let change = quote::Change::Update {
            subscription: before.id.clone(),
            update: Box::new(only_if_paid(count(&before, 4))),
        };
        assert!(change.only_if_paid());
        let mut new = plan(&stage.customer_named(&before.customer).await, &stage.price(1).await);
        assert!(!quote::Change::Start(Box::new(new.clone())).only_if_paid());
        new.payment_behavior = PaymentBehavior::ErrorIfIncomplete;
        assert!(quote::Change::Start(Box::new(NewSubscription { ..new })).only_if_paid());
    })
    .await;
}
