//! The customer's credit balance: one ledger per currency, written in one place. Negative amounts are in the customer's
//! favour (Stripe's sign).

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::{self, Customer};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::{Currency, bounded};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, one, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

text_enum!(
    /// Why the balance changed (Stripe's words; those that happen here).
    Kind {
        Adjustment = "adjustment",
        AppliedToInvoice = "applied_to_invoice",
        CreditNote = "credit_note",
        Initial = "initial",
        InvoiceOverpaid = "invoice_overpaid",
        InvoiceTooLarge = "invoice_too_large",
        InvoiceTooSmall = "invoice_too_small",
        UnappliedFromInvoice = "unapplied_from_invoice",
    }
);

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct BalanceTransaction {
    pub id: String,
    pub customer: String,
    pub currency: Currency,
    /// What was added to the balance, in minor units.
    pub amount: i64,
    /// What it was then.
    pub ending_balance: i64,
    pub r#type: Kind,
    pub invoice: Option<String>,
    pub credit_note: Option<String>,
    pub description: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
}

macro_rules! columns {
    () => {
        "id, customer, currency, amount, ending_balance, type, invoice, credit_note, description, metadata, created"
    };
}

/// What is about to be written to the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Posting<'a> {
    pub currency: &'a Currency,
    pub amount: i64,
    pub kind: Kind,
    pub invoice: Option<&'a str>,
    pub credit_note: Option<&'a str>,
}

/// A change of the balance that the merchant makes by hand.
#[derive(Debug, Clone)]
pub struct Adjustment {
    pub amount: i64,
    pub currency: Currency,
    pub description: Patch<String>,
    pub metadata: MetadataPatch,
}

/// A customer's balance in one currency.
pub async fn of(tx: &mut Tx, who: &Actor, customer: &str, currency: &Currency) -> Result<i64> {
    let found: Option<(i64,)> = maybe!(
        tx,
        "select amount from customer_balance where tenant = $1 and customer = $2 and currency = $3",
        who.tenant.key,
        who.customer().unwrap_or(customer),
        currency
    )?;
    Ok(found.map_or(0, |(amount,)| amount))
}

/// A transaction of this customer.
pub async fn get(tx: &mut Tx, who: &Actor, customer: &str, id: &str) -> Result<BalanceTransaction> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    maybe!(
        tx,
        concat!("select ", columns!(), " from balance_transaction where tenant = $1 and id = $2 and customer = $3"),
        who.tenant.key,
        id,
        customer.id
    )?
    .ok_or_else(|| Error::missing("customer_balance_transaction", id))
}

/// A transaction by its id alone.
pub async fn find(tx: &mut Tx, who: &Actor, id: &str) -> Result<BalanceTransaction> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from balance_transaction where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("customer_balance_transaction", id))
}

/// A customer's transactions, newest first; of one invoice where one is named.
pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    customer: &str,
    page: &Page,
    invoice: Option<&str>,
) -> Result<Listed<BalanceTransaction>> {
    let customer = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    page!(
        tx,
        who,
        page,
        "balance_transaction" if "customer = $3",
        columns!(),
        "customer = $7 and (cast($8 as text) is null or invoice = $8)",
        customer.id,
        invoice
    )
}

/// Gives a customer credit (a negative amount), or takes it.
pub async fn adjust(tx: &mut Tx, who: &Actor, customer: &str, new: Adjustment) -> Result<BalanceTransaction> {
    let before = customer::get(tx, who, customer).await.map_err(|e| e.on("customer"))?;
    bounded(new.amount.into(), "amount")?;
    if new.amount == 0 {
        return Err(Error::invalid("amount", "Invalid amount: must not be zero."));
    }
    let (mut description, mut metadata) = (None, Metadata::new());
    new.description.apply(&mut description);
    check_text(description.as_deref().unwrap_or_default(), 350, "description")?;
    merge_metadata(&mut metadata, new.metadata)?;
    let mut customer = before.clone();
    let posting = Posting {
        currency: &new.currency,
        amount: new.amount,
        kind: Kind::Adjustment,
        invoice: None,
        credit_note: None,
    };
    let made = enter(tx, who, &mut customer, posting, description, metadata).await?;
    customer::announce(tx, who, Some(&before), Some(&customer), "customer.updated").await?;
    Ok(made)
}

