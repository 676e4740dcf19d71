//! A sign-in: one commit for challenge, passkey, session, events, throttles and audit.
//!
//! Rows are locked in the order challenge, account, passkey, authenticator app, session in every verb, so that none
//! waits in a circle; a new session comes before them, since nobody else can know its row.

use idp_core::audit::Audit;
use idp_core::id::{AccountId, RealmId, Sid};
use idp_core::secret::Hash;
use idp_core::session::AuthEvent;
use idp_core::time::Timestamp;

use crate::accounts::Preference;
use crate::error::Result;
use crate::sessions::StoredEvent;
use crate::sql::{Conn, Locking, for_share};
use crate::totp::{self, TotpUse};
use crate::used_once::{self, Once};
use crate::write::Write;
use crate::{accounts, audit, recoveries, sessions, throttles, vals};

/// What an assertion changes in its passkey's record (WebAuthn L3 §7.2 step 25).
#[derive(Clone, Debug)]
pub struct PasskeyUse {
    pub credential_id: Vec<u8>,
    /// Signature counter of the assertion; the record keeps the highest, since two sign-ins may finish at once.
    pub counter: u32,
    pub backup_state: bool,
    /// User verification was done; once is remembered for ever.
    pub user_verified: bool,
    /// Browser and system, in words.
    pub client: Option<String>,
    /// Network of the address.
    pub place: Option<String>,
}

/// The session a sign-in opens or strengthens.
#[derive(Clone, Debug)]
pub struct SignInSession {
    pub sid: Sid,
    /// `false`: a new one. `true`: a live session of the same account gets the events and a new cookie.
    pub exists: bool,
    /// Hash of the new cookie's value; the old cookie is worth nothing afterwards.
    pub cookie_hash: Hash,
    pub expires: Timestamp,
}

/// Finishes a sign-in or a step-up.
#[derive(Clone, Debug)]
pub struct FinishSignIn {
    pub realm: RealmId,
    pub account: AccountId,
    pub now: Timestamp,
    /// `None` when no ceremony took part.
    pub challenge: Option<Once>,
    pub passkey: Option<PasskeyUse>,
    /// The code of an authenticator app, when one of the events is that.
    pub totp: Option<TotpUse>,
    /// The version of the password that was right, when one of the events is a password.
    pub password_version: Option<i64>,
    pub session: SignInSession,
    /// A session of another account in the same browser: it ends with this sign-in.
    pub replaces: Option<(Sid, AccountId)>,
    pub events: Vec<AuthEvent>,
    /// Throttle buckets that a success clears.
    pub clear: Vec<i64>,
    /// Ends a recovery that waits: whoever signs in so needs none.
    pub stops_recovery: Option<Audit>,
    /// The grace period of a passkey that is required begins.
    pub grace_begins: bool,
    pub audit: Audit,
}

/// What became of [`FinishSignIn`]; only `Done` wrote anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignedIn {
    Done(Sid),
    /// The challenge or the code was used before.
    Replayed,
    /// The passkey was removed or suspended meanwhile.
    PasskeyGone,
    /// The account was deleted or switched off, or its password changed meanwhile.
    AccountGone,
    /// The session to strengthen ended meanwhile.
    SessionGone,
}

/// Which account may sign in: active, and with the password that was proved, where one was.
macro_rules! may_sign_in {
    () => {
        "WHERE realm_id = $1 AND account_id = $2 AND state = 'active' AND ($3 IS NULL OR password_version = $3)"
    };
}

impl Write for FinishSignIn {
    type Out = SignedIn;

