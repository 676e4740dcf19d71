//! `/authorize` and `/authorize/resume`: the start of every sign-in and the place every page returns to.
//! OIDC Core §3.1.2. Nothing is written here, but that a pushed request is used up.

use std::sync::Arc;

use idp_core::acr::Authenticated;
use idp_core::client::Client;
use idp_core::grant::AuthContext;
use idp_core::id::{ClientId, GrantId};
use idp_core::interact::{Consent, Factor, Facts, Need, Step, Visitor as Who, consent, next_step};
use idp_core::oauth::authorize::code::{self, Code};
use idp_core::oauth::authorize::par::{Reference, hash_of};
use idp_core::oauth::authorize::{AuthorizationRequest, Unaddressed, address, known, respond};
use idp_core::oauth::error::{ErrorCode, OAuthError};
use idp_core::oauth::params::RawParams;
use idp_core::oauth::scope::Scopes;
use idp_core::oidc::subject;
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::Passkey;
use idp_core::seal::Purpose;
use idp_core::secret::sha256;
use serde::{Deserialize, Serialize};

use super::validated::{Way, validated};
use super::{par, request_object};
use crate::event;
use crate::http::answer;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::policy;
use crate::http::problem::Problem;
use crate::views::{Application, WebUrl};

/// Longest sealed request: a `Location` with it must fit the header buffer of a proxy.
const MOST_SEALED: usize = 2048;

/// What is sealed into the address and the forms of our pages.
#[derive(Serialize, Deserialize)]
enum Travelling {
    Whole(Box<AuthorizationRequest>),
    Pushed(Reference),
}

/// `GET /authorize`.
pub async fn start(x: Exchange) -> Outcome {
    let params = x.query();
    let request = receive(&x, &params).await?;
    proceed(x, request).await
}

/// `POST /authorize`: as GET. A cross-site POST carries no `Lax` cookie, so it goes on by 303 to a GET of our own.
pub async fn post(mut x: Exchange) -> Outcome {
    let params = x.form().await?;
    let request = receive(&x, &params).await?;
    Ok(answer::redirect(&resume_url(&seal(&x, &request)?)))
}

/// `GET /authorize/resume`: goes on with a sealed request, as far as it has come.
pub async fn resume(x: Exchange) -> Outcome {
    let request = reopen(&x, x.query().one("request")).await?;
    proceed(x, request).await
}

/// Where every page returns to.
pub fn resume_url(sealed: &str) -> String {
    format!("/authorize/resume?request={sealed}")
}

/// Seals a request for its way through the pages.
///
/// # Errors
/// Back to the client when the request is too long for a redirect.
pub fn seal(x: &Exchange, request: &AuthorizationRequest) -> Result<String, Problem> {
    let sealed = match request.pushed {
        Some(hash) => x.seal(Purpose::Request, &Travelling::Pushed(Reference::to(hash, request)))?,
        None => x.seal(Purpose::Request, &Travelling::Whole(Box::new(request.clone())))?,
    };
    if sealed.len() > MOST_SEALED {
        let error = OAuthError::new(
            ErrorCode::InvalidRequest,
            "params.length",
            "the request is too long: shorten its parameters",
        );
        return Err(Problem::Denied(Box::new(request.to.clone()), error));
    }
    Ok(sealed)
}

/// Opens a sealed request that a page sent back, and checks again what may have changed since.
///
/// # Errors
/// A page: tampered with, too old (naming the application), or a client that is gone.
pub async fn reopen(x: &Exchange, sealed: Option<&str>) -> Result<AuthorizationRequest, Problem> {
    let request = match sealed.and_then(|s| x.open(Purpose::Request, s)) {
        Some(Travelling::Whole(request)) => *request,
        Some(Travelling::Pushed(reference)) => par::follow(x, reference).await?,
        None => {
            let text = "this sign-in cannot be continued: start again at the application";
            return Err(Problem::bad("request_invalid", text));
        }
    };
    let client = x.app.store.cached_client(x.realm.id, request.to.client_id()).await?;
    request.to.recheck(client.as_deref())?;
    if request.is_expired(x.now) {
        let home = client.as_ref().and_then(|c| c.settings.client_uri.clone());
        return Err(Problem::expired(client.map(|c| application(&c)), home));
    }
    Ok(request)
}

