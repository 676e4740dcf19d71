//! A relying party: builds authorization requests with PKCE, redeems codes, verifies ID tokens.

use std::collections::HashMap;
use std::sync::Arc;

use idp_core::audit::AuditEvent;
use idp_core::client::{Client, ClientAuthMethod, ClientSettings, ClientState, ConsentMode, SigningAlg};
use idp_core::encoding::base64url;
use idp_core::id::{ClientId, Sid};
use idp_core::secret::sha256;
use idp_store::clients::CreateClient;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;
use url::form_urlencoded;

use super::jwt::{Jwt, Key};
use super::{Browser, Page, Person, World, number};

/// A registered client and its secret.
#[derive(Clone)]
pub struct Rp {
    pub client: Client,
    pub secret: Option<String>,
    /// Signs its assertions.
    pub key: Option<Arc<Key>>,
    /// Signs its DPoP proofs, at each request.
    pub dpop: Option<Arc<Key>>,
}

/// One authorization request and what its sender remembers.
#[derive(Clone, Debug)]
pub struct Ask {
    pub params: Vec<(String, String)>,
    pub verifier: String,
}

/// What came back to the redirect URI.
#[derive(Clone, Debug)]
pub struct Answer {
    pub url: String,
    pub params: HashMap<String, String>,
}

/// What a code bought.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub access_token: String,
    pub id_token: String,
    /// Empty where the client gets none.
    pub refresh_token: String,
    /// Verified claims of the ID token.
    pub claims: Value,
    /// The code that was redeemed.
    pub code: String,
}

impl Tokens {
    /// The session they were issued in.
    pub fn sid(&self) -> Sid {
        self.claims["sid"].as_str().unwrap().parse().unwrap()
    }
}

impl World {
    /// A public client of the realm's own (no consent page), ID tokens by RS256.
    pub async fn rp(&self, id: &str) -> Rp {
        self.rp_with(id, |_| {}).await
    }

    /// The same after a change of its settings. A method other than `none` brings a secret with odd characters.
    pub async fn rp_with(&self, id: &str, change: impl FnOnce(&mut ClientSettings)) -> Rp {
        let mut settings = ClientSettings {
            name: format!("Application {id}"),
            redirect_uris: vec![format!("https://{id}.example/cb")],
            post_logout_redirect_uris: vec![format!("https://{id}.example/bye")],
            auth_method: ClientAuthMethod::None,
            consent: ConsentMode::Skip,
            client_uri: Some(format!("https://{id}.example/")),
            ..ClientSettings::default()
        };
        change(&mut settings);
        let key = (settings.auth_method == ClientAuthMethod::PrivateKeyJwt).then(|| Arc::new(Key::es256(id)));
        if let Some(key) = &key {
            // Unless the test has keys of its own.
            settings.jwks.get_or_insert_with(|| key.jwks());
        }
        let secret = settings.auth_method.has_secret().then(|| format!("s:e&c=r%+ t/ü{id}"));
        let now = self.clock.now();
        let client = Client {
            id: ClientId::parse(id).unwrap(),
            state: ClientState::Active,
            secret_hash: secret.as_ref().map(|s| sha256(s.as_bytes())),
            registration_hash: None,
            settings,
            created: now,
            updated: now,
        };
        let audit = self.audit(AuditEvent::ClientCreated);
        assert!(self.app.store.write(CreateClient { realm: self.realm, client: client.clone(), audit }).await.unwrap());
        Rp { client, secret, key, dpop: None }
    }

    /// A whole sign-in with the person's passkey: the answer at the redirect URI. A consent page is agreed to.
    pub async fn authorize(&self, browser: &mut Browser, person: &mut Person, ask: &Ask) -> Answer {
        let mut page = browser.open(&ask.url()).await;
        if page.has("login-submit") {
            let sealed = page.sealed().expect("the request is on the page");
            let next = browser.sign_in_with_passkey(person, Some(&sealed)).await;
            page = browser.open(&next).await;
        }
        if page.has("consent-allow") {
            page = browser.submit(&page, "/consent", &[("decision", "allow")]).await;
            page = browser.follow(page).await;
        }
        Answer::of(&page)
    }

