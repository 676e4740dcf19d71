//! Why the store could not answer. Outcomes of a use case (taken, gone, reused) are not errors.

use std::sync::Arc;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the store; the caller can only give up (`Busy`: try again later).
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Too much to do at the moment, or others held what was needed for too long: 503.
    #[error("the database is busy")]
    Busy,
    /// A stored value cannot be read; names table and column.
    #[error("stored value of {0} cannot be read")]
    Corrupt(&'static str),
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[source] Failure),
    /// A text holds NUL, which PostgreSQL cannot keep.
    #[error("a text holds a NUL character")]
    Nul,
    /// The code of a write panicked; nothing of it was kept.
    #[error("a write panicked")]
    Panicked,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The database address is of no known form.
    #[error("a database address starts with sqlite: or postgres:// and names a file or a database")]
    Address,
    /// The schema cannot be used by this version of the program; the text says what to do.
    #[error("{0}")]
    Schema(String),
}

/// The driver's own error; private, so that no caller can depend on a driver.
#[derive(Clone, Debug)]
pub struct Failure(Arc<Driver>);

#[derive(Debug)]
enum Driver {
    Sqlite(rusqlite::Error),
    Postgres(sqlx::Error),
    Io(std::io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &*self.0 {
            Driver::Sqlite(e) => e.fmt(f),
            Driver::Postgres(e) => e.fmt(f),
            Driver::Io(e) => e.fmt(f),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &*self.0 {
            Driver::Sqlite(e) => e.source(),
            Driver::Postgres(e) => e.source(),
            Driver::Io(e) => e.source(),
        }
    }
}

impl Error {
    /// Whether the same transaction may succeed when it is run again: 40001 serialization failure, 40P01 deadlock.
    pub(crate) fn is_retryable(&self) -> bool {
        self.sqlstate().is_some_and(|code| matches!(code.as_str(), "40001" | "40P01"))
    }

    /// Whether a unique index of PostgreSQL refused a row; on SQLite nobody comes between a look and an update.
    pub(crate) fn is_unique_violation(&self) -> bool {
        self.sqlstate().is_some_and(|code| code == "23505")
    }

    /// Whether the server closed the connection before it did anything: 57P01 to 57P03, or the socket's own error.
    pub(crate) fn is_disconnect(&self) -> bool {
        let io = matches!(self, Self::Database(Failure(d)) if matches!(**d, Driver::Postgres(sqlx::Error::Io(_))));
        io || self.sqlstate().is_some_and(|code| matches!(code.as_str(), "57P01" | "57P02" | "57P03"))
    }

    fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Database(Failure(driver)) => match &**driver {
                Driver::Postgres(sqlx::Error::Database(e)) => e.code().map(String::from),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Database(Failure(Arc::new(Driver::Sqlite(error)))),
        }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::PoolClosed => Self::Closed,
            // 55P03: lock_timeout ran out; 53300: too many connections
            sqlx::Error::Database(e) if matches!(e.code().as_deref(), Some("55P03" | "53300")) => Self::Busy,
            // 22021: a character that the encoding does not have, which in UTF-8 is NUL alone
            sqlx::Error::Database(e) if e.code().as_deref() == Some("22021") => Self::Nul,
            _ => Self::Database(Failure(Arc::new(Driver::Postgres(error)))),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Database(Failure(Arc::new(Driver::Io(error))))
    }
}
