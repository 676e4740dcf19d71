//! Access tokens: what an opaque one holds under its seal, and the claims of a JWT. Their grant says at each use
//! whether they are still good; a resource server that only verifies a JWT learns it when the JWT ends. RFC 9068.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::encoding::{base64url, from_base64url};
use crate::grant::Grant;
use crate::id::GrantId;
use crate::jose::foreign::Claims;
use crate::oauth::scope::Scopes;
use crate::rule::Rule;
use crate::secret::Hash;
use crate::time::Timestamp;

/// The rules for a request that brings one to us.
pub const RULES: &[Rule] = &[
    Rule { id: "bearer.one_method", spec: "RFC 6750 §2", text: "The token comes once: in the header or in the form." },
    Rule {
        id: "bearer.live",
        spec: "RFC 6750 §3.1",
        text: "The token is ours and young enough, and what it rests on is still good.",
    },
    Rule {
        id: "bearer.audience",
        spec: "RFC 8707 §2",
        text: "The token is for us: one bought for a resource server alone is refused.",
    },
    Rule {
        id: "bearer.key",
        spec: "RFC 9449 §7.1",
        text: "A token bound to a key comes by the scheme `DPoP` with a proof of that key; one that is not, as `Bearer`.",
    },
    Rule { id: "bearer.scope", spec: "OIDC Core §5.3", text: "The token carries the scope `openid`." },
];

/// What is inside an opaque access token, and what is known of a JWT once it was verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    pub grant: GrantId,
    pub issued: Timestamp,
    pub expires: Timestamp,
    /// Narrower than its grant; `None`: all of it.
    pub scope: Option<Scopes>,
    /// Resource servers it is for; empty: our own endpoints alone.
    pub audience: Vec<String>,
    /// RFC 7638 thumbprint of the key it is bound to (RFC 9449 §6).
    pub jkt: Option<Hash>,
}

impl AccessToken {
    /// The claims of this token as a JWT (RFC 9068 §2.2). `jti` is fresh; `subject` is the user as the client knows it,
    /// or the client where it acts for itself.
    pub fn claims(&self, issuer: &str, grant: &Grant, subject: &str, jti: [u8; 16]) -> Map<String, Value> {
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("iss", issuer.into());
        put("sub", subject.into());
        put("client_id", grant.client_id.as_str().into());
        put("aud", audience(&self.audience, issuer));
        put("iat", self.issued.secs().into());
        put("exp", self.expires.secs().into());
        put("jti", base64url(jti).into());
        put("gid", grant.id.to_string().into());
        put("scope", self.scope.as_ref().map_or(grant.scope.as_str(), Scopes::as_str).into());
        if let Some(jkt) = self.jkt {
            put("cnf", json!({ "jkt": base64url(jkt) }));
        }
        if let Some(auth) = &grant.detail.auth {
            put("auth_time", auth.auth_time.secs().into());
            put("amr", auth.amr.clone().into());
            if let Some(acr) = &auth.acr {
                put("acr", acr.as_str().into());
            }
        }
        claims
    }

    /// Reads a JWT of ours, verified by [`crate::jose::jws::own`], back into what an opaque token would hold.
    pub fn of_claims(claims: &Claims, issuer: &str) -> Option<Self> {
        let named = match claims.members.get("aud")? {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all.iter().map(|uri| uri.as_str().map(str::to_owned)).collect::<Option<_>>()?,
            _ => return None,
        };
        let jkt = match claims.members.get("cnf") {
            None => None,
            Some(cnf) => Some(from_base64url(cnf.get("jkt")?.as_str()?)?.try_into().ok()?),
        };
        Some(Self {
            grant: claims.text("gid")?.parse().ok()?,
            issued: claims.iat?,
            expires: claims.exp?,
            scope: Some(Scopes::from_stored(claims.text("scope")?)),
            audience: if named == [issuer] { Vec::new() } else { named },
            jkt,
        })
    }
}

/// `aud`: the resource servers, one as a text; without any, the issuer for its own endpoints (RFC 9068 §3).
pub fn audience(resources: &[String], issuer: &str) -> Value {
    match resources {
        [] => issuer.into(),
        [one] => one.as_str().into(),
        all => all.into(),
    }
}