    /// A whole sign-in, code redeemed, ID token verified.
    pub async fn tokens(&self, browser: &mut Browser, person: &mut Person, rp: &Rp) -> Tokens {
        let ask = rp.ask();
        let code = self.authorize(browser, person, &ask).await.code();
        let answer = rp.redeem(self, &ask, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.accept(rp, &ask, &code, &answer).await
    }

    /// Reads a token answer and verifies its ID token.
    pub async fn accept(&self, rp: &Rp, ask: &Ask, code: &str, answer: &Page) -> Tokens {
        let body = answer.value();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let claims = self.verify(rp, &text("id_token")).await;
        assert_eq!(claims["nonce"].as_str(), ask.one("nonce"), "the nonce comes back");
        Tokens {
            access_token: text("access_token"),
            id_token: text("id_token"),
            refresh_token: text("refresh_token"),
            claims,
            code: code.to_owned(),
        }
    }

    /// A whole sign-in for these scopes.
    pub async fn tokens_for(&self, browser: &mut Browser, person: &mut Person, rp: &Rp, scope: &str) -> Tokens {
        let ask = rp.ask().with("scope", scope);
        let code = self.authorize(browser, person, &ask).await.code();
        let answer = rp.redeem(self, &ask, &code).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.accept(rp, &ask, &code, &answer).await
    }

    /// Verifies an ID token against the JWK set as a client would, by the injected clock.
    pub async fn verify(&self, rp: &Rp, id_token: &str) -> Value {
        let jwks: JwkSet = serde_json::from_value(self.browser().get("/.well-known/jwks.json").await.value()).unwrap();
        let header = decode_header(id_token).unwrap();
        let alg = match rp.client.settings.id_token_alg {
            SigningAlg::RS256 => Algorithm::RS256,
            SigningAlg::ES256 => Algorithm::ES256,
            SigningAlg::EdDSA => Algorithm::EdDSA,
            SigningAlg::PS256 => Algorithm::PS256,
        };
        let jwk = jwks.find(header.kid.as_deref().expect("a kid")).expect("the key is published");
        let mut validation = Validation::new(alg);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[rp.client.id.as_str()]);
        // By our clock, below.
        validation.validate_exp = false;
        let claims = decode::<Value>(id_token, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap().claims;
        let now = self.clock.now().secs();
        assert!(claims["exp"].as_i64().unwrap() > now && claims["iat"].as_i64().unwrap() <= now, "{claims}");
        claims
    }

    /// `GET /userinfo` with a token.
    pub async fn userinfo(&self, access_token: &str) -> Page {
        let mut browser = self.browser();
        let request = browser.request(reqwest::Method::GET, "/userinfo").bearer_auth(access_token);
        browser.send(request).await
    }
}

impl Rp {
    pub fn id(&self) -> &str {
        self.client.id.as_str()
    }

    pub fn redirect_uri(&self) -> &str {
        &self.client.settings.redirect_uris[0]
    }

    /// A request for `openid` with state, nonce and PKCE.
    pub fn ask(&self) -> Ask {
        let n = number();
        let verifier = base64url(sha256(&n.to_be_bytes()));
        let challenge = base64url(sha256(verifier.as_bytes()));
        let (state, nonce) = (format!("state {n} +&=%"), format!("nonce-{n}"));
        let params = [
            ("response_type", "code"),
            ("client_id", self.id()),
            ("redirect_uri", self.redirect_uri()),
            ("scope", "openid"),
            ("state", &state),
            ("nonce", &nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        Ask { params: params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(), verifier }
    }

    /// Redeems a code in this client's own way.
    pub async fn redeem(&self, world: &World, ask: &Ask, code: &str) -> Page {
        self.token(world, &self.code_params(ask, code)).await
    }

    /// The parameters that redeem a code.
    pub fn code_params<'a>(&'a self, ask: &'a Ask, code: &'a str) -> Vec<(&'a str, &'a str)> {
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", ask.one("redirect_uri").unwrap_or_default()),
        ];
        if ask.one("code_challenge").is_some() {
            params.push(("code_verifier", &ask.verifier));
        }
        params
    }

    /// `POST /token` with this client's authentication.
    pub async fn token(&self, world: &World, params: &[(&str, &str)]) -> Page {
        self.post(world, "/token", params).await
    }

