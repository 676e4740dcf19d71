//! Case 9: {everything that gives access} × {everything that ends it}: refused at once, on both databases. Generated:
//! a new way in or a new end is one row, and meets all of the others.

use idp_core::account::AccountState;
use idp_core::audit::AuditEvent;
use idp_core::client::{ClientAuthMethod, ClientState, ConsentMode, GrantType};
use idp_store::consents::DeleteConsent;
use idp_store::passwords::{Keep, SetPassword};
use idp_store::sessions::EndAccountSessions;

use crate::both;
use crate::device::Device;
use crate::rules::rule;
use crate::world::{Answer, Ask, Browser, Person, Rp, Tokens, World};

/// Something that ends what somebody was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    UserDisabled,
    UserLocked,
    UserDeleted,
    SignedOut,
    SessionEnded,
    SessionsRevoked,
    PasskeyRemoved,
    PasswordChanged,
    ConsentWithdrawn,
    GroupRemoved,
    ClientDisabled,
    ClientDeleted,
}

pub const ENDS: &[End] = &[
    End::UserDisabled,
    End::UserLocked,
    End::UserDeleted,
    End::SignedOut,
    End::SessionEnded,
    End::SessionsRevoked,
    End::PasskeyRemoved,
    End::PasswordChanged,
    End::ConsentWithdrawn,
    End::GroupRemoved,
    End::ClientDisabled,
    End::ClientDeleted,
];

impl End {
    /// Whether the user or an operator ends one session: that spares what was granted for good.
    const fn is_ordinary(self) -> bool {
        matches!(self, Self::SignedOut | Self::SessionEnded)
    }

    /// Brings it about.
    pub async fn happen(self, w: &World, ann: &Person, rp: &Rp, browser: &mut Browser) {
        let (realm, account) = (w.realm, ann.id);
        match self {
            Self::UserDisabled => w.set_account_state(ann, AccountState::Disabled).await,
            Self::UserLocked => w.set_account_state(ann, AccountState::Locked).await,
            Self::UserDeleted => w.delete_account(ann).await,
            Self::SignedOut => {
                let page = browser.get("/logout").await;
                assert_eq!(browser.submit(&page, "/logout/confirm", &[("decision", "yes")]).await.status, 200);
            }
            Self::SessionEnded => w.end_session(ann, ann.sid(w, browser).await).await,
            Self::SessionsRevoked => {
                let audit = w.audit(AuditEvent::SessionEnded);
                assert!(w.app.store.write(EndAccountSessions { realm, account, keep: None, audit }).await.unwrap() > 0);
            }
            Self::PasskeyRemoved => w.remove_passkey(ann, 0).await,
            Self::PasswordChanged => {
                let found = w.app.store.find_account(realm, &account).await.unwrap().unwrap();
                let op = SetPassword {
                    realm,
                    account,
                    hash: Some(idp_core::secret::Secret::new("$argon2id$changed".to_owned())),
                    seen_version: found.password_version,
                    keep: Keep::None,
                    way_in: None,
                    clear: Vec::new(),
                    now: w.clock.now(),
                    audit: w.audit(AuditEvent::PasswordSet),
                };
                w.app.store.write(op).await.unwrap();
            }
            Self::ConsentWithdrawn => {
                let audit = w.audit(AuditEvent::ConsentWithdrawn);
                let op = DeleteConsent { realm, account, client: rp.client.id.clone(), audit };
                assert!(w.app.store.write(op).await.unwrap());
            }
            Self::GroupRemoved => w.leave(ann, "staff").await,
            Self::ClientDisabled => w.set_client_state(rp, ClientState::Disabled).await,
            Self::ClientDeleted => w.delete_client(rp).await,
        }
    }
}

/// Everything one person holds at one client.
struct Held {
    rp: Rp,
    ann: Person,
    browser: Browser,
    /// Redeemed in the session.
    tokens: Tokens,
    /// Redeemed with `offline_access`.
    offline: Tokens,
    /// Not yet redeemed.
    code: (Ask, String),
    /// Allowed, not yet polled.
    device: Device,
    /// Pushed, not yet opened.
    pushed: String,
}

