//! The store: opens a database, runs writes, serves reads.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::generation::{self, Generation};
use crate::metrics::{Counters, Counts};
use crate::migrate;
use crate::outbox::Outbox;
use crate::sql::pool::Pool;
use crate::sql::sqlite::{self, Readers};
use crate::sql::{Conn, Database, FromRow, Val};
use crate::write::{Options, Write};
use crate::writer::Writer;

/// A database of the identity provider. Cheap to clone; all clones are the same store.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    backend: Backend,
    counters: Arc<Counters>,
    generation: Arc<Generation>,
    cache: Cache,
    outbox: Outbox,
    watch: AbortHandle,
}

enum Backend {
    Sqlite { readers: Readers, writer: Writer },
    Postgres(Pool),
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Store {
    /// Opens `sqlite://path` (or `sqlite:path`), made when missing, or `postgres://…`.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Schema`] when the schema is newer than this program, was tampered with, or may
    /// not be migrated; those of the database.
    pub async fn open(url: &str, options: &Options) -> Result<Self> {
        let counters = Arc::new(Counters::default());
        let generation = Arc::new(Generation::default());
        let outbox = Outbox::new(options.mails);
        let (backend, watch) = if let Some(path) = sqlite_path(url) {
            open_sqlite(path, options.migrate, (&counters, &outbox), &generation).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            migrate::postgres(url, options.migrate).await?;
            // Listens before the first read, so that nothing read is older than what is heard.
            let watch = generation::watch_postgres(url, Arc::clone(&generation)).await?;
            (Backend::Postgres(Pool::open(url, options).await?), watch)
        } else {
            return Err(Error::Address);
        };
        Ok(Self(Arc::new(Inner { backend, counters, generation, cache: Cache::default(), outbox, watch })))
    }

    /// Runs a write in a transaction of its own. It commits even if the caller goes away meanwhile.
    ///
    /// # Errors
    /// [`Error::Busy`] when others kept it from running; [`Error::Panicked`]; those of the database. Nothing of it
    /// was kept then, unless the connection was lost in the very moment of the commit.
    pub async fn write<W: Write>(&self, op: W) -> Result<W::Out> {
        match &self.0.backend {
            Backend::Sqlite { writer, .. } => writer.write(op).await,
            Backend::Postgres(pool) => {
                let (pool, counters) = (pool.clone(), Arc::clone(&self.0.counters));
                let (generation, outbox) = (Arc::clone(&self.0.generation), self.0.outbox.clone());
                let task = tokio::spawn(async move {
                    let out = pool.write(&op, &counters, &outbox).await;
                    // Also after an error: a lost connection may have committed.
                    if W::CONFIGURATION {
                        generation.advance();
                    }
                    out
                });
                task.await.unwrap_or_else(|e| Err(if e.is_panic() { Error::Panicked } else { Error::Closed }))
            }
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// Those of the database, [`Error::Closed`] and [`Error::Busy`].
    pub async fn ping(&self) -> Result<()> {
        if matches!(&self.0.backend, Backend::Sqlite { writer, .. } if writer.is_closed()) {
            return Err(Error::Closed);
        }
        self.one::<i64>("SELECT generation FROM config_generation WHERE realm_id = 0", &[]).await.map(drop)
    }

    /// The counters of commits and statements.
    pub fn counts(&self) -> Counts {
        self.0.counters.counts()
    }

    /// Grows with every change of the configuration, here or by another process on the same database (noticed
    /// within a second). Whoever caches something made of it compares this number.
    pub fn generation(&self) -> u64 {
        self.0.generation.current()
    }

    /// Finishes the writes that wait, takes no more, and closes the connections.
    pub async fn close(&self) {
        self.0.watch.abort();
        match &self.0.backend {
            Backend::Sqlite { readers, writer } => {
                writer.close().await;
                readers.close();
            }
            Backend::Postgres(pool) => pool.close().await,
        }
    }

    pub(crate) fn cache(&self) -> &Cache {
        &self.0.cache
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.0.outbox
    }

    /// One row, by key.
    pub(crate) async fn one<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Option<T>> {
        self.0.counters.statement();
        match &self.0.backend {
            Backend::Sqlite { readers, .. } => readers.with(|c| sqlite::one(c, sql, values)),
            Backend::Postgres(pool) => pool.one(sql, values).await,
        }
    }

    /// A handful of rows, by key.
    pub(crate) async fn few<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        self.0.counters.statement();
        match &self.0.backend {
            Backend::Sqlite { readers, .. } => readers.with(|c| sqlite::all(c, sql, values)),
            Backend::Postgres(pool) => pool.all(sql, values).await,
        }
    }

    /// A list, which may take long.
    pub(crate) async fn list<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        self.0.counters.statement();
        self.look(sql, values).await
    }

    /// The same for a job that looks every few seconds whether there is work: not counted, since no request causes it.
    pub(crate) async fn look<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        match &self.0.backend {
            Backend::Sqlite { readers, .. } => readers.list(sql, values).await,
            Backend::Postgres(pool) => pool.all(sql, values).await,
        }
    }
}

fn sqlite_path(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    // Every connection to a database in memory would see its own.
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

async fn open_sqlite(
    path: PathBuf,
    may_migrate: bool,
    (counters, outbox): (&Arc<Counters>, &Outbox),
    generation: &Arc<Generation>,
) -> Result<(Backend, AbortHandle)> {
    let file = path.clone();
    let connection = tokio::task::spawn_blocking(move || {
        let mut connection = sqlite::create(&file)?;
        migrate::sqlite(&mut connection, may_migrate)?;
        Ok::<_, Error>(connection)
    });
    let connection = connection.await.unwrap_or(Err(Error::Closed))?;
    let conn = Conn { database: Database::Sqlite(connection), counters: Arc::clone(counters), outbox: outbox.clone() };
    let writer = Writer::start(conn, Arc::clone(generation))?;
    let watch = generation::watch_sqlite(&path, Arc::clone(generation))?;
    Ok((Backend::Sqlite { readers: Readers::new(path), writer }, watch))
}
