//! Signing keys of a realm: `next` is published before it signs, `retired` until its tokens ended, `revoked` never.

use idp_core::audit::Audit;
use idp_core::client::SigningAlg;
use idp_core::id::RealmId;
use idp_core::jose::keyset::StoredKey;
use idp_core::time::Timestamp;

use crate::audit;
use crate::error::Result;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::vals;
use crate::words::Word as _;
use crate::write::Write;

impl FromRow for StoredKey {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            kid: row.text()?.to_owned(),
            alg: row.word("signing_keys.alg")?,
            state: row.word("signing_keys.state")?,
            public_jwk: row.text()?.to_owned(),
            private_sealed: row.blob()?.to_vec(),
            created: row.time()?,
            activated: row.time_or_null()?,
            retired: row.time_or_null()?,
        })
    }
}

impl Store {
    /// All signing keys of a realm, oldest first; see [`Store::cached_signing_keys`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_signing_keys(&self, realm: RealmId) -> Result<Vec<StoredKey>> {
        const SQL: &str = "SELECT kid, alg, state, public_jwk, private_sealed, created_ms, active_ms, retired_ms \
             FROM signing_keys WHERE realm_id = $1 ORDER BY created_ms, kid";
        self.few(SQL, vals![realm]).await
    }
}

const INSERT: &str = "INSERT INTO signing_keys \
     (realm_id, kid, alg, state, public_jwk, private_sealed, created_ms, active_ms) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 \
     WHERE NOT EXISTS (SELECT 1 FROM signing_keys WHERE realm_id = $1 AND alg = $3 AND state = $4) \
     ON CONFLICT DO NOTHING";

async fn insert(c: &mut Conn, realm: RealmId, key: &StoredKey) -> Result<bool> {
    let (alg, state) = (key.alg.word(), key.state.word());
    let values = vals![realm, &key.kid, alg, state, &key.public_jwk, &key.private_sealed, key.created, key.activated];
    Ok(c.exec(INSERT, values).await? == 1)
}

/// Inserts each key whose algorithm has none in that state yet: what several processes that start at once may all
/// do, and how a `next` key is added. Answers how many were inserted.
#[derive(Clone, Debug)]
pub struct EnsureKeys {
    pub realm: RealmId,
    pub keys: Vec<StoredKey>,
    pub audit: Audit,
}

impl Write for EnsureKeys {
    type Out = usize;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<usize> {
        let mut inserted = 0;
        for key in &self.keys {
            inserted += usize::from(insert(c, self.realm, key).await?);
        }
        if inserted > 0 {
            audit::insert(c, self.realm, &self.audit).await?;
        }
        Ok(inserted)
    }

    fn keeps(inserted: &usize) -> bool {
        *inserted > 0
    }
}

/// The `next` key of an algorithm begins to sign; the one that did is retired. `false`: there is no next key.
#[derive(Clone, Debug)]
pub struct RotateKey {
    pub realm: RealmId,
    pub alg: SigningAlg,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for RotateKey {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const RETIRE: &str = "UPDATE signing_keys SET state = 'retired', retired_ms = $3 \
             WHERE realm_id = $1 AND alg = $2 AND state = 'active'";
        const PROMOTE: &str = "UPDATE signing_keys SET state = 'active', active_ms = $3 WHERE realm_id = $1 AND alg = $2 AND state = 'next'";
        c.exec(RETIRE, vals![self.realm, self.alg.word(), self.now]).await?;
        if c.exec(PROMOTE, vals![self.realm, self.alg.word(), self.now]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}

/// Retires one key, whatever it did. `false`: there is none of that name, or it was retired before.
/// A realm left without an active key needs [`EnsureKeys`].
#[derive(Clone, Debug)]
pub struct RetireKey {
    pub realm: RealmId,
    pub kid: String,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for RetireKey {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE signing_keys SET state = 'retired', retired_ms = $3 \
             WHERE realm_id = $1 AND kid = $2 AND state IN ('active', 'next')";
        if c.exec(SQL, vals![self.realm, &self.kid, self.now]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}

/// Stops believing a key at once: somebody else may have it. If it signed, the next key does from now on, or the
/// replacement. `false`: there is none of that name, or it was revoked before.
#[derive(Clone, Debug)]
pub struct RevokeKey {
    pub realm: RealmId,
    pub kid: String,
    /// An active key of the same algorithm, for the case that no other is at hand.
    pub replacement: StoredKey,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for RevokeKey {
    type Out = bool;
    const CONFIGURATION: bool = true;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const REVOKE: &str = "UPDATE signing_keys SET state = 'revoked', retired_ms = $4 \
             WHERE realm_id = $1 AND kid = $2 AND alg = $3 AND state <> 'revoked'";
        const PROMOTE: &str = "UPDATE signing_keys SET state = 'active', active_ms = $3 \
             WHERE realm_id = $1 AND alg = $2 AND state = 'next' AND NOT EXISTS \
             (SELECT 1 FROM signing_keys WHERE realm_id = $1 AND alg = $2 AND state = 'active')";
        let alg = self.replacement.alg.word();
        if c.exec(REVOKE, vals![self.realm, &self.kid, alg, self.now]).await? == 0 {
            return Ok(false);
        }
        c.exec(PROMOTE, vals![self.realm, alg, self.now]).await?;
        // Inserts nothing where an active key is there.
        insert(c, self.realm, &self.replacement).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(done: &bool) -> bool {
        *done
    }
}
