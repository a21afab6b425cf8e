//! Redeeming: what is asked for becomes a discount, counted on its coupon and its promotion code in the same transaction.

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::catalog::{Coupon, PromotionCode, coupon, promotion_code};
use crate::clock::Seconds;
use crate::discount::record::{Discount, Holder, announce, insert, on, save};
use crate::discount::{Duration, ends};
use crate::error::{Error, Result};
use crate::id;
use crate::money::Currency;
use crate::patch::Patch;
use crate::store::{Tx, one};

/// How many discounts one thing may have (Stripe's limit).
const MOST: usize = 20;

/// One discount that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wanted {
    Coupon(String),
    PromotionCode(String),
    /// One that the thing, or what it belongs to, has already.
    Existing(String),
}

/// What the discounts are to be on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redemption<'a> {
    pub customer: &'a str,
    pub holder: Holder<'a>,
    /// What is paid in; a customer who was never billed has no currency yet.
    pub currency: Option<&'a Currency>,
    /// What it costs before discounts, where that is known: promotion codes may ask for a minimum.
    pub amount: Option<i64>,
    pub now: Seconds,
    /// The parameter that the discounts were given in.
    pub param: &'a str,
    /// The one that a customer has and switches from, which is one event.
    pub replaces: Option<&'a Discount>,
}

/// Puts what is wanted in place of what there is, in the order it is given; an empty list changes nothing (Stripe).
pub(crate) async fn set(
    tx: &mut Tx,
    who: &Actor,
    redemption: Redemption<'_>,
    wanted: &Patch<Vec<Wanted>>,
) -> Result<Vec<Discount>> {
    let held = on(tx, who, redemption.customer, redemption.holder).await?;
    let wanted = match wanted {
        Patch::Keep => return Ok(held),
        Patch::Set(wanted) if wanted.is_empty() => return Ok(held),
        Patch::Set(wanted) => wanted.as_slice(),
        Patch::Clear => &[],
    };
    if wanted.len() > MOST {
        return Err(Error::invalid(redemption.param, format!("Up to {MOST} discounts can be given.")));
    }
    let keeps = |discount: &Discount| wanted.contains(&Wanted::Existing(discount.id.clone()));
    let replaces =
        held.first().filter(|old| redemption.holder == Holder::Customer && !wanted.is_empty() && !keeps(old));
    for discount in held.iter().filter(|discount| !keeps(discount)) {
        match replaces {
            Some(_) => save(tx, who, &Discount { ended_at: Some(redemption.now), ..discount.clone() }).await?,
            None => end(tx, who, discount, redemption.now).await?,
        }
    }
    let mut placed: Vec<Discount> = Vec::new();
    for (position, one) in wanted.iter().enumerate() {
        let param = format!("{}[{position}]", redemption.param);
        let discount =
            place(tx, who, Redemption { param: &param, replaces, ..redemption }, one, &held, position).await?;
        if placed.iter().any(|other| other.coupon == discount.coupon) {
            return Err(Error::invalid(param, "A coupon can be given once."));
        }
        placed.push(discount);
    }
    Ok(placed)
}

async fn place(
    tx: &mut Tx,
    who: &Actor,
    redemption: Redemption<'_>,
    wanted: &Wanted,
    held: &[Discount],
    position: usize,
) -> Result<Discount> {
    let position = i64::try_from(position).unwrap_or_default();
    match wanted {
        Wanted::Coupon(id) => {
            let param = format!("{}[coupon]", redemption.param);
            let coupon = coupon::get(tx, who, id).await.map_err(|e| e.on(&param))?;
            redeem(tx, who, Redemption { param: &param, ..redemption }, coupon, None, position).await
        }
        Wanted::PromotionCode(id) => {
            let param = format!("{}[promotion_code]", redemption.param);
            let code = promotion_code::get(tx, who, id).await.map_err(|e| e.on(&param))?;
            let coupon = code.promoted.clone().ok_or_else(|| Error::internal("a promotion code without its coupon"))?;
            redeem(tx, who, Redemption { param: &param, ..redemption }, coupon, Some(code), position).await
        }
        Wanted::Existing(id) => match held.iter().find(|discount| discount.id == *id) {
            Some(kept) => {
                let kept = Discount { position, ..kept.clone() };
                save(tx, who, &kept).await?;
                Ok(kept)
            }
            None => inherit(tx, who, redemption, id, position).await,
        },
    }
}

