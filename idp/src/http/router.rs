//! The only list of routes, and what happens around every handler: realm by host, request id, errors, headers.

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use idp_core::realm::{Realm, RelyingParty};
use poem::endpoint::{DynEndpoint, ToDynEndpoint};
use poem::http::{Method, header};
use poem::{Endpoint, Request, Response, Route};

use super::answer::{self, Recipient};
use super::exchange::{Exchange, Outcome};
use super::problem::{Problem, Surface, render};
use super::{account, assets, device, discovery, login, oauth, setup, sign_up, webauthn, well_known};
use crate::app::App;
use crate::event;
use crate::listen::ClientAddr;
use crate::views::ErrorKind;

type Handler = fn(Exchange) -> BoxFuture<'static, Outcome>;

/// One route.
pub struct Row {
    pub method: Method,
    pub path: &'static str,
    pub surface: Surface,
    handler: Handler,
}

macro_rules! routes {
    ($($method:ident $path:literal $surface:ident => $handler:path;)*) => {
        /// Every route of the main listener.
        pub const ROUTES: &[Row] = &[$(Row {
            method: Method::$method,
            path: $path,
            surface: Surface::$surface,
            handler: |x| Box::pin($handler(x)),
        },)*];
    };
}

routes! {
    GET     "/"                                        Page   => account::home;
    GET     "/.well-known/openid-configuration"        OAuth  => discovery::metadata;
    OPTIONS "/.well-known/openid-configuration"        OAuth  => discovery::preflight;
    GET     "/.well-known/oauth-authorization-server"  OAuth  => discovery::metadata;
    OPTIONS "/.well-known/oauth-authorization-server"  OAuth  => discovery::preflight;
    GET     "/.well-known/jwks.json"                   OAuth  => discovery::jwks;
    OPTIONS "/.well-known/jwks.json"                   OAuth  => discovery::preflight;
    GET     "/.well-known/webauthn"                    OAuth  => well_known::webauthn;
    GET     "/.well-known/passkey-endpoints"           OAuth  => well_known::passkey_endpoints;
    GET     "/.well-known/change-password"             OAuth  => well_known::change_password;
    GET     "/.well-known/assetlinks.json"             OAuth  => well_known::asset_links;
    GET     "/.well-known/apple-app-site-association"  OAuth  => well_known::site_association;
    GET     "/authorize"                               Page   => oauth::authorize::start;
    POST    "/authorize"                               Page   => oauth::authorize::post;
    GET     "/authorize/resume"                        Page   => oauth::authorize::resume;
    POST    "/par"                                     OAuth  => oauth::par::post;
    OPTIONS "/par"                                     OAuth  => oauth::token::preflight;
    POST    "/token"                                   OAuth  => oauth::token::post;
    OPTIONS "/token"                                   OAuth  => oauth::token::preflight;
    POST    "/device_authorization"                    OAuth  => oauth::device_authorization::post;
    POST    "/introspect"                              OAuth  => oauth::introspect::post;
    POST    "/revoke"                                  OAuth  => oauth::revoke::post;
    OPTIONS "/revoke"                                  OAuth  => oauth::token::preflight;
    POST    "/register"                                OAuth  => oauth::register::post;
    GET     "/register/:client_id"                     Bearer => oauth::register::get;
    PUT     "/register/:client_id"                     Bearer => oauth::register::put;
    DELETE  "/register/:client_id"                     Bearer => oauth::register::delete;
    GET     "/userinfo"                                Bearer => oauth::userinfo::get;
    POST    "/userinfo"                                Bearer => oauth::userinfo::post;
    OPTIONS "/userinfo"                                Bearer => oauth::token::preflight;
    GET     "/logout"                                  Page   => oauth::logout::get;
    POST    "/logout"                                  Page   => oauth::logout::post;
    POST    "/logout/confirm"                          Page   => oauth::logout::confirm;
    GET     "/login"                                   Page   => login::page::get;
    POST    "/login"                                   Page   => login::page::post;
    POST    "/login/password"                          Page   => login::password::post;
    GET     "/login/second-factor"                     Page   => login::second_factor::get;
    GET     "/login/totp"                              Page   => login::totp::get;
    POST    "/login/totp"                              Page   => login::totp::post;
    GET     "/login/recovery"                          Page   => login::recovery::get;
    POST    "/login/recovery"                          Page   => login::recovery::post;
    POST    "/login/recovery/prove"                    Page   => login::recovery::prove;
    POST    "/login/recovery/finish"                   Page   => login::recovery::finish;
    GET     "/login/recovery/stopped"                  Page   => account::recovery::stopped;
    GET     "/login/choose"                            Page   => login::choose::get;
    POST    "/login/select"                            Page   => login::choose::post;
    GET     "/login/away"                              Page   => login::away::get;
    GET     "/login/handoff"                           Page   => login::handoff::get;
    GET     "/login/enrol"                             Page   => login::enrol::get;
    POST    "/login/enrol/later"                       Page   => login::enrol::later;
    POST    "/login/enrol/code"                        Page   => login::confirm::send;
    POST    "/login/enrol/confirm"                     Page   => login::confirm::check;
    POST    "/login/continue"                          Page   => login::leave::proceed;
    POST    "/login/cancel"                            Page   => login::leave::cancel;
    GET     "/consent"                                 Page   => login::consent::get;
    POST    "/consent"                                 Page   => login::consent::post;
    GET     "/device"                                  Page   => device::get;
    POST    "/device"                                  Page   => device::post;
    GET     "/device/confirm"                          Page   => device::confirm;
    POST    "/device/confirm"                          Page   => device::answer;
    GET     "/webauthn/session"                        Api    => webauthn::session::get;
    GET     "/webauthn/signals"                        Api    => webauthn::signals::get;
    POST    "/webauthn/register/options"               Api    => webauthn::register_options::post;
    POST    "/webauthn/register"                       Api    => webauthn::register::post;
    POST    "/webauthn/authenticate/options"           Api    => webauthn::authenticate_options::post;
    POST    "/webauthn/authenticate"                   Api    => webauthn::authenticate::post;
    GET     "/setup"                                   Page   => setup::get;
    POST    "/setup"                                   Page   => setup::post;
    GET     "/setup/done"                              Page   => setup::done;
    GET     "/signup"                                  Page   => sign_up::get;
    POST    "/signup"                                  Page   => sign_up::post;
    GET     "/account"                                 Page   => account::profile::get;
    POST    "/account"                                 Page   => account::profile::post;
    POST    "/account/email"                           Page   => account::profile::change_email;
    POST    "/account/email/code"                      Page   => account::email::send;
    POST    "/account/email/verify"                    Page   => account::email::verify;
    GET     "/account/security"                        Page   => account::security::get;
    POST    "/account/security/rename"                 Page   => account::security::rename;
    GET     "/account/security/remove"                 Page   => account::security::confirm_remove;
    POST    "/account/security/remove"                 Page   => account::security::remove;
    POST    "/account/security/ask-passkey"            Page   => account::preferences::post;
    GET     "/account/sessions"                        Page   => account::sessions::get;
    POST    "/account/sessions/end"                    Page   => account::sessions::end;
    POST    "/account/sessions/end-others"             Page   => account::sessions::end_others;
    GET     "/account/applications"                    Page   => account::applications::get;
    POST    "/account/applications/revoke"             Page   => account::applications::revoke;
    GET     "/account/activity"                        Page   => account::activity::get;
    GET     "/account/password"                        Page   => account::password::get;
    POST    "/account/password"                        Page   => account::password::post;
    POST    "/account/password/remove"                 Page   => account::password::remove;
    GET     "/account/totp"                            Page   => account::totp::get;
    POST    "/account/totp"                            Page   => account::totp::post;
    POST    "/account/totp/remove"                     Page   => account::totp::remove;
    GET     "/account/recovery-codes"                  Page   => account::recovery_codes::get;
    POST    "/account/recovery-codes"                  Page   => account::recovery_codes::post;
    GET     "/account/recovery/cancel"                 Page   => account::recovery::get;
    POST    "/account/recovery/cancel"                 Page   => account::recovery::post;
    GET     "/assets/*path"                            Page   => assets::get;
}

