//! Device authorizations: begun by a client, answered by a person, fetched once (RFC 8628).
//!
//! Each step is guarded by the state before it, so of parallel answers and parallel polls one succeeds.

use idp_core::audit::Audit;
use idp_core::grant::{AuthContext, Grant};
use idp_core::id::RealmId;
use idp_core::oauth::device::{Approval, DeviceCode, INTERVAL_S, MOST_WAITING};
use idp_core::secret::Hash;
use idp_core::time::Timestamp;

use crate::consents::{self, Consent};
use crate::error::{Error, Result};
use crate::grants::{self, Guard};
use crate::refresh_tokens::{self, NewRefreshToken};
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, sessions, vals};

impl FromRow for DeviceCode {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let mut device = Self {
            hash: row.id("device_codes.hash")?,
            user_code: row.text()?.to_owned(),
            client_id: row.client_id("device_codes.client_id")?,
            request: row.json("device_codes.request")?,
            state: row.word("device_codes.state")?,
            approval: None,
            interval_s: row.i64()?,
            polled: row.time_or_null()?,
            expires: row.time()?,
        };
        let (account_id, sid) = (row.id_or_null("device_codes.account_id")?, row.id_or_null("device_codes.sid")?);
        if let (Some(account_id), Some(sid), Some(auth)) = (account_id, sid, row.text_or_null()?) {
            let auth: AuthContext = serde_json::from_str(auth).map_err(|_| Error::Corrupt("device_codes.auth"))?;
            device.approval = Some(Approval { account_id, sid, auth });
        }
        Ok(device)
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT hash, user_code, client_id, request, state, interval_s, polled_ms, expires_ms, account_id, sid, auth \
             FROM device_codes WHERE realm_id = $1 AND ",
            $rest
        )
    };
}

impl Store {
    /// The device authorization of a device code, whatever has become of it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_device_code(&self, realm: RealmId, hash: &Hash) -> Result<Option<DeviceCode>> {
        self.one(select!("hash = $2"), vals![realm, hash]).await
    }

    /// The device authorization of a user code, whatever has become of it.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_user_code(&self, realm: RealmId, user_code: &str) -> Result<Option<DeviceCode>> {
        self.one(select!("user_code = $2"), vals![realm, user_code]).await
    }
}

/// Begins a device authorization.
#[derive(Clone, Debug)]
pub struct StartDevice {
    pub realm: RealmId,
    /// As it shall be: waiting, with an interval of [`INTERVAL_S`], not polled.
    pub device: DeviceCode,
    /// What its address counts as: one household or host.
    pub network: String,
    pub now: Timestamp,
    pub audit: Audit,
}

/// What became of [`StartDevice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceStarted {
    Started,
    /// The user code is somebody else's: draw another one.
    Taken,
    /// Too many of this address or client wait already.
    Full,
}

impl Write for StartDevice {
    type Out = DeviceStarted;

    async fn run(&self, c: &mut Conn) -> Result<DeviceStarted> {
        // Parallel requests may exceed the limits by as many as there are connections.
        const OF_ADDRESS: &str = "SELECT COUNT(*) FROM device_codes \
             WHERE realm_id = $1 AND address = $2 AND state = 'waiting' AND expires_ms > $3";
        const OF_CLIENT: &str = "SELECT COUNT(*) FROM device_codes \
             WHERE realm_id = $1 AND client_id = $2 AND state = 'waiting' AND expires_ms > $3";
        const INSERT: &str = "INSERT INTO device_codes \
             (realm_id, hash, user_code, client_id, address, request, state, interval_s, expires_ms) \
             VALUES ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8) ON CONFLICT DO NOTHING";
        let (realm, device) = (self.realm, &self.device);
        let of_address = c.one::<i64>(OF_ADDRESS, vals![realm, &self.network, self.now]).await?;
        let of_client = c.one::<i64>(OF_CLIENT, vals![realm, &device.client_id, self.now]).await?;
        if of_address >= Some(MOST_WAITING.0) || of_client >= Some(MOST_WAITING.1) {
            return Ok(DeviceStarted::Full);
        }
        let request = json(&device.request, "device_codes.request")?;
        let values = vals![
            realm,
            &device.hash,
            &device.user_code,
            &device.client_id,
            &self.network,
            &request,
            INTERVAL_S,
            device.expires,
        ];
        if c.exec(INSERT, values).await? == 0 {
            return Ok(DeviceStarted::Taken);
        }
        audit::insert(c, realm, &self.audit).await?;
        Ok(DeviceStarted::Started)
    }

