//! `/login/enrol`: a passkey is made in the midst of a sign-in, because the policy or the application asks for one.
//! passkey policy (`enrolment`); `core/interact/enrol.rs` decides.

use std::sync::Arc;

use idp_core::account::Account;
use idp_core::account::verification::masked;
use idp_core::client::Client;
use idp_core::interact::{EnrolReason, Step};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::enrolment::FirstPasskey;
use idp_core::passkey::policy::{PasskeyType, Policy};
use idp_core::passkey::record::Passkey;
use idp_core::session::AuthEvent;
use idp_store::accounts::{Preference, SetPreference};

use super::confirmation::Confirmation;
use super::ending::signed_in;
use super::partial::Partial;
use crate::http::account::fresh;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;
use crate::views::{CodeForm, CodeNotice, Demands, Enrol, Page, Person};

/// The order of the buttons: what most people have at hand comes first.
const KINDS: [PasskeyType; 3] = [PasskeyType::Device, PasskeyType::Phone, PasskeyType::SecurityKey];

/// Who is to make a passkey, and what lets them.
pub struct Enrolling {
    pub account: Account,
    /// The account's own; the client may demand more.
    pub policy: Arc<Policy>,
    pub passkeys: Vec<Passkey>,
    /// What this browser proved for the account.
    pub events: Vec<AuthEvent>,
    /// It was proved lately enough to change factors on it.
    pub fresh: bool,
}

impl Enrolling {
    /// Whoever gave a password in this browser for this request, where the policy wants a passkey before a session.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn by_partial(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<Option<Self>, Problem> {
        let Some(partial) = Partial::read(x, request.map(|r| r.id)) else { return Ok(None) };
        let Some(account) = x.app.store.find_account(x.realm.id, &partial.account).await? else { return Ok(None) };
        let events = partial.events_of(&account);
        let policy = policy::of(x, &account.id).await?;
        let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
        let enrols = !events.is_empty() && super::finish::is_to_enrol(x, &policy, (&account, &passkeys), &events);
        Ok(enrols.then_some(Self { account, policy, passkeys, events, fresh: true }))
    }

    /// Whoever is signed in with this browser.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn by_session(x: &Exchange, visitor: &Visitor) -> Result<Self, Problem> {
        let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
        let fresh = fresh::require(x, visitor, &passkeys).is_ok();
        let (account, policy) = (visitor.account.clone(), Arc::clone(&visitor.policy));
        Ok(Self { account, policy, passkeys, events: visitor.session.events.clone(), fresh })
    }

    /// What lets them make one.
    pub fn way(&self, x: &Exchange) -> FirstPasskey {
        fresh::enrol_way(x, (&self.account, &self.policy), &self.events, &self.passkeys)
    }

    /// Whether a passkey may be made on what was proved.
    pub fn may(&self, x: &Exchange) -> bool {
        self.way(x) == FirstPasskey::Proved
    }
}

/// Somebody of whom this page asks a passkey.
pub struct Asked {
    pub enrolling: Enrolling,
    reason: EnrolReason,
    voluntary: bool,
}