/// The routes as one endpoint for the listener.
pub fn app_endpoint(app: &Arc<App>) -> Arc<dyn DynEndpoint<Output = Response>> {
    let mut paths: Vec<&'static str> = ROUTES.iter().map(|r| r.path).collect();
    paths.sort_unstable();
    paths.dedup();
    let mut route = Route::new();
    for path in paths {
        route = route.at(path, ByMethod::of(app, path));
    }
    // poem gives "/" to a catch-all even where the path itself is registered.
    let elsewhere =
        Elsewhere { front: ByMethod::of(app, "/"), unknown: Served { app: Arc::clone(app), path: None, row: None } };
    let route = route.at("/*rest", elsewhere);
    let random = Arc::clone(app.random_source());
    Arc::new(ToDynEndpoint(event::observe(route, random, Arc::clone(&app.metrics))))
}

/// The rows of one path.
struct ByMethod {
    methods: Vec<(Method, Served)>,
    other: Served,
}

impl ByMethod {
    fn of(app: &Arc<App>, path: &'static str) -> Self {
        // A method that a path does not have goes to the same renderer as an unknown path.
        let served = |row| Served { app: Arc::clone(app), path: Some(path), row };
        let rows = ROUTES.iter().filter(|r| r.path == path);
        let methods = rows.map(|row| (row.method.clone(), served(Some(row))));
        Self { methods: methods.collect(), other: served(None) }
    }
}

