//! When the person is asked again, and when not at all.
//! OIDC Core §3.1.2.1 (`prompt`, `max_age`, `id_token_hint`) and §3.1.2.6.

use super::modules;
use crate::conformance::checks;
use crate::conformance::op::Op;
use crate::world::{Ask, Tokens};

/// Errors that say that a page would have been needed.
const NEEDS_A_PAGE: &[&str] =
    &["interaction_required", "login_required", "account_selection_required", "consent_required"];

/// A second request that must be answered without a page, about the same sign-in.
async fn same_sign_in(op: &mut Op, first: &Tokens, ask: &Ask) {
    op.w.clock.advance(3);
    let second = op.flow(ask).await;
    for claim in ["sub", "auth_time"] {
        assert_eq!(second.claims[claim], first.claims[claim], "{claim}");
    }
    assert_eq!(op.sign_ins, 1);
}

/// A second request that must ask for the password again, and say so.
async fn new_sign_in(op: &mut Op, first: &Tokens, ask: &Ask) {
    let second = op.flow(ask).await;
    assert_eq!(op.sign_ins, 2, "a page asked again");
    assert_eq!(second.claims["sub"], first.claims["sub"]);
    let at = |tokens: &Tokens| tokens.claims["auth_time"].as_i64().expect("auth_time");
    assert!(at(&second) > at(first));
    assert!((op.w.clock.now().secs() - at(&second)).abs() < 60, "auth_time is recent");
}

modules! {
    /// A second later, `prompt=login`: a page, and a later `auth_time`.
    async fn oidcc_prompt_login(op) {
        let first = op.flow(&op.request()).await;
        op.w.clock.advance(1);
        let ask = op.request().with("prompt", "login");
        new_sign_in(&mut op, &first, &ask).await;
    }

    /// Nobody is signed in, `prompt=none`: one of four errors, and a long state comes back whole.
    async fn oidcc_prompt_none_not_logged_in(op) {
        let ask = op.request().with("prompt", "none").with("state", &"x-_.~Yz1".repeat(16));
        let answer = op.answer(&ask).await;
        checks::failure(&op.w.issuer, &ask, &answer, NEEDS_A_PAGE);
    }

    /// Signed in, `prompt=none`: the same subject and `auth_time`, no page.
    async fn oidcc_prompt_none_logged_in(op) {
        let first = op.flow(&op.request()).await;
        let ask = op.request().with("prompt", "none");
        same_sign_in(&mut op, &first, &ask).await;
    }

    /// Two seconds later, `max_age=1`: a page, and an `auth_time` of now.
    async fn oidcc_max_age_1(op) {
        let first = op.flow(&op.request()).await;
        op.w.clock.advance(2);
        let ask = op.request().with("max_age", "1");
        new_sign_in(&mut op, &first, &ask).await;
    }

    /// `max_age=15000`, then `max_age=10000`: `auth_time` in both, the same, no page the second time.
    async fn oidcc_max_age_10000(op) {
        let ask = op.request().with("max_age", "15000");
        let first = op.flow(&ask).await;
        assert!(first.claims["auth_time"].is_i64(), "OIDC Core §2");
        let ask = op.request().with("max_age", "10000");
        same_sign_in(&mut op, &first, &ask).await;
    }

    /// `prompt=none` with the ID token of the first sign-in as hint: silent, the same subject and `auth_time`.
    async fn oidcc_id_token_hint(op) {
        let first = op.flow(&op.request()).await;
        let ask = op.request().with("prompt", "none").with("id_token_hint", &first.id_token);
        same_sign_in(&mut op, &first, &ask).await;
    }
}
