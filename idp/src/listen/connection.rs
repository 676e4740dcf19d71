//! One connection: handshake, HTTP/1.1 or HTTP/2, watchdog, orderly end.
//!
//! RFC 9112 and RFC 9113 as hyper speaks them; the limits here are what it leaves open.

use super::progress::{Answer, Progress, Received};
use super::{App, Options, proxy};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint as _, Request};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// How long a connection without work in it may linger once it is to end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What all connections of a listener share.
pub struct Shared {
    pub options: Options,
    pub app: App,
    pub stop: watch::Receiver<bool>,
}

/// Who is at the other end.
#[derive(Clone, Copy)]
struct Peer {
    address: SocketAddr,
    local: Option<SocketAddr>,
    trusted: bool,
    tls: bool,
}

/// Speaks with one client until it leaves, stalls or the listener stops.
pub async fn run(tcp: TcpStream, address: SocketAddr, trusted: bool, shared: &Arc<Shared>) {
    // Answers are written whole; waiting for more bytes only adds latency.
    let _ = tcp.set_nodelay(true);
    let mut peer = Peer { address, local: tcp.local_addr().ok(), trusted, tls: false };
    let Some(tls) = &shared.options.tls else { return http(tcp, peer, shared).await };
    let mut stop = shared.stop.clone();
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(shared.options.limits.handshake, tls.accept(tcp)) => accepted,
        _ = stop.wait_for(|stop| *stop) => return,
    };
    if let Ok(Ok(stream)) = accepted {
        peer.tls = true;
        http(stream, peer, shared).await;
    }
}

async fn http<S>(stream: S, peer: Peer, shared: &Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let progress = Progress::new();
    let service = service_fn({
        let (shared, progress) = (shared.clone(), progress.clone());
        move |request| answer(request, peer, shared.clone(), progress.clone())
    });
    let limits = shared.options.limits;
    let (header, idle) =
        if peer.trusted { (limits.proxy_keep_alive, limits.proxy_keep_alive) } else { (limits.header, limits.idle) };
    let builder = builder(header, limits.header);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let mut stop = shared.stop.clone();
    tokio::select! {
        _ = connection.as_mut() => return,
        () = progress.stalled(idle) => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
    // Finishes the requests in work, takes no new one. A half-open request never ends by itself: the watchdog ends it.
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        _ = connection => {}
        () = ended(&progress, idle.min(FAREWELL)) => {}
    }
}

/// Resolves when a connection that is to end has had its time without getting on.
async fn ended(progress: &Progress, grace: Duration) {
    tokio::time::sleep(grace).await;
    progress.stalled(grace).await;
}

/// `header` bounds HTTP/1.1 headers and keep-alive; HTTP/2 is asked twice within `ping` whether it is still there.
fn builder(header: Duration, ping: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(header).max_buf_size(32 * 1024);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(16 * 1024)
        .max_send_buf_size(32 * 1024)
        .keep_alive_interval(ping / 2)
        .keep_alive_timeout(ping / 2);
    builder
}

async fn answer(
    request: hyper::Request<Incoming>,
    peer: Peer,
    shared: Arc<Shared>,
    progress: Progress,
) -> Result<hyper::Response<Answer<BoxBody<Bytes, io::Error>>>, Infallible> {
    let working = progress.work();
    let has_body = !request.body().is_end_stream();
    let origin = proxy::origin(peer.address.ip(), peer.trusted, peer.tls, request.headers(), &shared.options);
    let local = peer.local.map(|local| LocalAddr(local.into())).unwrap_or_default();
    let mut request = Request::from((request, local, RemoteAddr(peer.address.into()), origin.scheme));
    request.set_data(origin.client);
    if has_body {
        let received = Received::new(BoxBody::from(request.take_body()), shared.options.limits.body);
        request.set_body(Body::from(received.boxed()));
    }
    let response: hyper::Response<BoxBody<_, _>> = shared.app.get_response(request).await.into();
    drop(working); // from here on the answer itself reports
    Ok(response.map(|body| Answer::new(body, progress)))
}
