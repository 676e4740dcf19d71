//! Runs operations from several connections and reports their cost as one flat list of numbers.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::http::{Browser, Connection};
use crate::prepare::{Person, prepare};
use crate::product::{Home, pin_self};
use crate::sign_in::{Flow, Verifier};
use crate::{Failure, Load};

/// As `serve` has it when nothing is set.
const LOG_LEVEL: &str = "info";
/// Starts that are measured.
const STARTS: usize = 9;

/// What is done again and again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    LogIn,
    SingleSignOn,
    Anonymous,
}

/// One connection's part of the work.
struct Worker {
    browser: Browser,
    people: Vec<Person>,
}

/// What the workers found.
#[derive(Default)]
struct Found {
    latencies: Vec<Duration>,
    errors: Vec<String>,
}

/// Measures `operation`; whether there was no error.
pub fn load(operation: Operation, load: &Load) -> Result<bool, Failure> {
    let home = Home::new(LOG_LEVEL)?;
    pin_self();
    let product = home.start()?;
    let connections = load.connections.max(1);
    let (party, people) = prepare(&home.database_url(), product.port, load.accounts.max(connections))?;
    let verifier = Verifier::load(&mut Connection::open(product.port)?)?;
    let flow = Flow { party: &party, verifier: &verifier };
    let mut workers = (0..connections)
        .map(|_| Ok(Worker { browser: Browser::new(Connection::open(product.port)?), people: Vec::new() }))
        .collect::<Result<Vec<_>, Failure>>()?;
    for (number, person) in people.into_iter().enumerate() {
        workers[number % connections].people.push(person);
    }

    let warm = run(operation, &flow, &mut workers, load.warm_up);
    let bytes_before = home.database_bytes()?;
    let before = product.counts()?;
    let started = Instant::now();
    let mut found = run(operation, &flow, &mut workers, load.ops);
    let elapsed = started.elapsed();
    let after = product.counts()?;
    let rss_mb = product.rss_mb()?;
    let bytes = home.database_bytes()?.saturating_sub(bytes_before);

    found.errors.extend(warm.errors);
    if operation == Operation::Anonymous && after.commits != before.commits {
        found.errors.push("an anonymous start was written to the database".to_owned());
    }
    found.latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "counts of one run are far below 2⁵³")]
    let per_op = |n: u64| round(n as f64 / found.latencies.len().max(1) as f64, 2);
    let cpu = after.cpu.saturating_sub(before.cpu);
    let report = [
        ("cpu_us_per_op", per_op(u64::try_from(cpu.as_micros())?)),
        ("ops_per_s", round(found.latencies.len() as f64 / elapsed.as_secs_f64(), 1)),
        ("p50_ms", quantile_ms(&found.latencies, 50)),
        ("p99_ms", quantile_ms(&found.latencies, 99)),
        ("rss_mb", round(rss_mb, 1)),
        ("db_bytes_per_op", per_op(bytes)),
        ("commits_per_op", per_op(after.commits - before.commits)),
        ("statements_per_op", per_op(after.statements - before.statements)),
        ("errors", found.errors.len() as f64),
    ];
    print(&report, load.json);
    if found.errors.is_empty() {
        return Ok(true);
    }
    found.errors.truncate(3);
    eprintln!("{}\n{}", found.errors.join("\n"), home.log_end());
    Ok(false)
}

/// `ops` operations shared out among the workers, each on a thread of its own.
fn run(operation: Operation, flow: &Flow<'_>, workers: &mut [Worker], ops: usize) -> Found {
    let found = Mutex::new(Found::default());
    let (count, found_ref) = (workers.len(), &found);
    std::thread::scope(|scope| {
        for (number, worker) in workers.iter_mut().enumerate() {
            let share = ops / count + usize::from(number < ops % count);
            scope.spawn(move || {
                let mine = work(operation, flow, worker, share);
                let mut all = found_ref.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                all.latencies.extend(mine.latencies);
                all.errors.extend(mine.errors);
            });
        }
    });
    found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A worker's operations; it gives up at its first error, for what follows would only repeat it.
fn work(operation: Operation, flow: &Flow<'_>, worker: &mut Worker, ops: usize) -> Found {
    let Worker { browser, people } = worker;
    let mut found = Found::default();
    // Single sign-on needs a session; the warm-up makes it.
    if operation == Operation::SingleSignOn
        && browser.is_new()
        && let Err(failure) = flow.log_in(browser, &mut people[0])
    {
        found.errors.push(failure.to_string());
        return found;
    }
    for number in 0..ops {
        let turn = number % people.len();
        let started = Instant::now();
        let outcome = match operation {
            Operation::LogIn => flow.log_in(browser, &mut people[turn]),
            Operation::SingleSignOn => flow.reuse(browser, &people[0]),
            Operation::Anonymous => flow.start_only(browser),
        };
        match outcome {
            Ok(()) => found.latencies.push(started.elapsed()),
            Err(failure) => {
                found.errors.push(failure.to_string());
                break;
            }
        }
    }
    found
}

/// Measures starting: on no database, on one that is there, and the memory of a product nobody uses.
pub fn start(as_json: bool) -> Result<bool, Failure> {
    let home = Home::new(LOG_LEVEL)?;
    pin_self();
    let mut times = Vec::new();
    let mut rss_mb = 0.0;
    for _ in 0..=STARTS {
        let product = home.start()?;
        // What is given back soon after starting does not count as idle.
        std::thread::sleep(Duration::from_millis(500));
        rss_mb = product.rss_mb()?;
        times.push(product.stop()?);
    }
    let first = times.remove(0);
    times.sort_unstable();
    let report = [
        ("first_start_ms", quantile_ms(&[first], 50)),
        ("start_ms", quantile_ms(&times, 50)),
        ("idle_rss_mb", round(rss_mb, 1)),
    ];
    print(&report, as_json);
    Ok(true)
}

/// As one line of JSON (numbers only, so nothing needs escaping), or as text for people.
fn print(report: &[(&str, f64)], as_json: bool) {
    if as_json {
        let members: Vec<String> = report.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        println!("{{{}}}", members.join(","));
        return;
    }
    for (name, value) in report {
        println!("{name:<20}{value:>12}");
    }
}

/// The value below which `percent` of the sorted times lie, in milliseconds.
fn quantile_ms(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map_or(0.0, |time| round(time.as_secs_f64() * 1000.0, 2))
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}
