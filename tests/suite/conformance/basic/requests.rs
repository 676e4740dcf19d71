//! Parameters that a provider may make nothing of but must not stumble over.
//! OIDC Core §3.1.2.1, §5.2 and §15.1, RFC 6749 §3.1.

use super::modules;
use crate::conformance::op::Op;

/// The flow with one more parameter.
async fn succeeds_with(op: &mut Op, name: &str, value: &str) {
    let ask = op.request().with(name, value);
    op.flow(&ask).await;
}

modules! {
    /// `display=page`.
    async fn oidcc_display_page(op) {
        succeeds_with(&mut op, "display", "page").await;
    }

    /// `display=popup`.
    async fn oidcc_display_popup(op) {
        succeeds_with(&mut op, "display", "popup").await;
    }

    /// `ui_locales=se`: a language that we do not have.
    async fn oidcc_ui_locales(op) {
        succeeds_with(&mut op, "ui_locales", "se").await;
    }

    /// `claims_locales=se`.
    async fn oidcc_claims_locales(op) {
        succeeds_with(&mut op, "claims_locales", "se").await;
    }

    /// `login_hint` naming nobody here; somebody else signs in.
    async fn oidcc_login_hint(op) {
        succeeds_with(&mut op, "login_hint", "buffy@localhost").await;
    }

    /// `extra=foobar`.
    async fn oidcc_ensure_request_with_unknown_parameter_succeeds(op) {
        succeeds_with(&mut op, "extra", "foobar").await;
    }

    /// `acr_values` with every value of the metadata: voluntary, and the ID token says one of them.
    async fn oidcc_ensure_request_with_acr_values_succeeds(op) {
        let values = op.metadata["acr_values_supported"].as_array().expect("listed").clone();
        let values: Vec<&str> = values.iter().map(|v| v.as_str().unwrap()).collect();
        let ask = op.request().with("acr_values", &values.join(" "));
        let tokens = op.flow(&ask).await;
        assert!(values.contains(&tokens.claims["acr"].as_str().expect("acr")), "{}", tokens.claims);
    }
}
