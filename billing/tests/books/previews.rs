//! Previews: what is shown is what is charged, and nothing of it is written.

use billing::catalog::{CouponUpdate, NewCoupon, coupon};
use billing::customer::{CustomerUpdate, TaxExempt};
use billing::discount::{Duration, Wanted};
use billing::invoice::draft::{InvoiceUpdate, NewInvoice};
use billing::invoice::item::edit::{InvoiceItemUpdate, Worth};
use billing::invoice::{Invoice, Status as InvoiceStatus};
use billing::preview::{self, Subject, Supposed};
use billing::quote::Change;
use billing::subscription::create::{PaymentBehavior, Trial};
use billing::subscription::pause::{self, Pause};
use billing::subscription::resume::Resume;
use billing::subscription::{self, NewSubscription, SubscriptionUpdate};
use billing::{Decimal, Patch, cycle, transact};

use crate::quotes::money;
use crate::support::{DAY, Stage, at, done, field, kind, on_both, plan, refused};

/// Every table of the books, and how many rows it has; with the versions of the rows that changes move on.
const EVERYTHING: &str = "select (select count(*) from customer) + (select count(*) from subscription) * 100
    + (select count(*) from subscription_item) * 10000 + (select count(*) from invoice) * 1000000
    + (select count(*) from invoice_line) * 100000000 + (select count(*) from discount) * 10000000000";
const WORKS: &str = "select (select count(*) from event) + (select count(*) from audit_entry) * 10000
    + (select count(*) from balance_transaction) * 100000000 + (select count(*) from invoice_item) * 10000000000";
const VERSIONS: &str = "select cast((select sum(version + next_invoice_sequence * 1000) from customer)
    + (select coalesce(sum(version), 0) from subscription) * 1000000
    + (select coalesce(sum(version), 0) from coupon) * 1000000000 as bigint)";

/// What a change leaves traces in.
pub async fn books(stage: &Stage) -> [i64; 3] {
    [stage.number(EVERYTHING).await, stage.number(WORKS).await, stage.number(VERSIONS).await]
}

async fn preview(stage: &Stage, subject: Subject) -> Invoice {
    look(stage, subject, Supposed::default()).await
}

async fn look(stage: &Stage, subject: Subject, supposed: Supposed) -> Invoice {
    let before = books(stage).await;
    let shown = done!(stage, |tx| preview::invoice(tx, &stage.who, subject.clone(), supposed.clone()));
    assert_eq!(books(stage).await, before, "a preview writes nothing");
    assert_eq!((shown.status, &shown.number, shown.amount_paid), (InvoiceStatus::Draft, &None, 0));
    shown
}

fn start(new: NewSubscription) -> Subject {
    Subject::Change(Box::new(Change::Start(Box::new(new))))
}

fn after(id: &str, update: SubscriptionUpdate) -> Subject {
    Subject::Change(Box::new(Change::Update { subscription: id.into(), update: Box::new(update) }))
}

