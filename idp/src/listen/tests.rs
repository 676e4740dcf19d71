//! Sockets that go silent are closed in time, others are unharmed, slow but living answers are not cut.

use super::*;
use bytes::Bytes;
use poem::endpoint::{ToDynEndpoint, make};
use poem::{Body, EndpointExt as _, Request, Route, get, post};
use std::time::Instant;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// The product's limits, forty times shorter.
fn limits() -> Limits {
    Limits {
        handshake: MS(200),
        header: MS(200),
        proxy_keep_alive: MS(1875),
        body: MS(250),
        idle: MS(300),
        drain: MS(500),
        connections: 64,
        connections_per_address: 32,
    }
}

/// What a connection that shows no life must be closed within, with time for a busy machine.
const SOON: Duration = Duration::from_millis(1500);

fn app() -> App {
    let whole = |request: Request| async move {
        let client = request.data::<ClientAddr>().map(|client| client.0.to_string()).unwrap_or_default();
        format!("{client} {}", request.scheme())
    };
    let slow = |_| async {
        tokio::time::sleep(MS(800)).await;
        "slow"
    };
    let echo = |request: Request| async move {
        match request.into_body().into_bytes_limit(1 << 20).await {
            Ok(body) => Response::builder().body(body.len().to_string()),
            Err(_) => Response::builder().status(poem::http::StatusCode::REQUEST_TIMEOUT).finish(),
        }
    };
    let trickle = |_| async {
        let pieces = futures_util::stream::unfold(0, |i| async move {
            tokio::time::sleep(MS(500)).await;
            (i < 3).then(|| (Ok::<_, std::io::Error>(Bytes::from_static(b"piece")), i + 1))
        });
        Body::from_bytes_stream(pieces)
    };
    let big = |_| async { Body::from_bytes(Bytes::from(vec![b'x'; 24 << 20])) };
    let route = Route::new()
        .at("/", get(make(whole)))
        .at("/slow", get(make(slow)))
        .at("/echo", post(make(echo)))
        .at("/trickle", get(make(trickle)))
        .at("/big", get(make(big)));
    Arc::new(ToDynEndpoint(route.map_to_response()))
}

struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
    open: Arc<AtomicUsize>,
}

async fn start(options: Options) -> Running {
    let listener = bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let (address, open) = (listener.local_addr().unwrap(), options.open.clone());
    let (stop, stopped) = watch::channel(false);
    let served = tokio::spawn(serve(listener, options, app(), stopped));
    Running { address, stop, served, open }
}

async fn plain() -> Running {
    start(Options { limits: limits(), ..Options::default() }).await
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A whole request on a connection of its own.
    async fn ask(&self, path: &str) -> String {
        let mut stream = self.connect().await;
        stream
            .write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes())
            .await
            .unwrap();
        read_to_end(&mut stream).await
    }
}

async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut out = Vec::new();
    let _ = stream.read_to_end(&mut out).await;
    String::from_utf8_lossy(&out).into_owned()
}

/// Waits until the other side closes.
async fn closed(stream: &mut (impl AsyncRead + Unpin)) -> Duration {
    let started = Instant::now();
    tokio::time::timeout(Duration::from_secs(10), read_to_end(stream)).await.expect("is never closed");
    started.elapsed()
}

/// Sends `bytes`, then nothing: must be closed in time, while another client is answered.
async fn goes_silent_after(bytes: &[u8]) {
    let server = plain().await;
    let mut stream = server.connect().await;
    stream.write_all(bytes).await.unwrap();
    let (took, answer) = tokio::join!(closed(&mut stream), server.ask("/"));
    assert!(took < SOON, "closed after {took:?}");
    assert!(answer.ends_with("127.0.0.1 http"), "{answer}");
}

#[tokio::test]
async fn closes_a_silent_socket() {
    goes_silent_after(b"").await;
}

#[tokio::test]
async fn closes_after_half_a_preface() {
    goes_silent_after(b"PRI * HT").await;
}

