//! What was to be only if it is paid for (`payment_behavior=error_if_incomplete`), and was not.

use crate::actor::Actor;
use crate::customer;
use crate::cycle;
use crate::error::{Error, Result};
use crate::invoice;
use crate::store::Tx;
use crate::subscription::{Status, get, pending};

/// Takes back the start or the change that an invoice is for, where it is not paid by now: nothing is owed, and money
/// that comes for it later is owed back. Answers the decline, each time; `None` where it is paid, and stands.
pub async fn withdraw(tx: &mut Tx, who: &Actor, invoice: &str) -> Result<Option<Error>> {
    let made = invoice::get(tx, who, invoice).await?;
    let Some(id) = &made.subscription else { return Ok(None) };
    let before = get(tx, who, id).await?;
    let customer = customer::get_or_deleted(tx, who, &before.customer).await?;
    let now = customer::now(tx, who, &customer).await?;
    if before.status == Status::Incomplete {
        cycle::expire(tx, who, before, now).await?;
    } else if pending::waits_for(&before, &made) {
        pending::expire(tx, who, &before, now).await?;
    } else if made.status != invoice::Status::Void {
        return Ok(None);
    }
    let message = "The payment failed, so nothing was changed.".into();
    Ok(Some(Error::Declined { code: "generic_decline".into(), message }))
}
