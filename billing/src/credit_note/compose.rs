//! The one computation of a credit note: what it says before it is issued. It only reads, so that a preview and the note
//! are the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::part::{Part, spread};
use super::{CreditNote, NoteLine, Reason, Status, Type, check_memo, line};
use crate::actor::Actor;
use crate::catalog::Cost;
use crate::customer;
use crate::decimal::Decimal;
use crate::error::{Error, Result};
use crate::invoice::{self, Invoice, Line};
use crate::money::{bounded, round_ratio};
use crate::patch::{Metadata, MetadataPatch, check_text, merge_metadata};
use crate::refund;
use crate::store::{Json, Tx};
use crate::wire;

/// What is to be credited, and how what was paid is given back.
#[derive(Debug, Clone)]
pub struct NewCreditNote {
    pub invoice: String,
    pub what: What,
    pub refund_amount: Option<i64>,
    pub credit_amount: Option<i64>,
    pub out_of_band_amount: Option<i64>,
    pub reason: Option<Reason>,
    pub memo: Option<String>,
    pub metadata: MetadataPatch,
}

#[derive(Debug, Clone)]
pub enum What {
    /// In all, with tax: of every line its share.
    Amount(i64),
    Lines(Vec<NewNoteLine>),
}

#[derive(Debug, Clone)]
pub enum NewNoteLine {
    /// Part of a line of the invoice: of its amount before discounts and exclusive tax, or so many of its units.
    OfInvoice { line: String, amount: Option<i64>, quantity: Option<i64>, description: Option<String> },
    /// An amount of its own, without tax.
    Custom { description: String, quantity: i64, unit_amount: Decimal },
}

/// The lines of an invoice with what notes have left of each.
struct Ledger {
    lines: Vec<(Line, Part)>,
    /// Units of each line that notes have credited by quantity.
    units: BTreeMap<String, i64>,
}

/// What a note would say.
pub async fn preview(tx: &mut Tx, who: &Actor, new: NewCreditNote) -> Result<CreditNote> {
    Ok(compose(tx, who, new).await?.0)
}

/// The note, without id and number, and its invoice as it is.
pub(super) async fn compose(tx: &mut Tx, who: &Actor, new: NewCreditNote) -> Result<(CreditNote, Invoice)> {
    let invoice = invoice::get(tx, who, &new.invoice).await.map_err(|e| e.on("invoice"))?;
    if matches!(invoice.status, invoice::Status::Draft | invoice::Status::Void) {
        let message = format!(
            "Credit notes can be issued for open, paid and uncollectible invoices; this one is {}.",
            invoice.status.name()
        );
        return Err(Error::Invalid { param: "invoice".into(), code: "invoice_not_creditable", message });
    }
    check_memo(new.memo.as_deref())?;
    let ledger = Ledger::read(tx, who, &invoice).await?;
    let lines = match &new.what {
        What::Amount(amount) => ledger.by_total(*amount)?,
        What::Lines(lines) => ledger.by_lines(lines)?,
    };
    let total: i64 = lines.iter().map(|line| line.part().total()).sum();
    check_room(tx, who, &invoice, total).await?;
    let customer = customer::get_or_deleted(tx, who, &invoice.customer).await?;
    let mut note = CreditNote {
        id: String::new(),
        customer: invoice.customer.clone(),
        invoice: invoice.id.clone(),
        number: String::new(),
        status: Status::Issued,
        r#type: Type::PrePayment,
        reason: new.reason,
        memo: new.memo.clone(),
        currency: invoice.currency.clone(),
        subtotal: lines.iter().map(|line| line.amount).sum(),
        discount: lines.iter().map(|line| line.discount).sum(),
        tax: lines.iter().map(|line| line.tax).sum(),
        total,
        refunded: amount(new.refund_amount, "refund_amount")?,
        credited: amount(new.credit_amount, "credit_amount")?,
        out_of_band: amount(new.out_of_band_amount, "out_of_band_amount")?,
        refund: None,
        balance_transaction: None,
        metadata: Json(Metadata::new()),
        created: customer::now(tx, who, &customer).await?,
        voided_at: None,
        lines,
        pdf: None,
    };
    merge_metadata(&mut note.metadata.0, new.metadata)?;
    divide(&mut note, invoice.amount_remaining())?;
    Ok((note, invoice))
}

