//! Clients that register themselves, bounded in number, and swept while nobody uses them (RFC 7591 §3).

use idp_core::audit::Audit;
use idp_core::client::Client;
use idp_core::id::RealmId;
use idp_core::oauth::registration::policy::MOST_UNVERIFIED;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;
use serde_json::json;

use crate::error::Result;
use crate::sql::Conn;
use crate::throttles::RecordFailure;
use crate::write::Write;
use crate::{audit, clients, vals};

/// Makes a client that registered itself, and uses up what allowed it.
#[derive(Clone, Debug)]
pub struct RegisterClient {
    pub realm: RealmId,
    /// As it shall be: unverified.
    pub client: Client,
    /// The initial access token.
    pub pass: Option<Hash>,
    /// Counts the registration where no token limits it.
    pub throttle: Option<RecordFailure>,
    pub now: Timestamp,
    pub audit: Audit,
}

/// What became of [`RegisterClient`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    Done,
    /// The initial access token is not to be used (any more).
    Spent,
    /// The realm has as many unverified clients as it may.
    Full,
    /// The identifier is another client's.
    Taken,
}

impl Write for RegisterClient {
    type Out = Registered;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<Registered> {
        const USE: &str = "UPDATE passes SET used_ms = $3 WHERE realm_id = $1 AND hash = $2 AND expires_ms > $3 \
             AND (kind = 'registration' AND used_ms IS NULL OR kind = 'registrations')";
        // A quote inside a text of the settings is escaped, so this is the member itself.
        const COUNT: &str = "SELECT COUNT(*) FROM clients WHERE realm_id = $1 AND registration_hash IS NOT NULL \
             AND settings LIKE '%\"unverified\":true%'";
        if let Some(hash) = &self.pass
            && c.exec(USE, vals![self.realm, hash, self.now]).await? == 0
        {
            return Ok(Registered::Spent);
        }
        if c.one::<i64>(COUNT, vals![self.realm]).await? >= Some(MOST_UNVERIFIED) {
            return Ok(Registered::Full);
        }
        if !clients::insert(c, self.realm, &self.client).await? {
            return Ok(Registered::Taken);
        }
        if let Some(throttle) = &self.throttle {
            throttle.run(c).await?;
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(Registered::Done)
    }

    fn keeps(out: &Registered) -> bool {
        *out == Registered::Done
    }
}

/// Deletes unverified clients that nobody agreed to since. Answers how many.
#[derive(Clone, Debug)]
pub struct SweepRegistrations {
    pub realm: RealmId,
    /// Those that changed before this time.
    pub before: Timestamp,
    /// Gets the number.
    pub audit: Audit,
}

impl Write for SweepRegistrations {
    type Out = u64;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<u64> {
        const DELETE: &str = "DELETE FROM clients WHERE realm_id = $1 AND registration_hash IS NOT NULL \
             AND updated_ms < $2 AND settings LIKE '%\"unverified\":true%' AND NOT EXISTS \
             (SELECT 1 FROM consents o WHERE o.realm_id = clients.realm_id AND o.client_id = clients.client_id) \
             AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.realm_id = clients.realm_id \
             AND g.client_id = clients.client_id)";
        let deleted = c.exec(DELETE, vals![self.realm, self.before]).await?;
        if deleted > 0 {
            let detail = json!({ "what": "nobody used them", "clients": deleted });
            audit::insert(c, self.realm, &Audit { detail, ..self.audit.clone() }).await?;
        }
        Ok(deleted)
    }

    fn keeps(deleted: &u64) -> bool {
        *deleted > 0
    }
}