#[tokio::test]
async fn closes_after_half_a_header() {
    goes_silent_after(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ").await;
}

#[tokio::test]
async fn closes_after_half_a_body() {
    goes_silent_after(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf").await;
}

#[tokio::test]
async fn closes_after_half_a_chunk() {
    goes_silent_after(b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nff\r\nhalf").await;
}

#[tokio::test]
async fn closes_an_idle_connection_after_an_answer() {
    goes_silent_after(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
}

#[tokio::test]
async fn closes_http2_that_does_not_answer_pings() {
    goes_silent_after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await;
}

#[tokio::test]
async fn closes_http2_after_half_a_frame() {
    goes_silent_after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x20\x01").await;
}

/// Dribbles one byte at a time: bytes received are no progress.
async fn dribbles(head: &[u8], byte: u8) {
    let server = plain().await;
    let (mut read, mut write) = server.connect().await.into_split();
    write.write_all(head).await.unwrap();
    let dribble = tokio::spawn(async move {
        while write.write_all(&[byte]).await.is_ok() {
            tokio::time::sleep(MS(20)).await;
        }
    });
    let took = closed(&mut read).await;
    dribble.abort();
    assert!(took < SOON, "closed after {took:?}");
}

#[tokio::test]
async fn closes_a_dribbled_header() {
    dribbles(b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ", b'a').await;
}

#[tokio::test]
async fn closes_a_dribbled_body() {
    dribbles(b"POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n", b'a').await;
}

#[tokio::test]
async fn closes_http2_that_only_answers_pings() {
    let server = plain().await;
    let (mut request, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    let connection = tokio::spawn(connection);
    let started = Instant::now();
    let closed = tokio::time::timeout(Duration::from_secs(10), connection).await;
    assert!(closed.is_ok(), "is never closed");
    assert!(started.elapsed() < SOON, "closed after {:?}", started.elapsed());
    assert!(std::future::poll_fn(|cx| request.poll_ready(cx)).await.is_err());
}

#[tokio::test]
async fn closes_http2_that_takes_no_answer() {
    let server = plain().await;
    let (request, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    let connection = tokio::spawn(connection);
    let get = http::Request::get("http://x/big").body(()).unwrap();
    let (response, _) = request.clone().send_request(get, true).unwrap();
    let started = Instant::now();
    let body = response.await.unwrap().into_body(); // its window is never given back
    let closed = tokio::time::timeout(Duration::from_secs(10), connection).await;
    assert!(closed.is_ok(), "is never closed");
    assert!(started.elapsed() < SOON + MS(600), "closed after {:?}", started.elapsed());
    drop(body);
}

#[tokio::test]
async fn closes_http1_that_takes_no_answer() {
    let server = plain().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /big HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let started = Instant::now();
    while server.open.load(Ordering::Relaxed) > 0 || started.elapsed() < MS(100) {
        assert!(started.elapsed() < Duration::from_secs(10), "is never closed");
        tokio::time::sleep(MS(10)).await;
    }
    assert!(started.elapsed() < SOON, "closed after {:?}", started.elapsed());
}

#[tokio::test]
async fn does_not_cut_a_handler_that_takes_long() {
    let server = plain().await;
    assert!(server.ask("/slow").await.ends_with("slow"));
}

#[tokio::test]
async fn does_not_cut_an_answer_whose_pieces_take_us_long() {
    let server = plain().await;
    let answer = server.ask("/trickle").await;
    assert_eq!(answer.matches("piece").count(), 3, "{answer}");
    assert!(answer.ends_with("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn does_not_cut_a_client_that_takes_long_but_gets_on() {
    let server = plain().await;
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let mut stream = socket.connect(server.address).await.unwrap();
    stream.write_all(b"GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let (mut total, mut buffer) = (0, vec![0; 1 << 20]);
    let started = Instant::now();
    loop {
        let read = stream.read(&mut buffer).await.expect("is cut");
        if read == 0 {
            break;
        }
        total += read;
        if started.elapsed() < MS(1500) {
            tokio::time::sleep(MS(30)).await;
        }
    }
    assert!(started.elapsed() > MS(900), "too fast to prove anything: {:?}", started.elapsed());
    assert!(total > 24 << 20, "{total} bytes");
}

#[tokio::test]
async fn keeps_the_connection_of_a_trusted_proxy() {
    let options =
        Options { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], limits: limits(), ..Options::default() };
    let server = start(options).await;
    let mut stream = server.connect().await;
    let mut buffer = [0; 1024];
    for pause in [MS(0), MS(900)] {
        tokio::time::sleep(pause).await;
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nx-forwarded-for: 203.0.113.7\r\nx-forwarded-proto: https\r\n\r\n";
        stream.write_all(request).await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&buffer[..read]);
        assert!(answer.ends_with("203.0.113.7 https"), "{answer}");
    }
}

#[tokio::test]
async fn caps_connections_of_one_address_but_not_of_trusted_proxies() {
    let limits = Limits { connections_per_address: 2, ..limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let (_a, _b) = (server.connect().await, server.connect().await);
    tokio::time::sleep(MS(50)).await;
    assert_eq!(server.ask("/").await, "", "the third is closed at once");
    tokio::time::sleep(SOON).await;
    assert!(server.ask("/").await.ends_with("http"), "places are given back");

    let trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    let server = start(Options { limits, trusted_proxies, ..Options::default() }).await;
    let _held = [server.connect().await, server.connect().await, server.connect().await];
    assert!(server.ask("/").await.contains("200 OK"));
}

#[tokio::test]
async fn caps_connections_in_all_and_lets_more_wait() {
    let limits = Limits { connections: 2, ..limits() };
    let server = start(Options { limits, ..Options::default() }).await;
    let (_a, _b) = (server.connect().await, server.connect().await);
    tokio::time::sleep(MS(50)).await;
    assert_eq!(server.open.load(Ordering::Relaxed), 2);
    let answer = tokio::time::timeout(SOON, server.ask("/")).await.expect("waits for ever");
    assert!(answer.ends_with("http"), "answered once the silent ones are gone");
}

#[tokio::test]
async fn finishes_running_requests_and_takes_no_new_ones_when_it_stops() {
    let server =
        start(Options { limits: Limits { drain: Duration::from_secs(5), ..limits() }, ..Options::default() }).await;
    let mut idle = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nho").await.unwrap();
    let mut running = server.connect().await;
    running.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(MS(100)).await;
    server.stop.send(true).unwrap();
    let answer = read_to_end(&mut running).await;
    assert!(answer.ends_with("slow"), "{answer}");
    assert!(closed(&mut idle).await < SOON && closed(&mut half).await < SOON);
    tokio::time::timeout(SOON, server.served).await.expect("does not end").unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn cuts_what_does_not_finish_within_the_drain_limit() {
    let server = plain().await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /trickle HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    tokio::time::sleep(MS(100)).await;
    server.stop.send(true).unwrap();
    tokio::time::timeout(MS(1000), server.served).await.expect("does not end").unwrap();
    assert!(closed(&mut stream).await < SOON);
}

/// A listener with TLS, and a client that trusts it.
async fn with_tls() -> (Running, tokio_rustls::TlsConnector) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, signed.cert.pem()).unwrap();
    std::fs::write(&key, signed.signing_key.serialize_pem()).unwrap();
    let options = Options { tls: Some(tls(&certificate, &key).unwrap()), limits: limits(), ..Options::default() };
    let mut roots = rustls::RootCertStore::empty();
    roots.add(signed.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let client = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (start(options).await, tokio_rustls::TlsConnector::from(Arc::new(client)))
}

async fn handshake(
    server: &Running,
    client: &tokio_rustls::TlsConnector,
) -> impl AsyncRead + AsyncWrite + Unpin + use<> {
    client.connect("localhost".try_into().unwrap(), server.connect().await).await.unwrap()
}

#[tokio::test]
async fn closes_tls_sockets_that_send_no_client_hello_or_nothing_after_it() {
    let (server, client) = with_tls().await;
    let mut mute = server.connect().await;
    let mut half = server.connect().await;
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    let mut silent = handshake(&server, &client).await;
    let mut other = handshake(&server, &client).await;
    other.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut other).await.ends_with("127.0.0.1 https"));
    let (a, b, c) = tokio::join!(closed(&mut mute), closed(&mut half), closed(&mut silent));
    assert!(a < SOON && b < SOON && c < SOON, "closed after {a:?}, {b:?}, {c:?}");
}

#[test]
fn says_which_file_is_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "").unwrap();
    let error = tls(&file, &file).err().unwrap().to_string();
    assert!(error.contains("empty.pem holds no certificate"), "{error}");
    let error = tls(&folder.path().join("missing.pem"), &file).err().unwrap().to_string();
    assert!(error.contains("missing.pem"), "{error}");
}
