//! Metrics of the product in the OpenMetrics text format, for `/metrics`.
//!
//! Labels come from fixed sets (route patterns, status classes, methods), so no caller can make their number grow.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric as _, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds: a sign-in's steps take 0.1 to 5 ms, a password hash some 50.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Answered {
    route: Arc<str>,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Route {
    route: Arc<str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SignIn {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Delivery {
    outcome: &'static str,
}

/// The database's own counts, read at each scrape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DbCounts {
    pub commits: u64,
    pub statements: u64,
}

/// Reads the database's counts.
pub type DbReader = Arc<dyn Fn() -> DbCounts + Send + Sync>;

/// All metrics of the product.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    sign_ins: Family<SignIn, Counter>,
    logouts: Family<Delivery, Counter>,
    mails: Family<Delivery, Counter>,
}

impl Metrics {
    /// `connections` is the listener's count of open connections, `db` reads the store's counts.
    pub fn new(connections: Arc<AtomicUsize>, db: DbReader) -> Self {
        let mut registry = Registry::with_prefix("idp");
        let requests = Family::default();
        let durations: Family<Route, Histogram> = Family::new_with_constructor(|| Histogram::new(BUCKETS));
        let sign_ins = Family::default();
        let logouts = Family::default();
        let mails = Family::default();
        registry.register("http_requests", "Requests by route and status class", requests.clone());
        registry.register("http_request_duration_seconds", "Time to the answer's headers", durations.clone());
        registry.register("sign_ins", "Sign-ins by method and outcome", sign_ins.clone());
        registry.register("logout_deliveries", "Tries to tell clients of a session's end by outcome", logouts.clone());
        registry.register("mails", "Tries to send a mail by outcome", mails.clone());
        registry.register_collector(Box::new(Scraped { connections, db }));
        Self { registry, requests, durations, sign_ins, logouts, mails }
    }

    /// Counts an answered request. `route` is a pattern of the router, never a raw path.
    pub fn request(&self, route: &Arc<str>, status: u16, elapsed: Duration) {
        let status = match status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&Answered { route: route.clone(), status }).inc();
        self.durations.get_or_create(&Route { route: route.clone() }).observe(elapsed.as_secs_f64());
    }

    /// Counts a sign-in: `method` such as `passkey` or `password`, `outcome` `success` or `failure`.
    pub fn sign_in(&self, method: &'static str, outcome: &'static str) {
        self.sign_ins.get_or_create(&SignIn { method, outcome }).inc();
    }

    /// Counts a try to tell a client of a session's end: `delivered`, `refused`, `put_off`, `given_up`.
    pub fn logout(&self, outcome: &'static str) {
        self.logouts.get_or_create(&Delivery { outcome }).inc();
    }

    /// Counts a try to send a mail: `sent`, `put_off`, `given_up`.
    pub fn mail(&self, outcome: &'static str) {
        self.mails.get_or_create(&Delivery { outcome }).inc();
    }

    /// The exposition text, see [`CONTENT_TYPE`].
    ///
    /// # Errors
    /// Never in practice: only if a metric fails to encode into a `String`.
    pub fn render(&self) -> Result<String, fmt::Error> {
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}

/// Values that live elsewhere and are read when somebody asks.
struct Scraped {
    connections: Arc<AtomicUsize>,
    db: DbReader,
}

impl fmt::Debug for Scraped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scraped")
    }
}

impl Collector for Scraped {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let open = ConstGauge::new(i64::try_from(self.connections.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
        let metric = encoder.encode_descriptor("connections", "Open connections", None, open.metric_type())?;
        open.encode(metric)?;
        let DbCounts { commits, statements } = (self.db)();
        for (name, help, count) in [
            ("db_commits", "Committed transactions", commits),
            ("db_statements", "Statements sent to the database", statements),
        ] {
            let count = ConstCounter::new(count);
            count.encode(encoder.encode_descriptor(name, help, None, count.metric_type())?)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_was_counted() {
        let db: DbReader = Arc::new(|| DbCounts { commits: 2, statements: 12 });
        let metrics = Metrics::new(Arc::new(AtomicUsize::new(3)), db);
        metrics.request(&"/token".into(), 200, Duration::from_millis(2));
        metrics.request(&"/token".into(), 400, Duration::from_millis(2));
        metrics.sign_in("passkey", "success");
        metrics.logout("put_off");
        let text = metrics.render().unwrap();
        for line in [
            "idp_http_requests_total{route=\"/token\",status=\"2xx\"} 1",
            "idp_http_requests_total{route=\"/token\",status=\"4xx\"} 1",
            "idp_http_request_duration_seconds_bucket{le=\"0.0025\",route=\"/token\"} 2",
            "idp_sign_ins_total{method=\"passkey\",outcome=\"success\"} 1",
            "idp_logout_deliveries_total{outcome=\"put_off\"} 1",
            "idp_connections 3",
            "idp_db_commits_total 2",
            "idp_db_statements_total 12",
        ] {
            assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
