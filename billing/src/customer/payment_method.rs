//! Payment methods: what may be shown of a card, mandate or account, and the gateway's name for it.

pub mod mandate;
pub mod update;

use serde::{Deserialize, Serialize};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, Address, Customer};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::Metadata;
use crate::period::add_months;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::{id, subscription, wire};

text_enum!(MethodType { Card = "card", SepaDebit = "sepa_debit", UsBankAccount = "us_bank_account", MobileMoney = "mobile_money" });

/// What may be shown; never a number.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Details {
    /// `visa`, `mastercard`, …; a bank or operator for the other types.
    pub brand: String,
    pub last4: String,
    pub exp_month: Option<i64>,
    pub exp_year: Option<i64>,
    pub country: Option<String>,
    pub funding: Option<String>,
}

impl Details {
    /// The first instant at which a card is no longer good: its month is over. Other methods do not end.
    pub fn ends(&self) -> Option<Seconds> {
        let months = (self.exp_year? - 1970).checked_mul(12)?.checked_add(self.exp_month?)?;
        add_months(Seconds(0), months).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BillingDetails {
    pub address: Address,
    pub email: Option<String>,
    pub name: Option<String>,
    pub phone: Option<String>,
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct PaymentMethod {
    pub id: String,
    pub customer: Option<String>,
    pub r#type: MethodType,
    pub details: Json<Details>,
    pub billing_details: Json<BillingDetails>,
    pub fingerprint: String,
    /// The method in the gateway's own terms; for the sandbox the behaviour it was made with.
    pub gateway_ref: String,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub detached_at: Option<Seconds>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, customer, type, details, billing_details, fingerprint, gateway_ref, metadata, created, detached_at, version"
    };
}

/// A method as a gateway describes it when it is first stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewMethod {
    pub r#type: MethodType,
    pub details: Details,
    pub billing_details: BillingDetails,
    pub fingerprint: String,
    pub gateway_ref: String,
}

/// A method that is attached to somebody this caller may see.
pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<PaymentMethod> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from payment_method where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("payment_method", id))
}

/// The same of one that was attached once: for what it paid, which the caller may see.
pub(crate) async fn get_or_detached(tx: &mut Tx, who: &Actor, id: &str) -> Result<PaymentMethod> {
    maybe!(
        tx,
        concat!("select ", columns!(), " from payment_method where tenant = $1 and id = $2"),
        who.tenant.key,
        id
    )?
    .ok_or_else(|| Error::missing("payment_method", id))
}

pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    customer: &str,
    page: &Page,
    kind: Option<MethodType>,
) -> Result<Listed<PaymentMethod>> {
    customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    page!(
        tx,
        who,
        page,
        "payment_method" if "customer = $3",
        columns!(),
        "customer = $7 and (cast($8 as text) is null or type = $8)",
        customer,
        kind.map(MethodType::name)
    )
}

/// Stores a new method for a customer. Its number never came this way.
pub async fn attach(tx: &mut Tx, who: &Actor, customer: &str, new: NewMethod) -> Result<PaymentMethod> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    let method = PaymentMethod {
        id: id::new("pm", tx.now),
        customer: Some(customer.id),
        r#type: new.r#type,
        details: Json(new.details),
        billing_details: Json(new.billing_details),
        fingerprint: new.fingerprint,
        gateway_ref: new.gateway_ref,
        metadata: Json::default(),
        created: tx.now.seconds(),
        detached_at: None,
        version: 1,
    };
    run!(
        tx,
        concat!(
            "insert into payment_method (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        who.tenant.key,
        &method.id,
        &method.customer,
        method.r#type,
        &method.details,
        &method.billing_details,
        &method.fingerprint,
        &method.gateway_ref,
        &method.metadata,
        method.created,
        method.detached_at,
        method.version
    )?;
    mandate::give(tx, who, &method).await?;
    announce(tx, who, None, &method, "payment_method.attached").await?;
    Ok(method)
}

/// Takes a method from its customer for good, and out of every place that would charge it.
pub async fn detach(tx: &mut Tx, who: &Actor, id: &str) -> Result<PaymentMethod> {
    let before = get(tx, who, id).await?;
    let Some(owner) = before.customer.clone() else {
        let message = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(Error::Invalid {
            param: "payment_method".into(),
            code: "payment_method_unexpected_state",
            message: message.into(),
        });
    };
    let customer: Customer = customer::get(tx, who, &owner).await?;
    if customer.default_payment_method.as_deref() == Some(id) {
        let mut without = Customer { default_payment_method: None, ..customer.clone() };
        customer::save(tx, who, &mut without).await?;
        customer::announce(tx, who, Some(&customer), Some(&without), "customer.updated").await?;
    }
    subscription::update::forget_method(tx, who, &owner, id).await?;
    let method = PaymentMethod {
        customer: None,
        detached_at: Some(tx.now.seconds()),
        version: before.version + 1,
        ..before.clone()
    };
    let saved = run!(
        tx,
        "update payment_method set customer = null, detached_at = $3, version = version + 1 where tenant = $1 and id = $2 and version = $4",
        who.tenant.key,
        id,
        method.detached_at,
        before.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    mandate::end(tx, who, id).await?;
    announce(tx, who, Some(&before), &method, "payment_method.detached").await?;
    Ok(method)
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&PaymentMethod>,
    method: &PaymentMethod,
    action: &'static str,
) -> Result<()> {
    let render = |method: &PaymentMethod| wire::payment_method(&who.tenant, method);
    let customer = method.customer.clone().or_else(|| before.and_then(|b| b.customer.clone()));
    let change = Change {
        object: "payment_method",
        id: &method.id,
        customer: customer.as_deref(),
        before: before.map(render),
        after: Some(render(method)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}

/// A method that is attached to this customer.
pub async fn of_customer(tx: &mut Tx, who: &Actor, customer: &str, id: &str) -> Result<PaymentMethod> {
    let method = get(tx, who, id).await?;
    if method.customer.as_deref() == Some(customer) { Ok(method) } else { Err(Error::missing("payment_method", id)) }
}
