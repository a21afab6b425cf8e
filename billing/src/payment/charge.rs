//! Charges: each attempt to get the money of an invoice, as it stands.

use super::Attempt;
use crate::actor::{Actor, Tenant};
use crate::clock::Seconds;
use crate::customer::payment_method::{self, PaymentMethod};
use crate::document;
use crate::error::{Error, Result};
use crate::gateway::{self, Outcome};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::store::{Tx, maybe, run};
use crate::text_enum::text_enum;

text_enum!(
    /// In the order in which an attempt may pass them; it never goes back.
    AttemptStatus {
        Processing = "processing",
        Unknown = "unknown",
        RequiresAction = "requires_action",
        Declined = "declined",
        Succeeded = "succeeded",
    }
);

impl AttemptStatus {
    const fn rank(self) -> u8 {
        match self {
            Self::Processing => 0,
            Self::Unknown => 1,
            Self::RequiresAction => 2,
            Self::Declined => 3,
            Self::Succeeded => 4,
        }
    }

    /// Whether this is later than `other`. What is said of a decline may be mended: the money came after all.
    pub fn is_after(self, other: Self) -> bool {
        self.rank() > other.rank()
    }

    /// Whether the gateway has not said yet how it ended.
    pub fn is_open(self) -> bool {
        !self.is_after(Self::Unknown)
    }
}

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct Charge {
    pub id: String,
    pub payment_intent: String,
    pub invoice: String,
    /// The first attempt of an invoice is number 1.
    pub number: i64,
    /// Whether time asked for it, and nobody else.
    pub scheduled: bool,
    pub customer: String,
    pub payment_method: String,
    pub amount: i64,
    pub currency: Currency,
    pub status: AttemptStatus,
    pub decline_code: Option<String>,
    /// The gateway's own name for it.
    pub gateway_ref: Option<String>,
    pub amount_refunded: i64,
    /// How often the gateway was asked again what became of it.
    pub lookups: i64,
    pub created: Seconds,
    pub version: i64,
    /// The leave that it was debited by.
    pub mandate: Option<String>,
    /// What was charged.
    #[sqlx(skip)]
    pub method: Option<PaymentMethod>,
    /// The link of its receipt, once it has succeeded.
    #[sqlx(skip)]
    pub receipt_url: Option<String>,
}

macro_rules! columns {
    () => {
        "id, payment_intent, invoice, number, scheduled, customer, payment_method, amount, currency, status, decline_code, gateway_ref, \
         amount_refunded, lookups, created, version, (select m.id from mandate m where m.tenant = payment_attempt.tenant \
         and m.payment_method = payment_attempt.payment_method) as mandate"
    };
}

/// What no later attempt with the same method changes (docs.stripe.com/billing/revenue-recovery/smart-retries).
const HARD: &[&str] = &[
    "authentication_required",
    "highest_risk_level",
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "transaction_not_allowed",
];

impl Charge {
    /// Whether the same method need not be asked again: it was refused for good, or waits for the customer.
    pub(crate) fn is_final(&self) -> bool {
        self.status == AttemptStatus::RequiresAction
            || self.decline_code.as_deref().is_some_and(|code| HARD.contains(&code))
    }

    /// Whether the customer is still to confirm just this.
    pub(super) fn waits_for(&self, method: &str, amount: i64) -> bool {
        self.status == AttemptStatus::RequiresAction && self.payment_method == method && self.amount == amount
    }

    /// The question as it was put to the gateway, to be put again: asked twice, it charges once.
    pub(super) async fn question(&self, tx: &mut Tx, who: &Actor) -> Result<Attempt> {
        let method = payment_method::get_or_detached(tx, who, &self.payment_method).await?;
        let charge = gateway::Charge {
            key: key(&who.tenant, &self.invoice, self.number),
            method: method.gateway_ref,
            amount: self.amount,
            currency: self.currency.clone(),
        };
        Ok(Attempt { id: self.id.clone(), invoice: self.invoice.clone(), charge })
    }
}

/// Stripe's code and words for a decline (docs.stripe.com/declines/codes).
pub fn refusal(decline_code: &str) -> (&'static str, &'static str) {
    match decline_code {
        "insufficient_funds" => ("card_declined", "Your card has insufficient funds."),
        "expired_card" => ("expired_card", "Your card has expired."),
        "incorrect_cvc" => ("incorrect_cvc", "Your card's security code is incorrect."),
        "processing_error" => {
            ("processing_error", "An error occurred while processing your card. Try again in a little bit.")
        }
        "authentication_required" => {
            ("authentication_required", "Your card was declined. This transaction requires authentication.")
        }
        _ => ("card_declined", "Your card was declined."),
    }
}

