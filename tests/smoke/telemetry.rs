//! Traces go to the collector that is set, without anything secret in them.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::person::{client, enrolled, whole_sign_in};
use crate::product::{Place, Product, free_port};

/// Takes every POST and keeps the bytes.
fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let taken = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let keep = Arc::clone(&keep);
            std::thread::spawn(move || take(stream, &keep));
        }
    });
    (address, taken)
}

fn take(mut stream: std::net::TcpStream, keep: &Mutex<Vec<u8>>) {
    let mut buffer = [0; 65536];
    let (mut seen, mut expected) = (Vec::new(), None);
    while let Ok(n @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..n]);
        keep.lock().unwrap().extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&seen).to_lowercase();
        if expected.is_none()
            && let Some(end) = text.find("\r\n\r\n")
        {
            let length =
                text.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse::<usize>().ok());
            expected = Some(seen.iter().position(|b| *b == b'\r').map_or(end, |_| end) + 4 + length.unwrap_or(0));
        }
        if expected.is_some_and(|length| seen.len() >= length) {
            drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
            (seen, expected) = (Vec::new(), None);
        }
    }
}

#[test]
fn sends_traces_of_requests_to_the_collector_that_is_set() {
    let (address, taken) = collector();
    let place = Place::serve(None);
    let mut product = Product::serve_with(&place, free_port(), None, &[("IDP_TELEMETRY__OTLP_ENDPOINT", &address)]);
    let secret = client(&place, "web");
    let mut browser = product.browser();
    let mut key = enrolled(&place, &mut browser, "ada");
    let tokens = whole_sign_in(&mut browser, &mut key, ("web", &secret)).unwrap();
    product.terminate();
    assert!(product.wait().success());
    let taken = String::from_utf8_lossy(&taken.lock().unwrap()).into_owned();
    for expected in ["POST /v1/traces", "/webauthn/authenticate", "/token"] {
        assert!(taken.contains(expected), "no {expected} in {} bytes", taken.len());
    }
    let values = browser.jar.values().chain([&secret]).map(String::as_str);
    for value in values.chain(tokens["access_token"].as_str()).chain(tokens["id_token"].as_str()) {
        assert!(!taken.contains(value), "a secret in a trace");
    }
}
