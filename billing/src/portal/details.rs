//! What a customer may change of how they are billed, as far as the configuration lists it.

use crate::actor::Actor;
use crate::customer::{self, Address, Customer, CustomerUpdate, Shipping};
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::portal::acts::may_write;
use crate::portal::configuration::Configuration;
use crate::portal::features::AllowedUpdate;
use crate::portal::session;
use crate::store::Tx;

/// Only what is not kept must be allowed.
#[derive(Debug, Clone, Default)]
pub struct DetailsUpdate {
    pub name: Patch<String>,
    pub phone: Patch<String>,
    pub address: Patch<Address>,
    pub shipping: Patch<Shipping>,
}

impl DetailsUpdate {
    fn touched(&self) -> impl Iterator<Item = AllowedUpdate> {
        let each = [
            (self.name != Patch::Keep, AllowedUpdate::Name),
            (self.phone != Patch::Keep, AllowedUpdate::Phone),
            (self.address != Patch::Keep, AllowedUpdate::Address),
            (self.shipping != Patch::Keep, AllowedUpdate::Shipping),
        ];
        each.into_iter().filter_map(|(touched, field)| touched.then_some(field))
    }
}

/// Whether the portal lets a customer change this of themselves.
pub fn allows(allowed: &Configuration, field: AllowedUpdate) -> bool {
    let feature = &allowed.features.customer_update;
    feature.enabled && feature.allowed_updates.contains(&field)
}

/// Changes the caller's own details; all of them, or none where one is not allowed.
pub async fn update(tx: &mut Tx, who: &Actor, allowed: &Configuration, update: DetailsUpdate) -> Result<Customer> {
    may_write(who, allowed.features.customer_update.enabled)?;
    let Some(own) = who.customer() else { return Err(Error::Forbidden("Only a customer has details of their own.")) };
    for field in update.touched() {
        may_write(who, allows(allowed, field))?;
    }
    let update = CustomerUpdate {
        name: update.name,
        phone: update.phone,
        address: update.address,
        shipping: update.shipping,
        ..CustomerUpdate::default()
    };
    let customer = customer::update(tx, who, own, update).await?;
    session::complete(tx, who).await?;
    Ok(customer)
}
