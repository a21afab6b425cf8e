//! What a customer may change of how they are billed, as far as the configuration lists it.

use crate::actor::Actor;
use crate::customer::tax_id::{self, NewTaxId, TaxId};
use crate::customer::{self, Address, Customer, CustomerUpdate, Shipping};
use crate::error::{Error, Result};
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::features::AllowedUpdate;
use crate::portal::may_write;
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

/// Gives the caller a tax ID.
pub async fn add_tax_id(tx: &mut Tx, who: &Actor, allowed: &Configuration, new: NewTaxId) -> Result<TaxId> {
    may_write(who, allows(allowed, AllowedUpdate::TaxId))?;
    let added = tax_id::create(tx, who, own(who)?, new).await?;
    session::complete(tx, who).await?;
    Ok(added)
}

/// Takes one of the caller's tax IDs away.
pub async fn remove_tax_id(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<()> {
    may_write(who, allows(allowed, AllowedUpdate::TaxId))?;
    let found = tax_id::of_customer(tx, who, own(who)?, id).await?;
    tax_id::delete(tx, who, &found.id).await?;
    session::complete(tx, who).await
}

fn own(who: &Actor) -> Result<&str> {
    who.customer().ok_or(Error::Forbidden("Only a customer has details of their own."))
}

/// Changes the caller's own details; all of them, or none where one is not allowed.
pub async fn update(tx: &mut Tx, who: &Actor, allowed: &Configuration, update: DetailsUpdate) -> Result<Customer> {
    may_write(who, allowed.features.customer_update.enabled)?;
    let own = own(who)?;
    for field in update.touched() {
        may_write(who, allows(allowed, field))?;
    }
    let before = customer::get(tx, who, own).await?;
    let update = CustomerUpdate {
        name: update.name,
        phone: update.phone,
        address: update.address,
        shipping: update.shipping,
        ..CustomerUpdate::default()
    };
    let after = customer::update(tx, who, own, update).await?;
    if after != before {
        session::complete(tx, who).await?;
    }
    Ok(after)
}
