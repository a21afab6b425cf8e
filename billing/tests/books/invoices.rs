//! Invoices: their numbers, their pages, who sees them.

use billing::customer::{self, CustomerUpdate};
use billing::invoice::{self, Invoice, InvoiceFilter, Status};
use billing::subscription::{CollectionMethod, NewSubscription};
use billing::{Actor, Page, Patch, Seconds};

use crate::support::{Stage, at, done, field, kind, on_both, plan, refused, seen};

/// Sent invoices: they stay open and need no method.
async fn sent(stage: &Stage, customer: &customer::Customer, amount: i64) -> Invoice {
    let new = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(30),
        ..plan(customer, &stage.price(amount).await)
    };
    stage.create(new).await.invoice
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_count_up_for_each_customer() {
    on_both(async |stage| {
        let named = CustomerUpdate {
            invoice_prefix: Some("ADA".into()),
            next_invoice_sequence: Some(9_999),
            ..CustomerUpdate::default()
        };
        let ada = done!(stage, |tx| customer::create(tx, &stage.who, named.clone()));
        let bob = stage.customer().await;
        let mut numbers = Vec::new();
        for customer in [&ada, &bob, &ada, &bob, &ada] {
            numbers.push(sent(stage, customer, 100).await.number.unwrap());
        }
        let prefix = &bob.invoice_prefix;
        assert_eq!(
            numbers,
            [
                "ADA-9999".to_owned(),
                format!("{prefix}-0001"),
                "ADA-10000".into(),
                format!("{prefix}-0002"),
                "ADA-10001".into()
            ]
        );
        assert_eq!(stage.customer_named(&ada.id).await.next_invoice_sequence, 10_002);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_invoice_takes_no_number() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let price = stage.price(1000).await;
        assert_eq!(stage.create_refused(plan(&customer, &price)).await, "default_payment_method");
        assert!(sent(stage, &customer, 100).await.number.unwrap().ends_with("-0001"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unique_index_is_the_judge_of_a_period() {
    on_both(async |stage| {
        let invoice = sent(stage, &stage.customer().await, 100).await;
        let subscription = stage.subscription(invoice.subscription.as_ref().unwrap()).await;
        let again = billing::transact!(stage.db, |tx| {
            let lines = invoice::period_lines(&subscription)?;
            invoice::bill_period(tx, &stage.who, &subscription, "subscription_cycle", lines, stage.now()).await
        });
        assert_eq!(kind(&again.unwrap_err()), "busy");
        assert_eq!(stage.number("select count(*) from invoice").await, 1);

        done!(stage, |tx| invoice::void(tx, &stage.who, &invoice.id, stage.now()));
        let anew = billing::transact!(stage.db, |tx| {
            let lines = invoice::period_lines(&subscription)?;
            invoice::bill_period(tx, &stage.who, &subscription, "subscription_cycle", lines, stage.now()).await
        });
        assert!(anew.unwrap().number.unwrap().ends_with("-0002"), "a void one leaves its period to another");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invoice_keeps_whom_it_was_made_out_to() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let invoice = sent(stage, &customer, 100).await;
        let renamed = CustomerUpdate { name: Patch::Set("Bob".into()), ..CustomerUpdate::default() };
        done!(stage, |tx| customer::update(tx, &stage.who, &customer.id, renamed.clone()));
        assert_eq!(stage.invoice(&invoice.id).await.bill_to.name.as_deref(), Some("Ada"));
    })
    .await;
}

async fn listed(stage: &Stage, who: &Actor, page: &Page, filter: &InvoiceFilter) -> (Vec<String>, bool) {
    let full = seen!(stage, |tx| invoice::list(tx, who, page, filter));
    let heads = seen!(stage, |tx| invoice::list_heads(tx, who, page, filter));
    assert!(full.data.iter().all(|i| !i.lines.is_empty()));
    let ids = |data: Vec<Invoice>| data.into_iter().map(|i| i.id).collect::<Vec<_>>();
    let (full, more) = (ids(full.data), full.has_more);
    assert_eq!((&full, more), (&ids(heads.data), heads.has_more));
    (full, more)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_forward_and_back_over_invoices_of_one_second() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let mut newest_first = Vec::new();
        for n in 0..7 {
            // Three of one second, then three of another, then one.
            if n % 3 == 0 {
                stage.pass(10);
            }
            newest_first.insert(0, sent(stage, &customer, 100).await.id);
        }
        let filter = InvoiceFilter { customer: Some(customer.id.clone()), ..InvoiceFilter::default() };
        for filter in [&filter, &InvoiceFilter::default()] {
            for limit in 1..=8 {
                let size = usize::try_from(limit).unwrap();
                let mut read = Vec::new();
                loop {
                    let page = Page { starting_after: read.last().cloned(), ..Page::first(limit) };
                    let (ids, more) = listed(stage, &stage.who, &page, filter).await;
                    assert_eq!(ids.len(), size.min(7 - read.len()));
                    read.extend(ids);
                    assert_eq!(more, read.len() < 7, "has_more at {} of 7 by {limit}", read.len());
                    if !more {
                        break;
                    }
                }
                assert_eq!(read, newest_first);

                let mut read = vec![newest_first[6].clone()];
                loop {
                    let page = Page { ending_before: read.first().cloned(), ..Page::first(limit) };
                    let (ids, more) = listed(stage, &stage.who, &page, filter).await;
                    read.splice(0..0, ids);
                    assert_eq!(more, read.len() < 7);
                    if !more {
                        break;
                    }
                }
                assert_eq!(read, newest_first);
            }
        }
        let past = Page { starting_after: Some(newest_first[6].clone()), ..Page::first(3) };
        assert_eq!(listed(stage, &stage.who, &past, &filter).await, (vec![], false));
        let unknown = Page { starting_after: Some("in_no".into()), ..Page::first(3) };
        let error = refused!(stage, |tx| invoice::list(tx, &stage.who, &unknown, &filter));
        assert_eq!((field(&error), kind(&error)), ("starting_after", "missing"));
        let unknown = Page { ending_before: Some("in_no".into()), ..Page::first(3) };
        let error = refused!(stage, |tx| invoice::list(tx, &stage.who, &unknown, &filter));
        assert_eq!((field(&error), kind(&error)), ("ending_before", "missing"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_are_listed_by_every_filter() {
    on_both(async |stage| {
        let (ada, bob) = (stage.payer("pm_card_visa").await, stage.customer().await);
        let paid = stage.subscribe(plan(&ada, &stage.price(1000).await)).await;
        stage.pass(100);
        let (open, late) = (sent(stage, &ada, 100).await, sent(stage, &bob, 100).await);
        done!(stage, |tx| invoice::void(tx, &stage.who, &late.id, stage.now()));
        let all = InvoiceFilter::default;
        let ids = async |filter: InvoiceFilter, created: (i64, i64)| {
            let page = Page { created, ..Page::first(10) };
            listed(stage, &stage.who, &page, &filter).await.0
        };
        let ever = (i64::MIN, i64::MAX);
        let (paid_id, paid) = (paid.latest_invoice.clone().unwrap(), paid.id);
        assert_eq!(ids(all(), ever).await, [&late.id, &open.id, &paid_id].map(Clone::clone));
        let of = |status| InvoiceFilter { status: Some(status), ..all() };
        assert_eq!(ids(of(Status::Open), ever).await, [open.id.clone()]);
        assert_eq!(ids(of(Status::Void), ever).await, [late.id.clone()]);
        assert_eq!(ids(InvoiceFilter { subscription: Some(paid.clone()), ..all() }, ever).await, [paid_id.clone()]);
        let method = Some(CollectionMethod::SendInvoice);
        assert_eq!(ids(InvoiceFilter { collection_method: method, ..all() }, ever).await.len(), 2);
        let hers = || InvoiceFilter { customer: Some(ada.id.clone()), ..all() };
        assert_eq!(ids(hers(), ever).await, [&open.id, &paid_id].map(Clone::clone));
        assert_eq!(ids(InvoiceFilter { status: Some(Status::Paid), ..hers() }, ever).await, [paid_id.clone()]);
        assert_eq!(ids(InvoiceFilter { collection_method: method, ..hers() }, ever).await, [open.id.clone()]);
        assert!(ids(InvoiceFilter { subscription: late.subscription.clone(), ..hers() }, ever).await.is_empty());
        let Seconds(start) = at("2026-01-31");
        assert_eq!(ids(all(), (start, start)).await, [paid_id]);
        assert_eq!(ids(all(), (start + 1, start + 100)).await.len(), 2);
        assert!(ids(all(), (start + 1, start + 99)).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_no_drafts() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        let (open, draft) = (sent(stage, &customer, 100).await, sent(stage, &customer, 200).await);
        stage.force("update invoice set status = 'draft', number = null where total = 200").await.unwrap();
        let (me, page, filter) = (stage.portal(&customer), Page::first(10), InvoiceFilter::default());
        assert_eq!(listed(stage, &me, &page, &filter).await, (vec![open.id.clone()], false));
        let drafts = InvoiceFilter { status: Some(Status::Draft), ..InvoiceFilter::default() };
        assert!(listed(stage, &me, &page, &drafts).await.0.is_empty());
        assert_eq!(kind(&refused!(stage, |tx| invoice::get(tx, &me, &draft.id))), "missing");
        let behind = Page { starting_after: Some(draft.id.clone()), ..Page::first(10) };
        assert_eq!(field(&refused!(stage, |tx| invoice::list(tx, &me, &behind, &filter))), "starting_after");
        assert_eq!(listed(stage, &stage.who, &page, &filter).await.0, [draft.id, open.id]);
    })
    .await;
}
