//! Credit notes: create (and ask for what they refund), preview, retrieve, update, void, list, and the lines of one.

use billing::credit_note::{self, CreditNote, NewCreditNote, NewNoteLine, NoteLine, Reason, What};
use billing::decimal::{Decimal, PLACES};
use billing::{Error, Listed, Page, Result, refund, transact, wire};

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, missing, unsupported};

/// Committed before the gateway is asked; the request's key knows the note from the start.
pub async fn create(mut call: Call) -> Result<Reply> {
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::CreditNote))?;
    let id = match call.made() {
        Some(made) => made.to_owned(),
        None => transact!(call.app.db, |tx| {
            let note = credit_note::create(tx, &call.who, new.clone()).await?;
            call.note(tx, &note.id).await?;
            Ok(note.id)
        })?,
    };
    let mut tx = call.read().await?;
    let note = credit_note::get(&mut tx, &call.who, &id).await?;
    drop(tx);
    if let Some(refund) = &note.refund {
        refund::give_back(&call.app.db, call.app.gateway.clone(), &call.who, refund).await?;
    }
    change!(call, |tx| {
        // Only the key changes here.
        tx.unaudited();
        wire::credit_note(&call.who.tenant, &note)
    })
}

fn read(params: &mut Params) -> Result<NewCreditNote> {
    let amount = params.integer("amount")?;
    let lines = params.objects("lines", read_line)?;
    let what = match (amount, lines) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid("lines", "You may only specify one of these parameters: amount, lines."));
        }
        (Some(amount), None) => What::Amount(amount),
        (None, Some(lines)) => What::Lines(lines),
        (None, None) => return Err(missing("amount")),
    };
    params.fixed("email_type", &["none"])?;
    Ok(NewCreditNote {
        invoice: params.required_text("invoice")?,
        what,
        refund_amount: params.integer("refund_amount")?,
        credit_amount: params.integer("credit_amount")?,
        out_of_band_amount: params.integer("out_of_band_amount")?,
        reason: params.word("reason", Reason::parse)?,
        memo: params.text("memo")?,
        metadata: params.metadata()?,
    })
}

fn read_line(line: &mut Params) -> Result<NewNoteLine> {
    let kind = line.required_text("type")?;
    let amount = line.integer("amount")?;
    let id = line.text("invoice_line_item")?;
    let (quantity, description) = (line.integer("quantity")?, line.text("description")?);
    let whole = line.integer("unit_amount")?.map(|whole| whole.to_string());
    let fine = line.text("unit_amount_decimal")?;
    let unit = match (whole, fine) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: unit_amount, unit_amount_decimal.";
            return Err(Error::invalid(line.name("unit_amount_decimal"), message));
        }
        (whole, fine) => whole.or(fine),
    };
    match kind.as_str() {
        "invoice_line_item" if unit.is_some() => Err(unsupported(line.name("unit_amount"))),
        "invoice_line_item" => Ok(NewNoteLine::OfInvoice {
            line: id.ok_or_else(|| missing(line.name("invoice_line_item")))?,
            amount,
            quantity,
            description,
        }),
        "custom_line_item" => {
            let unit = unit.ok_or_else(|| missing(line.name("unit_amount")))?;
            Ok(NewNoteLine::Custom {
                description: description.ok_or_else(|| missing(line.name("description")))?,
                quantity: quantity.ok_or_else(|| missing(line.name("quantity")))?,
                unit_amount: Decimal::parse(&unit, PLACES, &line.name("unit_amount"))?,
            })
        }
        _ => {
            let message = "Invalid type: must be one of custom_line_item, invoice_line_item";
            Err(Error::invalid(line.name("type"), message))
        }
    }
}

/// What a note would say. Nothing is made.
pub async fn preview(mut call: Call) -> Result<Reply> {
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::CreditNote))?;
    let mut tx = call.read().await?;
    let note = credit_note::preview(&mut tx, &call.who, new).await?;
    call.show(&mut tx, wire::credit_note(&call.who.tenant, &note)).await
}

pub async fn preview_lines(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let new = read(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::CreditNoteLine))?;
    let mut tx = call.read().await?;
    let note = credit_note::preview(&mut tx, &call.who, new).await?;
    let found = page_of(&page, note)?;
    let url = "/v1/credit_notes/preview/lines";
    call.show_list(&mut tx, url, found, |line| wire::credit_note_line(&call.who.tenant, line)).await
}

fn page_of(page: &Page, note: CreditNote) -> Result<Listed<NoteLine>> {
    list::slice(page, note.lines, "credit_note_line_item", |line| &line.id)
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::CreditNote))?;
    let mut tx = call.read().await?;
    let note = credit_note::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::credit_note(&call.who.tenant, &note)).await
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let said = (call.params.patch_text("memo")?, call.params.metadata()?);
    let call = call.ready(Shape::One(Kind::CreditNote))?;
    change!(call, |tx| {
        let changed = credit_note::update(tx, &call.who, &id, said.clone()).await?;
        wire::credit_note(&call.who.tenant, &changed)
    })
}

pub async fn void(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::CreditNote))?;
    change!(call, |tx| wire::credit_note(&call.who.tenant, &credit_note::void(tx, &call.who, &id).await?))
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::page(&mut call.params)?;
    let (customer, invoice) = (call.params.text("customer")?, call.params.text("invoice")?);
    let call = call.ready(Shape::Many(Kind::CreditNote))?;
    let mut tx = call.read().await?;
    if let Some(customer) = &customer {
        billing::customer::get_or_deleted(&mut tx, &call.who, customer).await.map_err(|e| e.on("customer"))?;
    }
    if let Some(invoice) = &invoice {
        billing::invoice::get(&mut tx, &call.who, invoice).await.map_err(|e| e.on("invoice"))?;
    }
    let found = credit_note::list(&mut tx, &call.who, &page, (customer.as_deref(), invoice.as_deref())).await?;
    call.show_list(&mut tx, "/v1/credit_notes", found, |note| wire::credit_note(&call.who.tenant, note)).await
}

pub async fn lines(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let page = list::undated_page(&mut call.params)?;
    let call = call.ready(Shape::Many(Kind::CreditNoteLine))?;
    let mut tx = call.read().await?;
    let found = page_of(&page, credit_note::get(&mut tx, &call.who, &id).await?)?;
    let url = format!("/v1/credit_notes/{id}/lines");
    call.show_list(&mut tx, &url, found, |line| wire::credit_note_line(&call.who.tenant, line)).await
}
