//! Promotion codes: words that customers type to redeem a coupon.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::coupon::{self, Coupon, check_redemptions};
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::{Currency, MAX_AMOUNT};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, run};
use crate::{customer, id, wire};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PromotionCode {
    pub id: String,
    pub coupon: String,
    /// As the customer types it, in any case.
    pub code: String,
    /// What the merchant says; [`PromotionCode::is_active`] is what holds.
    pub active: bool,
    /// The only customer who may use it.
    pub customer: Option<String>,
    pub restrictions: Json<Restrictions>,
    pub max_redemptions: Option<i64>,
    pub times_redeemed: i64,
    pub expires_at: Option<Seconds>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub version: i64,
    /// The coupon itself, even deleted.
    #[sqlx(skip)]
    pub promoted: Option<Coupon>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Restrictions {
    /// Only for customers who have paid nothing yet.
    pub first_time_transaction: bool,
    pub minimum_amount: Option<i64>,
    pub minimum_amount_currency: Option<Currency>,
}

macro_rules! columns {
    () => {
        "id, coupon, code, active, customer, restrictions, max_redemptions, times_redeemed, expires_at, metadata, created, version"
    };
}

/// Whether a code can be redeemed at an instant, as [`PromotionCode::is_active`] says it, in SQL.
macro_rules! redeemable {
    ($now:literal) => {
        concat!(
            "active and (expires_at is null or expires_at >= ",
            $now,
            ") and (max_redemptions is null or times_redeemed < max_redemptions) and exists (select 1 from coupon c \
             where c.tenant = promotion_code.tenant and c.id = promotion_code.coupon and c.deleted_at is null \
             and (c.redeem_by is null or c.redeem_by >= ",
            $now,
            ") and (c.max_redemptions is null or c.times_redeemed < c.max_redemptions))"
        )
    };
}

impl PromotionCode {
    /// Whether it can be redeemed now, as far as that does not depend on who does it.
    pub fn is_active(&self, now: Seconds) -> bool {
        self.active
            && self.expires_at.is_none_or(|last| now <= last)
            && self.max_redemptions.is_none_or(|most| self.times_redeemed < most)
            && self.promoted.as_ref().is_some_and(|coupon| coupon.is_valid(now))
    }
}

#[derive(Debug, Clone)]
pub struct NewPromotionCode {
    pub coupon: String,
    /// A random one where none is given.
    pub code: Option<String>,
    pub active: bool,
    pub customer: Option<String>,
    pub restrictions: Restrictions,
    pub max_redemptions: Option<i64>,
    pub expires_at: Option<Seconds>,
    pub metadata: MetadataPatch,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<PromotionCode> {
    let found: Option<PromotionCode> = maybe!(
        tx,
        concat!("select ", columns!(), " from promotion_code where tenant = $1 and id = $2"),
        who.tenant.key,
        id
    )?;
    let mut code = found.ok_or_else(|| Error::missing("promotion_code", id))?;
    load(tx, who, &mut code).await?;
    Ok(code)
}

async fn load(tx: &mut Tx, who: &Actor, code: &mut PromotionCode) -> Result<()> {
    code.promoted = Some(coupon::get_or_deleted(tx, who, &code.coupon).await?);
    Ok(())
}

#[derive(Debug, Clone, Default)]
pub struct PromotionCodeFilter {
    /// Whether it can be redeemed.
    pub active: Option<bool>,
    /// In any case.
    pub code: Option<String>,
    pub coupon: Option<String>,
    pub customer: Option<String>,
}

pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    filter: &PromotionCodeFilter,
) -> Result<Listed<PromotionCode>> {
    let now = tx.now.seconds();
    let listed: Result<Listed<PromotionCode>> = page!(
        tx,
        who,
        page,
        "promotion_code",
        columns!(),
        concat!(
            "(cast($7 as text) is null or lower(code) = lower($7)) and (cast($8 as text) is null or coupon = $8)
         and (cast($9 as text) is null or customer = $9)
         and (cast($10 as boolean) is null or $10 = (",
            redeemable!("$11"),
            "))"
        ),
        filter.code,
        filter.coupon,
        filter.customer,
        filter.active,
        now
    );
    let mut listed = listed?;
    for code in &mut listed.data {
        load(tx, who, code).await?;
    }
    Ok(listed)
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewPromotionCode) -> Result<PromotionCode> {
    let promoted = coupon::get(tx, who, &new.coupon).await.map_err(|e| e.on("promotion[coupon]"))?;
    check_limits(&new, &promoted, tx.now.seconds())?;
    if let Some(customer) = &new.customer {
        customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    }
    let mut code = PromotionCode {
        id: id::new("promo", tx.now),
        coupon: new.coupon,
        code: new.code.unwrap_or_else(|| id::short(tx.now)),
        active: new.active,
        customer: new.customer,
        restrictions: Json(new.restrictions),
        max_redemptions: new.max_redemptions,
        times_redeemed: 0,
        expires_at: new.expires_at,
        metadata: Json::default(),
        created: tx.now.seconds(),
        version: 1,
        promoted: Some(promoted),
    };
    merge_metadata(&mut code.metadata.0, new.metadata)?;
    if code.is_active(tx.now.seconds()) {
        check_free(tx, who, &code).await?;
    }
    run!(
        tx,
        concat!(
            "insert into promotion_code (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        who.tenant.key,
        &code.id,
        &code.coupon,
        &code.code,
        code.active,
        &code.customer,
        &code.restrictions,
        code.max_redemptions,
        code.times_redeemed,
        code.expires_at,
        &code.metadata,
        code.created,
        code.version
    )?;
    announce(tx, who, None, &code, "promotion_code.created").await?;
    Ok(code)
}

fn check_limits(new: &NewPromotionCode, coupon: &Coupon, now: Seconds) -> Result<()> {
    let refuse = |param: &str, message: &str| Err(Error::invalid(param, message));
    if let Some(code) = &new.code {
        check_text(code, 500, "code")?;
        if code.is_empty() || !code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return refuse("code", "Codes are letters (a-z, A-Z), digits and dashes.");
        }
    }
    check_redemptions(new.max_redemptions)?;
    if matches!((new.max_redemptions, coupon.max_redemptions), (Some(own), Some(most)) if own > most) {
        return refuse("max_redemptions", "A promotion code cannot be redeemed more often than its coupon.");
    }
    match (new.expires_at, coupon.redeem_by) {
        (Some(last), _) if last <= now => return refuse("expires_at", "Invalid timestamp: must be in the future."),
        (Some(last), Some(most)) if last > most => {
            return refuse("expires_at", "A promotion code cannot expire after its coupon's redeem_by.");
        }
        _ => {}
    }
    match (new.restrictions.minimum_amount, &new.restrictions.minimum_amount_currency) {
        (Some(amount), _) if !(1..=MAX_AMOUNT).contains(&amount) => {
            refuse("restrictions[minimum_amount]", "Invalid positive integer")
        }
        (Some(_), None) => refuse("restrictions[minimum_amount_currency]", "A minimum amount needs its currency."),
        (None, Some(_)) => refuse("restrictions[minimum_amount]", "A currency without a minimum amount."),
        _ => Ok(()),
    }
}

/// Of the codes that can be redeemed, a word is one customer's or everybody's once.
async fn check_free(tx: &mut Tx, who: &Actor, code: &PromotionCode) -> Result<()> {
    let taken: Option<(String,)> = maybe!(
        tx,
        concat!(
            "select id from promotion_code where tenant = $1 and lower(code) = lower($2) and id <> $3
             and (customer is null or cast($4 as text) is null or customer = $4) and ",
            redeemable!("$5"),
            " limit 1"
        ),
        who.tenant.key,
        &code.code,
        &code.id,
        &code.customer,
        tx.now.seconds()
    )?;
    match taken {
        None => Ok(()),
        Some(_) => Err(Error::Invalid {
            param: "code".into(),
            code: "resource_already_exists",
            message: format!("An active promotion code with `code: {}` already exists.", code.code),
        }),
    }
}

#[derive(Debug, Clone, Default)]
pub struct PromotionCodeUpdate {
    pub active: Option<bool>,
    pub metadata: MetadataPatch,
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: PromotionCodeUpdate) -> Result<PromotionCode> {
    let before = get(tx, who, id).await?;
    let mut code = before.clone();
    merge_metadata(&mut code.metadata.0, update.metadata)?;
    code.active = update.active.unwrap_or(code.active);
    if code.active && !before.active {
        if !code.is_active(tx.now.seconds()) {
            let message = "This promotion code cannot be activated: it, or its coupon, can no longer be redeemed.";
            return Err(Error::invalid("active", message));
        }
        check_free(tx, who, &code).await?;
    }
    if code == before {
        return Ok(code);
    }
    save(tx, who, &mut code).await?;
    announce(tx, who, Some(&before), &code, "promotion_code.updated").await?;
    Ok(code)
}

pub(crate) async fn save(tx: &mut Tx, who: &Actor, code: &mut PromotionCode) -> Result<()> {
    let saved = run!(
        tx,
        "update promotion_code set active = $3, metadata = $4, times_redeemed = $5, version = version + 1
         where tenant = $1 and id = $2 and version = $6",
        who.tenant.key,
        &code.id,
        code.active,
        &code.metadata,
        code.times_redeemed,
        code.version
    )?;
    code.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

pub(crate) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&PromotionCode>,
    after: &PromotionCode,
    action: &'static str,
) -> Result<()> {
    let now = tx.now.seconds();
    let render = |code: &PromotionCode| wire::promotion_code(&who.tenant, code, now);
    let change = Change {
        object: "promotion_code",
        id: &after.id,
        customer: None,
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
