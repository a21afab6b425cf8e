//! What no two customers of a merchant may share.

use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::patch::check_text;
use crate::store::{Tx, maybe};

pub(super) async fn check_external_id(tx: &mut Tx, who: &Actor, external: &str, id: &str) -> Result<()> {
    check_text(external, 255, "external_id")?;
    let taken: Option<(String,)> = maybe!(
        tx,
        "select id from customer where tenant = $1 and external_id = $2 and id <> $3",
        who.tenant.key,
        external,
        id
    )?;
    match taken {
        None => Ok(()),
        Some(_) => Err(Error::Invalid {
            param: "external_id".into(),
            code: "resource_already_exists",
            message: "Another customer has this external_id.".into(),
        }),
    }
}

/// Numbers begin with the prefix and are unique with the merchant, so no two customers may share one.
pub(super) async fn check_prefix(tx: &mut Tx, who: &Actor, prefix: &str, id: &str) -> Result<()> {
    let taken: Option<(String,)> = maybe!(
        tx,
        "select id from customer where tenant = $1 and invoice_prefix = $2 and id <> $3",
        who.tenant.key,
        prefix,
        id
    )?;
    match taken {
        None => Ok(()),
        Some(_) => Err(Error::Invalid {
            param: "invoice_prefix".into(),
            code: "resource_already_exists",
            message: "Another customer's invoices have this prefix.".into(),
        }),
    }
}