/// Of an ancestor: the same redemption with the same end, on this thing too.
async fn inherit(tx: &mut Tx, who: &Actor, redemption: Redemption<'_>, id: &str, position: i64) -> Result<Discount> {
    let live = super::record::live(tx, who, redemption.customer).await?;
    let above = live.into_iter().find(|discount| {
        let is_above = match (discount.holder(), redemption.holder) {
            (Holder::Customer, _) => true,
            (Holder::Subscription(above), Holder::Item(own, _)) => above == own,
            _ => false,
        };
        is_above && discount.id == *id
    });
    let param = format!("{}[discount]", redemption.param);
    let above = above.ok_or_else(|| Error::missing("discount", id).on(param))?;
    let discount = Discount {
        promotion_code: above.promotion_code,
        starts: above.starts,
        ends: above.ends,
        counted: false,
        redeemed: above.redeemed,
        valid: above.valid,
        ..fresh(tx, redemption, &above.coupon, position)
    };
    insert(tx, who, &discount).await?;
    announce(tx, who, None, Some(&discount), "customer.discount.created").await?;
    Ok(discount)
}

fn fresh(tx: &Tx, redemption: Redemption<'_>, coupon: &str, position: i64) -> Discount {
    let (subscription, subscription_item, invoice, invoice_item) = match redemption.holder {
        Holder::Customer => (None, None, None, None),
        Holder::Subscription(id) => (Some(id), None, None, None),
        Holder::Item(subscription, id) => (Some(subscription), Some(id), None, None),
        Holder::Invoice(id) => (None, None, Some(id), None),
        Holder::InvoiceItem(id) => (None, None, None, Some(id)),
    };
    Discount {
        id: id::new("di", tx.now),
        customer: redemption.customer.into(),
        subscription: subscription.map(str::to_owned),
        subscription_item: subscription_item.map(str::to_owned),
        invoice: invoice.map(str::to_owned),
        invoice_item: invoice_item.map(str::to_owned),
        position,
        coupon: coupon.into(),
        promotion_code: None,
        starts: redemption.now,
        ends: None,
        ended_at: None,
        counted: true,
        first_invoice: None,
        redeemed: None,
        valid: false,
    }
}

async fn redeem(
    tx: &mut Tx,
    who: &Actor,
    redemption: Redemption<'_>,
    mut coupon: Coupon,
    code: Option<PromotionCode>,
    position: i64,
) -> Result<Discount> {
    check_coupon(&coupon, redemption)?;
    let mut discount = fresh(tx, redemption, &coupon.id, position);
    discount.ends = ends(coupon.duration, coupon.duration_in_months, redemption.now)?;
    if let Some(mut code) = code {
        check_code(tx, who, &code, redemption).await?;
        code.times_redeemed += 1;
        promotion_code::save(tx, who, &mut code).await?;
        discount.promotion_code = Some(code.id);
    }
    // The row's version is the judge: of those who redeem the last one at once, one is not told to begin anew.
    coupon.times_redeemed += 1;
    coupon::save(tx, who, &mut coupon).await?;
    discount.show(coupon, redemption.now);
    insert(tx, who, &discount).await?;
    let action = if redemption.replaces.is_some() { "customer.discount.updated" } else { "customer.discount.created" };
    announce(tx, who, redemption.replaces, Some(&discount), action).await?;
    Ok(discount)
}

fn check_coupon(coupon: &Coupon, redemption: Redemption<'_>) -> Result<()> {
    if !coupon.is_valid(redemption.now) {
        let message = format!("Coupon expired: {} can no longer be redeemed.", coupon.id);
        return Err(Error::Invalid { param: redemption.param.into(), code: "coupon_expired", message });
    }
    if redemption.currency.is_some_and(|currency| !coupon.is_in(currency)) {
        let message = format!("The coupon {} takes off an amount in another currency.", coupon.id);
        return Err(Error::invalid(redemption.param, message));
    }
    Ok(())
}

