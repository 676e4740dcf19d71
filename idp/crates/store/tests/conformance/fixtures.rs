//! What the tests share: databases, and values of each noun that collide with nothing.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use idp_core::account::{Account, AccountState, Profile, Role};
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::client::{Client, ClientSettings, ClientState, SigningAlg};
use idp_core::credential::recovery::Recovery;
use idp_core::grant::{Grant, GrantDetail, GrantState};
use idp_core::id::{AccountId, AuditId, ClientId, EventId, GrantId, RealmId, Sid};
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::{Passkey, PasskeyState};
use idp_core::realm::{RealmSettings, RelyingParty};
use idp_core::secret::Secret;
use idp_core::secret::{Hash, sha256};
use idp_core::session::{AuthEvent, Method, PasskeyProof};
use idp_core::time::Timestamp;
use idp_store::accounts::CreateAccount;
use idp_store::clients::CreateClient;
use idp_store::codes::RedeemCode;
use idp_store::grants::Guard;
use idp_store::held::WayIn;
use idp_store::passkeys::{PasskeyRegistered, RegisterPasskey};
use idp_store::passwords::{Keep, SetPassword};
use idp_store::realms::CreateRealm;
use idp_store::sign_in::{FinishSignIn, PasskeyUse, SignInSession, SignedIn};
use idp_store::used_once::Once;
use idp_store::{Options, Store};

pub const NOW: Timestamp = Timestamp::from_ms(1_763_600_000_000);
pub const REALM: RealmId = RealmId(1);
pub const IDLE_S: i64 = 3600;

/// A database of its own for one test.
pub struct Db {
    pub store: Store,
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

impl Db {
    pub fn sqlite_url() -> (String, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (format!("sqlite://{}", folder.path().join("idp.db").display()), folder)
    }

    pub fn postgres_url() -> String {
        static CLUSTER: OnceLock<idp_pg::Cluster> = OnceLock::new();
        CLUSTER.get_or_init(idp_pg::Cluster::start).url("store")
    }

    pub async fn sqlite() -> Self {
        crate::plans::watch();
        let (url, folder) = Self::sqlite_url();
        Self { store: Store::open(&url, &Options::default()).await.unwrap(), url, _folder: Some(folder) }
    }

    pub async fn postgres() -> Self {
        let url = Self::postgres_url();
        Self { store: Store::open(&url, &Options::default()).await.unwrap(), url, _folder: None }
    }

    /// Another handle, as another process would have.
    pub async fn other(&self) -> Store {
        Store::open(&self.url, &Options::default()).await.unwrap()
    }
}

/// Runs each function once for each database.
#[macro_export]
macro_rules! both {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn check($db: &$crate::fixtures::Db) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let db = $crate::fixtures::Db::sqlite().await;
                check(&db).await;
                $crate::plans::check(&db.url);
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() { check(&$crate::fixtures::Db::postgres().await).await }
        }
    )*};
}

pub fn number() -> u64 {
    static NUMBER: AtomicU64 = AtomicU64::new(1);
    NUMBER.fetch_add(1, Relaxed)
}

pub fn random() -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number().to_be_bytes());
    bytes
}

pub fn hash() -> Hash {
    sha256(&number().to_be_bytes())
}

pub fn sid() -> Sid {
    Sid::new(NOW, random())
}

pub fn grant_id() -> GrantId {
    GrantId::new(NOW, random())
}

pub fn audit(event: AuditEvent) -> Audit {
    Audit {
        id: AuditId::new(NOW, random()),
        at: NOW,
        event,
        actor: Actor::Operator,
        account_id: None,
        client_id: None,
        request_id: "r-1".to_owned(),
        detail: serde_json::json!({}),
    }
}

pub fn create_realm(name: &str) -> CreateRealm {
    CreateRealm {
        name: name.to_owned(),
        issuer: format!("https://{name}.example"),
        display_name: name.to_owned(),
        relying_parties: vec![RelyingParty::alone(&format!("https://{name}.example"))],
        settings: RealmSettings::default(),
        policy: Policy::default(),
        now: NOW,
        audit: audit(AuditEvent::RealmCreated),
    }
}

pub fn account(username: &str) -> Account {
    Account {
        id: AccountId::new(NOW, random()),
        username: username.to_owned(),
        profile: Profile { email: Some(format!("{username}@example.org")), ..Profile::default() },
        user_handle: hash().to_vec(),
        role: Role::User,
        state: AccountState::Active,
        password_hash: None,
        password_version: 0,
        preferences: Default::default(),
        totp: None,
        recovery: None,
        created: NOW,
        updated: NOW,
    }
}

pub fn client(id: &str) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        state: ClientState::Active,
        secret_hash: Some(hash()),
        settings: ClientSettings {
            name: id.to_owned(),
            redirect_uris: vec!["https://app.example/cb".to_owned()],
            id_token_alg: SigningAlg::ES256,
            ..ClientSettings::default()
        },
        registration_hash: None,
        created: NOW,
        updated: NOW,
    }
}

pub fn passkey(account: AccountId) -> Passkey {
    Passkey {
        credential_id: hash().to_vec(),
        account_id: account,
        rp_id: "a.example".to_owned(),
        public_key: vec![1, 2, 3],
        alg: -7,
        counter: 0,
        counter_at: NOW,
        uv_initialized: false,
        discoverable: None,
        backup_eligible: true,
        backup_state: false,
        transports: vec!["internal".to_owned()],
        attachment: None,
        aaguid: [7; 16],
        attestation_format: "none".to_owned(),
        attestation: idp_core::passkey::record::Attestation::None,
        attestation_root: None,
        attestation_key_id: None,
        attestation_hardware: false,
        model: Default::default(),
        name: "Phone".to_owned(),
        state: PasskeyState::Active,
        suspended_reason: None,
        created: NOW,
        last_used: None,
        last_used_client: None,
        last_used_place: None,
    }
}

