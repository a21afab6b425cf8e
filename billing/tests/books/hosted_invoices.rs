//! An invoice's own page: its link is made once, kept sealed, found by its hash, and dies in time.

use billing::customer::{self, Customer};
use billing::invoice::{self, Invoice};
use billing::seal::Key;
use billing::subscription::{CollectionMethod, NewSubscription};
use billing::{Db, directory, transact, wire};

use crate::support::{DAY, Stage, done, on_both, plan, seen};

fn reached(stage: &Stage) -> Db {
    stage.db.clone().reached_at("https://billing.example")
}

async fn sent(stage: &Stage, db: &Db, customer: &Customer) -> Invoice {
    let price = stage.price(1000).await;
    let new = NewSubscription {
        collection_method: CollectionMethod::SendInvoice,
        days_until_due: Some(10),
        ..plan(customer, &price)
    };
    let made = transact!(db, |tx| billing::subscription::create::create(tx, &stage.who, new.clone()).await);
    made.unwrap().invoice
}

async fn read(stage: &Stage, db: &Db, id: &str) -> Invoice {
    invoice::get(&mut db.read().await.unwrap(), &stage.who, id).await.unwrap()
}

fn secret(invoice: &Invoice) -> String {
    let url = invoice.hosted_invoice_url.as_deref().unwrap();
    url.strip_prefix("https://billing.example/invoice/").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_is_the_same_whenever_it_is_asked_for() {
    on_both(async |stage| {
        let db = reached(stage);
        let made = sent(stage, &db, &stage.customer().await).await;
        let secret = secret(&made);
        assert_eq!(secret.len(), 43, "256 bits");
        assert_eq!(read(stage, &db, &made.id).await.hosted_invoice_url, made.hosted_invoice_url);
        let shown = wire::invoice(&stage.who.tenant, &made);
        assert_eq!(shown["hosted_invoice_url"].as_str(), made.hosted_invoice_url.as_deref());
        let event = stage.last_event(&made.id).await;
        assert_eq!(event.r#type, "invoice.finalized");
        assert_eq!(event.data["object"]["hosted_invoice_url"], shown["hosted_invoice_url"]);

        let rows: Vec<(String, String)> = stage.rows("select secret_hash, secret from hosted_invoice").await;
        assert_eq!(rows.len(), 1);
        assert!(!rows[0].0.contains(&secret) && !rows[0].1.contains(&secret), "it is kept hashed and sealed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_address_or_with_another_key_there_is_no_link() {
    on_both(async |stage| {
        let made = sent(stage, &stage.db, &stage.customer().await).await;
        assert_eq!(made.hosted_invoice_url, None, "nobody reaches this portal");
        assert!(read(stage, &reached(stage), &made.id).await.hosted_invoice_url.is_some());
        let other = reached(stage).sealed_with(Key::random());
        assert_eq!(read(stage, &other, &made.id).await.hosted_invoice_url, None);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_leads_to_its_invoice_and_to_nothing_else() {
    on_both(async |stage| {
        let db = reached(stage);
        let (ada, bob) = (stage.customer().await, stage.customer().await);
        let (hers, his) = (sent(stage, &db, &ada).await, sent(stage, &db, &bob).await);
        assert_ne!(secret(&hers), secret(&his));
        let found = seen!(stage, |tx| directory::by_hosted_invoice(tx, &secret(&hers))).unwrap();
        assert_eq!((&found.invoice.id, &found.customer.id), (&hers.id, &ada.id));
        assert_eq!(found.merchant.id, stage.merchant.id);
        let holder = found.actor();
        assert!(holder.is_read_only());
        seen!(stage, |tx| invoice::get(tx, &holder, &hers.id));
        let mut tx = db.read().await.unwrap();
        assert!(invoice::get(&mut tx, &holder, &his.id).await.is_err());
        assert!(customer::get(&mut tx, &holder, &bob.id).await.is_err());
        for guess in ["", "x", &hers.id, &secret(&hers)[1..]] {
            assert!(directory::by_hosted_invoice(&mut tx, guess).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_until_thirty_days_after_the_invoice_is_due_or_settled() {
    on_both(async |stage| {
        let db = reached(stage);
        let made = sent(stage, &db, &stage.customer().await).await;
        let secret = secret(&made);
        let is_open = async || seen!(stage, |tx| directory::by_hosted_invoice(tx, &secret)).unwrap().is_open();
        assert!(is_open().await);
        stage.pass(40 * DAY - 1);
        assert!(is_open().await, "ten days until it is due, and thirty more");
        stage.pass(1);
        assert!(!is_open().await);
        // Paid without a charge.
        stage.tampers();
        done!(stage, |tx| async {
            let mut late = invoice::get(tx, &stage.who, &made.id).await?;
            invoice::mark_paid(tx, &stage.who, &mut late, 1000, stage.now()).await
        });
        assert!(is_open().await, "it was paid today");
        stage.pass(30 * DAY);
        assert!(!is_open().await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_dies_with_the_customer() {
    on_both(async |stage| {
        let db = reached(stage);
        let customer = stage.customer().await;
        let secret = secret(&sent(stage, &db, &customer).await);
        done!(stage, |tx| customer::delete(tx, &stage.who, &customer.id));
        assert!(!seen!(stage, |tx| directory::by_hosted_invoice(tx, &secret)).unwrap().is_open());
    })
    .await;
}
