//! Customers: who is billed, where, in which language, and with what.

pub mod balance;
mod contact;
mod list;
pub mod offer;
pub mod payment_method;
pub mod tax_id;
mod unique;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::discount::{Discount, Wanted};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::Currency;
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, subscription, test_clock, wire};

use contact::check_address;
pub use contact::{Address, Shipping, check_email};
pub use list::{CustomerFilter, list, of_email};

text_enum!(TaxExempt { None = "none", Exempt = "exempt", Reverse = "reverse" });

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InvoiceSettings {
    pub custom_fields: Option<Vec<CustomField>>,
    pub footer: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CustomField {
    pub name: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Customer {
    pub id: String,
    pub external_id: Option<String>,
    /// The test clock that its billing runs on, if any.
    pub clock_id: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub description: Option<String>,
    pub address: Option<Json<Address>>,
    pub shipping: Option<Json<Shipping>>,
    pub currency: Option<Currency>,
    pub default_payment_method: Option<String>,
    pub delinquent: bool,
    pub invoice_prefix: String,
    pub next_invoice_sequence: i64,
    pub invoice_settings: Json<InvoiceSettings>,
    pub preferred_locales: Json<Vec<String>>,
    pub tax_exempt: TaxExempt,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub deleted_at: Option<Seconds>,
    pub version: i64,
    /// Credit in the customer's currency; negative is in the customer's favour.
    pub balance: i64,
    /// Off everything of the customer's that has no discount of its own.
    #[sqlx(skip)]
    pub discount: Option<Discount>,
}

macro_rules! stored {
    () => {
        "id, external_id, clock_id, name, email, phone, description, address, shipping, currency, default_payment_method, delinquent, \
         invoice_prefix, next_invoice_sequence, invoice_settings, preferred_locales, tax_exempt, metadata, created, deleted_at, version"
    };
}
macro_rules! columns {
    () => {
        concat!(
            stored!(),
            ", coalesce((select amount from customer_balance b where b.tenant = customer.tenant and b.customer = customer.id \
             and b.currency = customer.currency), 0) as balance"
        )
    };
}
pub(crate) use {columns, stored};

/// What may be said of a customer, new or old.
#[derive(Debug, Clone, Default)]
pub struct CustomerUpdate {
    /// Of a new one only: the test clock that its billing runs on.
    pub test_clock: Option<String>,
    pub external_id: Patch<String>,
    pub name: Patch<String>,
    pub email: Patch<String>,
    pub phone: Patch<String>,
    pub description: Patch<String>,
    pub address: Patch<Address>,
    pub shipping: Patch<Shipping>,
    pub default_payment_method: Patch<String>,
    pub invoice_prefix: Option<String>,
    pub next_invoice_sequence: Option<i64>,
    pub custom_fields: Patch<Vec<CustomField>>,
    pub footer: Patch<String>,
    pub preferred_locales: Patch<Vec<String>>,
    pub tax_exempt: Patch<TaxExempt>,
    /// What the balance is to be, in the customer's currency, else the merchant's.
    pub balance: Option<i64>,
    /// A coupon or a promotion code in place of the one there is.
    pub discount: Patch<Wanted>,
    pub metadata: MetadataPatch,
}

/// A customer that is not deleted. A portal session reaches its own customer only.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Customer> {
    let customer = get_or_deleted(tx, who, id).await?;
    if customer.deleted_at.is_some() { Err(Error::missing("customer", id)) } else { Ok(customer) }
}

/// A customer, even deleted: the API shows a deleted one as its stub.
pub async fn get_or_deleted(tx: &mut Tx, who: &Actor, id: &str) -> Result<Customer> {
    let mut customer: Customer = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from customer where tenant = $1 and id = $2 and (cast($3 as text) is null or id = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("customer", id))?;
    offer::load(tx, who, &mut customer).await?;
    Ok(customer)
}

/// The random tail of the id, so that two customers' invoice numbers differ (Stripe: 8 characters).
pub(crate) fn prefix_of(id: &str) -> String {
    id[id.len() - 8..].to_ascii_uppercase()
}

pub async fn create(tx: &mut Tx, who: &Actor, new: CustomerUpdate) -> Result<Customer> {
    let id = id::new("cus", tx.now);
    let mut customer = Customer {
        invoice_prefix: prefix_of(&id),
        id,
        external_id: None,
        clock_id: None,
        name: None,
        email: None,
        phone: None,
        description: None,
        address: None,
        shipping: None,
        currency: None,
        default_payment_method: None,
        delinquent: false,
        next_invoice_sequence: 1,
        invoice_settings: Json::default(),
        preferred_locales: Json::default(),
        tax_exempt: TaxExempt::None,
        metadata: Json::default(),
        created: tx.now.seconds(),
        deleted_at: None,
        version: 1,
        balance: 0,
        discount: None,
    };
    let balance = new.balance;
    let discount = new.discount.clone();
    if let Some(id) = &new.test_clock {
        let clock = test_clock::get(tx, who, id).await.map_err(|e| e.on("test_clock"))?;
        (customer.clock_id, customer.created) = (Some(clock.id), clock.frozen_time);
    }
    apply(tx, who, &mut customer, new).await?;
    run!(
        tx,
        concat!(
            "insert into customer (tenant, ",
            stored!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)"
        ),
        who.tenant.key,
        &customer.id,
        &customer.external_id,
        &customer.clock_id,
        &customer.name,
        &customer.email,
        &customer.phone,
        &customer.description,
        &customer.address,
        &customer.shipping,
        &customer.currency,
        &customer.default_payment_method,
        customer.delinquent,
        &customer.invoice_prefix,
        customer.next_invoice_sequence,
        &customer.invoice_settings,
        &customer.preferred_locales,
        customer.tax_exempt,
        &customer.metadata,
        customer.created,
        customer.deleted_at,
        customer.version
    )?;
    if let Some(balance) = balance {
        balance::set(tx, who, &mut customer, balance, balance::Kind::Initial).await?;
    }
    offer::redeem(tx, who, &mut customer, discount).await?;
    announce(tx, who, None, Some(&customer), "customer.created").await?;
    Ok(customer)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, update: CustomerUpdate) -> Result<Customer> {
    let before = get(tx, who, id).await?;
    let mut customer = before.clone();
    let balance = update.balance;
    offer::redeem(tx, who, &mut customer, update.discount.clone()).await?;
    apply(tx, who, &mut customer, update).await?;
    if customer != before {
        save(tx, who, &mut customer).await?;
    }
    if let Some(balance) = balance {
        balance::set(tx, who, &mut customer, balance, balance::Kind::Adjustment).await?;
    }
    if customer == before {
        return Ok(customer);
    }
    announce(tx, who, Some(&before), Some(&customer), "customer.updated").await?;
    Ok(customer)
}

