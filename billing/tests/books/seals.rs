//! The audit log is sealed, and whatever is done to it afterwards shows (A1).

use std::time::Duration;

use billing::audit::seal::{self, Head};
use billing::audit::verify::{self, Verdict};
use billing::store::Conn;
use sqlx::AssertSqlSafe;

use crate::support::{Draw, MINUTE, Stage, on_both, plan, scale, seen};

/// Runs what an intruder would.
async fn intrude(stage: &Stage, sql: String) -> u64 {
    stage.tampers();
    let mut tx = stage.db.begin().await.unwrap();
    tx.unaudited();
    let touched = match &mut tx.conn {
        Conn::Sqlite(inner) => sqlx::query(AssertSqlSafe(sql)).execute(&mut **inner).await.unwrap().rows_affected(),
        Conn::Postgres(inner) => sqlx::query(AssertSqlSafe(sql)).execute(&mut **inner).await.unwrap().rows_affected(),
    };
    tx.commit().await.unwrap();
    touched
}

async fn sealed(stage: &Stage) -> Vec<Head> {
    assert!(seal::work(&stage.db, Duration::from_secs(60)).await.unwrap());
    seen!(stage, |tx| seal::heads(tx))
}

async fn verdict(stage: &Stage, heads: &[Head]) -> Verdict {
    verify::verify(&stage.db, heads).await.unwrap()
}

