//! Failed secret checks, counted in buckets that the caller names by keyed hash.

use idp_core::audit::Audit;
use idp_core::id::RealmId;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, vals};

/// One bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    pub bucket: i64,
    pub failures: i64,
    /// The last failure.
    pub updated: Timestamp,
}

impl FromRow for Throttle {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self { bucket: row.i64()?, failures: row.i64()?, updated: row.time()? })
    }
}

impl Store {
    /// The buckets that are not empty; one statement for four of them.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_throttles(&self, realm: RealmId, buckets: &[i64]) -> Result<Vec<Throttle>> {
        const SQL: &str = "SELECT bucket, failures, updated_ms FROM throttles \
             WHERE realm_id = $1 AND bucket IN ($2, $3, $4, $5)";
        let mut found = Vec::new();
        for four in buckets.chunks(4) {
            let bucket = |at| four.get(at).or(four.first()).copied();
            found.extend(self.few::<Throttle>(SQL, vals![realm, bucket(0), bucket(1), bucket(2), bucket(3)]).await?);
        }
        Ok(found)
    }
}

/// Counts one failure in each bucket. Answers what they hold now.
#[derive(Clone, Debug)]
pub struct RecordFailure {
    pub realm: RealmId,
    pub buckets: Vec<i64>,
    /// A bucket whose last failure is older than this begins anew; seconds.
    pub window_s: i64,
    pub now: Timestamp,
    pub audit: Option<Audit>,
}

impl Write for RecordFailure {
    type Out = Vec<Throttle>;

    async fn run(&self, c: &mut Conn) -> Result<Vec<Throttle>> {
        let throttles = self.count(c).await?;
        if let Some(audit) = &self.audit {
            audit::insert(c, self.realm, audit).await?;
        }
        Ok(throttles)
    }
}

impl RecordFailure {
    /// Counts, without the audit row.
    pub(crate) async fn count(&self, c: &mut Conn) -> Result<Vec<Throttle>> {
        const SQL: &str = "INSERT INTO throttles (realm_id, bucket, failures, updated_ms) VALUES ($1, $2, 1, $3) \
             ON CONFLICT (realm_id, bucket) DO UPDATE SET \
             failures = CASE WHEN throttles.updated_ms < $4 THEN 1 ELSE throttles.failures + 1 END, updated_ms = $3 \
             RETURNING bucket, failures, updated_ms";
        let fresh = self.now.plus_s(self.window_s.saturating_neg());
        let mut throttles = Vec::with_capacity(self.buckets.len());
        for bucket in in_order(&self.buckets) {
            throttles.extend(c.one::<Throttle>(SQL, vals![self.realm, bucket, self.now, fresh]).await?);
        }
        Ok(throttles)
    }
}

/// In one order for all, so that two who lock the same buckets do not wait for each other.
fn in_order(buckets: &[i64]) -> Vec<i64> {
    let mut buckets = buckets.to_vec();
    buckets.sort_unstable();
    buckets.dedup();
    buckets
}

/// Empties buckets.
pub(crate) async fn clear(c: &mut Conn, realm: RealmId, buckets: &[i64]) -> Result<()> {
    for bucket in in_order(buckets) {
        c.exec("DELETE FROM throttles WHERE realm_id = $1 AND bucket = $2", vals![realm, bucket]).await?;
    }
    Ok(())
}

/// Empties buckets, for instance when an operator asks for it.
#[derive(Clone, Debug)]
pub struct ClearThrottles {
    pub realm: RealmId,
    pub buckets: Vec<i64>,
}

impl Write for ClearThrottles {
    type Out = ();
    async fn run(&self, c: &mut Conn) -> Result<()> {
        clear(c, self.realm, &self.buckets).await
    }
}
