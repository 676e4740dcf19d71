//! What sign-ins need: a confidential client, and accounts whose passkeys were registered over HTTP like anybody's.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::fill;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use idp_core::account::{Account, AccountState, Profile, Role};
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::client::{Client, ClientSettings, ClientState, ConsentMode, SigningAlg};
use idp_core::id::{AccountId, AuditId, ClientId, RealmId};
use idp_core::pass::{Pass, PassKind};
use idp_core::secret::sha256;
use idp_core::time::Timestamp;
use idp_softkey::{Alg, Options, SoftKey};
use idp_store::Store;
use idp_store::accounts::CreateAccount;
use idp_store::clients::CreateClient;
use idp_store::passes::IssuePass;
use serde_json::{Value, json};

use crate::Failure;
use crate::http::{Browser, Connection};

/// The client everybody signs in to; its redirect URI is https, so that skipping consent is honoured.
pub const CLIENT_ID: &str = "load";
pub const REDIRECT_URI: &str = "https://rp.example.org/callback";

/// What the relying party knows.
pub struct RelyingParty {
    /// `Authorization` of the client at the token endpoint.
    pub basic: String,
}

/// One person with a passkey that keeps no counter, as synced ones do.
pub struct Person {
    pub key: SoftKey,
    /// The account, as `sub` of its tokens.
    pub sub: String,
}

/// Unix time in milliseconds.
pub fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// Random bytes.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

/// Random bytes as base64url.
pub fn token<const N: usize>() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random::<N>()?))
}

/// Writes the client and the accounts beside the running product, as its command line would, and registers a
/// passkey for each account over HTTP with an access pass.
pub fn prepare(database_url: &str, port: u16, accounts: usize) -> Result<(RelyingParty, Vec<Person>), Failure> {
    let (secret, passes) = tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let store = Store::open(database_url, &idp_store::Options::default()).await?;
        let realm = store.find_realm("default").await?.ok_or("the product made no realm")?.id;
        let secret = create_client(&store, realm).await?;
        let mut passes = Vec::with_capacity(accounts);
        for number in 0..accounts {
            passes.push(create_account(&store, realm, number).await?);
        }
        store.close().await;
        Ok::<_, Failure>((secret, passes))
    })?;
    let mut browser = Browser::new(Connection::open(port)?);
    let people = passes.into_iter().map(|(sub, pass)| register(&mut browser, sub, &pass));
    let people = people.collect::<Result<_, _>>()?;
    Ok((RelyingParty { basic: format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{secret}"))) }, people))
}

async fn create_client(store: &Store, realm: RealmId) -> Result<String, Failure> {
    let secret = token::<32>()?;
    let client = Client {
        id: ClientId::parse(CLIENT_ID)?,
        state: ClientState::Active,
        secret_hash: Some(sha256(secret.as_bytes())),
        settings: ClientSettings {
            name: "Load".to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
            id_token_alg: SigningAlg::ES256,
            consent: ConsentMode::Skip,
            ..ClientSettings::default()
        },
        registration_hash: None,
        created: now(),
        updated: now(),
    };
    let audit = audit(AuditEvent::ClientCreated)?;
    if store.write(CreateClient { realm, client, audit }).await? { Ok(secret) } else { Err("the client exists".into()) }
}

/// An account and the secret of its access pass.
async fn create_account(store: &Store, realm: RealmId, number: usize) -> Result<(String, String), Failure> {
    let id = AccountId::new(now(), random()?);
    let account = Account {
        id,
        username: format!("person{number}"),
        profile: Profile {
            name: Some(format!("Person {number}")),
            email: Some(format!("person{number}@example.org")),
            email_verified: true,
            ..Profile::default()
        },
        user_handle: random::<64>()?.to_vec(),
        role: Role::User,
        state: AccountState::Active,
        password_hash: None,
        password_version: 0,
        preferences: Default::default(),
        totp: None,
        recovery: None,
        created: now(),
        updated: now(),
    };
    if store.write(CreateAccount { realm, account, audit: audit(AuditEvent::AccountCreated)? }).await?.is_some() {
        return Err("the account exists".into());
    }
    let secret = token::<32>()?;
    let pass = Pass {
        hash: sha256(secret.as_bytes()),
        kind: PassKind::Access,
        account_id: Some(id),
        created: now(),
        expires: now().plus_s(3600),
        used: None,
        browser: None,
    };
    store.write(IssuePass { realm, pass, audit: audit(AuditEvent::PassIssued)? }).await?;
    Ok((id.to_string(), secret))
}

fn audit(event: AuditEvent) -> Result<Audit, Failure> {
    Ok(Audit {
        id: AuditId::new(now(), random()?),
        at: now(),
        event,
        actor: Actor::Operator,
        account_id: None,
        client_id: None,
        request_id: "command".to_owned(),
        detail: json!({}),
    })
}

fn register(browser: &mut Browser, sub: String, pass: &str) -> Result<Person, Failure> {
    browser.forget();
    let begun = browser.post("/webauthn/register/options", None, &json!({ "pass": pass }))?;
    let begun: Value = begun.expect("register/options", 200)?.json()?;
    let mut key = SoftKey::new(Alg::Es256, Options::synced());
    let credential = key.create(&begun["publicKey"], browser.origin());
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    browser.post("/webauthn/register", begun["csrf"].as_str(), &body)?.expect("register", 201)?;
    Ok(Person { key, sub })
}