/// Three sealings, a minute apart, over what two customers and their merchant did.
async fn story(stage: &Stage) -> Vec<Head> {
    let price = stage.price(1000).await;
    let (ada, bob) = (stage.payer("pm_card_visa").await, stage.payer("pm_card_visa").await);
    sealed(stage).await;
    for customer in [&ada, &bob, &ada] {
        stage.pass(MINUTE);
        stage.subscribe(plan(customer, &price)).await;
        sealed(stage).await;
    }
    seen!(stage, |tx| seal::heads(tx))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_sealed_once_and_the_tail_is_told() {
    on_both(async |stage| {
        let heads = story(stage).await;
        assert_eq!(heads.len(), 4, "two merchants, two modes");
        let all = stage.number("select count(*) from audit_entry").await;
        let found = verdict(stage, &heads).await;
        assert_eq!((found.sealed, found.unsealed, found.broken), (all, 0, vec![]));
        assert_eq!(sealed(stage).await, heads, "with nothing new nothing is sealed");
        stage.pass(MINUTE);
        let ada = stage.customer().await;
        let found = verdict(stage, &heads).await;
        assert_eq!((found.sealed, found.unsealed, found.unsealed_since), (all, 1, Some(stage.clock.wall())));
        let later = sealed(stage).await;
        assert_eq!(verdict(stage, &heads).await.sealed, all + 1, "older heads still stand");
        assert!(later.iter().zip(&heads).filter(|(new, old)| new != old).count() == 1);
        // One that was begun before the last sealing and committed after it.
        let other = stage.process().await;
        let mut slow = other.begin().await.unwrap();
        if !stage.db.is_sqlite() {
            billing::audit::note(&mut slow, &stage.who, "late", "customer", &ada.id, Some(&ada.id)).await.unwrap();
            stage.pass(5 * MINUTE);
            stage.customer().await;
            sealed(stage).await;
        }
        slow.unaudited();
        slow.commit().await.unwrap();
        stage.pass(MINUTE);
        sealed(stage).await;
        assert_eq!(verdict(stage, &heads).await.unsealed, 0);
    })
    .await;
}

/// One thing done to the log, and what puts it right.
struct Tamper {
    done: Vec<String>,
    undone: Vec<String>,
}

/// An entry's text columns.
const TEXTS: &[&str] =
    &["action", "object", "object_id", "customer", "origin", "actor", "request_id", "event", "before", "after"];

fn tamper(draw: &mut Draw, entries: &[(i64, String)], seals: &[(i64, String, i64, String)]) -> Tamper {
    let (tenant, id) = draw.pick(entries);
    let (of, chain, sequence, _) = draw.pick(seals);
    let link = format!("tenant = {of} and chain = '{chain}' and sequence = {sequence}");
    let entry_again = |id: &str| {
        vec![
            format!("delete from audit_entry where id = '{id}'"),
            format!("insert into audit_entry select * from entry_kept where id = '{id}'"),
        ]
    };
    let link_again = vec![
        format!("delete from audit_seal where {link}"),
        format!("insert into audit_seal select * from seal_kept where {link}"),
    ];
    match draw.int(1, 9) {
        1..=4 => {
            // One byte, wherever it is: another letter in its place, or one where nothing stood.
            let column = draw.pick(TEXTS);
            let at = draw.int(1, 40);
            let flipped = format!(
                "substr(coalesce({column}, ''), 1, {at} - 1) || (case when substr(coalesce({column}, ''), {at}, 1) = '~' then '!' else '~' end)
                 || substr(coalesce({column}, ''), {at} + 1)"
            );
            let sql = format!("update audit_entry set {column} = {flipped} where tenant = {tenant} and id = '{id}'");
            Tamper { done: vec![sql], undone: entry_again(&id) }
        }
        5 => Tamper {
            done: vec![format!("update audit_entry set at_ms = at_ms + 1 where tenant = {tenant} and id = '{id}'")],
            undone: entry_again(&id),
        },
        6 => Tamper {
            done: vec![format!("delete from audit_entry where tenant = {tenant} and id = '{id}'")],
            undone: entry_again(&id),
        },
        7 => {
            let column = draw.pick(&["hash = hash || 'f'", "sealed_ms = sealed_ms + 1", "entry = entry || 'f'"]);
            Tamper { done: vec![format!("update audit_seal set {column} where {link}")], undone: link_again }
        }
        8 => Tamper { done: vec![format!("delete from audit_seal where {link}")], undone: link_again },
        // Two entries change places: each has the other's id.
        _ => {
            let (_, other) = draw.pick(entries);
            let swapped = |from: &str, to: &str| format!("update audit_entry set id = '{to}' where id = '{from}'");
            let all = vec![swapped(&id, "aud_aside"), swapped(&other, &id), swapped("aud_aside", &other)];
            if other == id {
                let sql = format!("update audit_entry set actor = actor || '~' where id = '{id}'");
                return Tamper { done: vec![sql], undone: entry_again(&id) };
            }
            Tamper { done: all, undone: [entry_again(&id), entry_again(&other)].concat() }
        }
    }
}

async fn unguarded(stage: &Stage) {
    for table in ["entry", "seal"] {
        let on = if stage.db.is_sqlite() { String::new() } else { format!(" on audit_{table}") };
        intrude(stage, format!("drop trigger audit_{table}_fixed{on}")).await;
        if stage.db.is_sqlite() {
            intrude(stage, format!("drop trigger audit_{table}_kept")).await;
        }
        intrude(stage, format!("create table {table}_kept as select * from audit_{table}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_done_to_the_log_shows() {
    on_both(async |stage| {
        let heads = story(stage).await;
        unguarded(stage).await;
        let entries: Vec<(i64, String)> = stage.rows("select tenant, id from audit_entry order by id").await;
        let seals: Vec<(i64, String, i64, String)> =
            stage.rows("select tenant, chain, sequence, entry from audit_seal order by tenant, chain, sequence").await;
        let mut draw = Draw::new(7);
        for n in 0..scale(250, 1000) {
            let tamper = tamper(&mut draw, &entries, &seals);
            for sql in &tamper.done {
                assert_eq!(intrude(stage, sql.clone()).await, 1, "{sql}");
            }
            // Without a head that was kept: only what was cut off at the end needs one.
            let found = verdict(stage, &[]).await;
            assert!(!found.broken.is_empty() || cut(stage, &heads).await, "{n}: {:?} does not show", tamper.done);
            for sql in tamper.undone {
                intrude(stage, sql).await;
            }
        }
        assert_eq!(verdict(stage, &heads).await.broken, []);
    })
    .await;
}

/// Whether the heads that were kept do not stand any more.
async fn cut(stage: &Stage, heads: &[Head]) -> bool {
    !verdict(stage, heads).await.broken.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tail_that_is_cut_off_cleanly_shows_by_the_head_that_was_kept() {
    on_both(async |stage| {
        let heads = story(stage).await;
        unguarded(stage).await;
        let last = heads.iter().map(|head| head.sealed_ms.0).max().unwrap();
        let gone = format!("(select entry from audit_seal where sealed_ms = {last})");
        intrude(stage, format!("delete from audit_entry where id in {gone}")).await;
        intrude(stage, format!("delete from audit_seal where sealed_ms = {last}")).await;
        let found = verdict(stage, &[]).await;
        assert_eq!((found.unsealed, found.broken), (0, vec![]), "whole, as far as it goes");
        let found = verdict(stage, &heads).await;
        assert_eq!(found.broken.len(), 1);
        assert!(found.broken[0].what.contains("cut"));
        // Nor does it help to seal something else in its place.
        stage.customer().await;
        sealed(stage).await;
        assert_eq!(verdict(stage, &heads).await.broken.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_broken_row_is_named() {
    on_both(async |stage| {
        story(stage).await;
        unguarded(stage).await;
        let (id, customer): (String, String) = stage
            .rows("select id, customer from audit_entry where customer is not null order by id limit 1")
            .await
            .remove(0);
        intrude(stage, format!("update audit_entry set actor = 'nobody' where id = '{id}'")).await;
        let found = verdict(stage, &[]).await;
        assert_eq!(found.broken.len(), 1);
        assert_eq!((&found.broken[0].entry, &found.broken[0].chain, found.broken[0].sequence), (&id, &customer, 1));
    })
    .await;
}
