//! What the doctor looks at: settings, database, and the product as browsers see it. Reads only.

use idp_core::client::SigningAlg;
use idp_core::jose::keyset::KeyState;
use idp_core::passkey::reach::hangs_by_one_device;
use idp_core::realm::Realm;
use idp_core::realm::relying_party::is_under;
use idp_core::time::Timestamp;
use idp_store::Store;
use idp_store::mds::Kept;
use idp_store::rp_ids::OfRpId;
use rustls_pki_types::CertificateDer;
use url::Url;

use crate::app::App;
use crate::mail::Mailer;
use crate::outbound::probe::{self, Answer, Judgement, Probe};
use crate::settings::{Problems, Settings};

/// Everything that was seen.
pub struct Facts {
    pub now: Timestamp,
    /// `None`: no file was named.
    pub settings: Option<Result<Settings, Problems>>,
    /// `None`: no database is known.
    pub database: Option<Result<Inside, NoDatabase>>,
    /// Whether mails can be sent; `None`: no way is set.
    pub mail: Option<Result<(), String>>,
    /// `None`: no address is known.
    pub outside: Option<Outside>,
}

/// What the database says.
pub struct Inside {
    /// `None`: it was not made yet.
    pub realm: Option<Realm>,
    /// Algorithms without an active key, or why the keys cannot be used.
    pub keys_missing: Result<Vec<&'static str>, String>,
    pub owners: i64,
    /// People who have one passkey, on one device, and no other way in.
    pub one_device: usize,
    /// Passkeys by the RP ID they were made for.
    pub passkeys: Vec<OfRpId>,
    /// FIDO's metadata, those that wait too.
    pub metadata: Vec<Kept>,
}

/// Why the database says nothing.
#[derive(Debug)]
pub enum NoDatabase {
    Unreachable(String),
    /// It is there, but not in the form that this version uses.
    Schema(String),
}

/// What browsers and clients see.
pub struct Outside {
    /// The origin that was asked.
    pub url: Url,
    /// Of an https address.
    pub certificate: Option<Result<Judgement, String>>,
    pub discovery: Result<Answer, String>,
    /// The same with headers as a stranger may send them.
    pub forwarded: Result<Answer, String>,
    pub login: Result<Answer, String>,
    /// Discovery at the realm's further hosts.
    pub hosts: Vec<(String, Result<Answer, String>)>,
    /// The file of related origins of each RP ID that has some.
    pub related: Vec<(String, Result<Answer, String>)>,
}

/// Accounts that are read at once.
const PAGE: i64 = 500;

/// A host that a stranger names in forwarding headers.
pub const STRANGER: &str = "stranger.invalid";

impl Facts {
    /// The realm, if the database has it.
    pub fn realm(&self) -> Option<&Realm> {
        self.inside()?.realm.as_ref()
    }

    /// What the database says, if it says something.
    pub fn inside(&self) -> Option<&Inside> {
        self.database.as_ref()?.as_ref().ok()
    }

    /// The issuer as it is set; `None` where only an address was named.
    pub fn issuer(&self) -> Option<&str> {
        let set = || Some(self.settings.as_ref()?.as_ref().ok()?.realm.issuer.as_str());
        self.realm().map(|realm| realm.issuer.as_str()).or_else(set)
    }
}

/// Opens the database without making or migrating anything, and reads what there is.
///
/// # Errors
/// [`NoDatabase`].
pub async fn inside(app: Result<std::sync::Arc<App>, NoDatabase>, realm: Option<&str>) -> Result<Inside, NoDatabase> {
    let app = app?;
    let seen = read(&app, realm).await.map_err(|error| NoDatabase::Unreachable(error.to_string()));
    app.store.close().await;
    seen
}

async fn read(app: &App, name: Option<&str>) -> idp_store::Result<Inside> {
    let realm = match name {
        Some(name) => app.store.find_realm(name).await?,
        None => app.store.list_realms().await?.into_iter().next(),
    };
    let Some(realm) = realm else {
        let (passkeys, metadata) = (Vec::new(), Vec::new());
        return Ok(Inside { realm: None, keys_missing: Ok(Vec::new()), owners: 0, one_device: 0, passkeys, metadata });
    };
    Ok(Inside {
        keys_missing: keys_missing(app, &realm, &app.store).await?,
        owners: app.store.count_owners(realm.id).await?,
        one_device: one_device(app, &realm).await?,
        passkeys: app.store.count_by_rp_id(realm.id).await?,
        metadata: app.store.list_mds_blobs().await?,
        realm: Some(realm),
    })
}

