//! What may happen once: challenges of ceremonies (WebAuthn L3 §13.4.3), the `jti` of client assertions
//! (RFC 7523 §3) and of DPoP proofs (RFC 9449 §11.1); the places of what may happen a few times a day. A row is kept until nothing could bring the value back, so no
//! flood can push one out.

use idp_core::id::RealmId;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::Conn;
use crate::vals;
use crate::write::Write;

/// A value that works once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Once {
    /// SHA-256 of the value, or of its owner and the value.
    pub hash: Hash,
    /// When the value is refused by its age; until then the mark is kept.
    pub expires: Timestamp,
}

/// Marks a value as used; `false`: it was.
pub(crate) async fn insert(c: &mut Conn, realm: RealmId, once: &Once) -> Result<bool> {
    const SQL: &str = "INSERT INTO used_once (realm_id, hash, expires_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    Ok(c.exec(SQL, vals![realm, &once.hash, once.expires]).await? == 1)
}

/// Marks a value as used that works again once its mark is over, swept or not; `false`: it is not over.
pub(crate) async fn insert_again(c: &mut Conn, realm: RealmId, once: &Once, now: Timestamp) -> Result<bool> {
    const SQL: &str = "INSERT INTO used_once (realm_id, hash, expires_ms) VALUES ($1, $2, $3) \
         ON CONFLICT (realm_id, hash) DO UPDATE SET expires_ms = $3 WHERE used_once.expires_ms <= $4";
    Ok(c.exec(SQL, vals![realm, &once.hash, once.expires, now]).await? == 1)
}

/// Marks values as used. `Some(n)`: the n-th had been; nothing was written.
#[derive(Clone, Debug)]
pub struct UseOnce {
    pub realm: RealmId,
    pub values: Vec<Once>,
}

impl Write for UseOnce {
    type Out = Option<usize>;

    async fn run(&self, c: &mut Conn) -> Result<Option<usize>> {
        for (at, once) in self.values.iter().enumerate() {
            if !insert(c, self.realm, once).await? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn keeps(used: &Option<usize>) -> bool {
        used.is_none()
    }
}
