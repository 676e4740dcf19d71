//! Looks at addresses of this product itself, from outside: what `idp doctor` asks. Whoever runs it names them, so
//! nothing guards them; certificates are looked at, not relied on, and nothing secret is sent.
//! RFC 5280 §6 (paths), RFC 9525 §6 (names).

use std::sync::Arc;
use std::time::Duration;

use idp_core::time::Timestamp;
use reqwest::{Client, redirect};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// Time for a connection or a whole answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Longest body that is kept, in bytes; pages and documents of this product are shorter.
const MOST_BYTES: usize = 512 * 1024;

/// What an address answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    /// `Date`, if it was sent and can be read.
    pub date: Option<Timestamp>,
    /// `Permissions-Policy`, if it was sent.
    pub permissions_policy: Option<String>,
    pub body: String,
}

/// Asks addresses over HTTP.
pub struct Probe(Client);

impl Probe {
    /// A client that follows no redirect and connects whatever the certificate.
    ///
    /// # Errors
    /// What the library says when it cannot be built.
    pub fn new() -> Result<Self, String> {
        let client = Client::builder()
            .user_agent(concat!("idp-doctor/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(PATIENCE)
            .tls_danger_accept_invalid_certs(true)
            .build();
        client.map(Self).map_err(|error| error.to_string())
    }

    /// Gets a document, with further headers.
    ///
    /// # Errors
    /// Why there was no answer, in words.
    pub async fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, String> {
        let request = headers.iter().fold(self.0.get(url), |request, (name, value)| request.header(*name, *value));
        let mut answer = request.send().await.map_err(|error| innermost(&error))?;
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let date = header("date").and_then(|text| httpdate::parse_http_date(&text).ok()).and_then(|date| {
            let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(Timestamp::from_ms(i64::try_from(since.as_millis()).ok()?))
        });
        let (status, permissions_policy) = (answer.status().as_u16(), header("permissions-policy"));
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| innermost(&error))? {
            if body.len() + chunk.len() > MOST_BYTES {
                return Err(format!("the answer is longer than {MOST_BYTES} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, date, permissions_policy, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// The cause at the bottom: "connection refused" says more than "error sending request".
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// What there is to say about a server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Its chain ends at an authority that is trusted; else why it does not.
    pub trusted: Result<(), String>,
    /// It is made for the name that was asked for; else the names it is made for.
    pub named: Result<(), Vec<String>>,
    pub dates: Dates,
}

/// When a chain of certificates is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    NotBefore(Timestamp),
    /// Now, and until then.
    Until(Timestamp),
    Ended(Timestamp),
    Unreadable,
}

/// Connects by TLS and judges the certificate for `host`, at `now`.
///
/// # Errors
/// Why no certificate was seen, in words.
pub async fn certificate(host: &str, port: u16, roots: &RootCertStore, now: Timestamp) -> Result<Judgement, String> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("{host} is no name for a certificate"))?;
    let connected = tokio::time::timeout(PATIENCE, async {
        let stream = TcpStream::connect((host, port)).await.map_err(|error| error.to_string())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anything(provider)))
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config)).connect(name.clone(), stream).await.map_err(|error| error.to_string())
    });
    let stream = connected.await.map_err(|_| "no answer in time".to_owned())??;
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
    judge(chain, &name, roots, now)
}

/// The authorities of the system and these.
pub fn roots(more: &[CertificateDer<'static>]) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots.add_parsable_certificates(more.iter().cloned());
    roots
}

fn judge(
    chain: &[CertificateDer<'_>],
    name: &ServerName<'_>,
    roots: &RootCertStore,
    now: Timestamp,
) -> Result<Judgement, String> {
    let (leaf, rest) = chain.split_first().ok_or("the server showed no certificate")?;
    let leaf = ParsedCertificate::try_from(leaf).map_err(|error| error.to_string())?;
    let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms.all;
    let at = |time| verify_server_cert_signed_by_trust_anchor(&leaf, roots, rest, unix(time), algorithms);
    // The library names a certificate's dates when they are missed: asked for a day that no certificate sees.
    let end = match at(Timestamp::from_ms(253_402_300_799_000)) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => Some(time(not_after)),
        _ => None,
    };
    // Trust is judged for a day on which it is good, so that a chain that only ended is not called unknown too.
    let (dates, outcome) = match (at(now), end) {
        (Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })), _) => {
            (Dates::Ended(time(not_after)), at(time(not_after).plus_s(-1)))
        }
        (Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })), _) => {
            (Dates::NotBefore(time(not_before)), at(time(not_before).plus_s(1)))
        }
        (outcome, Some(end)) => (Dates::Until(end), outcome),
        (outcome, None) => (Dates::Unreadable, outcome),
    };
    let named = verify_server_name(&leaf, name).map_err(|error| match error {
        Error::InvalidCertificate(CertificateError::NotValidForNameContext { presented, .. }) => {
            // `DnsName("id.example.org")`: the library shows its types.
            presented.iter().map(|name| name.split('"').nth(1).unwrap_or(name).to_owned()).collect()
        }
        _ => Vec::new(),
    });
    let trusted = outcome.map_err(|error| match error {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => "nobody trusted signed it".to_owned(),
        other => other.to_string(),
    });
    Ok(Judgement { trusted, named, dates })
}

fn unix(time: Timestamp) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(time.secs()).unwrap_or(0)))
}

fn time(time: UnixTime) -> Timestamp {
    Timestamp::from_ms(i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000))
}

/// Takes any certificate, to be judged afterwards; the handshake's signatures are checked all the same.
#[derive(Debug)]
struct Anything(Arc<CryptoProvider>);

impl ServerCertVerifier for Anything {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
