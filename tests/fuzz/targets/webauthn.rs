//! What authenticators and browsers send: authenticator data, client data, COSE keys.
#![no_main]

use idp_core::passkey::authenticator_data::AuthenticatorData;
use idp_core::passkey::client_data::ClientData;
use idp_core::passkey::cose::PublicKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = AuthenticatorData::parse(bytes);
    let _ = ClientData::parse(bytes);
    if let Ok(key) = PublicKey::parse(bytes) {
        assert!(!key.verifies(bytes, bytes), "signed by chance");
    }
});
