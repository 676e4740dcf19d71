//! A query string: addressed or refused, valid or refused; what is valid survives its seal's encoding.
#![no_main]

use std::sync::LazyLock;

use idp_core::client::{Client, ClientSettings, ClientState};
use idp_core::id::{ClientId, FlowId, RealmId};
use idp_core::oauth::authorize::{Input, address, validate};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::policy::Policy;
use idp_core::realm::{Realm, RealmSettings};
use idp_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: Timestamp = Timestamp::from_ms(1_763_600_000_000);

static CLIENT: LazyLock<Client> = LazyLock::new(|| Client {
    id: ClientId::parse("app").unwrap(),
    state: ClientState::Active,
    secret_hash: None,
    registration_hash: None,
    settings: ClientSettings {
        redirect_uris: vec!["https://app.example/cb".to_owned(), "http://127.0.0.1/cb".to_owned()],
        resources: vec!["https://api.example".to_owned()],
        ..ClientSettings::default()
    },
    created: NOW,
    updated: NOW,
});

static REALM: LazyLock<Realm> = LazyLock::new(|| Realm {
    id: RealmId(1),
    name: "default".to_owned(),
    issuer: "https://id.example".to_owned(),
    display_name: "Realm".to_owned(),
    relying_parties: Vec::new(),
    settings: RealmSettings::default(),
    policy: Policy::default(),
});

fuzz_target!(|bytes: &[u8]| {
    // The parts that every request needs are given, so that the rules behind them are reached.
    for prefix in [&b""[..], b"client_id=app&redirect_uri=https://app.example/cb&response_type=code&scope=openid&"] {
        let params = RawParams::parse(&[prefix, bytes].concat());
        let Ok(to) = address(&params, Some(&CLIENT)) else { continue };
        assert!(to.redirect_uri() == "https://app.example/cb" || to.redirect_uri().starts_with("http://127.0.0.1"));
        let input = Input { params: &params, client: &CLIENT, realm: &REALM, pushed: false, by_object: false, hint: None };
        if let Ok(request) = validate(&input, to, FlowId::new(NOW, [7; 10]), NOW) {
            let text = serde_json::to_string(&request).unwrap();
            assert_eq!(serde_json::from_str::<idp_core::oauth::authorize::AuthorizationRequest>(&text).unwrap(), request);
        }
    }
});
