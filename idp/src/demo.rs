//! The demo application of `idp dev`: a relying party on the openidconnect crate, a stranger to the provider's code.
//! It signs in by code and PKCE, verifies the ID token and shows what it says. OIDC Core §3.1.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use idp_core::audit::AuditEvent;
use idp_core::client::{Client, ClientAuthMethod, ClientSettings, ClientState, SigningAlg};
use idp_core::encoding::{base64url, from_base64url};
use idp_core::id::ClientId;
use idp_core::realm::Realm;
use idp_core::secret::Secret;
use idp_core::time::Timestamp;
use idp_store::clients::{ClientUpdated, CreateClient, UpdateClient};
use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AuthenticationContextClass, AuthorizationCode, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet,
    HttpRequest, HttpResponse, IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, TokenResponse as _,
};
use poem::endpoint::{ToDynEndpoint, make};
use poem::http::header;
use poem::{EndpointExt as _, IntoResponse as _, Request, Response, Route, get};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::http::answer;
use crate::listen;
use crate::start::{StartError, audit};
use crate::views::{DemoClaims, DemoError, DemoHome, DemoRow, Frame, Page};

/// The demo's client id.
const CLIENT_ID: &str = "demo";
/// Its own cookie: ports of a host share them.
const COOKIE: &str = "idp-demo";
/// Browsers remembered at most.
const MOST_BROWSERS: usize = 1000;

type OidcClient =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;
type Fault = Box<dyn std::error::Error + Send + Sync>;

/// Registers the demo as a client of the realm; a changed port changes its redirect URI.
///
/// # Errors
/// Only when the store fails.
pub async fn ensure_client(app: &App, realm: &Realm, demo_url: &str) -> Result<ClientId, StartError> {
    #[expect(clippy::expect_used, reason = "a constant that is an identifier")]
    let id = ClientId::parse(CLIENT_ID).expect("is an identifier");
    let settings = ClientSettings {
        name: "Demo application".to_owned(),
        redirect_uris: vec![format!("{demo_url}/callback")],
        post_logout_redirect_uris: vec![format!("{demo_url}/")],
        auth_method: ClientAuthMethod::None,
        id_token_alg: SigningAlg::ES256,
        client_uri: Some(demo_url.to_owned()),
        ..ClientSettings::default()
    };
    let now = app.now();
    match app.store.find_client(realm.id, &id).await? {
        Some(client) if client.settings == settings => {}
        Some(client) => {
            let seen = client.updated;
            let op = UpdateClient {
                realm: realm.id,
                client: Client { settings, updated: now, ..client },
                seen,
                audit: audit(app, AuditEvent::ClientChanged, json!({ "client_id": CLIENT_ID })),
            };
            let _: ClientUpdated = app.store.write(op).await?;
        }
        None => {
            let client = Client {
                id: id.clone(),
                state: ClientState::Active,
                secret_hash: None,
                registration_hash: None,
                settings,
                created: now,
                updated: now,
            };
            let audit = audit(app, AuditEvent::ClientCreated, json!({ "client_id": CLIENT_ID }));
            app.store.write(CreateClient { realm: realm.id, client, audit }).await?;
        }
    }
    Ok(id)
}

/// What the demo remembers of one browser.
enum Visit {
    /// On its way through the provider.
    Away { state: CsrfToken, nonce: Nonce, verifier: Secret<String> },
    /// Signed in.
    Home { id_token: String, claims: Value, userinfo: Vec<DemoRow> },
}

struct Demo {
    app: Arc<App>,
    issuer: String,
    url: String,
    http: reqwest::Client,
    visits: Mutex<HashMap<String, Visit>>,
}

/// A running demo.
pub struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Stops serving.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::warn!(%error, "the demo ended badly");
        }
    }
}

/// Serves the demo.
pub fn serve(app: Arc<App>, issuer: &str, url: &str, client: ClientId, listener: tokio::net::TcpListener) -> Running {
    tracing::debug!(%client, "the demo is a client");
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap_or_default();
    let demo = Arc::new(Demo { app, issuer: issuer.to_owned(), url: url.to_owned(), http, visits: Mutex::default() });
    let route = Route::new()
        .at("/", get(page(&demo, home)))
        .at("/sign-in", get(page(&demo, |demo, request| Box::pin(depart(demo, request, false)))))
        .at("/step-up", get(page(&demo, |demo, request| Box::pin(depart(demo, request, true)))))
        .at("/callback", get(page(&demo, |demo, request| Box::pin(arrive(demo, request)))))
        .at("/sign-out", get(page(&demo, sign_out)))
        .at("/assets/*path", get(page(&demo, asset)));
    let endpoint = Arc::new(ToDynEndpoint(route.map_to_response()));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(listen::serve(listener, listen::Options::default(), endpoint, stopped));
    Running { stop, task }
}

