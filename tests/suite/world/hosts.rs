//! A realm at several hosts, and a browser that visits them: cookies stay with their host, as `__Host-` ones do.

use idp_core::audit::AuditEvent;
use idp_core::realm::RelyingParty;
use idp_store::realms::{RealmUpdated, UpdateRealm};
use serde_json::{Value, json};

use super::{Browser, Page, Person, World};

/// The RP ID that a realm had before, and the one it has.
pub const OLD: &str = "old.localhost";
pub const NEW: &str = "new.localhost";
/// Names that lead to the product.
pub const NAMES: &[&str] = &["localhost", OLD, NEW, "id.new.localhost", "other.localhost"];

impl World {
    /// A relying party at the host of its RP ID.
    pub fn party(&self, rp_id: &str) -> RelyingParty {
        RelyingParty::new(rp_id, "http", vec![self.host(rp_id)])
    }

    /// A name with the port of the product.
    pub fn host(&self, name: &str) -> String {
        format!("{name}:{}", self.issuer.rsplit(':').next().unwrap())
    }

    /// Serves the realm at these relying parties; the first host is the issuer's.
    pub async fn serve_at(&mut self, parties: Vec<RelyingParty>) {
        self.issuer = format!("http://{}", parties[0].hosts[0]);
        let mut realm = self.realm().await;
        (realm.issuer, realm.relying_parties) = (self.issuer.clone(), parties);
        let op = UpdateRealm { realm, audit: self.audit(AuditEvent::RealmChanged) };
        assert_eq!(self.app.store.write(op).await.unwrap(), RealmUpdated::Updated);
    }

    /// Somebody with a passkey of the old RP ID, in a realm that serves both since.
    pub async fn moved(&mut self) -> Person {
        self.serve_at(vec![self.party(OLD)]).await;
        let person = self.person("ada").await;
        self.serve_at(vec![self.party(NEW), self.party(OLD)]).await;
        person
    }

    /// A browser at a host.
    pub fn browser_at(&self, name: &str) -> Browser {
        Browser::new(self.http.clone(), &format!("http://{}", self.host(name)))
    }
}

impl Browser {
    /// Follows the link to where passkeys of `rp_id` work, with the cookies that this browser has there, and uses one.
    pub async fn use_passkey_elsewhere(&mut self, there: &mut Browser, person: &mut Person, page: &Page) -> Value {
        let away = there.get(&page.elsewhere(OLD)).await;
        assert!(away.status == 200 && away.has("passkey-login"), "{} {}", away.status, away.body);
        let begun = there.begin_away(&away).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let body = there.assertion(&mut person.keys[0], &begun.value(), away.sealed().as_deref());
        let answer = there.json("/webauthn/authenticate", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.value()
    }

    /// Begins the ceremony of an away page.
    pub async fn begin_away(&mut self, away: &Page) -> Page {
        let body = json!({ "request": away.sealed(), "errand": away.field("errand") });
        self.json("/webauthn/authenticate/options", &body).await
    }
}

impl Page {
    /// The address behind the link to passkeys of an RP ID.
    pub fn elsewhere(&self, rp_id: &str) -> String {
        self.link_to(&format!("data-elsewhere=\"{rp_id}\"")).expect("a link to the other RP ID")
    }
}
