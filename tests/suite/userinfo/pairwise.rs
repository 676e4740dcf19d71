//! Pairwise subjects: one for each sector, the same wherever the client meets it. OIDC Core §8.1.

use idp_core::client::{AccessTokenFormat, ClientAuthMethod, ClientSettings, GrantType, SubjectType};
use serde_json::json;

use crate::both;
use crate::world::{Answer, World, encode};

fn pairwise(settings: &mut ClientSettings) {
    settings.subject_type = SubjectType::Pairwise;
    settings.auth_method = ClientAuthMethod::ClientSecretBasic;
    settings.grant_types.push(GrantType::RefreshToken);
}

both! {
    async fn a_subject_is_the_same_in_every_token_of_a_sector_and_in_no_other(db) {
        let w = World::start(db).await;
        let one = w.rp_with("one", pairwise).await;
        let jwt = w.rp_with("jwt", |s| {
            pairwise(s);
            s.access_token = AccessTokenFormat::Jwt;
            s.sector = Some("one.example".into());
        }).await;
        let other = w.rp_with("other", pairwise).await;
        let public = w.rp("public").await;
        let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
        let (mut browser, mut bobs) = (w.browser(), w.browser());
        let mut subjects = Vec::new();
        for rp in [&one, &jwt, &other] {
            let tokens = w.tokens(&mut browser, &mut ann, rp).await;
            let sub = tokens.claims["sub"].as_str().unwrap().to_owned();
            assert_eq!(w.userinfo(&tokens.access_token).await.value(), json!({ "sub": sub }));
            assert_eq!(rp.introspect(&w, &tokens.access_token).await["sub"], sub.as_str());
            assert_eq!(sub.len(), 43);
            assert_ne!(sub, ann.sub());
            subjects.push(sub);
        }
        assert_eq!(subjects[0], subjects[1], "the same sector");
        assert_ne!(subjects[0], subjects[2]);
        assert_ne!(w.tokens(&mut bobs, &mut bob, &one).await.claims["sub"], subjects[0].as_str());
        assert_eq!(w.tokens(&mut browser, &mut ann, &public).await.claims["sub"], ann.sub().as_str());
        // Another sign-in, and a refresh: nothing changes.
        let ask = one.ask();
        let code = w.authorize(&mut w.browser(), &mut ann, &ask).await.code();
        let answer = one.redeem(&w, &ask, &code).await.value();
        let refresh = answer["refresh_token"].as_str().unwrap();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        let answer = one.token(&w, &fields).await.value();
        let again = w.verify(&one, answer["id_token"].as_str().unwrap()).await;
        assert_eq!(again["sub"], subjects[0].as_str());
    }

    async fn a_hint_names_whom_the_client_knows_by_it(db) {
        let w = World::start(db).await;
        let (one, other) = (w.rp_with("one", pairwise).await, w.rp_with("other", pairwise).await);
        let public = w.rp("public").await;
        let (mut ann, mut bob) = (w.person("ann").await, w.person("bob").await);
        let mut browser = w.browser();
        let ours = w.tokens(&mut browser, &mut ann, &one).await;
        let theirs = w.tokens(&mut browser, &mut ann, &other).await;
        let open = w.tokens(&mut browser, &mut ann, &public).await;
        let bobs = w.tokens(&mut w.browser(), &mut bob, &one).await;
        let silent = |hint: &str| one.ask().with("prompt", "none").with("id_token_hint", hint).url();
        assert!(Answer::of(&browser.open(&silent(&ours.id_token)).await).params.contains_key("code"));
        // Else a client could find out that two subjects are one person.
        for hint in [&bobs.id_token, &theirs.id_token, &open.id_token] {
            assert_eq!(Answer::of(&browser.open(&silent(hint)).await).error(), "login_required");
        }
        let sub = ours.claims["sub"].as_str().unwrap();
        let named = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
        let ask = one.ask().with("prompt", "none").with("claims", &named);
        assert!(Answer::of(&browser.open(&ask.url()).await).params.contains_key("code"));
        let bye = one.client.settings.post_logout_redirect_uris[0].as_str();
        let fields = [("id_token_hint", ours.id_token.as_str()), ("post_logout_redirect_uri", bye)];
        let page = browser.get(&format!("/logout?{}", encode(&fields))).await;
        assert_eq!(page.location(), Some(bye), "the session is the hint's: nothing is asked");
    }
}