async fn one_device(app: &App, realm: &Realm) -> idp_store::Result<usize> {
    let (mut count, mut after) = (0, None);
    loop {
        let page = app.store.list_holders(realm.id, after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.account.id);
        count += page.iter().filter(|holder| hangs_by_one_device(realm, holder, app.now())).count();
    }
}

async fn keys_missing(app: &App, realm: &Realm, store: &Store) -> idp_store::Result<Result<Vec<&'static str>, String>> {
    if let Err(error) = app.keys(realm.id).await {
        return Ok(Err(error.to_string()));
    }
    let stored = store.list_signing_keys(realm.id).await?;
    let active = |alg| stored.iter().any(|key| key.alg == alg && key.state == KeyState::Active);
    Ok(Ok(SigningAlg::ALL.iter().filter(|alg| !active(**alg)).map(|alg| alg.text()).collect()))
}

/// Goes to the mail server of the settings, and sends nothing.
pub async fn mail(settings: &Settings) -> Option<Result<(), String>> {
    let options = settings.mail.as_ref()?;
    let tested = match Mailer::new(options) {
        Ok(mailer) => mailer.test().await,
        Err(error) => Err(error),
    };
    Some(tested.map_err(|error| probe::innermost(&error)))
}

/// Asks the product as browsers do: at `url`, and at the further hosts and RP IDs of the realm.
///
/// # Errors
/// Only when nothing can be asked at all.
pub async fn outside(
    url: Url,
    realm: Option<&Realm>,
    authorities: &[CertificateDer<'static>],
    now: Timestamp,
) -> Result<Outside, String> {
    let probe = Probe::new()?;
    let origin = url.origin().ascii_serialization();
    let host = url.host_str().unwrap_or_default().to_owned();
    let certificate = match url.scheme() {
        "https" => {
            let port = url.port_or_known_default().unwrap_or(443);
            Some(probe::certificate(&host, port, &probe::roots(authorities), now).await)
        }
        _ => None,
    };
    let metadata = |origin: &str| format!("{origin}/.well-known/openid-configuration");
    let forged = format!("host={STRANGER};proto=http");
    let headers = [("x-forwarded-host", STRANGER), ("x-forwarded-proto", "http"), ("forwarded", forged.as_str())];
    let mut hosts = Vec::new();
    let mut related = Vec::new();
    for party in realm.map(|realm| realm.relying_parties.as_slice()).unwrap_or_default() {
        let here = url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let issuer = realm.and_then(|realm| realm.issuer.split_once("://")).map(|(_, host)| host);
        for other in party.hosts.iter().filter(|other| **other != here && Some(other.as_str()) != issuer) {
            hosts.push((other.clone(), probe.get(&metadata(&format!("{}://{other}", url.scheme())), &[]).await));
        }
        if party.origins.iter().chain(&party.related_origins).any(|origin| needs_file(origin, &party.rp_id)) {
            let file = format!("https://{}/.well-known/webauthn", party.rp_id);
            related.push((party.rp_id.clone(), probe.get(&file, &[]).await));
        }
    }
    Ok(Outside {
        certificate,
        discovery: probe.get(&metadata(&origin), &[]).await,
        forwarded: probe.get(&metadata(&origin), &headers).await,
        login: probe.get(&format!("{origin}/login"), &[]).await,
        hosts,
        related,
        url,
    })
}

/// Whether a browser at this origin looks for the RP ID's list of related origins (WebAuthn L3 §5.11).
pub fn needs_file(origin: &str, rp_id: &str) -> bool {
    let host = Url::parse(origin).ok().filter(|url| url.scheme().starts_with("http"));
    host.and_then(|url| url.host_str().map(str::to_owned)).is_some_and(|host| !is_under(&host, rp_id))
}
