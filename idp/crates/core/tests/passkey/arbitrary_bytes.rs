//! Whatever bytes come, a ceremony is judged: nothing panics.

use idp_core::encoding::base64url;
use idp_core::passkey::attestation::is_certificate;
use idp_core::passkey::authenticator_data::AuthenticatorData;
use idp_core::passkey::client_data::ClientData;
use idp_core::passkey::cose::PublicKey;
use idp_core::passkey::mds::blob::{self, Signer};
use idp_core::passkey::policy::Policy;
use idp_softkey::{Alg, Faults, Options, SoftKey};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn parsers_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = AuthenticatorData::parse(&bytes);
        let _ = ClientData::parse(&bytes);
        prop_assert!(!is_certificate(&bytes));
        prop_assert!(blob::read(&bytes, &Signer::fido(), NOW).is_err());
        if let Ok(key) = PublicKey::parse(&bytes) {
            prop_assert!(!key.verifies(&bytes, &bytes));
        }
    }

    #[test]
    fn any_bytes_in_any_member_of_a_response_are_refused(
        which in 0..3_usize,
        bytes in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut bench = Bench::new(Alg::Es256, Options::platform());
        let mut assertion = bench.key.get(&request_options(&bench.policy), ORIGIN);
        let member = ["clientDataJSON", "authenticatorData", "signature"][which];
        assertion["response"][member] = json!(base64url(&bytes));
        prop_assert!(verify_assertion(&assertion, &bench.passkey, &bench.policy).is_err());

        let mut registration = bench.key.create(&creation_options(&bench.policy), ORIGIN);
        let member = ["clientDataJSON", "attestationObject", "attestationObject"][which];
        registration["response"][member] = json!(base64url(&bytes));
        prop_assert!(verify_registration(&registration, &bench.policy).is_err());
    }

    #[test]
    fn any_bytes_after_the_fixed_part_of_authenticator_data_are_judged(
        flags in any::<u8>(),
        trailing in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let faults = Faults { flip_flags: flags, trailing, ..Faults::default() };
        let mut bench = Bench::new(Alg::Es256, Options::platform());
        let _ = bench.sign_in(&faults);
        let response = SoftKey::new(Alg::Es256, Options::platform())
            .create_with(&creation_options(&Policy::default()), ORIGIN, &faults);
        let _ = verify_registration(&response, &Policy::default());
    }

    #[test]
    fn any_json_is_judged(text in "[\\[\\]{}\":,a-z0-9 ]{0,80}") {
        if let Ok(value) = serde_json::from_str(&text) {
            prop_assert!(verify_registration(&value, &Policy::default()).is_err());
        }
    }
}

#[test]
fn deep_and_huge_cbor_is_refused_at_once() {
    let nested = [vec![0x81; 100_000], vec![0]].concat();
    // Announces 2⁶³ entries, or bytes, and ends.
    for bytes in
        [nested, vec![0xbb, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], vec![0x5b, 0x7f, 0, 0, 0, 0, 0, 0, 0]]
    {
        assert!(PublicKey::parse(&bytes).is_err());
        let mut response = SoftKey::new(Alg::Es256, Options::platform()).create(&creation_options(&lenient()), ORIGIN);
        response["response"]["attestationObject"] = json!(base64url(bytes.get(..60_000).unwrap_or(&bytes)));
        assert!(verify_registration(&response, &lenient()).is_err());
    }
}