/// Deletes a customer: its subscriptions are canceled at once, its links and sessions end, its invoices stay.
pub async fn delete(tx: &mut Tx, who: &Actor, id: &str) -> Result<()> {
    let before = get(tx, who, id).await?;
    subscription::cancel::all_of(tx, who, id).await?;
    run!(
        tx,
        "update portal_session set revoked_ms = $3 where tenant = $1 and customer = $2 and revoked_ms is null",
        who.tenant.key,
        id,
        tx.now
    )?;
    let before = Customer { version: get(tx, who, id).await?.version, ..before };
    let mut gone = Customer { deleted_at: Some(tx.now.seconds()), external_id: None, ..before.clone() };
    save(tx, who, &mut gone).await?;
    announce(tx, who, Some(&before), None, "customer.deleted").await
}

async fn apply(tx: &mut Tx, who: &Actor, customer: &mut Customer, update: CustomerUpdate) -> Result<()> {
    if let Patch::Set(email) = &update.email {
        check_email(email, "email")?;
    }
    if let Patch::Set(address) = &update.address {
        check_address(address, "address")?;
    }
    if let Patch::Set(shipping) = &update.shipping {
        check_address(&shipping.address, "shipping[address]")?;
        check_text(&shipping.name, 256, "shipping[name]")?;
    }
    if let Patch::Set(method) = &update.default_payment_method {
        let method =
            payment_method::get(tx, who, method).await.map_err(|e| e.on("invoice_settings[default_payment_method]"))?;
        if method.customer.as_deref() != Some(&customer.id) {
            let message = "The customer does not have a payment method with that ID. The payment method must be attached to the customer first.";
            return Err(Error::Invalid {
                param: "invoice_settings[default_payment_method]".into(),
                code: "resource_missing",
                message: message.into(),
            });
        }
    }
    if let Patch::Set(external) = &update.external_id {
        unique::check_external_id(tx, who, external, &customer.id).await?;
    }
    update.external_id.apply(&mut customer.external_id);
    update.name.apply(&mut customer.name);
    update.email.apply(&mut customer.email);
    update.phone.apply(&mut customer.phone);
    update.description.apply(&mut customer.description);
    update.address.map(Json).apply(&mut customer.address);
    update.shipping.map(Json).apply(&mut customer.shipping);
    update.default_payment_method.apply(&mut customer.default_payment_method);
    update.custom_fields.apply(&mut customer.invoice_settings.0.custom_fields);
    update.footer.apply(&mut customer.invoice_settings.0.footer);
    update.preferred_locales.apply_or_default(&mut customer.preferred_locales.0);
    match update.tax_exempt {
        Patch::Set(exempt) => customer.tax_exempt = exempt,
        Patch::Clear => customer.tax_exempt = TaxExempt::None,
        Patch::Keep => {}
    }
    if let Some(prefix) = update.invoice_prefix {
        if !(3..=12).contains(&prefix.len()) || !prefix.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit()) {
            return Err(Error::invalid("invoice_prefix", "Must be 3 to 12 uppercase letters or numbers."));
        }
        unique::check_prefix(tx, who, &prefix, &customer.id).await?;
        customer.invoice_prefix = prefix;
    }
    if let Some(sequence) = update.next_invoice_sequence {
        if !(customer.next_invoice_sequence..=1_000_000_000).contains(&sequence) {
            return Err(Error::invalid("next_invoice_sequence", "Must not be lower than the current value."));
        }
        customer.next_invoice_sequence = sequence;
    }
    merge_metadata(&mut customer.metadata.0, update.metadata)?;
    check_text(customer.name.as_deref().unwrap_or_default(), 256, "name")?;
    check_text(customer.phone.as_deref().unwrap_or_default(), 20, "phone")?;
    check_text(customer.description.as_deref().unwrap_or_default(), 5000, "description")
}

