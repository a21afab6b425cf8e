//! Money given back: never more than was taken, and once however often it is asked for.

use billing::gateway::{PaymentGateway, Refund, Refunded};

use crate::support::{Stage, on_sqlite};

async fn ask(stage: &Stage, key: &str, charge: &str, amount: i64) -> bool {
    let refund = Refund { key: key.into(), charge: charge.into(), amount, currency: stage.eur() };
    matches!(stage.sandbox.refund(&refund).await, Refunded::Succeeded { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sandbox_gives_back_what_it_took_and_no_more() {
    on_sqlite(async |stage| {
        stage.active().await;
        let (charge,): (String,) =
            stage.rows("select gateway_ref from payment_attempt where status = 'succeeded'").await.remove(0);
        assert!(ask(stage, "re_1", &charge, 400).await);
        assert!(ask(stage, "re_1", &charge, 400).await, "the same one again");
        assert!(!ask(stage, "re_2", &charge, 601).await);
        assert!(ask(stage, "re_3", &charge, 600).await);
        assert!(!ask(stage, "re_4", "sbx_no", 1).await);
        assert_eq!(stage.sandbox.refunded("eur").await, Ok(1000));
        assert_eq!(stage.captured().await, 1000);
    })
    .await;
}