fn amount(given: Option<i64>, param: &str) -> Result<i64> {
    match given.unwrap_or_default() {
        amount if amount < 0 => Err(Error::invalid(param, "Invalid non-negative integer")),
        amount => bounded(amount.into(), param),
    }
}

/// First it lowers what is still to be paid; what is more must be given back in the ways that are named.
fn divide(note: &mut CreditNote, remaining: i64) -> Result<()> {
    let post = note.total - note.total.min(remaining);
    if note.post_payment() != post {
        let message = format!(
            "The sum of credit amount, refund amount and out of band amount ({}) must equal the post payment credit note amount ({post}).",
            note.post_payment()
        );
        let named = [(note.refunded, "refund_amount"), (note.out_of_band, "out_of_band_amount")];
        let param = named.iter().find(|(amount, _)| *amount > 0).map_or("credit_amount", |(_, param)| param);
        return Err(Error::invalid(param, message));
    }
    note.r#type = match (post, note.pre_payment()) {
        (0, _) => Type::PrePayment,
        (_, 0) => Type::PostPayment,
        _ => Type::Mixed,
    };
    Ok(())
}

/// Never above the invoice: with the notes that stand and what was refunded without one.
async fn check_room(tx: &mut Tx, who: &Actor, invoice: &Invoice, total: i64) -> Result<()> {
    let refunded = refund::beside_notes(tx, who, &invoice.id).await?;
    let room = invoice.total - invoice.credit_notes() - refunded;
    if total <= 0 {
        return Err(Error::invalid("amount", "A credit note must be over more than 0."));
    }
    if total > room {
        let message = format!("The credit note is over {total}, and only {room} of its invoice can still be credited.");
        return Err(Error::invalid("amount", message));
    }
    Ok(())
}

impl Ledger {
    async fn read(tx: &mut Tx, who: &Actor, invoice: &Invoice) -> Result<Self> {
        let standing = line::standing(tx, who, &invoice.id).await?;
        let mut units = BTreeMap::new();
        for note in &standing {
            if let (Some(line), Some(quantity)) = (&note.invoice_line, note.quantity) {
                *units.entry(line.clone()).or_default() += quantity;
            }
        }
        let lines = invoice.lines.iter().map(|line| {
            let mine = standing.iter().filter(|note| note.invoice_line.as_ref() == Some(&line.id));
            (line.clone(), mine.fold(Part::of(line), |left, note| left.less(&note.part())))
        });
        Ok(Self { lines: lines.collect(), units })
    }

    /// Each line's share of a total; lines that give back themselves are credited only with all the rest.
    fn by_total(&self, total: i64) -> Result<Vec<NoteLine>> {
        let left: Vec<i64> = self.lines.iter().map(|(_, left)| left.total()).collect();
        if total == left.iter().sum::<i64>() {
            let rest = self.lines.iter().filter(|(_, left)| left.amount != 0);
            return Ok(rest.map(|(line, left)| note_line(line, left.clone(), None, None)).collect());
        }
        let room: i64 = left.iter().filter(|left| **left > 0).sum();
        if !(1..=room).contains(&total) {
            return Err(Error::invalid(
                "amount",
                format!("Invalid amount: {total}; from 1 to {room} can be credited."),
            ));
        }
        let shares = spread(total, &left).into_iter().zip(&self.lines).filter(|(share, _)| *share > 0);
        let each =
            shares.map(|(share, (line, left))| note_line(line, Part::of(line).share_of_total(left, share), None, None));
        Ok(each.collect())
    }

    fn by_lines(&self, new: &[NewNoteLine]) -> Result<Vec<NoteLine>> {
        let mut named = Vec::new();
        let each = new.iter().enumerate().map(|(n, new)| {
            let within = |error: Error| error.within(&format!("lines[{n}]"));
            match new {
                NewNoteLine::Custom { description, quantity, unit_amount } => {
                    custom(description, *quantity, *unit_amount).map_err(within)
                }
                NewNoteLine::OfInvoice { line, amount, quantity, description } => {
                    if named.contains(line) {
                        let message = "A line of the invoice can be named once.";
                        return Err(within(Error::invalid("invoice_line_item", message)));
                    }
                    named.push(line.clone());
                    self.of_invoice(line, *amount, *quantity, description.clone()).map_err(within)
                }
            }
        });
        each.collect()
    }

