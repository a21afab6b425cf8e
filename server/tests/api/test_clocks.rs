//! Test clocks, as a merchant's test moves them.

use serde_json::{Value, json};
use server::worker;

use crate::support::{NOW, Shop, on_both};

const DAY: i64 = 86_400;
const CLOCKS: &str = "/v1/test_helpers/test_clocks";

on_both!(
    a_clock_moves_its_customers_through_a_year,
    what_is_said_of_a_clock,
    a_clock_is_deleted_with_its_customers,
    a_draft_that_goes_on_by_itself_on_a_clock,
);

impl Shop {
    async fn clock(&self, at: i64) -> String {
        self.post(CLOCKS, &format!("frozen_time={at}&name=A year")).await.made()
    }

    async fn work(&self) {
        while worker::run_one(&self.app.db, &self.app.gateway).await.unwrap() {}
        while worker::bill(&self.app.db, &self.app.gateway).await.unwrap() {}
    }

    async fn move_clock(&self, clock: &str, to: i64) -> Value {
        let moved = self.post(&format!("{CLOCKS}/{clock}/advance"), &format!("frozen_time={to}")).await.ok();
        assert_eq!(moved["status"], "advancing");
        assert_eq!(moved["status_details"]["advancing"]["target_frozen_time"], json!(to));
        self.work().await;
        let ready = self.get(&format!("{CLOCKS}/{clock}")).await.ok();
        assert_eq!((&ready["status"], &ready["frozen_time"]), (&json!("ready"), &json!(to)));
        assert_eq!(ready["status_details"], json!({}));
        ready
    }

    async fn subscriber(&self, clock: &str) -> (String, Value) {
        let form = format!(
            "test_clock={clock}&payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa"
        );
        let customer = self.post("/v1/customers", &form).await.ok();
        assert_eq!((&customer["test_clock"], &customer["created"]), (&json!(clock), &json!(NOW)));
        let (id, price) = (customer["id"].as_str().unwrap().to_owned(), self.monthly_price(1000).await);
        let form = format!("customer={id}&items[0][price]={price}&expand[]=test_clock");
        (id, self.post("/v1/subscriptions", &form).await.ok())
    }
}

async fn a_clock_moves_its_customers_through_a_year(shop: Shop) {
    let clock = shop.clock(NOW).await;
    let (customer, subscription) = shop.subscriber(&clock).await;
    assert_eq!(subscription["test_clock"]["object"], "test_helpers.test_clock");
    shop.clock.advance(400 * DAY * 1000);
    shop.work().await;
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap());
    let before = shop.get(&path).await.ok();
    assert_eq!(before["current_period_start"], json!(NOW), "the world's time is none of its business");
    shop.move_clock(&clock, NOW + 365 * DAY).await;
    let invoices = shop.get(&format!("/v1/invoices?customer={customer}&limit=100")).await.ok();
    let invoices = invoices["data"].as_array().unwrap();
    assert_eq!(invoices.len(), 13);
    assert!(invoices.iter().all(|invoice| invoice["status"] == "paid" && invoice["test_clock"] == json!(clock)));
    for pair in invoices.windows(2) {
        assert_eq!(pair[1]["period_end"], pair[0]["period_start"], "newest first, without a gap");
        assert_eq!(pair[0]["created"], pair[0]["period_start"]);
    }
    assert_eq!(shop.get(&path).await.ok()["current_period_start"], json!(NOW + 365 * DAY));
    assert_eq!(shop.get(&format!("/v1/subscriptions?test_clock={clock}")).await.ids().len(), 1);
    assert!(shop.get("/v1/subscriptions").await.ids().is_empty());
    assert_eq!(shop.get(&format!("/v1/customers?test_clock={clock}")).await.ids(), [customer]);
    assert!(shop.get("/v1/customers").await.ids().is_empty());
    for (kind, count) in [("created", 1), ("advancing", 1), ("ready", 1)] {
        assert_eq!(shop.events(&format!("test_helpers.test_clock.{kind}")).await, count);
    }
}

