//! What people and operators do in the tests of sign-in, enrolment and account pages.

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::encoding::base64url;
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::Policy;
use idp_core::passkey::record::Passkey;
use idp_core::secret::sha256;
use idp_softkey::{Alg, Faults, Options, SoftKey};
use idp_store::audit::{AuditFilter, AuditRow};
use idp_store::passes::IssuePass;
use idp_store::passkey_removal::SuspendPasskey;
use serde_json::{Value, json};

use super::{Ask, Browser, Page, Person, Rp, Tokens, World};

/// A password that is long enough for everybody here.
pub const PASSWORD: &str = "correct horse battery";

/// What a finished ceremony came to: its status and machine-readable code.
pub type Verdict = (u16, String);

/// Whose policy is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Realm,
    /// Of the group [`STAFF`], in place of the realm's, which stays as it is.
    Group,
}

impl Of {
    pub const BOTH: [Self; 2] = [Self::Realm, Self::Group];
}

/// The group of [`Of::Group`]; it has to have a member before.
pub const STAFF: &str = "staff";

impl World {
    /// Changes the policy of the realm; one that nobody could save is a fault of the test.
    pub async fn policy(&self, change: impl FnOnce(&mut Policy)) {
        self.policy_of(Of::Realm, change).await;
    }

    /// The same of the realm or of a group, which begins with what the realm has.
    pub async fn policy_of(&self, of: Of, change: impl FnOnce(&mut Policy)) {
        let realm = self.realm().await;
        let own = realm.group_policies.iter().find(|own| of == Of::Group && own.group == STAFF);
        let mut policy = Policy::clone(own.map_or(&realm.policy, |own| &own.policy));
        change(&mut policy);
        assert_eq!(policy.check(), [], "the policy can be saved");
        match of {
            Of::Realm => self.set_policy(policy).await,
            Of::Group => self.set_group_policy(STAFF, 1, policy).await,
        }
    }

    /// Sets fields of the policy as the command line does, from the defaults.
    pub async fn policy_fields(&self, fields: &[(&str, &str)]) {
        let mut policy = Policy::default();
        for (name, value) in fields {
            policy.set(name, value).unwrap();
        }
        assert_eq!(policy.check(), [], "the policy can be saved");
        self.set_policy(policy).await;
    }

    /// The secret of a set-up link.
    pub async fn setup_link(&self) -> String {
        let secret = base64url(self.app.random::<32>());
        let now = self.app.now();
        let pass = Pass {
            hash: sha256(secret.as_bytes()),
            kind: PassKind::Setup,
            account_id: None,
            created: now,
            expires: now.plus_s(3600),
            used: None,
            browser: None,
        };
        let op = IssuePass { realm: self.realm, pass, audit: self.audit(AuditEvent::PassIssued) };
        assert!(self.app.store.write(op).await.unwrap());
        secret
    }

    /// Somebody with a password and a passkey.
    pub async fn person_with_both(&self, username: &str, options: Options) -> Person {
        let mut person = self.person_with_password(username, PASSWORD).await;
        self.add_passkey(&mut person, options).await;
        person
    }

    /// Somebody whose only passkey is of this kind.
    pub async fn person_with_key(&self, username: &str, options: Options) -> Person {
        let mut person = self.account(username, None).await;
        self.add_passkey(&mut person, options).await;
        person
    }

    /// The record of one of the person's passkeys.
    pub async fn passkey(&self, person: &Person, at: usize) -> Passkey {
        let found = self.app.store.find_passkey_with_account(self.realm, &person.keys[at].credential_id).await;
        found.unwrap().unwrap().0
    }

    pub async fn suspend(&self, person: &Person, at: usize) {
        let op = SuspendPasskey {
            realm: self.realm,
            account: person.id,
            credential_id: person.keys[at].credential_id.clone(),
            reason: "counter".to_owned(),
            tell: Vec::new(),
            audit: self.audit(AuditEvent::PasskeyCloned),
        };
        self.app.store.write(op).await.unwrap();
    }

    /// Audit rows of one kind about the person, newest first.
    pub async fn audit_rows(&self, person: &Person, event: AuditEvent) -> Vec<AuditRow> {
        let filter = AuditFilter { event: Some(event), account: Some(person.id), ..AuditFilter::default() };
        self.app.store.list_audit(self.realm, &filter, 100).await.unwrap()
    }

    /// Statements so far.
    pub fn statements(&self) -> u64 {
        self.app.store.counts().statements
    }

