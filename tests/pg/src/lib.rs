//! A throw-away PostgreSQL for tests: its own cluster in a temporary folder, on a free port of this machine.
//!
//! It ends with the test process, whatever ends that: a shell keeps the server and waits on a pipe that only the
//! test process holds open. `IDP_TEST_POSTGRES_URL` names a server to use instead.

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant, SystemTime};

const MISSING: &str = "these tests need PostgreSQL: install the package `postgresql` (initdb, postgres, createdb), \
     or set IDP_TEST_POSTGRES_URL to a server where databases may be created";

/// Its arguments: folder of the programs, folder of the cluster, port.
const KEEPER: &str = r#"
umask 077
mkdir "$2" || exit 1
"$1/initdb" -D "$2/data" -U idp -A trust -E UTF8 --locale=C --no-sync >"$2/log" 2>&1 &&
"$1/postgres" -D "$2/data" -p "$3" -h 127.0.0.1 -k "$2" -F -c max_connections=300 -c log_min_messages=error \
    >>"$2/log" 2>&1 &
server=$!
cat >/dev/null
kill -INT "$server" 2>/dev/null
[ -f "$2/data/postmaster.pid" ] && kill -INT "$(head -n 1 "$2/data/postmaster.pid")" 2>/dev/null
wait "$server"
rm -rf "$2"
"#;

/// A running server.
pub struct Cluster {
    /// Ends with a slash; the name of a database follows.
    base: String,
    programs: Option<PathBuf>,
    keeper: Mutex<Option<Child>>,
}

impl Cluster {
    /// Starts a server, or uses the one that `IDP_TEST_POSTGRES_URL` names.
    ///
    /// # Panics
    /// When there is no PostgreSQL, saying what to install.
    pub fn start() -> Self {
        if let Ok(url) = std::env::var("IDP_TEST_POSTGRES_URL") {
            let at = url.rfind('/').filter(|&at| at > "postgres://".len()).unwrap_or(url.len());
            let base = format!("{}/", &url[..at]);
            return Self { base, programs: programs(), keeper: Mutex::new(None) };
        }
        let programs = programs().expect(MISSING);
        for _ in 0..3 {
            if let Some(cluster) = Self::attempt(&programs) {
                return cluster;
            }
        }
        panic!("PostgreSQL did not start; {MISSING}");
    }

    /// The port is free when it is asked for and may be taken when the server wants it: hence attempts.
    fn attempt(programs: &Path) -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port").port();
        let nanos = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.subsec_nanos());
        let folder = std::env::temp_dir().join(format!("idp-pg-{}-{port}-{nanos}", std::process::id()));
        let mut command = as_unprivileged("sh");
        command.args(["-c", KEEPER, "idp-pg"]).arg(programs).arg(&folder).arg(port.to_string());
        // Outside the terminal's group, or Ctrl-C would end the keeper before it cleaned up.
        command.process_group(0).current_dir("/").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut keeper = command.spawn().expect(MISSING);
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) && keeper.try_wait().ok().flatten().is_none() {
            let mut ready = Command::new(programs.join("pg_isready"));
            ready.args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]);
            if ready.status().is_ok_and(|status| status.success()) {
                let base = format!("postgres://idp@127.0.0.1:{port}/");
                return Some(Self { base, programs: Some(programs.to_owned()), keeper: Mutex::new(Some(keeper)) });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        stop(keeper);
        None
    }

    /// Makes an empty database whose name begins with `name`; its address.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn url(&self, name: &str) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("{name}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let createdb = self.programs.as_ref().map_or_else(|| PathBuf::from("createdb"), |p| p.join("createdb"));
        let mut command = Command::new(createdb);
        command.arg(format!("--maintenance-db={}postgres", self.base)).arg(&name);
        let output = command.output().expect(MISSING);
        assert!(output.status.success(), "createdb: {}", String::from_utf8_lossy(&output.stderr));
        format!("{}{name}", self.base)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(Some(keeper)) = self.keeper.lock().map(|mut keeper| keeper.take()) {
            stop(keeper);
        }
    }
}

fn stop(mut keeper: Child) {
    drop(keeper.stdin.take());
    drop(keeper.wait());
}

/// PostgreSQL refuses to run as root.
fn as_unprivileged(program: &str) -> Command {
    let id = |args: &[&str]| Command::new("id").args(args).output().ok().filter(|output| output.status.success());
    let root = id(&["-u"]).is_some_and(|output| output.stdout.trim_ascii() == b"0");
    if !root {
        return Command::new(program);
    }
    let user = if id(&["-u", "postgres"]).is_some() { "postgres" } else { "nobody" };
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--", program]);
    command
}

/// The folder of `initdb` and its like: on the path, or where Debian keeps the newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join("initdb"));
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.path().join("bin/initdb")).collect();
    versions.sort();
    let found = on_path.chain(versions.into_iter().rev()).find_map(|initdb| initdb.canonicalize().ok());
    found?.parent().map(Path::to_owned)
}
