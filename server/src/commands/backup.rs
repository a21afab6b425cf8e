//! `portico backup`: a consistent copy of an SQLite database while it is in use.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use billing::Clock;

use super::{connect_as_it_is, detail};
use crate::config::Settings;

pub async fn run(settings: &Settings, to: &Path) -> Result<(), String> {
    let at = |e: std::io::Error| format!("{}: {e}", to.display());
    if !settings.database_url.starts_with("sqlite:") {
        return Err("PostgreSQL has its own: use pg_dump".into());
    }
    let db = connect_as_it_is(settings, Clock::system()).await?;
    let name = to.to_str().ok_or("the file's name must be UTF-8")?;
    // Made first, so that nobody else may read it, and so that a file that is there already stays as it is.
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(at)?;
    let copied = db.copy_to(name).await.map_err(|e| detail(&e)).and_then(|()| file.sync_all().map_err(at));
    if copied.is_err() {
        // What is half there is no backup.
        let _ = std::fs::remove_file(to);
    }
    copied?;
    // The name is durable once its folder is.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(at)
}
