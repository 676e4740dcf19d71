//! The large table of refused ceremonies: each row one forgery, its reason, and nothing kept. WebAuthn L3 §7.1, §7.2, §13.
//!
//! One ceremony of each kind is begun and tried again with every row: a refusal uses up neither it nor its pass.

mod authenticator_data;
mod client_data;
mod json;
mod keys;
mod owners;
mod signatures;

use idp_core::encoding::{base64url, from_base64url};
use idp_softkey::{Bend, Faults, Options, SoftKey};
use serde_json::{Value, json};

use crate::world::acts::{key, refused};
use crate::world::{Browser, Person, World};

/// One row: what is wrong, in words; how it is done; the reason it is refused for.
type Row = (&'static str, Faults, &'static str);

/// Somebody with a passkey, somebody with a pass, and one ceremony of each begun in one browser.
struct Stage {
    w: World,
    ann: Person,
    newcomer: Person,
    browser: Browser,
    sign_in: Value,
    enrol: Value,
}

impl Stage {
    async fn new() -> Self {
        Self::with(Options::platform()).await
    }

    async fn with(options: Options) -> Self {
        let w = World::sqlite().await;
        let ann = w.person_with_key("ann", options).await;
        let newcomer = w.account("newcomer", None).await;
        let mut browser = w.browser();
        let enrol = browser.begin_with_pass(&w.access_pass(&newcomer).await).await.value();
        let sign_in = browser.begin_sign_in().await;
        Self { w, ann, newcomer, browser, sign_in, enrol }
    }

    /// Sends an assertion; its status and code.
    async fn assert(&mut self, credential: Value) -> (u16, String) {
        let before = self.w.commits();
        let body = json!({ "ceremony": self.sign_in["ceremony"], "credential": credential });
        let verdict = self.browser.json("/webauthn/authenticate", &body).await.verdict();
        assert_eq!(self.browser.cookie("session"), None, "{verdict:?}: {body}");
        self.wrote_nothing(before, &verdict);
        verdict
    }

    /// Sends a registration; its status and code.
    async fn register(&mut self, credential: Value) -> (u16, String) {
        let before = self.w.commits();
        let body = json!({ "ceremony": self.enrol["ceremony"], "credential": credential });
        let verdict = self.browser.json("/webauthn/register", &body).await.verdict();
        self.wrote_nothing(before, &verdict);
        assert!(self.w.app.store.list_passkeys(self.w.realm, &self.newcomer.id).await.unwrap().is_empty());
        verdict
    }

    /// Nothing, but that somebody came by another host: ten times a minute that is put on record.
    fn wrote_nothing(&self, before: u64, verdict: &(u16, String)) {
        let told = matches!(verdict.1.as_str(), "origin_mismatch" | "rp_id_mismatch");
        assert!(self.w.commits() <= before + u64::from(told), "{verdict:?}");
    }

    async fn refuses_assertions(&mut self, rows: Vec<Row>) {
        for (what, faults, code) in rows {
            let credential = self.ann.keys[0].get_with(&self.sign_in, &self.w.issuer, &faults);
            assert_eq!(self.assert(credential).await, refused(400, code), "assertion, {what}");
        }
        self.honest_assertion().await;
    }

    async fn refuses_registrations(&mut self, made: fn() -> SoftKey, rows: Vec<Row>) {
        for (what, faults, code) in rows {
            let credential = made().create_with(&self.enrol, &self.w.issuer, &faults);
            assert_eq!(self.register(credential).await, refused(400, code), "registration, {what}");
        }
        self.honest_registration().await;
    }

    /// The same ceremony still takes an honest answer: each row failed for its own reason.
    async fn honest_assertion(&mut self) {
        let answer = self.browser.clone().assert_with(&self.sign_in, &mut self.ann.keys[0], &Faults::default()).await;
        assert_eq!(answer.stand(), "complete");
    }

    async fn honest_registration(&mut self) {
        let mut honest = key(Options::platform());
        let answer = self.browser.register(&self.enrol, &mut honest, &Faults::default()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
}

fn soft() -> SoftKey {
    key(Options::platform())
}

fn client_data(bend: Bend) -> Faults {
    Faults { bend_client_data: Some(bend), ..Faults::default() }
}

fn auth_data(bend: Bend) -> Faults {
    Faults { bend_auth_data: Some(bend), ..Faults::default() }
}

/// The same bytes with another value at one place.
fn put(mut bytes: Vec<u8>, at: usize, value: u8) -> Vec<u8> {
    bytes[at] = value;
    bytes
}

/// The same bytes with more behind them.
fn then(mut bytes: Vec<u8>, more: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(more);
    bytes
}
