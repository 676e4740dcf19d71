//! One request on its way through a handler: its realm, browser, session and what is to be said about it.

use std::net::IpAddr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use idp_core::account::{Account, AccountState};
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::credential::recovery::{self, Recovery};
use idp_core::encoding::{base64url, from_base64url};
use idp_core::id::{AuditId, ClientId};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::policy::Policy;
use idp_core::place;
use idp_core::realm::{Realm, RelyingParty};
use idp_core::seal::Purpose;
use idp_core::secret::{Hash, same, sha256};
use idp_core::session::Session;
use idp_core::time::Timestamp;
use poem::http::header::{self, HeaderMap, HeaderName};
use poem::http::{Method, Uri};
use poem::{Body, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cookies::{self, CookieKind};
use super::problem::Problem;
use super::user_agent;
use crate::app::App;

/// Largest form or JSON body, in bytes; a registration with a long attestation chain is the largest honest one.
const MOST_BODY: usize = 64 * 1024;

/// What a handler answers.
pub type Outcome = Result<Response, Problem>;

/// Who is signed in with this browser.
pub struct Visitor {
    pub session: Session,
    pub account: Account,
    /// The account's own; a client may demand more.
    pub policy: Arc<Policy>,
}

/// One request.
pub struct Exchange {
    pub app: Arc<App>,
    pub realm: Arc<Realm>,
    /// As the browser addressed it, with port unless it is the default one.
    pub host: String,
    /// The relying party that serves the host; in a ceremony for another one of the same host, that.
    pub rp: RelyingParty,
    pub now: Timestamp,
    pub request_id: String,
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub address: IpAddr,
    pub(super) body: Body,
    /// `Set-Cookie` lines for the answer, whatever it will be.
    pub(super) cookies: Vec<String>,
    browser: Option<String>,
}

impl Exchange {
    /// Puts a request together; the router does.
    pub fn new(
        app: Arc<App>,
        (realm, rp, host): (Arc<Realm>, RelyingParty, String),
        request: poem::Request,
        address: IpAddr,
        request_id: String,
    ) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            now: app.now(),
            app,
            realm,
            host,
            rp,
            request_id,
            method: parts.method,
            uri: parts.uri,
            headers: parts.headers,
            address,
            body,
            cookies: Vec::new(),
            browser: None,
        }
    }

    /// Whether this is the issuer's host, where sessions and authorization requests live.
    pub fn is_home(&self) -> bool {
        self.realm.is_home(&self.host)
    }

    /// Takes the relying party of an RP ID for that of the request; `false`: this host does not serve it.
    pub fn take_rp(&mut self, rp_id: &str) -> bool {
        let found = self.realm.relying_party_of(rp_id).filter(|party| party.answers(&self.host));
        let found = found.cloned();
        found.map(|party| self.rp = party).is_some()
    }

    /// A header as text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The parameters of the query.
    pub fn query(&self) -> RawParams {
        RawParams::parse(self.uri.query().unwrap_or_default().as_bytes())
    }

    /// The parameters of a form body.
    ///
    /// # Errors
    /// 415 for another content type, 413 for one too large.
    pub async fn form(&mut self) -> Result<RawParams, Problem> {
        self.content_type("application/x-www-form-urlencoded")?;
        Ok(RawParams::parse(&self.bytes().await?))
    }

    /// A JSON body.
    ///
    /// # Errors
    /// 415 for another content type, 413 for one too large, 400 for what is not the JSON expected.
    pub async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Problem> {
        let bytes = self.json_bytes().await?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Problem::bad("body_invalid", &format!("the body cannot be read: {e}")))
    }

    /// A JSON body as it came.
    ///
    /// # Errors
    /// 415 for another content type, 413 for one too large.
    pub async fn json_bytes(&mut self) -> Result<Vec<u8>, Problem> {
        self.content_type("application/json")?;
        self.bytes().await
    }

    /// Whether the body is said to be JSON.
    pub fn sends_json(&self) -> bool {
        self.content_type("application/json").is_ok()
    }

    fn content_type(&self, expected: &str) -> Result<(), Problem> {
        let sent = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let kind = sent.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case(expected) {
            return Ok(());
        }
        Err(Problem::api(415, "content_type", &format!("send the body as {expected}")))
    }

    async fn bytes(&mut self) -> Result<Vec<u8>, Problem> {
        let mut body = std::mem::replace(&mut self.body, Body::empty()).into_bytes_stream();
        let mut bytes = Vec::new();
        while let Some(part) = body.next().await {
            let part = part.map_err(|_| Problem::bad("body_unreadable", "the body ended early"))?;
            if bytes.len() + part.len() > MOST_BODY {
                return Err(Problem::api(413, "body_too_large", "the body has more than 65536 bytes"));
            }
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    // ---- this browser -------------------------------------------------------------------------------------

    /// The value that binds forms and ceremonies to this browser; set now where the browser has none.
    pub fn browser(&mut self) -> String {
        if let Some(known) = &self.browser {
            return known.clone();
        }
        let sent = cookies::read(&self.headers, &cookies::name(&self.realm, CookieKind::Browser));
        let good = sent.filter(|v| from_base64url(v).is_some_and(|b| b.len() == 32)).map(str::to_owned);
        let value = good.unwrap_or_else(|| self.renew_browser());
        self.browser = Some(value.clone());
        value
    }

    /// Gives the browser another value: at each sign-in, so that a planted one is worth nothing afterwards.
    pub fn renew_browser(&mut self) -> String {
        let value = base64url(self.app.random::<32>());
        self.set_cookie(CookieKind::Browser, &value);
        self.browser = Some(value.clone());
        value
    }

    /// What the store keeps of this browser where something is bound to it.
    pub fn browser_hash(&mut self) -> Hash {
        let browser = self.browser();
        self.app.sealer().mac(self.realm.id, "browser", &[browser.as_bytes()])
    }

    /// Whether something is bound to this browser.
    pub fn is_browser(&self, hash: &Hash) -> bool {
        let sent = self.cookie(CookieKind::Browser).unwrap_or_default();
        same(hash, &self.app.sealer().mac(self.realm.id, "browser", &[sent.as_bytes()]))
    }

    /// The token that forms and finishing calls send back.
    pub fn csrf(&mut self) -> String {
        let browser = self.browser();
        base64url(self.app.sealer().mac(self.realm.id, "csrf", &[browser.as_bytes()]))
    }

    /// Checks a token against this browser's cookie, and the `Origin` where there is one.
    ///
    /// # Errors
    /// 403 when the cookie is missing or another browser's, or the request comes from another site.
    pub fn check_csrf(&mut self, token: Option<&str>) -> Result<(), Problem> {
        let origin = self.header(header::ORIGIN);
        if origin.is_some_and(|o| !self.rp.origins.iter().any(|ours| ours == o)) {
            return Err(Problem::foreign_origin());
        }
        let sent = cookies::read(&self.headers, &cookies::name(&self.realm, CookieKind::Browser)).is_some();
        let expected = self.csrf();
        if sent && token.is_some_and(|t| same(t.as_bytes(), expected.as_bytes())) {
            return Ok(());
        }
        Err(Problem::cookies())
    }

    /// Checks that a JSON call comes from a page of ours: a browser sends `Origin` with each POST.
    ///
    /// # Errors
    /// 403 otherwise.
    pub fn check_origin(&self) -> Result<(), Problem> {
        let origin = self.header(header::ORIGIN).unwrap_or_default();
        if self.rp.origins.iter().any(|ours| ours == origin) { Ok(()) } else { Err(Problem::foreign_origin()) }
    }

    /// Reads a cookie.
    pub fn cookie(&self, kind: CookieKind) -> Option<&str> {
        cookies::read(&self.headers, &cookies::name(&self.realm, kind))
    }

    /// Sets a cookie on the answer.
    pub fn set_cookie(&mut self, kind: CookieKind, value: &str) {
        self.cookies.push(cookies::set(&self.realm, kind, value));
    }

    /// Removes a cookie with the answer.
    pub fn remove_cookie(&mut self, kind: CookieKind) {
        self.cookies.push(cookies::remove(&self.realm, kind));
    }

    /// Who is signed in: a live session of an active account.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn visitor(&self) -> Result<Option<Visitor>, Problem> {
        let Some(secret) = self.cookie(CookieKind::Session).and_then(from_base64url) else { return Ok(None) };
        let idle_s = self.realm.settings.session_idle_s;
        let found = self.app.store.find_visitor(self.realm.id, &sha256(&secret), self.now, idle_s).await?;
        let active = found.filter(|(_, account)| account.state == AccountState::Active);
        let Some((session, account)) = active else { return Ok(None) };
        let policy = self.app.policy_of(&self.realm, &account.id).await?;
        Ok(Some(Visitor { session, account, policy }))
    }

    /// What recovers an account here.
    pub fn recovery(&self) -> Recovery {
        recovery::effective(&self.realm.settings, self.app.store.queues_mail())
    }

    // ---- seals and audit ----------------------------------------------------------------------------------

    /// Seals a value of this realm.
    ///
    /// # Errors
    /// Only when it cannot be encoded.
    pub fn seal<T: Serialize>(&self, purpose: Purpose, value: &T) -> Result<String, Problem> {
        self.app.seal(purpose, self.realm.id, value).map_err(Problem::internal)
    }

    /// Opens a value of this realm.
    pub fn open<T: DeserializeOwned>(&self, purpose: Purpose, text: &str) -> Option<T> {
        self.app.open(purpose, self.realm.id, text).ok()
    }

    /// Browser and system in words, as far as the browser says.
    pub fn client_words(&self) -> Option<String> {
        self.header(header::USER_AGENT).and_then(user_agent::words)
    }

    /// An audit row for the write that is about to happen. What its account may look at says from where.
    pub fn audit(&self, event: AuditEvent, actor: Actor, mut detail: Value) -> Audit {
        if let Some(facts) = detail.as_object_mut().filter(|_| event.is_activity()) {
            facts.insert("place".to_owned(), place::of(self.address).into());
            if let Some(words) = self.client_words() {
                facts.insert("browser".to_owned(), words.into());
            }
        }
        let account_id = match &actor {
            Actor::Account(id) => Some(*id),
            _ => None,
        };
        let client_id: Option<ClientId> = match &actor {
            Actor::Client(id) => Some(id.clone()),
            _ => None,
        };
        Audit {
            id: AuditId::new(self.now, self.app.random()),
            at: self.now,
            event,
            actor,
            account_id,
            client_id,
            request_id: self.request_id.clone(),
            detail,
        }
    }
}
