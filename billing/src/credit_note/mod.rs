//! Credit notes: what of a finalised invoice is not owed after all, or is given back.

pub mod compose;
mod issue;
mod line;
pub mod part;

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::document;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::money::Currency;
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, Patch, check_text, merge_metadata};
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::wire;

pub use compose::{NewCreditNote, NewNoteLine, What, preview};
pub use issue::{create, void};
pub use line::NoteLine;

text_enum!(Status { Issued = "issued", Void = "void" });
text_enum!(
    /// Whether it lowers what is still to be paid, gives back what was paid, or both.
    Type { PrePayment = "pre_payment", PostPayment = "post_payment", Mixed = "mixed" }
);
text_enum!(Reason {
    Duplicate = "duplicate",
    Fraudulent = "fraudulent",
    OrderChange = "order_change",
    ProductUnsatisfactory = "product_unsatisfactory",
});

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct CreditNote {
    pub id: String,
    pub customer: String,
    pub invoice: String,
    pub number: String,
    pub status: Status,
    pub r#type: Type,
    pub reason: Option<Reason>,
    pub memo: Option<String>,
    pub currency: Currency,
    /// Sum of the lines before discounts and exclusive tax.
    pub subtotal: i64,
    pub discount: i64,
    /// Exclusive and inclusive together.
    pub tax: i64,
    pub total: i64,
    /// What is given back of what was paid, by refund, to the balance, and in ways that are not seen here. The rest
    /// lowers what is due.
    pub refunded: i64,
    pub credited: i64,
    pub out_of_band: i64,
    pub refund: Option<String>,
    pub balance_transaction: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub voided_at: Option<Seconds>,
    #[sqlx(skip)]
    pub lines: Vec<NoteLine>,
    /// The link of its document.
    #[sqlx(skip)]
    pub pdf: Option<String>,
}

macro_rules! columns {
    () => {
        "id, customer, invoice, number, status, type, reason, memo, currency, subtotal, discount, tax, total, refunded, credited, \
         out_of_band, refund, balance_transaction, metadata, created, voided_at"
    };
}
pub(crate) use columns;

impl CreditNote {
    /// What it gives back of what was paid.
    pub fn post_payment(&self) -> i64 {
        self.refunded + self.credited + self.out_of_band
    }

    /// What it takes off the amount due.
    pub fn pre_payment(&self) -> i64 {
        self.total - self.post_payment()
    }
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<CreditNote> {
    let mut note: CreditNote = maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from credit_note where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("credit_note", id))?;
    note.lines = line::all(tx, who, &note.id).await?;
    note.pdf = document::url(tx, &who.tenant, &note.id);
    Ok(note)
}

/// Newest first, of one customer or one invoice where they are named.
pub async fn list(
    tx: &mut Tx,
    who: &Actor,
    page: &Page,
    (customer, invoice): (Option<&str>, Option<&str>),
) -> Result<Listed<CreditNote>> {
    let listed: Result<Listed<CreditNote>> = page!(
        tx,
        who,
        page,
        "credit_note" if "customer = $3",
        columns!(),
        "(cast($7 as text) is null or customer = $7) and (cast($8 as text) is null or invoice = $8)",
        who.customer().or(customer),
        invoice
    );
    let mut listed = listed?;
    for note in &mut listed.data {
        note.lines = line::all(tx, who, &note.id).await?;
        note.pdf = document::url(tx, &who.tenant, &note.id);
    }
    Ok(listed)
}

/// Changes what is written beside a note; its amounts stand.
pub async fn update(
    tx: &mut Tx,
    who: &Actor,
    id: &str,
    (memo, metadata): (Patch<String>, MetadataPatch),
) -> Result<CreditNote> {
    let before = get(tx, who, id).await?;
    let mut after = before.clone();
    memo.apply(&mut after.memo);
    check_memo(after.memo.as_deref())?;
    merge_metadata(&mut after.metadata.0, metadata)?;
    if after == before {
        return Ok(after);
    }
    run!(
        tx,
        "update credit_note set memo = $3, metadata = $4 where tenant = $1 and id = $2",
        who.tenant.key,
        id,
        &after.memo,
        &after.metadata
    )?;
    announce(tx, who, Some(&before), &after, "credit_note.updated").await?;
    Ok(after)
}

fn check_memo(memo: Option<&str>) -> Result<()> {
    check_text(memo.unwrap_or_default(), 500, "memo")
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&CreditNote>,
    after: &CreditNote,
    action: &'static str,
) -> Result<()> {
    let render = |note: &CreditNote| wire::credit_note(&who.tenant, note);
    let change = Change {
        object: "credit_note",
        id: &after.id,
        customer: Some(&after.customer),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
