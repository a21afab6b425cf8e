//! Quotes, which are ours: what a change of a subscription would cost, and that change for exactly that.

use billing::quote::{self, Change, Confirmed};
use billing::{Error, Result, Tx, subscription, transact, wire};

use super::answer::Reply;
use super::call::{Call, Ready};
use super::error::Failure;
use super::expand::{Kind, Shape};
use super::params::{Params, missing};
use super::subscription_changes::{read_pause, read_resume};
use super::subscription_terms::{read_end, read_item_change, read_new, read_update};
use super::subscriptions::{Begun, finished};

/// The kinds of change: each is said in the object of its name, with the parameters of the endpoint that does it.
const TYPES: &[&str] = &["cancel", "pause", "resume", "schedule", "start", "update"];

/// Nothing is changed.
pub async fn create(mut call: Call) -> Result<Reply> {
    let (kind, change) = read(&mut call.params)?;
    let call = call.ready(Shape::One(Kind::SubscriptionQuote))?;
    change!(call, |tx| {
        let made = quote::make(tx, &call.who, change.clone()).await.map_err(|e| within(e, kind))?;
        wire::subscription_quote(&call.who.tenant, &made)
    })
}

/// What is wrong is wrong in the object of the change, but for the subscription, which stands beside it.
fn within(error: Error, kind: &str) -> Error {
    match &error {
        Error::Missing { object: "subscription", .. } => error,
        Error::Invalid { param, .. } if param == "id" => error.on("subscription"),
        _ => error.within(kind),
    }
}

fn read(params: &mut Params) -> Result<(&'static str, Change)> {
    let kind = params.word("type", parse_type)?;
    let id = params.text("subscription")?;
    let start = params.object("start", read_new)?;
    let update = params.object("update", read_update)?;
    let schedule = params.object("schedule", |schedule| schedule.objects("items", read_item_change))?;
    let cancel = params.object("cancel", read_end)?;
    let pause = params.object("pause", read_pause)?;
    let resume = params.object("resume", read_resume)?;
    let Some(kind) = kind else { return Err(missing("type")) };
    let given = [
        ("cancel", cancel.is_some()),
        ("pause", pause.is_some()),
        ("resume", resume.is_some()),
        ("schedule", schedule.is_some()),
        ("start", start.is_some()),
        ("update", update.is_some()),
    ];
    if let Some((other, _)) = given.into_iter().find(|(name, is_given)| *is_given && *name != kind) {
        return Err(Error::invalid(other, format!("This is not said of a change of the type `{kind}`.")));
    }
    if kind == "start" {
        let new = start.ok_or_else(|| missing("start"))?;
        return match id {
            Some(_) => Err(Error::invalid("subscription", "What starts has no subscription yet.")),
            None => Ok((kind, Change::Start(Box::new(new)))),
        };
    }
    let subscription = id.ok_or_else(|| missing("subscription"))?;
    let change = match kind {
        "cancel" => Change::Cancel { subscription, cancellation: cancel.unwrap_or_default() },
        "pause" => Change::Pause { subscription, pause: pause.unwrap_or_default() },
        "resume" => Change::Resume { subscription, resume: resume.unwrap_or_default() },
        "schedule" => {
            let items = schedule.flatten().ok_or_else(|| missing("schedule[items]"))?;
            Change::Schedule { subscription, items }
        }
        _ => Change::Update { subscription, update: Box::new(update.ok_or_else(|| missing("update"))?) },
    };
    Ok((kind, change))
}

fn parse_type(text: &str, param: &str) -> Result<&'static str> {
    let found = TYPES.iter().find(|name| **name == text).copied();
    found.ok_or_else(|| Error::invalid(param, format!("Invalid {param}: must be one of {}", TYPES.join(", "))))
}

/// The change is made and committed with its invoice, then that is charged, then the answer is given: the subscription.
/// Refused with `quote_stale`, and a fresh quote, where it would cost something else by now.
pub async fn confirm(mut call: Call) -> Result<Reply> {
    let token = call.params.required_text("token")?;
    let call = call.ready(Shape::One(Kind::Subscription))?;
    // A token that was used says again what it did, so a request that is sent again goes on from there.
    let (begun, only_if_paid) = transact!(call.app.db, |tx| begin(tx, &call, &token).await)?;
    finished(&call, begun, only_if_paid).await
}

/// What is begun, and whether it is to be taken back where it is not paid for.
async fn begin(tx: &mut Tx, call: &Ready, token: &str) -> Result<(Begun, bool)> {
    let done = match Box::pin(quote::confirm(tx, &call.who, token)).await {
        Ok(Confirmed::Done(done)) => done,
        Ok(Confirmed::Stale(fresh)) => {
            let stale = Failure::stale(wire::subscription_quote(&call.who.tenant, &fresh));
            let reply = Reply { status: stale.status, body: stale.body(), replayed: false };
            return Ok((Begun::Answered(call.keep_as_it_is(tx, reply).await?), false));
        }
        Err(error) => return Err(error),
    };
    match done.invoice {
        Some(invoice) if done.collect || done.only_if_paid => Ok((Begun::Unpaid(invoice), done.only_if_paid)),
        _ => {
            let subscription = subscription::get(tx, &call.who, &done.subscription).await?;
            let value = wire::subscription(&call.who.tenant, &subscription);
            Ok((Begun::Answered(call.keep(tx, value).await?), false))
        }
    }
}
