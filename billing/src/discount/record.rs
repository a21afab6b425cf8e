//! Discounts as they are kept: a coupon redeemed on a customer, a subscription, an item, or what stands on an invoice.

use crate::actor::Actor;
use crate::catalog::Coupon;
use crate::catalog::coupon;
use crate::clock::Seconds;
use crate::discount::Duration;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::store::{Tx, all, maybe, run};
use crate::subscription::Subscription;
use crate::wire;

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Discount {
    pub id: String,
    pub customer: String,
    pub subscription: Option<String>,
    pub subscription_item: Option<String>,
    pub invoice: Option<String>,
    pub invoice_item: Option<String>,
    /// The order in which those on one thing are taken off.
    pub position: i64,
    pub coupon: String,
    pub promotion_code: Option<String>,
    pub starts: Seconds,
    /// When `repeating` ends by time.
    pub ends: Option<Seconds>,
    /// When it was used up or taken away.
    pub ended_at: Option<Seconds>,
    /// Whether it counts as a redemption of its own: one that was taken over from above does not.
    pub counted: bool,
    /// The invoice that it first took something off.
    pub first_invoice: Option<String>,
    /// The coupon, even deleted.
    #[sqlx(skip)]
    pub redeemed: Option<Coupon>,
    /// Whether the coupon could be redeemed again when this was read.
    #[sqlx(skip)]
    pub valid: bool,
}

/// What a discount is on. A customer's is on everything that has none of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder<'a> {
    Customer,
    Subscription(&'a str),
    /// An item of this subscription.
    Item(&'a str, &'a str),
    Invoice(&'a str),
    InvoiceItem(&'a str),
}

macro_rules! columns {
    () => {
        "id, customer, subscription, subscription_item, invoice, invoice_item, position, coupon, promotion_code, starts, ends, ended_at, \
         counted, first_invoice"
    };
}

impl Discount {
    pub(super) fn show(&mut self, coupon: Coupon, now: Seconds) {
        self.valid = coupon.is_valid(now);
        self.redeemed = Some(coupon);
    }

    /// `None` where the coupon was not read with it.
    pub(crate) fn duration(&self) -> Option<Duration> {
        self.redeemed.as_ref().map(|coupon| coupon.duration)
    }

    pub fn holder(&self) -> Holder<'_> {
        let subscription = self.subscription.as_deref();
        match (&self.invoice_item, &self.invoice, &self.subscription_item, subscription) {
            (Some(item), _, _, _) => Holder::InvoiceItem(item),
            (None, Some(invoice), _, _) => Holder::Invoice(invoice),
            (None, None, Some(item), Some(subscription)) => Holder::Item(subscription, item),
            (None, None, _, Some(subscription)) => Holder::Subscription(subscription),
            (None, None, _, None) => Holder::Customer,
        }
    }
}

/// A discount by its id, even one that has ended.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Discount> {
    let found: Option<Discount> = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from discount where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?;
    let mut discount = found.ok_or_else(|| Error::missing("discount", id))?;
    discount.show(coupon::get_or_deleted(tx, who, &discount.coupon).await?, tx.now.seconds());
    Ok(discount)
}

/// Every discount that a customer has on anything, in the order they are taken off.
pub(crate) async fn live(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Vec<Discount>> {
    since(tx, who, customer, Seconds(i64::MAX)).await
}

/// The same with those that have ended, but not before an instant.
pub(crate) async fn since(tx: &mut Tx, who: &Actor, customer: &str, at: Seconds) -> Result<Vec<Discount>> {
    let mut found: Vec<Discount> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from discount where tenant = $1 and customer = $2 and (ended_at is null or ended_at >= $3) order by position, id"
        ),
        who.tenant.key,
        customer,
        at
    )?;
    for discount in &mut found {
        discount.show(coupon::get_or_deleted(tx, who, &discount.coupon).await?, tx.now.seconds());
    }
    Ok(found)
}

/// The ids of those that first took something off an invoice of a subscription's current period.
pub(crate) async fn used_in(tx: &mut Tx, who: &Actor, of: &Subscription) -> Result<Vec<String>> {
    let used: Vec<(String,)> = all!(
        tx,
        "select d.id from discount d join invoice i on i.tenant = d.tenant and i.id = d.first_invoice
         where d.tenant = $1 and d.customer = $2 and i.subscription = $3 and i.period_start = $4 and i.status <> 'void' order by d.id",
        who.tenant.key,
        &of.customer,
        &of.id,
        of.current_period_start
    )?;
    Ok(used.into_iter().map(|(id,)| id).collect())
}

/// Those that are on one thing of a customer's.
pub(crate) async fn on(tx: &mut Tx, who: &Actor, customer: &str, holder: Holder<'_>) -> Result<Vec<Discount>> {
    let mut live = live(tx, who, customer).await?;
    live.retain(|discount| discount.holder() == holder);
    Ok(live)
}

pub(super) async fn insert(tx: &mut Tx, who: &Actor, d: &Discount) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into discount (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)"
        ),
        who.tenant.key,
        &d.id,
        &d.customer,
        &d.subscription,
        &d.subscription_item,
        &d.invoice,
        &d.invoice_item,
        d.position,
        &d.coupon,
        &d.promotion_code,
        d.starts,
        d.ends,
        d.ended_at,
        d.counted,
        &d.first_invoice
    )?;
    Ok(())
}

/// Writes what may change of a discount.
pub(super) async fn save(tx: &mut Tx, who: &Actor, d: &Discount) -> Result<()> {
    let saved = run!(
        tx,
        "update discount set position = $3, ended_at = $4, first_invoice = $5 where tenant = $1 and id = $2",
        who.tenant.key,
        &d.id,
        d.position,
        d.ended_at,
        &d.first_invoice
    )?;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

pub(super) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Discount>,
    after: Option<&Discount>,
    action: &'static str,
) -> Result<()> {
    let Some(either) = after.or(before) else { return Ok(()) };
    let render = |discount: &Discount| wire::discount(&who.tenant, discount);
    let change = Change {
        object: "discount",
        id: &either.id,
        customer: Some(&either.customer),
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
