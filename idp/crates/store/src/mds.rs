//! The FIDO metadata: one BLOB that counts, perhaps one that waits for an admin, and their entries by model.

use idp_core::audit::Audit;
use idp_core::id::RealmId;
use idp_core::passkey::mds::{Entry, Model, ModelKey};
use idp_core::passkey::record::Passkey;
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::words::Word as _;
use crate::write::Write;
use crate::{audit, passkeys, vals};

/// Which of the two BLOBs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one that counts.
    Current,
    /// A later one that waits for an admin.
    Held,
}

/// A BLOB as it was kept, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub slot: Slot,
    /// `no`: grows with each BLOB.
    pub number: i64,
    pub next_update: Timestamp,
    pub stored: Timestamp,
    /// Why it waits, in words.
    pub held_because: Option<String>,
}

impl FromRow for Kept {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            slot: row.word("mds_blobs.slot")?,
            number: row.i64()?,
            next_update: row.time()?,
            stored: row.time()?,
            held_because: row.text_or_null()?.map(str::to_owned),
        })
    }
}

impl FromRow for Entry {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.json("mds_entries.entry")
    }
}

/// Bytes of a BLOB.
struct Bytes(Vec<u8>);

impl FromRow for Bytes {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.blob().map(|bytes| Self(bytes.to_vec()))
    }
}

/// Passkeys that are alike in all that the metadata look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alike {
    pub aaguid: [u8; 16],
    pub key_id: Option<[u8; 20]>,
    pub root: Option<Hash>,
    /// What was last known of them.
    pub model: Model,
}

impl Alike {
    /// How the metadata name the model.
    pub fn key(&self) -> Option<ModelKey> {
        ModelKey::of(self.aaguid, self.key_id)
    }
}

impl FromRow for Alike {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self {
            aaguid: row.id("passkeys.aaguid")?,
            key_id: row.id_or_null("passkeys.attestation_key_id")?,
            root: row.hash_or_null("passkeys.attestation_root")?,
            model: row.json("passkeys.model")?,
        })
    }
}

impl Store {
    /// What is known of a model; of two BLOBs the later one, so that no model is registered on old news.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_model(&self, model: &ModelKey) -> Result<Option<Entry>> {
        const SQL: &str = "SELECT entry FROM mds_entries WHERE realm_id = 0 AND slot IN ('current', 'held') \
             AND model = $1 ORDER BY slot DESC LIMIT 1";
        self.one(SQL, vals![&model.text()]).await
    }

    /// The BLOBs there are.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_mds_blobs(&self) -> Result<Vec<Kept>> {
        const SQL: &str = "SELECT slot, number, next_update_ms, stored_ms, held_because FROM mds_blobs \
             WHERE realm_id = 0 ORDER BY slot";
        self.few(SQL, &[]).await
    }

    /// The bytes of a BLOB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_mds_blob(&self, slot: Slot) -> Result<Option<Vec<u8>>> {
        const SQL: &str = "SELECT blob FROM mds_blobs WHERE realm_id = 0 AND slot = $1";
        Ok(self.one::<Bytes>(SQL, vals![slot.word()]).await?.map(|Bytes(bytes)| bytes))
    }

    /// The models of a realm's passkeys.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_registered_models(&self, realm: RealmId) -> Result<Vec<Alike>> {
        const SQL: &str = "SELECT DISTINCT aaguid, attestation_key_id, attestation_root, model FROM passkeys \
             WHERE realm_id = $1";
        self.list(SQL, vals![realm]).await
    }

    /// The passkeys of a realm that may sign in and are of a model.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_passkeys_of(&self, realm: RealmId, alike: &Alike) -> Result<Vec<Passkey>> {
        const SQL: &str = passkeys::select!(
            "aaguid = $2 AND (attestation_key_id = $3 OR ($3 IS NULL AND attestation_key_id IS NULL)) \
             AND (attestation_root = $4 OR ($4 IS NULL AND attestation_root IS NULL)) AND state = 'active'"
        );
        self.list(SQL, vals![realm, &alike.aaguid, alike.key_id.as_ref(), alike.root.as_ref()]).await
    }

    /// How many passkeys of a realm may sign in.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn count_active_passkeys(&self, realm: RealmId) -> Result<i64> {
        const SQL: &str = "SELECT COUNT(*) FROM passkeys WHERE realm_id = $1 AND state = 'active'";
        Ok(self.one(SQL, vals![realm]).await?.unwrap_or(0))
    }
}

