//! `portico check`: sound books pass, and broken ones are an error of the command.

use billing::store::Conn;
use server::commands::check::{self, Options};
use server::config::Settings;

use crate::support::{self, Shop, on_both};

on_both!(the_command_tells_sound_books_from_broken_ones);

fn at(shop: &Shop) -> Settings {
    let database_url = shop.database_url.clone();
    let sandbox_database_url = Some(shop.ledger_url());
    Settings { database_url, sandbox_database_url, encryption_key: Some("k".repeat(32)), ..support::settings() }
}

async fn force(shop: &Shop, sql: &'static str) {
    let mut tx = shop.app.db.begin().await.unwrap();
    tx.unaudited();
    match &mut tx.conn {
        Conn::Sqlite(inner) => _ = sqlx::query(sql).execute(&mut **inner).await.unwrap(),
        Conn::Postgres(inner) => _ = sqlx::query(sql).execute(&mut **inner).await.unwrap(),
    }
    tx.commit().await.unwrap();
}

async fn the_command_tells_sound_books_from_broken_ones(shop: Shop) {
    let (customer, price) = (shop.paying_customer().await, shop.monthly_price(1000).await);
    shop.post("/v1/subscriptions", &format!("customer={customer}&items[0][price]={price}")).await.made();
    let (settings, rests) = (at(&shop), Options { at_rest: true });
    check::run(&settings, &rests).await.unwrap();
    force(&shop, "update invoice set total = total + 1").await;
    assert_eq!(check::run(&settings, &rests).await.unwrap_err(), "2 of 14 invariants are broken");
    force(&shop, "update invoice set total = total - 1").await;

    let elsewhere = Settings { sandbox_database_url: Some("sqlite:///nowhere/sandbox.db".into()), ..at(&shop) };
    check::run(&elsewhere, &rests).await.unwrap();
    if shop.app.db.is_sqlite() {
        let nowhere = Settings { database_url: "sqlite:///nowhere/books.db".into(), ..at(&shop) };
        assert!(check::run(&nowhere, &rests).await.unwrap_err().contains("there is no database"));
    }
}
