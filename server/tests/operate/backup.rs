//! A backup is taken while the books are written, and is whole.

use billing::Clock;
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
