//! Prices that are said where they are used (`price_data`) instead of being named.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::cost::Cost;
use crate::catalog::price::{self, PriceProduct, TaxBehavior};
use crate::catalog::{NewPrice, Price, PriceUpdate};
use crate::decimal::Decimal;
use crate::error::Result;
use crate::money::Currency;
use crate::period::Recurring;
use crate::store::Tx;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PriceData {
    pub currency: Currency,
    /// One that exists.
    pub product: String,
    /// `None` is charged once.
    pub recurring: Option<Recurring>,
    /// Minor units, for each unit.
    pub unit: Decimal,
    pub tax_behavior: Option<TaxBehavior>,
}

/// Makes it a price of its own, inactive, so that nobody else takes it (Stripe). Errors name `price_data`.
pub(crate) async fn make(tx: &mut Tx, who: &Actor, data: &PriceData) -> Result<Price> {
    let new = NewPrice {
        currency: data.currency.clone(),
        product: PriceProduct::Existing(data.product.clone()),
        cost: Cost::PerUnit { unit: data.unit, transform: None },
        recurring: data.recurring,
        trial_period_days: None,
        active: Some(false),
        tax_behavior: data.tax_behavior,
        transfer_lookup_key: false,
        fields: PriceUpdate::default(),
    };
    price::create(tx, who, new).await.map_err(|e| e.within("price_data"))
}
