//! Proofs that are wrong in one way each, at the protected resource.
//! RFC 9449 §4.2, §4.3 and §7.1.

use idp_core::encoding::base64url;
use reqwest::Method;
use reqwest::header::HeaderValue;

use super::stage::{Fapi, Proof, Who, fapi2};
use crate::world::jwt::{Jwt, Key, bent};
use crate::world::{Page, Tokens};

/// The resource with proofs as they come; a nonce that is asked for is put into the next ones.
struct Resource<'a> {
    fapi: &'a mut Fapi,
    token: String,
    address: String,
}

type Make<'a> = &'a dyn Fn(Jwt, &Key) -> Vec<String>;

impl Resource<'_> {
    /// Sends what `make` makes of a good proof, as so many headers; once more with a nonce.
    async fn send(&mut self, (scheme, header): (&str, &'static str), make: Make<'_>) -> Page {
        for attempt in 0..2 {
            let now = self.fapi.now();
            let party = &self.fapi.first;
            let jwt = party.proof_jwt(("GET", &self.address), Some(&self.token), now);
            let mut client = self.fapi.op.w.browser();
            let mut request = client.request(Method::GET, &self.address);
            request = request.header("authorization", format!("{scheme} {}", self.token));
            for proof in make(jwt, &party.dpop) {
                request = request.header(header, HeaderValue::from_str(&proof).unwrap());
            }
            let page = client.send(request).await;
            if !self.fapi.keep_resource_nonce(Who::First, &page) || attempt > 0 {
                return page;
            }
        }
        panic!("a nonce that is fresh is enough");
    }

    async fn takes(&mut self, what: &str, make: Make<'_>) {
        let page = self.send(("DPoP", "dpop"), make).await;
        assert_eq!(page.status, 200, "{what}: {:?} {}", page.header("www-authenticate"), page.body);
    }

    async fn refuses(&mut self, what: &str, make: Make<'_>) {
        let page = self.send(("DPoP", "dpop"), make).await;
        assert!([400, 401].contains(&page.status), "{what}: {}", page.status);
    }
}

/// A change of header and claims, well signed.
fn signed(bend: impl Fn(Jwt) -> Jwt) -> impl Fn(Jwt, &Key) -> Vec<String> {
    move |jwt, key| vec![bend(jwt).sign(key)]
}

fapi2! {
    /// Twenty-odd proofs: each wrong one refused with 400 or 401, each odd but right one taken, and after all of it a
    /// right one still works.
    async fn dpop_negative_tests(fapi) {
        let ask = fapi.request(Who::First);
        let (_, tokens): (_, Tokens) = fapi.flow(Who::First, ask).await;
        let address = fapi.op.metadata_text("userinfo_endpoint").to_owned();
        let mut at = Resource { fapi: &mut fapi, token: tokens.access_token, address };
        bent_proofs(&mut at).await;
        odd_but_right(&mut at).await;
        clocks_and_replay(&mut at).await;
        without_a_proof(&mut at).await;
        at.takes("the right one", &signed(|jwt| jwt)).await;
    }
}

async fn bent_proofs(at: &mut Resource<'_>) {
    at.refuses("two proofs", &|jwt, key| vec![jwt.sign(key), jwt.clone().with("jti", "second").sign(key)]).await;
    at.refuses("not a JWT", &|jwt, _| vec![jwt.unsigned()]).await;
    for name in ["typ", "jwk"] {
        at.refuses(name, &signed(|jwt| jwt.header_without(name))).await;
    }
    at.refuses("alg", &|jwt, key| {
        let proof = jwt.sign(key);
        let rest = proof.split_once('.').unwrap().1.to_owned();
        vec![format!("{}.{rest}", base64url(jwt.header_without("alg").header("alg2", "ES256").header.to_string()))]
    })
    .await;
    for name in ["jti", "htm", "htu", "iat", "ath"] {
        at.refuses(name, &signed(|jwt| jwt.without(name))).await;
    }
    at.refuses("another typ", &signed(|jwt| jwt.header("typ", "dpop+jwt+wrong"))).await;
    at.refuses("none", &|jwt, _| vec![format!("{}.", jwt.header("alg", "none").unsigned())]).await;
    at.refuses("another signature", &|jwt, key| vec![bent(&jwt.sign(key))]).await;
    at.refuses("a private key", &|jwt, key| vec![jwt.header("jwk", key.private()).sign(key)]).await;
    at.refuses("htm of another method", &signed(|jwt| jwt.with("htm", "PUT"))).await;
    let elsewhere = format!("{}ohno", at.address);
    at.refuses("htu of another address", &signed(|jwt| jwt.with("htu", elsewhere.clone()))).await;
    at.refuses("ath of another token", &signed(|jwt| jwt.with("ath", base64url([7_u8; 32])))).await;
    let other = Key::es256("other");
    at.refuses("another key", &|jwt, _| vec![jwt.header("jwk", other.public()).sign(&other)]).await;
}

async fn odd_but_right(at: &mut Resource<'_>) {
    let page = at.send(("DPoP", "DPOP"), &signed(|jwt| jwt)).await;
    assert_eq!(page.status, 200, "the name of a header has no case");
    let with_query = format!("{}?a=b#c", at.address);
    at.takes("htu with query and fragment", &signed(|jwt| jwt.with("htu", with_query.clone()))).await;
    at.takes("unknown members", &signed(|jwt| jwt.header("tx_id", 1).with("tx_id_key", 1))).await;
    // RFC 9449 §4.3: normalisation of scheme and host should be done before comparing.
    let shouted = at.address.replacen("http://localhost", "HTTP://LOCALHOST", 1);
    at.takes("htu in capitals", &signed(|jwt| jwt.with("htu", shouted.clone()))).await;
}

/// An hour off: refused, beside a good nonce too, where the suite would rather see the proof taken (it warns). A `jti`
/// twice: refused.
async fn clocks_and_replay(at: &mut Resource<'_>) {
    let now = at.fapi.now();
    for iat in [now + 3600, now - 3600] {
        at.fapi.first.forget_resource_nonce();
        at.refuses("iat", &signed(|jwt| jwt.with("iat", iat))).await;
    }
    let fixed = signed(|jwt| jwt.with("jti", "the-same-jti"));
    at.takes("first use of a jti", &fixed).await;
    at.refuses("second use of a jti", &fixed).await;
}

async fn without_a_proof(at: &mut Resource<'_>) {
    at.refuses("no proof", &|_, _| Vec::new()).await;
    let page = at.send(("Bearer", "dpop"), &|_, _| Vec::new()).await;
    assert_eq!(page.status, 401, "RFC 9449 §7.1: a bound token is no bearer token");
    let token = at.token.clone();
    assert_eq!(at.fapi.resource(Who::First, &token, &Proof::Own).await.status, 200);
}