impl Endpoint for ByMethod {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let asked = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let served = self.methods.iter().find(|(method, _)| method == asked).map_or(&self.other, |(_, s)| s);
        served.call(request).await
    }
}

/// Whatever no other path takes.
struct Elsewhere {
    front: ByMethod,
    unknown: Served,
}

impl Endpoint for Elsewhere {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() == "/" { self.front.call(request).await } else { self.unknown.call(request).await }
    }
}

/// A row with the application; without a row the answer is 404 or, on a known path, 405.
struct Served {
    app: Arc<App>,
    /// The pattern that took the request.
    path: Option<&'static str>,
    row: Option<&'static Row>,
}

impl Endpoint for Served {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let host = host_of(&request);
        let realm = match find_realm(&self.app, host.as_deref()).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(misdirected()),
            Err(error) => return Ok(unavailable(&error)),
        };
        Ok(self.serve((realm.0, realm.1, host.unwrap_or_default()), request).await)
    }
}

impl Served {
    async fn serve(&self, (realm, rp, host): (Arc<Realm>, RelyingParty, String), request: Request) -> Response {
        let request_id = event::request_id().map(|id| id.to_string()).unwrap_or_default();
        let address = request.data::<ClientAddr>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |a| a.0);
        event::note(|e| e.realm = Some(realm.name.clone()));
        let method = request.method().clone();
        let known: Vec<&Row> = ROUTES.iter().filter(|r| Some(r.path) == self.path).collect();
        let surface = self.row.or_else(|| known.first().copied()).map_or(Surface::Page, |r| r.surface);
        // Whoever sends JSON reads JSON, also where others get a page.
        let json = request.header(header::CONTENT_TYPE).is_some_and(|sent| sent.starts_with("application/json"));
        let surface = if json && surface == Surface::Page { Surface::Api } else { surface };
        let mut allow = None;
        let sends_proof = request.headers().contains_key("dpop");
        let outcome = match self.row {
            Some(row) if row.is_at_home_alone() && !realm.is_home(&host) => lead_home(&realm, &request),
            Some(row) => {
                let exchange = Exchange::new(
                    Arc::clone(&self.app),
                    (Arc::clone(&realm), rp, host),
                    request,
                    address,
                    request_id.clone(),
                );
                // A panic is a bug of ours, never the end of the process or a hanging request.
                AssertUnwindSafe((row.handler)(exchange)).catch_unwind().await.unwrap_or_else(|_| Err(panicked()))
            }
            None if !known.is_empty() => {
                allow = Some(allowed(&known));
                Err(Problem::api(405, "method_not_allowed", "this address does not answer that method"))
            }
            None => Err(Problem::page(404, ErrorKind::NotFound, "not_found")),
        };
        let https = realm.is_https();
        let mut response = outcome.unwrap_or_else(|problem| {
            problem.note();
            let recipient = Recipient {
                app: &self.app,
                realm: &realm,
                method: &method,
                request_id: &request_id,
                signed_in_as: None,
                now: self.app.now(),
            };
            render(problem, surface, &recipient)
        });
        if let Some(allow) = allow {
            answer::header(&mut response, "allow", &allow);
        }
        if sends_proof {
            answer::header(&mut response, "dpop-nonce", &oauth::proof::next_nonce(&self.app, &realm));
        }
        answer::harden(&mut response, https);
        response
    }
}