/// The natural key of an attempt, unique for ever.
pub(crate) fn key(tenant: &Tenant, invoice: &str, number: i64) -> String {
    format!("{}/{invoice}/{number}", tenant.key)
}

/// What [`key`] was made of: the tenant's key, the invoice, the number.
pub(super) fn read_key(key: &str) -> Option<(i64, &str, i64)> {
    let (tenant, rest) = key.split_once('/')?;
    let (invoice, number) = rest.split_once('/')?;
    Some((tenant.parse().ok()?, invoice, number.parse().ok()?))
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Charge> {
    let mut charge: Charge = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from payment_attempt where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("charge", id))?;
    charge.method = Some(payment_method::get_or_detached(tx, who, &charge.payment_method).await?);
    charge.receipt_url = receipt_url(tx, who, &charge);
    Ok(charge)
}

/// Which charges to list; an empty filter lists them all.
#[derive(Debug, Clone, Default)]
pub struct ChargeFilter {
    pub customer: Option<String>,
    pub payment_intent: Option<String>,
}

/// Newest first.
pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &ChargeFilter) -> Result<Listed<Charge>> {
    let found: Result<Listed<Charge>> = page!(
        tx,
        who,
        page,
        "payment_attempt" if "customer = $3",
        columns!(),
        "(cast($7 as text) is null or customer = $7) and (cast($8 as text) is null or payment_intent = $8)",
        who.customer().or(filter.customer.as_deref()),
        filter.payment_intent
    );
    let mut listed = found?;
    // Most attempts in a row are of one method.
    let mut last: Option<PaymentMethod> = None;
    for charge in &mut listed.data {
        if last.as_ref().is_none_or(|method| method.id != charge.payment_method) {
            last = Some(payment_method::get_or_detached(tx, who, &charge.payment_method).await?);
        }
        charge.method.clone_from(&last);
        charge.receipt_url = receipt_url(tx, who, charge);
    }
    Ok(listed)
}

fn receipt_url(tx: &Tx, who: &Actor, charge: &Charge) -> Option<String> {
    let is_paid = charge.status == AttemptStatus::Succeeded;
    if is_paid { document::url(tx, &who.tenant, &charge.id) } else { None }
}

pub(super) async fn numbered(tx: &mut Tx, who: &Actor, invoice: &str, number: i64) -> Result<Option<Charge>> {
    maybe!(
        tx,
        concat!("select ", columns!(), " from payment_attempt where tenant = $1 and invoice = $2 and number = $3"),
        who.tenant.key,
        invoice,
        number
    )
}

/// The latest attempt at an invoice.
pub async fn last(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Option<Charge>> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from payment_attempt where tenant = $1 and invoice = $2 order by number desc limit 1"
        ),
        who.tenant.key,
        invoice
    )
}

/// Moves an attempt on to what the gateway said of it; `None` where that is no news.
pub(super) async fn settle(
    tx: &mut Tx,
    who: &Actor,
    before: &Charge,
    outcome: &Outcome,
) -> Result<Option<AttemptStatus>> {
    let (status, code, reference) = match outcome {
        Outcome::Succeeded { reference } => (AttemptStatus::Succeeded, None, Some(reference)),
        Outcome::Declined { reference, code } => (AttemptStatus::Declined, Some(code), Some(reference)),
        Outcome::RequiresAction { reference } => (AttemptStatus::RequiresAction, None, Some(reference)),
        Outcome::Unknown => (AttemptStatus::Unknown, None, None),
    };
    if !status.is_after(before.status) {
        return Ok(None);
    }
    let moved = run!(
        tx,
        "update payment_attempt set status = $3, decline_code = $4, gateway_ref = $5, settled_at = $6,
         next_lookup_ms = case when $3 = 'unknown' then next_lookup_ms end, version = version + 1
         where tenant = $1 and id = $2 and version = $7",
        who.tenant.key,
        &before.id,
        status,
        code,
        reference,
        (!status.is_open()).then_some(tx.now.seconds()),
        before.version
    )?;
    if moved == 1 { Ok(Some(status)) } else { Err(Error::Busy) }
}
