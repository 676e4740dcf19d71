//! PKCE at the token endpoint (case 6). RFC 7636 §4.1 and §4.6.

use idp_core::client::ClientAuthMethod;
use idp_core::encoding::base64url;
use idp_core::secret::sha256;

use super::refused;
use crate::world::World;

#[tokio::test]
async fn a_verifier_has_43_to_128_unreserved_characters() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for (verifier, good) in [
        ("a".repeat(43), true),
        ("A0-._~".repeat(8), true),
        ("z".repeat(128), true),
        ("a".repeat(42), false),
        ("a".repeat(129), false),
        ("a".to_owned(), false),
        (format!("{}+", "a".repeat(43)), false),
        (format!("{}ü", "a".repeat(43)), false),
        (format!("{} ", "a".repeat(43)), false),
    ] {
        let mut ask = rp.ask().with("code_challenge", &base64url(sha256(verifier.as_bytes())));
        ask.verifier = verifier;
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let answer = rp.redeem(&w, &ask, &code).await;
        if good {
            assert_eq!(answer.status, 200, "{}: {}", ask.verifier, answer.body);
        } else {
            refused(&answer, "code.verifier", "invalid_grant", "43 to 128");
        }
    }
}

#[tokio::test]
async fn verifier_and_challenge_come_both_or_neither() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", |s| s.auth_method = ClientAuthMethod::ClientSecretPost).await;
    let mut ann = w.person("ann").await;
    let mut browser = w.browser();
    for challenge in [true, false] {
        let mut ask = rp.ask();
        if !challenge {
            ask = ask.without("code_challenge").without("code_challenge_method");
        }
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let mut params = rp.code_params(&ask, &code);
        if challenge {
            params.retain(|(name, _)| *name != "code_verifier");
        } else {
            params.push(("code_verifier", &ask.verifier));
        }
        refused(&rp.token(&w, &params).await, "code.verifier", "invalid_grant", "code_verifier");
    }
}

#[tokio::test]
async fn the_challenge_itself_is_no_verifier() {
    let w = World::sqlite().await;
    let rp = w.rp("app").await;
    let mut ann = w.person("ann").await;
    let mut ask = rp.ask();
    let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
    ask.verifier = ask.one("code_challenge").unwrap().to_owned();
    refused(&rp.redeem(&w, &ask, &code).await, "code.verifier", "invalid_grant", "does not match");
}
