//! Random logs, acted in the real books and reckoned anew by the model: they must agree on every line.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;

use crate::act::Scene;
use crate::draw::{self, Draw};
use crate::referee::Referee;
use crate::support::{Stage, on_postgres, on_sqlite};

/// Logs that are acted in one database, before it is large enough to be slow.
const A_DATABASE: u64 = 50;

fn logs() -> u64 {
    match std::env::var("PORTICO_TEST_SCALE").as_deref() {
        Ok("release") => 10_000,
        Ok("quick") => 100,
        _ => 500,
    }
}

/// Acts the logs of these numbers, and stops at the first that the model would have done otherwise.
async fn judge(stage: &Stage, referee: &mut Referee, numbers: std::ops::Range<u64>) {
    let scene = Scene::set(stage).await;
    for number in numbers {
        let log = draw::log(&mut Draw::new(number));
        if let Some(wrong) = referee.ask(&scene.act(&log).await) {
            let (log, wrong) = shortest(&scene, referee, log, wrong).await;
            panic!("log {number}: {wrong}\n{log:#}");
        }
    }
}

/// Leaves out one action after another for as long as something is wrong without it.
async fn shortest(scene: &Scene<'_>, referee: &mut Referee, mut log: Value, mut wrong: String) -> (Value, String) {
    let mut n = 1;
    while n < log["actions"].as_array().unwrap().len() {
        let mut shorter = log.clone();
        shorter["actions"].as_array_mut().unwrap().remove(n);
        match referee.ask(&scene.act(&shorter).await) {
            Some(still) => (log, wrong) = (shorter, still),
            None => n += 1,
        }
    }
    (log, wrong)
}

fn on_a_thread(work: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(work);
}

#[test]
fn every_line_is_what_the_rules_say() {
    let next = AtomicU64::new(0);
    let worker = || {
        let mut referee = Referee::call();
        loop {
            let start = next.fetch_add(A_DATABASE, Ordering::Relaxed);
            if start >= logs() {
                return;
            }
            let referee = tokio::sync::Mutex::new(&mut referee);
            let work = async |stage: &Stage| judge(stage, &mut **referee.lock().await, start..start + A_DATABASE).await;
            on_a_thread(on_sqlite(work));
        }
    };
    std::thread::scope(|threads| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            threads.spawn(worker);
        }
    });
}

/// A share of them on PostgreSQL, other ones.
#[test]
fn so_it_is_on_postgresql() {
    let referee = tokio::sync::Mutex::new(Referee::call());
    let from = logs();
    let work = async |stage: &Stage| judge(stage, &mut *referee.lock().await, from..from + from / 10).await;
    on_a_thread(on_postgres(work));
}
