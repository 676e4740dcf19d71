//! `/login/enrol`: a passkey is made in the midst of a sign-in, because the policy or the application asks for one.

use std::sync::Arc;

use idp_core::account::Account;
use idp_core::client::Client;
use idp_core::interact::{EnrolReason, Step};
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::policy::{PasskeyType, Policy};
use idp_core::passkey::record::Passkey;
use idp_core::session::AuthEvent;
use idp_store::accounts::{Preference, SetPreference};

use super::partial::Partial;
use crate::http::account::fresh;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;
use crate::views::{Demands, Enrol, EnrolWay, Page, Person};

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
        Ok(enrols.then_some(Self { account, policy, passkeys, events }))
    }

    /// Whether a passkey may be made on what was proved.
    pub fn may(&self, x: &Exchange) -> bool {
        fresh::may_enrol(x, (&self.account, &self.policy), &self.events, &self.passkeys)
    }
}

/// `GET /login/enrol`.
pub async fn get(x: Exchange) -> Outcome {
    let request = authorize::reopen_some(&x, x.query().one("request")).await?;
    if let Some(enrolling) = Enrolling::by_partial(&x, request.as_ref()).await? {
        return show(x, request, enrolling, (EnrolReason::Demanded, false)).await;
    }
    let (Some(request), Some(visitor)) = (request, x.visitor().await?) else { return x.go("/login") };
    let client = authorize::client_of(&x, &request).await?;
    let step = authorize::decide(&x, &request, &client, Some(&visitor)).await?;
    let Step::Enrol { reason, voluntary } = step else { return authorize::proceed(x, request).await };
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    let events = visitor.session.events;
    let enrolling = Enrolling { account: visitor.account, policy: visitor.policy, passkeys, events };
    show(x, Some(request), enrolling, (reason, voluntary)).await
}

async fn show(
    mut x: Exchange,
    request: Option<AuthorizationRequest>,
    enrolling: Enrolling,
    (reason, voluntary): (EnrolReason, bool),
) -> Outcome {
    let client = match &request {
        Some(request) => Some(authorize::client_of(&x, request).await?),
        None => None,
    };
    let met = policy::met(Arc::clone(&enrolling.policy), client.as_deref());
    let sealed = request.as_ref().map(|r| authorize::seal(&x, r)).transpose()?;
    let application = client.as_deref().zip(request.as_ref()).map(|(c, r)| authorize::application_of(c, r));
    let account = &enrolling.account;
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
        way: if enrolling.may(&x) { EnrolWay::Here } else { EnrolWay::ByLink },
        kinds: KINDS.into_iter().filter(|kind| met.allowed_types.contains(Some(*kind))).map(Into::into).collect(),
        rp_host: x.rp.rp_id.clone(),
    };
    x.page(&Page::Enrol(page))
}

/// Whether the page says that it is the application which demands this.
fn demands(client: Option<&Client>, named: bool) -> bool {
    named && client.is_some_and(|client| !client.settings.policy.is_empty())
}

/// `POST /login/enrol/later`: not now.
pub async fn later(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let mut request = authorize::reopen(&x, form.one("request")).await?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let client = authorize::client_of(&x, &request).await?;
    match authorize::decide(&x, &request, &client, Some(&visitor)).await? {
        Step::Enrol { voluntary: true, .. } => {}
        Step::Enrol { voluntary: false, .. } => {
            return Err(Problem::api(403, "passkey_required", "a passkey is required here: make one to go on"));
        }
        // The question was answered meanwhile, in another tab perhaps.
        _ => return authorize::proceed(x, request).await,
    }
    let (account, preference) = (visitor.account.id, Preference::PasskeyPutOff(x.now));
    x.app.store.write(SetPreference { realm: x.realm.id, account, preference, audit: None }).await?;
    request.enrolment_put_off = true;
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}