    fn keeps(out: &DeviceStarted) -> bool {
        *out == DeviceStarted::Started
    }
}

/// Says yes for an account, in its session. `false`: it was answered before, has expired, or the session has ended.
#[derive(Clone, Debug)]
pub struct ApproveDevice {
    pub realm: RealmId,
    pub hash: Hash,
    pub approval: Approval,
    /// What the person agrees to by that: withdrawing it ends what the device was granted.
    pub consent: Consent,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for ApproveDevice {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE device_codes SET state = 'approved', account_id = $4, sid = $5, auth = $6 \
             WHERE realm_id = $1 AND hash = $2 AND state = 'waiting' AND expires_ms > $3";
        let (realm, Approval { account_id, sid, auth }) = (self.realm, &self.approval);
        let auth = json(auth, "device_codes.auth")?;
        let done = sessions::touch(c, realm, Some(sid), self.now, self.now).await?
            && c.exec(SQL, vals![realm, &self.hash, self.now, account_id, sid, &auth]).await? == 1;
        if done {
            consents::save(c, realm, &self.consent).await?;
            audit::insert(c, realm, &self.audit).await?;
        }
        Ok(done)
    }

    fn keeps(approved: &bool) -> bool {
        *approved
    }
}

/// Says no. `false`: it was answered before or has expired.
#[derive(Clone, Debug)]
pub struct DenyDevice {
    pub realm: RealmId,
    pub hash: Hash,
    pub now: Timestamp,
    pub audit: Audit,
}

impl Write for DenyDevice {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE device_codes SET state = 'denied' \
             WHERE realm_id = $1 AND hash = $2 AND state = 'waiting' AND expires_ms > $3";
        if c.exec(SQL, vals![self.realm, &self.hash, self.now]).await? == 0 {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(denied: &bool) -> bool {
        *denied
    }
}

/// Notes that a device asked while nobody had answered. `false`: another poll or an answer came in between.
#[derive(Clone, Debug)]
pub struct NotePoll {
    pub realm: RealmId,
    pub hash: Hash,
    /// The last poll as it was seen.
    pub seen: Option<Timestamp>,
    /// Seconds between two polls from now on.
    pub interval_s: i64,
    pub now: Timestamp,
}

impl Write for NotePoll {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE device_codes SET polled_ms = $4, interval_s = $5 \
             WHERE realm_id = $1 AND hash = $2 AND state = 'waiting' AND COALESCE(polled_ms, -1) = $3";
        let seen = self.seen.map_or(-1, Timestamp::ms);
        Ok(c.exec(SQL, vals![self.realm, &self.hash, seen, self.now, self.interval_s]).await? == 1)
    }

    fn keeps(noted: &bool) -> bool {
        *noted
    }
}

/// Fetches what was approved: the code is used, its grant begins, with a first refresh token where it gets one.
#[derive(Clone, Debug)]
pub struct RedeemDevice {
    pub realm: RealmId,
    pub hash: Hash,
    /// As it shall be; its state is live and `created` is now.
    pub grant: Grant,
    pub refresh: Option<NewRefreshToken>,
    pub audit: Audit,
}

/// What became of [`RedeemDevice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceRedeemed {
    Redeemed,
    /// Somebody was faster, or it has just expired.
    Used,
    /// Account, session, client or consent do not permit it any more; nothing was written.
    Gone,
}

impl Write for RedeemDevice {
    type Out = DeviceRedeemed;

    async fn run(&self, c: &mut Conn) -> Result<DeviceRedeemed> {
        const SQL: &str = "UPDATE device_codes SET state = 'used' \
             WHERE realm_id = $1 AND hash = $2 AND state = 'approved' AND expires_ms > $3";
        let (realm, g) = (self.realm, &self.grant);
        // First the session, as every write that needs both: who ends it comes before or after.
        if !sessions::touch(c, realm, g.sid.as_ref(), g.created, g.created).await? {
            return Ok(DeviceRedeemed::Gone);
        }
        if c.exec(SQL, vals![realm, &self.hash, g.created]).await? == 0 {
            return Ok(DeviceRedeemed::Used);
        }
        if !grants::insert(c, realm, g, Guard::Consent).await? {
            return Ok(DeviceRedeemed::Gone);
        }
        if let Some(refresh) = &self.refresh {
            refresh_tokens::insert(c, realm, &g.id, refresh).await?;
        }
        audit::insert(c, realm, &self.audit).await?;
        Ok(DeviceRedeemed::Redeemed)
    }

    fn keeps(out: &DeviceRedeemed) -> bool {
        *out == DeviceRedeemed::Redeemed
    }
}