async fn check_code(tx: &mut Tx, who: &Actor, code: &PromotionCode, redemption: Redemption<'_>) -> Result<()> {
    let refuse = |why: &str| {
        let message = format!("This promotion code cannot be redeemed because {why}.");
        Err(Error::Invalid { param: redemption.param.into(), code: "promotion_code_invalid", message })
    };
    if !code.is_active(redemption.now) {
        return refuse("it is not active any more");
    }
    if code.customer.as_ref().is_some_and(|only| only != redemption.customer) {
        return refuse("it is for another customer");
    }
    if let Some(minimum) = code.restrictions.minimum_amount {
        let own = code.restrictions.minimum_amount_currency.as_ref();
        match redemption.amount {
            None => return refuse("it asks for a minimum amount, and this is on no amount"),
            Some(_) if own != redemption.currency => return refuse("its minimum amount is in another currency"),
            Some(amount) if amount < minimum => return refuse("the amount is below its minimum"),
            Some(_) => {}
        }
    }
    if code.restrictions.first_time_transaction && has_paid(tx, who, redemption.customer).await? {
        return refuse("it is for customers who have paid nothing yet");
    }
    Ok(())
}

async fn has_paid(tx: &mut Tx, who: &Actor, customer: &str) -> Result<bool> {
    let (paid,): (i64,) = one!(
        tx,
        "select cast(count(*) as bigint) from invoice where tenant = $1 and customer = $2 and amount_paid > 0",
        who.tenant.key,
        customer
    )?;
    Ok(paid > 0)
}

/// Takes a discount away: what it took off stays so.
pub(crate) async fn end(tx: &mut Tx, who: &Actor, discount: &Discount, at: Seconds) -> Result<()> {
    let ended = Discount { ended_at: Some(at), ..discount.clone() };
    save(tx, who, &ended).await?;
    announce(tx, who, Some(discount), None, "customer.discount.deleted").await
}

/// An invoice took something off by it; one that is used up by it ends.
pub(crate) async fn used(
    tx: &mut Tx,
    who: &Actor,
    discount: &Discount,
    invoice: &str,
    used_up: Option<Seconds>,
) -> Result<()> {
    if discount.ended_at.is_some() {
        return Ok(());
    }
    let first_invoice = discount.first_invoice.clone().or_else(|| Some(invoice.to_owned()));
    let discount = Discount { first_invoice, ..discount.clone() };
    save(tx, who, &discount).await?;
    match used_up {
        Some(at) => end(tx, who, &discount, at).await,
        None => Ok(()),
    }
}

/// The invoice that first used a discount is void: where what it was on is `over`, the redemption is given back; else
/// it goes on, and a `once` may be used again. `used_at` is when the invoice was finalised.
pub(crate) async fn give_back(
    tx: &mut Tx,
    who: &Actor,
    id: &str,
    (invoice, used_at): (&str, Option<Seconds>),
    over: Option<Seconds>,
) -> Result<()> {
    let discount = super::record::get(tx, who, id).await?;
    if discount.first_invoice.as_deref() != Some(invoice) {
        return Ok(());
    }
    let unused = Discount { first_invoice: None, ..discount.clone() };
    if let Some(at) = over {
        match discount.ended_at {
            None => end(tx, who, &unused, at).await?,
            Some(_) => save(tx, who, &unused).await?,
        }
        return if discount.counted { uncount(tx, who, &discount).await } else { Ok(()) };
    }
    let is_once = discount.redeemed.as_ref().is_some_and(|coupon| coupon.duration == Duration::Once);
    let was_used_up = is_once && discount.ended_at.is_some() && discount.ended_at == used_at;
    let again = Discount { ended_at: discount.ended_at.filter(|_| !was_used_up), ..unused };
    save(tx, who, &again).await?;
    if was_used_up { announce(tx, who, None, Some(&again), "customer.discount.created").await } else { Ok(()) }
}

async fn uncount(tx: &mut Tx, who: &Actor, discount: &Discount) -> Result<()> {
    let mut coupon = coupon::get_or_deleted(tx, who, &discount.coupon).await?;
    coupon.times_redeemed = (coupon.times_redeemed - 1).max(0);
    coupon::save(tx, who, &mut coupon).await?;
    if let Some(code) = &discount.promotion_code {
        let mut code = promotion_code::get(tx, who, code).await?;
        code.times_redeemed = (code.times_redeemed - 1).max(0);
        promotion_code::save(tx, who, &mut code).await?;
    }
    Ok(())
}
