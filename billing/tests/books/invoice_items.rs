//! Invoice items and the drafts they stand on: what waits, what is billed with what, and what a draft adds up to.

use billing::catalog::tax_rate::{self, NewTaxRate, TaxRateUpdate};
use billing::customer::Customer;
use billing::customer::balance::{self, Adjustment};
use billing::invoice::draft::{self, InvoiceUpdate, NewInvoice};
use billing::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem, Worth};
use billing::invoice::item::{self, InvoiceItemFilter};
use billing::invoice::{self, Invoice, InvoiceItem, Status};
use billing::subscription::CollectionMethod;
use billing::{Decimal, Page, Patch};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::support::{DAY, Stage, done, field, kind, on_both, on_sqlite, plan, refused, seen};

pub fn over(customer: &Customer, amount: i64) -> NewInvoiceItem {
    NewInvoiceItem {
        customer: customer.id.clone(),
        subscription: None,
        invoice: None,
        currency: None,
        fields: InvoiceItemUpdate { worth: Some(Worth::Amount(amount)), ..InvoiceItemUpdate::default() },
    }
}

pub fn draft_for(customer: &Customer) -> NewInvoice {
    NewInvoice {
        customer: customer.id.clone(),
        subscription: None,
        currency: None,
        pulls: Some(true),
        fields: InvoiceUpdate {
            collection_method: Some(CollectionMethod::SendInvoice),
            days_until_due: Some(30),
            ..InvoiceUpdate::default()
        },
    }
}

pub async fn add(stage: &Stage, new: NewInvoiceItem) -> InvoiceItem {
    done!(stage, |tx| edit::create(tx, &stage.who, new.clone()))
}

pub async fn draft(stage: &Stage, new: NewInvoice) -> Invoice {
    done!(stage, |tx| draft::create(tx, &stage.who, new.clone()))
}

pub async fn finalized(stage: &Stage, invoice: &Invoice) -> Invoice {
    done!(stage, |tx| draft::finalize(tx, &stage.who, &invoice.id))
}

pub async fn rate(stage: &Stage, percentage: &str, inclusive: bool) -> String {
    let new = NewTaxRate {
        display_name: "VAT".into(),
        percentage: Decimal::parse(percentage, 4, "percentage").unwrap(),
        inclusive,
        fields: TaxRateUpdate::default(),
    };
    done!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone())).id
}

