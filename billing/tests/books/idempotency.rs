//! Idempotency keys: the first answer is kept for a day and given again.

use billing::customer::{self, CustomerUpdate};
use billing::idempotency::{self, Claim};
use billing::{Actor, Error, Patch, Result, transact};

use crate::support::{DAY, MINUTE, Stage, done, on_both};

/// Claims a key, answering at once where it is refused.
async fn claim(stage: &Stage, who: &Actor, key: &str, hash: &str) -> Result<Claim> {
    let mut tx = stage.db.begin().await?;
    let claim = idempotency::claim(&mut tx, who, key, hash).await?;
    tx.commit().await?;
    Ok(claim)
}

const FRESH: Result<Claim> = Ok(Claim::Fresh { progress: None });

fn answer(status: i64, body: &str) -> Result<Claim> {
    Ok(Claim::Done { status, body: body.into() })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_is_given_again_byte_for_byte() {
    on_both(async |stage| {
        let who = &stage.who;
        assert_eq!(claim(stage, who, "k", "h").await, FRESH);
        assert_eq!(claim(stage, who, "k", "h").await, Err(Error::Busy), "the first still runs");
        assert_eq!(claim(stage, who, "k", "other").await, Err(Error::KeyReused));
        let body = "{\"a\": 1.10,\n \"ü\": \"\\u0000\"}";
        done!(stage, |tx| idempotency::finish(tx, who, "k", 402, body));
        for _ in 0..2 {
            assert_eq!(claim(stage, who, "k", "h").await, answer(402, body));
        }
        assert_eq!(claim(stage, who, "k", "other").await, Err(Error::KeyReused));
        assert_eq!(claim(stage, who, "k2", "h").await, FRESH);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_kept_with_the_change_or_not_at_all() {
    on_both(async |stage| {
        let who = &stage.who;
        claim(stage, who, "k", "h").await.unwrap();
        let name = || CustomerUpdate { name: Patch::Set("Ada".into()), ..CustomerUpdate::default() };
        let failed: Result<()> = transact!(stage.db, |tx| {
            customer::create(tx, who, name()).await?;
            idempotency::finish(tx, who, "k", 200, "{}").await?;
            Err(Error::conflict("no", "No."))
        });
        assert!(failed.is_err());
        assert_eq!(claim(stage, who, "k", "h").await, Err(Error::Busy));
        let made = transact!(stage.db, |tx| {
            let made = customer::create(tx, who, name()).await?;
            idempotency::finish(tx, who, "k", 200, &made.id).await?;
            Ok(made)
        });
        assert_eq!(claim(stage, who, "k", "h").await, answer(200, &made.unwrap().id));
        assert_eq!(stage.number("select count(*) from customer").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_changed_nothing_is_kept_too() {
    on_both(async |stage| {
        let customer = stage.customer().await;
        claim(stage, &stage.who, "k", "h").await.unwrap();
        let same = transact!(stage.db, |tx| {
            let same = customer::update(tx, &stage.who, &customer.id, CustomerUpdate::default()).await?;
            idempotency::finish(tx, &stage.who, "k", 200, "same").await?;
            Ok(same)
        });
        assert_eq!(same.unwrap(), customer);
        assert_eq!(claim(stage, &stage.who, "k", "h").await, answer(200, "same"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_count_for_one_merchant_and_one_customer() {
    on_both(async |stage| {
        let (ada, bob) = (stage.portal(&stage.customer().await), stage.portal(&stage.customer().await));
        for who in [&stage.who, &stage.stranger, &ada, &bob] {
            assert_eq!(claim(stage, who, "k", "h").await, FRESH);
        }
        done!(stage, |tx| idempotency::finish(tx, &ada, "k", 200, "hers"));
        assert_eq!(claim(stage, &ada, "k", "h").await, answer(200, "hers"));
        for who in [&stage.who, &stage.stranger, &bob] {
            assert_eq!(claim(stage, who, "k", "h").await, Err(Error::Busy));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_request_did_nothing_is_given_back() {
    on_both(async |stage| {
        claim(stage, &stage.who, "k", "h").await.unwrap();
        done!(stage, |tx| idempotency::release(tx, &stage.who, "k"));
        assert_eq!(claim(stage, &stage.who, "k", "other").await, FRESH);
        done!(stage, |tx| idempotency::finish(tx, &stage.who, "k", 200, "done"));
        done!(stage, |tx| idempotency::release(tx, &stage.who, "k"));
        assert_eq!(claim(stage, &stage.who, "k", "other").await, answer(200, "done"), "an answer is not given back");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_died_is_taken_up_where_it_was() {
    on_both(async |stage| {
        let who = &stage.who;
        claim(stage, who, "k", "h").await.unwrap();
        done!(stage, |tx| idempotency::progress(tx, who, "k", "sub_1"));
        stage.pass(MINUTE - 1);
        assert_eq!(claim(stage, who, "k", "h").await, Err(Error::Busy));
        stage.pass(1);
        let taken = Ok(Claim::Fresh { progress: Some("sub_1".into()) });
        assert_eq!(claim(stage, who, "k", "h").await, taken);
        assert_eq!(claim(stage, who, "k", "h").await, Err(Error::Busy), "by one");

        done!(stage, |tx| idempotency::release(tx, who, "k"));
        assert_eq!(claim(stage, who, "k", "h").await, taken, "what was made is not forgotten");
        done!(stage, |tx| idempotency::finish(tx, who, "k", 200, "sub_1"));
        assert_eq!(claim(stage, who, "k", "h").await, answer(200, "sub_1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_forgotten_after_a_day() {
    on_both(async |stage| {
        claim(stage, &stage.who, "old", "h").await.unwrap();
        done!(stage, |tx| idempotency::finish(tx, &stage.who, "old", 200, "old"));
        stage.pass(DAY - 1);
        claim(stage, &stage.who, "new", "h").await.unwrap();
        assert_eq!(claim(stage, &stage.who, "old", "h").await, answer(200, "old"));
        assert_eq!(done!(stage, |tx| idempotency::prune(tx)), 0);
        stage.pass(1);
        assert_eq!(claim(stage, &stage.who, "old", "other").await, FRESH, "even before it was swept away");
        stage.pass(DAY);
        assert_eq!(done!(stage, |tx| idempotency::prune(tx)), 1);
        assert_eq!(stage.number("select count(*) from idempotency_key").await, 1);
        stage.pass(1);
        assert_eq!(done!(stage, |tx| idempotency::prune(tx)), 1);
    })
    .await;
}
