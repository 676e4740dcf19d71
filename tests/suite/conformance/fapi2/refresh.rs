//! Refresh tokens of confidential clients: bound to the client, usable with any of its keys, not rotated.
//! FAPI 2.0 Security Profile §5.3.2.1, RFC 6749 §6, OIDC Core §12.2, RFC 9449 §5.

use super::stage::{Auth, Fapi, Proof, Who, fapi2};
use crate::conformance::checks;
use crate::world::jwt::Key;
use crate::world::{Page, Tokens};

const BAD_GRANT: &[&str] = &["invalid_client", "invalid_grant", "invalid_request"];

async fn refresh(fapi: &mut Fapi, who: Who, token: &str, how: (&Auth<'_>, &Proof<'_>)) -> Page {
    let mut form = vec![("grant_type", "refresh_token"), ("refresh_token", token)];
    if who == Who::First {
        form.push(("scope", "openid offline_access"));
    }
    fapi.post(who, "token_endpoint", how, &form).await
}

/// Refreshes with a new DPoP key: the ID token is about the same sign-in. The refresh token that is good now, and the
/// access token.
async fn refreshed(fapi: &mut Fapi, who: Who, token: &str, first: &Tokens) -> (String, String) {
    fapi.op.w.clock.advance(1);
    fapi.party_mut(who).dpop = Key::es256("new");
    let page = refresh(fapi, who, token, (&Auth::Own, &Proof::Own)).await;
    checks::access_token(&page, "DPoP");
    let body = page.value();
    checks::refreshed(&body, first);
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    (text("refresh_token").unwrap_or_else(|| token.to_owned()), text("access_token").unwrap())
}

/// One client's way: code, refresh, and the earlier token still good half a minute later.
async fn one_client(fapi: &mut Fapi, who: Who) -> (String, String) {
    let ask = fapi.request(who).with("scope", "openid offline_access").with("prompt", "consent");
    let (ask, code) = fapi.code(who, ask).await;
    let page = fapi.redeem(who, &ask, &code).await;
    let tokens = fapi.tokens(who, (&ask, &code), &page).await;
    let issued = page.value()["refresh_token"].as_str().expect("a refresh token").to_owned();
    let (mut latest, mut access) = refreshed(fapi, who, &issued, &tokens).await;
    if latest != issued {
        fapi.op.w.clock.advance(30);
        (latest, access) = refreshed(fapi, who, &issued, &tokens).await;
    }
    if who == Who::First {
        let bare = Auth::Fields(Vec::new());
        let page = refresh(fapi, who, &latest, (&bare, &Proof::Own)).await;
        checks::refused(&page, &[400, 401], BAD_GRANT);
        let page = refresh(fapi, who, &latest, (&Auth::Own, &Proof::None)).await;
        checks::refused(&page, &[400], &["invalid_request", "invalid_grant", "invalid_dpop_proof"]);
    }
    assert_eq!(fapi.resource(who, &access, &Proof::Own).await.status, 200);
    (latest, access)
}

fapi2! {
    /// Both clients refresh with a new DPoP key; not without assertion, not without proof, not with each other's.
    async fn refresh_token(fapi) {
        assert!(fapi.op.lists("grant_types_supported", "refresh_token"));
        one_client(&mut fapi, Who::First).await;
        let (token, access) = one_client(&mut fapi, Who::Second).await;
        fapi.refuses_the_first_key_with(&access).await;
        let page = refresh(&mut fapi, Who::First, &token, (&Auth::Own, &Proof::Own)).await;
        checks::refused(&page, &[400], &["invalid_grant"]);
    }
}
