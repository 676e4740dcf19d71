//! `/account/recovery-codes`: ten, shown once, made again. NIST SP 800-63B-4 §4.2.1.1.

use idp_core::audit::AuditEvent;
use idp_core::credential::recovery::Recovery;
use idp_softkey::Options;

use super::{by_passkey, by_password, form};
use crate::world::acts::{PASSWORD, refused};
use crate::world::{Browser, Page, World};

/// The codes that a page shows.
pub fn codes_of(page: &Page) -> Vec<String> {
    let found = page.body.split("<li><code>").skip(1).filter_map(|rest| rest.split('<').next());
    found.map(str::to_owned).collect()
}

/// Makes new codes by the page.
pub async fn make(browser: &mut Browser) -> Vec<String> {
    let page = form(browser, "/account/recovery-codes", "/account/recovery-codes", &[]).await;
    let codes = codes_of(&page);
    assert_eq!(codes.len(), 10, "{}", page.body);
    codes
}

#[tokio::test]
async fn ten_codes_are_shown_once_and_kept_as_hashes() {
    let w = World::sqlite().await;
    let mut ann = w.person("ann").await;
    let mut browser = by_passkey(&w, &mut ann).await;
    let first = make(&mut browser).await;
    let mut different = first.clone();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), 10);
    let page = browser.get("/account/recovery-codes").await;
    assert!(page.body.contains("10 are left") && codes_of(&page).is_empty(), "{}", page.body);
    assert!(browser.get("/account/security").await.body.contains("10 are left"));
    let second = make(&mut browser).await;
    assert!(first.iter().all(|code| !second.contains(code)), "new ones");
    assert_eq!(w.app.store.count_recovery_codes(w.realm, &ann.id).await.unwrap(), 10);
    let db = std::fs::read(w.folder().join("idp.db")).unwrap();
    let wal = std::fs::read(w.folder().join("idp.db-wal")).unwrap_or_default();
    for code in &second {
        for bytes in [&db, &wal] {
            assert!(!bytes.windows(code.len()).any(|part| part == code.as_bytes()), "kept as it is");
        }
    }
    let rows = w.audit_rows(&ann, AuditEvent::RecoveryCodesSet).await;
    assert_eq!(rows.len(), 2);
    assert!(!rows.iter().any(|row| second.iter().any(|code| row.detail.to_string().contains(code))));
}

#[tokio::test]
async fn they_are_made_after_a_strong_sign_in_and_where_the_realm_takes_them() {
    let w = World::sqlite().await;
    w.policy(|p| p.mode = idp_core::passkey::policy::Mode::Optional).await;
    let mut ann = w.person_with_both("ann", Options::platform()).await;
    let mut weak = by_password(&w, &ann).await;
    assert_eq!(weak.get("/account/recovery-codes").await.location(), Some("/login?again=1"), "account.fresh");
    let csrf = weak.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
    let page = weak.post("/account/recovery-codes", &[("csrf", &csrf)]).await;
    assert_eq!(page.next().as_deref(), Some("/login?again=1"), "account.fresh: a password is weaker than the passkey");
    for recovery in [Recovery::Off, Recovery::EmailCode] {
        w.set_settings(|s| s.recovery = recovery).await;
        let mut browser = by_passkey(&w, &mut ann).await;
        let csrf = browser.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        let page = browser.post("/account/recovery-codes", &[("csrf", &csrf)]).await;
        assert_eq!(page.verdict(), refused(403, "recovery_codes_off"), "{recovery:?}");
        assert!(!browser.get("/account/security").await.body.contains("/account/recovery-codes"));
    }
    let carl = w.person_with_password("carl", PASSWORD).await;
    w.set_settings(|s| s.recovery = Recovery::RecoveryCode).await;
    let mut browser = by_password(&w, &carl).await;
    make(&mut browser).await;
}
