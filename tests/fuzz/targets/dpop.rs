//! A DPoP header: nothing that comes by chance is a proof.
#![no_main]

use idp_core::client::SigningAlg;
use idp_core::oauth::dpop::{Expected, check};
use idp_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|proof: &str| {
    let expected = Expected {
        algs: SigningAlg::FAPI,
        method: "POST",
        uri: "https://id.example/token",
        nonces: &["nonce".to_owned()],
        nonce_demanded: false,
        access_token: None,
        now: Timestamp::from_ms(1_763_600_000_000),
    };
    assert!(check(proof, &expected).is_err());
});