/// The same where a page works without a request too; one left empty is none (RFC 6749 §3.1).
///
/// # Errors
/// Those of [`reopen`].
pub async fn reopen_some(x: &Exchange, sealed: Option<&str>) -> Result<Option<AuthorizationRequest>, Problem> {
    match sealed.filter(|sealed| !sealed.is_empty()) {
        Some(sealed) => reopen(x, Some(sealed)).await.map(Some),
        None => Ok(None),
    }
}

/// The client of a request, known good when the request was opened.
///
/// # Errors
/// A page when it was deleted since.
pub async fn client_of(x: &Exchange, request: &AuthorizationRequest) -> Result<Arc<Client>, Problem> {
    let client = x.app.store.cached_client(x.realm.id, request.to.client_id()).await?;
    client.ok_or_else(|| Unaddressed::ClientUnknown.into())
}

/// A policy with the demands of the client of a request, if there is one.
///
/// # Errors
/// As [`client_of`].
pub async fn policy_at(
    x: &Exchange,
    policy: Arc<Policy>,
    request: Option<&AuthorizationRequest>,
) -> Result<Arc<Policy>, Problem> {
    let Some(request) = request else { return Ok(policy) };
    Ok(policy::met(policy, Some(&*client_of(x, request).await?)))
}

/// A client as the pages show it.
pub fn application(client: &Client) -> Application {
    let settings = &client.settings;
    let host = |uri: &String| url::Url::parse(uri).ok().and_then(|u| u.host_str().map(str::to_owned));
    Application {
        host: settings.client_uri.as_ref().or_else(|| settings.redirect_uris.first()).and_then(host),
        policy: settings.policy_uri.as_deref().and_then(WebUrl::parse),
        terms: settings.tos_uri.as_deref().and_then(WebUrl::parse),
        unverified: settings.unverified,
        ..Application::named(&settings.name)
    }
}

/// The client of a request as the pages show it.
pub fn application_of(client: &Client, request: &AuthorizationRequest) -> Application {
    Application { elsewhere: request.to.device().is_some(), ..application(client) }
}

/// Steps 2 to 5 of a request's life: parse, load, address, validate.
async fn receive(x: &Exchange, params: &RawParams) -> Result<AuthorizationRequest, Problem> {
    let id = params.one("client_id").and_then(|id| ClientId::parse(id).ok());
    let client = match &id {
        Some(id) => x.app.store.cached_client(x.realm.id, id).await?,
        None => None,
    };
    if let Some(hash) = params.one("request_uri").and_then(hash_of) {
        return par::open(x, params, client.as_deref(), hash).await;
    }
    known(params, client.as_deref())?;
    // `known` refuses without a client.
    let Some(client) = client else { return Err(Unaddressed::ClientUnknown.into()) };
    event::note(|e| e.client_id = Some(client.id.to_string()));
    let object = match request_object::open(x, params, &client).await? {
        Ok(object) => object,
        // What it says is not to be trusted; the parameters beside it are as good as any.
        Err(error) => return Err(Problem::Denied(Box::new(address(params, Some(&client))?), error)),
    };
    let way = Way { pushed: false, by_object: object.is_some() };
    let params = object.as_ref().unwrap_or(params);
    let to = address(params, Some(&client))?;
    let valid = validated(x, params, &client, to.clone(), way).await?;
    valid.map_err(|error| Problem::Denied(Box::new(to), error))
}

