//! `GET /webauthn/session`: who this browser is, for callers that keep no pages.

use idp_core::acr::{Demand, Evidence, choose};
use serde_json::json;

use crate::http::exchange::{Exchange, Outcome};

/// `{"csrf", "signed_in", "acr"?}`.
pub async fn get(mut x: Exchange) -> Outcome {
    let csrf = x.csrf();
    let visitor = x.visitor().await?;
    let mut body = json!({ "csrf": csrf, "signed_in": visitor.is_some() });
    if let (Some(visitor), Some(members)) = (visitor, body.as_object_mut()) {
        let evidence = Evidence { events: &visitor.session.events, active: visitor.session.active, now: x.now };
        let chosen = choose(&evidence, &x.realm.settings, &Demand::default(), |_, _| true);
        if let Some(acr) = chosen.and_then(|c| c.acr) {
            members.insert("acr".to_owned(), acr.into());
        }
    }
    x.reply(200, &body)
}