    fn of_invoice(
        &self,
        id: &str,
        amount: Option<i64>,
        quantity: Option<i64>,
        description: Option<String>,
    ) -> Result<NoteLine> {
        let found = self.lines.iter().find(|(line, _)| line.id == id);
        let (line, left) = found.ok_or_else(|| Error::missing("line_item", id).on("invoice_line_item"))?;
        check_text(description.as_deref().unwrap_or_default(), 500, "description")?;
        let (wanted, param) = match (amount, quantity) {
            (Some(amount), None) => (amount, "amount"),
            (None, Some(quantity)) => (self.worth(line, left, quantity)?, "quantity"),
            (None, None) => return Err(Error::invalid("amount", "One of amount and quantity is needed.")),
            (Some(_), Some(_)) => {
                return Err(Error::invalid("quantity", "Only one of amount and quantity can be given."));
            }
        };
        if !(1..=left.amount).contains(&wanted) {
            let message = format!("{wanted} of this line cannot be credited: {} is left of it.", left.amount);
            return Err(Error::invalid(param, message));
        }
        Ok(note_line(line, Part::of(line).share_of_amount(left, wanted), quantity, description))
    }

    /// What so many units of a line are worth; the last of them all that is left.
    fn worth(&self, line: &Line, left: &Part, quantity: i64) -> Result<i64> {
        let rest = line.quantity - self.units.get(&line.id).copied().unwrap_or_default();
        if !(1..=rest).contains(&quantity) {
            let message = format!("{quantity} of this line cannot be credited: {rest} are left of it.");
            return Err(Error::invalid("quantity", message));
        }
        if quantity == rest {
            return Ok(left.amount);
        }
        let share = round_ratio(i128::from(line.amount) * i128::from(quantity), line.quantity.into());
        bounded(share, "quantity").map(|share| share.min(left.amount))
    }
}

fn custom(description: &str, quantity: i64, unit_amount: Decimal) -> Result<NoteLine> {
    check_text(description, 500, "description")?;
    if !(1..=999_999).contains(&quantity) {
        return Err(Error::invalid("quantity", "Invalid quantity: from 1 to 999999."));
    }
    let amount = Cost::PerUnit { unit: unit_amount, transform: None }.of(quantity)?;
    Ok(NoteLine {
        id: String::new(),
        credit_note: String::new(),
        position: 0,
        invoice_line: None,
        description: Some(description.to_owned()),
        quantity: Some(quantity),
        unit_amount: Some(unit_amount),
        amount,
        discount: 0,
        discount_amounts: Json(json!([])),
        tax: 0,
        taxes: Json(json!([])),
    })
}

fn note_line(line: &Line, part: Part, quantity: Option<i64>, description: Option<String>) -> NoteLine {
    NoteLine {
        id: String::new(),
        credit_note: String::new(),
        position: 0,
        invoice_line: Some(line.id.clone()),
        description: description.or_else(|| Some(line.description.clone())),
        quantity,
        unit_amount: None,
        amount: part.amount,
        discount: part.discount(),
        discount_amounts: Json(said(
            &wire::discount_amounts(&line.discount_amounts).into(),
            part.discounts.iter().map(|off| json!({ "amount": off })),
        )),
        tax: part.tax(),
        taxes: Json(said(
            &line.taxes,
            part.taxes.iter().map(|tax| json!({ "amount": tax.amount, "taxable_amount": tax.taxable })),
        )),
    }
}

/// The line's entries with other numbers.
fn said(entries: &Value, numbers: impl Iterator<Item = Value>) -> Value {
    let each = entries.as_array().into_iter().flatten().zip(numbers).map(|(entry, numbers)| {
        let mut entry = entry.clone();
        if let (Value::Object(entry), Value::Object(numbers)) = (&mut entry, numbers) {
            entry.extend(numbers);
        }
        entry
    });
    each.collect()
}
