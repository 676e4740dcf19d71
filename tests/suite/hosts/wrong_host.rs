//! A ceremony at another host than it was begun for: the answer says which one is expected, and it is on record.

use idp_core::audit::AuditEvent;
use idp_softkey::{Faults, Options};

use crate::world::World;
use crate::world::acts::key;
use crate::world::hosts::OLD;

#[tokio::test]
async fn says_which_host_is_expected_and_puts_it_on_record() {
    let w = World::sqlite().await;
    let mut ada = w.person("ada").await;
    let mut browser = w.browser();
    let begun = browser.begin_sign_in().await;
    let credential = ada.keys[0].get(&begun, "https://login.evil.example");
    let body = serde_json::json!({ "ceremony": begun["ceremony"], "credential": credential });
    let wrong = browser.json("/webauthn/authenticate", &body).await;
    assert_eq!((wrong.status, wrong.code().as_deref()), (400, Some("origin_mismatch")));
    let said = wrong.value()["detail"].as_str().unwrap().to_owned();
    assert!(said.contains(&w.issuer) && !said.contains("evil"), "{said}");
    let rows = w.audit_rows(&ada, AuditEvent::CeremonyRefused).await;
    let detail = rows[0].detail.to_string();
    assert!(detail.contains("https://login.evil.example") && detail.contains(&w.issuer), "{detail}");

    // Another RP ID, and at registration.
    let faults = Faults { rp_id: Some(OLD.to_owned()), ..Faults::default() };
    let wrong = w.browser().try_passkey(&mut ada.keys[0], &faults).await;
    assert_eq!(wrong.code().as_deref(), Some("rp_id_mismatch"));
    assert!(wrong.value()["detail"].as_str().unwrap().contains(&w.issuer));
    let pass = w.access_pass(&ada).await;
    let wrong = w.browser().enrol(&pass, &mut key(Options::platform()), &faults).await;
    assert!(wrong.value()["detail"].as_str().unwrap().contains(&w.issuer), "{}", wrong.body);
    assert_eq!(w.audit_rows(&ada, AuditEvent::CeremonyRefused).await.len(), 3);
}

#[tokio::test]
async fn strangers_write_ten_rows_a_minute_at_most() {
    let w = World::sqlite().await;
    let mut ada = w.person("ada").await;
    let faults = Faults { rp_id: Some(OLD.to_owned()), break_signature: true, ..Faults::default() };
    for _ in 0..14 {
        assert_eq!(w.browser().try_passkey(&mut ada.keys[0], &faults).await.status, 400);
    }
    assert_eq!(w.audit_rows(&ada, AuditEvent::CeremonyRefused).await.len(), 10);
    w.clock.advance(61);
    w.browser().try_passkey(&mut ada.keys[0], &faults).await;
    assert_eq!(w.audit_rows(&ada, AuditEvent::CeremonyRefused).await.len(), 11);
}
