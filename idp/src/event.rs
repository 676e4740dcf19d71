//! The wide event: one log record a request, filled by whoever knows something, emitted once at its end.
//!
//! Never holds the query, the raw path, a header or a secret: the route's pattern, ids and counts only.

use crate::metrics::Metrics;
use crate::system::Random;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, PathPattern, Request, Response};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Instant;
use tracing::Instrument as _;

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
    pub error: Option<String>,
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
    if !span.is_disabled() {
        span.record("otel.name", format!("{method} {route}"));
        span.record("http.route", &*route);
        span.record("http.response.status_code", status);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log_line::JsonLine;
    use crate::metrics::DbCounts;
    use poem::endpoint::make;
    use poem::{Route, get};
    use std::io;
    use std::sync::{Mutex, PoisonError};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Asks for `uri`; the answer, and the wide events as JSON.
    async fn ask(uri: &str) -> (Response, Vec<serde_json::Value>, String) {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().event_format(JsonLine).with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let metrics = Arc::new(Metrics::new(Arc::default(), Arc::new(DbCounts::default)));
        let handler = make(|_| async {
            note(|event| {
                event.client_id = Some("shop".into());
                event.outcome = Some("issued");
            });
            request_id().unwrap_or_default().to_string()
        });
        let app = Route::new().at("/clients/:id", get(handler));
        let random: Random = Arc::new(|bytes| bytes.fill(0xff));
        let app = observe(app, random, metrics.clone());
        let response = app.get_response(Request::builder().uri(uri.parse().unwrap()).finish()).await;
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        (response, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect(), metrics.render().unwrap())
    }

    #[tokio::test]
    async fn emits_one_event_a_request_with_what_the_handler_knew() {
        let (response, events, metrics) = ask("/clients/7?token=hidden").await;
        let [event] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!(event["route"], "/clients/:id");
        assert_eq!(event["client_id"], "shop");
        assert_eq!(event["outcome"], "issued");
        assert_eq!(event["status"], 200);
        assert_eq!(event["request_id"], "7777777777777777");
        assert!(event.get("account").is_none() && event["duration_us"].is_u64(), "{event}");
        assert_eq!(response.header("x-request-id"), Some("7777777777777777"));
        assert_eq!(response.into_body().into_string().await.unwrap(), "7777777777777777");
        assert!(metrics.contains("route=\"/clients/:id\",status=\"2xx\""), "{metrics}");
    }

    #[tokio::test]
    async fn logs_neither_query_nor_raw_path() {
        for uri in ["/clients/7?token=hidden", "/hidden?code=hidden"] {
            let (_, events, metrics) = ask(uri).await;
            assert_eq!(events.len(), 1);
            assert!(!events[0].to_string().contains("hidden") && !events[0].to_string().contains("/7"), "{events:?}");
            assert!(!metrics.contains("hidden"));
        }
    }

    #[tokio::test]
    async fn what_no_route_matched_has_no_pattern() {
        let (response, events, _) = ask("/other").await;
        assert_eq!(events[0]["route"], "unmatched");
        assert_eq!(response.status(), 404);
    }

    #[test]
    fn notes_outside_of_a_request_are_lost_quietly() {
        note(|event| event.outcome = Some("lost"));
        assert!(request_id().is_none());
    }
}
