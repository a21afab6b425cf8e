//! Feedback options: reasons for leaving in the merchant's own words, beside Stripe's fixed ones.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::event::{Change, record};
use crate::page::{Listed, Page, page};
use crate::patch::check_text;
use crate::store::{Tx, maybe, run};
use crate::{id, wire};

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct FeedbackOption {
    pub id: String,
    /// What the customer reads, up to 100 characters.
    pub description: String,
    pub active: bool,
    pub deactivated_at: Option<Seconds>,
    pub created: Seconds,
    pub version: i64,
}

macro_rules! columns {
    () => {
        "id, description, active, deactivated_at, created, version"
    };
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<FeedbackOption> {
    maybe!(
        tx,
        concat!("select ", columns!(), " from feedback_option where tenant = $1 and id = $2"),
        who.tenant.key,
        id
    )?
    .ok_or_else(|| Error::missing("billing.feedback_option", id))
}

/// Those of `ids` that are in use, in the order of `ids`.
pub async fn in_use(tx: &mut Tx, who: &Actor, ids: &[String]) -> Result<Vec<FeedbackOption>> {
    let mut found = Vec::new();
    for id in ids {
        found.push(get(tx, who, id).await?);
    }
    found.retain(|option| option.active);
    Ok(found)
}

/// Refuses on `param` what is not there, or not in use any more.
pub(crate) async fn check_usable(tx: &mut Tx, who: &Actor, id: &str, param: &str) -> Result<()> {
    let option = get(tx, who, id).await.map_err(|error| error.on(param))?;
    if option.active {
        return Ok(());
    }
    Err(Error::invalid(param, format!("The feedback option {id} is inactive.")))
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, active: Option<bool>) -> Result<Listed<FeedbackOption>> {
    page!(tx, who, page, "feedback_option", columns!(), "(cast($7 as boolean) is null or active = $7)", active)
}

pub async fn create(tx: &mut Tx, who: &Actor, description: &str) -> Result<FeedbackOption> {
    let option = FeedbackOption {
        id: id::new("bfo", tx.now),
        description: check_description(description)?,
        active: true,
        deactivated_at: None,
        created: tx.now.seconds(),
        version: 1,
    };
    run!(
        tx,
        concat!("insert into feedback_option (tenant, ", columns!(), ") values ($1, $2, $3, $4, $5, $6, $7)"),
        who.tenant.key,
        &option.id,
        &option.description,
        option.active,
        option.deactivated_at,
        option.created,
        option.version
    )?;
    announce(tx, who, None, &option, "billing.feedback_option.created").await?;
    Ok(option)
}

pub async fn update(tx: &mut Tx, who: &Actor, id: &str, description: Option<&str>) -> Result<FeedbackOption> {
    let before = get(tx, who, id).await?;
    let description = description.map(check_description).transpose()?.unwrap_or(before.description.clone());
    let after = FeedbackOption { description, ..before.clone() };
    save(tx, who, before, after, "billing.feedback_option.updated").await
}

/// Takes an option out of use for good; what was answered with it stays.
pub async fn deactivate(tx: &mut Tx, who: &Actor, id: &str) -> Result<FeedbackOption> {
    let before = get(tx, who, id).await?;
    let since = before.deactivated_at.or(Some(tx.now.seconds()));
    let after = FeedbackOption { active: false, deactivated_at: since, ..before.clone() };
    save(tx, who, before, after, "billing.feedback_option.deactivated").await
}

async fn save(
    tx: &mut Tx,
    who: &Actor,
    before: FeedbackOption,
    mut after: FeedbackOption,
    action: &'static str,
) -> Result<FeedbackOption> {
    if after == before {
        return Ok(after);
    }
    let saved = run!(
        tx,
        "update feedback_option set description = $3, active = $4, deactivated_at = $5, version = version + 1
         where tenant = $1 and id = $2 and version = $6",
        who.tenant.key,
        &after.id,
        &after.description,
        after.active,
        after.deactivated_at,
        after.version
    )?;
    after.version += 1;
    if saved != 1 {
        return Err(Error::Busy);
    }
    announce(tx, who, Some(&before), &after, action).await?;
    Ok(after)
}

fn check_description(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("description", "A feedback option needs a description."));
    }
    check_text(text, 100, "description")?;
    Ok(text.to_owned())
}

/// Only the audit log hears of it: Stripe has no event for feedback options.
async fn announce(
    tx: &mut Tx,
    who: &Actor,
    before: Option<&FeedbackOption>,
    after: &FeedbackOption,
    action: &'static str,
) -> Result<()> {
    let render = |option: &FeedbackOption| wire::feedback_option(&who.tenant, option);
    let change = Change {
        object: "billing.feedback_option",
        id: &after.id,
        customer: None,
        before: before.map(render),
        after: Some(render(after)),
        action,
        events: &[],
    };
    record(tx, who, change).await
}
