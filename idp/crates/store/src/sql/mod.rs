//! The only folder that names a database driver, besides the migrations and the error type.
//!
//! One SQL text and one body for both databases: `$n` is bound by name, values are [`Val`], rows [`Row`].

pub(crate) mod pool;
pub(crate) mod postgres;
pub(crate) mod sqlite;
pub(crate) mod value;

use std::sync::Arc;

use sqlx::{Postgres, Transaction};

pub use value::{FromRow, Row, Val};

use crate::error::Result;
use crate::metrics::Counters;
use crate::outbox::Outbox;

/// A connection inside a transaction; what a [`Write`](crate::Write) runs on.
pub struct Conn {
    pub(crate) database: Database,
    pub(crate) counters: Arc<Counters>,
    pub(crate) outbox: Outbox,
}

pub(crate) enum Database {
    Sqlite(rusqlite::Connection),
    Postgres(Transaction<'static, Postgres>),
}

/// A guard read that keeps its row from changing until the commit. SQLite has one writer and needs no clause.
pub struct Locking {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Others may read and share-lock the row, nobody may change it. `$rest` follows the clause, where the read feeds an
/// insertion.
macro_rules! for_share {
    ($sql:expr) => {
        $crate::sql::for_share!($sql, "")
    };
    ($sql:expr, $rest:literal) => {
        $crate::sql::Locking { sqlite: concat!($sql, $rest), postgres: concat!($sql, " FOR SHARE", $rest) }
    };
}

/// Nobody else may lock or change the row: writes that count before they insert queue here.
macro_rules! for_update {
    ($sql:expr) => {
        $crate::sql::Locking { sqlite: $sql, postgres: concat!($sql, " FOR UPDATE") }
    };
}

pub(crate) use {for_share, for_update};

impl Conn {
    /// Runs a statement; the number of rows it changed.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn exec(&mut self, sql: &'static str, values: &[Val<'_>]) -> Result<u64> {
        self.counters.statement();
        match &mut self.database {
            Database::Sqlite(c) => sqlite::exec(c, sql, values),
            Database::Postgres(t) => postgres::exec(t, sql, values).await,
        }
    }

    /// Runs a statement; its first row.
    ///
    /// # Errors
    /// Those of the database, or of reading the row.
    pub async fn one<T: FromRow>(&mut self, sql: &'static str, values: &[Val<'_>]) -> Result<Option<T>> {
        self.counters.statement();
        match &mut self.database {
            Database::Sqlite(c) => sqlite::one(c, sql, values),
            Database::Postgres(t) => postgres::one(t, sql, values).await,
        }
    }

    /// Runs a statement; all its rows.
    ///
    /// # Errors
    /// Those of the database, or of reading a row.
    pub async fn all<T: FromRow>(&mut self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        self.counters.statement();
        match &mut self.database {
            Database::Sqlite(c) => sqlite::all(c, sql, values),
            Database::Postgres(t) => postgres::all(t, sql, values).await,
        }
    }

    /// Whether a row is there, locked until the commit.
    pub(crate) async fn lock(&mut self, sql: Locking, values: &[Val<'_>]) -> Result<bool> {
        Ok(!self.lock_all::<i64>(sql, values).await?.is_empty())
    }

    /// All rows of a locking read.
    pub(crate) async fn lock_all<T: FromRow>(&mut self, sql: Locking, values: &[Val<'_>]) -> Result<Vec<T>> {
        self.all(self.text_of(&sql), values).await
    }

    /// Runs an insertion that is fed by a locking read; the number of rows it inserted.
    pub(crate) async fn exec_locking(&mut self, sql: Locking, values: &[Val<'_>]) -> Result<u64> {
        self.exec(self.text_of(&sql), values).await
    }

    const fn text_of(&self, sql: &Locking) -> &'static str {
        match self.database {
            Database::Sqlite(_) => sql.sqlite,
            Database::Postgres(_) => sql.postgres,
        }
    }

    /// Counts a change of configuration, seen by every process on this database. Its row is also the lock under
    /// which changes of configuration queue, so those verbs may look first and write then.
    pub(crate) async fn configuration_changes(&mut self) -> Result<()> {
        const SQL: &str = "INSERT INTO config_generation (realm_id, generation) VALUES (0, 1) \
             ON CONFLICT (realm_id) DO UPDATE SET generation = config_generation.generation + 1";
        self.exec(SQL, &[]).await?;
        if let Database::Postgres(t) = &mut self.database {
            postgres::notify(t).await?;
        }
        Ok(())
    }
}
