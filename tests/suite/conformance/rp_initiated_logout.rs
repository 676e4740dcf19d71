//! Plan RP-initiated logout. `oidcc-rp-initiated-logout-certification-test-plan`; RP-Initiated Logout 1.0 §2 and §3.

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode as sign};
use serde_json::{Value, json};

use super::checks;
use super::config::endpoints_are_of_the_issuer;
use super::op::{Callback, Landing, Mode, Op, Press};
use crate::world::{Page, Tokens, encode};

/// The suite's states are letters, digits and punctuation of RFC 6749 §A.5.
const STATE: &str = r##"kTbQzEwX0918273645!"#$%&'()*,-./:<=>?@[\]^_`{|}~"##;

/// Errors that say that a page would have been needed: nobody is signed in.
const SIGNED_OUT: &[&str] =
    &["interaction_required", "login_required", "account_selection_required", "consent_required"];

/// Somebody who just signed in at the suite's client.
pub struct SignedIn {
    pub op: Op,
    pub tokens: Tokens,
}

impl SignedIn {
    pub async fn start() -> Self {
        Self::at(Op::start(Mode::Query).await).await
    }

    pub async fn at(mut op: Op) -> Self {
        let tokens = op.flow(&op.request()).await;
        Self { op, tokens }
    }

    pub fn bye(&self) -> String {
        self.op.client.client.settings.post_logout_redirect_uris[0].clone()
    }

    /// The request to the end-session endpoint, with what the module leaves out or changes.
    pub async fn visit(&mut self, fields: &[(&str, &str)]) -> Landing {
        let address = format!("{}?{}", self.op.metadata_text("end_session_endpoint"), encode(fields));
        let address = address.trim_end_matches('?').to_owned();
        let page = self.op.browser.get(&address).await;
        self.op.drive(page, Press::Agree).await
    }

    /// The browser came back to the registered address.
    pub fn came_back(&self, landing: Landing, state: Option<&str>) -> Callback {
        let callback = landing.callback();
        assert_eq!(callback.uri, self.bye());
        assert_eq!(callback.one("state"), state, "RP-Initiated Logout §3");
        assert!(callback.params.keys().all(|name| name == "state"), "{callback:?}");
        callback
    }

    /// `prompt=none` finds nobody.
    pub async fn expect_signed_out(mut self) {
        let ask = self.op.request().with("prompt", "none");
        let answer = self.op.answer(&ask).await;
        checks::failure(&self.op.w.issuer, &ask, &answer, SIGNED_OUT);
    }

    /// `prompt=none` still finds the session.
    pub async fn expect_signed_in(mut self) {
        let ask = self.op.request().with("prompt", "none");
        self.op.code(&ask).await;
    }
}

/// A page of ours that says that the person is signed out.
fn signed_out_page(landing: Landing) -> Page {
    match landing {
        Landing::Shown(page) => {
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(!page.has("error-page"));
            page
        }
        Landing::Callback(callback) => panic!("the address was not in the request: {callback:?}"),
    }
}

/// `end_session_endpoint` is published.
#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let op = Op::start(Mode::Query).await;
    op.metadata_text("end_session_endpoint");
    endpoints_are_of_the_issuer(&op);
}

/// Hint, address and state: back at the address with the state, and nobody is signed in any more.
#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let mut at = SignedIn::start().await;
    let (hint, bye) = (at.tokens.id_token.clone(), at.bye());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", STATE)];
    let landing = at.visit(&fields).await;
    at.came_back(landing, Some(STATE));
    at.expect_signed_out().await;
}

/// Without state: back without one.
#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let mut at = SignedIn::start().await;
    let (hint, bye) = (at.tokens.id_token.clone(), at.bye());
    let landing = at.visit(&[("id_token_hint", &hint), ("post_logout_redirect_uri", &bye)]).await;
    at.came_back(landing, None);
    at.expect_signed_out().await;
}

/// An address that is not registered: an error page.
#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let mut at = SignedIn::start().await;
    let (hint, bad) = (at.tokens.id_token.clone(), format!("{}/Kx82h", at.bye()));
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bad), ("state", STATE)];
    at.visit(&fields).await.error_page();
    at.expect_signed_in().await;
}

/// The registered address with a query added: an error page.
#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let mut at = SignedIn::start().await;
    let (hint, bad) = (at.tokens.id_token.clone(), format!("{}?foo=bar", at.bye()));
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bad), ("state", STATE)];
    at.visit(&fields).await.error_page();
    at.expect_signed_in().await;
}

/// The hint with `alg: none` and no signature: an error page.
#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let mut at = SignedIn::start().await;
    let claims = at.tokens.id_token.split('.').nth(1).unwrap().to_owned();
    let header = idp_core::encoding::base64url(r#"{"alg":"none"}"#);
    let (hint, bye) = (format!("{header}.{claims}."), at.bye());
    let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", STATE)];
    at.visit(&fields).await.error_page();
    at.expect_signed_in().await;
}

/// A hint that the client signed itself, with its own secret, `iss` and `aud` swapped or not: an error page.
#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let mut at = SignedIn::start().await;
    let (now, bye) = (at.op.w.clock.now().secs(), at.bye());
    let (issuer, client) = (at.op.w.issuer.clone(), at.op.client.id().to_owned());
    let key = EncodingKey::from_secret(at.op.client.secret.as_deref().unwrap().as_bytes());
    for (iss, aud) in [(&client, &issuer), (&issuer, &client)] {
        let claims: Value = json!({ "iss": iss, "aud": aud, "sub": "SubjectID", "iat": now, "exp": now + 300 });
        let hint = sign(&Header::new(Algorithm::HS256), &claims, &key).unwrap();
        let fields = [("id_token_hint", hint.as_str()), ("post_logout_redirect_uri", &bye), ("state", STATE)];
        at.visit(&fields).await.error_page();
    }
    at.expect_signed_in().await;
}

/// An address and a state without a hint: not redirected to; a page.
#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let mut at = SignedIn::start().await;
    let bye = at.bye();
    let landing = at.visit(&[("post_logout_redirect_uri", &bye), ("state", STATE)]).await;
    landing.error_page();
    at.expect_signed_in().await;
}

/// Nothing at all: a page asks, the person agrees, a page says that it is done.
#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let mut at = SignedIn::start().await;
    signed_out_page(at.visit(&[]).await);
    at.expect_signed_out().await;
}

/// A hint and a state without an address: a page says that it is done.
#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let mut at = SignedIn::start().await;
    let hint = at.tokens.id_token.clone();
    signed_out_page(at.visit(&[("id_token_hint", &hint), ("state", STATE)]).await);
    at.expect_signed_out().await;
}

/// A state alone: as without parameters.
#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let mut at = SignedIn::start().await;
    signed_out_page(at.visit(&[("state", STATE)]).await);
    at.expect_signed_out().await;
}