/// Pages that other hosts of a realm have too: for passkeys that work there alone, and for what comes from elsewhere by
/// `POST`, which they send on.
const EVERYWHERE: &[&str] = &["/assets/*path", "/login/away", "/setup", "/setup/done"];

impl Row {
    /// Whether only the issuer's host has it: there are the session, the authorization request and the account.
    fn is_at_home_alone(&self) -> bool {
        let sent_on = self.method == Method::POST && matches!(self.path, "/authorize" | "/logout");
        self.surface == Surface::Page && !EVERYWHERE.contains(&self.path) && !sent_on
    }
}

/// The same address at the issuer's host. A form belongs to a page of its own host, so none is sent on.
fn lead_home(realm: &Realm, request: &Request) -> Outcome {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err(Problem::wrong_host(realm));
    }
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    Ok(answer::redirect(&format!("{}{path}", realm.issuer)))
}

/// The methods of one path's rows, for `Allow` (RFC 9110 §15.5.6).
fn allowed(rows: &[&Row]) -> String {
    let mut methods: Vec<&str> = rows.iter().map(|r| r.method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    methods.sort_unstable();
    methods.join(", ")
}

fn panicked() -> Problem {
    Problem::internal("a handler panicked")
}

/// The host as the browser addressed it: `:authority` of HTTP/2, else `Host`. Forwarded headers never count.
fn host_of(request: &Request) -> Option<String> {
    match request.uri().authority() {
        Some(authority) => Some(authority.as_str().to_owned()),
        None => request.headers().get(header::HOST)?.to_str().ok().map(str::to_owned),
    }
}

async fn find_realm(app: &App, host: Option<&str>) -> Result<Option<(Arc<Realm>, RelyingParty)>, idp_store::Error> {
    let Some(host) = host else { return Ok(None) };
    let realm = app.store.cached_realm_by_host(host).await?;
    Ok(realm.and_then(|realm| realm.relying_party(host).cloned().map(|rp| (realm, rp))))
}

/// RFC 9110 §15.5.20: no realm lives at this host. Says nothing about which ones do.
fn misdirected() -> Response {
    let mut response =
        answer::typed(421, "text/plain; charset=utf-8", "no identity provider answers at this host name\n");
    answer::harden(&mut response, false);
    response
}

fn unavailable(error: &idp_store::Error) -> Response {
    tracing::error!(%error, "the realms cannot be read");
    let mut response = answer::typed(503, "text/plain; charset=utf-8", "temporarily unavailable\n");
    answer::header(&mut response, "retry-after", "1");
    answer::harden(&mut response, false);
    response
}
