//! `/account/recovery-codes`: ten codes to keep, shown once. NIST SP 800-63B-4 §4.2.1.1.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::recovery_code::{COUNT, hash, text};
use idp_store::recovery_codes::ReplaceRecoveryCodes;
use serde_json::json;

use super::fresh;
use super::password::owner;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::problem::Problem;
use crate::views::{Page, RecoveryCodes};

/// `GET /account/recovery-codes`.
pub async fn get(mut x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    let left = x.app.store.count_recovery_codes(x.realm.id, &visitor.account.id).await?;
    let wait_h = x.realm.settings.recovery_wait_h;
    let page = RecoveryCodes { csrf: x.csrf(), left, codes: Vec::new(), wait_h };
    x.page_for(&Page::RecoveryCodes(page), Some(visitor.account.username))
}

/// `POST /account/recovery-codes`: makes new ones; the old ones are worth nothing any more.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    let Some((visitor, _)) = owner(&mut x, &form).await? else { return x.go("/login?again=1") };
    if !x.realm.settings.recovery.takes_codes() {
        return Err(Problem::api(403, "recovery_codes_off", "recovery codes are switched off here"));
    }
    let account = visitor.account.id;
    let codes: Vec<String> = (0..COUNT).map(|_| text(x.app.random())).collect();
    let op = ReplaceRecoveryCodes {
        realm: x.realm.id,
        account,
        hashes: codes.iter().map(|code| hash(code)).collect(),
        settled: fresh::settles(&x, &visitor),
        now: x.now,
        audit: x.audit(AuditEvent::RecoveryCodesSet, Actor::Account(account), json!({ "codes": COUNT })),
    };
    if !x.app.store.write(op).await? {
        return Err(Problem::api(403, "account_disabled", "this account is switched off: ask your administrator"));
    }
    let left = i64::try_from(codes.len()).unwrap_or(i64::MAX);
    let wait_h = x.realm.settings.recovery_wait_h;
    let page = RecoveryCodes { csrf: x.csrf(), left, codes, wait_h };
    x.page_for(&Page::RecoveryCodes(page), Some(visitor.account.username))
}
