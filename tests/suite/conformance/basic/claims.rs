//! What each scope and the `claims` parameter bring, and that it comes from userinfo.
//! OIDC Core §5.4 and §5.5.

use serde_json::Value;

use super::modules;
use crate::conformance::checks;
use crate::conformance::op::Op;
use crate::world::Ask;

const PROFILE: &[&str] = &[
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
];
const EMAIL: &[&str] = &["email", "email_verified"];
const ADDRESS: &[&str] = &["address"];
const PHONE: &[&str] = &["phone_number", "phone_number_verified"];

/// The flow with `scope`: userinfo has exactly these claims and the subject.
async fn scope_opens(op: &mut Op, scope: &str, groups: &[&[&str]]) {
    for one in scope.split(' ') {
        assert!(op.lists("scopes_supported", one), "{one} is listed, else the module is skipped");
    }
    let ask = op.request().with("scope", scope);
    brings(op, &ask, groups).await;
}

async fn brings(op: &mut Op, ask: &Ask, groups: &[&[&str]]) -> Value {
    let tokens = op.flow(ask).await;
    let claims = checks::userinfo(&op.w, &tokens).await;
    let mut expected: Vec<&str> = groups.iter().flat_map(|group| group.iter().copied()).chain(["sub"]).collect();
    expected.sort_unstable();
    let told: Vec<&String> = claims.as_object().unwrap().keys().collect();
    assert_eq!(told, expected, "{claims}");
    claims
}

modules! {
    /// `openid profile`: fourteen claims at userinfo.
    async fn oidcc_scope_profile(op) {
        scope_opens(&mut op, "openid profile", &[PROFILE]).await;
    }

    /// `openid email`: two claims at userinfo, and no name in either place.
    async fn oidcc_scope_email(op) {
        scope_opens(&mut op, "openid email", &[EMAIL]).await;
    }

    /// `openid address`: a JSON object.
    async fn oidcc_scope_address(op) {
        scope_opens(&mut op, "openid address", &[ADDRESS]).await;
    }

    /// `openid phone`: two claims.
    async fn oidcc_scope_phone(op) {
        scope_opens(&mut op, "openid phone", &[PHONE]).await;
    }

    /// All scopes at once.
    async fn oidcc_scope_all(op) {
        scope_opens(&mut op, "openid email phone address profile", &[PROFILE, EMAIL, ADDRESS, PHONE]).await;
    }

    /// `email openid`: the order of scopes means nothing.
    async fn oidcc_ensure_other_scope_order_succeeds(op) {
        scope_opens(&mut op, "email openid", &[EMAIL]).await;
    }

    /// The same, and the parameters of the request in another order.
    async fn oidcc_alternate_happy_flow(op) {
        let mut ask = op.request().with("scope", "email openid");
        ask.params.reverse();
        brings(&mut op, &ask, &[EMAIL]).await;
    }

    /// `claims={"userinfo":{"name":{"essential":true}}}`: the name at userinfo, not in the ID token.
    async fn oidcc_claims_essential(op) {
        let ask = op.request().with("claims", r#"{"userinfo":{"name":{"essential":true}}}"#);
        brings(&mut op, &ask, &[&["name"]]).await;
    }
}
