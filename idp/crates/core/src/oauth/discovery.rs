//! What the provider says about itself, computed from the tables and settings, so that it cannot lie.
//! OIDC Discovery §3, RFC 8414 §2, RFC 7591 §3, RFC 8628 §4, RFC 9207 §3, RP-Initiated Logout §2.1, Back-Channel Logout §2.1,
//! Front-Channel Logout §3.

use serde_json::{Value, json};

use crate::client::{GrantType, SigningAlg};
use crate::oauth::authorize::ResponseMode;
use crate::oauth::client_auth::METHODS;
use crate::oauth::registration::policy::Registration;
use crate::oidc::claims;
use crate::realm::Realm;

/// The metadata document of a realm.
pub fn metadata(realm: &Realm) -> Value {
    let issuer = &realm.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    let methods: Vec<&str> = METHODS.iter().map(|(_, name, _)| *name).collect();
    let confidential: Vec<&str> = methods.iter().copied().filter(|name| *name != "none").collect();
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "pushed_authorization_request_endpoint": at("/par"),
        "require_pushed_authorization_requests": realm.settings.require_par,
        "userinfo_endpoint": at("/userinfo"),
        "device_authorization_endpoint": at("/device_authorization"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "introspection_endpoint": at("/introspect"),
        "revocation_endpoint": at("/revoke"),
        "end_session_endpoint": at("/logout"),
        "scopes_supported": realm.settings.all_scopes().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.iter().map(|mode| mode.text()).collect::<Vec<_>>(),
        "grant_types_supported": GrantType::ALL.iter().map(|g| g.text()).collect::<Vec<_>>(),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": names(SigningAlg::ALL),
        "userinfo_signing_alg_values_supported": names(SigningAlg::ALL),
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": names(SigningAlg::ALL),
        "introspection_endpoint_auth_methods_supported": confidential,
        "introspection_endpoint_auth_signing_alg_values_supported": names(SigningAlg::ALL),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": names(SigningAlg::ALL),
        "dpop_signing_alg_values_supported": names(SigningAlg::FAPI),
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": crate::acr::supported_acr_values(&realm.settings, &realm.policy),
        "claims_supported": claims::supported(&realm.settings),
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        // Unsigned ones are taken of a client that registered them, which is no offer to anybody.
        "request_object_signing_alg_values_supported": names(SigningAlg::ALL),
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
        "ui_locales_supported": ["en"],
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "authorization_response_iss_parameter_supported": true,
    });
    if realm.settings.registration != Registration::Off
        && let Some(members) = metadata.as_object_mut()
    {
        members.insert("registration_endpoint".to_owned(), at("/register").into());
    }
    metadata
}

fn names(algs: &[SigningAlg]) -> Vec<&'static str> {
    algs.iter().map(|alg| alg.text()).collect()
}
