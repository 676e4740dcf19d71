//! `/register`: clients register and manage themselves. RFC 7591, RFC 7592, OIDC Registration.

mod documents;
mod limits;
mod manage;
mod register;
mod sector;

use idp_core::audit::AuditEvent;
use idp_core::client::Client;
use idp_core::encoding::base64url;
use idp_core::id::ClientId;
use idp_core::pass::{Pass, PassKind};
use idp_core::realm::Registration;
use idp_core::secret::sha256;
use idp_store::passes::IssuePass;
use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::rules::rule;
use crate::world::{Db, Page, Rp, World};

/// A realm in which clients register like this.
async fn world(db: Db, registration: Registration) -> World {
    let w = World::start(db).await;
    w.set_settings(|s| s.registration = registration).await;
    w
}

/// A document with one redirect URI, and these members.
fn about(more: Value) -> Value {
    let mut document = json!({ "redirect_uris": ["https://app.example/cb"] });
    document.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_else(Map::new));
    document
}

impl World {
    /// An initial access token.
    async fn invite(&self, kind: PassKind, lifetime_s: i64) -> String {
        let token = base64url(self.app.random::<32>());
        let now = self.app.now();
        let hash = sha256(token.as_bytes());
        let pass = Pass {
            hash,
            kind,
            account_id: None,
            created: now,
            expires: now.plus_s(lifetime_s),
            used: None,
            browser: None,
        };
        let op = IssuePass { realm: self.realm, pass, audit: self.audit(AuditEvent::PassIssued) };
        assert!(self.app.store.write(op).await.unwrap());
        token
    }

    /// A JSON call of a client.
    async fn call(&self, method: Method, path: &str, token: Option<&str>, body: &str) -> Page {
        let mut browser = self.browser();
        let mut request = browser.request(method, path).header("content-type", "application/json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        browser.send(request.body(body.to_owned())).await
    }

    async fn register(&self, token: Option<&str>, document: &Value) -> Page {
        self.call(Method::POST, "/register", token, &document.to_string()).await
    }

    /// Registers what must be fine.
    async fn registered(&self, document: &Value) -> Value {
        let page = self.register(None, document).await;
        assert_eq!(page.status, 201, "{}", page.body);
        page.value()
    }

    /// The client of an answer, as the store has it.
    async fn client_of(&self, answer: &Value) -> Option<Client> {
        let id = ClientId::parse(answer["client_id"].as_str().unwrap()).unwrap();
        self.app.store.find_client(self.realm, &id).await.unwrap()
    }

    /// A relying party with what it was told.
    async fn rp_of(&self, answer: &Value) -> Rp {
        let client = self.client_of(answer).await.unwrap();
        Rp { client, secret: answer["client_secret"].as_str().map(str::to_owned), key: None, dpop: None }
    }
}

/// Calls the address of a registration with its token.
async fn at(w: &World, method: Method, registered: &Value, body: &str) -> Page {
    let address = registered["registration_client_uri"].as_str().unwrap();
    w.call(method, address, registered["registration_access_token"].as_str(), body).await
}

/// A refusal of a document that names the field.
fn refused(page: &Page, id: &'static str, error: &str, field: &str) {
    let text = format!("{}: {}", rule(id), page.body);
    assert_eq!((page.status, page.error().as_str()), (400, error), "{text}");
    assert!(page.value()["error_description"].as_str().unwrap().starts_with(&format!("{field}: ")), "{text}");
}

/// A refusal of a token.
fn unauthorized(page: &Page, id: &'static str) {
    assert_eq!((page.status, page.error().as_str()), (401, "invalid_token"), "{}: {}", rule(id), page.body);
    assert!(page.header("www-authenticate").unwrap().starts_with("Bearer error="), "{}", page.body);
}
