//! What is done with invoices: create, update, delete, finalize, send, pay, void, mark_uncollectible.

use billing::customer;
use billing::invoice::draft::{self, InvoiceUpdate, NewInvoice};
use billing::invoice::{self, Invoice, Status};
use billing::payment::Asked;
use billing::subscription::CollectionMethod;
use billing::{Currency, Error, Result, Seconds, Tx, payment, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::params::Params;

pub async fn create(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let new = NewInvoice {
        customer: params.required_text("customer")?,
        subscription: params.text("subscription")?,
        currency: params.word("currency", Currency::parse)?,
        pulls: params.word("pending_invoice_items_behavior", parse_pulls)?,
        fields: read(params)?,
    };
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| wire::invoice(&call.who.tenant, &draft::create(tx, &call.who, new.clone()).await?))
}

fn parse_pulls(text: &str, param: &str) -> Result<bool> {
    match text {
        "include" => Ok(true),
        "exclude" => Ok(false),
        _ => Err(Error::invalid(param, format!("Invalid {param}: must be one of exclude, include"))),
    }
}

fn read(params: &mut Params) -> Result<InvoiceUpdate> {
    Ok(InvoiceUpdate {
        auto_advance: params.boolean("auto_advance")?,
        collection_method: params.word("collection_method", CollectionMethod::parse)?,
        days_until_due: params.integer("days_until_due")?,
        due_date: params.timestamp("due_date")?,
        default_payment_method: params.patch_text("default_payment_method")?,
        default_tax_rates: params.patch_texts("default_tax_rates")?,
        automatic_tax: params.object("automatic_tax", read_tax)?.flatten(),
        description: params.patch_text("description")?,
        footer: params.patch_text("footer")?,
        metadata: params.metadata()?,
    })
}

fn read_tax(tax: &mut Params) -> Result<Option<bool>> {
    tax.boolean("enabled")
}

pub async fn update(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let update = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| wire::invoice(&call.who.tenant, &draft::update(tx, &call.who, &id, update.clone()).await?))
}

pub async fn delete(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| {
        draft::delete(tx, &call.who, &id).await?;
        wire::deleted("invoice", &id)
    })
}

pub async fn finalize(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let advances = InvoiceUpdate { auto_advance: call.params.boolean("auto_advance")?, ..InvoiceUpdate::default() };
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| {
        draft::update(tx, &call.who, &id, advances.clone()).await?;
        wire::invoice(&call.who.tenant, &draft::finalize(tx, &call.who, &id).await?)
    })
}

/// A draft is finalised first.
pub async fn send(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| {
        finalized(tx, &call, &id).await?;
        wire::invoice(&call.who.tenant, &invoice::send(tx, &call.who, &id).await?)
    })
}

async fn finalized(tx: &mut Tx, call: &Ready, id: &str) -> Result<Invoice> {
    let invoice = invoice::get(tx, &call.who, id).await?;
    if invoice.status == Status::Draft { draft::finalize(tx, &call.who, id).await } else { Ok(invoice) }
}

/// On the customer's billing clock.
async fn now(tx: &mut Tx, call: &Ready, id: &str) -> Result<Seconds> {
    let invoice = invoice::get(tx, &call.who, id).await?;
    let customer = customer::get_or_deleted(tx, &call.who, &invoice.customer).await?;
    customer::now(tx, &call.who, &customer).await
}

pub async fn void(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| {
        let now = now(tx, &call, &id).await?;
        wire::invoice(&call.who.tenant, &invoice::void(tx, &call.who, &id, now).await?)
    })
}

pub async fn mark_uncollectible(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::Invoice))?;
    change!(call, |tx| {
        let now = now(tx, &call, &id).await?;
        wire::invoice(&call.who.tenant, &invoice::mark_uncollectible(tx, &call.who, &id, now).await?)
    })
}

/// Collects an invoice now, or notes that it was paid elsewhere. A draft is finalised first.
pub async fn pay(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let out_of_band = call.params.boolean("paid_out_of_band")?.unwrap_or_default();
    call.params.fixed("off_session", &["true", "1", "false", "0"])?;
    let method = call.params.text("payment_method")?;
    let call = call.ready(Shape::One(Kind::Invoice))?;
    if out_of_band {
        return change!(call, |tx| {
            finalized(tx, &call, &id).await?;
            let now = now(tx, &call, &id).await?;
            wire::invoice(&call.who.tenant, &invoice::pay_out_of_band(tx, &call.who, &id, now).await?)
        });
    }
    let is_repeated = call.made().is_some();
    // The charge that an earlier run of this request began: what became of it is the answer.
    if call.made().is_some_and(|made| made != id) {
        let mut tx = call.read().await?;
        let invoice = invoice::get(&mut tx, &call.who, &id).await?;
        drop(tx);
        stands(&call, &invoice).await?;
        return kept(&call, &id).await;
    }
    let invoice = transact!(call.app.db, |tx| {
        call.note(tx, &id).await?;
        tx.unaudited();
        finalized(tx, &call, &id).await
    })?;
    let is_settled = invoice.status == Status::Paid && (is_repeated || invoice.amount_due == 0);
    if !is_settled {
        let asked = Asked { method, key: call.key().map(str::to_owned), scheduled: false };
        let gateway = call.app.gateway.clone();
        let invoice = payment::collect_as(&call.app.db, gateway, &call.who, &id, asked).await?;
        stands(&call, &invoice).await?;
    }
    kept(&call, &id).await
}

async fn kept(call: &Ready, id: &str) -> Result<Reply> {
    change!(call, |tx| {
        // Only the key changes here; the invoice was changed when it was paid.
        tx.unaudited();
        wire::invoice(&call.who.tenant, &invoice::get(tx, &call.who, id).await?)
    })
}

/// A decline is an error here, and so is a payment that waits for the customer; the invoice stays open.
async fn stands(call: &Ready, invoice: &Invoice) -> Result<()> {
    if invoice.status == Status::Paid {
        return Ok(());
    }
    let mut tx = call.read().await?;
    let intent = match &invoice.payment_intent {
        Some(intent) => Some(payment::intent(&mut tx, &call.who, intent).await?),
        None => None,
    };
    match intent {
        Some(intent) if intent.status == payment::IntentStatus::RequiresAction => {
            let code = "invoice_payment_intent_requires_action";
            Err(Error::conflict(code, "The payment needs the customer to confirm it."))
        }
        Some(intent) if intent.status == payment::IntentStatus::RequiresPaymentMethod => {
            let said = intent.last_error.as_ref();
            let text = |name: &str, other: &str| said.and_then(|e| e[name].as_str()).unwrap_or(other).to_owned();
            Err(Error::Declined {
                code: text("decline_code", "generic_decline"),
                message: text("message", "Your card was declined."),
            })
        }
        _ => Err(Error::Busy),
    }
}
