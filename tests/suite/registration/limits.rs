//! What strangers can make us write and keep is bounded.

use idp_core::pass::PassKind;
use idp_core::realm::Registration;
use serde_json::json;

use super::{about, world};
use crate::rules::rule;
use crate::world::Db;

#[tokio::test]
async fn one_address_is_slowed_down_and_a_token_is_not() {
    let w = world(Db::Sqlite, Registration::Open).await;
    let document = about(json!({}));
    for _ in 0..100 {
        assert_eq!(w.register(None, &document).await.status, 201);
    }
    let page = w.register(None, &document).await;
    assert_eq!((page.status, page.header("retry-after")), (429, Some("1")), "{}", rule("registration.limits"));
    let token = w.invite(PassKind::Registration, 600).await;
    assert_eq!(w.register(Some(&token), &document).await.status, 201);
    w.clock.advance(1);
    assert_eq!(w.register(None, &document).await.status, 201);
    assert_eq!(w.register(None, &document).await.header("retry-after"), Some("2"));
}
