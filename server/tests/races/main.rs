//! Money in a crowd: many at once, in several processes, on both databases, and the sandbox's ledger held against the
//! books after each.

// A test stops at the first thing that is not as it should be.
#![allow(clippy::unwrap_used)]

#[path = "../../../billing/tests/support/agree.rs"]
mod agree;
#[path = "../support/mod.rs"]
mod support;

mod crowd;
mod disconnect;
mod keys;
mod process;

use support::Shop;

/// How often something is done: the first number, or the second where `PORTICO_TEST_SCALE=release`.
fn scale(quick: usize, release: usize) -> usize {
    let is_release = std::env::var("PORTICO_TEST_SCALE").is_ok_and(|scale| scale == "release");
    if is_release { release } else { quick }
}

impl Shop {
    /// The books and the sandbox's ledger say the same; answers the sum that was kept.
    async fn agreed(&self) -> i64 {
        agree::books_and_ledger_agree(&self.app.db, &self.sandbox).await
    }

    /// A customer with a card, and the open first invoice of a subscription.
    async fn open_invoice(&self, price: &str) -> String {
        let customer = self.paying_customer().await;
        let form = format!("customer={customer}&items[0][price]={price}&payment_behavior=default_incomplete");
        self.post("/v1/subscriptions", &form).await.ok()["latest_invoice"].as_str().unwrap().to_owned()
    }
}
