//! What became of a charge that was left without an answer: told by the gateway, or looked up until it is known.

use std::sync::Arc;

use super::charge::{self, Charge};
use super::{Attempt, settle};
use crate::actor::Actor;
use crate::clock::Millis;
use crate::directory;
use crate::error::{Error, Result};
use crate::gateway::{Notice, Outcome, PaymentGateway};
use crate::invoice::{self, Invoice};
use crate::store::{Db, Tx, run};
use crate::transact;

const MINUTE: i64 = 60 * 1000;
const DAY: i64 = 24 * 60 * MINUTE;
/// How long after an attempt began it is looked up, each time that nothing is known yet.
const LOOK_UPS: [i64; 7] = [5 * MINUTE, 60 * MINUTE, DAY, 2 * DAY, 3 * DAY, 4 * DAY, 5 * DAY];

/// When an attempt that begins now is looked up, should it be left without an answer.
pub(super) fn first_look(now: Millis) -> Millis {
    now.plus(LOOK_UPS[0])
}

/// Writes down what a gateway told by itself. Told late, twice, or out of order, it ends the same.
pub async fn notice(tx: &mut Tx, who: &Actor, notice: &Notice) -> Result<()> {
    let missing = || Error::missing("charge", &notice.key);
    let (tenant, invoice, number) = charge::read_key(&notice.key).ok_or_else(missing)?;
    let found = if tenant == who.tenant.key { charge::numbered(tx, who, invoice, number).await? } else { None };
    let charge = found.ok_or_else(missing)?;
    let attempt = charge.question(tx, who).await?;
    settle(tx, who, &attempt, &notice.outcome).await?;
    Ok(())
}

/// Takes what the gateway has to tell; answers how many notices there were.
pub async fn take_notices(db: &Db, gateway: &dyn PaymentGateway) -> Result<usize> {
    let told = gateway.notices().await;
    for one in &told {
        match transact!(db, |tx| taken(tx, one).await) {
            Ok(()) => {}
            // Its books are not these, or not any more: told again, it would be as strange.
            Err(Error::Missing { .. }) => tracing::warn!(key = one.key, "a gateway tells of a charge that is not ours"),
            Err(other) => return Err(other),
        }
        gateway.noticed(one.id).await;
    }
    Ok(told.len())
}

async fn taken(tx: &mut Tx, told: &Notice) -> Result<()> {
    let tenant = charge::read_key(&told.key).map(|(tenant, ..)| tenant);
    let tenant = tenant.ok_or_else(|| Error::missing("charge", &told.key))?;
    let who = Actor::system(directory::tenant_by_key(tx, tenant).await?, "gateway");
    notice(tx, &who, told).await
}

/// Takes the customer's answer to a charge that waits for it to the gateway, and writes down what became of it. Runs to
/// its end even if the caller goes away.
pub async fn confirm(
    db: &Db,
    gateway: Arc<dyn PaymentGateway>,
    who: &Actor,
    charge: &str,
    is_confirmed: bool,
) -> Result<Invoice> {
    let (db, who, charge) = (db.clone(), who.clone(), charge.to_owned());
    let work = tokio::spawn(async move {
        let mut tx = db.read().await?;
        let charge = charge::get(&mut tx, &who, &charge).await?;
        let attempt = charge.question(&mut tx, &who).await?;
        drop(tx);
        let reference = charge.gateway_ref.ok_or_else(|| Error::missing("charge", &charge.id))?;
        let outcome = gateway.challenge(&reference, is_confirmed).await;
        let outcome = outcome.ok_or_else(|| Error::missing("charge", &charge.id))?;
        transact!(db, |tx| settle(tx, &who, &attempt, &outcome).await)
    });
    work.await.map_err(Error::internal)?
}

/// Looks up every charge whose time for it has come, whoever's; answers how many there were.
pub async fn reconcile_due(db: &Db, gateway: &dyn PaymentGateway) -> Result<usize> {
    let mut tx = db.read().await?;
    let due = directory::unsettled(&mut tx).await?;
    drop(tx);
    for (tenant, charge) in &due {
        let who = Actor::system(tenant.clone(), "reconcile");
        // One that cannot be looked up now keeps no other waiting.
        if let Err(error) = reconcile(db, gateway, &who, charge).await {
            tracing::error!(charge, ?error, "a charge could not be looked up");
        }
    }
    Ok(due.len())
}

async fn reconcile(db: &Db, gateway: &dyn PaymentGateway, who: &Actor, id: &str) -> Result<()> {
    let mut tx = db.read().await?;
    let charge = charge::get(&mut tx, who, id).await?;
    let attempt = charge.question(&mut tx, who).await?;
    let is_wanted = invoice::get(&mut tx, who, &charge.invoice).await?.status == invoice::Status::Open;
    drop(tx);
    let outcome = match gateway.look_up(&attempt.charge.key).await {
        Some(outcome) => outcome,
        // The request never got through. Sent again with its own key it cannot charge twice, whatever is still on its way.
        None if is_wanted => gateway.charge(&attempt.charge).await,
        None => never_charged(&attempt),
    };
    transact!(db, |tx| {
        if outcome == Outcome::Unknown {
            return later(tx, who, &charge).await;
        }
        settle(tx, who, &attempt, &outcome).await?;
        Ok(())
    })
}

/// What is said of a charge that the gateway never saw, and that nobody wants any more.
fn never_charged(attempt: &Attempt) -> Outcome {
    Outcome::Declined { reference: attempt.charge.key.clone(), code: "processing_error".into() }
}

/// Nothing is known yet: the invoice stays locked, and the charge is looked up again, as long as there is hope in it.
async fn later(tx: &mut Tx, who: &Actor, charge: &Charge) -> Result<()> {
    let lookups = charge.lookups + 1;
    let next = usize::try_from(lookups).ok().and_then(|n| LOOK_UPS.get(n)).map(|wait| {
        let planned = Millis::from(charge.created).plus(*wait);
        planned.max(tx.now.plus(LOOK_UPS[0]))
    });
    if next.is_none() {
        tracing::error!(
            charge = charge.id,
            "the gateway does not say what became of a charge; its invoice stays locked"
        );
    }
    let noted = run!(
        tx,
        "update payment_attempt set status = 'unknown', lookups = $3, next_lookup_ms = $4, version = version + 1
         where tenant = $1 and id = $2 and version = $5 and status in ('processing', 'unknown')",
        who.tenant.key,
        &charge.id,
        lookups,
        next,
        charge.version
    )?;
    if noted == 0 {
        // Somebody else has learnt more meanwhile.
        return Ok(());
    }
    crate::audit::note(tx, who, "payment.looked_up", "charge", &charge.id, Some(&charge.customer)).await
}
