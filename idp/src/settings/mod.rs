//! Settings: one TOML file, each key also as `IDP_SECTION__KEY`, secrets also from files.
//!
//! [`table`] is the list; this file gives it types. `docs/config.md` is generated from it.

mod docs;
mod load;
mod mail;
mod problem;
mod realm;
mod table;
#[cfg(test)]
mod tests;

use idp_core::credential::blocklist::Blocklist;
use idp_core::encoding::from_base64_lenient;
use idp_core::passkey::mds::blob::Signer;
use idp_core::passkey::policy::trust::certificates;
use idp_core::realm::RelyingParty;
use idp_core::secret::{Secret, same};
use ipnet::IpNet;
use load::Reader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use table::{Kind, find};

use crate::{mail as mailing, mds, outbound};

pub use docs::config_docs;
pub use problem::{Origin, Problem, Problems};

/// All settings. `Debug` shows no secret.
#[derive(Clone, Debug)]
pub struct Settings {
    pub server: Server,
    pub realm: Realm,
    pub outbound: outbound::Options,
    pub mds: mds::Options,
    /// `None`: no mails are sent, so nobody is told of anything by mail.
    pub mail: Option<mailing::Options>,
    pub database: Database,
    pub secrets: Secrets,
    pub telemetry: Telemetry,
    pub passwords: Passwords,
    pub theme: Theme,
    /// Doubtful but not wrong: to be logged at start and printed by `idp config check`.
    pub warnings: Vec<Problem>,
}

/// Section `server`.
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    pub health_listen: SocketAddr,
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate chain and key, both or neither.
    pub tls: Option<TlsFiles>,
    pub max_connections: u32,
    pub max_connections_per_address: u32,
}

/// PEM files for TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Section `realm`: the first realm, made at the first start; later starts compare it.
#[derive(Clone, Debug)]
pub struct Realm {
    pub name: String,
    /// Normal form: an origin as browsers serialise it.
    pub issuer: String,
    pub display_name: String,
    /// Where there are any, the issuer's host is among their hosts. `None`: the database decides.
    pub relying_parties: Option<Vec<RelyingParty>>,
}

/// Section `database`.
#[derive(Clone, Debug)]
pub struct Database {
    /// `sqlite:///PATH`, `postgres://…` or `postgresql://…`.
    pub url: Secret<String>,
    pub max_connections: u32,
}

/// Section `secrets`.
#[derive(Clone, Debug)]
pub struct Secrets {
    pub encryption_key: Secret<[u8; 32]>,
    pub previous_encryption_key: Option<Secret<[u8; 32]>>,
}

/// Section `telemetry`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telemetry {
    pub log_format: LogFormat,
    /// Directives of `EnvFilter`.
    pub log_level: String,
    /// Base URL of an OpenTelemetry collector, without `/v1/traces`.
    pub otlp_endpoint: Option<String>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { log_format: LogFormat::Text, log_level: "info".into(), otlp_endpoint: None }
    }
}

/// Form of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Section `passwords`.
#[derive(Clone, Debug, Default)]
pub struct Passwords {
    pub blocklist: Blocklist,
}

/// Section `theme`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Theme {
    pub dir: Option<PathBuf>,
}

impl Settings {
    /// Reads the file and the environment (`std::env::vars()`), files of secrets included.
    ///
    /// # Errors
    /// [`Problems`] with everything that is wrong, unknown settings included.
    pub fn load(file: &Path, env: impl Iterator<Item = (String, String)>) -> Result<Self, Problems> {
        let mut reader = Reader::new(file, env);
        let mut warnings = Vec::new();
        let server = server(&mut reader);
        let realm = realm::read(&mut reader, &mut warnings);
        let outbound = outbound(&mut reader);
        let mds = mds(&mut reader);
        let mail = mail::read(&mut reader, &mut warnings);
        let database = database(&mut reader);
        let secrets = secrets(&mut reader);
        let telemetry = telemetry(&mut reader);
        let passwords = passwords(&mut reader);
        let theme = Theme { dir: path(&mut reader, "theme.dir") };
        if let (Some(server), Some(realm)) = (&server, &realm) {
            warnings.extend(nobody_terminates_tls(&reader, server, realm));
        }
        // Every part is read before any is missed, so that all problems are found.
        let settings = (|| {
            Some(Self {
                server: server?,
                realm: realm?,
                outbound: outbound?,
                mds: mds?,
                mail: mail?,
                database: database?,
                secrets: secrets?,
                telemetry: telemetry?,
                passwords: passwords?,
                theme,
                warnings,
            })
        })();
        reader.finish(settings)
    }
}

