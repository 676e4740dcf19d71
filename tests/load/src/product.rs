//! The product under test: the release binary, started by ourselves as `idp serve` on a fresh SQLite database, and
//! what the system and its own metrics say about it. proc_pid_stat(5), proc_pid_status(5).

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::http::Connection;

/// Longest wait for the first answer.
const START_WITHIN: Duration = Duration::from_secs(20);

/// The cores: the product has one, the generator another, so that neither's CPU time hides in the other's.
const PRODUCT_CORE: &str = "0";
const GENERATOR_CORE: &str = "1";

/// A folder with the product's settings and database.
pub struct Home {
    folder: tempfile::TempDir,
    binary: PathBuf,
    port: u16,
    health_port: u16,
}

impl Home {
    /// A fresh one, below the folder of our own executable: on a disk, where `/tmp` may be memory.
    pub fn new(log_level: &str) -> Result<Self, Failure> {
        let binary = binary()?;
        let folder = tempfile::Builder::new().prefix("idp-load-").tempdir_in(binary.parent().ok_or("no folder")?)?;
        let [port, health_port] = free_ports()?;
        let mut key = String::new();
        let mut bytes = [0; 32];
        aws_lc_rs::rand::fill(&mut bytes)?;
        bytes.iter().try_for_each(|byte| write!(key, "{byte:02x}"))?;
        let settings = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\nhealth_listen = \"127.0.0.1:{health_port}\"\n\
             max_connections_per_address = 4096\n\
             [realm]\nissuer = \"http://localhost:{port}\"\n\
             [database]\nurl = \"sqlite://{}\"\n\
             [secrets]\nencryption_key = \"{key}\"\n\
             [telemetry]\nlog_level = \"{log_level}\"\n",
            folder.path().join("idp.db").display()
        );
        let home = Self { folder, binary, port, health_port };
        fs::write(home.path("idp.toml"), settings)?;
        Ok(home)
    }

    /// The database as the store names it.
    pub fn database_url(&self) -> String {
        format!("sqlite://{}", self.path("idp.db").display())
    }

    /// Bytes of the database once everything in the log has been moved into it.
    pub fn database_bytes(&self) -> Result<u64, Failure> {
        let path = self.path("idp.db");
        let busy: i64 =
            rusqlite::Connection::open(&path)?.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        if busy != 0 {
            return Err("the database is busy: no checkpoint".into());
        }
        Ok(fs::metadata(path)?.len())
    }

    /// Starts the product and waits for its first good answer.
    pub fn start(&self) -> Result<Product, Failure> {
        let log = fs::File::create(self.path("log"))?;
        let mut command = pinned(&self.binary);
        command.arg("serve").arg("--config").arg(self.path("idp.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let started = Instant::now();
        let mut product = Product {
            child: command.spawn()?,
            started_in: Duration::ZERO,
            port: self.port,
            health_port: self.health_port,
        };
        let good = |answer: crate::http::Answer| answer.expect("discovery", 200).map(drop);
        while Connection::open(self.port)
            .and_then(|mut c| c.get("/.well-known/openid-configuration"))
            .and_then(good)
            .is_err()
        {
            if product.child.try_wait()?.is_some() || started.elapsed() > START_WITHIN {
                let log = fs::read_to_string(self.path("log"))?;
                return Err(format!("the product does not start: {log}").into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        product.started_in = started.elapsed();
        Ok(product)
    }

    /// The end of the product's log, to be shown with an error.
    pub fn log_end(&self) -> String {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().filter(|l| l.contains("WARN") || l.contains("ERROR")).collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }

    /// Runs a command beside the product; what it said.
    pub fn run(&self, arguments: &[&str]) -> Result<Vec<u8>, Failure> {
        let mut command = Command::new(&self.binary);
        command.args(arguments).arg("--config").arg(self.path("idp.toml")).stdin(Stdio::null());
        let said = command.output()?;
        let error = || String::from_utf8_lossy(&said.stderr).into_owned();
        if said.status.success() { Ok(said.stdout) } else { Err(error().into()) }
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The running product; killed when dropped.
pub struct Product {
    child: Child,
    /// From starting the process to its first 200.
    pub started_in: Duration,
    pub port: u16,
    health_port: u16,
}

/// The product's counters at one moment; all only grow.
#[derive(Clone, Copy)]
pub struct Counts {
    /// User and system time of all its threads.
    pub cpu: Duration,
    pub commits: u64,
    pub statements: u64,
}

impl Product {
    /// Reads CPU time and the metrics.
    pub fn counts(&self) -> Result<Counts, Failure> {
        let text = Connection::open(self.health_port)?.get("/metrics")?.expect("metrics", 200)?.body;
        let text = String::from_utf8(text)?;
        let metric = |name: &str| -> Result<u64, Failure> {
            let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            Ok(value.ok_or_else(|| format!("no metric {name}"))?.parse()?)
        };
        Ok(Counts {
            cpu: self.cpu()?,
            commits: metric("idp_db_commits_total")?,
            statements: metric("idp_db_statements_total")?,
        })
    }

    /// Fields 14 and 15 of `/proc/PID/stat`, in ticks of 10 ms on every Linux.
    fn cpu(&self) -> Result<Duration, Failure> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let [user, system] = [fields.get(11), fields.get(12)].map(|f| f.copied().unwrap_or_default().parse::<u64>());
        Ok(Duration::from_millis((user? + system?) * 10))
    }

    /// Asks the product to end and waits for it; how long its start had taken.
    pub fn stop(mut self) -> Result<Duration, Failure> {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status()?.success();
        let ended = self.child.wait()?;
        if asked && ended.success() {
            Ok(self.started_in)
        } else {
            Err(format!("the product ended badly: {ended}").into())
        }
    }

    /// Resident memory in MB (10⁶ bytes).
    pub fn rss_mb(&self) -> Result<f64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kib: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1.024 / 1000.0)
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The product's release binary beside our own executable, brought up to date where cargo runs us.
fn binary() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("idp");
    if let Ok(cargo) = std::env::var("CARGO") {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut build = Command::new(cargo);
        build.current_dir(workspace).args(["build", "--quiet", "--package", "idp", "--bin", "idp"]);
        if own.parent().is_some_and(|p| p.ends_with("release")) {
            build.arg("--release");
        }
        if !build.status()?.success() {
            return Err("the product cannot be built".into());
        }
    }
    if binary.exists() { Ok(binary) } else { Err(format!("{} is missing: build it first", binary.display()).into()) }
}

fn free_ports() -> Result<[u16; 2], Failure> {
    let listeners = [TcpListener::bind("127.0.0.1:0")?, TcpListener::bind("127.0.0.1:0")?];
    let [a, b] = listeners.map(|listener| listener.local_addr().map(|address| address.port()));
    Ok([a?, b?])
}

/// Whether there are two cores and util-linux's `taskset` to separate them.
fn can_pin() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores > 1 && Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok_and(|s| s.success())
}

/// A command on the product's core. `taskset` becomes the program, so the process id is the product's.
fn pinned(binary: &Path) -> Command {
    if !can_pin() {
        return Command::new(binary);
    }
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", PRODUCT_CORE]).arg(binary);
    command
}

/// Moves this process to the generator's core; threads made later stay there.
pub fn pin_self() {
    if can_pin() {
        let id = std::process::id().to_string();
        let args = ["--all-tasks", "--cpu-list", "--pid", GENERATOR_CORE, &id];
        drop(Command::new("taskset").args(args).stdout(Stdio::null()).status());
    }
}
