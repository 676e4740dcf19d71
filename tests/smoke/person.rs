//! A person with a passkey, and the application they sign in to.

use std::io;

use idp_core::encoding::{base64url, from_base64url};
use idp_core::secret::sha256;
use idp_softkey::{Alg, Options, SoftKey};
use serde_json::{Value, json};
use url::Url;

use crate::browser::{Answer, Browser};
use crate::product::Place;

pub const REDIRECT: &str = "https://rp.example.test/cb";
pub const VERIFIER: &str = "a-verifier-of-forty-three-characters-or-more-0123456789";

/// Opens a one-time link and makes a passkey with it.
pub fn enrol(browser: &mut Browser, link: &str, username: &str) -> SoftKey {
    enrol_with(browser, link, username, Options::synced())
}

/// The same with a passkey of some kind.
pub fn enrol_with(browser: &mut Browser, link: &str, username: &str, options: Options) -> SoftKey {
    let page = browser.get(link).expect("answers");
    assert_eq!(page.status, 200, "{}", page.body);
    let token = link.split_once("token=").expect("a token").1;
    let begun = browser
        .post_json("/webauthn/register/options", &json!({ "pass": token, "username": username }), "")
        .expect("answers")
        .json();
    let mut key = SoftKey::new(Alg::Es256, options);
    let credential = key.create(&begun["publicKey"], &browser.origin);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
    let csrf = begun["csrf"].as_str().unwrap_or_else(|| panic!("no ceremony: {begun}"));
    let made = browser.post_json("/webauthn/register", &body, csrf).expect("answers");
    assert_eq!(made.status, 201, "{}", made.body);
    key
}

/// A user made at the command line who enrolled with an access pass.
pub fn enrolled(place: &Place, browser: &mut Browser, username: &str) -> SoftKey {
    place.json(&["user", "create", username]);
    let pass = place.json(&["access-pass", "create", username]);
    enrol(browser, pass["url"].as_str().expect("a link"), username)
}

/// A passkey ceremony; where to go on.
pub fn sign_in(browser: &mut Browser, key: &mut SoftKey, request: Option<&str>) -> io::Result<String> {
    let begun = browser.post_json("/webauthn/authenticate/options", &json!({ "request": request }), "")?;
    if begun.status != 200 {
        return Err(refused(&begun));
    }
    let begun = begun.json();
    let credential = key.get(&begun["publicKey"], &browser.origin);
    let body = json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request });
    let done = browser.post_json("/webauthn/authenticate", &body, begun["csrf"].as_str().unwrap_or_default())?;
    match (done.status, done.json()["next"].as_str()) {
        (200, Some(next)) => Ok(next.to_owned()),
        _ => Err(refused(&done)),
    }
}

fn refused(answer: &Answer) -> io::Error {
    io::Error::other(format!("{} {}", answer.status, answer.body))
}

/// Registers a client that asks for no consent; its secret.
pub fn client(place: &Place, id: &str) -> String {
    let made = place.json(&["client", "create", id, "--name", "Test", "--redirect-uri", REDIRECT, "--consent", "skip"]);
    made["client_secret"].as_str().expect("a secret").to_owned()
}

pub fn authorize_url(client: &str, more: &[(&str, &str)]) -> String {
    let challenge = base64url(sha256(VERIFIER.as_bytes()));
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs([("client_id", client), ("redirect_uri", REDIRECT), ("response_type", "code")]);
    query.extend_pairs([("scope", "openid profile email"), ("state", "s"), ("nonce", "n")]);
    query.extend_pairs([("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")]).extend_pairs(more);
    format!("/authorize?{}", query.finish())
}

/// A parameter of a URL, relative or not.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse("https://base.test").and_then(|base| base.join(url)).expect("a URL");
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The sealed request of the sign-in page that `/authorize` leads to.
pub fn begin(browser: &mut Browser, client: &str, more: &[(&str, &str)]) -> io::Result<String> {
    let answer = browser.get(&authorize_url(client, more))?;
    parameter(answer.header("location").unwrap_or_default(), "request").ok_or_else(|| refused(&answer))
}

/// Signs in for a sealed request and comes back with the code.
pub fn finish(browser: &mut Browser, key: &mut SoftKey, request: &str) -> io::Result<String> {
    let next = sign_in(browser, key, Some(request))?;
    let answer = browser.get(&next)?;
    code(&answer)
}

/// The code of an answer to the client.
pub fn code(answer: &Answer) -> io::Result<String> {
    let location = answer.header("location").filter(|location| location.starts_with(REDIRECT));
    location
        .and_then(|location| parameter(location, "code"))
        .ok_or_else(|| io::Error::other(format!("no code: {} {:?}", answer.status, answer.header("location"))))
}

pub fn redeem(browser: &mut Browser, client: (&str, &str), code: &str) -> io::Result<Answer> {
    let basic = base64url_to_basic(client.0, client.1);
    let body = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("grant_type", "authorization_code"), ("code", code)])
        .extend_pairs([("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)])
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded"), ("authorization", basic.as_str())];
    browser.send("POST", "/token", &headers, &body)
}

fn base64url_to_basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}")))
}

/// The whole way: authorize, passkey, code, token. The token answer.
pub fn whole_sign_in(browser: &mut Browser, key: &mut SoftKey, client: (&str, &str)) -> io::Result<Value> {
    let request = begin(browser, client.0, &[])?;
    let code = finish(browser, key, &request)?;
    let answer = redeem(browser, client, &code)?;
    if answer.status == 200 { Ok(answer.json()) } else { Err(refused(&answer)) }
}

/// The claims of an ID token; the signature is the suite's and the demo's business.
pub fn claims(tokens: &Value) -> Value {
    let token = tokens["id_token"].as_str().expect("an ID token");
    let payload = token.split('.').nth(1).and_then(from_base64url).expect("a JWT");
    serde_json::from_slice(&payload).expect("claims")
}

pub fn access_token(tokens: &Value) -> String {
    tokens["access_token"].as_str().expect("an access token").to_owned()
}

pub fn is_signed_in(browser: &mut Browser) -> io::Result<bool> {
    Ok(browser.get("/account/security")?.status == 200)
}