fn server(reader: &mut Reader) -> Option<Server> {
    let listen = reader.text("server.listen", |text| text.parse::<SocketAddr>().ok());
    let health_listen = reader.text("server.health_listen", |text| text.parse::<SocketAddr>().ok());
    if let (Some(a), Some(b)) = (listen, health_listen)
        && a == b
        && a.port() != 0
    {
        let what = format!("{b} is `server.listen` already");
        let instead = "health and metrics need a port of their own, for example \"0.0.0.0:9090\"";
        reader.report("server.health_listen", reader.origin("server.health_listen"), what, instead);
    }
    let trusted_proxies = reader.list("server.trusted_proxies", network);
    let tls = match (path(reader, "server.tls_cert"), path(reader, "server.tls_key")) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        (cert, _) => {
            let (there, missing) = if cert.is_some() { ("cert", "key") } else { ("key", "cert") };
            let instead = format!("set `server.tls_{missing}` too, or neither for plain HTTP behind a reverse proxy");
            let path = format!("server.tls_{missing}");
            reader.report(&path, Origin::Nowhere, format!("`server.tls_{there}` is set, this is not"), &instead);
            None
        }
    };
    let max_connections = number(reader, "server.max_connections");
    let max_connections_per_address = number(reader, "server.max_connections_per_address");
    Some(Server {
        listen: listen?,
        health_listen: health_listen?,
        trusted_proxies: trusted_proxies?,
        tls,
        max_connections: max_connections?,
        max_connections_per_address: max_connections_per_address?,
    })
}

fn outbound(reader: &mut Reader) -> Option<outbound::Options> {
    let allow = reader.list("outbound.allow", network);
    let authorities = match path(reader, "outbound.ca_file").map(|file| outbound::authorities(&file)) {
        None => Some(Vec::new()),
        Some(Ok(authorities)) => Some(authorities),
        Some(Err(what)) => {
            let origin = reader.origin("outbound.ca_file");
            reader.report("outbound.ca_file", origin, what, "name a PEM file of certificates this process may read");
            None
        }
    };
    Some(outbound::Options { allow: allow?, authorities: authorities? })
}

/// A source that is set and cannot be one is a problem; without any, metadata come by command.
fn mds(reader: &mut Reader) -> Option<mds::Options> {
    let hold_percent = number(reader, "mds.hold_percent");
    let folder = match reader.origin("mds.source") {
        Origin::File { file, .. } => file.parent().map(Path::to_owned).unwrap_or_default(),
        _ => PathBuf::new(),
    };
    let source = reader.text("mds.source", mds::Source::parse).map(|source| match source {
        mds::Source::File(path) => mds::Source::File(folder.join(path)),
        url => url,
    });
    let signer = match path(reader, "mds.root_file") {
        None => Some(Signer::fido()),
        Some(file) => {
            let roots = std::fs::read_to_string(&file).ok().and_then(|pem| certificates(&pem));
            if roots.is_none() {
                let what = format!("{} is not a readable file of certificates in PEM", file.display());
                let origin = reader.origin("mds.root_file");
                reader.report("mds.root_file", origin, what, "name a PEM file of certificates this process may read");
            }
            roots.map(Signer::own)
        }
    };
    Some(mds::Options { source, signer: signer?, hold_percent: hold_percent? })
}

