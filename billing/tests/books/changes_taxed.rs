//! What changes bear: a credit the tax of its debit, a debit that of its day.

use billing::Patch;
use billing::catalog::tax_rate::{self, NewTaxRate, TaxRateUpdate};
use billing::decimal::Decimal;
use billing::subscription::{NewSubscription, SubscriptionUpdate};

use crate::changes::{HALF, amounts, apply, at_once, count, since_april, step};
use crate::support::{Stage, at, done, on_both};

async fn rate(stage: &Stage, percentage: u32) -> String {
    let new = NewTaxRate {
        display_name: "VAT".into(),
        inclusive: false,
        percentage: Decimal::whole(percentage),
        fields: TaxRateUpdate::default(),
    };
    done!(stage, |tx| tax_rate::create(tx, &stage.who, new.clone())).id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credit_is_taxed_as_its_debit_was() {
    on_both(async |stage| {
        let (old, new) = (rate(stage, 20).await, rate(stage, 10).await);
        let rates = vec![old];
        let before = since_april(stage, |plan| NewSubscription { default_tax_rates: rates, ..plan }).await;
        stage.pass(HALF);
        let rated =
            SubscriptionUpdate { default_tax_rates: Patch::Set(vec![new.clone()]), ..at_once(count(&before, 2)) };
        let (_, made) = apply(stage, &before.id, rated).await;
        let made = made.unwrap();
        assert_eq!(
            made.lines.iter().map(|line| (line.amount, line.tax)).collect::<Vec<_>>(),
            [(-500, -100), (1000, 100)]
        );
        assert_eq!((made.subtotal, made.tax, made.total), (500, 0, 500));
        // What waits and is given back before it is billed bears one rate.
        apply(stage, &before.id, count(&before, 3)).await;
        apply(stage, &before.id, count(&before, 2)).await;
        stage.go_to(at("2026-05-01"));
        let next = step(stage, &before.id).await.unwrap();
        assert_eq!(amounts(&next), [-1000, 1500, -1500, 1000, 2000]);
        assert_eq!(next.lines.iter().map(|line| line.tax).collect::<Vec<_>>(), [-100, 150, -150, 100, 200]);
    })
    .await;
}