async fn half(stage: &Stage, duration: Duration) -> Wanted {
    let new = NewCoupon {
        id: None,
        percent_off: Some(Decimal::whole(50)),
        amount_off: None,
        currency: None,
        duration,
        duration_in_months: None,
        applies_to: None,
        max_redemptions: Some(1),
        redeem_by: None,
        fields: CouponUpdate::default(),
    };
    Wanted::Coupon(done!(stage, |tx| coupon::create(tx, &stage.who, new.clone())).id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_subscriptions_first_invoice_is_the_one_that_is_shown() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let discounts = vec![half(stage, Duration::Once).await];
        let new = NewSubscription {
            payment_behavior: PaymentBehavior::DefaultIncomplete,
            discounts,
            ..plan(&customer, &price)
        };
        let shown = preview(stage, start(new.clone())).await;
        assert_eq!((shown.subtotal, shown.discount, shown.amount_due), (1000, 500, 500));
        let made = stage.create(new).await.invoice;
        assert_eq!(money(&made), money(&shown));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_renewal_is_the_one_that_is_shown() {
    on_both(async |stage| {
        let before = stage.active().await;
        let shown = preview(stage, Subject::Renewal(before.id.clone())).await;
        assert_eq!((shown.created, shown.period_start), (at("2026-02-28"), at("2026-02-28")));
        let discounts = Patch::Set(vec![half(stage, Duration::Once).await]);
        let update = SubscriptionUpdate { discounts, ..SubscriptionUpdate::default() };
        let discounted = preview(stage, after(&before.id, update.clone())).await;
        assert_eq!((shown.amount_due, discounted.amount_due), (1000, 500));

        done!(stage, |tx| subscription::update::update(tx, &stage.who, &before.id, update.clone()));
        stage.go_to(at("2026-02-28"));
        done!(stage, |tx| cycle::advance(tx, &stage.system(), &before.id));
        let made = stage.invoices(&before.customer).await.pop().unwrap();
        assert_eq!((money(&made), made.period_end), (money(&discounted), discounted.period_end));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_will_not_be_billed_is_not_shown() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let update = SubscriptionUpdate { cancel_at_period_end: Some(true), ..SubscriptionUpdate::default() };
        let subject = after(&subscription.id, update);
        let before = books(stage).await;
        let error = refused!(stage, |tx| preview::invoice(tx, &stage.who, subject.clone(), Supposed::default()));
        assert_eq!(kind(&error), "invoice_upcoming_none");
        assert_eq!(books(stage).await, before);
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription { trial: Trial::Days(731), ..plan(&customer, &price) };
        let subject = start(new);
        let error = refused!(stage, |tx| preview::invoice(tx, &stage.who, subject.clone(), Supposed::default()));
        assert_eq!(kind(&error), "parameter_invalid");
        // After a refusal the transaction goes on as if nothing had been asked.
        let stale = transact!(stage.db, |tx| {
            let refused = preview::invoice(tx, &stage.who, subject.clone(), Supposed::default()).await.is_err();
            subscription::get(tx, &stage.who, &subscription.id).await.map(|same| (refused, same))
        });
        assert_eq!(stale.unwrap(), (true, subscription));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_supposed_is_in_the_preview_alone() {
    on_both(async |stage| {
        let subscription = stage.active().await;
        let item = InvoiceItemUpdate { worth: Some(Worth::Amount(700)), ..InvoiceItemUpdate::default() };
        let exempt = CustomerUpdate { tax_exempt: Patch::Set(TaxExempt::Reverse), ..CustomerUpdate::default() };
        let supposed = Supposed { customer: Some(exempt), items: vec![(None, item.clone())], ..Supposed::default() };
        let shown = look(stage, Subject::Renewal(subscription.id.clone()), supposed.clone()).await;
        assert_eq!((shown.total, shown.bill_to.tax_exempt), (1700, Some(TaxExempt::Reverse)));
        let waiting = NewInvoice {
            customer: subscription.customer.clone(),
            subscription: None,
            currency: None,
            pulls: Some(true),
            fields: InvoiceUpdate::default(),
        };
        assert_eq!(look(stage, Subject::Waiting(Box::new(waiting)), supposed.clone()).await.total, 700);
        // A start that is to come.
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
        let later = Supposed { at: Some(stage.now().plus(DAY)), ..Supposed::default() };
        assert_eq!(look(stage, start(new.clone()), later).await.created, stage.now().plus(DAY));
        let before = Supposed { at: Some(stage.now().plus(-DAY)), ..Supposed::default() };
        assert_eq!(look(stage, start(new.clone()), before.clone()).await.lines.len(), 2, "and one in the past");
        let subject = Subject::Renewal(subscription.id.clone());
        let error = refused!(stage, |tx| preview::invoice(tx, &stage.who, subject.clone(), before.clone()));
        assert_eq!((kind(&error), field(&error)), ("parameter_invalid", "start_date"));
        let nothing = Supposed { items: vec![(None, InvoiceItemUpdate::default())], ..Supposed::default() };
        let subject = Subject::Renewal(subscription.id.clone());
        let error = refused!(stage, |tx| preview::invoice(tx, &stage.who, subject.clone(), nothing.clone()));
        assert_eq!(field(&error), "invoice_items[0][amount]");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_renewal_of_what_is_not_paid_or_runs_no_more_is_the_next_that_time_makes() {
    on_both(async |stage| {
        let (customer, price) = (stage.customer().await, stage.price(1000).await);
        let new = NewSubscription { payment_behavior: PaymentBehavior::DefaultIncomplete, ..plan(&customer, &price) };
        let unpaid = stage.create(new).await.subscription;
        let shown = preview(stage, Subject::Renewal(unpaid.id.clone())).await;
        assert_eq!((shown.amount_due, shown.period_start), (1000, unpaid.current_period_end));

        let paused = stage.active().await;
        let pause = Pause { resumes_at: Some(stage.now().plus(10 * DAY)), ..Pause::default() };
        done!(stage, |tx| pause::pause(tx, &stage.who, &paused.id, pause));
        let shown = preview(stage, Subject::Renewal(paused.id.clone())).await;
        // It begins anew, less what was given back when it stopped.
        assert_eq!((shown.created, shown.total), (stage.now().plus(10 * DAY), 0));
        let subject =
            Subject::Change(Box::new(Change::Resume { subscription: paused.id.clone(), resume: Resume::default() }));
        assert_eq!(preview(stage, subject).await.created, stage.now());
    })
    .await;
}