async fn pending(stage: &Stage, customer: &Customer) -> Vec<String> {
    let filter =
        InvoiceItemFilter { customer: Some(customer.id.clone()), pending: Some(true), ..InvoiceItemFilter::default() };
    let page = Page::first(100);
    seen!(stage, |tx| item::list(tx, &stage.who, &page, &filter)).data.into_iter().map(|item| item.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_waits_for_the_next_invoice() {
    on_both(async |stage| {
        let ada = stage.payer("pm_card_visa").await;
        let new = NewInvoiceItem {
            fields: InvoiceItemUpdate { description: Patch::Set("Setup".into()), ..over(&ada, 250).fields },
            ..over(&ada, 250)
        };
        let waiting = add(stage, new).await;
        assert_eq!((waiting.amount, waiting.quantity, waiting.currency.clone()), (250, 1, stage.eur()));
        assert_eq!(seen!(stage, |tx| item::get(tx, &stage.who, &waiting.id)), waiting);
        assert_eq!(stage.events_of(&waiting.id).await, ["invoiceitem.created"]);
        assert_eq!(pending(stage, &ada).await, [waiting.id.clone()]);
        let subscription = stage.subscribe(plan(&ada, &stage.price(1000).await)).await;
        let invoice = stage.invoice(subscription.latest_invoice.as_ref().unwrap()).await;
        assert_eq!((invoice.total, invoice.lines.len(), invoice.status), (1250, 2, Status::Paid));
        let line = invoice.lines.iter().find(|line| line.invoice_item.is_some()).unwrap();
        assert_eq!((line.description.as_str(), line.amount), ("Setup", 250));
        assert!(pending(stage, &ada).await.is_empty());
        let change = InvoiceItemUpdate { worth: Some(Worth::Amount(1)), ..InvoiceItemUpdate::default() };
        let error = refused!(stage, |tx| edit::update(tx, &stage.who, &waiting.id, change.clone()));
        assert_eq!(kind(&error), "invoice_not_editable");
        assert_eq!(kind(&refused!(stage, |tx| edit::delete(tx, &stage.who, &waiting.id))), "invoice_not_editable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_is_worth_what_its_price_and_quantity_say() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let price = stage.price_of(&stage.who, 333, None).await;
        let worth = |worth: Worth, quantity| NewInvoiceItem {
            fields: InvoiceItemUpdate { worth: Some(worth), quantity, ..InvoiceItemUpdate::default() },
            ..over(&ada, 0)
        };
        let priced = add(stage, worth(Worth::Price(price.id.clone()), Some(3))).await;
        assert_eq!((priced.amount, priced.product_name.as_deref()), (999, Some("Pro")));
        let unit = Decimal::parse("0.335", 12, "unit_amount_decimal").unwrap();
        let fine = add(stage, worth(Worth::Unit(unit), Some(100))).await;
        assert_eq!((fine.amount, fine.unit_amount), (34, Some(unit)));
        let more = InvoiceItemUpdate { quantity: Some(1000), ..InvoiceItemUpdate::default() };
        assert_eq!(done!(stage, |tx| edit::update(tx, &stage.who, &fine.id, more.clone())).amount, 335);
        let credit = add(stage, over(&ada, -100)).await;
        assert_eq!((credit.amount, credit.discountable), (-100, false));
        let recurring = stage.price(100).await;
        for (new, param) in [
            (worth(Worth::Price(recurring.id.clone()), None), "pricing[price]"),
            (worth(Worth::Price("price_no".into()), None), "pricing[price]"),
            (worth(Worth::Amount(5), Some(2)), "quantity"),
            (worth(Worth::Amount(999_999_999), None), "amount"),
            (NewInvoiceItem { customer: "cus_no".into(), ..over(&ada, 1) }, "customer"),
            (NewInvoiceItem { subscription: Some("sub_no".into()), ..over(&ada, 1) }, "subscription"),
            (NewInvoiceItem { invoice: Some("in_no".into()), ..over(&ada, 1) }, "invoice"),
            (NewInvoiceItem { fields: InvoiceItemUpdate::default(), ..over(&ada, 1) }, "amount"),
        ] {
            assert_eq!(field(&refused!(stage, |tx| edit::create(tx, &stage.who, new.clone()))), param);
        }
        assert_eq!(pending(stage, &ada).await.len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_follows_its_items_until_it_is_finalised() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let vat = rate(stage, "19", false).await;
        let fields = InvoiceUpdate { default_tax_rates: Patch::Set(vec![vat]), ..draft_for(&ada).fields };
        let made = draft(stage, NewInvoice { fields, ..draft_for(&ada) }).await;
        assert_eq!((made.status, made.total, made.number.clone()), (Status::Draft, 0, None));
        assert_eq!(made.due_date, Some(stage.now().plus(30 * DAY)));
        assert_eq!(stage.events_of(&made.id).await, ["invoice.created"]);
        let on_it = |amount| NewInvoiceItem { invoice: Some(made.id.clone()), ..over(&ada, amount) };
        let first = add(stage, on_it(1000)).await;
        add(stage, on_it(2000)).await;
        let now = stage.invoice(&made.id).await;
        assert_eq!((now.subtotal, now.tax, now.total, now.amount_due), (3000, 570, 3570, 3570));
        let line = now.lines[0].id.clone();
        let half = InvoiceItemUpdate { worth: Some(Worth::Amount(500)), ..InvoiceItemUpdate::default() };
        done!(stage, |tx| edit::update(tx, &stage.who, &first.id, half.clone()));
        let now = stage.invoice(&made.id).await;
        assert_eq!((now.total, now.lines[0].id.clone()), (2975, line), "a line keeps its id");
        done!(stage, |tx| edit::delete(tx, &stage.who, &first.id));
        let open = finalized(stage, &now).await;
        assert_eq!((open.status, open.total, open.amount_due), (Status::Open, 2380, 2380));
        assert!(open.number.as_ref().unwrap().ends_with("-0001"));
        assert_eq!(open, stage.invoice(&open.id).await);
        let again = refused!(stage, |tx| draft::finalize(tx, &stage.who, &open.id));
        assert_eq!(kind(&again), "invoice_already_finalized");
        assert_eq!(field(&refused!(stage, |tx| edit::create(tx, &stage.who, on_it(1)))), "invoice");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_draft_leaves_what_waited() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let waiting = add(stage, over(&ada, 700)).await;
        let made = draft(stage, draft_for(&ada)).await;
        assert_eq!((made.total, pending(stage, &ada).await.len()), (700, 0));
        done!(stage, |tx| draft::delete(tx, &stage.who, &made.id));
        assert_eq!(pending(stage, &ada).await, [waiting.id]);
        assert_eq!(kind(&refused!(stage, |tx| invoice::get(tx, &stage.who, &made.id))), "missing");
        assert_eq!(stage.events_of(&made.id).await, ["invoice.created", "invoice.deleted"]);
        let open = draft(stage, draft_for(&ada)).await;
        let open = finalized(stage, &open).await;
        assert_eq!(kind(&refused!(stage, |tx| draft::delete(tx, &stage.who, &open.id))), "invoice_not_editable");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_is_moved_by_hand() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        let open = async |amount| {
            add(stage, over(&ada, amount)).await;
            let draft = draft(stage, draft_for(&ada)).await;
            finalized(stage, &draft).await
        };
        let now = stage.now();
        let paid = open(1000).await;
        let paid = done!(stage, |tx| invoice::pay_out_of_band(tx, &stage.who, &paid.id, now));
        assert_eq!((paid.status, paid.amount_paid, paid.amount_remaining()), (Status::Paid, 1000, 0));
        assert!(paid.paid_out_of_band && stage.invoice(&paid.id).await == paid);
        let twice = refused!(stage, |tx| invoice::pay_out_of_band(tx, &stage.who, &paid.id, now));
        assert_eq!(kind(&twice), "invoice_already_paid");
        let lost = open(900).await;
        let lost = done!(stage, |tx| invoice::mark_uncollectible(tx, &stage.who, &lost.id, now));
        assert_eq!((lost.status, lost.marked_uncollectible_at), (Status::Uncollectible, Some(now)));
        let found = done!(stage, |tx| invoice::pay_out_of_band(tx, &stage.who, &lost.id, now));
        assert_eq!(found.status, Status::Paid, "what was given up came after all");
        let void = open(800).await;
        done!(stage, |tx| invoice::mark_uncollectible(tx, &stage.who, &void.id, now));
        assert_eq!(done!(stage, |tx| invoice::void(tx, &stage.who, &void.id, now)).status, Status::Void);
        for id in [&paid.id, &void.id] {
            assert_eq!(kind(&refused!(stage, |tx| invoice::void(tx, &stage.who, id, now))), "invoice_not_open");
            assert_eq!(
                kind(&refused!(stage, |tx| invoice::mark_uncollectible(tx, &stage.who, id, now))),
                "invoice_not_open"
            );
            assert_eq!(kind(&refused!(stage, |tx| invoice::send(tx, &stage.who, id))), "invoice_not_open");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_item_makes_a_negative_invoice_into_balance() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        add(stage, over(&ada, -700)).await;
        let made = draft(stage, draft_for(&ada)).await;
        let paid = finalized(stage, &made).await;
        assert_eq!((paid.total, paid.amount_due, paid.status), (-700, 0, Status::Paid));
        assert_eq!((paid.starting_balance, paid.ending_balance), (0, Some(-700)));
        assert_eq!(stage.customer_named(&ada.id).await.balance, -700);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finalised_invoice_says_what_it_said() {
    on_both(async |stage| {
        let ada = stage.customer().await;
        add(stage, over(&ada, 900)).await;
        let made = draft(stage, draft_for(&ada)).await;
        let words = InvoiceUpdate { description: Patch::Set("Thanks".into()), ..InvoiceUpdate::default() };
        let told = done!(stage, |tx| draft::update(tx, &stage.who, &made.id, words.clone()));
        assert_eq!(told.description.as_deref(), Some("Thanks"));
        let open = finalized(stage, &told).await;
        let error = refused!(stage, |tx| draft::update(tx, &stage.who, &open.id, words.clone()));
        assert_eq!((kind(&error), field(&error)), ("invoice_not_editable", "description"));
        let later = InvoiceUpdate { due_date: Some(stage.now().plus(60 * DAY)), ..InvoiceUpdate::default() };
        let later = done!(stage, |tx| draft::update(tx, &stage.who, &open.id, later.clone()));
        assert_eq!(later.due_date, Some(stage.now().plus(60 * DAY)));
        let undue =
            InvoiceUpdate { collection_method: Some(CollectionMethod::SendInvoice), ..InvoiceUpdate::default() };
        let undue = NewInvoice { fields: undue, ..draft_for(&ada) };
        assert_eq!(field(&refused!(stage, |tx| draft::create(tx, &stage.who, undue.clone()))), "days_until_due");
    })
    .await;
}

/// Amounts, whether each is taxed on top or inside or not at all, and the balance that the customer has before.
fn documents() -> impl Strategy<Value = (Vec<(i64, u8)>, i64)> {
    (proptest::collection::vec((-30_000i64..60_000, 0u8..3), 1..5), -40_000i64..20_000)
}

async fn adds_up(stage: &Stage, cases: usize) {
    let (on_top, inside) = (rate(stage, "19", false).await, rate(stage, "7.25", true).await);
    let mut runner = TestRunner::deterministic();
    for _ in 0..cases {
        let (lines, balance) = documents().new_tree(&mut runner).unwrap().current();
        let ada = stage.customer().await;
        if balance != 0 {
            let new =
                Adjustment { amount: balance, currency: stage.eur(), description: Patch::Keep, metadata: Patch::Keep };
            done!(stage, |tx| balance::adjust(tx, &stage.who, &ada.id, new.clone()));
        }
        for (amount, taxed) in &lines {
            let rates = match taxed {
                0 => Patch::Keep,
                1 => Patch::Set(vec![on_top.clone()]),
                _ => Patch::Set(vec![inside.clone()]),
            };
            let fields = InvoiceItemUpdate { tax_rates: rates, ..over(&ada, *amount).fields };
            add(stage, NewInvoiceItem { fields, ..over(&ada, 0) }).await;
        }
        let made = draft(stage, draft_for(&ada)).await;
        let i = finalized(stage, &made).await;
        let exclusive: i64 = i
            .lines
            .iter()
            .flat_map(|l| l.taxes.as_array().unwrap())
            .filter(|t| t["tax_behavior"] == "exclusive")
            .map(|t| t["amount"].as_i64().unwrap())
            .sum();
        let amounts: i64 = i.lines.iter().map(|l| l.amount - l.discount).sum();
        assert_eq!(
            (i.subtotal, i.total),
            (lines.iter().map(|(amount, _)| amount).sum(), amounts + exclusive),
            "{lines:?}"
        );
        assert_eq!(i.amount_due, i.total + i.starting_balance - i.ending_balance.unwrap(), "{lines:?} {balance}");
        assert!(i.amount_due >= 0);
        assert_eq!((i.starting_balance, i.status == Status::Paid), (balance, i.amount_due == 0));
        assert_eq!(stage.customer_named(&ada.id).await.balance, i.ending_balance.unwrap());
        if i.status == Status::Open {
            done!(stage, |tx| invoice::void(tx, &stage.who, &i.id, stage.now()));
            assert_eq!(stage.customer_named(&ada.id).await.balance, balance, "void gives back exactly");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_add_up() {
    on_sqlite(async |stage| adds_up(stage, 60).await).await;
    crate::support::on_postgres(async |stage| adds_up(stage, 15).await).await;
}
