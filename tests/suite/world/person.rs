//! People: accounts with software passkeys or a password, and what they do in a browser.

use idp_core::account::{Account, AccountState, Address, Profile, Role};
use idp_core::audit::AuditEvent;
use idp_core::encoding::{base64url, from_base64url};
use idp_core::id::{AccountId, Sid};
use idp_core::pass::{Pass, PassKind};
use idp_core::secret::{Secret, sha256};
use idp_softkey::{Alg, Options, SoftKey};
use idp_store::accounts::CreateAccount;
use idp_store::passes::IssuePass;
use serde_json::{Value, json};

use super::{Browser, Page, World};

/// Somebody with an account.
pub struct Person {
    pub id: AccountId,
    pub username: String,
    pub password: Option<String>,
    /// The first one is used unless a test says otherwise.
    pub keys: Vec<SoftKey>,
}

impl World {
    /// An account with one passkey of this device.
    pub async fn person(&self, username: &str) -> Person {
        let mut person = self.account(username, None).await;
        self.add_passkey(&mut person, Options::platform()).await;
        person
    }

    /// An account with a password and no passkey.
    pub async fn person_with_password(&self, username: &str, password: &str) -> Person {
        self.account(username, Some(password)).await
    }

    /// An account with everything there is: a full profile, a password, a passkey.
    pub async fn account(&self, username: &str, password: Option<&str>) -> Person {
        let app = &self.app;
        let password_hash = match password {
            None => None,
            Some(text) => Some(app.passwords.hash(Secret::new(text.to_owned()), app.random()).await.unwrap()),
        };
        let account = Account {
            id: AccountId::new(app.now(), app.random()),
            username: username.to_owned(),
            profile: Profile {
                name: Some(format!("Name of {username}")),
                given_name: Some("Given".to_owned()),
                family_name: Some("Family".to_owned()),
                locale: Some("de-CH".to_owned()),
                email: Some(format!("{username}@example.org")),
                email_verified: true,
                phone_number: Some("+41 44 123 45 67".to_owned()),
                address: Some(Address { locality: Some("Zürich".to_owned()), ..Address::default() }),
                ..Profile::default()
            },
            user_handle: app.random::<64>().to_vec(),
            role: Role::User,
            state: AccountState::Active,
            password_hash,
            password_version: 0,
            preferences: Default::default(),
            totp: None,
            recovery: None,
            created: app.now(),
            updated: app.now(),
        };
        let id = account.id;
        let op = CreateAccount { realm: self.realm, account, audit: self.audit(AuditEvent::AccountCreated) };
        assert_eq!(app.store.write(op).await.unwrap(), None, "the name {username} is free");
        Person { id, username: username.to_owned(), password: password.map(str::to_owned), keys: Vec::new() }
    }

    /// A fresh access pass of an account; the secret of its link.
    pub async fn access_pass(&self, person: &Person) -> String {
        let secret = base64url(self.app.random::<32>());
        let now = self.app.now();
        let pass = Pass {
            hash: sha256(secret.as_bytes()),
            kind: PassKind::Access,
            account_id: Some(person.id),
            created: now,
            expires: now.plus_s(3600),
            used: None,
            browser: None,
        };
        let op = IssuePass { realm: self.realm, pass, audit: self.audit(AuditEvent::PassIssued) };
        assert!(self.app.store.write(op).await.unwrap());
        secret
    }

    /// Enrols one more passkey by an access pass, over HTTP.
    pub async fn add_passkey(&self, person: &mut Person, options: Options) {
        let pass = self.access_pass(person).await;
        let mut browser = self.browser();
        let mut key = SoftKey::new(Alg::Es256, options);
        let begun = browser.json("/webauthn/register/options", &json!({ "pass": pass })).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let begun = begun.value();
        let credential = key.create(&begun, &self.issuer);
        let body = json!({ "ceremony": begun["ceremony"], "credential": credential });
        let kept = browser.json("/webauthn/register", &body).await;
        assert_eq!(kept.status, 201, "{}", kept.body);
        person.keys.push(key);
    }
}

impl Person {
    /// The public identifier.
    pub fn sub(&self) -> String {
        self.id.to_string()
    }

    /// The session this person has in a browser.
    pub async fn sid(&self, world: &World, browser: &Browser) -> Sid {
        let secret = from_base64url(browser.cookie("session").expect("a session cookie")).unwrap();
        let idle_s = world.realm().await.settings.session_idle_s;
        let found = world.app.store.find_visitor(world.realm, &sha256(&secret), world.clock.now(), idle_s).await;
        let (session, _) = found.unwrap().expect("a live session");
        assert_eq!(session.account_id, self.id);
        session.sid
    }
}

impl Browser {
    /// The passkey ceremony with `key`: options, assertion, answer. `request`: the sealed authorization request.
    pub async fn use_passkey(&mut self, key: &mut SoftKey, request: Option<&str>) -> Page {
        let begun = self.json("/webauthn/authenticate/options", &json!({ "request": request })).await;
        assert_eq!(begun.status, 200, "{}", begun.body);
        let body = self.assertion(key, &begun.value(), request);
        self.json("/webauthn/authenticate", &body).await
    }

    /// The body that finishes a ceremony begun with `begun`.
    pub fn assertion(&self, key: &mut SoftKey, begun: &Value, request: Option<&str>) -> Value {
        let credential = key.get(begun, &self.origin);
        json!({ "ceremony": begun["ceremony"], "credential": credential, "request": request })
    }

    /// Signs in with the person's first passkey; where the browser goes next.
    pub async fn sign_in_with_passkey(&mut self, person: &mut Person, request: Option<&str>) -> String {
        let answer = self.use_passkey(&mut person.keys[0], request).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let answer = answer.value();
        assert_eq!(answer["status"], "complete", "{answer}");
        answer["next"].as_str().unwrap().to_owned()
    }

    /// Signs in with the password on the sign-in page; the page that follows, redirects followed.
    pub async fn sign_in_with_password(&mut self, person: &Person, request: Option<&str>) -> Page {
        let path = request.map_or("/login?switch=1".to_owned(), |r| format!("/login?switch=1&request={r}"));
        let identify = self.get(&path).await;
        let prove = self.submit(&identify, "/login", &[("username", &person.username)]).await;
        let password = person.password.as_deref().expect("a password");
        let fields = [("username", person.username.as_str()), ("password", password)];
        let page = self.submit(&prove, "/login/password", &fields).await;
        self.follow(page).await
    }
}