/// Writes every field that changes; `Busy` if somebody else wrote first.
pub(crate) async fn save(tx: &mut Tx, who: &Actor, customer: &mut Customer) -> Result<()> {
    let saved = run!(
        tx,
        "update customer set external_id = $3, name = $4, email = $5, phone = $6, description = $7, address = $8, shipping = $9,
         currency = $10, default_payment_method = $11, delinquent = $12, invoice_prefix = $13, next_invoice_sequence = $14,
         invoice_settings = $15, preferred_locales = $16, tax_exempt = $17, metadata = $18, deleted_at = $19, version = version + 1
         where tenant = $1 and id = $2 and version = $20",
        who.tenant.key,
        &customer.id,
        &customer.external_id,
        &customer.name,
        &customer.email,
        &customer.phone,
        &customer.description,
        &customer.address,
        &customer.shipping,
        &customer.currency,
        &customer.default_payment_method,
        customer.delinquent,
        &customer.invoice_prefix,
        customer.next_invoice_sequence,
        &customer.invoice_settings,
        &customer.preferred_locales,
        customer.tax_exempt,
        &customer.metadata,
        customer.deleted_at,
        customer.version
    )?;
    customer.version += 1;
    if saved == 1 { Ok(()) } else { Err(Error::Busy) }
}

pub(crate) async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&Customer>,
    after: Option<&Customer>,
    action: &'static str,
) -> Result<()> {
    let id = after.or(before).map(|c| c.id.clone()).unwrap_or_default();
    let render = |customer: &Customer| wire::customer(&who.tenant, customer);
    let change = Change {
        object: "customer",
        id: &id,
        customer: Some(&id),
        before: before.map(render),
        after: after.map(render),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}

/// The customer's billing clock: its test clock's time, or the wall's.
pub async fn now(tx: &mut Tx, who: &Actor, customer: &Customer) -> Result<Seconds> {
    if let Some(at) = tx.frozen() {
        return Ok(at);
    }
    let Some(clock) = &customer.clock_id else { return Ok(tx.now.seconds()) };
    let (frozen,): (Seconds,) =
        one!(tx, "select frozen_time from test_clock where tenant = $1 and id = $2", who.tenant.key, clock)?;
    Ok(frozen)
}
