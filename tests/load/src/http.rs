//! A keep-alive HTTP/1.1 client and the cookies of one browser. RFC 9112, RFC 6265 §5.3.
//!
//! Just enough for our own answers (always with `Content-Length`), so that the generator costs little.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::Failure;

/// What the generator calls itself; a real browser's, since the product reads it.
const USER_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";

/// One answer.
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// The first header of a name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_slice(&self.body)?)
    }

    /// This answer, if it has the status expected; otherwise what came instead.
    pub fn expect(self, what: &str, status: u16) -> Result<Self, Failure> {
        if self.status == status {
            return Ok(self);
        }
        let text: String = String::from_utf8_lossy(&self.body).chars().take(300).collect();
        Err(format!("{what}: {} instead of {status}: {text}", self.status).into())
    }

    /// Where a redirect leads.
    pub fn location(self, what: &str) -> Result<String, Failure> {
        let answer = self.expect(what, 303)?;
        Ok(answer.header("location").ok_or_else(|| format!("{what}: no Location"))?.to_owned())
    }
}

/// One connection, kept alive.
pub struct Connection {
    stream: TcpStream,
    host: String,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects to a port of this machine; `Host` is `localhost` with it.
    pub fn open(port: u16) -> Result<Self, Failure> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Self { stream, host: format!("localhost:{port}"), buffer: Vec::with_capacity(8192) })
    }

    /// `http://localhost:…`, the issuer and its only origin.
    pub fn origin(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Sends a request and reads its answer.
    pub fn ask(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer, Failure> {
        let mut out = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nuser-agent: {USER_AGENT}\r\n", self.host);
        for (name, value) in headers {
            out.extend([name, ": ", value, "\r\n"]);
        }
        if let Some(body) = body {
            out.extend([&format!("content-length: {}\r\n\r\n", body.len()), body]);
        } else {
            out.push_str("\r\n");
        }
        self.stream.write_all(out.as_bytes())?;
        self.read()
    }

    /// A GET without further headers.
    pub fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.ask("GET", path, &[], None)
    }

    fn read(&mut self) -> Result<Answer, Failure> {
        let mut end = self.buffer.windows(4).position(|w| w == b"\r\n\r\n");
        while end.is_none() {
            self.fill()?;
            end = self.buffer.windows(4).position(|w| w == b"\r\n\r\n");
        }
        let head_len = end.unwrap_or_default() + 4;
        let head = std::str::from_utf8(&self.buffer[..head_len])?;
        let mut lines = head.split("\r\n").filter(|line| !line.is_empty());
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("no status line")?.parse()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        let body_len: usize = answer.header("content-length").ok_or("an answer without Content-Length")?.parse()?;
        while self.buffer.len() < head_len + body_len {
            self.fill()?;
        }
        answer.body = self.buffer[head_len..head_len + body_len].to_vec();
        self.buffer.drain(..head_len + body_len);
        Ok(answer)
    }

    fn fill(&mut self) -> Result<(), Failure> {
        let mut chunk = [0; 8192];
        match self.stream.read(&mut chunk)? {
            0 => Err("the product closed the connection".into()),
            n => {
                self.buffer.extend_from_slice(&chunk[..n]);
                Ok(())
            }
        }
    }
}

/// One person's browser: a connection and cookies.
pub struct Browser {
    connection: Connection,
    cookies: Vec<(String, String)>,
    origin: String,
}

impl Browser {
    /// A browser that was never here.
    pub fn new(connection: Connection) -> Self {
        let origin = connection.origin();
        Self { connection, cookies: Vec::new(), origin }
    }

    /// Becomes a browser that was never here.
    pub fn forget(&mut self) {
        self.cookies.clear();
    }

    /// Whether it was never here.
    pub const fn is_new(&self) -> bool {
        self.cookies.is_empty()
    }

    /// The origin of the pages.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The connection, for what another program than the browser asks.
    pub const fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Follows a link or a redirect to a path of ours.
    pub fn get(&mut self, path: &str) -> Result<Answer, Failure> {
        self.send("GET", path, &[("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")], None)
    }

    /// A script's call with JSON.
    pub fn post(&mut self, path: &str, csrf: Option<&str>, body: &Value) -> Result<Answer, Failure> {
        let origin = self.origin.clone();
        let mut headers = vec![("content-type", "application/json"), ("origin", &*origin), ("accept", "*/*")];
        headers.extend(csrf.map(|token| ("x-csrf-token", token)));
        self.send("POST", path, &headers, Some(&body.to_string()))
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Answer, Failure> {
        let jar = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join("; ");
        let mut headers = headers.to_vec();
        headers.push(("accept-language", "en"));
        if !jar.is_empty() {
            headers.push(("cookie", &jar));
        }
        let answer = self.connection.ask(method, path, &headers, body)?;
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            self.cookies.retain(|(n, _)| n != name);
            if !line.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(answer)
    }
}
