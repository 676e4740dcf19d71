//! The accept loop in front of a poem endpoint: TLS, time limits, connection caps, graceful drain.
//!
//! poem's own server waits forever before and within headers, so silent and half-open sockets would pile up.

mod connection;
mod progress;
mod proxy;
#[cfg(test)]
mod tests;

use ipnet::IpNet;
use poem::{Response, endpoint::DynEndpoint};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::{TlsAcceptor, rustls};

pub use proxy::ClientAddr;

/// What answers the requests.
pub type App = Arc<dyn DynEndpoint<Output = Response>>;

/// Time limits and caps of a listener.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// TLS handshake, from the first byte of the connection.
    pub handshake: Duration,
    /// From the end of one request (or the start) to the end of the next one's headers.
    pub header: Duration,
    /// The same for trusted proxies, which keep connections open for later requests.
    pub proxy_keep_alive: Duration,
    /// From the headers to the last byte of a request's body.
    pub body: Duration,
    /// Without progress: no request in work and no piece of an answer taken by the client.
    pub idle: Duration,
    /// For running requests to finish after the stop signal.
    pub drain: Duration,
    /// Open connections in all; more wait in the kernel's queue.
    pub connections: usize,
    /// Open connections of one address (IPv6: of one /64); more are closed at once. Trusted proxies are exempt.
    pub connections_per_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(8),
            header: Duration::from_secs(8),
            proxy_keep_alive: Duration::from_secs(75),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(12),
            drain: Duration::from_secs(20),
            connections: 4096,
            connections_per_address: 128,
        }
    }
}

/// How a listener treats its connections.
#[derive(Clone, Default)]
pub struct Options {
    /// Terminates TLS here; `None`: plain HTTP, for a proxy in front or for loopback.
    pub tls: Option<TlsAcceptor>,
    /// Peers whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    pub limits: Limits,
    /// Connections open now; read by `/metrics`.
    pub open: Arc<AtomicUsize>,
}

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} cannot be read as PEM", path.display())]
    Pem { path: PathBuf, source: rustls_pki_types::pem::Error },
    #[error("{} holds no certificate", path.display())]
    NoCertificate { path: PathBuf },
    #[error("certificate and key do not fit")]
    Refused(#[source] rustls::Error),
}

/// TLS 1.2 and 1.3 with the certificate chain and key of two PEM files; offers HTTP/2 and HTTP/1.1.
///
/// # Errors
/// [`TlsError`] when a file cannot be read or the key does not belong to the certificate.
pub fn tls(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let pem = |path: &Path| {
        let path = path.to_owned();
        move |source| TlsError::Pem { path, source }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(|certificates| certificates.collect::<Result<_, _>>())
        .map_err(pem(certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: certificate.to_owned() });
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(pem(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(TlsError::Refused)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What the kernel may hold of an answer the client has not taken. Its own choice grows to megabytes, and then a slow
/// client would seem stuck while they drain. Linux doubles the number.
const SEND_BUFFER: u32 = 64 * 1024;

/// A listening socket for [`serve`]. Its accepted sockets inherit the send buffer.
///
/// # Errors
/// When the address is taken or not ours.
pub fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?; // a restart must not wait for the old connections' TIME_WAIT
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(1024)
}

/// Accepts connections until `stop` becomes true (or its sender is gone), then lets running requests finish.
/// What is left after the drain limit is cut. The endpoint sees [`ClientAddr`] as request data.
pub async fn serve(listener: TcpListener, options: Options, app: App, mut stop: watch::Receiver<bool>) {
    let limits = options.limits;
    let shared = Arc::new(connection::Shared { options, app, stop: stop.clone() });
    let slots = Arc::new(Semaphore::new(limits.connections));
    let addresses = Addresses::default();
    let mut open = JoinSet::new();
    loop {
        let (tcp, peer, slot) = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        while open.try_join_next().is_some() {}
        let trusted = proxy::is_trusted(peer.ip(), &shared.options.trusted_proxies);
        let seat = if trusted { None } else { addresses.enter(peer.ip(), limits.connections_per_address) };
        if !trusted && seat.is_none() {
            continue; // dropping the socket closes it
        }
        let shared = shared.clone();
        open.spawn(async move {
            let _held = (slot, seat, Counted::new(shared.options.open.clone()));
            connection::run(tcp, peer, trusted, &shared).await;
        });
    }
    drop(listener); // newcomers are refused from now on instead of waiting
    let drained = tokio::time::timeout(limits.drain, async { while open.join_next().await.is_some() {} }).await;
    if drained.is_err() {
        tracing::warn!(connections = open.len(), "cut connections that did not finish in time");
    }
}

/// The next connection, once there is a free slot for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    let slot = slots.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((tcp, peer)) => return (tcp, SocketAddr::new(peer.ip().to_canonical(), peer.port()), slot),
            // Out of file descriptors, or a peer that left already: others must not suffer from a busy loop.
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Counts a connection while it lives.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Connections by address. Bounded by the cap on all connections: an entry without connections is removed.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<HashMap<IpAddr, usize>>>);

/// One connection's place in its address's count.
struct Seat(Addresses, IpAddr);

impl Addresses {
    fn enter(&self, address: IpAddr, cap: usize) -> Option<Seat> {
        let block = block(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(block).or_default();
        if *count >= cap {
            return None;
        }
        *count += 1;
        Some(Seat(self.clone(), block))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.1);
            }
        }
    }
}

/// What one subscriber can use freely: an IPv4 address, the /64 of an IPv6 one (RFC 6177 §2).
fn block(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}
