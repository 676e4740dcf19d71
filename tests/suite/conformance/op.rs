//! The suite's side of a module: clients, a person with every claim, a browser that fills in forms without a script.
//! OIDC Core §3.1.2, OAuth 2.0 Form Post Response Mode §2.

use std::collections::BTreeMap;

use idp_core::account::{Address, Profile};
use idp_core::audit::AuditEvent;
use idp_core::client::{ClientAuthMethod, ConsentMode, GrantType};
use idp_store::accounts::{AccountChange, UpdateAccount};
use serde_json::Value;

use crate::world::acts::PASSWORD;
use crate::world::{Ask, Browser, Page, Person, Rp, Tokens, World, query_of};

use super::checks;

/// `response_mode` of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Query,
    FormPost,
}

/// What a module has at hand.
pub struct Op {
    pub w: World,
    pub mode: Mode,
    /// Confidential, `client_secret_basic`; asks for consent as a client of somebody else does.
    pub client: Rp,
    pub user: Person,
    pub browser: Browser,
    /// The discovery document.
    pub metadata: Value,
    /// How often a password was typed so far.
    pub sign_ins: usize,
    /// Addresses that pages put into frames.
    pub frames: Vec<String>,
}

/// Where a visit ended.
#[derive(Debug)]
pub enum Landing {
    /// Something arrived at an address outside the product.
    Callback(Callback),
    /// A page of ours that asks for nothing the automation knows.
    Shown(Page),
}

/// What a redirect URI got.
#[derive(Clone, Debug)]
pub struct Callback {
    /// Address without the query.
    pub uri: String,
    pub params: BTreeMap<String, String>,
    pub query: BTreeMap<String, String>,
}

/// What the person presses where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    Agree,
    Reject,
    /// Stops at the first page.
    Nothing,
}

impl Landing {
    pub fn callback(self) -> Callback {
        match self {
            Self::Callback(callback) => callback,
            Self::Shown(page) => panic!("nothing arrived at the redirect URI ({}): {}", page.status, page.body),
        }
    }

    /// An error page of ours: no redirect, a status that says so, a reason for people.
    pub fn error_page(self) -> Page {
        match self {
            Self::Shown(page) => {
                assert!(page.has("error-page") && (400..500).contains(&page.status), "{}: {}", page.status, page.body);
                page
            }
            Self::Callback(callback) => panic!("the browser was sent away: {callback:?}"),
        }
    }
}

impl Callback {
    pub fn one(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str)
    }
}

impl Op {
    pub async fn start(mode: Mode) -> Self {
        let w = World::sqlite().await;
        let client = Self::register(&w, "suite", ClientAuthMethod::ClientSecretBasic).await;
        let user = w.person_with_password("tester", PASSWORD).await;
        fill_in(&w, &user).await;
        let mut browser = w.browser();
        let page = browser.get("/.well-known/openid-configuration").await;
        let metadata = page.value();
        let browser = w.browser();
        Self { w, mode, client, user, browser, metadata, sign_ins: 0, frames: Vec::new() }
    }

    pub async fn register(w: &World, id: &str, method: ClientAuthMethod) -> Rp {
        w.rp_with(id, |s| {
            s.auth_method = method;
            s.consent = ConsentMode::Ask;
            s.grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        })
        .await
    }

    /// A text of the discovery document.
    pub fn metadata_text(&self, name: &str) -> &str {
        self.metadata[name].as_str().unwrap_or_else(|| panic!("no {name} in the metadata"))
    }

    /// Whether a list of the discovery document has this value.
    pub fn lists(&self, name: &str, value: &str) -> bool {
        self.metadata[name].as_array().is_some_and(|list| list.iter().any(|v| v == value))
    }

    /// The request that each module starts from: `scope=openid`, state and nonce, no PKCE.
    pub fn request(&self) -> Ask {
        self.request_of(&self.client)
    }

    pub fn request_of(&self, client: &Rp) -> Ask {
        let ask = client.ask().without("code_challenge").without("code_challenge_method");
        match self.mode {
            Mode::Query => ask,
            Mode::FormPost => ask.with("response_mode", "form_post"),
        }
    }

    /// Visits the authorization endpoint, signs in and agrees where asked.
    pub async fn visit(&mut self, ask: &Ask) -> Landing {
        let page = self.browser.get(&ask.url()).await;
        self.drive(page, Press::Agree).await
    }

    /// The visit, and its answer as the plan's response mode must bring it.
    pub async fn answer(&mut self, ask: &Ask) -> Callback {
        let callback = self.visit(ask).await.callback();
        self.check_mode(&callback);
        assert_eq!(callback.uri, ask.one("redirect_uri").unwrap().split('?').next().unwrap());
        callback
    }

    /// The answer of a success: state, issuer, a code, nothing else.
    pub async fn code(&mut self, ask: &Ask) -> String {
        let callback = self.answer(ask).await;
        checks::success(&self.w.issuer, ask, &callback)
    }

    /// The whole flow: sign-in, code, tokens, ID token, a first look at userinfo.
    pub async fn flow(&mut self, ask: &Ask) -> Tokens {
        let client = self.client.clone();
        self.flow_of(&client, ask).await
    }

    pub async fn flow_of(&mut self, client: &Rp, ask: &Ask) -> Tokens {
        let code = self.code(ask).await;
        let answer = client.redeem(&self.w, ask, &code).await;
        let tokens = checks::tokens(&self.w, client, ask, &code, &answer).await;
        assert_eq!(self.w.userinfo(&tokens.access_token).await.status, 200);
        tokens
    }

