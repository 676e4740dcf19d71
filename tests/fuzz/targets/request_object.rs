//! The claims of an unsigned request object: they become parameters or a refusal.
#![no_main]

use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use idp_core::id::ClientId;
use idp_core::oauth::authorize::jar::{Expected, open};
use idp_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|claims: &[u8]| {
    let id = ClientId::parse("app").unwrap();
    let expected = Expected {
        client_id: &id,
        issuer: "https://id.example",
        keys: None,
        algs: SigningAlg::ALL,
        unsigned: true,
        aud_required: false,
        now: Timestamp::from_ms(1_763_600_000_000),
    };
    let object = format!("{}.{}.", base64url(r#"{"alg":"none"}"#), base64url(claims));
    if let Ok(params) = open(&object, &expected) {
        assert!(params.one("request").is_none() && params.one("request_uri").is_none());
        assert!(params.one("client_id").is_none_or(|named| named == "app"));
    }
});
