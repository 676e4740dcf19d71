//! A server of somebody else: what the product calls. Counts connections, keeps requests, answers as told.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Json(Value),
    Text(String),
    /// 302.
    Redirect(String),
    /// Headers, and then bytes without end.
    Endless,
    /// Nothing, and the connection stays.
    Silence,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method and path.
    pub line: String,
    pub content_type: String,
    pub form: HashMap<String, String>,
}

#[derive(Default)]
struct Inner {
    connections: AtomicUsize,
    requests: Mutex<Vec<Received>>,
    reply: Mutex<Option<Reply>>,
}

/// The server. It ends with the test.
pub struct Outside {
    pub address: SocketAddr,
    inner: Arc<Inner>,
}

impl Outside {
    /// Listens at an address of this machine; answers 200.
    pub async fn at(ip: IpAddr) -> Self {
        Self::listen(ip, None).await
    }

    /// The same behind TLS.
    pub async fn listen(ip: IpAddr, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((ip, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner::default());
        let shared = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (inner, tls) = (Arc::clone(&shared), tls.clone());
                inner.connections.fetch_add(1, SeqCst);
                tokio::spawn(async move {
                    match tls {
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => inner.talk(stream).await,
                            Err(error) => Err(error),
                        },
                        None => inner.talk(stream).await,
                    }
                });
            }
        });
        Self { address, inner }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn answers(&self, reply: Reply) {
        *self.inner.reply.lock().unwrap() = Some(reply);
    }

    pub fn connections(&self) -> usize {
        self.inner.connections.load(SeqCst)
    }

    /// What came so far.
    pub fn requests(&self) -> Vec<Received> {
        self.inner.requests.lock().unwrap().clone()
    }

    /// Waits, ten seconds at most, until `count` requests came.
    pub async fn heard(&self, count: usize) -> Vec<Received> {
        for _ in 0..1000 {
            if self.requests().len() >= count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let requests = self.requests();
        assert_eq!(requests.len(), count, "requests at {}", self.address);
        requests
    }
}

impl Inner {
    async fn talk(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let request = loop {
            if let Some(request) = parse(&bytes) {
                break request;
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        self.requests.lock().unwrap().push(request);
        let reply = self.reply.lock().unwrap().clone().unwrap_or(Reply::Status(200));
        let head = |status: u16, more: &str| format!("HTTP/1.1 {status} Said\r\nconnection: close\r\n{more}\r\n");
        match reply {
            Reply::Status(status) => stream.write_all(head(status, "content-length: 0\r\n").as_bytes()).await?,
            Reply::Json(_) | Reply::Text(_) => {
                let body = match reply {
                    Reply::Text(text) => text,
                    Reply::Json(json) => json.to_string(),
                    _ => String::new(),
                };
                let head = head(200, &format!("content-length: {}\r\n", body.len()));
                stream.write_all((head + &body).as_bytes()).await?;
            }
            Reply::Redirect(to) => {
                stream.write_all(head(302, &format!("location: {to}\r\ncontent-length: 0\r\n")).as_bytes()).await?;
            }
            Reply::Endless => {
                stream.write_all(head(200, "").as_bytes()).await?;
                loop {
                    stream.write_all(&[b' '; 8192]).await?;
                }
            }
            Reply::Silence => tokio::time::sleep(Duration::from_secs(60)).await,
        }
        stream.shutdown().await
    }
}

/// A whole request, once it is there.
fn parse(bytes: &[u8]) -> Option<Received> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let header = |name: &str| {
        let find = |line: &str| {
            let (n, value) = line.split_once(':')?;
            n.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        };
        head.lines().find_map(find).unwrap_or_default()
    };
    let length: usize = header("content-length").parse().unwrap_or_default();
    (body.len() >= length).then(|| Received {
        line: head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned(),
        content_type: header("content-type"),
        form: url::form_urlencoded::parse(body.as_bytes()).into_owned().collect(),
    })
}
