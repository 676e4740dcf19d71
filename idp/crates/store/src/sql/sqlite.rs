//! SQLite through rusqlite: connections, statements, and a small pool for reads in place.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, Statement, ToSql};

use super::value::{Owned, Source};
use super::{FromRow, Row, Val};
use crate::error::{Error, Result};

/// Idle read connections kept; more are opened under load and closed afterwards.
const IDLE_READERS: usize = 4;

impl ToSql for Val<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Val::I64(v) => v.map_or(ValueRef::Null, ValueRef::Integer),
            Val::Text(v) => v.map_or(ValueRef::Null, |v| ValueRef::Text(v.as_bytes())),
            Val::Blob(v) => v.map_or(ValueRef::Null, ValueRef::Blob),
        }))
    }
}

/// `$2` is a name to SQLite, numbered by first appearance: bind by name, so that both databases mean the same.
fn bind(statement: &mut Statement<'_>, values: &[Val<'_>]) -> Result<()> {
    const NAMES: [&str; 32] = [
        "$1", "$2", "$3", "$4", "$5", "$6", "$7", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$16", "$17",
        "$18", "$19", "$20", "$21", "$22", "$23", "$24", "$25", "$26", "$27", "$28", "$29", "$30", "$31", "$32",
    ];
    debug_assert!(values.len() <= NAMES.len(), "more values than names");
    for (value, name) in values.iter().zip(NAMES) {
        let at = statement.parameter_index(name)?;
        let at = at.ok_or_else(|| rusqlite::Error::InvalidParameterName(name.to_owned()))?;
        statement.raw_bind_parameter(at, value)?;
    }
    Ok(())
}

/// Tells the log of the statement, never of its values; sqlx does the same for PostgreSQL.
fn prepare<'c>(c: &'c Connection, sql: &'static str) -> Result<CachedStatement<'c>> {
    tracing::trace!(sql, "statement");
    Ok(c.prepare_cached(sql)?)
}

pub(crate) fn exec(c: &Connection, sql: &'static str, values: &[Val<'_>]) -> Result<u64> {
    let mut statement = prepare(c, sql)?;
    bind(&mut statement, values)?;
    Ok(statement.raw_execute()? as u64)
}

pub(crate) fn one<T: FromRow>(c: &Connection, sql: &'static str, values: &[Val<'_>]) -> Result<Option<T>> {
    let mut statement = prepare(c, sql)?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    rows.next()?.map(|row| T::from_row(&mut Row::new(Source::Sqlite(row)))).transpose()
}

pub(crate) fn all<T: FromRow>(c: &Connection, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
    let mut statement = prepare(c, sql)?;
    bind(&mut statement, values)?;
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(T::from_row(&mut Row::new(Source::Sqlite(row)))?);
    }
    Ok(out)
}

/// Opens a connection with our settings; the file must exist.
pub(crate) fn open(path: &Path) -> Result<Connection> {
    let c = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    c.busy_timeout(Duration::from_secs(5))?;
    // FULL: a commit that was answered is on disk, whatever happens to the machine.
    c.pragma_update(None, "synchronous", "FULL")?;
    // The schema declares no foreign keys; the bundled library would check them on every write.
    c.pragma_update(None, "foreign_keys", "OFF")?;
    // Negative: KiB. Small, because every reader has one and the system caches the file as well.
    c.pragma_update(None, "cache_size", -2000)?;
    c.pragma_update(None, "temp_store", "MEMORY")?;
    c.set_prepared_statement_cache_capacity(128);
    Ok(c)
}

/// Makes the file if need be, readable by its owner alone, and turns on write-ahead logging.
pub(crate) fn create(path: &Path) -> Result<Connection> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    drop(options.open(path)?);
    let c = open(path)?;
    // Changing the journal mode does not wait for busy_timeout when two processes make the same file.
    let mut attempts = 0;
    while let Err(error) = c.pragma_update(None, "journal_mode", "WAL").map_err(Error::from) {
        attempts += 1;
        if !matches!(error, Error::Busy) || attempts == 250 {
            return Err(error);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    c.pragma_update(None, "journal_size_limit", 16 << 20)?;
    Ok(c)
}

/// Read connections, used on the caller's thread: a point read takes about 2 µs, less than handing it over would.
#[derive(Clone)]
pub(crate) struct Readers {
    path: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path: Arc::new(path), idle: Arc::default() }
    }

    pub(crate) fn with<T>(&self, read: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let c = match idle {
            Some(c) => c,
            None => {
                let c = open(&self.path)?;
                c.pragma_update(None, "query_only", true)?;
                c
            }
        };
        let result = read(&c);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_READERS {
            idle.push(c);
        }
        result
    }

    /// A read that may touch many rows: on the blocking pool.
    pub(crate) async fn list<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        let owned: Vec<Owned> = values.iter().map(|&v| Owned::from(v)).collect();
        let readers = self.clone();
        let list = move || {
            let values: Vec<Val<'_>> = owned.iter().map(Owned::as_val).collect();
            readers.with(|c| all(c, sql, &values))
        };
        tokio::task::spawn_blocking(list).await.unwrap_or(Err(Error::Closed))
    }

    pub(crate) fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// Sees commits of other connections, hence of other processes, without reading a page.
pub(crate) struct Watch {
    connection: Connection,
    data_version: i64,
    generation: i64,
}

impl Watch {
    pub(crate) fn new(path: &Path) -> Result<Self> {
        let mut watch = Self { connection: open(path)?, data_version: -1, generation: -1 };
        watch.changed()?;
        Ok(watch)
    }

    /// Whether the configuration changed since the last call.
    pub(crate) fn changed(&mut self) -> Result<bool> {
        const GENERATION: &str = "SELECT generation FROM config_generation WHERE realm_id = 0";
        let version = one(&self.connection, "PRAGMA data_version", &[])?.unwrap_or(0);
        if version == self.data_version {
            return Ok(false);
        }
        // In this order: a commit between the two reads is looked at once too often, never overlooked.
        self.data_version = version;
        let generation = one(&self.connection, GENERATION, &[])?.unwrap_or(0);
        Ok(std::mem::replace(&mut self.generation, generation) != generation)
    }
}