fn database(reader: &mut Reader) -> Option<Database> {
    let url = reader.text("database.url", |text| {
        let good = match text.strip_prefix("sqlite://") {
            Some(path) => path.starts_with('/') && path.len() > 1 && !path.contains(['?', '#']),
            None => url::Url::parse(text)
                .is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql") && url.has_host()),
        };
        good.then(|| Secret::new(text.to_owned()))
    });
    let max_connections = number(reader, "database.max_connections");
    Some(Database { url: url?, max_connections: max_connections? })
}

fn secrets(reader: &mut Reader) -> Option<Secrets> {
    let current = reader.text("secrets.encryption_key", key);
    let previous = reader.text("secrets.previous_encryption_key", key);
    if let (Some(a), Some(b)) = (&current, &previous)
        && same(a.expose(), b.expose())
    {
        let origin = reader.origin("secrets.previous_encryption_key");
        let what = "is the same as `secrets.encryption_key`".into();
        reader.report(
            "secrets.previous_encryption_key",
            origin,
            what,
            "leave it out, or write the key before the change",
        );
    }
    Some(Secrets { encryption_key: current?, previous_encryption_key: previous })
}

fn passwords(reader: &mut Reader) -> Option<Passwords> {
    let Some(file) = path(reader, "passwords.blocklist") else { return Some(Passwords::default()) };
    match std::fs::read_to_string(&file) {
        Ok(text) => Some(Passwords { blocklist: Blocklist::with(&text) }),
        Err(error) => {
            let origin = reader.origin("passwords.blocklist");
            let what = format!("{} cannot be read: {error}", file.display());
            reader.report("passwords.blocklist", origin, what, "name a text file in UTF-8, one password a line");
            None
        }
    }
}

fn telemetry(reader: &mut Reader) -> Option<Telemetry> {
    let log_format = reader.text("telemetry.log_format", |text| match text {
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => None,
    });
    let log_level = reader.text("telemetry.log_level", |text| {
        let valid = !text.is_empty() && tracing_subscriber::EnvFilter::try_new(text).is_ok();
        valid.then(|| text.to_owned())
    });
    let otlp_endpoint = reader.text("telemetry.otlp_endpoint", |text| {
        let url = url::Url::parse(text).ok()?;
        let valid = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
        valid.then(|| text.trim_end_matches('/').to_owned())
    });
    Some(Telemetry { log_format: log_format?, log_level: log_level?, otlp_endpoint })
}

/// An https issuer needs TLS somewhere: here, or at a proxy that must be trusted to name its clients.
fn nobody_terminates_tls(reader: &Reader, server: &Server, realm: &Realm) -> Option<Problem> {
    let doubtful = realm.issuer.starts_with("https://") && server.tls.is_none() && server.trusted_proxies.is_empty();
    doubtful.then(|| Problem {
        path: "server.trusted_proxies".into(),
        origin: reader.origin("server.trusted_proxies"),
        what:
            "the issuer is https, but no TLS is set and no proxy trusted: all clients seem to have the proxy's address"
                .into(),
        instead: "name the reverse proxy's network, or set `server.tls_cert` and `server.tls_key`".into(),
    })
}

/// A path; written in the settings file, a relative one starts at that file's folder.
fn path(reader: &mut Reader, path: &'static str) -> Option<PathBuf> {
    let folder = match reader.origin(path) {
        Origin::File { file, .. } => file.parent().map(Path::to_owned).unwrap_or_default(),
        _ => PathBuf::new(),
    };
    reader.text(path, |text| (!text.is_empty()).then(|| folder.join(text)))
}

fn number(reader: &mut Reader, path: &'static str) -> Option<u32> {
    let Some(Kind::Number { min, max }) = find(path).map(|row| row.kind) else { return None };
    reader.text(path, |text| text.parse().ok().filter(|number| (min..=max).contains(number)))
}

/// `10.0.0.0/8`; an address alone is a network of one.
fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
}

/// 32 bytes; one repeated byte is a placeholder, not a key.
fn key(text: &str) -> Option<Secret<[u8; 32]>> {
    let bytes = if text.len() == 64 { from_hex(text)? } else { from_base64_lenient(text)? };
    let key: [u8; 32] = bytes.try_into().ok()?;
    (key.iter().any(|byte| Some(byte) != key.first())).then(|| Secret::new(key))
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}
