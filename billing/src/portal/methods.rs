//! What a customer does with their payment methods in the portal: another default, and one less.

use crate::actor::Actor;
use crate::clock::Seconds;
use crate::customer::payment_method::{self, PaymentMethod};
use crate::customer::{self, Customer, CustomerUpdate};
use crate::error::{Error, Result};
use crate::page::Page;
use crate::patch::Patch;
use crate::portal::configuration::Configuration;
use crate::portal::may_write;
use crate::portal::session;
use crate::store::{Tx, maybe};

/// Makes one of the customer's methods what is charged from now on.
pub async fn set_default(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<Customer> {
    may_write(who, allowed.features.payment_method_update.enabled)?;
    let owner = owner(&payment_method::get(tx, who, id).await?)?;
    let current = customer::get(tx, who, &owner).await?;
    if current.default_payment_method.as_deref() == Some(id) {
        return Ok(current);
    }
    let customer = choose(tx, who, &owner, id).await?;
    session::complete(tx, who).await?;
    Ok(customer)
}

/// A method was added: it is what is charged from now on where that is wished, or where nothing else is.
pub(super) async fn added(tx: &mut Tx, who: &Actor, method: &str, is_wished: bool) -> Result<()> {
    let owner = owner(&payment_method::get(tx, who, method).await?)?;
    let current = customer::get(tx, who, &owner).await?;
    if is_wished || current.default_payment_method.is_none() {
        choose(tx, who, &owner, method).await?;
    }
    Ok(())
}

/// Takes a method away, unless it is the last one and a subscription lives on it. Where the default goes, the newest
/// of the others that is still good takes its place: something that lives is never left without one.
pub async fn remove(tx: &mut Tx, who: &Actor, allowed: &Configuration, id: &str) -> Result<PaymentMethod> {
    may_write(who, allowed.features.payment_method_update.enabled)?;
    let owner = owner(&payment_method::get(tx, who, id).await?)?;
    let customer = customer::get(tx, who, &owner).await?;
    let listed = payment_method::list(tx, who, &owner, &Page::first(100), None).await?;
    let is_last = listed.data.iter().all(|method| method.id == id);
    if is_last && is_charged(tx, who, &owner).await? {
        let message = "This is the only payment method, and a subscription is charged to it.";
        return Err(Error::conflict("payment_method_needed", message));
    }
    let now = customer::now(tx, who, &customer).await?;
    if let Some(next) = successor(&listed.data, id, customer.default_payment_method.as_deref(), now) {
        choose(tx, who, &owner, &next.id).await?;
    }
    let removed = payment_method::detach(tx, who, id).await?;
    session::complete(tx, who).await?;
    Ok(removed)
}

fn owner(method: &PaymentMethod) -> Result<String> {
    method.customer.clone().ok_or_else(|| Error::missing("payment_method", &method.id))
}

async fn choose(tx: &mut Tx, who: &Actor, customer: &str, method: &str) -> Result<Customer> {
    let update = CustomerUpdate { default_payment_method: Patch::Set(method.into()), ..CustomerUpdate::default() };
    customer::update(tx, who, customer, update).await
}

/// Whether a subscription that has not ended charges a method of the customer's by itself.
pub async fn is_charged(tx: &mut Tx, who: &Actor, customer: &str) -> Result<bool> {
    let living: Option<(String,)> = maybe!(
        tx,
        "select id from subscription where tenant = $1 and customer = $2 and status not in ('canceled', 'incomplete_expired')
         and collection_method = 'charge_automatically' limit 1",
        who.tenant.key,
        who.customer().unwrap_or(customer)
    )?;
    Ok(living.is_some())
}

/// What becomes the default when `removed` goes: nothing while another is; else the newest of the others that has not
/// expired, or simply the newest. `methods` are all of the customer's, newest first.
pub fn successor<'a>(
    methods: &'a [PaymentMethod],
    removed: &str,
    default: Option<&str>,
    now: Seconds,
) -> Option<&'a PaymentMethod> {
    if default.is_some_and(|default| default != removed) {
        return None;
    }
    let mut others = methods.iter().filter(|method| method.id != removed);
    others.clone().find(|method| method.details.ends().is_none_or(|end| now < end)).or_else(|| others.next())
}
