//! The pool of PostgreSQL connections: writes in transactions of their own, run again where the database asks for it.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::sync::Semaphore;

use super::postgres::{address, query};
use super::value::Source;
use super::{Conn, Database, FromRow, Row, Val};
use crate::error::{Error, Result};
use crate::metrics::Counters;
use crate::outbox::Outbox;
use crate::write::{Options, Write};

/// The pool and the right to write.
#[derive(Clone)]
pub(crate) struct Pool {
    pool: PgPool,
    /// Fewer than connections: writers that wait for each other's rows must not keep reads from answering.
    writers: Arc<Semaphore>,
    timeout: Duration,
}

impl Pool {
    pub(crate) async fn open(url: &str, options: &Options) -> Result<Self> {
        let connections = options.max_connections.max(2);
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(options.acquire_timeout)
            .test_before_acquire(false)
            .after_connect(|c, _| {
                Box::pin(async move {
                    let limits = "SET lock_timeout = '5s'; SET idle_in_transaction_session_timeout = '15s'";
                    sqlx::raw_sql(limits).execute(c).await.map(drop)
                })
            })
            .connect_with(address(url)?)
            .await?;
        let writers = connections - connections.div_ceil(8).min(connections - 1);
        let writers = Arc::new(Semaphore::new(writers as usize));
        Ok(Self { pool, writers, timeout: options.acquire_timeout })
    }

    pub(crate) async fn one<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Option<T>> {
        let row = self.retrying(|| query(sql, values).fetch_optional(&self.pool)).await?;
        row.map(|row| T::from_row(&mut Row::new(Source::Postgres(&row)))).transpose()
    }

    pub(crate) async fn all<T: FromRow>(&self, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
        let rows = self.retrying(|| query(sql, values).fetch_all(&self.pool)).await?;
        rows.iter().map(|row| T::from_row(&mut Row::new(Source::Postgres(row)))).collect()
    }

    /// Tries again while the pool hands out connections that a restarted server had closed. Asking each connection
    /// before use would cost a round trip every time; a read or a `BEGIN` can simply be repeated.
    async fn retrying<T, F: Future<Output = sqlx::Result<T>>>(&self, mut ask: impl FnMut() -> F) -> Result<T> {
        for _ in 0..self.pool.options().get_max_connections() {
            match ask().await.map_err(Error::from) {
                Err(e) if e.is_disconnect() => {}
                done => return done,
            }
        }
        ask().await.map_err(Error::from)
    }

    /// Runs a write in a transaction, again when PostgreSQL asks for it: five times, then [`Error::Busy`].
    pub(crate) async fn write<W: Write>(&self, op: &W, counters: &Arc<Counters>, outbox: &Outbox) -> Result<W::Out> {
        let permit = tokio::time::timeout(self.timeout, self.writers.acquire()).await;
        let _permit = permit.map_err(|_| Error::Busy)?.map_err(|_| Error::Closed)?;
        for attempt in 1..=5 {
            match self.attempt(op, counters, outbox).await {
                Err(e) if e.is_retryable() => tokio::time::sleep(jitter(attempt)).await,
                // Somebody took a name after the write had looked: run again, it finds them. Insertions never meet
                // this, they say `ON CONFLICT DO NOTHING`.
                Err(e) if attempt < 5 && e.is_unique_violation() => {}
                done => return done,
            }
        }
        Err(Error::Busy)
    }

    async fn attempt<W: Write>(&self, op: &W, counters: &Arc<Counters>, outbox: &Outbox) -> Result<W::Out> {
        let transaction = self.retrying(|| self.pool.begin()).await?;
        let database = Database::Postgres(transaction);
        let mut conn = Conn { database, counters: Arc::clone(counters), outbox: outbox.clone() };
        if W::CONFIGURATION {
            conn.configuration_changes().await?;
        }
        let out = op.run(&mut conn).await;
        let Database::Postgres(transaction) = conn.database else { return out };
        match out {
            Ok(out) if W::keeps(&out) => {
                transaction.commit().await?;
                counters.commit();
                conn.outbox.committed();
                Ok(out)
            }
            // Rolled back here and not by dropping, so that the connection returns clean.
            Ok(out) => {
                transaction.rollback().await?;
                Ok(out)
            }
            Err(error) => {
                // The cause matters; that a broken connection cannot roll back follows from it.
                drop(transaction.rollback().await);
                Err(error)
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}

/// 0 to 32 ms, doubled with each attempt, so that two that met do not meet again.
fn jitter(attempt: u32) -> Duration {
    let random = RandomState::new().hash_one(attempt) % 32;
    Duration::from_millis(random << attempt.min(5) >> 1)
}
