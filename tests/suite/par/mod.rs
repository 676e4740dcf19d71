//! `/par` and what becomes of a `request_uri`. RFC 9126, FAPI 2.0 §5.3.2.2.

mod limits;
mod opening;
mod pushing;
mod required;

use idp_core::client::{ClientAuthMethod, ClientSettings};

use crate::world::{Ask, Page, Rp, World};

/// A client with credentials.
fn confidential(settings: &mut ClientSettings) {
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
}

impl Rp {
    /// `POST /par` in this client's own way.
    pub async fn push(&self, w: &World, ask: &Ask) -> Page {
        let mut fields = ask.fields();
        fields.retain(|(name, _)| *name != "client_id");
        self.post(w, "/par", &fields).await
    }

    /// A request that was pushed, as its client sends the browser on.
    pub async fn pushed(&self, w: &World, ask: &Ask) -> String {
        let page = self.push(w, ask).await;
        assert_eq!(page.status, 201, "{}", page.body);
        self.with_uri(page.value()["request_uri"].as_str().unwrap())
    }

    /// `/authorize` with a `request_uri`.
    pub fn with_uri(&self, request_uri: &str) -> String {
        format!("/authorize?{}", crate::world::encode(&[("client_id", self.id()), ("request_uri", request_uri)]))
    }
}
