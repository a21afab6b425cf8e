//! Coupons: what is taken off, for how long, and how often it may be redeemed. What a coupon is worth never changes.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::decimal::Decimal;
use crate::discount::{Duration, Off};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::{Currency, MAX_AMOUNT};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, run};
use crate::{catalog, id, wire};

const MOST_PRODUCTS: usize = 100;
const MOST_MONTHS: i64 = 1200;
const MOST_REDEMPTIONS: i64 = 999_999_999;

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Coupon {
    pub id: String,
    pub name: Option<String>,
    /// Of a hundred; either this or an amount.
    pub percent_off: Option<Decimal>,
    pub amount_off: Option<i64>,
    /// The amount's.
    pub currency: Option<Currency>,
    pub duration: Duration,
    /// For `repeating`.
    pub duration_in_months: Option<i64>,
    /// The products it is for, where not for all.
    pub applies_to: Option<Json<Vec<String>>>,
    pub max_redemptions: Option<i64>,
    pub times_redeemed: i64,
    pub redeem_by: Option<Seconds>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub deleted_at: Option<Seconds>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, name, percent_off, amount_off, currency, duration, duration_in_months, applies_to, max_redemptions, times_redeemed, \
         redeem_by, metadata, created, deleted_at, version"
    };
}

impl Coupon {
    pub fn off(&self) -> Off {
        match (self.percent_off, self.amount_off) {
            (Some(percent), _) => Off::Percent(percent),
            (None, amount) => Off::Amount(amount.unwrap_or_default()),
        }
    }

    /// Whether it can still be redeemed.
    pub fn is_valid(&self, now: Seconds) -> bool {
        self.deleted_at.is_none()
            && self.redeem_by.is_none_or(|last| now <= last)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
    }

    /// Whether it takes anything off sums in this currency: a percentage does everywhere.
    pub fn is_in(&self, currency: &Currency) -> bool {
        self.currency.as_ref().is_none_or(|own| own == currency)
    }

    /// Whether it is for this product.
    pub fn is_for(&self, product: Option<&str>) -> bool {
        let among = |products: &Json<Vec<String>>| product.is_some_and(|id| products.iter().any(|own| own == id));
        self.applies_to.as_ref().is_none_or(among)
    }
}

#[derive(Debug, Clone)]
pub struct NewCoupon {
    /// The merchant's own word for it, or a random one.
    pub id: Option<String>,
    pub percent_off: Option<Decimal>,
    pub amount_off: Option<i64>,
    pub currency: Option<Currency>,
    pub duration: Duration,
    pub duration_in_months: Option<i64>,
    pub applies_to: Option<Vec<String>>,
    pub max_redemptions: Option<i64>,
    pub redeem_by: Option<Seconds>,
    pub fields: CouponUpdate,
}

#[derive(Debug, Clone, Default)]
pub struct CouponUpdate {
    /// What the customer reads on the invoice.
    pub name: Patch<String>,
    pub metadata: MetadataPatch,
}

/// A coupon that is not deleted.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Coupon> {
    let coupon = get_or_deleted(tx, who, id).await?;
    if coupon.deleted_at.is_some() { Err(Error::missing("coupon", id)) } else { Ok(coupon) }
}

