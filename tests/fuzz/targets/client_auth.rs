//! What a client presents: the header up to the first line feed, the body behind it.
#![no_main]

use idp_core::oauth::client_auth::present;
use idp_core::oauth::params::RawParams;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (header, body) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (std::str::from_utf8(&bytes[..at]).ok(), &bytes[at + 1..]),
        None => (None, bytes),
    };
    let _ = present(header, &RawParams::parse(body));
});