type Answer = BoxFuture<'static, Result<Response, Fault>>;

/// An endpoint whose failures become the demo's error page.
fn page(demo: &Arc<Demo>, handler: fn(Arc<Demo>, Request) -> Answer) -> impl poem::Endpoint + use<> {
    let demo = Arc::clone(demo);
    make(move |request: Request| {
        let demo = Arc::clone(&demo);
        async move {
            let outcome = handler(Arc::clone(&demo), request).await;
            let mut response = outcome.unwrap_or_else(|fault| demo.fault("sign_in_failed", Some(fault.to_string())));
            answer::harden(&mut response, false);
            response.into_response()
        }
    })
}

impl Demo {
    fn render(&self, page: &Page) -> Result<Response, Fault> {
        let frame = Frame {
            realm_name: "Demo application".to_owned(),
            brand_color: None,
            lang: "en".to_owned(),
            request_id: String::new(),
            signed_in_as: None,
            help: None,
            privacy: None,
            now: self.app.now(),
        };
        Ok(answer::typed(200, "text/html; charset=utf-8", self.app.views.render(page, &frame)?))
    }

    fn fault(&self, code: &str, description: Option<String>) -> Response {
        let page = DemoError { code: code.to_owned(), description, home_href: "/".to_owned() };
        let mut response = self
            .render(&Page::DemoError(page))
            .unwrap_or_else(|_| answer::typed(500, "text/plain", "the demo's error page is broken"));
        response.set_status(poem::http::StatusCode::BAD_REQUEST);
        response
    }

    /// Takes what is remembered, if it is what is wanted: a second answer to a sign-in must not end the visit.
    fn take(&self, browser: &str, wanted: fn(&Visit) -> bool) -> Option<Visit> {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.get(browser).is_some_and(wanted) { visits.remove(browser) } else { None }
    }

    fn keep(&self, browser: &str, visit: Visit) {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if visits.len() >= MOST_BROWSERS {
            visits.clear();
        }
        visits.insert(browser.to_owned(), visit);
    }

    async fn oidc(&self) -> Result<(CoreProviderMetadata, OidcClient), Fault> {
        let metadata =
            CoreProviderMetadata::discover_async(IssuerUrl::new(self.issuer.clone())?, &caller(&self.http)).await?;
        let id = openidconnect::ClientId::new(CLIENT_ID.to_owned());
        let client = CoreClient::from_provider_metadata(metadata.clone(), id, None)
            .set_redirect_uri(RedirectUrl::new(format!("{}/callback", self.url))?);
        Ok((metadata, client))
    }
}

/// The openidconnect crate's requests through our HTTP client.
fn caller(http: &reqwest::Client) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, reqwest::Error>> {
    let http = http.clone();
    move |request| {
        let http = http.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let sent =
                http.request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send().await?;
            let mut response = HttpResponse::new(Vec::new());
            *response.status_mut() = sent.status();
            *response.headers_mut() = sent.headers().clone();
            *response.body_mut() = sent.bytes().await?.to_vec();
            Ok(response)
        })
    }
}

