//! What anybody can have written is bounded, in number and in size (case 24).

use super::confidential;
use crate::rules::rule;
use crate::world::World;

#[tokio::test]
async fn a_sender_of_many_waits_for_the_next_minute() {
    let w = World::sqlite().await;
    let (rp, second) = (w.rp("app").await, w.rp("second").await);
    w.clock.advance(60 - w.clock.now().secs().rem_euclid(60));
    for _ in 0..60 {
        assert_eq!(rp.push(&w, &rp.ask()).await.status, 201);
    }
    let before = w.commits();
    for rp in [&rp, &second] {
        let page = rp.push(&w, &rp.ask()).await;
        assert_eq!((page.status, page.error().as_str()), (429, "temporarily_unavailable"), "{}", rule("par.rate"));
        assert_eq!(page.header("retry-after"), Some("60"));
    }
    assert_eq!(w.commits(), before, "nothing written");
    // A client with credentials has an allowance of its own.
    let known = w.rp_with("known", confidential).await;
    for _ in 0..70 {
        assert_eq!(known.push(&w, &known.ask()).await.status, 201);
    }
    w.clock.advance(60);
    assert_eq!(rp.push(&w, &rp.ask()).await.status, 201);
}

#[tokio::test]
async fn too_much_is_refused_and_the_process_lives() {
    let w = World::sqlite().await;
    let rp = w.rp_with("app", confidential).await;
    let quotes = "\\\"".repeat(4_000);
    let claims = format!("{{\"userinfo\":{{\"x\":{{\"value\":\"{quotes}\"}}}}}}");
    let ask = rp.ask().with("claims", &claims).with("state", &"\"".repeat(512));
    let page = rp.push(&w, &ask).await;
    assert_eq!((page.status, page.error().as_str()), (400, "invalid_request"), "{}: {}", rule("par.size"), page.body);
    assert!(page.body.contains("too long"), "{}", page.body);
    for (name, value) in [
        ("ui_locales", "de ".repeat(20_000)),
        ("claims_locales", "de ".repeat(20_000)),
        ("scope", "openid ".repeat(9_000)),
        ("acr_values", "phr ".repeat(15_000)),
        ("claims", "[".repeat(20_000)),
        ("claims", format!("{{\"id_token\":{}", "{\"a\":".repeat(700))),
        ("max_age", "9".repeat(60_000)),
        ("resource", format!("https://api.example/{}", "x".repeat(60_000))),
        ("dpop_jkt", "A".repeat(60_000)),
        ("response_mode", "form_post".repeat(6_000)),
    ] {
        let page = rp.push(&w, &rp.ask().with(name, &value)).await;
        assert_eq!(page.status, 400, "{name}: {:.200}", page.body);
    }
    let page = rp.push(&w, &rp.ask().with("ui_locales", &"de ".repeat(400_000))).await;
    assert_eq!(page.status, 413, "{:.200}", page.body);
    assert_eq!(rp.push(&w, &rp.ask()).await.status, 201);
}