    /// `grant_type=refresh_token`.
    pub async fn refresh(&self, world: &World, token: &str) -> Page {
        self.token(world, &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// `POST /introspect`.
    pub async fn introspect(&self, world: &World, token: &str) -> Value {
        let page = self.post(world, "/introspect", &[("token", token)]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        page.value()
    }

    /// `POST /revoke`.
    pub async fn revoke(&self, world: &World, token: &str) {
        let page = self.post(world, "/revoke", &[("token", token)]).await;
        assert_eq!(page.status, 200, "{}", page.body);
    }

    /// A form with this client's authentication and, where it has a key for them, a DPoP proof; once more with the
    /// nonce it is told to use.
    pub async fn post(&self, world: &World, path: &str, params: &[(&str, &str)]) -> Page {
        let page = self.post_proved(world, path, params, |proof| proof).await;
        match page.header("dpop-nonce") {
            Some(nonce) if page.error() == "use_dpop_nonce" => {
                self.post_proved(world, path, params, |proof| proof.with("nonce", nonce)).await
            }
            _ => page,
        }
    }

    /// The same once, with a proof bent by `bend`.
    pub async fn post_proved(
        &self,
        world: &World,
        path: &str,
        params: &[(&str, &str)],
        bend: impl FnOnce(Jwt) -> Jwt,
    ) -> Page {
        let mut browser = world.browser();
        let mut params: Vec<(&str, &str)> = params.to_vec();
        let mut request = browser.request(reqwest::Method::POST, path);
        let now = world.clock.now().secs();
        let assertion = self.key.as_ref().map(|key| Jwt::assertion(self.id(), key, &world.issuer, now).sign(key));
        match self.client.settings.auth_method {
            ClientAuthMethod::ClientSecretBasic => {
                request = request.header("authorization", basic(self.id(), self.secret.as_deref().unwrap()));
            }
            ClientAuthMethod::ClientSecretPost => {
                params.push(("client_id", self.id()));
                params.push(("client_secret", self.secret.as_deref().unwrap()));
            }
            ClientAuthMethod::None => params.push(("client_id", self.id())),
            ClientAuthMethod::PrivateKeyJwt => {
                params.push(("client_assertion_type", ASSERTION_TYPE));
                params.push(("client_assertion", assertion.as_deref().unwrap()));
            }
        }
        if let Some(key) = &self.dpop {
            let address = format!("{}{path}", world.issuer);
            request = request.header("dpop", bend(Jwt::proof(key, ("POST", &address), now)).sign(key));
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&params));
        browser.send(request).await
    }

    /// `GET /userinfo` with a token bound to this client's key.
    pub async fn userinfo(&self, world: &World, token: &str) -> Page {
        let nonce = self.userinfo_proved(world, token, |proof| proof).await.header("dpop-nonce").unwrap().to_owned();
        self.userinfo_proved(world, token, |proof| proof.with("nonce", nonce)).await
    }

    /// The same once, with a proof bent by `bend`.
    pub async fn userinfo_proved(&self, world: &World, token: &str, bend: impl FnOnce(Jwt) -> Jwt) -> Page {
        let key = self.dpop.as_ref().unwrap();
        let address = format!("{}/userinfo", world.issuer);
        let proof = Jwt::proof(key, ("GET", &address), world.clock.now().secs());
        let proof = bend(proof.with("ath", base64url(sha256(token.as_bytes())))).sign(key);
        let mut browser = world.browser();
        let request = browser.request(reqwest::Method::GET, "/userinfo").header("dpop", proof);
        browser.send(request.header("authorization", format!("DPoP {token}"))).await
    }
}

/// RFC 7523 §2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

impl Ask {
    /// The value of a parameter.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Sets a parameter.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a parameter even where it is there already.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.params.retain(|(n, _)| n != name);
        self
    }

    /// The parameters, form-encoded.
    pub fn query(&self) -> String {
        encode(&self.fields())
    }

    pub fn fields(&self) -> Vec<(&str, &str)> {
        self.params.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect()
    }

    /// Path and query for a browser.
    pub fn url(&self) -> String {
        format!("/authorize?{}", self.query())
    }
}

impl Answer {
    /// Reads where a page sends the browser, or what it posts there.
    pub fn of(page: &Page) -> Self {
        if let Some((url, fields)) = page.posted() {
            return Self { url, params: fields.into_iter().collect() };
        }
        let url = page.next().unwrap_or_else(|| panic!("no answer to the client ({}): {}", page.status, page.body));
        Self { params: query_of(&url), url }
    }

    pub fn code(&self) -> String {
        self.params.get("code").unwrap_or_else(|| panic!("no code: {}", self.url)).clone()
    }

    pub fn error(&self) -> &str {
        self.params.get("error").map_or("", String::as_str)
    }
}

/// The parameters of an address: of its fragment where it has one.
pub fn query_of(url: &str) -> HashMap<String, String> {
    let query = url.split_once('#').or_else(|| url.split_once('?')).map_or("", |(_, q)| q);
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Form encoding.
pub fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// `Basic` of form-encoded parts (RFC 6749 §2.3.1).
pub fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encoded(id), encoded(secret));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
