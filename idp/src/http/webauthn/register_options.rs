//! `POST /webauthn/register/options`: by a set-up link, an access pass, or a session that is fresh and strong enough.

use std::sync::Arc;

use idp_core::account::{Profile, check_email, check_username, is_own_name};
use idp_core::id::AccountId;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::pass::{self, Pass, PassKind};
use idp_core::passkey::ceremony::CeremonyPurpose;
use idp_core::passkey::enrolment::FirstPasskey;
use idp_core::passkey::options::Kind;
use idp_core::passkey::registration::{self, OptionsFor};
use idp_core::secret::Hash;
use idp_core::sign_up::Newcomer;
use idp_core::user_schema::UserSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::owner::{Owner, named, owner};
use super::{signals, state};
use crate::http::account::fresh;
use crate::http::cookies::CookieKind;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::ending;
use crate::http::login::enrol::Enrolling;
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;
use crate::http::sign_up::newcomer;

#[derive(Deserialize)]
struct Body {
    kind: Option<Kind>,
    username: Option<String>,
    traits: Option<Map<String, Value>>,
    pass: Option<String>,
    /// The sign-in in whose midst the passkey is made.
    request: Option<String>,
    /// Without a dialogue, after a sign-in by password.
    mediation: Option<Mediation>,
}

/// `CredentialMediationRequirement`, as far as it tells a ceremony apart.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mediation {
    Conditional,
}

/// `{"ceremony", "csrf", "publicKey"}`.
pub async fn post(mut x: Exchange) -> Outcome {
    x.check_origin()?;
    let body: Body = x.json().await?;
    let request = authorize::reopen_some(&x, body.request.as_deref()).await?;
    let (owner, purpose) = match body.pass.as_deref().filter(|p| !p.is_empty()) {
        Some(secret) => {
            let pass = live_pass(&x, secret).await?;
            match (pass.kind, pass.account_id) {
                (PassKind::Setup, _) => first_owner(&x, &body, pass.hash)?,
                (PassKind::Access, Some(account)) => by_pass(&x, account, &pass).await?,
                (PassKind::Access, None) | (PassKind::Registration | PassKind::Registrations, _) => {
                    return Err(pass_over());
                }
            }
        }
        None if body.username.is_some() || body.traits.is_some() => {
            newcomer::admit(&x)?;
            let traits = body.traits.clone().unwrap_or_default();
            by_sign_up(&x, &newcomer::check(&x, body.username.as_deref(), traits).await?)
        }
        None if body.mediation == Some(Mediation::Conditional) => by_upgrade(&mut x, request.as_ref()).await?,
        None => by_proof(&x, request.as_ref()).await?,
    };
    let policy = match &purpose {
        CeremonyPurpose::Register { account, .. } | CeremonyPurpose::Upgrade { account } => {
            policy::of(&x, account).await?
        }
        CeremonyPurpose::SetUp { .. } | CeremonyPurpose::SignUp { .. } | CeremonyPurpose::Authenticate { .. } => {
            Arc::clone(&x.realm.policy)
        }
    };
    // No passkey is made that the application would refuse.
    let policy = authorize::policy_at(&x, policy, request.as_ref()).await?;
    if !policy.enabled || !policy.allow_registration {
        return Err(Problem::api(403, "registration_off", "new passkeys are switched off here"));
    }
    let active = owner.passkeys.iter().filter(|p| p.takes_place(&x.rp.rp_id)).count();
    if active >= usize::from(purpose.most_passkeys(&policy)) {
        return Err(Problem::api(
            409,
            "too_many_passkeys",
            "you have as many passkeys as are allowed: remove one first",
        ));
    }
    let conditional = matches!(purpose, CeremonyPurpose::Upgrade { .. });
    let (begun, ceremony) = state::begin(&mut x, purpose)?;
    let options = registration::options(
        &OptionsFor {
            rp_id: &begun.rp_id,
            rp_name: &x.realm.display_name,
            user_handle: &owner.user_handle,
            username: &owner.username,
            display_name: &owner.display_name,
            challenge: &begun.challenge,
            kind: body.kind,
            passkeys: &owner.passkeys,
            conditional,
        },
        &policy,
    );
    let csrf = x.csrf();
    let signals = signals::allowed(&x);
    x.reply(200, &json!({ "ceremony": ceremony, "csrf": csrf, "publicKey": options, "signals": signals }))
}

/// The pass behind a link's secret, if it still works.
///
/// # Errors
/// 403, the same for a pass that was used, is over, or never was.
pub async fn live_pass(x: &Exchange, secret: &str) -> Result<Pass, Problem> {
    let hash = pass::hash(secret);
    let pass = x.app.store.find_pass(x.realm.id, &hash).await?;
    let enrols = |p: &Pass| matches!(p.kind, PassKind::Setup | PassKind::Access);
    // What a recovery opened works in the browser that proved it.
    let here = |p: &Pass| p.browser.is_none_or(|browser| x.is_browser(&browser));
    let live = |p: &Pass| enrols(p) && p.used.is_none() && x.now < p.expires && here(p);
    let pass = pass.filter(live).ok_or_else(pass_over)?;
    // Of several set-up links one makes the owner; the others are worth nothing from then on.
    if pass.kind == PassKind::Setup && x.app.store.count_owners(x.realm.id).await? > 0 {
        return Err(pass_over());
    }
    Ok(pass)
}

