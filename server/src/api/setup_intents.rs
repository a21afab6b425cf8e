//! Setup intents: create, retrieve, list, confirm, cancel. In test mode, with a test method or one the customer has.

use billing::customer::payment_method::MethodType;
use billing::setup_intent::{self, Given, IntentFilter, NewIntent, Reason, SetupIntent, Usage};
use billing::{Error, Result, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::expand::{Kind, Shape};
use super::list;
use super::params::Params;
use super::payment_methods::test_method;

pub async fn create(mut call: Call) -> Result<Reply> {
    let method = given(&mut call)?;
    let params = &mut call.params;
    let confirm = params.boolean("confirm")?.unwrap_or(false);
    read_manner(params)?;
    let new = NewIntent {
        customer: params.required_text("customer")?,
        method: method.clone(),
        usage: params.word("usage", Usage::parse)?.unwrap_or(Usage::OffSession),
        description: params.text("description")?,
        metadata: params.metadata()?,
    };
    let call = call.ready(Shape::One(Kind::SetupIntent))?;
    if !confirm {
        return change!(call, |tx| {
            wire::setup_intent(&call.who.tenant, &setup_intent::create(tx, &call.who, new.clone()).await?)
        });
    }
    let answered = transact!(call.app.db, |tx| {
        let intent = setup_intent::create(tx, &call.who, new.clone()).await?;
        let intent = setup_intent::confirm(tx, &call.who, &intent.id, method.clone()).await?;
        answer(&call, tx, intent).await
    });
    answered?
}

pub async fn confirm(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let method = given(&mut call)?;
    read_manner(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::SetupIntent))?;
    let answered = transact!(call.app.db, |tx| {
        // Without one of its own, the method that the intent was made with.
        let before = setup_intent::get(tx, &call.who, &id).await?;
        let chosen = method.clone().or(before.payment_method.map(|method| meant(&call, method)));
        let intent = setup_intent::confirm(tx, &call.who, &id, chosen).await?;
        answer(&call, tx, intent).await
    });
    answered?
}

fn meant(call: &Ready, id: String) -> Given {
    match test_method(&call.app, &call.who, &id) {
        Some(method) => Given::Test { id, method: Box::new(method) },
        None => Given::Stored(id),
    }
}

/// A decline is told as an error, but what it changed stays changed.
async fn answer(call: &Ready, tx: &mut billing::Tx, intent: SetupIntent) -> Result<Result<Reply>> {
    let said = intent.last_error.as_ref().map(|error| &error.0);
    let text = |key: &str| said.and_then(|error| error[key].as_str()).map(str::to_owned);
    match (text("decline_code"), text("message")) {
        (Some(code), Some(message)) => Ok(Err(Error::Declined { code, message })),
        _ => Ok(Ok(call.keep(tx, wire::setup_intent(&call.who.tenant, &intent)).await?)),
    }
}

pub async fn retrieve(call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let call = call.ready(Shape::One(Kind::SetupIntent))?;
    let mut tx = call.read().await?;
    let intent = setup_intent::get(&mut tx, &call.who, &id).await?;
    call.show(&mut tx, wire::setup_intent(&call.who.tenant, &intent)).await
}

pub async fn cancel(mut call: Call) -> Result<Reply> {
    let id = call.id.clone();
    let reason = call.params.word("cancellation_reason", Reason::parse)?;
    let call = call.ready(Shape::One(Kind::SetupIntent))?;
    change!(call, |tx| {
        wire::setup_intent(&call.who.tenant, &setup_intent::cancel(tx, &call.who, &id, reason).await?)
    })
}

pub async fn list(mut call: Call) -> Result<Reply> {
    let params = &mut call.params;
    let page = list::page(params)?;
    let filter = IntentFilter { customer: params.text("customer")?, payment_method: params.text("payment_method")? };
    let call = call.ready(Shape::Many(Kind::SetupIntent))?;
    let mut tx = call.read().await?;
    let found = setup_intent::list(&mut tx, &call.who, &page, &filter).await?;
    call.show_list(&mut tx, "/v1/setup_intents", found, |i| wire::setup_intent(&call.who.tenant, i)).await
}

fn given(call: &mut Call) -> Result<Option<Given>> {
    let Some(id) = call.params.text("payment_method")? else { return Ok(None) };
    Ok(Some(match test_method(&call.app, &call.who, &id) {
        Some(method) => Given::Test { id, method: Box::new(method) },
        None => Given::Stored(id),
    }))
}

/// What SDKs say of the manner of confirming that is the only one here.
fn read_manner(params: &mut Params) -> Result<()> {
    params.object("automatic_payment_methods", |own| {
        own.fixed("enabled", &["true", "false"])?;
        own.fixed("allow_redirects", &["always", "never"])
    })?;
    if let Some(types) = params.texts("payment_method_types")? {
        for (n, kind) in types.iter().enumerate() {
            MethodType::parse(kind, &format!("payment_method_types[{n}]"))?;
        }
    }
    params.fixed("use_stripe_sdk", &["true", "false"])
}