/// Steps 6 to 9: who is signed in, what is missing, and the answer.
///
/// # Errors
/// Back to the client, or a fault of ours.
pub async fn proceed(x: Exchange, request: AuthorizationRequest) -> Outcome {
    let client = client_of(&x, &request).await?;
    let visitor = x.visitor().await?;
    let step = decide(&x, &request, &client, visitor.as_ref()).await?;
    let page = |path: &str| -> Result<String, Problem> { Ok(format!("{path}?request={}", seal(&x, &request)?)) };
    let next = match (step, visitor) {
        (Step::Issue(_), Some(_)) if request.to.device().is_some() => page("/device/confirm")?,
        (Step::Issue(authenticated), Some(visitor)) => {
            par::consume(&x, &request).await?;
            let answer = issue(&x, &request, &client, &visitor, *authenticated)?;
            return x.back(answer);
        }
        (Step::Deny(error), _) => return Err(Problem::Denied(Box::new(request.to), error)),
        (Step::Consent, _) => page("/consent")?,
        (Step::Choose, _) => page("/login/choose")?,
        (Step::StepUp { factor: Factor::Passkey, .. }, _) => page("/login/second-factor")?,
        (Step::StepUp { factor: Factor::Password, .. }, _) => page("/login")? + "&password=1",
        (Step::StepUp { factor: Factor::Totp, .. }, _) => page("/login/totp")?,
        (Step::Enrol { .. }, _) => page("/login/enrol")?,
        (Step::Login { .. } | Step::Issue(_) | Step::Need(_), _) => page("/login")?,
    };
    x.go(&next)
}

/// Asks the dispatcher, loading what it needs.
///
/// # Errors
/// Only when the store fails.
pub async fn decide(
    x: &Exchange,
    request: &AuthorizationRequest,
    client: &Client,
    visitor: Option<&Visitor>,
) -> Result<Step, Problem> {
    let subject = visitor.map(|v| subject::of(client, &v.account)).unwrap_or_default();
    let mut groups: Option<Vec<String>> = None;
    let mut passkeys: Option<Vec<Passkey>> = None;
    let mut consented: Option<Option<Consent>> = None;
    loop {
        let who = visitor.map(|v| Who {
            session: &v.session,
            account: &v.account,
            subject: &subject,
            groups: groups.as_deref(),
            consent: consented.as_ref().map(Option::as_ref),
            passkeys: passkeys.as_deref(),
        });
        let rp_id = &x.rp.rp_id;
        let mails = x.app.store.queues_mail();
        let facts = Facts { request, realm: &x.realm, rp_id, client, visitor: who, mails, now: x.now };
        match (next_step(&facts), visitor) {
            (Step::Need(Need::Groups), Some(v)) if groups.is_none() => {
                let found = x.app.store.list_groups_of(x.realm.id, &v.account.id).await?;
                groups = Some(found.into_iter().map(|group| group.name).collect());
            }
            (Step::Need(Need::Passkeys), Some(v)) if passkeys.is_none() => {
                passkeys = Some(x.app.store.list_passkeys(x.realm.id, &v.account.id).await?);
            }
            (Step::Need(Need::Consent), Some(v)) if consented.is_none() => {
                let found = x.app.store.find_consent(x.realm.id, &v.account.id, &client.id).await?;
                consented = Some(found.map(|c| Consent { scope: Scopes::from_stored(&c.scope), flow: c.flow }));
            }
            (step, _) => return Ok(step),
        }
    }
}

/// Seals the code and builds the answer that carries it back.
fn issue(
    x: &Exchange,
    request: &AuthorizationRequest,
    client: &Client,
    visitor: &Visitor,
    authenticated: Authenticated,
) -> Result<respond::Answer, Problem> {
    let code = Code {
        id: GrantId::new(x.now, x.app.random()),
        client_id: request.to.client_id().clone(),
        redirect_hash: sha256(request.to.redirect_uri().as_bytes()),
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        claims: request.claims.clone(),
        nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.clone(),
        jkt: request.jkt,
        by_consent: consent::is_asked(client, request.to.redirect_uri()),
        account_id: visitor.account.id,
        sid: visitor.session.sid,
        auth: AuthContext {
            acr: authenticated.acr,
            amr: authenticated.amr.into_iter().map(str::to_owned).collect(),
            auth_time: authenticated.auth_time,
        },
        expires: x.now.plus_s(code::LIFETIME_S),
    };
    event::note(|e| {
        e.account = Some(visitor.account.id.to_string());
        e.outcome = Some("issued");
    });
    Ok(respond::with_code(&request.to, &x.realm.issuer, &x.seal(Purpose::Code, &code)?))
}
