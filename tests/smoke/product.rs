//! The product as a child process: `dev`, `serve`, and commands beside them.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};
use std::time::{Duration, Instant};

use idp_pg::Cluster;
use serde_json::Value;
use tempfile::TempDir;

use crate::browser::Browser;

pub const BINARY: &str = env!("CARGO_BIN_EXE_idp");
/// The issuer of `serve` in these tests: its proxy is the test itself, so no name is resolved and no TLS spoken.
pub const ISSUER: &str = "https://id.example.test";

/// The PostgreSQL of all tests, each with a database of its own; it ends with this process.
pub fn postgres(name: &str) -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(Cluster::start).url(name)
}

/// A free port. Not one that the system hands out by itself: while a product is restarted on it, some other
/// connection of this machine could get it.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 10_000).expect("fits") + 15_000;
    loop {
        let port = first + NEXT.fetch_add(1, Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// The binary without anything of this machine's environment that could change it.
pub fn command(faketime: Option<&str>) -> Command {
    let mut command = match faketime {
        Some(offset) => {
            let mut command = Command::new("faketime");
            // It runs the binary as a child of its own: both are in a group, to be killed together.
            command.args(["--exclude-monotonic", "-f", offset, BINARY]).process_group(0);
            command
        }
        None => Command::new(BINARY),
    };
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("IDP_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// What a finished command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("no single JSON document: {}", self.out))
    }
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str], input: &str) -> Said {
    let mut command = command(None);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    // A command that reads nothing may be gone already.
    drop(child.stdin.take().expect("piped").write_all(input.as_bytes()));
    let output = child.wait_with_output().expect("output");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Said { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A folder with settings and key, or with the data of `dev`; commands run on it, products start on it.
pub struct Place {
    pub folder: TempDir,
    /// `--config FILE` or `--data DIR`.
    pub at: [String; 2],
}

impl Place {
    pub fn dev() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = ["--data".to_owned(), folder.path().join("data").display().to_string()];
        Self { folder, at }
    }

    /// Settings of `serve` on a database; `None`: SQLite in the folder.
    pub fn serve(database: Option<&str>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let sqlite = format!("sqlite://{}", folder.path().join("idp.db").display());
        let database = database.unwrap_or(&sqlite);
        fs::write(folder.path().join("key"), "9f".repeat(16) + &"07".repeat(16)).expect("written");
        let text = format!(
            "[server]\ntrusted_proxies = [\"127.0.0.1\"]\nmax_connections_per_address = 1000\n\
             [realm]\nissuer = \"{ISSUER}\"\n\
             [database]\nurl = \"{database}\"\n[secrets]\nencryption_key_file = \"key\"\n"
        );
        let file = folder.path().join("idp.toml");
        fs::write(&file, text).expect("written");
        Self { folder, at: ["--config".to_owned(), file.display().to_string()] }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command on it.
    pub fn idp(&self, arguments: &[&str]) -> Said {
        self.idp_with(arguments, "")
    }

    pub fn idp_with(&self, arguments: &[&str], input: &str) -> Said {
        let at = self.at.iter().map(String::as_str);
        run(&arguments.iter().copied().chain(at).collect::<Vec<_>>(), input)
    }

    /// A command that must succeed, answering with JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let all: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
        self.idp(&all).json()
    }
}

/// A running product.
pub struct Product {
    child: Child,
    /// The child leads a group.
    group: bool,
    pub port: u16,
    pub issuer: String,
    pub log: PathBuf,
    /// The line that `dev --json` prints.
    pub ready: Value,
}

impl Product {
    /// `idp dev` on a place, on ports that stay the same when `ports` is given.
    pub fn dev(place: &Place, ports: (u16, u16)) -> Self {
        Self::dev_at(place, ports, None)
    }

    pub fn dev_at(place: &Place, ports: (u16, u16), faketime: Option<&str>) -> Self {
        let log = place.file("dev.log");
        let mut command = command(faketime);
        command.args(["dev", "--json", &place.at[0], &place.at[1]]);
        command.arg(format!("--listen=127.0.0.1:{}", ports.0)).arg(format!("--demo-listen=127.0.0.1:{}", ports.1));
        command.stdout(Stdio::piped()).stderr(append(&log));
        let mut child = command.spawn().expect("the binary runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not ready: {line} {}", tail(&log)));
        let issuer = ready["issuer"].as_str().expect("issuer").to_owned();
        Self { child, group: faketime.is_some(), port: ports.0, issuer, log, ready }
    }

    pub fn serve(place: &Place) -> Self {
        Self::serve_with(place, free_port(), None, &[])
    }

    /// `idp serve`, ready to answer.
    pub fn serve_with(place: &Place, port: u16, faketime: Option<&str>, env: &[(&str, &str)]) -> Self {
        let health = free_port();
        let log = place.file(&format!("serve-{port}.log"));
        let mut command = command(faketime);
        command.args(["serve", &place.at[0], &place.at[1]]).envs(env.iter().copied());
        command.env("IDP_SERVER__LISTEN", format!("127.0.0.1:{port}"));
        command.env("IDP_SERVER__HEALTH_LISTEN", format!("127.0.0.1:{health}"));
        command.stdout(append(&log)).stderr(append(&log));
        let mut child = command.spawn().expect("the binary runs");
        let begun = Instant::now();
        while !is_ready(health) {
            let ended = child.try_wait().expect("a state");
            assert!(ended.is_none() && begun.elapsed() < Duration::from_secs(20), "not ready: {}", tail(&log));
            std::thread::sleep(Duration::from_millis(20));
        }
        Self { child, group: faketime.is_some(), port, issuer: ISSUER.to_owned(), log, ready: Value::Null }
    }

    pub fn browser(&self) -> Browser {
        Browser::new(self.port, &self.issuer)
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if self.group {
            let group = format!("-{}", self.child.id());
            drop(Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status());
        }
        drop(self.child.kill());
        self.child.wait().expect("waited");
    }

    /// SIGTERM; whoever started it waits.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(status.expect("kill runs").success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a state") {
                return status;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "it does not stop");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        self.kill();
    }
}

fn append(log: &Path) -> File {
    File::options().create(true).append(true).open(log).expect("a log")
}

fn tail(log: &Path) -> String {
    fs::read_to_string(log).unwrap_or_default()
}

fn is_ready(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut text = String::new();
    let sent = stream.write_all(b"GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    sent.and_then(|()| stream.read_to_string(&mut text)).is_ok_and(|_| text.starts_with("HTTP/1.1 200"))
}