impl Held {
    async fn make(w: &World, name: &str) -> Self {
        let rp = w
            .rp_with(name, |s| {
                s.auth_method = ClientAuthMethod::ClientSecretBasic;
                s.grant_types = vec![GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
                s.consent = ConsentMode::Ask;
                s.allowed_groups = vec!["staff".to_owned()];
            })
            .await;
        let mut ann = w.person(&format!("ann-{name}")).await;
        w.join(&ann, &["staff"]).await;
        let mut browser = w.browser();
        let device = w.allowed_device(&rp, &mut browser, &mut ann).await;
        let tokens = w.tokens_for(&mut browser, &mut ann, &rp, "openid").await;
        assert_eq!(tokens.sid(), ann.sid(w, &browser).await, "the claim is the session's");
        let offline = w.tokens_for(&mut browser, &mut ann, &rp, "openid offline_access").await;
        let ask = rp.ask();
        let code = w.authorize(&mut browser, &mut ann, &ask).await.code();
        let pushed = rp.pushed(w, &rp.ask().with("prompt", "none")).await;
        Self { rp, ann, browser, tokens, offline, code: (ask, code), device, pushed }
    }

    /// Tries one way in: whether it let in, and the error if not.
    async fn enter(&mut self, w: &World, way: Way) -> (bool, String) {
        let page = match way {
            Way::Userinfo => w.userinfo(&self.tokens.access_token).await,
            Way::Introspect => {
                let page = self.rp.post(w, "/introspect", &[("token", &self.tokens.access_token)]).await;
                return (page.status == 200 && page.value()["active"] == true, page.error());
            }
            Way::Code => self.rp.redeem(w, &self.code.0, &self.code.1).await,
            Way::Refresh => self.rp.refresh(w, &self.tokens.refresh_token).await,
            Way::OfflineRefresh => self.rp.refresh(w, &self.offline.refresh_token).await,
            Way::OfflineUserinfo => w.userinfo(&self.offline.access_token).await,
            Way::Device => self.device.poll(w).await,
            Way::SingleSignOn | Way::Pushed => {
                let asked = self.rp.ask().with("prompt", "none").url();
                let page = self.browser.open(if way == Way::Pushed { &self.pushed } else { &asked }).await;
                if page.next().is_none() {
                    return (false, page.status.to_string());
                }
                let answer = Answer::of(&page);
                return (answer.params.contains_key("code"), answer.error().to_owned());
            }
        };
        (page.status == 200, page.error())
    }
}

/// A way to what somebody granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Userinfo,
    Introspect,
    SingleSignOn,
    Pushed,
    OfflineUserinfo,
    OfflineRefresh,
    Refresh,
    Code,
    Device,
}

/// Reads first: redeeming would change what the others meet.
const WAYS: &[Way] = &[
    Way::Userinfo,
    Way::Introspect,
    Way::SingleSignOn,
    Way::Pushed,
    Way::OfflineUserinfo,
    Way::OfflineRefresh,
    Way::Refresh,
    Way::Code,
    Way::Device,
];

/// Whether a way stays open.
fn survives(way: Way, end: End) -> bool {
    matches!(way, Way::OfflineUserinfo | Way::OfflineRefresh) && end.is_ordinary()
}

both! {
    async fn every_way_is_open_until_what_it_rests_on_ends(db) {
        let w = World::start(db).await;
        let mut held = Held::make(&w, "nothing").await;
        for way in WAYS {
            let (open, error) = held.enter(&w, *way).await;
            assert!(open, "{way:?}: {error}");
        }
    }

    async fn no_way_is_open_after_what_it_rests_on_ended(db) {
        let w = World::start(db).await;
        for (n, end) in ENDS.iter().enumerate() {
            let mut held = Held::make(&w, &format!("app{n}")).await;
            end.happen(&w, &held.ann, &held.rp, &mut held.browser).await;
            for way in WAYS {
                let (open, error) = held.enter(&w, *way).await;
                let rule = match way {
                    Way::Refresh | Way::OfflineRefresh => rule("refresh.live"),
                    Way::Device => rule("device_code.session"),
                    Way::Code => rule("code.session"),
                    _ => rule("bearer.live"),
                };
                assert_eq!(open, survives(*way, *end), "{rule}: {way:?} after {end:?}: {error}");
                assert!(open || error != "500" && error != "server_error", "{way:?} after {end:?}: {error}");
            }
        }
    }
}