async fn what_is_said_of_a_clock(shop: Shop) {
    let made = shop.post(CLOCKS, &format!("frozen_time={NOW}")).await.ok();
    let id = made["id"].as_str().unwrap();
    assert!(id.starts_with("clock_"));
    let expected = json!({
        "id": id,
        "object": "test_helpers.test_clock",
        "created": NOW,
        "deletes_after": NOW + 30 * DAY,
        "frozen_time": NOW,
        "livemode": false,
        "name": null,
        "status": "ready",
        "status_details": {},
    });
    assert_eq!(made, expected);
    assert_eq!(shop.get(CLOCKS).await.ok()["data"], json!([expected]));
    let advance = format!("{CLOCKS}/{id}/advance");
    shop.post(CLOCKS, "name=x").await.refused(400, "parameter_missing", "frozen_time");
    shop.post(CLOCKS, "frozen_time=soon").await.refused(400, "parameter_invalid_integer", "frozen_time");
    shop.post(CLOCKS, &format!("frozen_time={NOW}&customer=cus_1")).await.refused(
        400,
        "parameter_unsupported",
        "customer",
    );
    shop.post(&advance, "").await.refused(400, "parameter_missing", "frozen_time");
    shop.post(&advance, &format!("frozen_time={}", NOW - 1)).await.refused(400, "parameter_invalid", "frozen_time");
    let later = format!("frozen_time={}", NOW + DAY);
    shop.post(&advance, &later).await.ok();
    shop.post(&advance, &later).await.refused(400, "test_clock_not_ready", "");
    let neighbour = shop.neighbour().await;
    neighbour.get(&format!("{CLOCKS}/{id}")).await.refused(404, "resource_missing", "id");
    neighbour.post("/v1/customers", &format!("test_clock={id}")).await.refused(404, "resource_missing", "test_clock");
    assert!(neighbour.get(CLOCKS).await.ids().is_empty());
}

async fn a_clock_is_deleted_with_its_customers(shop: Shop) {
    let clock = shop.clock(NOW).await;
    let (customer, subscription) = shop.subscriber(&clock).await;
    let deleted = shop.delete(&format!("{CLOCKS}/{clock}")).await.ok();
    assert_eq!(deleted, json!({"id": clock, "object": "test_helpers.test_clock", "deleted": true}));
    shop.get(&format!("{CLOCKS}/{clock}")).await.refused(404, "resource_missing", "id");
    assert_eq!(shop.get(&format!("/v1/customers/{customer}")).await.ok()["deleted"], json!(true));
    let path = format!("/v1/subscriptions/{}", subscription["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await.ok()["status"], "canceled");
    assert_eq!(shop.events("test_helpers.test_clock.deleted").await, 1);
}

async fn a_draft_that_goes_on_by_itself_on_a_clock(shop: Shop) {
    let clock = shop.clock(NOW).await;
    let (customer, _) = shop.subscriber(&clock).await;
    let item = shop.post("/v1/invoiceitems", &format!("customer={customer}&amount=700&currency=eur")).await.ok();
    assert_eq!(item["test_clock"], json!(clock));
    let form = format!("customer={customer}&auto_advance=true&pending_invoice_items_behavior=include");
    let draft = shop.post("/v1/invoices", &form).await.ok();
    assert_eq!((&draft["status"], &draft["automatically_finalizes_at"]), (&json!("draft"), &json!(NOW + 3600)));
    shop.move_clock(&clock, NOW + DAY).await;
    let paid = shop.get(&format!("/v1/invoices/{}", draft["id"].as_str().unwrap())).await.ok();
    assert_eq!((&paid["status"], &paid["amount_paid"]), (&json!("paid"), &json!(700)));
    assert_eq!(paid["status_transitions"]["finalized_at"], json!(NOW + 3600));
}
