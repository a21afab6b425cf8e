//! Who comes to the login page, or back from the mail that it sent: found by what they hold.

use super::{Merchant, merchant, tenant_by_key};
use crate::actor::{Actor, Tenant};
use crate::error::Result;
use crate::id;
use crate::portal::branding::{Brand, brand};
use crate::portal::configuration::{self, Configuration};
use crate::portal::login::{self, Request};
use crate::store::{Tx, maybe};

/// The merchant's side of the door: nobody is signed in yet.
#[derive(Debug, Clone)]
pub struct Lobby {
    pub tenant: Tenant,
    pub configuration: Configuration,
    pub merchant: Merchant,
    pub brand: Brand,
}

impl Lobby {
    /// Nobody in particular, at the merchant's door.
    pub fn actor(&self, trace: crate::actor::Trace) -> Actor {
        Actor { trace, ..Actor::system(self.tenant.clone(), "login") }
    }

    /// Whether the merchant lets customers in by their address.
    pub fn is_open(&self) -> bool {
        self.configuration.login_page.enabled && self.configuration.active
    }
}

/// The login page with this token, whether it is open or not.
pub async fn by_login_token(tx: &mut Tx, token: &str) -> Result<Option<Lobby>> {
    let found: Option<(i64, String)> =
        maybe!(tx, "select tenant, id from portal_configuration where login_token = $1", token)?;
    match found {
        Some((tenant, configuration)) => lobby(tx, tenant, &configuration).await.map(Some),
        None => Ok(None),
    }
}

/// A merchant's default login page: the live mode's, once there is a gateway for it, else the test mode's. None where there
/// is no such merchant.
pub async fn by_merchant(tx: &mut Tx, id: &str) -> Result<Option<Lobby>> {
    let found: Option<(i64,)> = maybe!(
        tx,
        "select id from tenant where merchant = $1 and gateway is not null order by livemode desc limit 1",
        id
    )?;
    match found {
        Some((tenant,)) => lobby(tx, tenant, "default").await.map(Some),
        None => Ok(None),
    }
}

/// The same of the merchant in the mode whose own host one has come to.
pub async fn by_owner(tx: &mut Tx, owner: &Tenant) -> Result<Lobby> {
    lobby(tx, owner.key, "default").await
}

/// What a mail's link was made for, whatever has become of it.
pub async fn by_login_link(tx: &mut Tx, secret: &str) -> Result<Option<(Lobby, Request)>> {
    let found: Option<(i64, String)> =
        maybe!(tx, "select tenant, id from login_request where link_hash = $1", id::hash(secret))?;
    of_request(tx, found).await
}

/// The last that was asked for in the browser that holds this cookie.
pub async fn by_login_browser(tx: &mut Tx, cookie: &str) -> Result<Option<(Lobby, Request)>> {
    let found: Option<(i64, String)> = maybe!(
        tx,
        "select tenant, id from login_request where browser_hash = $1 order by created_ms desc, id desc limit 1",
        id::hash(cookie)
    )?;
    of_request(tx, found).await
}

/// Whose mailbox was proven in the browser that holds this cookie.
pub async fn by_login_proof(tx: &mut Tx, cookie: &str) -> Result<Option<(Lobby, Request)>> {
    let found: Option<(i64, String)> =
        maybe!(tx, "select tenant, id from login_request where proof_hash = $1", id::hash(cookie))?;
    of_request(tx, found).await
}

async fn of_request(tx: &mut Tx, found: Option<(i64, String)>) -> Result<Option<(Lobby, Request)>> {
    let Some((tenant, id)) = found else { return Ok(None) };
    let who = Actor::system(tenant_by_key(tx, tenant).await?, "login");
    let request = login::get(tx, &who, &id).await?;
    Ok(Some((lobby(tx, tenant, &request.configuration).await?, request)))
}

async fn lobby(tx: &mut Tx, tenant: i64, configuration: &str) -> Result<Lobby> {
    let tenant = tenant_by_key(tx, tenant).await?;
    let who = Actor::system(tenant.clone(), "login");
    let configuration = configuration::get(tx, &who, configuration).await?;
    let merchant = merchant(tx, &tenant.merchant).await?;
    let brand = brand::of(tx, &tenant, &merchant, &configuration).await?;
    Ok(Lobby { tenant, configuration, merchant, brand })
}
