//! Counters of what the store asked of its database: `idp_db_commits_total`, `idp_db_statements_total`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Running counters, shared by all connections of a store.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    statements: AtomicU64,
}

/// The counters at one moment; both only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Transactions that reached the disk. On SQLite one may carry many writes.
    pub commits: u64,
    /// Statements of verbs, not counting `BEGIN`, `COMMIT` and the like.
    pub statements: u64,
}

impl Counters {
    pub(crate) fn commit(&self) {
        self.commits.fetch_add(1, Relaxed);
    }

    pub(crate) fn statement(&self) {
        self.statements.fetch_add(1, Relaxed);
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { commits: self.commits.load(Relaxed), statements: self.statements.load(Relaxed) }
    }
}