/// Keeps a BLOB and its entries in a slot. One that counts takes the place of the one before and ends a wait for an
/// earlier one or the same.
#[derive(Clone, Debug)]
pub struct KeepMdsBlob {
    pub slot: Slot,
    pub number: i64,
    pub next_update: Timestamp,
    pub held_because: Option<String>,
    pub blob: Vec<u8>,
    pub entries: Vec<(ModelKey, Entry)>,
    pub now: Timestamp,
    /// One row for each realm.
    pub audits: Vec<(RealmId, Audit)>,
}

impl Write for KeepMdsBlob {
    /// `false`: a later one, or this one, counts or waits already, or another process keeps one at this moment.
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const NEWER: &str = "SELECT number FROM mds_blobs WHERE realm_id = 0 AND slot = 'current' AND number >= $1";
        const FORGET: &str = "DELETE FROM mds_blobs WHERE realm_id = 0 AND ((slot = $1 AND number < $2) \
             OR ($1 = 'current' AND slot = 'held' AND number <= $2))";
        const KEEP: &str = "INSERT INTO mds_blobs (realm_id, slot, number, next_update_ms, stored_ms, held_because, blob) \
             VALUES (0, $1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        const FORGET_ENTRIES: &str = "DELETE FROM mds_entries WHERE realm_id = 0 AND (slot = $1 OR slot NOT IN \
             (SELECT slot FROM mds_blobs WHERE realm_id = 0))";
        const ENTRY: &str = "INSERT INTO mds_entries (realm_id, slot, model, entry) VALUES (0, $1, $2, $3) \
             ON CONFLICT DO NOTHING";
        if c.one::<i64>(NEWER, vals![self.number]).await?.is_some() {
            return Ok(false);
        }
        let slot = self.slot.word();
        c.exec(FORGET, vals![slot, self.number]).await?;
        let because = self.held_because.as_deref();
        // Of two processes that fetched it at once, one waits here for the other's commit and leaves it to that.
        if c.exec(KEEP, vals![slot, self.number, self.next_update, self.now, because, &self.blob]).await? == 0 {
            return Ok(false);
        }
        c.exec(FORGET_ENTRIES, vals![slot]).await?;
        for (model, entry) in &self.entries {
            let entry = json(entry, "mds_entries.entry")?;
            c.exec(ENTRY, vals![slot, &model.text(), &entry]).await?;
        }
        for (realm, audit) in &self.audits {
            audit::insert(c, *realm, audit).await?;
        }
        Ok(true)
    }

    fn keeps(kept: &bool) -> bool {
        *kept
    }
}

/// Writes what is now known of a model to all its passkeys; how many there were.
#[derive(Clone, Debug)]
pub struct UpdateModel {
    pub realm: RealmId,
    pub alike: Alike,
    pub model: Model,
}

impl Write for UpdateModel {
    type Out = u64;

    async fn run(&self, c: &mut Conn) -> Result<u64> {
        const SQL: &str = "UPDATE passkeys SET model = $5 WHERE realm_id = $1 AND aaguid = $2 \
             AND (attestation_key_id = $3 OR ($3 IS NULL AND attestation_key_id IS NULL)) \
             AND (attestation_root = $4 OR ($4 IS NULL AND attestation_root IS NULL))";
        let Alike { aaguid, key_id, root, .. } = &self.alike;
        let model = json(&self.model, "passkeys.model")?;
        c.exec(SQL, vals![self.realm, aaguid, key_id.as_ref(), root.as_ref(), &model]).await
    }
}
