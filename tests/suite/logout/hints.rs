//! `id_token_hint`: whose it is decides whether the user is asked; a forged one never redirects (case 12).
//! RP-Initiated Logout §2, RFC 8725 §3.

use base64::Engine as _;
use idp_core::client::SigningAlg;
use idp_core::encoding::base64url;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode as sign};
use serde_json::{Value, json};

use crate::rules::rule;
use crate::world::{Page, World, encode};

const BYE: (&str, &str) = ("post_logout_redirect_uri", "https://app.example/bye");

fn path(hint: &str, more: &[(&str, &str)]) -> String {
    let mut fields = vec![("id_token_hint", hint), BYE];
    fields.extend_from_slice(more);
    format!("/logout?{}", encode(&fields))
}

fn is_question(page: &Page) -> bool {
    page.status == 200 && page.has("logout-confirm") && page.next().is_none()
}

#[tokio::test]
async fn a_hint_of_another_session_or_person_asks_first() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
    let mut browser = w.browser();
    w.tokens(&mut browser, &mut ann, &rp).await;
    let elsewhere = w.tokens(&mut w.browser(), &mut ann, &rp).await;
    let bobs = w.tokens(&mut w.browser(), &mut bob, &rp).await;
    for hint in [&elsewhere.id_token, &bobs.id_token] {
        assert!(is_question(&browser.get(&path(hint, &[])).await), "{}", rule("logout.confirm"));
    }
    // The question is about this browser's session; the others' are not touched by answering it.
    let page = browser.get(&path(&bobs.id_token, &[])).await;
    assert!(page.body.contains("ann") && !page.body.contains("Name of bob"));
    let page = browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await;
    assert_eq!(page.next().as_deref(), Some(BYE.1));
    for tokens in [elsewhere, bobs] {
        assert_eq!(w.userinfo(&tokens.access_token).await.status, 200);
    }
}

#[tokio::test]
async fn an_old_hint_and_one_by_a_retired_key_are_good() {
    for &alg in SigningAlg::ALL {
        let w = World::sqlite().await;
        let rp = w.rp_with("app", |s| s.id_token_alg = alg).await;
        let mut ann = w.person("ann").await;
        let mut browser = w.browser();
        let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
        w.rotate_key(alg).await;
        w.clock.advance(7200);
        let page = browser.get(&path(&tokens.id_token, &[("client_id", "app")])).await;
        assert_eq!(page.location(), Some(BYE.1), "{}: {alg:?}", rule("logout.hint"));
        assert_eq!(browser.cookie("session"), None);
    }
}

/// A token with this header over `claims`, signed by `sign`.
fn forged(header: &Value, claims: &str, signature: impl AsRef<[u8]>) -> String {
    format!("{}.{claims}.{}", base64url(header.to_string()), base64url(signature))
}

#[tokio::test]
async fn a_forged_hint_is_a_page_and_ends_nothing() {
    let (w, elsewhere) = (World::sqlite().await, World::sqlite().await);
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    let tokens = w.tokens(&mut browser, &mut ann, &rp).await;
    let parts: Vec<&str> = tokens.id_token.split('.').collect();
    let [head, claims, signature] = parts[..] else { panic!("three parts") };
    let jwks = browser.get("/.well-known/jwks.json").await.value();
    let jwk = jwks["keys"].as_array().unwrap().iter().find(|k| k["alg"] == "RS256").unwrap();
    let kid = jwk["kid"].as_str().unwrap();

    let mut hints = vec![
        "x".to_owned(),
        "..".to_owned(),
        format!("{head}.{claims}."),
        format!("{head}.{claims}"),
        format!("{head}.{claims}A.{signature}"),
        tokens.access_token.clone(),
    ];
    for alg in ["none", "nOnE", "NONE", ""] {
        hints.push(forged(&json!({ "alg": alg, "kid": kid }), claims, ""));
        hints.push(format!("{}.{claims}.{signature}", base64url(json!({ "alg": alg, "kid": kid }).to_string())));
    }
    // HS256 keyed with the RSA public key, in each form an attacker can have it.
    let modulus = jwk["n"].as_str().unwrap();
    let decoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(modulus).unwrap();
    for secret in [jwk.to_string().into_bytes(), modulus.as_bytes().to_vec(), decoded] {
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(kid.to_owned());
        hints.push(sign(&header, &tokens.claims, &EncodingKey::from_secret(&secret)).unwrap());
    }
    // Keys the token brings itself, or points to; another algorithm for our key; unknown critical headers.
    let own = elsewhere.rp("app").await;
    let mut zoe = elsewhere.person("zoe").await;
    hints.push(elsewhere.tokens(&mut elsewhere.browser(), &mut zoe, &own).await.id_token);
    for header in [
        json!({ "alg": "RS256", "kid": "../../../dev/null" }),
        json!({ "alg": "RS256", "kid": "' OR 1=1 --" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "ES256", "kid": kid }),
        json!({ "alg": "RS512", "kid": kid }),
        json!({ "alg": "RS256", "jku": format!("{}/.well-known/jwks.json", elsewhere.issuer) }),
        json!({ "alg": "RS256", "kid": kid, "jwk": jwk }),
        json!({ "alg": "RS256", "kid": kid, "crit": ["exp"] }),
    ] {
        hints.push(format!("{}.{claims}.{signature}", base64url(header.to_string())));
    }
    for hint in hints {
        let page = browser.get(&path(&hint, &[("client_id", "app")])).await;
        assert_eq!((page.status, page.next()), (400, None), "{}: {hint:.80}", rule("logout.hint"));
        assert_eq!(page.code().as_deref(), Some("id_token_hint_invalid"), "{}", rule("logout.hint"));
    }
    assert_eq!(w.userinfo(&tokens.access_token).await.status, 200, "nothing ended");
}
