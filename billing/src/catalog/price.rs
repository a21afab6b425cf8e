//! Prices: an amount in a currency, once or every so often. What a price costs never changes once it is made.

use crate::actor::Actor;
use crate::catalog::cost::{Cost, Tier, TiersMode, Transform};
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::period::{Interval, Recurring};
use crate::store::{Json, Tx, all, maybe, run};
use crate::text_enum::text_enum;
use crate::{catalog, id, wire};

text_enum!(TaxBehavior { Exclusive = "exclusive", Inclusive = "inclusive", Unspecified = "unspecified" });
text_enum!(PriceType { OneTime = "one_time", Recurring = "recurring" });

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Price {
    pub id: String,
    pub external_id: Option<String>,
    pub product: String,
    pub active: bool,
    pub r#type: PriceType,
    pub currency: Currency,
    pub billing_scheme: String,
    /// Minor units per unit; null where the amount is finer than a minor unit, or tiered.
    pub unit_amount: Option<i64>,
    /// The same with its fraction; null where it is tiered.
    pub unit_amount_decimal: Option<Decimal>,
    pub tiers_mode: Option<TiersMode>,
    pub tiers: Option<Json<Vec<Tier>>>,
    pub transform_quantity: Option<Json<Transform>>,
    pub interval: Option<Interval>,
    pub interval_count: Option<i64>,
    pub trial_period_days: Option<i64>,
    pub tax_behavior: TaxBehavior,
    pub lookup_key: Option<String>,
    pub nickname: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, external_id, product, active, type, currency, billing_scheme, unit_amount, unit_amount_decimal, tiers_mode, tiers, \
         transform_quantity, interval, interval_count, trial_period_days, tax_behavior, lookup_key, nickname, metadata, created, version"
    };
}

impl Price {
    pub fn recurring(&self) -> Option<Recurring> {
        Some(Recurring { interval: self.interval?, count: self.interval_count? })
    }

    pub fn cost(&self) -> Result<Cost> {
        if let (Some(mode), Some(tiers)) = (self.tiers_mode, &self.tiers) {
            return Ok(Cost::Tiered { mode, tiers: tiers.0.clone() });
        }
        let whole = || self.unit_amount.and_then(|amount| u32::try_from(amount).ok()).map(Decimal::whole);
        let unit = self.unit_amount_decimal.or_else(whole);
        let unit = unit.ok_or_else(|| Error::internal(format!("price {} has no unit amount", self.id)))?;
        Ok(Cost::PerUnit { unit, transform: self.transform_quantity.as_deref().copied() })
    }

    /// What `quantity` units cost, in minor units.
    pub fn amount(&self, quantity: i64) -> Result<i64> {
        self.cost()?.of(quantity)
    }

    fn set_cost(&mut self, cost: Cost) {
        match cost {
            Cost::PerUnit { unit, transform } => {
                self.billing_scheme = "per_unit".into();
                self.unit_amount = unit.as_whole();
                self.unit_amount_decimal = Some(unit);
                self.transform_quantity = transform.map(Json);
            }
            Cost::Tiered { mode, tiers } => {
                self.billing_scheme = "tiered".into();
                self.tiers_mode = Some(mode);
                self.tiers = Some(Json(tiers));
            }
        }
    }
}

#[derive(Debug, Clone)]
pub struct NewPrice {
    pub currency: Currency,
    pub product: PriceProduct,
    pub cost: Cost,
    pub recurring: Option<Recurring>,
    pub trial_period_days: Option<i64>,
    pub active: Option<bool>,
    pub tax_behavior: Option<TaxBehavior>,
    /// Take the lookup key from the price that has it.
    pub transfer_lookup_key: bool,
    pub fields: PriceUpdate,
}

/// The product a new price hangs on: one that exists, or one made with it (`product_data`).
#[derive(Debug, Clone)]
pub enum PriceProduct {
    Existing(String),
    New(Box<catalog::NewProduct>),
}

