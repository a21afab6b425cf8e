//! `portico check`: whether the books prove themselves.

use std::path::Path;

use billing::Clock;
use billing::check::{self, Finding, Look, MOST};
use billing::gateway::sandbox::Sandbox;
use clap::Args;

use super::{connect_as_it_is, detail};
use crate::config::Settings;

/// As many violations are printed of each invariant.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub struct Options {
    /// Nobody works on these books (a backup, a stopped server): what is late or unanswered is no violation.
    #[arg(long)]
    pub at_rest: bool,
}

pub async fn run(settings: &Settings, options: &Options) -> Result<(), String> {
    let db = connect_as_it_is(settings, Clock::system()).await?;
    if !db.is_ready().await.map_err(|e| detail(&e))? {
        return Err("the database's schema is not up to date; run `portico migrate`".into());
    }
    let ledger = ledger(settings).await?;
    let look = Look { ledger: ledger.as_ref(), at_rest: options.at_rest };
    let found = check::run(&db, look).await.map_err(|e| detail(&e))?;
    for finding in &found {
        print!("{}", told(finding));
    }
    match found.iter().filter(|finding| !finding.violations.is_empty()).count() {
        0 => Ok(()),
        broken => Err(format!("{broken} of {} invariants are broken", found.len())),
    }
}

/// The test processor's ledger, where it is on this machine. Opening would make it.
async fn ledger(settings: &Settings) -> Result<Option<Sandbox>, String> {
    let url = settings.sandbox_ledger();
    let path = url.strip_prefix("sqlite://").unwrap_or(&url);
    if !Path::new(path.split('?').next().unwrap_or(path)).exists() {
        return Ok(None);
    }
    let opened = Sandbox::open(&url).await;
    opened.map(Some).map_err(|e| format!("cannot open the sandbox's ledger: {}", detail(&e)))
}

/// One line, and one for each violation that is shown.
fn told(finding: &Finding) -> String {
    let (word, count) = match finding.violations.len() {
        0 => ("ok", String::new()),
        many => ("BROKEN", format!(", {}{many} violations", if many >= MOST { "at least " } else { "" })),
    };
    let left_out = finding.left_out.map(|why| format!(" ({why})")).unwrap_or_default();
    let mut text =
        format!("{:>2}  {word:<6}  {}: {} rows{count}{left_out}\n", finding.number, finding.name, finding.rows);
    for violation in finding.violations.iter().take(SHOWN) {
        text += &format!("            {}: {}\n", violation.id, violation.what);
    }
    text
}