pub fn challenge() -> Once {
    Once { hash: hash(), expires: NOW.plus_s(300) }
}

pub async fn make_account(store: &Store, username: &str) -> Account {
    let account = account(username);
    let op = CreateAccount { realm: REALM, account: account.clone(), audit: audit(AuditEvent::AccountCreated) };
    assert_eq!(store.write(op).await.unwrap(), None);
    account
}

pub fn register(passkey: &Passkey) -> RegisterPasskey {
    RegisterPasskey {
        realm: REALM,
        passkey: passkey.clone(),
        challenge: challenge(),
        pass: None,
        max_passkeys: 10,
        automatic: false,
        now: NOW,
        audit: audit(AuditEvent::PasskeyRegistered),
    }
}

pub async fn make_passkey(store: &Store, account: &Account) -> Passkey {
    let passkey = passkey(account.id);
    assert_eq!(store.write(register(&passkey)).await.unwrap(), PasskeyRegistered::Registered);
    passkey
}

pub async fn make_client(store: &Store, id: &str) -> Client {
    let client = client(id);
    let op = CreateClient { realm: REALM, client: client.clone(), audit: audit(AuditEvent::ClientCreated) };
    assert!(store.write(op).await.unwrap());
    client
}

/// A sign-in with a passkey into a new session.
pub fn sign_in(passkey: &Passkey) -> FinishSignIn {
    FinishSignIn {
        realm: REALM,
        account: passkey.account_id,
        now: NOW,
        challenge: Some(challenge()),
        passkey: Some(PasskeyUse {
            credential_id: passkey.credential_id.clone(),
            counter: 0,
            backup_state: false,
            user_verified: true,
            client: Some("Firefox on Linux".to_owned()),
            place: Some("203.0.113.*".to_owned()),
        }),
        totp: None,
        password_version: None,
        session: SignInSession { sid: sid(), exists: false, cookie_hash: hash(), expires: NOW.plus_s(12 * 3600) },
        replaces: None,
        events: vec![AuthEvent::new(
            EventId::new(NOW, random()),
            NOW,
            None,
            Method::Passkey(PasskeyProof::of(passkey, true, false)),
        )],
        clear: Vec::new(),
        stops_recovery: None,
        grace_begins: false,
        audit: audit(AuditEvent::SignIn),
    }
}

/// What must remain where one of the factors of an account at `a.example` goes.
pub fn way_in() -> WayIn {
    WayIn { policy: Policy::default(), recovery: Recovery::default() }
}

/// Sets or removes a password as its owner does.
pub fn set_password(account: &Account, hash: Option<&str>, seen_version: i64, keep: Option<Sid>) -> SetPassword {
    SetPassword {
        realm: REALM,
        account: account.id,
        hash: hash.map(|hash| Secret::new(hash.to_owned())),
        seen_version,
        keep: keep.map_or(Keep::None, Keep::One),
        way_in: Some(way_in()),
        clear: Vec::new(),
        now: NOW,
        audit: audit(AuditEvent::PasswordSet),
    }
}

/// A sign-in with a password.
pub fn password_sign_in(account: &Account, version: i64) -> FinishSignIn {
    let mut op = sign_in(&passkey(account.id));
    (op.challenge, op.passkey, op.password_version) = (None, None, Some(version));
    op.events[0].method = Method::Password;
    op
}

/// Somebody signed in with a passkey, and a client.
pub struct SignedInWorld {
    pub account: Account,
    pub passkey: Passkey,
    pub client: Client,
    pub sid: Sid,
}

impl SignedInWorld {
    pub async fn make(store: &Store) -> Self {
        let account = make_account(store, "alice").await;
        let passkey = make_passkey(store, &account).await;
        let client = make_client(store, "app").await;
        let op = sign_in(&passkey);
        let sid = op.session.sid;
        assert_eq!(store.write(op).await.unwrap(), SignedIn::Done(sid));
        Self { account, passkey, client, sid }
    }

    pub fn grant(&self) -> Grant {
        Grant {
            id: grant_id(),
            client_id: self.client.id.clone(),
            account_id: Some(self.account.id),
            sid: Some(self.sid),
            scope: "openid profile".to_owned(),
            detail: GrantDetail::default(),
            offline: false,
            hears_of_logout: false,
            state: GrantState::Live,
            created: NOW.plus_s(5),
            expires: NOW.plus_s(600),
        }
    }
}

/// Redeems a code without a refresh token.
pub fn redeem_code(grant: &Grant) -> RedeemCode {
    let audit = audit(AuditEvent::CodeRedeemed);
    RedeemCode { realm: REALM, grant: grant.clone(), refresh: None, guard: Guard::Parties, audit }
}

pub async fn count_audit(store: &Store, event: AuditEvent) -> usize {
    let filter = idp_store::audit::AuditFilter { event: Some(event), ..Default::default() };
    store.list_audit(REALM, &filter, 1000).await.unwrap().len()
}

/// A passkey as it is kept, of an account that is there.
pub async fn find_passkey(store: &Store, credential_id: &[u8]) -> Option<Passkey> {
    store.find_passkey_with_account(REALM, credential_id).await.unwrap().map(|found| found.0)
}

/// Whether a session of an account is live.
pub async fn is_live(store: &Store, account: &AccountId, sid: &Sid) -> bool {
    store.list_sessions(REALM, account, NOW, IDLE_S).await.unwrap().iter().any(|session| session.sid == *sid)
}
