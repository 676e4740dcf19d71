//! Sessions with the authentication events they rest on. They begin in [`crate::sign_in`].

use idp_core::account::Account;
use idp_core::audit::Audit;
use idp_core::id::{AccountId, EventId, FlowId, RealmId, Sid};
use idp_core::secret::Hash;
use idp_core::session::{AuthEvent, Method, Session};
use idp_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::accounts::account_columns;
use crate::error::Result;
use crate::sql::value::json;
use crate::sql::{Conn, FromRow, Row};
use crate::store::Store;
use crate::write::Write;
use crate::{audit, logout_deliveries, vals};

macro_rules! select {
    ($columns:expr, $join:literal, $rest:literal) => {
        concat!(
            "SELECT s.sid, s.account_id, s.created_ms, s.active_ms, s.expires_ms, \
             e.event_id, e.at_ms, e.credential_id, e.event",
            $columns,
            " FROM sessions s ",
            $join,
            "LEFT JOIN session_events e ON e.realm_id = s.realm_id AND e.sid = s.sid \
             WHERE s.realm_id = $1 AND s.state = 'live' AND s.expires_ms > $2 AND s.active_ms > $3 AND ",
            $rest,
            " ORDER BY s.created_ms DESC, s.sid, e.at_ms, e.event_id"
        )
    };
    ($rest:literal) => {
        select!("", "", $rest)
    };
}

/// What the column `event` holds: all of an event that has no column of its own. Rows of the first version repeat
/// those columns; that is passed over.
#[derive(Serialize, Deserialize)]
pub(crate) struct StoredEvent {
    flow: Option<FlowId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(flatten)]
    method: Method,
}

impl StoredEvent {
    /// The event as text, and the credential id that goes into the column beside it.
    pub(crate) fn text(event: &AuthEvent) -> Result<(String, Option<Vec<u8>>)> {
        let (client, place) = (event.client.clone(), event.place.clone());
        let mut stored = Self { flow: event.flow, client, place, method: event.method.clone() };
        let credential_id = match &mut stored.method {
            Method::Passkey(proof) => Some(std::mem::take(&mut proof.credential_id)),
            _ => None,
        };
        Ok((json(&stored, "session_events.event")?, credential_id))
    }

    fn read(text: &str, credential_id: Option<&[u8]>) -> Result<Self> {
        let mut stored: Self = serde_json::from_str(text).map_err(|_| crate::Error::Corrupt("session_events.event"))?;
        if let (Method::Passkey(proof), Some(id)) = (&mut stored.method, credential_id) {
            id.clone_into(&mut proof.credential_id);
        }
        Ok(stored)
    }

    fn into_event(self, id: EventId, at: Timestamp) -> AuthEvent {
        AuthEvent { id, at, flow: self.flow, client: self.client, place: self.place, method: self.method }
    }
}

/// One event of a session; the session's own columns repeat in each row.
struct EventRow(Session);

impl FromRow for EventRow {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        let mut session = Session {
            sid: row.id("sessions.sid")?,
            account_id: row.id("sessions.account_id")?,
            created: row.time()?,
            active: row.time()?,
            expires: row.time()?,
            events: Vec::new(),
        };
        let id = row.id_or_null("session_events.event_id")?;
        let (at, credential_id, event) = (row.time_or_null()?, row.blob_or_null()?, row.text_or_null()?);
        if let (Some(id), Some(at), Some(event)) = (id, at, event) {
            session.events.push(StoredEvent::read(event, credential_id)?.into_event(id, at));
        }
        Ok(Self(session))
    }
}

/// The same with the account, whose columns repeat as well.
struct VisitorRow(EventRow, Account);

impl FromRow for VisitorRow {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        Ok(Self(EventRow::from_row(row)?, Account::from_row(row)?))
    }
}

/// Joins rows of one session that follow each other.
fn gather(rows: Vec<EventRow>) -> Vec<Session> {
    let mut sessions: Vec<Session> = Vec::new();
    for EventRow(session) in rows {
        match sessions.last_mut() {
            Some(last) if last.sid == session.sid => last.events.extend(session.events),
            _ => sessions.push(session),
        }
    }
    sessions
}

/// The moment since which a session must have been used.
const fn idle_since(now: Timestamp, idle_s: i64) -> Timestamp {
    now.plus_s(idle_s.saturating_neg())
}

impl Store {
    /// The session of a cookie, if it is live, not expired and was used within the last `idle_s` seconds, with its
    /// account, whatever that one's state.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn find_visitor(
        &self,
        realm: RealmId,
        cookie: &Hash,
        now: Timestamp,
        idle_s: i64,
    ) -> Result<Option<(Session, Account)>> {
        const SQL: &str = select!(
            concat!(", ", account_columns!()),
            "JOIN accounts a ON a.realm_id = s.realm_id AND a.account_id = s.account_id ",
            "s.cookie_hash = $4"
        );
        let rows: Vec<VisitorRow> = self.few(SQL, vals![realm, now, idle_since(now, idle_s), cookie]).await?;
        let (events, accounts): (Vec<EventRow>, Vec<Account>) = rows.into_iter().map(|row| (row.0, row.1)).unzip();
        Ok(gather(events).pop().zip(accounts.into_iter().next()))
    }

    /// The live sessions of an account, newest first.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn list_sessions(
        &self,
        realm: RealmId,
        account: &AccountId,
        now: Timestamp,
        idle_s: i64,
    ) -> Result<Vec<Session>> {
        let values = vals![realm, now, idle_since(now, idle_s), account];
        Ok(gather(self.list(select!("s.account_id = $4"), values).await?))
    }
}

