//! Keys of others.
#![no_main]

use idp_core::jose::jwk::{JwkSet, PublicJwk};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = JwkSet::parse(text);
    if let Ok(key) = PublicJwk::parse(text) {
        let again = format!("{{\"keys\":[{text}]}}");
        assert!(JwkSet::parse(&again).is_ok(), "a good key is good in a set: {:?}", key.kid);
    }
});
