//! The lines of credit notes: shares of an invoice's lines, and amounts of their own.

use serde_json::Value;

use super::part::Part;
use crate::actor::Actor;
use crate::decimal::Decimal;
use crate::error::Result;
use crate::store::{Json, Tx, all, run};

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct NoteLine {
    pub id: String,
    pub credit_note: String,
    pub position: i64,
    /// The line that it credits; `None` for an amount of its own.
    pub invoice_line: Option<String>,
    pub description: Option<String>,
    pub quantity: Option<i64>,
    /// What one of an amount of its own costs, in minor units.
    pub unit_amount: Option<Decimal>,
    /// Before discounts and exclusive tax.
    pub amount: i64,
    pub discount: i64,
    /// In the shape and order of the invoice's line.
    pub discount_amounts: Json<Value>,
    pub tax: i64,
    /// Likewise.
    pub taxes: Json<Value>,
}

macro_rules! columns {
    () => {
        "id, credit_note, position, invoice_line, description, quantity, unit_amount, amount, discount, discount_amounts, tax, taxes"
    };
}

impl NoteLine {
    pub fn part(&self) -> Part {
        Part::read(self.amount, &self.discount_amounts, &self.taxes)
    }
}

pub(super) async fn all(tx: &mut Tx, who: &Actor, note: &str) -> Result<Vec<NoteLine>> {
    all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from credit_note_line where tenant = $1 and credit_note = $2 order by position"
        ),
        who.tenant.key,
        note
    )
}

/// Every line of the notes that stand against an invoice.
pub(super) async fn standing(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Vec<NoteLine>> {
    all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from credit_note_line where tenant = $1 and credit_note in (
                select id from credit_note n where n.tenant = $1 and n.invoice = $2 and n.status = 'issued')"
        ),
        who.tenant.key,
        invoice
    )
}

pub(super) async fn insert(tx: &mut Tx, who: &Actor, line: &NoteLine) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into credit_note_line (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        ),
        who.tenant.key,
        &line.id,
        &line.credit_note,
        line.position,
        &line.invoice_line,
        &line.description,
        line.quantity,
        line.unit_amount,
        line.amount,
        line.discount,
        &line.discount_amounts,
        line.tax,
        &line.taxes
    )?;
    Ok(())
}
