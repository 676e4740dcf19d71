//! PostgreSQL through sqlx: statements, addresses, notifications.
//!
//! READ COMMITTED; guards and row locks in the statements carry the safety (PostgreSQL manual §13.2.1).

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgListener, PgPoolOptions};
use sqlx::query::Query;
use sqlx::{Connection as _, Executor, Postgres, Transaction};

use super::value::Source;
use super::{FromRow, Row, Val};
use crate::error::{Error, Result};

const CHANNEL: &str = "idp_config";

pub(crate) fn query<'q>(sql: &'static str, values: &[Val<'q>]) -> Query<'q, Postgres, PgArguments> {
    values.iter().fold(sqlx::query(sql), |query, value| match *value {
        Val::I64(v) => query.bind(v),
        Val::Text(v) => query.bind(v),
        Val::Blob(v) => query.bind(v),
    })
}

pub(crate) async fn exec(c: &mut PgConnection, sql: &'static str, values: &[Val<'_>]) -> Result<u64> {
    Ok(query(sql, values).execute(c).await?.rows_affected())
}

pub(crate) async fn one<T: FromRow>(c: &mut PgConnection, sql: &'static str, values: &[Val<'_>]) -> Result<Option<T>> {
    let row = query(sql, values).fetch_optional(c).await?;
    row.map(|row| T::from_row(&mut Row::new(Source::Postgres(&row)))).transpose()
}

pub(crate) async fn all<T: FromRow>(c: &mut PgConnection, sql: &'static str, values: &[Val<'_>]) -> Result<Vec<T>> {
    let rows = query(sql, values).fetch_all(c).await?;
    rows.iter().map(|row| T::from_row(&mut Row::new(Source::Postgres(row)))).collect()
}

/// Tells every process that listens; delivered when the transaction commits.
pub(crate) async fn notify(t: &mut Transaction<'static, Postgres>) -> Result<()> {
    sqlx::query("SELECT pg_notify('idp_config', '')").execute(&mut **t).await?;
    Ok(())
}

pub(crate) fn address(url: &str) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(|_| Error::Address)?;
    Ok(options.application_name("idp").statement_cache_capacity(256))
}

/// A connection of its own, outside the pool and its time limits.
pub(crate) async fn connect(url: &str) -> Result<PgConnection> {
    Ok(PgConnection::connect_with(&address(url)?).await?)
}

/// Hears [`notify`] of every process.
pub(crate) struct Listener(PgListener);

impl Listener {
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(1).max_lifetime(None).idle_timeout(None);
        let pool = pool.acquire_timeout(Duration::from_secs(3)).connect_with(address(url)?).await?;
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Self(listener))
    }

    /// Returns when the configuration changed, or may have: also after a lost connection came back.
    ///
    /// # Errors
    /// When the connection is gone for good: open another listener.
    pub(crate) async fn changed(&mut self) -> Result<()> {
        loop {
            match tokio::time::timeout(Duration::from_secs(30), self.0.try_recv()).await {
                Ok(heard) => return heard.map(drop).map_err(Error::from),
                // Silence: a connection that died without a word would be silent for ever, so ask.
                Err(_) => {
                    let ping = (&mut self.0).execute("SELECT 1");
                    tokio::time::timeout(Duration::from_secs(5), ping).await.map_err(|_| Error::Busy)??;
                }
            }
        }
    }
}