    async fn run(&self, c: &mut Conn) -> Result<SignedIn> {
        if let Some(challenge) = &self.challenge
            && !used_once::insert(c, self.realm, challenge).await?
        {
            return Ok(SignedIn::Replayed);
        }
        let exists = self.session.exists;
        if !(if exists { self.lock_account(c).await? } else { self.begin_session(c).await? }) {
            return Ok(SignedIn::AccountGone);
        }
        if let Some(passkey) = &self.passkey
            && !self.use_passkey(c, passkey).await?
        {
            return Ok(SignedIn::PasskeyGone);
        }
        if let Some(totp) = &self.totp
            && !totp::use_step(c, self.realm, &self.account, totp, self.now).await?
        {
            return Ok(SignedIn::Replayed);
        }
        if exists && !self.extend_session(c).await? {
            return Ok(SignedIn::SessionGone);
        }
        for event in &self.events {
            self.append_event(c, event).await?;
        }
        if let Some((sid, account)) = &self.replaces {
            sessions::end_one(c, self.realm, account, sid, self.now).await?;
        }
        if let Some(audit) = &self.stops_recovery {
            recoveries::end(c, self.realm, &self.account, self.now).await?;
            audit::insert(c, self.realm, audit).await?;
        }
        if self.grace_begins {
            accounts::set_preference(c, self.realm, &self.account, Preference::PasskeyAsked(self.now)).await?;
        }
        throttles::clear(c, self.realm, &self.clear).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(SignedIn::Done(self.session.sid))
    }

    fn keeps(out: &SignedIn) -> bool {
        matches!(out, SignedIn::Done(_))
    }
}

impl FinishSignIn {
    async fn use_passkey(&self, c: &mut Conn, passkey: &PasskeyUse) -> Result<bool> {
        const SQL: &str = "UPDATE passkeys SET \
             counter = CASE WHEN $4 > counter THEN $4 ELSE counter END, counter_ms = $5, backup_state = $6, \
             uv_initialized = CASE WHEN $7 = 1 THEN 1 ELSE uv_initialized END, \
             last_used_ms = $5, last_used_client = $8, last_used_place = $9 \
             WHERE realm_id = $1 AND credential_id = $2 AND account_id = $3 AND state = 'active'";
        let values = vals![
            self.realm,
            &passkey.credential_id,
            &self.account,
            i64::from(passkey.counter),
            self.now,
            passkey.backup_state,
            passkey.user_verified,
            passkey.client.as_deref(),
            passkey.place.as_deref(),
        ];
        Ok(c.exec(SQL, values).await? == 1)
    }

    /// Locks the account if it may still sign in. Shared: several sign-ins of one account go side by side, but none
    /// beside its end.
    async fn lock_account(&self, c: &mut Conn) -> Result<bool> {
        const SQL: Locking = for_share!(concat!("SELECT realm_id FROM accounts ", may_sign_in!()));
        c.lock(SQL, vals![self.realm, &self.account, self.password_version]).await
    }

    /// Begins a session in the same statement that locks the account.
    async fn begin_session(&self, c: &mut Conn) -> Result<bool> {
        const SQL: Locking = for_share!(
            concat!(
                "INSERT INTO sessions (realm_id, sid, account_id, cookie_hash, state, created_ms, active_ms, expires_ms) \
                 SELECT $1, $4, $2, $5, 'live', $6, $6, $7 FROM accounts ",
                may_sign_in!()
            ),
            " ON CONFLICT DO NOTHING"
        );
        let session = &self.session;
        let values = vals![
            self.realm,
            &self.account,
            self.password_version,
            &session.sid,
            &session.cookie_hash,
            self.now,
            session.expires
        ];
        Ok(c.exec_locking(SQL, values).await? == 1)
    }

    async fn extend_session(&self, c: &mut Conn) -> Result<bool> {
        const SQL: &str = "UPDATE sessions SET cookie_hash = $4, active_ms = $5, expires_ms = $6 \
             WHERE realm_id = $1 AND sid = $2 AND account_id = $3 AND state = 'live' AND expires_ms > $5";
        let session = &self.session;
        let values = vals![self.realm, &session.sid, &self.account, &session.cookie_hash, self.now, session.expires];
        Ok(c.exec(SQL, values).await? == 1)
    }

    async fn append_event(&self, c: &mut Conn, event: &AuthEvent) -> Result<()> {
        const SQL: &str = "INSERT INTO session_events (realm_id, sid, event_id, at_ms, credential_id, event) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
        let (text, credential) = StoredEvent::text(event)?;
        let values = vals![self.realm, &self.session.sid, &event.id, event.at, credential.as_deref(), &text];
        c.exec(SQL, values).await.map(drop)
    }
}
