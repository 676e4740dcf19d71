//! A browser as small as can be: HTTP/1.1, one connection a request, a cookie jar, no redirects followed.

use std::collections::BTreeMap;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded::Serializer;

/// What a request came back with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn location(&self) -> &str {
        self.header("location").unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.body))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.body))
    }
}

/// One browser at one issuer. `port` is where that issuer's process listens; it may be pointed at a replica.
#[derive(Clone)]
pub struct Browser {
    pub port: u16,
    pub origin: String,
    pub jar: BTreeMap<String, String>,
}

impl Browser {
    pub fn new(port: u16, origin: &str) -> Self {
        Self { port, origin: origin.to_owned(), jar: BTreeMap::new() }
    }

    fn host(&self) -> &str {
        self.origin.split_once("://").expect("an origin").1
    }

    pub fn get(&mut self, path: &str) -> io::Result<Answer> {
        self.send("GET", path, &[], "")
    }

    pub fn get_as_bearer(&mut self, path: &str, token: &str) -> io::Result<Answer> {
        self.send("GET", path, &[("authorization", &format!("Bearer {token}"))], "")
    }

    pub fn post_form(&mut self, path: &str, fields: &[(&str, &str)]) -> io::Result<Answer> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], &body)
    }

    /// With the `Origin` a page of the issuer sends, and a CSRF token where there is one.
    pub fn post_json(&mut self, path: &str, body: &Value, csrf: &str) -> io::Result<Answer> {
        let origin = self.origin.clone();
        let headers = [("content-type", "application/json"), ("origin", origin.as_str()), ("x-csrf-token", csrf)];
        self.send("POST", path, &headers, &body.to_string())
    }

    /// The request as bytes, for tests that send it in pieces.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let path = path.strip_prefix(&self.origin).unwrap_or(path);
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host());
        let cookies: Vec<_> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            text.push_str(&format!("cookie: {}\r\n", cookies.join("; ")));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        format!("{text}\r\n{body}")
    }

    pub fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(self.request(method, path, headers, body).as_bytes())?;
        let answer = read(&mut stream)?;
        for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
            let (name, value) = line.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            if value.is_empty() || line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }
}

/// Reads one answer; one that ends early is an error, so that nothing half-answered counts as acknowledged.
pub fn read(stream: &mut TcpStream) -> io::Result<Answer> {
    let cut = || io::Error::new(io::ErrorKind::UnexpectedEof, "the answer was cut");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(cut)?;
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(cut)?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").and_then(|(_, n)| n.parse::<usize>().ok());
    if length.is_some_and(|length| length > body.len()) {
        return Err(cut());
    }
    Ok(Answer { status, headers, body: body.to_owned() })
}
