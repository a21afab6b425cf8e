//! The secret that signs an endpoint's deliveries, kept sealed, and the one before it for a day.

use super::{Endpoint, announce, get, signature};
use crate::actor::Actor;
use crate::clock::Seconds;
use crate::error::{Error, Result};
use crate::store::{Tx, one, run};

/// As long as both secrets sign after a rotation.
const BOTH: i64 = 24 * 60 * 60;

/// The whole secret text, to sign with.
pub async fn secret(tx: &mut Tx, who: &Actor, id: &str) -> Result<String> {
    let endpoint = get(tx, who, id).await?;
    let mut secrets = signing_secrets(tx, who, &endpoint.id).await?;
    Ok(secrets.swap_remove(0))
}

/// The secret, and while a rotation lasts the one before it.
pub(super) async fn signing_secrets(tx: &mut Tx, who: &Actor, id: &str) -> Result<Vec<String>> {
    type Row = (String, Option<String>, Option<Seconds>);
    let (secret, previous, expires): Row = one!(
        tx,
        "select secret, previous_secret, previous_secret_expires from webhook_endpoint where tenant = $1 and id = $2",
        who.tenant.key,
        id
    )?;
    let lasts = expires.is_some_and(|expires| tx.now.seconds() < expires);
    let sealed = [Some(secret), previous.filter(|_| lasts)];
    sealed.iter().flatten().map(|sealed| tx.key.open(id, sealed)).collect()
}

/// Gives an endpoint a new secret, shown this once. The one before it signs beside it for another day; one before that
/// not any more.
pub async fn rotate(tx: &mut Tx, who: &Actor, id: &str) -> Result<(Endpoint, String)> {
    let before = get(tx, who, id).await?;
    let secret = signature::secret();
    let sealed = tx.key.seal(&before.id, &secret)?;
    let expires = tx.now.seconds().plus(BOTH);
    let saved = run!(
        tx,
        "update webhook_endpoint set previous_secret = secret, secret = $3, previous_secret_expires = $4, version = version + 1
         where tenant = $1 and id = $2 and version = $5",
        who.tenant.key,
        &before.id,
        sealed,
        expires,
        before.version
    )?;
    if saved != 1 {
        return Err(Error::Busy);
    }
    let after = Endpoint { previous_secret_expires: Some(expires), version: before.version + 1, ..before.clone() };
    announce(tx, who, Some(&before), Some(&after), "webhook_endpoint.secret_rotated").await?;
    Ok((after, secret))
}
