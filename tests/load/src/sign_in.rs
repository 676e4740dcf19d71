//! One sign-in from `/authorize` to `/userinfo`, everything checked that a careful relying party checks.
//! OIDC Core §3.1.2 and §3.1.3.7, RFC 7636.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};

use crate::Failure;
use crate::http::{Browser, Connection};
use crate::prepare::{CLIENT_ID, Person, REDIRECT_URI, RelyingParty, now, token};

/// Seconds by which `auth_time` may lie outside of the sign-in: it is cut to whole seconds.
const LEEWAY_S: i64 = 1;

/// What ID tokens are verified with.
pub struct Verifier {
    key: DecodingKey,
    kid: String,
    validation: Validation,
}

impl Verifier {
    /// Reads the ES256 key of the product's JWK set.
    pub fn load(connection: &mut Connection) -> Result<Self, Failure> {
        let set = connection.get("/.well-known/jwks.json")?.expect("jwks", 200)?.json()?;
        let keys = set["keys"].as_array().ok_or("no keys")?;
        let jwk = keys.iter().find(|k| k["alg"] == "ES256").ok_or("no ES256 key")?;
        let text = |name: &str| jwk[name].as_str().ok_or("a JWK without x, y or kid");
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[connection.origin()]);
        validation.set_audience(&[CLIENT_ID]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = 0;
        Ok(Self {
            key: DecodingKey::from_ec_components(text("x")?, text("y")?)?,
            kid: text("kid")?.to_owned(),
            validation,
        })
    }

    /// Signature, header and the claims that do not depend on the sign-in; the claims.
    fn verify(&self, id_token: &str) -> Result<Value, Failure> {
        let verified = jsonwebtoken::decode::<Value>(id_token, &self.key, &self.validation)?;
        if verified.header.kid.as_deref() == Some(&self.kid) {
            Ok(verified.claims)
        } else {
            Err("a foreign kid".into())
        }
    }
}

/// A started authorization request, as the relying party remembers it.
struct Started {
    state: String,
    nonce: String,
    verifier: String,
    at_s: i64,
}

/// The relying party's view of the product.
pub struct Flow<'a> {
    pub party: &'a RelyingParty,
    pub verifier: &'a Verifier,
}

impl Flow<'_> {
    /// A whole sign-in in a browser that was never here; it is signed in afterwards.
    pub fn log_in(&self, browser: &mut Browser, person: &mut Person) -> Result<(), Failure> {
        browser.forget();
        let (path, started) = start()?;
        let request = self.sealed(browser, &path)?;
        let body = json!({ "mediation": "conditional", "request": request });
        let begun = browser.post("/webauthn/authenticate/options", None, &body)?.expect("options", 200)?.json()?;
        let credential = person.key.get(&begun["publicKey"], browser.origin());
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
        let answer = browser.post("/webauthn/authenticate", begun["csrf"].as_str(), &body)?;
        let answer = answer.expect("authenticate", 200)?.json()?;
        if answer["status"] != "complete" {
            return Err(format!("the sign-in is not complete: {answer}").into());
        }
        let back = browser.get(answer["next"].as_str().ok_or("no next")?)?.location("resume")?;
        let auth_time = self.redeem(browser, &started, &back, person)?;
        check((started.at_s - LEEWAY_S..=now().secs()).contains(&auth_time), "auth_time is this sign-in's")
    }

    /// Single sign-on: the browser is signed in, so `/authorize` answers with the code.
    pub fn reuse(&self, browser: &mut Browser, person: &Person) -> Result<(), Failure> {
        let (path, started) = start()?;
        let back = browser.get(&path)?.location("authorize")?;
        let auth_time = self.redeem(browser, &started, &back, person)?;
        check(auth_time <= started.at_s, "auth_time is the first sign-in's")
    }

    /// An anonymous start: the browser is sent to the page that asks it to sign in.
    pub fn start_only(&self, browser: &mut Browser) -> Result<(), Failure> {
        let (path, _) = start()?;
        self.sealed(browser, &path).map(drop)
    }

    /// The sealed request in the address of the page, which a person's browser would load now; we do not.
    fn sealed(&self, browser: &mut Browser, path: &str) -> Result<String, Failure> {
        let page = browser.get(path)?.location("authorize")?;
        Ok(page.strip_prefix("/login?request=").ok_or_else(|| format!("not the sign-in page: {page}"))?.to_owned())
    }

    /// Code → tokens → userinfo; `auth_time`.
    fn redeem(&self, browser: &mut Browser, started: &Started, back: &str, person: &Person) -> Result<i64, Failure> {
        let query = back.strip_prefix(REDIRECT_URI).and_then(|q| q.strip_prefix('?')).ok_or("not the redirect URI")?;
        let param = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find_map(|(n, v)| (n == name).then(|| v.into_owned()))
        };
        check(param("state").as_deref() == Some(&started.state), "state comes back")?;
        check(param("iss").as_deref() == Some(browser.origin()), "iss is the issuer")?;
        let code = param("code").ok_or_else(|| format!("no code: {query}"))?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("code", &code)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("code_verifier", &started.verifier)
            .finish();
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", &*self.party.basic)];
        let tokens = browser.connection().ask("POST", "/token", &headers, Some(&form))?.expect("token", 200)?.json()?;
        let claims = self.verifier.verify(tokens["id_token"].as_str().ok_or("no ID token")?)?;
        check(claims["nonce"] == *started.nonce, "nonce comes back")?;
        check(claims["sub"] == *person.sub, "sub is the account")?;
        check(claims["acr"] == "phr", "acr is phr")?;
        let amr: Vec<&str> = claims["amr"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        check(["swk", "user", "mfa"].iter().all(|m| amr.contains(m)), "amr has swk, user and mfa")?;
        check(claims["sid"].is_string() && claims["iat"].is_i64(), "sid and iat are there")?;
        let bearer = format!("Bearer {}", tokens["access_token"].as_str().ok_or("no access token")?);
        let info = browser.connection().ask("GET", "/userinfo", &[("authorization", &bearer)], None)?;
        let info = info.expect("userinfo", 200)?.json()?;
        check(info["sub"] == claims["sub"] && info["email"].is_string(), "userinfo is about the same account")?;
        claims["auth_time"].as_i64().ok_or_else(|| "no auth_time".into())
    }
}

fn start() -> Result<(String, Started), Failure> {
    let started =
        Started { state: token::<16>()?, nonce: token::<16>()?, verifier: token::<32>()?, at_s: now().secs() };
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, started.verifier.as_bytes()));
    let query = Serializer::new(String::new())
        .append_pair("response_type", "code")
        .append_pair("client_id", CLIENT_ID)
        .append_pair("redirect_uri", REDIRECT_URI)
        .append_pair("scope", "openid profile email")
        .append_pair("state", &started.state)
        .append_pair("nonce", &started.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256")
        .finish();
    Ok((format!("/authorize?{query}"), started))
}

fn check(holds: bool, what: &str) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(format!("it does not hold that {what}").into()) }
}
