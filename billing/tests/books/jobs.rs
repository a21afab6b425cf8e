//! The queue: each job to one worker.

use std::collections::HashSet;

use billing::job::{self, Job, NewJob};
use billing::{Error, Millis, transact};
use serde_json::json;

use crate::support::{MINUTE, Stage, done, on_both};

fn at(kind: &str, run_at: Millis) -> NewJob<'_> {
    NewJob { tenant: None, kind, unique_key: None, payload: json!({"a": kind}), run_at }
}

async fn claim(stage: &Stage) -> Option<Job> {
    done!(stage, |tx| job::claim(tx))
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_taken_in_order_when_they_are_due() {
    on_both(async |stage| {
        let now = stage.clock.wall();
        let tenant = Some(stage.who.tenant.key);
        for (kind, wait) in [("second", 0), ("third", 1000), ("first", -1000)] {
            done!(stage, |tx| job::enqueue(tx, NewJob { tenant, ..at(kind, now.plus(wait)) }));
        }
        let one = claim(stage).await.unwrap();
        assert_eq!((one.kind.as_str(), one.tenant, one.attempts), ("first", tenant, 1));
        assert_eq!(one.payload.0, json!({"a": "first"}));
        assert_eq!(claim(stage).await.unwrap().kind, "second");
        assert!(claim(stage).await.is_none());
        stage.pass(1);
        assert_eq!(claim(stage).await.unwrap().kind, "third");
        done!(stage, |tx| job::finish(tx, &one.id));
        assert_eq!(stage.number("select count(*) from job").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_worker_died_goes_to_the_next() {
    on_both(async |stage| {
        done!(stage, |tx| job::enqueue(tx, at("mail", stage.clock.wall())));
        let first = claim(stage).await.unwrap();
        stage.pass(MINUTE);
        assert!(claim(stage).await.is_none());
        stage.pass(1);
        let second = claim(stage).await.unwrap();
        assert_eq!((second.id == first.id, second.attempts), (true, 2));
        done!(stage, |tx| job::again(tx, &second.id, stage.clock.wall().plus(5000), Some("no answer")));
        assert!(claim(stage).await.is_none());
        stage.pass(5);
        assert_eq!(claim(stage).await.unwrap().attempts, 3);
        let noted: Vec<(String,)> = stage.rows("select last_error from job").await;
        assert_eq!(noted, [("no answer".to_owned(),)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_job_of_a_name_waits_at_a_time() {
    on_both(async |stage| {
        let named = || NewJob { unique_key: Some("seal/1"), ..at("seal", stage.clock.wall()) };
        for _ in 0..3 {
            done!(stage, |tx| job::enqueue(tx, named()));
        }
        let taken = claim(stage).await.unwrap();
        assert!(claim(stage).await.is_none());
        done!(stage, |tx| job::finish(tx, &taken.id));
        done!(stage, |tx| job::enqueue(tx, named()));
        assert!(claim(stage).await.is_some());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_jobs_and_sixteen_workers() {
    on_both(async |stage| {
        let now = stage.clock.wall();
        transact!(stage.db, |tx| {
            for n in 0..200 {
                job::enqueue(tx, at("work", now.plus(-n))).await?;
            }
            Ok(())
        })
        .unwrap();
        let others = [stage.process().await, stage.process().await];
        let workers = (0..16).map(|n| {
            let db = if n % 3 == 2 { stage.db.clone() } else { others[n % 3].clone() };
            tokio::spawn(async move {
                let mut done = Vec::new();
                loop {
                    match transact!(db, |tx| job::claim(tx).await) {
                        Ok(Some(job)) => done.push(job.id),
                        Ok(None) => return done,
                        Err(Error::Busy) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            })
        });
        let mut all = Vec::new();
        for worker in futures::future::join_all(workers).await {
            all.extend(worker.unwrap());
        }
        assert_eq!(all.len(), 200);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 200);
        assert_eq!(stage.number("select count(*) from job where attempts <> 1").await, 0);
    })
    .await;
}
