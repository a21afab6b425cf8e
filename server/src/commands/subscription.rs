//! `portico subscription`: those that the safety bound has stopped, and letting one go on.

use billing::cycle::parking;
use billing::transact;
use clap::Subcommand;

use super::{console, detail, open};
use crate::config::Settings;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List those that were parked, since they would have been billed twice: of every merchant, in both modes.
    Parked,
    /// Let a parked one go on, behind the periods that have their invoices. What is due of it is done then.
    Unpark { id: String },
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = open(settings).await?;
    match command {
        Command::Parked => {
            let mut tx = db.read().await.map_err(|e| detail(&e))?;
            for one in parking::list(&mut tx).await.map_err(|e| detail(&e))? {
                let (mode, at) = (if one.livemode { "live" } else { "test" }, one.parked_at.0);
                let at = jiff::Timestamp::from_second(at).unwrap_or_default();
                println!("{}  {at}  {}  {}  {mode}", one.id, one.customer, one.merchant);
            }
        }
        Command::Unpark { id } => {
            let done = transact!(db, |tx| {
                let who = console(parking::tenant_of(tx, &id).await?);
                parking::release(tx, &who, &id).await
            });
            done.map_err(|e| detail(&e))?;
            println!("{id} goes on.");
        }
    }
    Ok(())
}
