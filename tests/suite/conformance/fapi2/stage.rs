//! The suite's side of a FAPI 2.0 module: two clients with keys, pushed requests, sender-constrained tokens.
//! FAPI 2.0 Security Profile §5.3.2, RFC 9126 §2, RFC 9449 §4 to §9.

use idp_core::client::{ClientAuthMethod, ClientProfile, ClientSettings, ConsentMode, GrantType, SigningAlg};
use idp_core::encoding::base64url;
use idp_core::secret::sha256;
use reqwest::Method;
use serde_json::{Value, json};

use crate::conformance::checks;
use crate::conformance::op::{Callback, Landing, Mode, Op, Press};
use crate::world::jwt::{Jwt, Key};
use crate::world::{Ask, Page, Rp, Tokens, encode};

pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why the tests of this plan wait.
macro_rules! fapi2 {
    ($($(#[$meta:meta])* async fn $name:ident($fapi:ident) $body:block)*) => {$(
        $(#[$meta])*
        #[tokio::test]
        async fn $name() {
            let mut $fapi = $crate::conformance::fapi2::stage::Fapi::start().await;
            $body
        }
    )*};
}
pub(super) use fapi2;

/// A client of the profile, its keys, and the nonces it was given.
pub struct Party {
    pub rp: Rp,
    /// Signs client assertions.
    pub key: Key,
    /// Signs DPoP proofs.
    pub dpop: Key,
    nonces: Nonces,
}

#[derive(Default)]
struct Nonces {
    token: Option<String>,
    resource: Option<String>,
}

/// What a module has at hand.
pub struct Fapi {
    pub op: Op,
    pub first: Party,
    /// Its redirect URI has a query.
    pub second: Party,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    First,
    Second,
}

/// How a request authenticates and proves its key.
pub enum Auth<'a> {
    /// An assertion for the issuer.
    Own,
    /// The assertion, bent.
    Bent(&'a (dyn Fn(Jwt, &Key) -> String + Sync)),
    /// These parameters, nothing else.
    Fields(Vec<(&'static str, String)>),
}

/// What becomes of the DPoP proof of a request.
pub enum Proof<'a> {
    Own,
    Bent(&'a (dyn Fn(Jwt) -> Jwt + Sync)),
    None,
}

/// A request that was pushed, and its reference.
pub struct Pushed {
    pub ask: Ask,
    pub request_uri: String,
    pub expires_in: i64,
}

impl Fapi {
    pub async fn start() -> Self {
        Self::with_keys(Key::es256("one"), Key::es256("two")).await
    }

    pub async fn with_keys(one: Key, two: Key) -> Self {
        let op = Op::start(Mode::Query).await;
        let first = Party::register(&op, "fapi", one, "").await;
        let second = Party::register(&op, "fapi2", two, "?dummy1=lorem&dummy2=ipsum").await;
        Self { op, first, second }
    }

    pub fn party(&self, who: Who) -> &Party {
        match who {
            Who::First => &self.first,
            Who::Second => &self.second,
        }
    }

    pub fn party_mut(&mut self, who: Who) -> &mut Party {
        match who {
            Who::First => &mut self.first,
            Who::Second => &mut self.second,
        }
    }

    pub fn now(&self) -> i64 {
        self.op.w.clock.now().secs()
    }

    /// The request of each module: code, `scope=openid`, state, nonce, PKCE with S256.
    pub fn request(&self, who: Who) -> Ask {
        self.party(who).rp.ask()
    }

    /// `POST` of a form to an endpoint of the authorization server; once more with the nonce it asks for.
    pub async fn post(
        &mut self,
        who: Who,
        endpoint: &str,
        (auth, proof): (&Auth<'_>, &Proof<'_>),
        form: &[(&str, &str)],
    ) -> Page {
        let address = self.op.metadata_text(endpoint).to_owned();
        let now = self.now();
        for attempt in 0..2 {
            let issuer = self.op.w.issuer.clone();
            let party = self.party_mut(who);
            let more = party.authentication(auth, &issuer, now);
            let mut fields = form.to_vec();
            fields.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
            let header = party.proof(proof, ("POST", &address), None, now);
            let mut client = self.op.w.browser();
            let mut request = client.request(Method::POST, &address);
            request = request.header("content-type", "application/x-www-form-urlencoded").body(encode(&fields));
            if let Some(header) = header {
                request = request.header("dpop", header);
            }
            let page = client.send(request).await;
            let nonce = page.header("dpop-nonce").map(str::to_owned);
            if nonce.is_some() {
                self.party_mut(who).nonces.token = nonce;
            }
            let again = page.status == 400 && page.error() == "use_dpop_nonce" && attempt == 0;
            if !again {
                return page;
            }
        }
        panic!("a nonce that is fresh is enough");
    }

    /// Pushes a request without a proof; the answer as it is.
    pub async fn push(&mut self, who: Who, ask: &Ask) -> Page {
        self.push_with(who, ask, (&Auth::Own, &Proof::None)).await
    }

    pub async fn push_with(&mut self, who: Who, ask: &Ask, how: (&Auth<'_>, &Proof<'_>)) -> Page {
        self.post(who, "pushed_authorization_request_endpoint", how, &ask.fields()).await
    }

    /// A pushed request that was taken: 201, a reference that cannot be guessed, a lifetime below ten minutes.
    pub async fn pushed(&mut self, who: Who, ask: Ask) -> Pushed {
        let page = self.push(who, &ask).await;
        taken(ask, &page)
    }

    /// Parameters of the redirect: what OAuth and OpenID Connect require beside the reference.
    pub fn redirect(&self, who: Who, pushed: &Pushed) -> Ask {
        let mut ask = pushed.ask.clone();
        ask.params.retain(|(name, _)| ["response_type", "scope"].contains(&name.as_str()));
        ask.with("client_id", self.party(who).rp.id()).with("request_uri", &pushed.request_uri)
    }

    /// From a pushed request to the answer at the redirect URI.
    pub async fn authorize(&mut self, who: Who, pushed: &Pushed) -> Callback {
        let redirect = self.redirect(who, pushed);
        self.landed(&redirect).await.callback()
    }

    /// The redirect, with sign-in and consent.
    pub async fn landed(&mut self, redirect: &Ask) -> Landing {
        self.visit(redirect, Press::Agree).await
    }

    pub async fn visit(&mut self, redirect: &Ask, press: Press) -> Landing {
        let page = self.op.browser.get(&redirect.url()).await;
        self.op.drive(page, press).await
    }

    /// A request from the push to the code.
    pub async fn code(&mut self, who: Who, ask: Ask) -> (Ask, String) {
        let pushed = self.pushed(who, ask).await;
        let callback = self.authorize(who, &pushed).await;
        let code = self.success(who, &pushed.ask, &callback);
        (pushed.ask, code)
    }

    /// Checks an answer with a code.
    pub fn success(&self, who: Who, ask: &Ask, callback: &Callback) -> String {
        if who == Who::Second {
            assert_eq!((callback.one("dummy1"), callback.one("dummy2")), (Some("lorem"), Some("ipsum")));
        }
        checks::success(&self.op.w.issuer, ask, callback)
    }

    /// The token request of a code, in the party's own way.
    pub async fn redeem(&mut self, who: Who, ask: &Ask, code: &str) -> Page {
        self.redeem_with(who, (ask, code), (&Auth::Own, &Proof::Own)).await
    }

    pub async fn redeem_with(&mut self, who: Who, (ask, code): (&Ask, &str), how: (&Auth<'_>, &Proof<'_>)) -> Page {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", ask.one("redirect_uri").unwrap()),
            ("code_verifier", &ask.verifier),
        ];
        self.post(who, "token_endpoint", how, &form).await
    }

    /// A token answer: DPoP-bound, and an ID token by an algorithm of the profile.
    pub async fn tokens(&self, who: Who, (ask, code): (&Ask, &str), page: &Page) -> Tokens {
        checks::access_token(page, "DPoP");
        let tokens = self.op.w.accept(&self.party(who).rp, ask, code, page).await;
        checks::id_token(&tokens);
        let alg = jsonwebtoken::decode_header(&tokens.id_token).unwrap().alg;
        assert!(["PS256", "ES256", "EdDSA"].contains(&format!("{alg:?}").as_str()), "FAPI 2.0 §5.4: {alg:?}");
        tokens
    }

    /// Everything: push, sign-in, tokens, the protected resource.
    pub async fn flow(&mut self, who: Who, ask: Ask) -> (Ask, Tokens) {
        let (ask, code) = self.code(who, ask).await;
        let page = self.redeem(who, &ask, &code).await;
        let tokens = self.tokens(who, (&ask, &code), &page).await;
        self.resource_answers(who, &tokens).await;
        (ask, tokens)
    }

    /// `GET` of the protected resource (userinfo); once more with the nonce it asks for.
    pub async fn resource(&mut self, who: Who, token: &str, proof: &Proof<'_>) -> Page {
        self.resource_as(who, ("DPoP", token), proof).await
    }

    pub async fn resource_as(&mut self, who: Who, (scheme, token): (&str, &str), proof: &Proof<'_>) -> Page {
        let address = self.op.metadata_text("userinfo_endpoint").to_owned();
        let now = self.now();
        for attempt in 0..2 {
            let header = self.party_mut(who).proof(proof, ("GET", &address), Some(token), now);
            let mut client = self.op.w.browser();
            let mut request = client.request(Method::GET, &address);
            request = request.header("authorization", format!("{scheme} {token}"));
            request = request.header("x-fapi-interaction-id", "c770aef3-6784-41f7-8E0e-ff5f97bddb3a");
            if let Some(header) = header {
                request = request.header("dpop", header);
            }
            let page = client.send(request).await;
            if self.keep_resource_nonce(who, &page) && attempt == 0 {
                continue;
            }
            return page;
        }
        panic!("a nonce that is fresh is enough");
    }

    /// Keeps the nonce an answer of the resource brings; whether it asks for it.
    pub fn keep_resource_nonce(&mut self, who: Who, page: &Page) -> bool {
        let challenge = page.header("www-authenticate").unwrap_or_default().to_owned();
        if let Some(nonce) = page.header("dpop-nonce") {
            self.party_mut(who).nonces.resource = Some(nonce.to_owned());
        }
        page.status == 401 && challenge.contains("use_dpop_nonce")
    }

    pub async fn resource_answers(&mut self, who: Who, tokens: &Tokens) -> Value {
        let page = self.resource(who, &tokens.access_token, &Proof::Own).await;
        assert!(page.header("date").is_some(), "RFC 9110 §6.6.1");
        checks::told(&page, tokens)
    }

    /// The first client's DPoP key with the second one's token: refused.
    pub async fn refuses_the_first_key_with(&mut self, token: &str) {
        let page = self.resource(Who::First, token, &Proof::Own).await;
        assert_eq!(page.status, 401, "RFC 9449 §7.1");
    }
}

impl Party {
    /// Registers a client of the profile: PAR, `private_key_jwt`, DPoP.
    async fn register(op: &Op, id: &str, key: Key, query: &str) -> Self {
        let change = |s: &mut ClientSettings| {
            s.redirect_uris = vec![format!("https://{id}.example/cb{query}")];
            s.auth_method = ClientAuthMethod::PrivateKeyJwt;
            s.jwks = Some(key.jwks());
            s.profile = ClientProfile::Fapi2;
            s.grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
            s.require_par = true;
            s.dpop_bound = true;
            s.id_token_alg = SigningAlg::ES256;
            s.consent = ConsentMode::Ask;
        };
        let rp = op.w.rp_with(id, change).await;
        Self { rp, key, dpop: Key::es256("dpop"), nonces: Nonces::default() }
    }

    fn authentication(&self, auth: &Auth<'_>, issuer: &str, now: i64) -> Vec<(&'static str, String)> {
        let assertion = || Jwt::assertion(self.rp.id(), &self.key, issuer, now);
        let signed = match auth {
            Auth::Own => assertion().sign(&self.key),
            Auth::Bent(bend) => bend(assertion(), &self.key),
            Auth::Fields(fields) => return fields.clone(),
        };
        vec![("client_assertion", signed), ("client_assertion_type", ASSERTION_TYPE.to_owned())]
    }

    /// A new proof for a request, with the nonce of the server it goes to and, at a resource, the token's hash.
    pub fn proof(&self, proof: &Proof<'_>, target: (&str, &str), token: Option<&str>, now: i64) -> Option<String> {
        let jwt = self.proof_jwt(target, token, now);
        match proof {
            Proof::Own => Some(jwt.sign(&self.dpop)),
            Proof::Bent(bend) => Some(bend(jwt).sign(&self.dpop)),
            Proof::None => None,
        }
    }

    pub fn proof_jwt(&self, target: (&str, &str), token: Option<&str>, now: i64) -> Jwt {
        let mut jwt = Jwt::proof(&self.dpop, target, now);
        let nonce = if token.is_some() { &self.nonces.resource } else { &self.nonces.token };
        if let Some(nonce) = nonce {
            jwt = jwt.with("nonce", nonce.as_str());
        }
        match token {
            Some(token) => jwt.with("ath", base64url(sha256(token.as_bytes()))),
            None => jwt,
        }
    }

    /// Forgets what the resource said, as a new client would.
    pub fn forget_resource_nonce(&mut self) {
        self.nonces.resource = None;
    }
}

/// Reads the answer of a push that was taken. RFC 9126 §2.2.
pub fn taken(ask: Ask, page: &Page) -> Pushed {
    assert_eq!(page.status, 201, "{}", page.body);
    checks::is_json(page);
    let body = page.value();
    let request_uri = body["request_uri"].as_str().expect("request_uri").to_owned();
    assert!(
        request_uri.starts_with("urn:ietf:params:oauth:request_uri:") && request_uri.len() > 34 + 21,
        "{request_uri}"
    );
    let expires_in = body["expires_in"].as_i64().expect("expires_in");
    assert!((5..600).contains(&expires_in), "FAPI 2.0 §5.3.2.2: less than 600 seconds");
    assert_eq!(body, json!({ "request_uri": request_uri, "expires_in": expires_in }));
    Pushed { ask, request_uri, expires_in }
}
