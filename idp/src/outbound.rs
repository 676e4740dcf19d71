//! Calls to other servers: the only place that fetches a URL somebody else chose. Guarded against server-side request
//! forgery: addresses that are not public are refused unless `outbound.allow` lists them.
//! OWASP ASVS 5.0 §1.3.6; IANA special-purpose address registries (RFC 6890).

pub mod probe;

use std::error::Error;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, RequestBuilder, Response, header, redirect};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::Value;
use tokio::sync::OnceCell;
use url::{Host, Url};

/// Time for a name look-up and a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Time for a whole call.
const TOTAL: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const MOST_BYTES: usize = 256 * 1024;

const fn v4(a: u8, b: u8, c: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), length)
}

const fn v6(a: u16, b: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length)
}

/// This machine.
pub const LOOPBACK: &[IpNet] = &[IpNet::V4(v4(127, 0, 0, 8)), IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128))];

/// IPv4 networks that are nobody's business outside.
const NOT_PUBLIC_V4: &[Ipv4Net] = &[
    v4(0, 0, 0, 8),                                           // this host
    v4(10, 0, 0, 8),                                          // private
    v4(100, 64, 0, 10),                                       // behind a carrier's NAT; a cloud's metadata
    v4(127, 0, 0, 8),                                         // loopback
    Ipv4Net::new_assert(Ipv4Addr::new(168, 63, 129, 16), 32), // a cloud's metadata at an address that looks public
    v4(169, 254, 0, 16),                                      // link-local; metadata
    v4(172, 16, 0, 12),                                       // private
    v4(192, 0, 0, 24),                                        // protocol assignments; a cloud's metadata
    v4(192, 0, 2, 24),                                        // documentation
    v4(192, 88, 99, 24),                                      // 6to4 relays
    v4(192, 168, 0, 16),                                      // private
    v4(198, 18, 0, 15),                                       // benchmarks
    v4(198, 51, 100, 24),                                     // documentation
    v4(203, 0, 113, 24),                                      // documentation
    v4(224, 0, 0, 4),                                         // multicast
    v4(240, 0, 0, 4),                                         // reserved; broadcast
];

/// Only here is IPv6 routed globally: loopback, mapped and compatible IPv4, unique-local, link-local and multicast
/// addresses are outside.
const PUBLIC_V6: Ipv6Net = v6(0x2000, 0, 3);

/// Networks inside [`PUBLIC_V6`] that are not.
const NOT_PUBLIC_V6: &[Ipv6Net] = &[
    v6(0x2001, 0, 23),     // protocol assignments: Teredo, benchmarks, ORCHID
    v6(0x2001, 0xdb8, 32), // documentation
    v6(0x2002, 0, 16),     // 6to4 carries any IPv4 address
    v6(0x3fff, 0, 20),     // documentation
];

/// IPv4 through a NAT64 gateway (RFC 6052 §2.1).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);

/// The IPv4 address that an IPv6 address leads to.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if NAT64.contains(&v6) {
        let [.., a, b, c, d] = v6.octets();
        return IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    }
    address.to_canonical()
}

fn is_public(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(v4) => !NOT_PUBLIC_V4.iter().any(|net| net.contains(&v4)),
        IpAddr::V6(v6) => PUBLIC_V6.contains(&v6) && !NOT_PUBLIC_V6.iter().any(|net| net.contains(&v6)),
    }
}

/// Why a call did not bring what was wanted. The text names the host, never the path or what was sent.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("not a URL that is called: https without user name, or http where `outbound.allow` lists the address")]
    Url,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("no answer in time")]
    Timeout,
    #[error("the call failed")]
    Failed(#[source] reqwest::Error),
    #[error("the answer has status {0}")]
    Status(u16),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer is not JSON")]
    NotJson,
}

impl OutboundError {
    /// One word for logs, metrics and audit rows.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Refused(_) => "refused_by_guard",
            Self::Timeout => "timeout",
            Self::Failed(_) => "failed",
            Self::Status(_) => "status",
            Self::TooLong(_) => "too_long",
            Self::NotJson => "not_json",
        }
    }

    /// Finds the guard's refusal in what the client library made of it.
    fn of(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if let Some(refused) = error.downcast_ref::<Refused>() {
                return Self::Refused(refused.clone());
            }
            cause = error.source();
        }
        if error.is_timeout() { Self::Timeout } else { Self::Failed(error.without_url()) }
    }
}

/// The guard's refusal; callers log and audit it, since a guard that blocks silently looks like a missing call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{host} is at {address}: neither public nor listed in `outbound.allow`")]
pub struct Refused {
    pub host: String,
    /// The first of its addresses.
    pub address: IpAddr,
}

