//! Sweeping: rows that no request can need any more, in bounded batches over all realms.

use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::Conn;
use crate::vals;
use crate::write::Write;

/// Deletes at most `batch` expired rows of each kind; to be repeated while [`Swept::is_full`] says so.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    pub now: Timestamp,
    /// Rows of each kind at most, so that no sweep keeps the writer for long.
    pub batch: i64,
    /// How long expired rows are kept, in seconds: clock skew between processes, and sessions that people look at.
    pub keep_s: i64,
    /// Age after which a throttle bucket means nothing, in seconds.
    pub throttle_window_s: i64,
}

/// How far the clocks of two processes are apart at most, in seconds.
const CLOCKS_S: i64 = 60;

/// How many rows went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    pub once: u64,
    pub passes: u64,
    pub refresh_tokens: u64,
    pub pushed_requests: u64,
    pub device_codes: u64,
    pub grants: u64,
    pub sessions: u64,
    pub throttles: u64,
    pub recoveries: u64,
    pub mails: u64,
    batch: u64,
}

impl Swept {
    const fn counts(&self) -> [u64; 10] {
        [
            self.once,
            self.passes,
            self.refresh_tokens,
            self.pushed_requests,
            self.device_codes,
            self.grants,
            self.sessions,
            self.throttles,
            self.recoveries,
            self.mails,
        ]
    }

    /// Whether some kind filled its batch, so that more may be left.
    pub fn is_full(&self) -> bool {
        self.counts().iter().any(|&n| n >= self.batch)
    }

    /// Rows in all.
    pub fn total(&self) -> u64 {
        self.counts().iter().sum()
    }
}

macro_rules! expired {
    ($table:literal, $key:literal, $time:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE (realm_id, ",
            $key,
            ") IN (SELECT realm_id, ",
            $key,
            " FROM ",
            $table,
            " WHERE ",
            $time,
            " < $1 ORDER BY ",
            $time,
            " LIMIT $2)"
        )
    };
}

impl Write for Sweep {
    type Out = Swept;

    async fn run(&self, c: &mut Conn) -> Result<Swept> {
        // A session's events go with it; what its grants rest on stays until they are gone themselves.
        macro_rules! sessions {
            ($table:literal) => {
                concat!(
                    "DELETE FROM ",
                    $table,
                    " WHERE (realm_id, sid) IN (SELECT s.realm_id, s.sid FROM sessions s \
                     WHERE s.expires_ms < $1 AND NOT EXISTS \
                     (SELECT 1 FROM grants g WHERE g.realm_id = s.realm_id AND g.sid = s.sid) \
                     ORDER BY s.expires_ms, s.sid LIMIT $2)"
                )
            };
        }
        let before = self.now.plus_s(self.keep_s.saturating_neg());
        let cold = self.now.plus_s(self.throttle_window_s.saturating_neg());
        // Anybody can push requests and bring proofs for a public client: kept no longer than clocks differ.
        let over = self.now.plus_s(-CLOCKS_S);
        let mut swept = Swept { batch: u64::try_from(self.batch).unwrap_or(0), ..Swept::default() };
        let values = vals![before, self.batch];
        swept.once = c.exec(expired!("used_once", "hash", "expires_ms"), vals![over, self.batch]).await?;
        swept.passes = c.exec(expired!("passes", "hash", "expires_ms"), values).await?;
        swept.refresh_tokens = c.exec(expired!("refresh_tokens", "hash", "expires_ms"), values).await?;
        swept.pushed_requests =
            c.exec(expired!("pushed_requests", "hash", "expires_ms"), vals![over, self.batch]).await?;
        // Anybody may begin one with a public client's id: not kept longer than a device polls on.
        let anonymous = vals![self.now.plus_s(-self.keep_s.min(3600)), self.batch];
        swept.device_codes = c.exec(expired!("device_codes", "hash", "expires_ms"), anonymous).await?;
        swept.grants = c.exec(expired!("grants", "grant_id", "expires_ms"), values).await?;
        c.exec(sessions!("session_events"), values).await?;
        swept.sessions = c.exec(sessions!("sessions"), values).await?;
        swept.throttles = c.exec(expired!("throttles", "bucket", "updated_ms"), vals![cold, self.batch]).await?;
        swept.recoveries = c.exec(expired!("mailed_codes", "account_id", "expires_ms"), anonymous).await?
            + c.exec(expired!("recoveries", "account_id", "expires_ms"), values).await?;
        // Those that nobody could send, since mail was switched off.
        swept.mails = c.exec(expired!("mails", "mail_id", "expires_ms"), values).await?;
        Ok(swept)
    }

    fn keeps(swept: &Swept) -> bool {
        swept.total() > 0
    }
}