fn browser(request: &Request) -> Option<String> {
    let header = request.header(header::COOKIE)?;
    let pair = header.split(';').find_map(|p| p.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
    Some(pair.to_owned())
}

fn home(demo: Arc<Demo>, request: Request) -> Answer {
    Box::pin(async move {
        let visits = demo.visits.lock().unwrap_or_else(PoisonError::into_inner);
        let visit = browser(&request).and_then(|b| visits.get(&b).and_then(signed_in));
        drop(visits);
        let page = visit.map_or_else(
            || Page::DemoHome(DemoHome { issuer: demo.issuer.clone(), sign_in_href: "/sign-in".to_owned() }),
            Page::DemoClaims,
        );
        demo.render(&page)
    })
}

fn signed_in(visit: &Visit) -> Option<DemoClaims> {
    let Visit::Home { claims, userinfo, .. } = visit else { return None };
    let amr = claims.get("amr").and_then(Value::as_array).into_iter().flatten();
    Some(DemoClaims {
        claims_json: serde_json::to_string_pretty(claims).unwrap_or_default(),
        acr: claims.get("acr").and_then(Value::as_str).map(str::to_owned),
        amr: amr.filter_map(Value::as_str).map(str::to_owned).collect(),
        auth_time: claims.get("auth_time").and_then(Value::as_i64).map(|s| Timestamp::from_ms(s * 1000)),
        userinfo: userinfo.clone(),
        step_up_href: "/step-up".to_owned(),
        sign_out_href: "/sign-out".to_owned(),
    })
}

/// Sends the browser to the provider.
async fn depart(demo: Arc<Demo>, request: Request, step_up: bool) -> Result<Response, Fault> {
    let (_, client) = demo.oidc().await?;
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let mut ask = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scopes(["profile", "email"].map(|s| Scope::new(s.to_owned())))
        .set_pkce_challenge(challenge);
    if step_up {
        // A new ceremony, and a phishing-resistant one.
        ask = ask
            .add_auth_context_value(AuthenticationContextClass::new("phr".to_owned()))
            .set_max_age(std::time::Duration::ZERO);
    }
    let (url, state, nonce) = ask.url();
    let browser = browser(&request).unwrap_or_else(|| base64url(demo.app.random::<16>()));
    demo.keep(&browser, Visit::Away { state, nonce, verifier: Secret::new(verifier.into_secret()) });
    let mut response = answer::redirect(url.as_str());
    answer::header(&mut response, "set-cookie", &format!("{COOKIE}={browser}; Path=/; HttpOnly; SameSite=Lax"));
    Ok(response)
}

/// Takes the provider's answer, redeems the code and verifies the ID token.
async fn arrive(demo: Arc<Demo>, request: Request) -> Result<Response, Fault> {
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let browser = browser(&request).ok_or("this browser did not start here")?;
    let away = demo.take(&browser, |visit| matches!(visit, Visit::Away { .. }));
    let Some(Visit::Away { state, nonce, verifier }) = away else {
        return Ok(answer::redirect("/"));
    };
    if query.get("state") != Some(state.secret()) || query.get("iss") != Some(&demo.issuer) {
        return Err("the answer does not belong to this sign-in".into());
    }
    if let Some(error) = query.get("error") {
        return Ok(demo.fault(error, query.get("error_description").cloned()));
    }
    let call = caller(&demo.http);
    let code = AuthorizationCode::new(query.get("code").cloned().unwrap_or_default());
    let (_, client) = demo.oidc().await?;
    let tokens = client
        .exchange_code(code)?
        .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose().clone()))
        .request_async(&call)
        .await?;
    let id_token = tokens.id_token().ok_or("no ID token came")?;
    id_token.claims(&client.id_token_verifier(), &nonce)?;
    let text = id_token.to_string();
    let userinfo: CoreUserInfoClaims =
        client.user_info(tokens.access_token().clone(), None)?.request_async(&call).await?;
    let visit = Visit::Home { claims: payload(&text)?, id_token: text, userinfo: rows(&userinfo)? };
    demo.keep(&browser, visit);
    Ok(answer::redirect("/"))
}

/// The claims of a verified ID token, as they stand in it.
fn payload(token: &str) -> Result<Value, Fault> {
    let payload = token.split('.').nth(1).and_then(from_base64url).ok_or("the ID token has no payload")?;
    Ok(serde_json::from_slice(&payload)?)
}

fn rows(userinfo: &CoreUserInfoClaims) -> Result<Vec<DemoRow>, Fault> {
    let value = serde_json::to_value(userinfo)?;
    let claims = value.as_object().into_iter().flatten().filter(|(_, v)| !v.is_null());
    Ok(claims
        .map(|(name, value)| DemoRow {
            name: name.clone(),
            value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        })
        .collect())
}

/// RP-initiated logout.
fn sign_out(demo: Arc<Demo>, request: Request) -> Answer {
    Box::pin(async move {
        let visit = browser(&request).and_then(|b| demo.take(&b, |visit| matches!(visit, Visit::Home { .. })));
        let Some(Visit::Home { id_token, .. }) = visit else { return Ok(answer::redirect("/")) };
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("id_token_hint", &id_token)
            .append_pair("post_logout_redirect_uri", &format!("{}/", demo.url))
            .finish();
        Ok(answer::redirect(&format!("{}/logout?{query}", demo.issuer)))
    })
}

fn asset(demo: Arc<Demo>, request: Request) -> Answer {
    Box::pin(async move {
        let path = request.uri().path().trim_start_matches("/assets/");
        Ok(match demo.app.views.asset(path) {
            Some(asset) => answer::typed(200, asset.content_type, asset.bytes.to_vec()),
            None => answer::typed(404, "text/plain", "no such file"),
        })
    })
}