/// Finds the addresses of a name.
type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The resolver of a client. Connections go to the addresses it returns and to no others, and nothing asks for the
/// name a second time: a name that changes its address in between gains nothing.
#[derive(Clone)]
struct Guard {
    allow: Arc<[IpNet]>,
    /// Public addresses are fine too.
    public: bool,
    lookup: Lookup,
}

impl Guard {
    fn permits(&self, address: IpAddr) -> bool {
        let plain = plain(address);
        self.public && is_public(address) || self.allow.iter().any(|net| net.contains(&address) || net.contains(&plain))
    }

    /// Those of the addresses that may be called.
    fn filter(&self, host: &str, addresses: &[IpAddr]) -> Result<Vec<SocketAddr>, Refused> {
        let permitted: Vec<_> =
            addresses.iter().filter(|a| self.permits(**a)).map(|a| SocketAddr::new(*a, 0)).collect();
        match addresses.first() {
            Some(address) if permitted.is_empty() => Err(Refused { host: host.to_owned(), address: *address }),
            _ => Ok(permitted),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = (guard.lookup)(name.as_str().to_owned()).await?;
            let permitted = guard.filter(name.as_str(), &addresses)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// What calls to other servers may do; section `outbound` of the settings.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Networks that are called although they are not public.
    pub allow: Vec<IpNet>,
    /// Certificate authorities besides those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Reads certificate authorities from a PEM bundle; the error says what is wrong with it.
///
/// # Errors
/// A file that cannot be read, holds none, or holds something else.
pub fn authorities(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = std::fs::read(file).map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
    let found: Vec<_> = CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().unwrap_or_default();
    // Only a client that is built looks into them.
    let built = certificates(&found).and_then(|found| Client::builder().tls_certs_only(found).build());
    if found.is_empty() || built.is_err() {
        return Err(format!("{} is not a bundle of certificates in PEM", file.display()));
    }
    Ok(found)
}

fn certificates(found: &[CertificateDer<'static>]) -> Result<Vec<Certificate>, reqwest::Error> {
    found.iter().map(|certificate| Certificate::from_der(certificate)).collect()
}

/// Calls to other servers.
pub struct Outbound {
    guard: Guard,
    authorities: Vec<CertificateDer<'static>>,
    /// Made at first use: most commands of the command line call nobody.
    https: OnceCell<Client>,
    http: OnceCell<Client>,
}

impl Outbound {
    /// With the system's resolver.
    pub fn new(options: Options) -> Self {
        let lookup: Lookup = Arc::new(|host| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
        });
        Self::with_lookup(options, lookup)
    }

    fn with_lookup(options: Options, lookup: Lookup) -> Self {
        let guard = Guard { allow: options.allow.into(), public: true, lookup };
        Self { guard, authorities: options.authorities, https: OnceCell::new(), http: OnceCell::new() }
    }

    /// Gets a JSON document, whatever type it claims to be.
    ///
    /// # Errors
    /// [`OutboundError`]; any status but 200 is one.
    pub async fn get_json(&self, url: &str) -> Result<Value, OutboundError> {
        let call = |client: &Client, url| client.get(url).header(header::ACCEPT, "application/json");
        let body = read(self.call(url, call).await?, MOST_BYTES).await?;
        serde_json::from_slice(&body).map_err(|_| OutboundError::NotJson)
    }

    /// Gets bytes: `most` of them at most, within `timeout`.
    ///
    /// # Errors
    /// [`OutboundError`]; any status but 200 is one.
    pub async fn get_bytes(&self, url: &str, most: usize, timeout: Duration) -> Result<Vec<u8>, OutboundError> {
        read(self.call(url, |client, url| client.get(url).timeout(timeout)).await?, most).await
    }

    /// Posts a form; the status of the answer, whose body is not read.
    ///
    /// # Errors
    /// [`OutboundError`], but no status is one.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<u16, OutboundError> {
        Ok(self.call(url, |client, url| client.post(url).form(fields)).await?.status().as_u16())
    }

    async fn call(
        &self,
        url: &str,
        request: impl FnOnce(&Client, Url) -> RequestBuilder,
    ) -> Result<Response, OutboundError> {
        let url = Url::parse(url).map_err(|_| OutboundError::Url)?;
        let secure = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(OutboundError::Url),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OutboundError::Url);
        }
        // Plain http stays within the networks that an operator listed.
        let guard = Guard { public: secure, ..self.guard.clone() };
        // The resolver is not asked about addresses.
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(Host::Domain(_)) => None,
            None => return Err(OutboundError::Url),
        };
        if let (Some(address), Some(host)) = (literal, url.host_str()) {
            guard.filter(host, &[address])?;
        }
        let cell = if secure { &self.https } else { &self.http };
        let client = cell.get_or_try_init(|| async { self.client(guard) }).await.map_err(OutboundError::of)?;
        request(client, url).send().await.map_err(OutboundError::of)
    }

    fn client(&self, guard: Guard) -> Result<Client, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("idp/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .https_only(guard.public)
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .pool_max_idle_per_host(2)
            .pool_idle_timeout(TOTAL);
        // The system's authorities are read for https alone.
        let client = if guard.public {
            client.tls_certs_merge(certificates(&self.authorities)?)
        } else {
            client.tls_certs_only([])
        };
        client.dns_resolver(guard).build()
    }
}