#[derive(Debug, Clone, Default)]
pub struct PriceUpdate {
    pub external_id: Patch<String>,
    pub active: Option<bool>,
    pub lookup_key: Patch<String>,
    pub nickname: Patch<String>,
    /// May be said once, while it is `unspecified`.
    pub tax_behavior: Option<TaxBehavior>,
    pub transfer_lookup_key: bool,
    pub metadata: MetadataPatch,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Price> {
    maybe!(tx, concat!("select ", columns!(), " from price where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("price", id))
}

/// The prices that stand on the lines of an invoice.
pub(crate) async fn of_invoice(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Vec<Price>> {
    all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from price where tenant = $1 and id in (select price from invoice_line where tenant = $1 and invoice = $2)"
        ),
        who.tenant.key,
        invoice
    )
}

#[derive(Debug, Clone, Default)]
pub struct PriceFilter {
    pub active: Option<bool>,
    pub currency: Option<String>,
    pub product: Option<String>,
    pub r#type: Option<String>,
    pub lookup_key: Option<String>,
    pub external_id: Option<String>,
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &PriceFilter) -> Result<Listed<Price>> {
    page!(
        tx,
        who,
        page,
        "price",
        columns!(),
        "(cast($7 as boolean) is null or active = $7) and (cast($8 as text) is null or currency = $8)
         and (cast($9 as text) is null or product = $9) and (cast($10 as text) is null or type = $10)
         and (cast($11 as text) is null or lookup_key = $11) and (cast($12 as text) is null or external_id = $12)",
        filter.active,
        filter.currency,
        filter.product,
        filter.r#type,
        filter.lookup_key,
        filter.external_id
    )
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewPrice) -> Result<Price> {
    new.cost.check()?;
    if let Some(recurring) = new.recurring
        && !(1..=recurring.interval.most()).contains(&recurring.count)
    {
        return Err(Error::invalid("recurring[interval_count]", "The interval must be between 1 and 3 years' worth."));
    }
    let product = match new.product {
        PriceProduct::Existing(id) => catalog::product::get(tx, who, &id).await.map_err(|e| e.on("product"))?.id,
        PriceProduct::New(product) => {
            catalog::product::create(tx, who, *product).await.map_err(|e| e.within("product_data"))?.id
        }
    };
    let mut price = Price {
        id: id::new("price", tx.now),
        external_id: None,
        product,
        active: new.active.unwrap_or(true),
        r#type: if new.recurring.is_some() { PriceType::Recurring } else { PriceType::OneTime },
        currency: new.currency,
        billing_scheme: String::new(),
        unit_amount: None,
        unit_amount_decimal: None,
        tiers_mode: None,
        tiers: None,
        transform_quantity: None,
        interval: new.recurring.map(|r| r.interval),
        interval_count: new.recurring.map(|r| r.count),
        trial_period_days: new.trial_period_days,
        tax_behavior: new.tax_behavior.unwrap_or(TaxBehavior::Unspecified),
        lookup_key: None,
        nickname: None,
        metadata: Json::default(),
        created: tx.now.seconds(),
        version: 1,
    };
    price.set_cost(new.cost);
    apply(tx, who, &mut price, new.fields, new.transfer_lookup_key).await?;
    run!(
        tx,
        concat!(
            "insert into price (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        ),
        who.tenant.key,
        &price.id,
        &price.external_id,
        &price.product,
        price.active,
        price.r#type,
        &price.currency,
        &price.billing_scheme,
        price.unit_amount,
        &price.unit_amount_decimal,
        &price.tiers_mode,
        &price.tiers,
        &price.transform_quantity,
        price.interval,
        price.interval_count,
        price.trial_period_days,
        price.tax_behavior,
        &price.lookup_key,
        &price.nickname,
        &price.metadata,
        price.created,
        price.version
    )?;
    announce(tx, who, None, &price, "price.created").await?;
    Ok(price)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: PriceUpdate) -> Result<Price> {
    let before = get(tx, who, id).await?;
    let mut price = before.clone();
    if let Some(behavior) = update.tax_behavior {
        if price.tax_behavior != TaxBehavior::Unspecified && price.tax_behavior != behavior {
            return Err(Error::invalid(
                "tax_behavior",
                "The tax behavior of a price cannot be changed once it is set.",
            ));
        }
        price.tax_behavior = behavior;
    }
    if let Some(active) = update.active {
        price.active = active;
    }
    let transfer = update.transfer_lookup_key;
    apply(tx, who, &mut price, update, transfer).await?;
    if price == before {
        return Ok(price);
    }
    save(tx, who, &mut price).await?;
    announce(tx, who, Some(&before), &price, "price.updated").await?;
    Ok(price)
}

async fn apply(tx: &mut Tx, who: &Actor, price: &mut Price, update: PriceUpdate, transfer: bool) -> Result<()> {
    if let Patch::Set(key) = &update.lookup_key {
        check_text(key, 200, "lookup_key")?;
        release_lookup_key(tx, who, key, &price.id, transfer).await?;
    }
    update.lookup_key.apply(&mut price.lookup_key);
    if let Patch::Set(external) = &update.external_id {
        check_text(external, 255, "external_id")?;
        let taken: Option<(String,)> = maybe!(
            tx,
            "select id from price where tenant = $1 and external_id = $2 and id <> $3",
            who.tenant.key,
            external,
            &price.id
        )?;
        if taken.is_some() {
            return Err(Error::Invalid {
                param: "external_id".into(),
                code: "resource_already_exists",
                message: "Another price has this external_id.".into(),
            });
        }
    }
    update.external_id.apply(&mut price.external_id);
    update.nickname.apply(&mut price.nickname);
    check_text(price.nickname.as_deref().unwrap_or_default(), 5000, "nickname")?;
    merge_metadata(&mut price.metadata.0, update.metadata)
}

/// A lookup key belongs to one price; with `transfer_lookup_key` it moves.
async fn release_lookup_key(tx: &mut Tx, who: &Actor, key: &str, id: &str, transfer: bool) -> Result<()> {
    let holder: Option<Price> = maybe!(
        tx,
        concat!("select ", columns!(), " from price where tenant = $1 and lookup_key = $2 and id <> $3"),
        who.tenant.key,
        key,
        id
    )?;
    let Some(before) = holder else { return Ok(()) };
    if !transfer {
        return Err(Error::Invalid {
            param: "lookup_key".into(),
            code: "resource_already_exists",
            message: format!("A price (`{}`) already uses that lookup key.", before.id),
        });
    }
    let mut price = Price { lookup_key: None, ..before.clone() };
    save(tx, who, &mut price).await?;
    announce(tx, who, Some(&before), &price, "price.updated").await
}

async fn save(tx: &mut Tx, who: &Actor, price: &mut Price) -> Result<()> {
    let saved = run!(
        tx,
        "update price set external_id = $3, active = $4, tax_behavior = $5, lookup_key = $6, nickname = $7, metadata = $8, version = version + 1
         where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &price.id,
        &price.external_id,
        price.active,
        price.tax_behavior,
        &price.lookup_key,
        &price.nickname,
        &price.metadata,
        price.version
    )?;
    price.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

async fn announce(tx: &mut Tx, who: &Actor, before: Option<&Price>, price: &Price, action: &'static str) -> Result<()> {
    let render = |price: &Price| wire::price(&who.tenant, price);
    let change = Change {
        object: "price",
        id: &price.id,
        customer: None,
        before: before.map(render),
        after: Some(render(price)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
