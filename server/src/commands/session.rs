//! `portico session`: portal links for support staff, and ending sessions.

use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::transact;
use clap::Subcommand;

use super::{console, detail, open, tenant_of};
use crate::config::Settings;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print a portal link for a customer; it works once.
    Create {
        #[arg(long)]
        customer: String,
        #[arg(long)]
        merchant: Option<String>,
        /// The configuration to use [default: the merchant's default one].
        #[arg(long)]
        configuration: Option<String>,
        #[arg(long)]
        return_url: Option<String>,
    },
    /// End one session, or all of the merchant's.
    Revoke {
        #[arg(required_unless_present = "all")]
        id: Option<String>,
        #[arg(long)]
        all: bool,
        #[arg(long)]
        merchant: Option<String>,
    },
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = open(settings).await?;
    match command {
        Command::Create { customer, merchant, configuration, return_url } => {
            let who = console(tenant_of(&db, merchant.as_deref()).await?);
            let new = NewSession {
                flow: None,
                customer,
                configuration,
                return_url,
                cancel_url: None,
                locale: None,
                subscription: None,
                origin: SessionOrigin::Console,
            };
            let minted = transact!(db, |tx| session::create(tx, &who, new.clone()).await).map_err(|e| detail(&e))?;
            println!("{}", minted.url);
        }
        Command::Revoke { id, all, merchant } => {
            let who = console(tenant_of(&db, merchant.as_deref()).await?);
            let ended = match id.filter(|_| !all) {
                Some(id) => transact!(db, |tx| session::revoke(tx, &who, &id).await.map(|_| 1)),
                None => transact!(db, |tx| session::revoke_all(tx, &who, None).await),
            };
            println!("{} ended.", ended.map_err(|e| detail(&e))?);
        }
    }
    Ok(())
}