    pub async fn disable(&self, person: &Person) {
        self.set_account_state(person, AccountState::Disabled).await;
    }

    /// Claims of an ID token for whoever is signed in with this browser; no page may come in between.
    pub async fn claims(&self, browser: &mut Browser, rp: &Rp) -> Value {
        self.silent_tokens(browser, rp, rp.ask()).await.claims
    }

    /// Tokens by single sign-on.
    pub async fn silent_tokens(&self, browser: &mut Browser, rp: &Rp, ask: Ask) -> Tokens {
        let page = browser.open(&ask.url()).await;
        let code = super::Answer::of(&page).code();
        let answer = rp.redeem(self, &ask, &code).await;
        self.accept(rp, &ask, &code, &answer).await
    }
}

impl Browser {
    /// Begins a registration with an access pass or set-up link.
    pub async fn begin_with_pass(&mut self, pass: &str) -> Page {
        self.json("/webauthn/register/options", &json!({ "pass": pass })).await
    }

    /// The whole registration with a pass, bent by `faults`.
    pub async fn enrol(&mut self, pass: &str, key: &mut SoftKey, faults: &Faults) -> Page {
        let begun = self.begin_with_pass(pass).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        self.register(&begun.value(), key, faults).await
    }

    /// Finishes a registration.
    pub async fn register(&mut self, begun: &Value, key: &mut SoftKey, faults: &Faults) -> Page {
        let credential = key.create_with(begun, &self.origin, faults);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        self.json("/webauthn/register", &body).await
    }

    /// Begins a sign-in without an authorization request.
    pub async fn begin_sign_in(&mut self) -> Value {
        let begun = self.json("/webauthn/authenticate/options", &json!({})).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        begun.value()
    }

    /// Finishes a sign-in, bent by `faults`.
    pub async fn assert_with(&mut self, begun: &Value, key: &mut SoftKey, faults: &Faults) -> Page {
        let credential = key.get_with(begun, &self.origin, faults);
        self.json("/webauthn/authenticate", &json!({ "ceremony": begun["ceremony"], "credential": credential })).await
    }

    /// The whole sign-in without an authorization request, bent by `faults`.
    pub async fn try_passkey(&mut self, key: &mut SoftKey, faults: &Faults) -> Page {
        let begun = self.begin_sign_in().await;
        self.assert_with(&begun, key, faults).await
    }

    /// Types a password; the first answer, not followed.
    pub async fn try_password(&mut self, username: &str, password: &str) -> Page {
        if self.cookie("browser").is_none() {
            self.get("/login?switch=1").await;
        }
        let csrf = self.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        self.post("/login/password", &[("csrf", &csrf), ("username", username), ("password", password)]).await
    }

    /// Types the password for the request on a page, also where it shows no field; the page that follows.
    pub async fn type_password(&mut self, page: &Page, person: &Person) -> Page {
        let csrf = self.get("/webauthn/session").await.value()["csrf"].as_str().unwrap().to_owned();
        let (sealed, password) = (page.sealed().unwrap(), person.password.as_deref().unwrap());
        let fields =
            [("csrf", csrf.as_str()), ("request", &sealed), ("username", &person.username), ("password", password)];
        let page = self.post("/login/password", &fields).await;
        self.follow(page).await
    }

    /// Types a one-time password where the page, or one it links to, asks for it; the page that follows.
    pub async fn type_code(&mut self, page: &Page, code: &str) -> Option<Page> {
        let page = match page.link_to("id=\"use-totp\"") {
            Some(link) => self.open(&link).await,
            None => page.clone(),
        };
        if !page.has("code") {
            return None;
        }
        let page = self.submit(&page, "/login/totp", &[("code", code)]).await;
        Some(self.follow(page).await)
    }

    /// Whether somebody is signed in here.
    pub async fn is_signed_in(&mut self) -> bool {
        self.get("/webauthn/session").await.value()["signed_in"].as_bool().unwrap()
    }
}

impl Page {
    /// Status and machine-readable code.
    pub fn verdict(&self) -> Verdict {
        (self.status, self.code().unwrap_or_default())
    }

    /// `status` of a finished sign-in.
    pub fn stand(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.value()["status"].as_str().unwrap_or_default().to_owned()
    }
}

/// A new authenticator.
pub fn key(options: Options) -> SoftKey {
    SoftKey::new(Alg::Es256, options)
}

/// A refusal.
pub fn refused(status: u16, code: &str) -> Verdict {
    (status, code.to_owned())
}
