//! Invoices looked for by a word, and the years that there are.

use billing::catalog::{ProductUpdate, product};
use billing::invoice::{self, InvoiceFilter};
use billing::subscription::{CollectionMethod, NewSubscription};
use billing::{Actor, Page};

use crate::support::{DAY, Stage, at, done, on_both, plan, seen};

/// The id and the number of an invoice for a product of this name.
async fn sent(stage: &Stage, customer: &billing::customer::Customer, name: &str) -> (String, String) {
    let price = stage.price(1000).await;
    let named = || ProductUpdate { name: Some(name.into()), ..ProductUpdate::default() };
    done!(stage, |tx| product::update(tx, &stage.who, &price.product, named()));
    let new = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(10),
        ..plan(customer, &price)
    };
    let invoice = stage.create(new).await.invoice;
    (invoice.id, invoice.number.unwrap())
}

async fn found(stage: &Stage, who: &Actor, search: &str) -> Vec<String> {
    let filter = InvoiceFilter { search: Some(search.into()), ..InvoiceFilter::default() };
    let listed = seen!(stage, |tx| invoice::list_heads(tx, who, &Page::first(10), &filter));
    listed.data.into_iter().map(|invoice| invoice.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn by_part_of_the_number_or_of_what_is_billed() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let (team, number) = sent(stage, &ada, "Team 50% off").await;
        let (studio, _) = sent(stage, &ada, "Studio_Plus").await;
        sent(stage, &bob, "Team 50% off").await;
        let me = stage.portal(&ada);
        assert_eq!(found(stage, &me, &number).await, [team.clone()]);
        assert_eq!(found(stage, &me, &number.to_lowercase()).await, [team.clone()]);
        assert_eq!(found(stage, &me, "TEAM").await, [team.clone()]);
        assert_eq!(found(stage, &me, "o_plus").await, [studio.clone()]);
        assert_eq!(found(stage, &me, "50%").await, [team.clone()]);
        assert_eq!(found(stage, &me, "").await, [studio, team]);
        for nothing in ["Enterprise", "t%m", "Team_50", "\\", "'", "%"] {
            let hits = found(stage, &me, nothing).await.len();
            assert_eq!(hits, usize::from(nothing == "%"), "{nothing}: wildcards are plain characters");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_span_of_a_customers_invoices_is_known() {
    on_both(async |stage| {
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let none = seen!(stage, |tx| invoice::span(tx, &stage.who, &ada.id));
        assert_eq!(none, None);
        sent(stage, &ada, "Team").await;
        stage.pass(400 * DAY);
        sent(stage, &ada, "Team").await;
        stage.pass(400 * DAY);
        sent(stage, &bob, "Team").await;
        let span = seen!(stage, |tx| invoice::span(tx, &stage.who, &ada.id));
        let first = at("2026-01-31");
        assert_eq!(span, Some((first, first.plus(400 * DAY))));
        let asked_by_another = seen!(stage, |tx| invoice::span(tx, &stage.portal(&bob), &ada.id));
        assert_eq!(asked_by_another, Some((stage.now(), stage.now())), "a customer has only their own");
    })
    .await;
}
