//! Logs on standard error and, when a collector is set, traces by OTLP over HTTP.
//!
//! The only file that names OpenTelemetry. Exporting has a thread of its own: it must not wait for the async runtime.

use crate::log_line::JsonLine;
use crate::settings::{LogFormat, Telemetry};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

/// Why telemetry cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("the log filter is malformed")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("the trace exporter cannot be built")]
    Exporter(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("a subscriber is set already")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Keeps telemetry going; [`Guard::shutdown`] sends what is still queued.
#[derive(Debug)]
#[must_use = "traces stop when it is dropped"]
pub struct Guard(Option<SdkTracerProvider>);

/// Starts logging and tracing for the whole process. Once; not in tests.
///
/// # Errors
/// [`TelemetryError`] for a malformed filter, an endpoint no exporter can be built for, or a second call.
pub fn init(settings: &Telemetry) -> Result<Guard, TelemetryError> {
    let provider = settings.otlp_endpoint.as_deref().map(provider).transpose()?;
    let filter = EnvFilter::try_new(&settings.log_level)?;
    let log = match settings.log_format {
        LogFormat::Text => fmt::layer().with_writer(std::io::stderr).with_target(false).with_filter(filter).boxed(),
        LogFormat::Json => fmt::layer()
            .event_format(JsonLine)
            .with_writer(std::io::stderr)
            // Its lines name no span, so it needs none: where nobody traces, none is made. Hints stay: the database
            // driver asks with one whether its statements are wanted.
            .with_filter(filter.and(filter_fn(|metadata| !metadata.is_span())))
            .boxed(),
    };
    // A list, since a missing layer would want every span.
    let mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> = vec![log];
    layers.extend(provider.as_ref().map(|provider| {
        // The exporter's own HTTP client must not trace itself.
        let own = EnvFilter::new("info,hyper=off,reqwest=off,opentelemetry=off");
        tracing_opentelemetry::layer().with_tracer(provider.tracer("idp")).with_filter(own).boxed()
    }));
    tracing_subscriber::registry().with(layers).try_init()?;
    Ok(Guard(provider))
}

/// Batches spans on a thread of its own and posts them to the collector.
fn provider(endpoint: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let exporter = SpanExporter::builder().with_http().with_endpoint(format!("{endpoint}/v1/traces")).build()?;
    let resource = Resource::builder().with_service_name("idp").build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

impl Guard {
    /// Sends queued traces and stops. Blocks up to five seconds: not for an async task.
    pub fn shutdown(self) {
        if let Some(provider) = self.0
            && let Err(error) = provider.shutdown_with_timeout(std::time::Duration::from_secs(5))
        {
            tracing::warn!(%error, "traces were lost at the end");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::Tracer as _;
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};

    #[test]
    fn posts_queued_traces_to_the_collector_at_shutdown() {
        let collector = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", collector.local_addr().unwrap());
        let received = std::thread::spawn(move || {
            let mut stream = BufReader::new(collector.accept().unwrap().0);
            let (mut head, mut length) = (Vec::new(), 0);
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
                head.push(line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            (head.concat(), String::from_utf8_lossy(&body).into_owned())
        });
        let provider = provider(&endpoint).unwrap();
        provider.tracer("idp").in_span("GET /authorize", |_| ());
        Guard(Some(provider)).shutdown();
        let (head, body) = received.join().unwrap();
        assert!(head.starts_with("POST /v1/traces HTTP/1.1"), "{head}");
        assert!(body.contains("GET /authorize") && body.contains("service.name"));
    }
}
