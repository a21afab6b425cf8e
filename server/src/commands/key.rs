//! `portico key`: makes, lists, rolls and revokes API keys.

use billing::{directory, transact};
use clap::Subcommand;
use serde_json::json;

use super::{console, detail, open, tenant_of};
use crate::config::Settings;

/// A rolled key works this much longer, so that a backend can be changed over.
const GRACE: i64 = 24 * 60 * 60;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key.
    Create {
        /// Which merchant, where there are several.
        #[arg(long)]
        merchant: Option<String>,
        #[arg(long)]
        name: Option<String>,
        /// A key for real money; needs a merchant with a real payment gateway.
        #[arg(long)]
        live: bool,
        #[arg(long)]
        json: bool,
    },
    /// List keys, without their text.
    List {
        #[arg(long)]
        merchant: Option<String>,
    },
    /// Make a new key in place of this one, which works for another 24 hours.
    Roll {
        id: String,
        #[arg(long)]
        merchant: Option<String>,
    },
    /// End a key now.
    Revoke {
        id: String,
        #[arg(long)]
        merchant: Option<String>,
    },
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = open(settings).await?;
    match command {
        Command::Create { merchant, name, live, json } => {
            let mut tenant = tenant_of(&db, merchant.as_deref()).await?;
            if live {
                let mut tx = db.read().await.map_err(|e| detail(&e))?;
                tenant = directory::tenant(&mut tx, &tenant.merchant, true).await.map_err(|e| detail(&e))?;
            }
            let who = console(tenant);
            let (key, text) =
                transact!(db, |tx| directory::create_key(tx, &who, name.as_deref()).await).map_err(|e| detail(&e))?;
            if json {
                println!("{}", json!({ "id": key.id, "secret_key": text }));
            } else {
                println!("{}  {text}   (shown this once)", key.id);
            }
        }
        Command::List { merchant } => {
            let who = console(tenant_of(&db, merchant.as_deref()).await?);
            let mut tx = db.read().await.map_err(|e| detail(&e))?;
            for key in directory::keys(&mut tx, &who).await.map_err(|e| detail(&e))? {
                let state = match (key.revoked_at, key.expires_at) {
                    (Some(_), _) => "revoked",
                    (None, Some(at)) if at <= db.clock().wall().seconds() => "expired",
                    (None, Some(_)) => "expiring",
                    (None, None) => "active",
                };
                println!("{}  …{}  {state}  {}", key.id, key.last4, key.name.unwrap_or_default());
            }
        }
        Command::Roll { id, merchant } => {
            let who = console(tenant_of(&db, merchant.as_deref()).await?);
            let made = transact!(db, |tx| {
                directory::revoke_key(tx, &who, &id, GRACE).await?;
                directory::create_key(tx, &who, None).await
            });
            let (key, text) = made.map_err(|e| detail(&e))?;
            println!("{}  {text}   (shown this once; {id} works for another 24 hours)", key.id);
        }
        Command::Revoke { id, merchant } => {
            let who = console(tenant_of(&db, merchant.as_deref()).await?);
            transact!(db, |tx| directory::revoke_key(tx, &who, &id, 0).await).map_err(|e| detail(&e))?;
            println!("{id} is revoked.");
        }
    }
    Ok(())
}