impl Asked {
    /// Whom the page asks, if anybody.
    ///
    /// # Errors
    /// Only when the store fails.
    pub async fn find(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<Option<Self>, Problem> {
        if let Some(enrolling) = Enrolling::by_partial(x, request).await? {
            return Ok(Some(Self { enrolling, reason: EnrolReason::Demanded, voluntary: false }));
        }
        let Some(visitor) = x.visitor().await? else { return Ok(None) };
        let Some((reason, voluntary)) = wanted(x, request, &visitor).await? else { return Ok(None) };
        Ok(Some(Self { enrolling: Enrolling::by_session(x, &visitor).await?, reason, voluntary }))
    }
}

/// `GET /login/enrol`.
pub async fn get(x: Exchange) -> Outcome {
    let request = authorize::reopen_some(&x, x.query().one("request")).await?;
    match (Asked::find(&x, request.as_ref()).await?, request) {
        (Some(asked), request) => show(x, request, asked, None).await,
        (None, None) if x.visitor().await?.is_none() => x.go("/login"),
        (None, request) => go_on(x, request).await,
    }
}

/// Why whoever is signed in is asked for a passkey, and whether it may be put off.
async fn wanted(
    x: &Exchange,
    request: Option<&AuthorizationRequest>,
    visitor: &Visitor,
) -> Result<Option<(EnrolReason, bool)>, Problem> {
    if let Some(request) = request {
        let client = authorize::client_of(x, request).await?;
        return Ok(match authorize::decide(x, request, &client, Some(visitor)).await? {
            Step::Enrol { reason, voluntary } => Some((reason, voluntary)),
            _ => None,
        });
    }
    let signed_in = signed_in(x, (&visitor.account, &visitor.policy), &visitor.session.events);
    let Some(asked) = signed_in.wanted() else { return Ok(None) };
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    Ok((!signed_in.has_passkey(&passkeys)).then_some(asked))
}

async fn go_on(x: Exchange, request: Option<AuthorizationRequest>) -> Outcome {
    match request {
        Some(request) => authorize::proceed(x, request).await,
        None => x.go("/account/security"),
    }
}

/// The page, with what is to be said of a code that was typed in.
///
/// # Errors
/// When the request cannot be sealed again, or the theme is faulty.
pub async fn show(
    mut x: Exchange,
    request: Option<AuthorizationRequest>,
    asked: Asked,
    notice: Option<CodeNotice>,
) -> Outcome {
    let Asked { enrolling, reason, voluntary } = asked;
    let client = match &request {
        Some(request) => Some(authorize::client_of(&x, request).await?),
        None => None,
    };
    let met = policy::met(Arc::clone(&enrolling.policy), client.as_deref());
    let sealed = request.as_ref().map(|r| authorize::seal(&x, r)).transpose()?;
    let application = client.as_deref().zip(request.as_ref()).map(|(c, r)| authorize::application_of(c, r));
    let (account, way) = (&enrolling.account, enrolling.way(&x));
    let page = Enrol {
        csrf: x.csrf(),
        switch_href: match &sealed {
            Some(sealed) => format!("/login?switch=1&request={sealed}"),
            None => "/login?switch=1".to_owned(),
        },
        request: sealed,
        demanded: demands(client.as_deref(), application.is_some()),
        demands: client.as_deref().map(|client| Demands::from(&client.settings.policy)).unwrap_or_default(),
        application,
        person: Person::new(&account.username, account.profile.name.as_deref()),
        reason: reason.into(),
        voluntary,
        due: enrolling.policy.enrolment.due(&account.preferences, x.now),
        way: way.into(),
        code: code_form(&x, account, way, notice),
        kinds: KINDS.into_iter().filter(|kind| met.allowed_types.contains(Some(*kind))).map(Into::into).collect(),
        rp_host: x.rp.rp_id.clone(),
    };
    x.page_with(notice.map_or(200, CodeNotice::status), &Page::Enrol(page), None)
}

/// The code of somebody whom one confirms.
pub fn code_form(x: &Exchange, account: &Account, way: FirstPasskey, notice: Option<CodeNotice>) -> Option<CodeForm> {
    let email = account.profile.email.as_deref().filter(|_| way == FirstPasskey::ByCode)?;
    Some(CodeForm { address: masked(email), sent: Confirmation::waiting(x, account).is_some(), notice })
}

/// Whether the page says that it is the application which demands this.
fn demands(client: Option<&Client>, named: bool) -> bool {
    named && client.is_some_and(|client| !client.settings.policy.is_empty())
}

/// `POST /login/enrol/later`: not now.
pub async fn later(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let request = authorize::reopen_some(&x, form.one("request")).await?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    match wanted(&x, request.as_ref(), &visitor).await? {
        Some((_, true)) => {}
        Some((_, false)) => {
            return Err(Problem::api(403, "passkey_required", "a passkey is required here: make one to go on"));
        }
        // The question was answered meanwhile, in another tab perhaps.
        None => return go_on(x, request).await,
    }
    let (account, preference) = (visitor.account.id, Preference::PasskeyPutOff(x.now));
    x.app.store.write(SetPreference { realm: x.realm.id, account, preference, audit: None }).await?;
    let Some(mut request) = request else { return x.go("/account/security") };
    request.enrolment_put_off = true;
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}
