//! A ceremony that ran at another host than it was begun for: the page says which one is expected, the audit trail what
//! was found. WebAuthn L3 §7.1 steps 9 and 14, §7.2 steps 12 and 15.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::id::AccountId;
use idp_core::passkey::{Reason, Refused};
use idp_store::audit::RecordAudit;
use serde_json::json;

use crate::http::exchange::Exchange;
use crate::http::login::throttle::network;
use crate::http::problem::Problem;

/// Rows a minute and address at most: whoever is refused here need not be somebody.
const MOST: u32 = 10;

/// The problem of a refused ceremony of an account's passkey.
pub async fn told(x: &Exchange, refused: Refused, account: AccountId) -> Problem {
    if !matches!(refused.reason, Reason::Origin | Reason::RpId) {
        return refused.into();
    }
    let home = x.rp.hosts.iter().find(|host| x.realm.is_home(host)).or_else(|| x.rp.hosts.first());
    let expected = format!("{}://{}", x.realm.home().0, home.map_or(x.host.as_str(), String::as_str));
    let detail = json!({
        "rule": refused.rule().map(|rule| rule.id),
        "found": refused.detail,
        "expected": { "rp_id": x.rp.rp_id, "origins": x.rp.origins },
    });
    if let Err(problem) = record(x, account, detail).await {
        return problem;
    }
    let mut problem = Problem::from(refused);
    if let Problem::Request { detail, .. } = &mut problem {
        *detail = format!("this passkey was used at another address than is expected: open {expected} and try again");
    }
    problem
}

async fn record(x: &Exchange, account: AccountId, detail: serde_json::Value) -> Result<(), Problem> {
    let key = x.app.sealer().mac(x.realm.id, "rate.wrong_host", &[&network(x.address)]);
    if x.app.rates.admit(key, MOST, x.now).is_err() {
        return Ok(());
    }
    let mut audit = x.audit(AuditEvent::CeremonyRefused, Actor::Anonymous, detail);
    audit.account_id = Some(account);
    x.app.store.write(RecordAudit { realm: x.realm.id, audit }).await?;
    Ok(())
}
