//! `request` and `request_uri` with `alg: none`: refused by name, never ignored.
//! OIDC Core §6, RFC 9101 §5 and §6.3.

use idp_core::encoding::base64url;
use serde_json::{Map, Value};

use super::modules;
use crate::conformance::op::{Landing, Op};
use crate::world::Ask;

/// The parameters as a request object without a signature.
fn unsigned(op: &Op, ask: &Ask) -> String {
    let mut claims: Map<String, Value> =
        ask.params.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    claims.insert("iss".to_owned(), op.client.id().into());
    claims.insert("aud".to_owned(), op.w.issuer.as_str().into());
    format!("{}.{}.", base64url(r#"{"alg":"none"}"#), base64url(Value::from(claims).to_string()))
}

/// What stays outside of a request object: what OAuth needs, and what finds the way back.
fn outside(ask: &Ask) -> Ask {
    let mut ask = ask.clone();
    ask.params.retain(|(name, _)| ["client_id", "response_type", "scope", "redirect_uri"].contains(&name.as_str()));
    ask
}

modules! {
    /// The whole request by reference: refused with `request_uri_not_supported` (the module is skipped), and the
    /// metadata says so.
    async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(op) {
        assert_eq!(op.metadata["request_uri_parameter_supported"], false, "its default is true");
        let ask = outside(&op.request()).with("request_uri", "https://suite.example/requests/Ab1#sum");
        let refused = op.visit(&ask).await;
        refused_as(refused, &["request_uri_not_supported", "invalid_request_uri"]);
    }

    /// The whole request by value: refused with `request_not_supported` or, where signed ones are taken, `none` is
    /// not listed (both skip the module), and the object is refused.
    async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(op) {
        let ask = op.request();
        let ask = outside(&ask).with("request", &unsigned(&op, &ask));
        assert!(!op.lists("request_object_signing_alg_values_supported", "none"));
        let codes: &[&str] = match op.metadata["request_parameter_supported"].as_bool() {
            Some(true) => &["invalid_request_object", "request_not_supported"],
            _ => &["request_not_supported"],
        };
        let refused = op.visit(&ask).await;
        refused_as(refused, codes);
    }

    /// A good redirect URI inside, a bad one outside: nobody is sent to either (an error page, or the module is
    /// skipped as `none` is not listed).
    async fn oidcc_ensure_request_object_with_redirect_uri(op) {
        let ask = op.request();
        let object = unsigned(&op, &ask);
        let bad = format!("{}/invalid", op.client.redirect_uri());
        let ask = ask.with("redirect_uri", &bad).with("request", &object);
        assert!(!op.lists("request_object_signing_alg_values_supported", "none"));
        op.visit(&ask).await.error_page();
    }
}

/// An error of one of these codes at the redirect URI, or a page of ours that names it.
fn refused_as(landing: Landing, codes: &[&str]) {
    match landing {
        Landing::Callback(answer) => {
            assert!(answer.one("error").is_some_and(|error| codes.contains(&error)), "{codes:?}: {answer:?}");
            assert_eq!(answer.one("code"), None);
        }
        page => drop(page.error_page()),
    }
}
