//! What each subcommand does.

pub mod audit;
pub mod backup;
pub mod check;
pub mod demo;
pub mod key;
pub mod merchant;
pub mod sandbox;
pub mod serve;
pub mod session;
pub mod subscription;
pub mod webhooks;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use billing::{Actor, Clock, Db, Tenant, directory};

use crate::config::{Settings, encryption_key};

/// Opens the database and brings it up to date.
pub async fn open(settings: &Settings) -> Result<Db, String> {
    open_at(settings, Clock::system()).await
}

pub async fn open_at(settings: &Settings, clock: Clock) -> Result<Db, String> {
    let db = connect(settings, clock).await?;
    db.migrate().await.map_err(|e| format!("cannot migrate the database: {}", detail(&e)))?;
    Ok(db)
}

/// Opens the database as it is.
pub async fn connect(settings: &Settings, clock: Clock) -> Result<Db, String> {
    let key = encryption_key(settings)?;
    let db = Db::open(&settings.database_url, clock)
        .await
        .map_err(|e| format!("cannot open the database: {}", detail(&e)))?;
    Ok(db.sealed_with(key).reached_at(&settings.public_url))
}

/// Opens a database that is there already: an SQLite file would be made.
pub async fn connect_as_it_is(settings: &Settings, clock: Clock) -> Result<Db, String> {
    if let Some(path) = settings.database_url.strip_prefix("sqlite://") {
        let file = path.split('?').next().unwrap_or(path);
        if !Path::new(file).exists() {
            return Err(format!("{file}: there is no database"));
        }
    }
    connect(settings, clock).await
}

/// An operator may read what a caller may not.
pub fn detail(error: &billing::Error) -> String {
    match error {
        billing::Error::Internal(detail) | billing::Error::Unavailable(detail) => detail.clone(),
        other => other.to_string(),
    }
}

/// The test mode of the merchant that was named, or of the only one there is.
pub async fn tenant_of(db: &Db, merchant: Option<&str>) -> Result<Tenant, String> {
    let read = async {
        let mut tx = db.read().await?;
        let id = match merchant {
            Some(id) => id.to_owned(),
            None => match directory::merchants(&mut tx).await?.as_slice() {
                [only] => only.id.clone(),
                [] => {
                    return Ok(Err(
                        "there is no merchant yet; make one with `portico merchant create --name NAME`".to_owned()
                    ));
                }
                _ => return Ok(Err("there are several merchants; say which with --merchant acct_…".to_owned())),
            },
        };
        directory::tenant(&mut tx, &id, false).await.map(Ok)
    };
    read.await.map_err(|e| detail(&e))?
}

pub fn console(tenant: Tenant) -> Actor {
    Actor::system(tenant, "console")
}

/// Asks `/readyz` of the server at the configured address.
pub async fn healthcheck(settings: &Settings) -> Result<(), String> {
    let ask = || -> std::io::Result<String> {
        let wait = Duration::from_secs(5);
        let mut stream = TcpStream::connect_timeout(&settings.addr, wait)?;
        stream.set_read_timeout(Some(wait))?;
        write!(stream, "GET /readyz HTTP/1.0\r\nHost: {}\r\n\r\n", settings.authority())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|e| format!("no answer at {}: {e}", settings.addr))?;
    let first = answer.lines().next().unwrap_or_default();
    if first.contains(" 200") { Ok(()) } else { Err(format!("not ready: {first}")) }
}