fn pass_over() -> Problem {
    Problem::api(403, "link_over", "this link was used, is too old, or never was: ask for another one")
}

fn first_owner(x: &Exchange, body: &Body, pass: Hash) -> Result<(Owner, CeremonyPurpose), Problem> {
    let username = body.username.as_deref().unwrap_or_default().trim().to_owned();
    check_username(&username).map_err(|e| Problem::api(422, "username_invalid", &e.to_string()))?;
    // What the page asks for, whatever the realm's schema.
    let (own, foreign) = UserSchema::standard().own(&body.traits.clone().unwrap_or_default());
    if !foreign.is_empty() {
        return Err(Problem::Traits(foreign));
    }
    let typed = |name: &str| own.get(name)?.as_str().map(str::trim).filter(|t| !t.is_empty());
    let (email, name) = (typed("email").map(str::to_owned), typed("name").map(str::to_owned));
    if let Some(email) = &email {
        check_email(email).map_err(|e| Problem::api(422, "email_invalid", &e.to_string()))?;
    }
    if !is_own_name(&username, email.as_deref()) {
        return Err(Problem::api(422, "username_invalid", "a user name with @ must be your own e-mail address"));
    }
    if name.as_ref().is_some_and(|n| n.chars().count() > 200 || n.chars().any(char::is_control)) {
        return Err(Problem::api(
            422,
            "name_invalid",
            "a name has at most 200 characters, none of them control characters",
        ));
    }
    let user_handle = x.app.random::<64>().to_vec();
    let account = AccountId::new(x.now, x.app.random());
    let profile = Profile { email: email.clone(), name: name.clone(), ..Profile::default() };
    let owner = named(x, account, user_handle.clone(), (&username, &profile));
    Ok((owner, CeremonyPurpose::SetUp { pass, account, username, email, name, user_handle }))
}

async fn by_pass(x: &Exchange, account: AccountId, pass: &Pass) -> Result<(Owner, CeremonyPurpose), Problem> {
    let account = x.app.store.find_account(x.realm.id, &account).await?.ok_or_else(pass_over)?;
    let policy = policy::of(x, &account.id).await?;
    let owner = owner(x, account).await?;
    if !pass.enrols(&policy, &owner.passkeys) {
        return Err(fresh::needs_link());
    }
    let purpose = CeremonyPurpose::Register { account: owner.account, pass: Some(pass.hash) };
    Ok((owner, purpose))
}

/// By a session, or by factors that were proved for a sign-in that waits for the passkey.
async fn by_proof(x: &Exchange, request: Option<&AuthorizationRequest>) -> Result<(Owner, CeremonyPurpose), Problem> {
    let (owner, may) = match Enrolling::by_partial(x, request).await? {
        Some(enrolling) => {
            let may = enrolling.may(x);
            (owner(x, enrolling.account).await?, may)
        }
        None => {
            let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
            let owner = owner(x, visitor.account.clone()).await?;
            fresh::require_to_enrol(x, &visitor, &owner.passkeys)?;
            let who = (&visitor.account, visitor.policy.as_ref());
            let way = fresh::enrol_way(x, who, &visitor.session.events, &owner.passkeys);
            (owner, way == FirstPasskey::Proved)
        }
    };
    if !may {
        return Err(fresh::needs_link());
    }
    let purpose = CeremonyPurpose::Register { account: owner.account, pass: None };
    Ok((owner, purpose))
}

/// By the password that signed in a moment ago. From here on this browser counts as asked, whatever comes of it.
async fn by_upgrade(
    x: &mut Exchange,
    request: Option<&AuthorizationRequest>,
) -> Result<(Owner, CeremonyPurpose), Problem> {
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let owner = owner(x, visitor.account.clone()).await?;
    ending::require_upgrade(x, &visitor, &owner.passkeys, request).await?;
    let tried = ending::tried(x, owner.account);
    x.set_cookie(CookieKind::Upgrade, &tried);
    let purpose = CeremonyPurpose::Upgrade { account: owner.account };
    Ok((owner, purpose))
}

fn by_sign_up(x: &Exchange, newcomer: &Newcomer) -> (Owner, CeremonyPurpose) {
    let handle = x.app.random::<64>().to_vec();
    let account = AccountId::new(x.now, x.app.random());
    let owner = named(x, account, handle.clone(), (&newcomer.username, &newcomer.profile));
    (owner, newcomer::purpose(x, newcomer, account, handle))
}
