//! Metadata and keys. OIDC Discovery §3 and §4, RFC 8414 §3, RFC 7517 §5.

use std::collections::BTreeSet;

use openidconnect::core::CoreProviderMetadata;
use serde_json::json;

use crate::world::World;

const GRANT_TYPES: [&str; 4] =
    ["authorization_code", "refresh_token", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code"];

#[tokio::test]
async fn names_the_issuer_byte_for_byte_and_every_endpoint() {
    let w = World::sqlite().await;
    for path in ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"] {
        let page = w.browser().get(path).await;
        assert_eq!((page.status, page.header("content-type")), (200, Some("application/json")));
        let metadata = page.value();
        assert_eq!(metadata["issuer"], w.issuer.as_str());
        for (name, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("userinfo_endpoint", "/userinfo"),
            ("device_authorization_endpoint", "/device_authorization"),
            ("jwks_uri", "/.well-known/jwks.json"),
            ("end_session_endpoint", "/logout"),
        ] {
            assert_eq!(metadata[name], format!("{}{path}", w.issuer), "{name}");
        }
        for (name, value) in [
            ("response_types_supported", json!(["code"])),
            ("grant_types_supported", json!(GRANT_TYPES)),
            ("code_challenge_methods_supported", json!(["S256"])),
            ("id_token_signing_alg_values_supported", json!(["RS256", "ES256", "EdDSA", "PS256"])),
            (
                "token_endpoint_auth_methods_supported",
                json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]),
            ),
            ("request_parameter_supported", json!(true)),
            ("request_uri_parameter_supported", json!(false)),
            ("authorization_response_iss_parameter_supported", json!(true)),
        ] {
            assert_eq!(metadata[name], value, "{name}");
        }
        let acr = metadata["acr_values_supported"].as_array().unwrap();
        assert!(acr.contains(&json!("phr")) && !acr.contains(&json!("phrh")), "only what a sign-in can reach: {acr:?}");
    }
}

#[tokio::test]
async fn names_every_scope_and_claim_that_can_be_had() {
    let w = World::sqlite().await;
    let metadata = w.browser().get("/.well-known/openid-configuration").await.value();
    let list = |name: &str| -> BTreeSet<String> { serde_json::from_value(metadata[name].clone()).unwrap() };
    let scopes = ["openid", "profile", "email", "address", "phone", "offline_access"];
    assert!(list("scopes_supported").is_superset(&scopes.map(str::to_owned).into()));
    // OIDC Core §5.1, all of them.
    let claims = [
        "sub",
        "name",
        "given_name",
        "family_name",
        "middle_name",
        "nickname",
        "preferred_username",
        "profile",
        "picture",
        "website",
        "email",
        "email_verified",
        "gender",
        "birthdate",
        "zoneinfo",
        "locale",
        "phone_number",
        "phone_number_verified",
        "address",
        "updated_at",
    ];
    assert!(list("claims_supported").is_superset(&claims.map(str::to_owned).into()));
}

#[tokio::test]
async fn is_understood_by_a_library_nobody_here_wrote() {
    let w = World::sqlite().await;
    let body = w.browser().get("/.well-known/openid-configuration").await.body;
    let metadata: CoreProviderMetadata = serde_json::from_str(&body).unwrap();
    assert_eq!(metadata.issuer().as_str(), w.issuer);
}

#[tokio::test]
async fn publishes_a_key_for_each_algorithm_and_no_private_part() {
    let w = World::sqlite().await;
    let jwks = w.browser().get("/.well-known/jwks.json").await.value();
    let keys = jwks["keys"].as_array().unwrap();
    let algs: BTreeSet<_> = keys.iter().map(|k| k["alg"].as_str().unwrap()).collect();
    assert_eq!(algs, BTreeSet::from(["ES256", "EdDSA", "PS256", "RS256"]));
    let kids: BTreeSet<_> = keys.iter().map(|k| k["kid"].as_str().unwrap()).collect();
    assert_eq!(kids.len(), keys.len(), "every key has a kid of its own");
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(key.get(private).is_none(), "{private} in {key}");
        }
    }
}

#[tokio::test]
async fn keeps_a_retired_key_published_beside_the_new_one() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let before = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    w.rotate_key(idp_core::client::SigningAlg::RS256).await;
    w.verify(&rp, &before.id_token).await;
    let after = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    let kid = |token: &str| jsonwebtoken::decode_header(token).unwrap().kid;
    assert_ne!(kid(&before.id_token), kid(&after.id_token), "the new key signs at once");
}
