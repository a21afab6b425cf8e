//! Mandates: a customer's leave to debit an account, given with the method and gone with it.

use serde::{Deserialize, Serialize};

use crate::actor::{Actor, Origin};
use crate::clock::Seconds;
use crate::customer::payment_method::{MethodType, PaymentMethod};
use crate::error::{Error, Result};
use crate::id;
use crate::store::{Json, Tx, maybe, run};
use crate::text_enum::text_enum;

text_enum!(Status { Active = "active", Inactive = "inactive" });

/// How it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// In the portal; else the merchant vouches for it.
    pub online: bool,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Mandate {
    pub id: String,
    pub payment_method: String,
    pub method_type: MethodType,
    pub status: Status,
    pub acceptance: Json<Acceptance>,
    pub created: Seconds,
}

pub async fn get(tx: &mut Tx, who: &Actor, id: &str) -> Result<Mandate> {
    maybe!(
        tx,
        "select d.id, d.payment_method, m.type as method_type, d.status, d.acceptance, d.created
         from mandate d join payment_method m on m.tenant = d.tenant and m.id = d.payment_method
         where d.tenant = $1 and d.id = $2 and (cast($3 as text) is null or m.customer = $3)",
        who.tenant.key,
        id,
        who.customer()
    )?
    .ok_or_else(|| Error::missing("mandate", id))
}

/// What is debited needs leave to be debited; what is charged does not.
pub(super) async fn give(tx: &mut Tx, who: &Actor, method: &PaymentMethod) -> Result<()> {
    if !matches!(method.r#type, MethodType::SepaDebit | MethodType::UsBankAccount) {
        return Ok(());
    }
    let online = matches!(who.origin, Origin::Portal { .. });
    let (ip, user_agent) = if online { (who.trace.ip.clone(), who.trace.user_agent.clone()) } else { (None, None) };
    let acceptance = Json(Acceptance { online, ip, user_agent });
    run!(
        tx,
        "insert into mandate (tenant, id, payment_method, status, type, acceptance, created) values ($1, $2, $3, $4, 'multi_use', $5, $6)",
        who.tenant.key,
        id::new("mandate", tx.now),
        &method.id,
        Status::Active,
        &acceptance,
        tx.now.seconds()
    )?;
    Ok(())
}

pub(super) async fn end(tx: &mut Tx, who: &Actor, method: &str) -> Result<()> {
    run!(
        tx,
        "update mandate set status = $3 where tenant = $1 and payment_method = $2",
        who.tenant.key,
        method,
        Status::Inactive
    )?;
    Ok(())
}