/// Records activity of a session and, by that, locks it: who ends it comes before or after, never between, and
/// parallel redemptions of one code queue here. `false`: it is not live any more, or was not used after `since`.
pub(crate) async fn touch(
    c: &mut Conn,
    realm: RealmId,
    sid: Option<&Sid>,
    now: Timestamp,
    since: Timestamp,
) -> Result<bool> {
    const SQL: &str = "UPDATE sessions SET active_ms = CASE WHEN $3 > active_ms THEN $3 ELSE active_ms END \
         WHERE realm_id = $1 AND sid = $2 AND state = 'live' AND expires_ms > $3 AND ($4 = $3 OR active_ms > $4)";
    Ok(c.exec(SQL, vals![realm, sid, now, since]).await? == 1)
}

/// Revokes the live grants of an account whose sessions have ended. After sessions, in every write: redemptions
/// lock the session first, too.
async fn revoke_grants_of_ended(c: &mut Conn, realm: RealmId, account: &AccountId) -> Result<u64> {
    const SQL: &str = "UPDATE grants SET state = 'revoked' \
         WHERE realm_id = $1 AND account_id = $2 AND state = 'live' AND sid IN \
         (SELECT sid FROM sessions WHERE realm_id = $1 AND account_id = $2 AND state = 'ended')";
    c.exec(SQL, vals![realm, account]).await
}

/// A session that ended just now.
struct Ended(Sid);

impl FromRow for Ended {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.id("sessions.sid").map(Self)
    }
}

/// Has the clients of sessions that ended just now told of it; how many sessions they were.
async fn tell(c: &mut Conn, realm: RealmId, account: &AccountId, ended: &[Ended], now: Timestamp) -> Result<u64> {
    for Ended(sid) in ended {
        logout_deliveries::insert(c, realm, account, sid, now).await?;
    }
    Ok(u64::try_from(ended.len()).unwrap_or(u64::MAX))
}

/// Ends the sessions of an account, all but `keep`, and revokes what was granted in them, `offline_access` included,
/// also where the session is long over; how many sessions ended.
pub(crate) async fn end_all(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    keep: Option<&Sid>,
    now: Timestamp,
) -> Result<u64> {
    const SQL: &str = "UPDATE sessions SET state = 'ended' \
         WHERE realm_id = $1 AND account_id = $2 AND state = 'live' AND ($3 IS NULL OR sid <> $3) RETURNING sid";
    const OFFLINE: &str = "UPDATE grants SET state = 'revoked' \
         WHERE realm_id = $1 AND account_id = $2 AND offline = 1 AND state = 'live' AND ($3 IS NULL OR sid <> $3)";
    let ended: Vec<Ended> = c.all(SQL, vals![realm, account, keep]).await?;
    if !ended.is_empty() {
        revoke_grants_of_ended(c, realm, account).await?;
    }
    c.exec(OFFLINE, vals![realm, account, keep]).await?;
    tell(c, realm, account, &ended, now).await
}

/// What ends the sessions that an event helped to open, and revokes what was granted in them. By way of the account's
/// sessions: an index of events would cost every sign-in a page.
macro_rules! opened {
    ($update:literal, $event:literal) => {
        concat!(
            $update,
            " WHERE realm_id = $1 AND account_id = $2 AND state = 'live' AND sid IN \
             (SELECT s.sid FROM sessions s JOIN session_events e ON e.realm_id = s.realm_id AND e.sid = s.sid \
             WHERE s.realm_id = $1 AND s.account_id = $2 AND ",
            $event,
            ")"
        )
    };
}

/// Ends the sessions that a passkey helped to open and revokes what was granted in them, `offline_access` included,
/// also where the session is long over.
pub(crate) async fn end_opened_by(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    credential_id: &[u8],
    now: Timestamp,
) -> Result<u64> {
    const END: &str = concat!(opened!("UPDATE sessions SET state = 'ended'", "e.credential_id = $3"), " RETURNING sid");
    const REVOKE: &str = opened!("UPDATE grants SET state = 'revoked'", "e.credential_id = $3");
    let ended: Vec<Ended> = c.all(END, vals![realm, account, credential_id]).await?;
    c.exec(REVOKE, vals![realm, account, credential_id]).await?;
    tell(c, realm, account, &ended, now).await
}

