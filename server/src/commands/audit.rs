//! `portico audit`: whether the audit log is what it was, and the hash that proves it later.

use std::path::{Path, PathBuf};

use billing::audit::seal::{self, Head};
use billing::audit::verify::{self, Verdict};
use billing::{Clock, Db, Millis, directory};
use clap::Subcommand;
use serde::{Deserialize, Serialize};

use super::{connect_as_it_is, detail};
use crate::config::Settings;

/// As many breaks are printed.
const SHOWN: usize = 10;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the last link of every merchant's chain, one JSON object a line: kept elsewhere, it shows later that nothing
    /// was cut off.
    Head,
    /// Walk through every chain; names the first row that is not what it was, and fails if there is one.
    Verify {
        /// What `portico audit head` printed earlier.
        #[arg(long, value_name = "FILE")]
        head: Option<PathBuf>,
    },
}

/// One line of `audit head`.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    merchant: String,
    livemode: bool,
    sequence: i64,
    hash: String,
    /// Unix milliseconds.
    sealed_ms: i64,
}

pub async fn run(settings: &Settings, command: Command) -> Result<(), String> {
    let db = connect_as_it_is(settings, Clock::system()).await?;
    match command {
        Command::Head => {
            let mut tx = db.read().await.map_err(|e| detail(&e))?;
            for head in seal::heads(&mut tx).await.map_err(|e| detail(&e))? {
                println!("{}", serde_json::to_string(&Line::from(head)).map_err(|e| e.to_string())?);
            }
            Ok(())
        }
        Command::Verify { head } => {
            let heads = match head {
                Some(file) => kept(&db, &file).await?,
                None => Vec::new(),
            };
            tell(&verify::verify(&db, &heads).await.map_err(|e| detail(&e))?)
        }
    }
}

impl From<Head> for Line {
    fn from(head: Head) -> Self {
        let (merchant, livemode) = (head.tenant.merchant, head.tenant.livemode);
        Self { merchant, livemode, sequence: head.sequence, hash: head.hash, sealed_ms: head.sealed_ms.0 }
    }
}

async fn kept(db: &Db, file: &Path) -> Result<Vec<Head>, String> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let mut tx = db.read().await.map_err(|e| detail(&e))?;
    let mut heads = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let line: Line = serde_json::from_str(line).map_err(|e| format!("{}: {e}", file.display()))?;
        let tenant = directory::tenant(&mut tx, &line.merchant, line.livemode).await.map_err(|e| detail(&e))?;
        heads.push(Head { tenant, sequence: line.sequence, hash: line.hash, sealed_ms: Millis(line.sealed_ms) });
    }
    Ok(heads)
}

fn tell(verdict: &Verdict) -> Result<(), String> {
    let since = verdict.unsealed_since.map(|at| format!(", the oldest since {}", at.0 / 1000)).unwrap_or_default();
    println!("{} entries are sealed; {} are not sealed yet{since}", verdict.sealed, verdict.unsealed);
    for broken in verdict.broken.iter().take(SHOWN) {
        let chain = if broken.chain.is_empty() { "the merchant's own" } else { broken.chain.as_str() };
        println!("    {}, number {} of the chain {chain}: {}", broken.entry, broken.sequence, broken.what);
    }
    match verdict.broken.len() {
        0 => Ok(()),
        many => Err(format!("the audit log is not what it was, in {many} places at least")),
    }
}
