//! The listener for machines: liveness, readiness and metrics, whatever the `Host`.
//!
//! Kubernetes probes and Prometheus scrapes; nothing here is for the public.

use crate::listen::App;
use crate::metrics::{CONTENT_TYPE, Metrics};
use poem::endpoint::{ToDynEndpoint, make};
use poem::http::{StatusCode, header};
use poem::{EndpointExt as _, Response, Route, get};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// Checks whether requests can be served; the text says what is missing, for the log alone.
pub type Ready = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

/// A check that takes longer counts as failed: a probe that hangs says nothing.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// `/health/live`: this process answers. `/health/ready`: it can serve requests. `/metrics`: OpenMetrics text.
pub fn app(ready: Ready, metrics: Arc<Metrics>) -> App {
    let ready = make(move |_| {
        let check = ready();
        async move {
            let reason = match tokio::time::timeout(READY_WITHIN, check).await {
                Ok(Ok(())) => return text(StatusCode::OK, "ready\n"),
                Ok(Err(reason)) => reason,
                Err(_) => "the check took too long".to_owned(),
            };
            tracing::warn!(reason, "not ready");
            text(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }
    });
    let metrics = make(move |_| {
        let rendered = metrics.render();
        async move {
            match rendered {
                Ok(body) => Response::builder().header(header::CONTENT_TYPE, CONTENT_TYPE).body(body),
                Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be rendered\n"),
            }
        }
    });
    let route = Route::new()
        .at("/health/live", get(make(|_| async { text(StatusCode::OK, "live\n") })))
        .at("/health/ready", get(ready))
        .at("/metrics", get(metrics));
    Arc::new(ToDynEndpoint(route.map_to_response()))
}

fn text(status: StatusCode, body: &'static str) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::DbCounts;
    use poem::{Endpoint as _, Request};

    async fn status(ready: Ready, path: &str) -> StatusCode {
        let metrics = Arc::new(Metrics::new(Arc::default(), Arc::new(DbCounts::default)));
        let request = Request::builder().uri(path.parse().unwrap()).header("host", "10.1.2.3:9090").finish();
        app(ready, metrics).get_response(request).await.status()
    }

    #[tokio::test]
    async fn answers_whatever_the_host() {
        let ready: Ready = Arc::new(|| Box::pin(async { Ok(()) }));
        for path in ["/health/live", "/health/ready", "/metrics"] {
            assert_eq!(status(ready.clone(), path).await, StatusCode::OK, "{path}");
        }
        assert_eq!(status(ready, "/").await, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn is_live_but_not_ready_while_the_check_fails() {
        let down: Ready = Arc::new(|| Box::pin(async { Err("no database".to_owned()) }));
        assert_eq!(status(down.clone(), "/health/live").await, StatusCode::OK);
        assert_eq!(status(down, "/health/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test(start_paused = true)]
    async fn is_not_ready_while_the_check_hangs() {
        let hangs: Ready = Arc::new(|| Box::pin(std::future::pending()));
        assert_eq!(status(hangs, "/health/ready").await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