/// The same of the codes of an authenticator app; one session may stay, with what was granted in it.
pub(crate) async fn end_by_totp(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    keep: Option<&Sid>,
    now: Timestamp,
) -> Result<u64> {
    // Quotes inside the texts of an event are escaped: nothing else reads like this.
    const END: &str = concat!(
        opened!(
            "UPDATE sessions SET state = 'ended'",
            "e.event LIKE '%\"method\":\"totp\"%' AND ($3 IS NULL OR s.sid <> $3)"
        ),
        " RETURNING sid"
    );
    const REVOKE: &str = opened!(
        "UPDATE grants SET state = 'revoked'",
        "e.event LIKE '%\"method\":\"totp\"%' AND ($3 IS NULL OR s.sid <> $3)"
    );
    let ended: Vec<Ended> = c.all(END, vals![realm, account, keep]).await?;
    c.exec(REVOKE, vals![realm, account, keep]).await?;
    tell(c, realm, account, &ended, now).await
}

/// Ends one session of an account and revokes what was granted in it, but not what was granted for good
/// (`offline_access`): this is an ordinary logout. Whether it was live.
pub(crate) async fn end_one(
    c: &mut Conn,
    realm: RealmId,
    account: &AccountId,
    sid: &Sid,
    now: Timestamp,
) -> Result<bool> {
    const END: &str = "UPDATE sessions SET state = 'ended' \
         WHERE realm_id = $1 AND sid = $2 AND account_id = $3 AND state = 'live'";
    const REVOKE: &str =
        "UPDATE grants SET state = 'revoked' WHERE realm_id = $1 AND sid = $2 AND state = 'live' AND offline = 0";
    if c.exec(END, vals![realm, sid, account]).await? == 0 {
        return Ok(false);
    }
    c.exec(REVOKE, vals![realm, sid]).await?;
    tell(c, realm, account, &[Ended(*sid)], now).await?;
    Ok(true)
}

/// Ends one session and revokes what was granted in it. `false`: it had ended before; nothing is written.
#[derive(Clone, Debug)]
pub struct EndSession {
    pub realm: RealmId,
    pub sid: Sid,
    /// Only if it is this account's: people end sessions by an identifier from a form.
    pub account: AccountId,
    pub audit: Audit,
}

impl Write for EndSession {
    type Out = bool;

    async fn run(&self, c: &mut Conn) -> Result<bool> {
        if !end_one(c, self.realm, &self.account, &self.sid, self.audit.at).await? {
            return Ok(false);
        }
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(true)
    }

    fn keeps(ended: &bool) -> bool {
        *ended
    }
}

/// Ends all sessions of an account but one; how many ended. Nothing is written when there was none.
#[derive(Clone, Debug)]
pub struct EndAccountSessions {
    pub realm: RealmId,
    pub account: AccountId,
    /// The session of whoever asks, to stay.
    pub keep: Option<Sid>,
    pub audit: Audit,
}

impl Write for EndAccountSessions {
    type Out = u64;

    async fn run(&self, c: &mut Conn) -> Result<u64> {
        let ended = end_all(c, self.realm, &self.account, self.keep.as_ref(), self.audit.at).await?;
        audit::insert(c, self.realm, &self.audit).await?;
        Ok(ended)
    }

    fn keeps(ended: &u64) -> bool {
        *ended > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idp_core::session::PasskeyProof;

    fn event() -> AuthEvent {
        let proof = PasskeyProof {
            credential_id: vec![7; 32],
            user_verified: true,
            backup_eligible: true,
            backup_state: false,
            aaguid: [5; 16],
            attestation_root: None,
            hardware: false,
        };
        let id = EventId::from_bytes([1; 16]);
        AuthEvent::new(id, Timestamp::from_ms(5), Some(FlowId::from_bytes([2; 16])), Method::Passkey(proof))
    }

    #[test]
    fn an_event_repeats_no_column_beside_it() {
        let (text, credential_id) = StoredEvent::text(&event()).unwrap();
        assert_eq!(credential_id.as_deref(), Some(&[7; 32][..]));
        for column in ["\"id\"", "\"at\"", "credential_id"] {
            assert!(!text.contains(column), "{text}");
        }
        let read = StoredEvent::read(&text, credential_id.as_deref()).unwrap();
        assert_eq!(read.into_event(event().id, event().at), event());
        let seen = AuthEvent { client: Some("Firefox".to_owned()), place: Some("203.0.113.*".to_owned()), ..event() };
        let (text, credential_id) = StoredEvent::text(&seen).unwrap();
        let read = StoredEvent::read(&text, credential_id.as_deref()).unwrap();
        assert_eq!(read.into_event(seen.id, seen.at), seen, "where it happened is kept");
        let password = AuthEvent { method: Method::Password, ..event() };
        let (text, credential_id) = StoredEvent::text(&password).unwrap();
        assert_eq!(
            (text.as_str(), credential_id),
            (r#"{"flow":"02020202-0202-0202-0202-020202020202","method":"password"}"#, None)
        );
        assert_eq!(StoredEvent::read(&text, None).unwrap().into_event(event().id, event().at), password);
    }

    #[test]
    fn an_event_of_the_first_version_is_read() {
        let whole = serde_json::to_string(&event()).unwrap();
        assert!(whole.contains("credential_id"));
        let read = StoredEvent::read(&whole, Some(&[7; 32])).unwrap();
        assert_eq!(read.into_event(event().id, event().at), event());
    }
}
