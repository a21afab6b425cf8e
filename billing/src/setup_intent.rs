//! Setup intents: storing a payment method for later, with whatever the processor and the customer have to say to it.

use serde_json::{Value, json};

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer;
use crate::customer::payment_method::{self, NewMethod};
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::gateway::sandbox::{self, Setup};
use crate::page::{Listed, Page, page};
use crate::patch::{Metadata, MetadataPatch, check_text, merge_metadata};
use crate::payment::charge;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;
use crate::{id, wire};

text_enum!(Status {
    RequiresPaymentMethod = "requires_payment_method",
    RequiresConfirmation = "requires_confirmation",
    RequiresAction = "requires_action",
    Canceled = "canceled",
    Succeeded = "succeeded",
});

text_enum!(Usage { OffSession = "off_session", OnSession = "on_session" });

text_enum!(Reason { Abandoned = "abandoned", Duplicate = "duplicate", RequestedByCustomer = "requested_by_customer" });

#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub struct SetupIntent {
    pub id: String,
    pub customer: Option<String>,
    /// A method of the customer; before the intent succeeds it may be a test method's id.
    pub payment_method: Option<String>,
    pub status: Status,
    pub usage: Usage,
    pub next_action: Option<Json<Value>>,
    pub last_error: Option<Json<Value>>,
    pub description: Option<String>,
    pub metadata: Json<Metadata>,
    pub created: Seconds,
    pub canceled_at: Option<Seconds>,
    pub cancellation_reason: Option<Reason>,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, customer, payment_method, status, usage, next_action, last_error, description, metadata, created, canceled_at, \
         cancellation_reason, version"
    };
}

#[derive(Debug, Clone)]
pub struct NewIntent {
    pub customer: String,
    pub method: Option<Given>,
    pub usage: Usage,
    pub description: Option<String>,
    pub metadata: MetadataPatch,
}

/// The method to set up: one that the customer has, or a new one by the test id that stands for it.
#[derive(Debug, Clone)]
pub enum Given {
    Stored(String),
    Test { id: String, method: Box<NewMethod> },
}

impl Given {
    fn id(&self) -> &str {
        match self {
            Self::Stored(id) | Self::Test { id, .. } => id,
        }
    }
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<SetupIntent> {
    maybe!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from setup_intent where tenant = $1 and id = $2 and (cast($3 as text) is null or customer = $3)"
        ),
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("setup_intent", id))
}

/// Filters of a list; all that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct IntentFilter {
    pub customer: Option<String>,
    pub payment_method: Option<String>,
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &IntentFilter) -> Result<Listed<SetupIntent>> {
    let customer = who.customer().or(filter.customer.as_deref());
    page!(
        tx,
        who,
        page,
        "setup_intent" if "customer = $3",
        columns!(),
        "(cast($7 as text) is null or customer = $7) and (cast($8 as text) is null or payment_method = $8)",
        customer,
        filter.payment_method
    )
}

pub async fn create(tx: &mut Tx, who: &Actor, new: NewIntent) -> Result<SetupIntent> {
    let customer = customer::get(tx, who, &new.customer).await.map_err(|e| e.on("customer"))?;
    if let Some(given) = &new.method {
        check_given(tx, who, &customer.id, given).await?;
    }
    let mut metadata = Metadata::default();
    merge_metadata(&mut metadata, new.metadata)?;
    check_text(new.description.as_deref().unwrap_or_default(), 1000, "description")?;
    let status = if new.method.is_some() { Status::RequiresConfirmation } else { Status::RequiresPaymentMethod };
    let intent = SetupIntent {
        id: id::new("seti", tx.now),
        customer: Some(customer.id),
        payment_method: new.method.map(|given| given.id().to_owned()),
        status,
        usage: new.usage,
        next_action: None,
        last_error: None,
        description: new.description,
        metadata: Json(metadata),
        created: tx.now.seconds(),
        canceled_at: None,
        cancellation_reason: None,
        version: 1,
    };
    insert(tx, who, &intent).await?;
    announce(tx, who, None, &intent, "setup_intent.created").await?;
    Ok(intent)
}

async fn insert(tx: &mut Tx, who: &Actor, intent: &SetupIntent) -> Result<()> {
    run!(
        tx,
        concat!(
            "insert into setup_intent (tenant, ",
            columns!(),
            ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        ),
        who.tenant.key,
        &intent.id,
        &intent.customer,
        &intent.payment_method,
        intent.status,
        intent.usage,
        &intent.next_action,
        &intent.last_error,
        &intent.description,
        &intent.metadata,
        intent.created,
        intent.canceled_at,
        intent.cancellation_reason,
        intent.version
    )?;
    Ok(())
}

