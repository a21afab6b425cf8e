//! The lines of a draft by hand. Each that is added is an invoice item that stands on it; those of a subscription follow
//! the subscription, and are not changed here.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::invoice::draft::{self, InvoiceUpdate};
use crate::invoice::item::edit::{self, InvoiceItemUpdate, NewInvoiceItem};
use crate::invoice::{Invoice, Status, get};
use crate::patch::MetadataPatch;
use crate::store::Tx;

/// What becomes of a draft's lines.
#[derive(Debug, Clone)]
pub enum Edit {
    /// An item that waits, by its id.
    Assign(String),
    Add(InvoiceItemUpdate),
    /// A line, by its id.
    Change(String, InvoiceItemUpdate),
    Delete(String),
    /// The item behind it waits again.
    Unassign(String),
}

/// Makes the edits in their order, and then what is said of the invoice itself. Errors name `lines[n]`.
pub async fn edit(tx: &mut Tx, who: &Actor, id: &str, edits: Vec<Edit>, metadata: MetadataPatch) -> Result<Invoice> {
    for (n, one) in edits.into_iter().enumerate() {
        let draft = get(tx, who, id).await?;
        if draft.status != Status::Draft {
            let message = "The lines of an invoice can be changed while it is a draft.";
            return Err(Error::conflict("invoice_not_editable", message));
        }
        make(tx, who, &draft, one).await.map_err(|e| e.within(&format!("lines[{n}]")))?;
    }
    draft::update(tx, who, id, InvoiceUpdate { metadata, ..InvoiceUpdate::default() }).await?;
    get(tx, who, id).await
}

async fn make(tx: &mut Tx, who: &Actor, draft: &Invoice, edit: Edit) -> Result<()> {
    match edit {
        Edit::Assign(item) => edit::assign(tx, who, &item, draft).await.map_err(|e| e.on("invoice_item")),
        Edit::Add(fields) => {
            let (customer, invoice) = (draft.customer.clone(), Some(draft.id.clone()));
            let new = NewInvoiceItem { customer, subscription: None, invoice, currency: None, fields };
            edit::create(tx, who, new).await.map(|_| ())
        }
        Edit::Change(line, fields) => edit::update(tx, who, &behind(draft, &line)?, fields).await.map(|_| ()),
        Edit::Delete(line) => edit::delete(tx, who, &behind(draft, &line)?).await,
        Edit::Unassign(line) => edit::unassign(tx, who, &behind(draft, &line)?).await,
    }
}

/// The item behind a line.
fn behind(draft: &Invoice, line: &str) -> Result<String> {
    let found = draft.lines.iter().find(|other| other.id == line);
    let found = found.ok_or_else(|| Error::missing("line_item", line))?;
    found.invoice_item.clone().ok_or_else(|| Error::invalid("id", "This line is its subscription's, and follows it."))
}
