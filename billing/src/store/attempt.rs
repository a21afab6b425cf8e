//! Doing something to see what comes of it, and taking it back: what a preview shows is what the change itself does.

use super::{Conn, Tx};
use crate::clock::Seconds;
use crate::error::{Error, Result};

/// The point that a transaction goes back to. Marks may be within another.
pub struct Mark {
    changed: bool,
    audited: bool,
    frozen: Option<Seconds>,
}

impl Tx {
    /// Marks the point to go back to.
    pub(crate) async fn mark(&mut self) -> Result<Mark> {
        self.say("savepoint attempt").await?;
        Ok(Mark { changed: self.changed, audited: self.audited, frozen: self.frozen })
    }

    /// Takes back all that was done since the mark.
    pub async fn go_back(&mut self, mark: Mark) -> Result<()> {
        self.say("rollback to savepoint attempt").await?;
        self.say("release savepoint attempt").await?;
        (self.changed, self.audited, self.frozen) = (mark.changed, mark.audited, mark.frozen);
        Ok(())
    }

    /// Lets stand what was done since the mark; the billing clock goes on.
    pub(crate) async fn let_stand(&mut self, mark: Mark) -> Result<()> {
        self.say("release savepoint attempt").await?;
        self.frozen = mark.frozen;
        Ok(())
    }

    /// Stops the billing clock of everything that is done from now on at an instant.
    pub(crate) fn freeze(&mut self, at: Seconds) {
        self.frozen = Some(at);
    }

    /// Where the billing clock stands still, if it does.
    pub(crate) fn frozen(&self) -> Option<Seconds> {
        self.frozen
    }

    async fn say(&mut self, sql: &'static str) -> Result<()> {
        let said = match &mut self.conn {
            Conn::Sqlite(inner) => sqlx::query(sql).execute(&mut **inner).await.map(|_| ()),
            Conn::Postgres(inner) => sqlx::query(sql).execute(&mut **inner).await.map(|_| ()),
        };
        said.map_err(Error::from)
    }
}
