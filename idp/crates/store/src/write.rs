//! What a write is, and how a database is to be used.

use std::time::Duration;

use crate::error::Result;
use crate::sql::Conn;

/// A use case that changes something. It is a value, so that it can be queued, grouped and run again.
pub trait Write: Send + Sync + 'static {
    /// What became of it: one variant for each way it can end.
    type Out: Send + 'static;

    /// Whether it changes what is cached: realms, keys, clients. Such writes queue, one at a time.
    const CONFIGURATION: bool = false;

    /// The statements. They may run more than once, each time in a new transaction.
    fn run(&self, c: &mut Conn) -> impl Future<Output = Result<Self::Out>> + Send;

    /// Whether what was written before this outcome is to be kept; otherwise it is rolled back.
    fn keeps(out: &Self::Out) -> bool {
        let _ = out;
        true
    }
}

/// How to use a database.
#[derive(Clone, Debug)]
pub struct Options {
    /// Connections to PostgreSQL at most, besides one that listens. At least 2.
    pub max_connections: u32,
    /// How long to wait for one of them before [`Busy`](crate::Error::Busy).
    pub acquire_timeout: Duration,
    /// Bring the schema up to date; otherwise a schema that is not is refused.
    pub migrate: bool,
    /// Queue mails; somebody must send them.
    pub mails: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_connections: 16, acquire_timeout: Duration::from_secs(3), migrate: true, mails: false }
    }
}
