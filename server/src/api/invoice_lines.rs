//! The lines of a draft: added, changed and taken off by hand.

use billing::invoice::by_hand::{self, Edit};
use billing::{Error, Result, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::invoice_items;
use super::params::{Params, missing};

pub async fn add(call: Call) -> Result<Reply> {
    edit(call, |line| match line.text("invoice_item")? {
        Some(item) => Ok(Edit::Assign(item)),
        None => Ok(Edit::Add(invoice_items::read(line)?)),
    })
    .await
}

pub async fn update(call: Call) -> Result<Reply> {
    edit(call, |line| Ok(Edit::Change(line.required_text("id")?, invoice_items::read(line)?))).await
}

pub async fn remove(call: Call) -> Result<Reply> {
    edit(call, |line| {
        let id = line.required_text("id")?;
        let deletes = line.word("behavior", parse_behavior)?.ok_or_else(|| missing(line.name("behavior")))?;
        Ok(if deletes { Edit::Delete(id) } else { Edit::Unassign(id) })
    })
    .await
}

fn parse_behavior(text: &str, param: &str) -> Result<bool> {
    match text {
        "delete" => Ok(true),
        "unassign" => Ok(false),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of delete, unassign"))),
    }
}

async fn edit(mut call: Call, read: impl FnMut(&mut Params) -> Result<Edit>) -> Result<Reply> {
    let id = call.id.clone();
    let edits = call.params.objects("lines", read)?;
    let metadata = call.params.metadata_named("invoice_metadata")?;
    let call = call.ready(Shape::One(Kind::Invoice))?;
    let edits = edits.filter(|edits| !edits.is_empty()).ok_or_else(|| missing("lines"))?;
    change!(call, |tx| {
        let made = by_hand::edit(tx, &call.who, &id, edits.clone(), metadata.clone()).await?;
        wire::invoice(&call.who.tenant, &made)
    })
}
