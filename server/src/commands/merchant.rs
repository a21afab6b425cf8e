//! `portico merchant`: makes merchants.

use billing::{Currency, directory, transact};
use clap::Subcommand;
use serde_json::json;

use super::{console, detail, open};
use crate::config::Settings;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a merchant and its first test key.
    Create {
        #[arg(long)]
        name: String,
        /// Two-letter country code.
        #[arg(long, default_value = "US")]
        country: String,
        /// Three-letter currency code.
        #[arg(long, default_value = "usd")]
        currency: String,
        #[arg(long)]
        json: bool,
    },
    /// List the merchants.
    List,
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = open(settings).await?;
    match command {
        Command::Create { name, country, currency, json } => {
            if country.len() != 2 || !country.chars().all(|c| c.is_ascii_alphabetic()) {
                return Err("--country is a two-letter code such as US or DE".into());
            }
            let country = country.to_ascii_uppercase();
            let currency = Currency::parse(&currency, "--currency").map_err(|e| detail(&e))?;
            let made = transact!(db, |tx| {
                let merchant = directory::create_merchant(tx, &name, &country, &currency).await?;
                let who = console(directory::tenant(tx, &merchant.id, false).await?);
                let (_, key) = directory::create_key(tx, &who, Some("first key")).await?;
                Ok((merchant, key))
            });
            let (merchant, key) = made.map_err(|e| detail(&e))?;
            if json {
                println!("{}", json!({ "merchant": merchant.id, "secret_key": key }));
            } else {
                println!("merchant    {}\nsecret key  {key}   (shown this once)", merchant.id);
            }
        }
        Command::List => {
            let mut tx = db.read().await.map_err(|e| detail(&e))?;
            for merchant in directory::merchants(&mut tx).await.map_err(|e| detail(&e))? {
                println!("{}  {}", merchant.id, merchant.name);
            }
        }
    }
    Ok(())
}
