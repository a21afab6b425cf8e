//! `portico audit`: the worker seals, and the command sees what was done to the log afterwards.

use billing::job::{self, NewJob};
use billing::store::Conn;
use billing::transact;
use serde_json::json;
use server::commands::audit::{self, Command};
use server::config::Settings;

use crate::support::{self, Shop, on_both};

on_both!(the_worker_seals_and_the_command_verifies);

async fn seal(shop: &Shop) {
    let run_at = shop.app.db.clock().wall();
    let job = || NewJob { tenant: None, kind: "audit", unique_key: Some("audit"), payload: json!({}), run_at };
    transact!(shop.app.db, |tx| job::enqueue(tx, job()).await).unwrap();
    while server::worker::run_one(&shop.app.db, &shop.app.gateway).await.unwrap() {}
}

async fn intrude(shop: &Shop, sql: &'static str) {
    let mut tx = shop.app.db.begin().await.unwrap();
    tx.unaudited();
    match &mut tx.conn {
        Conn::Sqlite(inner) => _ = sqlx::query(sql).execute(&mut **inner).await.unwrap(),
        Conn::Postgres(inner) => _ = sqlx::query(sql).execute(&mut **inner).await.unwrap(),
    }
    tx.commit().await.unwrap();
}

async fn the_worker_seals_and_the_command_verifies(shop: Shop) {
    shop.post("/v1/customers", "name=Ada").await.made();
    seal(&shop).await;
    let database_url = shop.database_url.clone();
    let settings = Settings { database_url, encryption_key: Some("k".repeat(32)), ..support::settings() };
    let verify = || audit::run(&settings, Command::Verify { head: None });
    verify().await.unwrap();
    audit::run(&settings, Command::Head).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("heads.json");
    let (merchant, hash) = (&shop.merchant, "0".repeat(64));
    let line = json!({"merchant": merchant, "livemode": false, "sequence": 1, "hash": hash, "sealed_ms": 1});
    std::fs::write(&file, format!("{line}\n")).unwrap();
    let strange = audit::run(&settings, Command::Verify { head: Some(file) }).await.unwrap_err();
    assert!(strange.contains("not what it was"), "{strange}");

    let on = if shop.app.db.is_sqlite() {
        "drop trigger audit_entry_fixed"
    } else {
        "drop trigger audit_entry_fixed on audit_entry"
    };
    intrude(&shop, on).await;
    intrude(&shop, "update audit_entry set actor = 'nobody' where action = 'customer.created'").await;
    assert!(verify().await.unwrap_err().contains("not what it was"));
}
