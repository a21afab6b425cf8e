//! Tax IDs: the numbers under which a customer's purchases are taxed, printed on its invoices.

pub mod format;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::check_text;
use crate::store::{Tx, all, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

/// As many as an invoice has room for.
const MOST: i64 = 20;

text_enum!(
    /// What the type's register says of the number; `unavailable` where none is asked.
    Verification { Pending = "pending", Verified = "verified", Unverified = "unverified", Unavailable = "unavailable" }
);

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TaxId {
    pub id: String,
    pub customer: String,
    /// `eu_vat`; see [`format::all`].
    pub r#type: String,
    /// As it was entered, without the space around it.
    pub value: String,
    /// ISO 3166-1 alpha-2; `None` where the number is no single country's.
    pub country: Option<String>,
    pub verification: Verification,
    /// Whom the register has under the number, and where.
    pub verified_name: Option<String>,
    pub verified_address: Option<String>,
    pub created: Seconds,
    pub deleted_at: Option<Seconds>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTaxId {
    pub r#type: String,
    pub value: String,
}

macro_rules! columns {
    () => {
        "id, customer, type, value, country, verification, verified_name, verified_address, created, deleted_at"
    };
}

/// A tax ID of anybody this caller may see.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<TaxId> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from tax_id where tenant = $1 and id = $2 and deleted_at is null and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("tax_id", id))
}

/// A tax ID of this customer.
pub async fn of_customer(tx: &mut Tx, who: &Actor, customer: &str, id: &str) -> Result<TaxId> {
    let found = get(tx, who, id).await?;
    if found.customer == customer { Ok(found) } else { Err(Error::missing("tax_id", id)) }
}

/// A customer's tax IDs, newest first.
pub async fn list(tx: &mut Tx, who: &Actor, customer: &str, page: &Page) -> Result<Listed<TaxId>> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    page!(
        tx,
        who,
        page,
        "tax_id" if "customer = $3",
        columns!(),
        "customer = $7 and deleted_at is null",
        customer.id
    )
}

/// What a customer's invoices print, in the order in which it was entered: types and values.
pub(crate) async fn printed(tx: &mut Tx, who: &Actor, customer: &str) -> Result<Vec<(String, String)>> {
    all!(
        tx,
        "select type, value from tax_id where tenant = $1 and customer = $2 and deleted_at is null order by created, id",
        who.tenant.key,
        customer
    )
}

/// Gives a customer a tax ID whose form is right. No register is asked; in test mode, Stripe's numbers answer for one.
pub async fn create(tx: &mut Tx, who: &Actor, customer: &str, new: NewTaxId) -> Result<TaxId> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    let value = new.value.trim().to_owned();
    check_text(&value, 100, "value")?;
    let told = if who.tenant.livemode { None } else { test_answer(&new.r#type, &value) };
    let country = match format::check(&new.r#type, &value) {
        Err(Error::Invalid { param, .. }) if told.is_some() && param == "value" => None,
        checked => checked?,
    };
    check_room(tx, who, &customer.id).await?;
    let verification = if told.is_some() { Verification::Pending } else { Verification::Unavailable };
    let tax_id = TaxId {
        id: id::new("txi", tx.now),
        customer: customer.id,
        r#type: new.r#type,
        value,
        country: country.map(str::to_owned),
        verification,
        verified_name: None,
        verified_address: None,
        created: tx.now.seconds(),
        deleted_at: None,
    };
    insert(tx, who, &tax_id).await?;
    announce(tx, who, None, Some(&tax_id), "customer.tax_id.created").await?;
    match told {
        Some(told) => verify(tx, who, &tax_id.id, told).await,
        None => Ok(tax_id),
    }
}

/// Gives a customer tax IDs in place of those there are. Errors name `tax_ids[n]`.
pub(crate) async fn replace(tx: &mut Tx, who: &Actor, customer: &str, new: Vec<NewTaxId>) -> Result<()> {
    let old: Vec<(String,)> = all!(
        tx,
        "select id from tax_id where tenant = $1 and customer = $2 and deleted_at is null",
        who.tenant.key,
        customer
    )?;
    for (id,) in old {
        delete(tx, who, &id).await?;
    }
    for (n, new) in new.into_iter().enumerate() {
        create(tx, who, customer, new).await.map_err(|e| e.within(&format!("tax_ids[{n}]")))?;
    }
    Ok(())
}

async fn insert(tx: &mut Tx, who: &Actor, tax_id: &TaxId) -> Result<()> {
    run!(
        tx,
        concat!("insert into tax_id (tenant, ", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"),
        who.tenant.key,
        &tax_id.id,
        &tax_id.customer,
        &tax_id.r#type,
        &tax_id.value,
        &tax_id.country,
        tax_id.verification,
        &tax_id.verified_name,
        &tax_id.verified_address,
        tax_id.created,
        tax_id.deleted_at
    )?;
    Ok(())
}

/// Notes what a register said of a tax ID.
pub async fn verify(tx: &mut Tx, who: &Actor, id: &str, said: Verification) -> Result<TaxId> {
    let before = get(tx, who, id).await?;
    let after = TaxId { verification: said, ..before.clone() };
    if after == before {
        return Ok(after);
    }
    run!(
        tx,
        "update tax_id set verification = $3 where tenant = $1 and id = $2 and deleted_at is null",
        who.tenant.key,
        id,
        said
    )?;
    announce(tx, who, Some(&before), Some(&after), "customer.tax_id.updated").await?;
    Ok(after)
}

/// Takes a tax ID from its customer; invoices that were made with it keep it.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let gone = get(tx, who, id).await?;
    let deleted = run!(
        tx,
        "update tax_id set deleted_at = $3 where tenant = $1 and id = $2 and deleted_at is null",
        who.tenant.key,
        id,
        tx.now.seconds()
    )?;
    if deleted != 1 {
        return Err(Error::Busy);
    }
    announce(tx, who, Some(&gone), None, "customer.tax_id.deleted").await
}

async fn check_room(tx: &mut Tx, who: &Actor, customer: &str) -> Result<()> {
    let (count,): (i64,) = one!(
        tx,
        "select count(*) from tax_id where tenant = $1 and customer = $2 and deleted_at is null",
        who.tenant.key,
        customer
    )?;
    if count < MOST {
        return Ok(());
    }
    Err(Error::conflict("tax_id_limit_reached", format!("A customer has up to {MOST} tax IDs.")))
}

/// The numbers that stand for a register's answers in test mode (docs.stripe.com/billing/customer/tax-ids).
fn test_answer(kind: &str, value: &str) -> Option<Verification> {
    if !matches!(kind, "au_abn" | "eu_vat" | "gb_vat") {
        return None;
    }
    let number = format::bare(value);
    match number.trim_start_matches(|c: char| c.is_ascii_alphabetic()) {
        "000000000" => Some(Verification::Verified),
        "111111111" => Some(Verification::Unverified),
        "222222222" => Some(Verification::Pending),
        _ => None,
    }
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&TaxId>,
    after: Option<&TaxId>,
    action: &'static str,
) -> Result<()> {
    let Some(one) = after.or(before).cloned() else { return Ok(()) };
    let render = |tax_id: &TaxId| wire::tax_id(&who.tenant, tax_id);
    let change = Change {
        object: "tax_id",
        id: &one.id,
        customer: Some(&one.customer),
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