/// Changes what is written beside a transaction; its amount stands for ever.
pub async fn update(
    tx: &mut Tx,
    who: &Actor,
    customer: &str,
    id: &str,
    (description, metadata): (Patch<String>, MetadataPatch),
) -> Result<BalanceTransaction> {
    let before = get(tx, who, customer, id).await?;
    let mut after = before.clone();
    description.apply(&mut after.description);
    check_text(after.description.as_deref().unwrap_or_default(), 350, "description")?;
    merge_metadata(&mut after.metadata.0, metadata)?;
    if after == before {
        return Ok(after);
    }
    run!(
        tx,
        "update balance_transaction set description = $3, metadata = $4 where tenant = $1 and id = $2",
        who.tenant.key,
        id,
        &after.description,
        &after.metadata
    )?;
    announce(tx, who, Some(&before), &after, "customer_balance_transaction.updated").await?;
    Ok(after)
}

/// Changes the balance for what happened to an invoice or a credit note, and tells of the customer. Answers the
/// transaction's id.
pub(crate) async fn post(tx: &mut Tx, who: &Actor, customer: &mut Customer, posting: Posting<'_>) -> Result<String> {
    let before = customer.clone();
    let made = enter(tx, who, customer, posting, None, Metadata::new()).await?;
    customer::announce(tx, who, Some(&before), Some(customer), "customer.updated").await?;
    Ok(made.id)
}

/// Brings the balance in the customer's currency to what a new or changed customer is said to have.
pub(crate) async fn set(tx: &mut Tx, who: &Actor, customer: &mut Customer, wanted: i64, kind: Kind) -> Result<()> {
    bounded(wanted.into(), "balance")?;
    if wanted == customer.balance {
        return Ok(());
    }
    let currency = match customer.currency.clone() {
        Some(currency) => currency,
        None => crate::directory::account(tx, who).await?.default_currency,
    };
    let amount = wanted - of(tx, who, &customer.id, &currency).await?;
    let posting = Posting { currency: &currency, amount, kind, invoice: None, credit_note: None };
    enter(tx, who, customer, posting, None, Metadata::new()).await.map(drop)
}

/// The one place that writes the ledger. A customer without a currency has this one from then on.
async fn enter(
    tx: &mut Tx,
    who: &Actor,
    customer: &mut Customer,
    posting: Posting<'_>,
    description: Option<String>,
    metadata: Metadata,
) -> Result<BalanceTransaction> {
    let (ending_balance,): (i64,) = one!(
        tx,
        "insert into customer_balance (tenant, customer, currency, amount) values ($1, $2, $3, $4)
         on conflict (tenant, customer, currency) do update set amount = customer_balance.amount + excluded.amount returning amount",
        who.tenant.key,
        &customer.id,
        posting.currency,
        posting.amount
    )?;
    if customer.currency.is_none() {
        customer.currency = Some(posting.currency.clone());
        customer::save(tx, who, customer).await?;
    }
    if customer.currency.as_ref() == Some(posting.currency) {
        customer.balance = ending_balance;
    }
    let made = BalanceTransaction {
        id: id::new("cbtxn", tx.now),
        customer: customer.id.clone(),
        currency: posting.currency.clone(),
        amount: posting.amount,
        ending_balance,
        r#type: posting.kind,
        invoice: posting.invoice.map(str::to_owned),
        credit_note: posting.credit_note.map(str::to_owned),
        description,
        metadata: Json(metadata),
        created: customer::now(tx, who, customer).await?,
    };
    insert(tx, who, &made).await?;
    announce(tx, who, None, &made, "customer_balance_transaction.created").await?;
    Ok(made)
}

async fn insert(tx: &mut Tx, who: &Actor, t: &BalanceTransaction) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into balance_transaction (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
        ),
        who.tenant.key,
        &t.id,
        &t.customer,
        &t.currency,
        t.amount,
        t.ending_balance,
        t.r#type,
        &t.invoice,
        &t.credit_note,
        &t.description,
        &t.metadata,
        t.created
    )?;
    Ok(())
}

/// For the audit log; the world hears of the customer.
async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&BalanceTransaction>,
    after: &BalanceTransaction,
    action: &'static str,
) -> Result<()> {
    let render = |t: &BalanceTransaction| wire::balance_transaction(&who.tenant, t);
    let change = Change {
        object: "customer_balance_transaction",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[],
    };
    record(tx, who, change).await
}
