//! What the merchant sells, one of each kind.

use billing::catalog::cost::{Round, Transform};
use billing::catalog::price::{PriceType, TaxBehavior};
use billing::catalog::promotion_code::Restrictions;
use billing::catalog::tax_rate::{Named, TaxType};
use billing::catalog::{Coupon, Price, Product, PromotionCode, TaxRate};
use billing::discount::{Discount, Duration};
use billing::period::Interval;
use billing::{Decimal, Json};
use serde_json::json;

use crate::records::{LATER, THEN, metadata, some, usd};

pub fn product() -> Product {
    Product {
        id: "prod_1".into(),
        external_id: some("pro"),
        active: true,
        name: "Pro".into(),
        description: some("All of it"),
        default_price: some("price_1"),
        images: Json(vec!["https://example.com/pro.png".into()]),
        marketing_features: Json(vec!["Fast".into()]),
        package_dimensions: Some(Json(json!({"height": 1, "length": 1, "weight": 1, "width": 1}))),
        shippable: Some(false),
        statement_descriptor: some("ACME PRO"),
        tax_code: some("txcd_10000000"),
        unit_label: some("seat"),
        url: some("https://example.com/pro"),
        metadata: metadata(),
        created: THEN,
        updated: THEN,
        version: 1,
    }
}

pub fn discount() -> Discount {
    Discount {
        id: "di_1".into(),
        customer: "cus_1".into(),
        subscription: some("sub_1"),
        subscription_item: None,
        invoice: None,
        invoice_item: None,
        position: 0,
        coupon: "HALF".into(),
        promotion_code: some("promo_1"),
        starts: THEN,
        ends: Some(LATER),
        ended_at: None,
        counted: true,
        first_invoice: some("in_1"),
        redeemed: Some(coupon()),
        valid: true,
    }
}

pub fn price() -> Price {
    Price {
        id: "price_1".into(),
        external_id: some("pro-monthly"),
        product: "prod_1".into(),
        active: true,
        r#type: PriceType::Recurring,
        currency: usd(),
        billing_scheme: "per_unit".into(),
        unit_amount: Some(2000),
        unit_amount_decimal: Some(Decimal::whole(2000)),
        tiers_mode: None,
        tiers: None,
        transform_quantity: Some(Json(Transform { divide_by: 10, round: Round::Up })),
        interval: Some(Interval::Month),
        interval_count: Some(1),
        trial_period_days: Some(14),
        tax_behavior: TaxBehavior::Exclusive,
        lookup_key: some("pro"),
        nickname: some("Monthly"),
        metadata: metadata(),
        created: THEN,
        version: 1,
    }
}

pub fn coupon() -> Coupon {
    Coupon {
        id: "HALF".into(),
        name: some("Half a year at half price"),
        percent_off: Some(Decimal::whole(50)),
        amount_off: None,
        currency: None,
        duration: Duration::Repeating,
        duration_in_months: Some(6),
        applies_to: Some(Json(vec!["prod_1".into()])),
        max_redemptions: Some(100),
        times_redeemed: 1,
        redeem_by: Some(LATER),
        metadata: metadata(),
        created: THEN,
        deleted_at: None,
        version: 1,
    }
}

pub fn promotion_code() -> PromotionCode {
    PromotionCode {
        id: "promo_1".into(),
        coupon: "HALF".into(),
        code: "FALL26".into(),
        active: true,
        customer: some("cus_1"),
        restrictions: Json(Restrictions {
            first_time_transaction: true,
            minimum_amount: Some(1000),
            minimum_amount_currency: Some(usd()),
        }),
        max_redemptions: Some(10),
        times_redeemed: 1,
        expires_at: Some(LATER),
        metadata: metadata(),
        created: THEN,
        version: 1,
        promoted: Some(coupon()),
    }
}

pub fn tax_rate() -> TaxRate {
    TaxRate {
        id: "txr_1".into(),
        active: true,
        display_name: "VAT".into(),
        description: some("German VAT"),
        inclusive: true,
        percentage: Decimal::whole(19),
        country: some("DE"),
        state: some("BE"),
        jurisdiction: some("DE"),
        tax_type: Some(TaxType::Vat),
        metadata: metadata(),
        created: THEN,
        version: 1,
    }
}

pub fn named_rate() -> Named {
    Named { id: "txr_1".into(), rate: Some(tax_rate()) }
}
