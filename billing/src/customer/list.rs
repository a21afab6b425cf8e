//! Customers in pages, found by what is known of them.

use super::{Customer, columns, offer, stored};
use crate::actor::Actor;
use crate::error::Result;
use crate::page::{Listed, Page, page};
use crate::store::{Tx, all};

/// Filters of a list. Without a test clock, customers on one are left out, but where they are asked for by the
/// merchant's own id.
#[derive(Debug, Clone, Default)]
pub struct CustomerFilter {
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub test_clock: Option<String>,
}

pub async fn list(tx: &mut Tx, who: &Actor, page: &Page, filter: &CustomerFilter) -> Result<Listed<Customer>> {
    let (own, clock) = (who.customer(), filter.test_clock.as_deref());
    let listed: Result<Listed<Customer>> = match (&filter.email, &filter.external_id) {
        (None, None) => page!(
            tx,
            who,
            page,
            "customer" if "id = $3",
            columns!(),
            "deleted_at is null and (cast($7 as text) is null or id = $7) and (clock_id is not distinct from $8 or cast($7 as text) is not null)",
            own,
            clock
        ),
        (Some(email), None) => page!(
            tx,
            who,
            page,
            "customer" if "id = $3",
            columns!(),
            "deleted_at is null and (cast($7 as text) is null or id = $7) and (clock_id is not distinct from $8 or cast($7 as text) is not null)
             and lower(email) = lower($9) and email = $9",
            own,
            clock,
            email
        ),
        (email, Some(external)) => page!(
            tx,
            who,
            page,
            "customer" if "id = $3",
            columns!(),
            "deleted_at is null and (cast($7 as text) is null or id = $7) and (cast($8 as text) is null or clock_id = $8)
             and external_id = $9 and (cast($10 as text) is null or email = $10)",
            own,
            clock,
            external,
            email
        ),
    };
    let mut listed = listed?;
    for customer in &mut listed.data {
        offer::load(tx, who, customer).await?;
    }
    Ok(listed)
}

/// All who have this address, whatever the case of its letters, the newest first: at most a hundred.
pub async fn of_email(tx: &mut Tx, who: &Actor, email: &str) -> Result<Vec<Customer>> {
    let found: Vec<Customer> = all!(
        tx,
        concat!(
            "select ",
            columns!(),
            " from customer where tenant = $1 and lower(email) = lower($2) and deleted_at is null
              and (cast($3 as text) is null or id = $3) order by created desc, id desc limit 100"
        ),
        who.tenant.key,
        email,
        who.customer()
    )?;
    // A database may take for one letter what only looks alike.
    Ok(found.into_iter().filter(|one| one.email.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(email))).collect())
}
