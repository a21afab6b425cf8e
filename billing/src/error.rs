//! Errors are few and typed; each door renders them in its own envelope.

/// Why an operation was refused or failed. Detail meant for the log is kept apart from what a caller may read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field does not hold what it must. `param` names it in the caller's own terms (`items[0][price]`).
    #[error("{message}")]
    Invalid { param: String, code: &'static str, message: String },
    /// No such object for this caller: absent, deleted, or somebody else's.
    #[error("No such {object}: '{id}'")]
    Missing { object: &'static str, id: String, param: String },
    /// The object is not in a state that allows this; `code` says which rule.
    #[error("{message}")]
    Conflict { code: &'static str, message: String },
    /// The caller is known, but may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The gateway refused the charge.
    #[error("{message}")]
    Declined { code: String, message: String },
    /// The same request, or one on the same object, is still running: safe to send again.
    #[error("another request with this key or on this object is still running")]
    Busy,
    /// More often than is allowed in a time; later it is.
    #[error("{0}")]
    TooOften(&'static str),
    /// The same key was used with other parameters.
    #[error("keys for idempotent requests can only be used with the same parameters they were first used with")]
    KeyReused,
    /// The database cannot take writes now (disk full, connection lost). Nothing was changed.
    #[error("the service cannot do this right now")]
    Unavailable(String),
    /// A defect or a broken environment. The text goes to the log only.
    #[error("something went wrong on our side")]
    Internal(String),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { param: param.into(), code: "parameter_invalid", message: message.into() }
    }

    pub fn missing(object: &'static str, id: impl Into<String>) -> Self {
        Self::Missing { object, id: id.into(), param: "id".into() }
    }

    /// The same error, naming the parameter that carried the id.
    pub fn on(self, param: impl Into<String>) -> Self {
        match self {
            Self::Missing { object, id, .. } => Self::Missing { object, id, param: param.into() },
            Self::Invalid { code, message, .. } => Self::Invalid { param: param.into(), code, message },
            other => other,
        }
    }

    /// The same error, of an object that was given inside a parameter: `name` becomes `product_data[name]`.
    pub fn within(self, outer: &str) -> Self {
        let nest = |param: String| match param.split_once('[') {
            Some((first, rest)) => format!("{outer}[{first}][{rest}"),
            None => format!("{outer}[{param}]"),
        };
        match self {
            Self::Missing { object, id, param } => Self::Missing { object, id, param: nest(param) },
            Self::Invalid { code, message, param } => Self::Invalid { param: nest(param), code, message },
            other => other,
        }
    }

    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::Conflict { code, message: message.into() }
    }

    pub fn internal(detail: impl std::fmt::Display) -> Self {
        Self::Internal(detail.to_string())
    }

    /// Whether running the whole transaction again may succeed.
    pub(crate) fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(inner) => from_database(inner.as_ref()),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => {
                Self::Unavailable(error.to_string())
            }
            other => Self::Internal(other.to_string()),
        }
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> Error {
    let code = error.code().unwrap_or_default();
    // A row that somebody else just inserted: the next run sees it, and says what it means.
    if error.is_unique_violation() {
        tracing::debug!(%error, "a unique key was taken");
        return Error::Busy;
    }
    match error.try_downcast_ref::<sqlx::sqlite::SqliteError>() {
        // SQLite's codes: the last byte is the kind, the rest says more.
        Some(_) => match code.parse::<u32>().unwrap_or_default() & 0xff {
            // busy, locked
            5 | 6 => Error::Busy,
            // read-only, I/O error, full, cannot open
            8 | 10 | 13 | 14 => Error::Unavailable(error.to_string()),
            _ => Error::Internal(error.to_string()),
        },
        None => match code.as_ref() {
            // serialization failure, deadlock
            "40001" | "40P01" => Error::Busy,
            // disk full, too many connections, shutting down, crashed, starting
            "53100" | "53300" | "57P01" | "57P02" | "57P03" => Error::Unavailable(error.to_string()),
            _ => Error::Internal(error.to_string()),
        },
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.to_string())
    }
}