    fn check_mode(&self, callback: &Callback) {
        let in_query = |name: &str| callback.query.contains_key(name);
        match self.mode {
            Mode::Query => assert_eq!(callback.query, callback.params, "nothing was posted"),
            Mode::FormPost => assert!(!in_query("code") && !in_query("error"), "{callback:?}"),
        }
    }

    /// What the browser automation does: follows, types name and password, presses the button of each page.
    pub async fn drive(&mut self, mut page: Page, press: Press) -> Landing {
        for _ in 0..12 {
            self.frames.extend(frames(&page));
            if let Some(next) = page.next() {
                let ours = next.starts_with('/') || next.starts_with(&format!("{}/", self.w.issuer));
                if !ours {
                    return Landing::Callback(arrived(&next, BTreeMap::new()));
                }
                page = self.browser.get(&next).await;
                continue;
            }
            if let Some((action, fields)) = form_post(&page) {
                return Landing::Callback(arrived(&action, fields));
            }
            page = match (press, question(&page)) {
                (Press::Nothing, _) | (_, None) => return Landing::Shown(page),
                (_, Some(question)) => self.press(page, question, press).await,
            };
        }
        panic!("the automation goes in circles: {}", page.body);
    }

    async fn press(&mut self, page: Page, question: Question, press: Press) -> Page {
        let agree = press == Press::Agree;
        let name = self.user.username.clone();
        match question {
            Question::Username if agree => self.browser.submit(&page, "/login", &[("username", &name)]).await,
            Question::Password if agree => {
                self.sign_ins += 1;
                let fields = [("username", name.as_str()), ("password", PASSWORD)];
                self.browser.submit(&page, "/login/password", &fields).await
            }
            Question::Username | Question::Password => self.browser.submit(&page, "/login/cancel", &[]).await,
            Question::Consent => {
                let decision = if agree { "allow" } else { "deny" };
                self.browser.submit(&page, "/consent", &[("decision", decision)]).await
            }
            Question::Logout => {
                let decision = if agree { "yes" } else { "no" };
                self.browser.submit(&page, "/logout/confirm", &[("decision", decision)]).await
            }
        }
    }
}

/// A page that wants something from the person.
enum Question {
    Username,
    Password,
    Consent,
    Logout,
}

fn question(page: &Page) -> Option<Question> {
    let posts_to = |action: &str| page.body.contains(&format!("action=\"{action}\""));
    if posts_to("/login/password") {
        Some(Question::Password)
    } else if posts_to("/login") {
        Some(Question::Username)
    } else if page.has("consent-allow") {
        Some(Question::Consent)
    } else if page.has("logout-confirm") {
        Some(Question::Logout)
    } else {
        None
    }
}

/// What a browser loads into the frames of a page.
fn frames(page: &Page) -> Vec<String> {
    let tags = page.body.split("<iframe").skip(1).filter_map(|tag| tag.split_once('>').map(|(tag, _)| tag));
    let sources = tags.filter_map(|tag| Some(tag.split_once("src=\"")?.1.split_once('"')?.0));
    sources.map(|src| src.replace("&#x2F;", "/").replace("&amp;", "&")).collect()
}

/// The form that carries an answer to another site: a script submits it, or the person by its button.
fn form_post(page: &Page) -> Option<(String, BTreeMap<String, String>)> {
    let (address, fields) = page.posted()?;
    assert!(page.has("form-post-submit"), "without a script the person presses a button");
    Some((address, fields.into_iter().collect()))
}

fn arrived(url: &str, posted: BTreeMap<String, String>) -> Callback {
    let query: BTreeMap<String, String> = query_of(url).into_iter().collect();
    let uri = url.split('?').next().unwrap().to_owned();
    assert!(!url.contains('#'), "nothing is in the fragment: {url}");
    let params = if posted.is_empty() { query.clone() } else { posted };
    Callback { uri, params, query }
}

/// Gives the person every claim that there is.
async fn fill_in(w: &World, user: &Person) {
    let text = |value: &str| Some(value.to_owned());
    let profile = Profile {
        name: text("Ada Tester"),
        given_name: text("Ada"),
        family_name: text("Tester"),
        middle_name: text("M."),
        nickname: text("ad"),
        profile: text("https://people.example/ada"),
        picture: text("https://people.example/ada.png"),
        website: text("https://ada.example/"),
        gender: text("female"),
        birthdate: text("1990-01-02"),
        zoneinfo: text("Europe/Zurich"),
        locale: text("de-CH"),
        email: text("ada@example.org"),
        email_verified: true,
        email_settled: None,
        phone_number: text("+41441234567"),
        phone_number_verified: true,
        address: Some(Address {
            formatted: text("Main Street 1\n8000 Zürich"),
            street_address: text("Main Street 1"),
            locality: text("Zürich"),
            region: text("ZH"),
            postal_code: text("8000"),
            country: text("CH"),
        }),
        traits: serde_json::Map::new(),
    };
    let seen = w.app.store.find_account(w.realm, &user.id).await.unwrap().unwrap().updated;
    let audit = w.audit(AuditEvent::AccountChanged);
    let op = UpdateAccount { realm: w.realm, id: user.id, profile, seen, now: w.clock.now(), audit };
    assert_eq!(w.app.store.write(op).await.unwrap(), AccountChange::Done);
}