/// Stores the method, or says what stands against it: a decline is the answer's `last_error`, not an error of this call,
/// since it is kept. In test mode only, where the sandbox decides at once.
pub async fn confirm(tx: &mut Tx, who: &Actor, id: &str, given: Option<Given>) -> Result<SetupIntent> {
    let before = get(tx, who, id).await?;
    let (Status::RequiresPaymentMethod | Status::RequiresConfirmation | Status::RequiresAction) = before.status else {
        return Err(unexpected(&before, "confirm"));
    };
    if who.tenant.livemode {
        return Err(Error::Forbidden("Setup intents are confirmed by the gateway in live mode."));
    }
    let owner = before.customer.clone().unwrap_or_default();
    let Some(given) = given else {
        let message = "You cannot confirm this SetupIntent because it's missing a payment method.";
        return Err(Error::Invalid {
            param: "payment_method".into(),
            code: "parameter_missing",
            message: message.into(),
        });
    };
    let said = sandbox::setup(&check_given(tx, who, &owner, &given).await?);
    let method = match said {
        Setup::Succeeded => Some(store(tx, who, &owner, given).await?),
        Setup::RequiresAction => Some(given.id().to_owned()),
        Setup::Declined(_) => None,
    };
    let fresh = SetupIntent { payment_method: method, next_action: None, last_error: None, ..before.clone() };
    let (after, event) = after(fresh, said);
    save(tx, who, before, after, event).await
}

/// The customer's answer to a setup that waits for it: the method that they confirmed, or none.
pub(crate) async fn answer(
    tx: &mut Tx,
    who: &Actor,
    before: SetupIntent,
    confirmed: Option<NewMethod>,
) -> Result<SetupIntent> {
    let (said, method) = match confirmed {
        Some(new) => {
            let owner = before.customer.clone().unwrap_or_default();
            (Setup::Succeeded, Some(payment_method::attach(tx, who, &owner, new).await?.id))
        }
        None => (Setup::Declined("authentication_required"), None),
    };
    let fresh = SetupIntent { payment_method: method, next_action: None, last_error: None, ..before.clone() };
    let (after, event) = after(fresh, said);
    save(tx, who, before, after, event).await
}

/// What the processor said, noted on the intent, and the event that tells of it.
fn after(intent: SetupIntent, said: Setup) -> (SetupIntent, &'static str) {
    match said {
        Setup::Succeeded => (SetupIntent { status: Status::Succeeded, ..intent }, "setup_intent.succeeded"),
        Setup::RequiresAction => {
            let action = json!({ "type": "redirect_to_url", "redirect_to_url": { "return_url": null, "url": null } });
            let waiting = SetupIntent { status: Status::RequiresAction, next_action: Some(Json(action)), ..intent };
            (waiting, "setup_intent.requires_action")
        }
        Setup::Declined(code) => {
            let (kind, message) = charge::refusal(code);
            let error = json!({ "code": kind, "decline_code": code, "message": message, "type": "card_error" });
            let status = Status::RequiresPaymentMethod;
            (SetupIntent { status, last_error: Some(Json(error)), ..intent }, "setup_intent.setup_failed")
        }
    }
}

pub async fn cancel(tx: &mut Tx, who: &Actor, id: &str, reason: Option<Reason>) -> Result<SetupIntent> {
    let before = get(tx, who, id).await?;
    if matches!(before.status, Status::Canceled | Status::Succeeded) {
        return Err(unexpected(&before, "cancel"));
    }
    let after = SetupIntent {
        status: Status::Canceled,
        canceled_at: Some(tx.now.seconds()),
        cancellation_reason: reason,
        next_action: None,
        ..before.clone()
    };
    save(tx, who, before, after, "setup_intent.canceled").await
}

fn unexpected(intent: &SetupIntent, what: &str) -> Error {
    let message = format!("You cannot {what} this SetupIntent because it has a status of {}.", intent.status.name());
    Error::conflict("setup_intent_unexpected_state", message)
}

/// The method's name in the gateway's own terms; refuses one that is another customer's.
async fn check_given(tx: &mut Tx, who: &Actor, customer: &str, given: &Given) -> Result<String> {
    match given {
        Given::Test { method, .. } => Ok(method.gateway_ref.clone()),
        Given::Stored(id) => {
            let method = payment_method::of_customer(tx, who, customer, id).await;
            Ok(method.map_err(|e| e.on("payment_method"))?.gateway_ref)
        }
    }
}

async fn store(tx: &mut Tx, who: &Actor, customer: &str, given: Given) -> Result<String> {
    match given {
        Given::Stored(id) => Ok(id),
        Given::Test { method, .. } => Ok(payment_method::attach(tx, who, customer, *method).await?.id),
    }
}

async fn save(
    tx: &mut Tx,
    who: &Actor,
    before: SetupIntent,
    mut after: SetupIntent,
    event: &'static str,
) -> Result<SetupIntent> {
    let saved = run!(
        tx,
        "update setup_intent set payment_method = $3, status = $4, next_action = $5, last_error = $6, canceled_at = $7,
         cancellation_reason = $8, version = version + 1 where tenant = $1 and id = $2 and version = $9",
        who.tenant.key,
        &after.id,
        &after.payment_method,
        after.status,
        &after.next_action,
        &after.last_error,
        after.canceled_at,
        after.cancellation_reason,
        after.version
    )?;
    after.version += 1;
    if saved != 1 {
        return Err(Error::Busy);
    }
    announce(tx, who, Some(&before), &after, event).await?;
    Ok(after)
}

async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&SetupIntent>,
    after: &SetupIntent,
    action: &'static str,
) -> Result<()> {
    let render = |intent: &SetupIntent| wire::setup_intent(&who.tenant, intent);
    let change = Change {
        object: "setup_intent",
        id: &after.id,
        customer: after.customer.as_deref(),
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[action],
    };
    record(tx, who, change).await
}
