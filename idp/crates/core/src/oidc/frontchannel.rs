//! Front-channel logout: what the browser loads to tell clients. OpenID Connect Front-Channel Logout 1.0 §2 and §3.

use crate::client::Client;
use crate::oauth::redirect;
use crate::realm::Realm;
use crate::rule::Rule;

/// The rules.
pub const RULES: &[Rule] = &[
    Rule {
        id: "logout.frontchannel.frames",
        spec: "Front-Channel Logout §3",
        text: "After a logout in the browser a page loads the `frontchannel_logout_uri` of each client of the session in \
               a frame, and goes on.",
    },
    Rule {
        id: "logout.frontchannel.session",
        spec: "Front-Channel Logout §2",
        text: "Each address gets `iss` and `sid` added to its query, whether its client requires them or not.",
    },
    Rule {
        id: "logout.frontchannel.policy",
        spec: "Front-Channel Logout §4",
        text: "That page alone may frame, and nothing but the origins of these addresses.",
    },
];

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutFrame {
    pub address: String,
    /// What the page's policy must allow.
    pub origin: String,
}

/// What tells `client` that a session ended; `None`: it does not hear by the front channel.
pub fn frame(realm: &Realm, client: &Client, sid: &str) -> Option<LogoutFrame> {
    let uri = client.settings.frontchannel_logout_uri.as_deref()?;
    let origin = redirect::origin(uri)?;
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("iss", &realm.issuer).append_pair("sid", sid);
    let joint = if uri.contains('?') { '&' } else { '?' };
    Some(LogoutFrame { address: format!("{uri}{joint}{}", query.finish()), origin })
}