/// The body of a good answer, if it is not too long.
async fn read(mut response: Response, most: usize) -> Result<Vec<u8>, OutboundError> {
    if response.status() != 200 {
        return Err(OutboundError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(OutboundError::of)? {
        if body.len() + chunk.len() > most {
            return Err(OutboundError::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    fn guard(allow: &[&str], public: bool) -> Guard {
        let allow = allow.iter().map(|net| net.parse().unwrap()).collect();
        Guard { allow, public, lookup: Arc::new(|_| Box::pin(async { Ok(Vec::new()) })) }
    }

    #[test]
    fn only_public_addresses_are_called() {
        let refused = "0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.255 168.63.129.16 \
             169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 \
             198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 \
             :: ::1 ::7f00:1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:127.0.0.1 \
             64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1 2001::1 2001:2::1 2001:10::1 2001:20::1 \
             2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1 ff02::1";
        let public = "1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.255.255 172.32.0.1 192.0.1.1 198.17.0.1 \
             198.20.0.1 223.255.255.255 168.63.129.15 ::ffff:8.8.8.8 64:ff9b::808:808 2001:4860:4860::8888 \
             2a00:1450::1 2606:4700::1111 2003::1";
        let guard = guard(&[], true);
        for address in refused.split_whitespace() {
            assert!(!guard.permits(address.parse().unwrap()), "{address} is called");
        }
        for address in public.split_whitespace() {
            assert!(guard.permits(address.parse().unwrap()), "{address} is refused");
        }
    }

    #[test]
    fn a_listed_network_is_called_in_each_of_its_forms() {
        let guard = guard(&["10.1.0.0/16", "fd00::/8"], true);
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1"] {
            assert!(guard.permits(address.parse().unwrap()), "{address}");
        }
        for address in ["10.2.0.1", "::ffff:10.2.0.1", "fc00::1", "127.0.0.1"] {
            assert!(!guard.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn plain_http_is_for_listed_networks_alone() {
        let guard = guard(&["10.0.0.0/8"], false);
        assert!(guard.permits("10.0.0.1".parse().unwrap()));
        assert!(!guard.permits("8.8.8.8".parse().unwrap()) && !guard.permits("127.0.0.1".parse().unwrap()));
    }

    #[tokio::test]
    async fn a_name_that_changes_its_address_gains_nothing() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // Harmless when it is looked at, ours when it is called; and mixed answers.
        let lookup: Lookup = Arc::new(move |host| {
            let turn = count.fetch_add(1, SeqCst);
            let (public, ours) = ("192.0.2.1".parse().unwrap(), "127.0.0.1".parse().unwrap());
            let answer = match host.as_str() {
                "mixed.example" => vec![ours, public],
                _ if turn == 0 => vec![public],
                _ => vec![ours],
            };
            Box::pin(async move { Ok(answer) })
        });
        // 192.0.2.0/24 stands for the public network here: nobody answers there.
        let options = Options { allow: vec!["192.0.2.0/24".parse().unwrap()], ..Options::default() };
        let outbound = Outbound::with_lookup(options, lookup);
        for host in ["flips.example", "mixed.example"] {
            let error = outbound.get_json(&format!("http://{host}:{port}/")).await.unwrap_err();
            assert!(matches!(error, OutboundError::Timeout | OutboundError::Failed(_)), "{error}");
        }
        assert_eq!(asked.load(SeqCst), 2, "a name is looked up once a call");
        let error = outbound.get_json(&format!("http://flips.example:{port}/")).await.unwrap_err();
        assert!(matches!(error, OutboundError::Refused(_)), "{error}");
        let nobody = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(nobody.is_err(), "a connection came");
    }
}
