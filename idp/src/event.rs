//! The wide event: one log record a request, filled by whoever knows something, emitted once at its end.
//!
//! Never holds the query, the raw path, a header or a secret: the route's pattern, ids and counts only.

use crate::metrics::Metrics;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, PathPattern, Request, Response};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;

/// Fills a buffer with random bytes; the application's random source.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// What is known about one request. Fields that stay `None` are not logged.
#[derive(Clone, Debug, Default)]
pub struct WideEvent {
    /// Name of the realm that was asked.
    pub realm: Option<String>,
    /// Client identifier, once the client is known to exist.
    pub client_id: Option<String>,
    /// Account id, once a factor was verified.
    pub account: Option<String>,
    /// What the decision was, in one word, such as `issued`, `login_needed`, `denied`.
    pub outcome: Option<&'static str>,
    /// Error code as the protocol names it.
    pub error: Option<&'static str>,
    /// Rule that refused.
    pub rule: Option<&'static str>,
    /// Database statements and commits this request waited for.
    pub db_statements: Option<u64>,
    pub db_commits: Option<u64>,
}

struct Current {
    request_id: Arc<str>,
    event: RefCell<WideEvent>,
}

tokio::task_local! {
    static CURRENT: Current;
}

/// Adds to the event of the request this task works on; outside of one it does nothing.
pub fn note(add: impl FnOnce(&mut WideEvent)) {
    let _ = CURRENT.try_with(|current| add(&mut current.event.borrow_mut()));
}

/// The id of the request this task works on: for error pages and problem documents.
pub fn request_id() -> Option<Arc<str>> {
    CURRENT.try_with(|current| current.request_id.clone()).ok()
}

/// 16 characters of base32 (RFC 4648 §6), lower case, from 10 random bytes.
fn request_id_from(random: &Random) -> Arc<str> {
    const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; 16];
    if let Some(drawn) = bytes.get_mut(6..) {
        random(drawn);
    }
    let bits = u128::from_be_bytes(bytes);
    let digit = |i: u32| DIGITS.get((bits >> (75 - 5 * i) & 31) as usize).copied().map_or('a', char::from);
    (0..16).map(digit).collect::<String>().into()
}

/// Wraps an endpoint: gives each request an id (also the header `X-Request-Id` of its answer), a tracing span,
/// its wide event and its place in the metrics. Goes around everything else, error rendering included.
pub fn observe<E: Endpoint + 'static>(
    endpoint: E,
    random: Random,
    metrics: Arc<Metrics>,
) -> impl Endpoint<Output = Response> {
    endpoint.around(move |next, request| {
        let (random, metrics) = (random.clone(), metrics.clone());
        async move { Ok(observed(&*next, request, &random, &metrics).await) }
    })
}

async fn observed<E: Endpoint>(next: &E, request: Request, random: &Random, metrics: &Metrics) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let request_id = request_id_from(random);
    let span = tracing::info_span!(
        "request",
        otel.name = tracing::field::Empty,
        otel.kind = "server",
        http.request.method = %method,
        http.route = tracing::field::Empty,
        http.response.status_code = tracing::field::Empty,
        request_id = %request_id,
    );
    let current = Current { request_id: request_id.clone(), event: RefCell::default() };
    let handled = async {
        let (route, mut response) = match next.call(request).await {
            Ok(output) => (None, output.into_response()),
            Err(error) => (error.data::<PathPattern>().cloned(), error.into_response()),
        };
        let route = route.or_else(|| response.data::<PathPattern>().cloned());
        if let Ok(id) = request_id.parse() {
            response.headers_mut().insert("x-request-id", id);
        }
        // What no route matched has no pattern, and its path is the client's invention.
        let route = route.map_or_else(|| Arc::from("unmatched"), |pattern| pattern.0);
        let event = CURRENT.try_with(|current| current.event.take()).unwrap_or_default();
        (route, event, response)
    };
    let (route, event, response) = CURRENT.scope(current, handled).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    span.record("otel.name", format!("{method} {route}"));
    span.record("http.route", &*route);
    span.record("http.response.status_code", status);
    metrics.request(&route, status, elapsed);
    span.in_scope(|| {
        tracing::info!(
            target: "idp::request",
            %method,
            route = &*route,
            status,
            duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            request_id = &*request_id,
            realm = event.realm,
            client_id = event.client_id,
            account = event.account,
            outcome = event.outcome,
            error = event.error,
            rule = event.rule,
            db_statements = event.db_statements,
            db_commits = event.db_commits,
        );
    });
    response
}
