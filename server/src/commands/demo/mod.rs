//! `portico demo`: a merchant with customers in every state, made by running the operations under a clock of the past.

mod catalogue;
mod crowd;
mod stage;
mod stories;

pub use crowd::gather;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use billing::customer::CustomerFilter;
use billing::portal::session::{self, NewSession, SessionOrigin};
use billing::{Clock, Currency, Db, Error, Result, Trace, directory, transact};
use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{console, detail, open, open_at, sandbox};
use crate::config::Settings;
use stage::Stage;
use stories::STORIES;

const MERCHANT: &str = "Northwind Studio";
/// The merchant opened so long ago, in milliseconds: before the first of the stories.
const OPENED: i64 = 750 * 24 * 60 * 60 * 1000;
/// The customer that the printed portal link belongs to.
const FIRST: &str = "active";

/// Kept beside the database, so that a second run prints the same key: keys are stored as hashes only.
#[derive(Serialize, Deserialize)]
struct Kept {
    merchant: String,
    secret_key: String,
}

/// What there is, and how to get in.
#[derive(Debug)]
pub struct Made {
    pub merchant: String,
    pub secret_key: String,
    /// States, and who is in them.
    pub customers: Vec<(&'static str, String)>,
    /// Opens the first customer's portal, once.
    pub portal_url: String,
}

#[derive(Debug, Args)]
pub struct Options {
    /// Print what was made as JSON.
    #[arg(long)]
    json: bool,
    /// Add so many generated customers, each with a subscription and twelve paid invoices.
    #[arg(long, value_name = "N")]
    customers: Option<usize>,
    /// Let the next renewal of all of them be due now.
    #[arg(long, requires = "customers")]
    due: bool,
}

pub async fn run(settings: &Settings, options: &Options) -> std::result::Result<(), String> {
    let made = make(settings).await?;
    if let Some(many) = options.customers {
        gather(settings, &made.merchant, many, options.due).await?;
    }
    if options.json {
        let customers: BTreeMap<_, _> = made.customers.into_iter().collect();
        println!(
            "{}",
            json!({
                "merchant": made.merchant,
                "secret_key": made.secret_key,
                "customers": customers,
                "portal_url": made.portal_url,
            })
        );
        return Ok(());
    }
    println!("Demo merchant   {MERCHANT} ({})", made.merchant);
    println!("Test key        {}", made.secret_key);
    for (state, id) in made.customers {
        println!("  {state:<22} {id}");
    }
    println!("Portal link     {}\n                (opens {FIRST}'s portal, once, within 30 minutes)", made.portal_url);
    Ok(())
}

/// The demo of this installation, made where there is none yet, with a fresh link.
pub async fn make(settings: &Settings) -> std::result::Result<Made, String> {
    let db = open(settings).await?;
    let kept = match read_kept(&db, settings).await.map_err(|e| detail(&e))? {
        Some(kept) => kept,
        None => {
            let kept = load(settings).await?;
            keep(settings, &kept)?;
            kept
        }
    };
    report(&db, kept).await.map_err(|e| detail(&e))
}

fn kept_path(settings: &Settings) -> PathBuf {
    let beside =
        settings.database_url.strip_prefix("sqlite://").map(|path| Path::new(path).with_file_name("demo.json"));
    beside.unwrap_or_else(|| "data/demo.json".into())
}

async fn read_kept(db: &Db, settings: &Settings) -> Result<Option<Kept>> {
    let Ok(text) = std::fs::read_to_string(kept_path(settings)) else { return Ok(None) };
    let Ok(kept) = serde_json::from_str::<Kept>(&text) else { return Ok(None) };
    let mut tx = db.read().await?;
    let caller = directory::by_key(&mut tx, &kept.secret_key, Trace::default()).await?;
    Ok(caller.is_some_and(|who| who.tenant.merchant == kept.merchant).then_some(kept))
}

fn keep(settings: &Settings, kept: &Kept) -> std::result::Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let path = kept_path(settings);
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(serde_json::to_string(kept)?.as_bytes())
    };
    write().map_err(|e| format!("{}: {e}", path.display()))
}

/// The demo's customers by state, and a fresh link for the first.
async fn report(db: &Db, kept: Kept) -> Result<Made> {
    let mut tx = db.read().await?;
    let who = console(directory::tenant(&mut tx, &kept.merchant, false).await?);
    let mut customers = Vec::new();
    for story in STORIES {
        let external = format!("demo_{}", story.state);
        let filter = CustomerFilter { external_id: Some(external), ..CustomerFilter::default() };
        let found = billing::customer::list(&mut tx, &who, &billing::Page::first(1), &filter).await?;
        customers.extend(found.data.into_iter().map(|c| (story.state, c.id)));
    }
    drop(tx);
    let customer = customers.iter().find(|(state, _)| *state == FIRST).map(|(_, id)| id.clone());
    let new = NewSession {
        flow: None,
        customer: customer.ok_or_else(|| Error::internal("the demo's first customer is gone"))?,
        configuration: None,
        return_url: Some("http://127.0.0.1:3002/account".into()),
        cancel_url: None,
        locale: None,
        subscription: None,
        origin: SessionOrigin::Console,
    };
    let minted = transact!(db, |tx| session::create(tx, &who, new.clone()).await)?;
    Ok(Made { merchant: kept.merchant, secret_key: kept.secret_key, customers, portal_url: minted.url })
}

/// Makes everything, under a clock that begins in the past and is moved from event to event.
async fn load(settings: &Settings) -> std::result::Result<Kept, String> {
    let now = Clock::system().wall();
    let db = open_at(settings, Clock::manual(now.plus(-OPENED))).await?.silently();
    let gateway = sandbox::gateway(settings).await?;
    let told = async {
        let (kept, who, shelf) = transact!(db, |tx| {
            let usd = Currency::parse("usd", "currency")?;
            let merchant = directory::create_merchant(tx, MERCHANT, "US", &usd).await?;
            let who = console(directory::tenant(tx, &merchant.id, false).await?);
            let (_, secret_key) = directory::create_key(tx, &who, Some("demo")).await?;
            let shelf = catalogue::fill(tx, &who).await?;
            Ok((Kept { merchant: merchant.id, secret_key }, who, shelf))
        })?;
        let stage = Stage { db, gateway, who, shelf, now: now.seconds() };
        for story in STORIES {
            stage.tell(story).await?;
        }
        Ok(kept)
    };
    told.await.map_err(|e: Error| format!("the demo could not be loaded: {}", detail(&e)))
}
