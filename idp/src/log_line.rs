//! The form of one JSON log line: time, level, the event's fields side by side, target. A request writes one, so its
//! cost counts.
//!
//! RFC 8259 (JSON); RFC 3339 (the time).

use std::fmt::{self, Debug, Write as _};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Room for the line of a request, so that it does not grow in steps.
const LINE: usize = 512;

/// Writes events as JSON, one object a line. Names no span.
#[derive(Clone, Copy, Debug)]
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let metadata = event.metadata();
        let mut line = String::with_capacity(LINE);
        line.push_str("{\"timestamp\":\"");
        SystemTime.format_time(&mut Writer::new(&mut line))?;
        line.push_str("\",\"level\":\"");
        line.push_str(metadata.level().as_str());
        line.push('"');
        event.record(&mut Members(&mut line));
        Members(&mut line).text("target", metadata.target());
        line.push_str("}\n");
        writer.write_str(&line)
    }
}

/// Adds members to an object that has one already.
struct Members<'a>(&'a mut String);

impl Members<'_> {
    fn name(&mut self, name: &str) {
        self.0.push_str(",\"");
        let _ = Escaped(self.0).write_str(name.strip_prefix("r#").unwrap_or(name));
        self.0.push_str("\":");
    }

    fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.push('"');
        let _ = Escaped(self.0).write_str(value);
        self.0.push('"');
    }

    fn bare(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let _ = write!(self.0, "{value}");
    }
}

impl Visit for Members<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.bare(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.bare(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.bare(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON has no number for the others.
        if value.is_finite() { self.bare(field.name(), value) } else { self.bare(field.name(), "null") }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.name(field.name());
        self.0.push('"');
        let _ = write!(Escaped(self.0), "{value:?}");
        self.0.push('"');
    }
}

/// What is written here lands inside of a JSON string (RFC 8259 §7).
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.bytes().all(|byte| byte >= b' ' && !matches!(byte, b'"' | b'\\')) {
            self.0.push_str(text);
            return Ok(());
        }
        text.chars().try_for_each(|c| match c {
            '"' | '\\' => write!(self.0, "\\{c}"),
            c if c < ' ' => write!(self.0, "\\u{:04x}", u32::from(c)),
            c => self.0.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `act` logs.
    fn logged(act: impl FnOnce()) -> String {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().event_format(JsonLine).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, act);
        String::from_utf8(log.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_line_is_one_object_with_its_fields_side_by_side() {
        let line = logged(|| {
            let nothing: Option<&str> = None;
            tracing::info!(target: "idp::test", n = 7u64, m = -7i64, yes = true, half = 0.5, no = f64::NAN, nothing, "said");
        });
        let members: serde_json::Value = serde_json::from_str(line.strip_suffix('\n').unwrap()).unwrap();
        let time = members["timestamp"].as_str().unwrap();
        assert!(time.len() == 27 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        let rest = line.split_once(",\"level\"").unwrap().1;
        assert_eq!(
            rest,
            ":\"INFO\",\"message\":\"said\",\"n\":7,\"m\":-7,\"yes\":true,\"half\":0.5,\"no\":null,\"target\":\"idp::test\"}\n"
        );
    }

    #[test]
    fn what_is_logged_cannot_leave_its_string() {
        let evil = "a\"b\\c\nd\u{1}e\u{7f}\u{2028}é\r";
        let line = logged(|| tracing::warn!(text = evil, shown = %evil, debugged = ?evil, r#type = "t"));
        assert_eq!(line.lines().count(), 1, "{line:?}");
        let members: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(members["text"], evil);
        assert_eq!(members["shown"], evil);
        assert_eq!(members["debugged"], format!("{evil:?}"));
        assert_eq!((&members["type"], &members["level"]), (&"t".into(), &"WARN".into()));
    }

    #[test]
    fn an_error_is_logged_as_it_is_displayed() {
        let error = io::Error::other("the disk is full");
        let line = logged(|| tracing::error!(error = &error as &dyn std::error::Error));
        let members: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(members["error"], "the disk is full");
    }
}
