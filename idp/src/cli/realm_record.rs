//! A realm as commands print and save it.

use idp_core::audit::AuditEvent;
use idp_core::realm::Realm;
use idp_store::realms::{RealmUpdated, Taken, UpdateRealm};
use serde_json::{Value, json};

use super::Failure;
use super::operator::Operator;

/// All of it, for machines.
pub fn value(realm: &Realm) -> Value {
    json!({
        "name": realm.name,
        "issuer": realm.issuer,
        "display_name": realm.display_name,
        "relying_parties": realm.relying_parties,
        "settings": realm.settings,
    })
}

/// Saves a changed realm.
///
/// # Errors
/// When another realm has what is to be unique.
pub async fn save(at: &Operator, realm: Realm, detail: Value) -> Result<(), Failure> {
    let audit = at.audit(AuditEvent::RealmChanged, detail);
    match at.app.store.write(UpdateRealm { realm, audit }).await? {
        RealmUpdated::Updated => Ok(()),
        RealmUpdated::Taken(Taken::Name) => Err("another realm has this name".into()),
        RealmUpdated::Taken(Taken::Issuer) => Err("another realm has this issuer".into()),
        RealmUpdated::Taken(Taken::Host) => Err("another realm answers one of these hosts".into()),
        RealmUpdated::NamesClash(clashes) => {
            let said = clashes.iter().map(|clash| {
                let [one, other] = &clash.usernames;
                format!("{one} and {other} would both be {:?}", clash.name)
            });
            let said = said.collect::<Vec<_>>().join("\n     ");
            Err(format!(
                "passkey_username_pattern: every user needs a name of their own in authenticators:\n     {said}"
            )
            .into())
        }
        RealmUpdated::Gone => Err("the realm was deleted meanwhile".into()),
    }
}
