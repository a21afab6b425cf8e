//! What was paid, or is to be paid, of invoices: retrieve, list. Each is seen through its payment intent.

use billing::payment::{self, PaymentIntent, intents};
use billing::{Actor, Error, Listed, Page, Result, Tx, invoice, wire};
use serde_json::Value;

use super::answer::Reply;
use super::call::Call;
use super::expand::{Kind, Shape};
use super::list;
use super::params::{Params, unsupported};

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::InvoicePayment))?;
    let mut tx = call.read().await?;
    let missing = || Error::missing("invoice_payment", &id);
    let intent = intent_of(&id).ok_or_else(missing)?;
    let intent = payment::intent(&mut tx, &call.who, &intent).await.map_err(|_| missing())?;
    let payment = render(&mut tx, &call.who, &intent).await?.ok_or_else(missing)?;
    call.show(&mut tx, payment).await
}

async fn render(tx: &mut Tx, who: &Actor, intent: &PaymentIntent) -> Result<Option<Value>> {
    let Some(id) = &intent.invoice else { return Ok(None) };
    let invoice = invoice::get(tx, who, id).await?;
    Ok(Some(wire::invoice_payment(&who.tenant, &invoice, intent)))
}

fn intent_of(id: &str) -> Option<String> {
    id.strip_prefix("inpay_").map(|rest| format!("pi_{rest}"))
}

/// All of them, newest first, as their intents are listed.
async fn every(tx: &mut Tx, who: &Actor, page: &Page) -> Result<Listed<Value>> {
    let intent = |id: &Option<String>| id.as_ref().map(|id| intent_of(id).unwrap_or_else(|| id.clone()));
    let (starting_after, ending_before) = (intent(&page.starting_after), intent(&page.ending_before));
    let found = intents::list(tx, who, &Page { starting_after, ending_before, ..page.clone() }, None).await?;
    let mut data = Vec::new();
    for intent in &found.data {
        data.extend(render(tx, who, intent).await?);
    }
    Ok(Listed { data, has_more: found.has_more })
}

/// All, or those of one invoice or one payment intent.
pub async fn list(mut call: Call) -> Result<Reply> {
    let page = list::undated_page(&mut call.params)?;
    let invoice = call.params.text("invoice")?;
    let intent = call.params.object("payment", read_payment)?;
    let call = call.ready(Shape::Many(Kind::InvoicePayment))?;
    let mut tx = call.read().await?;
    let intent = match (invoice, intent) {
        (None, None) => {
            let found = every(&mut tx, &call.who, &page).await?;
            return call.show_list(&mut tx, "/v1/invoice_payments", found, Value::clone).await;
        }
        (Some(id), None) => invoice::get(&mut tx, &call.who, &id).await.map_err(|e| e.on("invoice"))?.payment_intent,
        (None, intent) => intent,
        (Some(_), Some(_)) => return Err(Error::invalid("payment", "Only one of invoice and payment can be given.")),
    };
    let mut data = Vec::new();
    if let Some(id) = intent {
        let intent = payment::intent(&mut tx, &call.who, &id).await.map_err(|e| e.on("payment[payment_intent]"))?;
        data.extend(render(&mut tx, &call.who, &intent).await?);
    }
    let id = |payment: &Value| payment["id"].as_str().unwrap_or_default().to_owned();
    let data = data.into_iter().map(|payment| (id(&payment), payment)).collect();
    let found: Listed<(String, Value)> = list::slice(&page, data, "invoice_payment", |(id, _)| id)?;
    call.show_list(&mut tx, "/v1/invoice_payments", found, |(_, payment)| payment.clone()).await
}

fn read_payment(params: &mut Params) -> Result<String> {
    if !params.is_text("type", "payment_intent") {
        let _ = params.required_text("type")?;
        return Err(unsupported(params.name("type")));
    }
    params.text("type")?;
    params.required_text("payment_intent")
}