/// A coupon, even deleted: who redeemed it before keeps it.
pub async fn get_or_deleted(tx: &mut Tx, who: &Actor, id: &str) -> Result<Coupon> {
    maybe!(tx, concat!("select ", columns!(), " from coupon where tenant = $1 and id = $2"), who.tenant.key, id)?
        .ok_or_else(|| Error::missing("coupon", id))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<Coupon>> {
    page!(tx, who, page, "coupon", columns!(), "deleted_at is null")
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewCoupon) -> Result<Coupon> {
    check_off(&new)?;
    check_limits(&new, tx.now.seconds())?;
    if let Some(id) = &new.id {
        check_id(tx, who, id).await?;
    }
    for (n, product) in new.applies_to.iter().flatten().enumerate() {
        let param = format!("applies_to[products][{n}]");
        catalog::product::get(tx, who, product).await.map_err(|e| e.on(param))?;
    }
    let mut coupon = Coupon {
        id: new.id.unwrap_or_else(|| id::short(tx.now)),
        name: None,
        percent_off: new.percent_off,
        amount_off: new.amount_off,
        currency: new.currency,
        duration: new.duration,
        duration_in_months: new.duration_in_months,
        applies_to: new.applies_to.map(Json),
        max_redemptions: new.max_redemptions,
        times_redeemed: 0,
        redeem_by: new.redeem_by,
        metadata: Json::default(),
        created: tx.now.seconds(),
        deleted_at: None,
        version: 1,
    };
    apply(&mut coupon, new.fields)?;
    run!(
        tx,
        concat!(
            "insert into coupon (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        ),
        who.tenant.key,
        &coupon.id,
        &coupon.name,
        coupon.percent_off,
        coupon.amount_off,
        &coupon.currency,
        coupon.duration,
        coupon.duration_in_months,
        &coupon.applies_to,
        coupon.max_redemptions,
        coupon.times_redeemed,
        coupon.redeem_by,
        &coupon.metadata,
        coupon.created,
        coupon.deleted_at,
        coupon.version
    )?;
    announce(tx, who, None, Some(&coupon), "coupon.created").await?;
    Ok(coupon)
}

fn check_off(new: &NewCoupon) -> Result<()> {
    let refuse = |param: &str, message: &str| Err(Error::invalid(param, message));
    let hundred = Decimal::whole(100);
    match (new.percent_off, new.amount_off, &new.currency) {
        (Some(_), Some(_), _) => refuse("percent_off", "Give percent_off or amount_off, not both."),
        (Some(percent), None, _) if percent == Decimal::default() || percent > hundred => {
            refuse("percent_off", "Invalid decimal: must be greater than 0 and at most 100.")
        }
        (Some(_), None, Some(_)) => refuse("currency", "A percentage has no currency."),
        (None, Some(amount), _) if !(1..=MAX_AMOUNT).contains(&amount) => {
            refuse("amount_off", &format!("Invalid positive integer: at most {MAX_AMOUNT}"))
        }
        (None, Some(_), None) => Err(needed("currency", "You must pass currency when passing amount_off.")),
        (None, None, _) => Err(needed("percent_off", "A coupon needs a percent_off or an amount_off.")),
        _ => Ok(()),
    }
}

fn needed(param: &str, message: &str) -> Error {
    Error::Invalid { param: param.into(), code: "parameter_missing", message: message.into() }
}

fn check_limits(new: &NewCoupon, now: Seconds) -> Result<()> {
    let refuse = |param: &str, message: &str| Err(Error::invalid(param, message));
    match (new.duration, new.duration_in_months) {
        (Duration::Repeating, None) => {
            return Err(needed("duration_in_months", "duration_in_months is required when duration is repeating."));
        }
        (Duration::Repeating, Some(months)) if !(1..=MOST_MONTHS).contains(&months) => {
            return refuse("duration_in_months", "Invalid positive integer: at most a hundred years.");
        }
        (Duration::Once | Duration::Forever, Some(_)) => {
            return refuse("duration_in_months", "duration_in_months is allowed only when duration is repeating.");
        }
        _ => {}
    }
    if new.redeem_by.is_some_and(|last| last <= now) {
        return refuse("redeem_by", "Invalid timestamp: must be in the future.");
    }
    if new.applies_to.as_ref().is_some_and(|products| products.is_empty() || products.len() > MOST_PRODUCTS) {
        return refuse("applies_to[products]", "Name 1 to 100 products, or leave it out for all.");
    }
    check_redemptions(new.max_redemptions)
}

/// How often a coupon or a promotion code may be redeemed, where that is limited.
pub(crate) fn check_redemptions(most: Option<i64>) -> Result<()> {
    if most.is_some_and(|most| !(1..=MOST_REDEMPTIONS).contains(&most)) {
        return Err(Error::invalid("max_redemptions", "Invalid positive integer"));
    }
    Ok(())
}

async fn check_id(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    catalog::product::check_id_text(id)?;
    match get_or_deleted(tx, who, id).await {
        Err(Error::Missing { .. }) => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(Error::Invalid {
            param: "id".into(),
            code: "resource_already_exists",
            message: "Coupon already exists.".into(),
        }),
    }
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: CouponUpdate) -> Result<Coupon> {
    let before = get(tx, who, id).await?;
    let mut coupon = before.clone();
    apply(&mut coupon, update)?;
    if coupon == before {
        return Ok(coupon);
    }
    save(tx, who, &mut coupon).await?;
    announce(tx, who, Some(&before), Some(&coupon), "coupon.updated").await?;
    Ok(coupon)
}

/// Takes a coupon out of use; discounts that it gave already go on.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    let mut coupon = Coupon { deleted_at: Some(tx.now.seconds()), ..before.clone() };
    save(tx, who, &mut coupon).await?;
    announce(tx, who, Some(&before), None, "coupon.deleted").await
}

fn apply(coupon: &mut Coupon, update: CouponUpdate) -> Result<()> {
    update.name.apply(&mut coupon.name);
    check_text(coupon.name.as_deref().unwrap_or_default(), 40, "name")?;
    merge_metadata(&mut coupon.metadata.0, update.metadata)
}

pub(crate) async fn save(tx: &mut Tx, who: &Actor, coupon: &mut Coupon) -> Result<()> {
    let saved = run!(
        tx,
        "update coupon set name = $3, metadata = $4, times_redeemed = $5, deleted_at = $6, version = version + 1
         where tenant = $1 and id = $2 and version = $7",
        who.tenant.key,
        &coupon.id,
        &coupon.name,
        &coupon.metadata,
        coupon.times_redeemed,
        coupon.deleted_at,
        coupon.version
    )?;
    coupon.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

pub(crate) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Coupon>,
    after: Option<&Coupon>,
    action: &'static str,
) -> Result<()> {
    let now = tx.now.seconds();
    let id = after.or(before).map(|c| c.id.clone()).unwrap_or_default();
    let render = |coupon: &Coupon| wire::coupon(&who.tenant, coupon, now);
    let change = Change {
        object: "coupon",
        id: &id,
        customer: None,
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
