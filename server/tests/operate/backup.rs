//! A backup is taken while the books are written, and is whole.

use billing::check::{self, Look};
use billing::store::Conn;
use billing::webhook::{self, EndpointUpdate, NewEndpoint};
use billing::{Clock, transact};
use server::commands::{backup, connect};
use server::config::Settings;

use crate::support::Shop;

fn at(shop: &Shop, database_url: String) -> Settings {
    Settings { database_url, ..(*shop.app.settings).clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_holds_what_was_acknowledged_before_it() {
    let shop = Shop::on_sqlite().await;
    let customer = shop.post("/v1/customers", "name=Ada").await.made();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.db");
    let writes = async {
        for n in 0..40 {
            shop.post("/v1/customers", &format!("name=Writer {n}")).await.ok();
        }
    };
    let settings = at(&shop, shop.database_url.clone());
    let (copied, ()) = tokio::join!(backup::run(&settings, &file), writes);
    copied.unwrap();

    let books = connect(&at(&shop, format!("sqlite://{}", file.display())), Clock::system()).await.unwrap();
    assert!(books.is_ready().await.unwrap());
    let who = shop.system().await;
    let mut tx = books.read().await.unwrap();
    assert_eq!(billing::customer::get(&mut tx, &who, &customer).await.unwrap().name.as_deref(), Some("Ada"));
    drop(tx);

    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&file).unwrap());
    assert_eq!(mode & 0o777, 0o600, "nobody else may read it");
    let before = std::fs::read(&file).unwrap();
    assert!(backup::run(&settings, &file).await.is_err(), "a file that is there is not written over");
    assert_eq!(std::fs::read(&file).unwrap(), before);

    let nowhere = at(&shop, format!("sqlite://{}/none.db", folder.path().display()));
    assert!(backup::run(&nowhere, &folder.path().join("copy.db")).await.unwrap_err().contains("none.db"));
    assert!(!folder.path().join("none.db").exists() && !folder.path().join("copy.db").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_restored_elsewhere_proves_itself() {
    let rounds = if std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release") { 100 } else { 3 };
    let shop = Shop::on_sqlite().await;
    let (price, who) = (shop.monthly_price(1000).await, shop.system().await);
    let sealed = Settings { encryption_key: Some("k".repeat(32)), ..at(&shop, shop.database_url.clone()) };
    let db = connect(&sealed, Clock::system()).await.unwrap();
    let new = NewEndpoint {
        url: "https://hooks.example/".into(),
        enabled_events: vec!["*".into()],
        api_version: None,
        fields: EndpointUpdate::default(),
    };
    let (endpoint, secret) = transact!(db, |tx| webhook::create(tx, &who, new.clone()).await).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for n in 0..rounds {
        let file = folder.path().join(format!("{n}.db"));
        let purchases = async {
            for _ in 0..6 {
                let customer = shop.paying_customer().await;
                shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
            }
        };
        let (copied, ()) = tokio::join!(backup::run(&sealed, &file), purchases);
        copied.unwrap();

        let restored = Settings { database_url: format!("sqlite://{}", file.display()), ..sealed.clone() };
        let books = connect(&restored, Clock::system()).await.unwrap();
        let found = check::run(&books, Look { at_rest: true, ..Look::default() }).await.unwrap();
        assert!(found.iter().all(|finding| finding.violations.is_empty()), "{found:#?}");
        let mut tx = books.read().await.unwrap();
        assert_eq!(webhook::secret(&mut tx, &who, &endpoint.id).await.unwrap(), secret);
        let Conn::Sqlite(inner) = &mut tx.conn else { panic!("a file is SQLite's") };
        let (whole,): (String,) = sqlx::query_as("pragma integrity_check").fetch_one(&mut **inner).await.unwrap();
        assert_eq!(whole, "ok");
        drop(tx);
        books.close().await;
    }
}

#[tokio::test]
async fn postgres_is_backed_up_by_its_own_means() {
    if let Some(shop) = Shop::on_postgres().await {
        let folder = tempfile::tempdir().unwrap();
        let key = Some("k".repeat(32));
        let settings = Settings { encryption_key: key, ..at(&shop, shop.database_url.clone()) };
        let refused = backup::run(&settings, &folder.path().join("books.db")).await.unwrap_err();
        assert!(refused.contains("pg_dump"), "{refused}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
