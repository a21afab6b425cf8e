//! Links to printed documents: an invoice, a credit note, the receipt of a charge. They need no session and do not end, so
//! that a merchant's books may keep them; each opens one document and nothing else.

use crate::actor::Tenant;
use crate::error::Result;
use crate::store::{Tx, all};

/// The link of an object's document; `None` where nobody reaches the portal. It is the same whenever it is asked for.
pub(crate) fn url(tx: &Tx, tenant: &Tenant, object: &str) -> Option<String> {
    let portal = tx.public_url.as_ref()?;
    let mark = tx.key.mark(&marked(tenant, object));
    Some(format!("{portal}/documents/{}/{object}/{mark}", tenant.merchant))
}

/// Whose document a link opens; `None` where the mark is not that of the merchant's object.
pub async fn find(tx: &mut Tx, merchant: &str, object: &str, mark: &str) -> Result<Option<Tenant>> {
    let modes: Vec<(i64, bool)> = all!(tx, "select id, livemode from tenant where merchant = $1", merchant)?;
    let tenants = modes.into_iter().map(|(key, livemode)| Tenant { key, merchant: merchant.into(), livemode });
    let mut own = tenants.filter(|tenant| tx.key.has_marked(&marked(tenant, object), mark));
    Ok(own.next())
}

fn marked(tenant: &Tenant, object: &str) -> String {
    format!("document/{}/{object}", tenant.key)
}
