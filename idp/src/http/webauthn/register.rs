//! `POST /webauthn/register`: a passkey is kept, in one commit with the pass that allowed it.

use idp_core::account::{Account, AccountState, Profile, Role};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::encoding::base64url;
use idp_core::id::AccountId;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::ceremony::{CeremonyPurpose, CeremonyState};
use idp_core::passkey::mds::Entry;
use idp_core::passkey::policy::{Policy, judge_registration};
use idp_core::passkey::provider::provider;
use idp_core::passkey::record::Passkey;
use idp_core::passkey::registration::{Registered, verify};
use idp_core::passkey::wire::RegistrationResponse;
use idp_core::passkey::{Ceremony, Reason, Refused};
use idp_core::secret::Hash;
use idp_store::accounts::NameTaken;
use idp_store::passkeys::{OwnerSetUp, PasskeyRegistered, RegisterPasskey, SetUpOwner};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{state, wrong_host};
use crate::http::account::fresh;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::login::ending;
use crate::http::login::enrol::Enrolling;
use crate::http::login::partial::Partial;
use crate::http::login::stand::{Stand, next_url};
use crate::http::oauth::authorize;
use crate::http::policy;
use crate::http::problem::Problem;
use crate::http::sign_up::newcomer;

/// Most characters of a passkey's name.
pub const MOST_NAME: usize = 80;

#[derive(Deserialize)]
struct Body {
    ceremony: String,
    credential: Value,
    name: Option<String>,
    /// The sign-in, or the wish to sign in, in whose midst the passkey is made: it goes on with it.
    request: Option<String>,
}

/// 201 with the passkey's record and `next`.
pub async fn post(mut x: Exchange) -> Outcome {
    let body: Body = x.json().await?;
    let ceremony = state::reopen(&mut x, &body.ceremony)?;
    let request = authorize::reopen_some(&x, body.request.as_deref()).await?;
    let (account, existing) = match &ceremony.purpose {
        CeremonyPurpose::Authenticate { .. } => {
            return Err(Problem::bad("ceremony_invalid", "this ceremony signs in; it cannot register a passkey"));
        }
        CeremonyPurpose::Register { account, pass } => {
            (*account, allowed(&x, (*account, *pass), request.as_ref()).await?)
        }
        CeremonyPurpose::Upgrade { account } => (*account, allowed_upgrade(&x, *account, request.as_ref()).await?),
        CeremonyPurpose::SetUp { account, .. } | CeremonyPurpose::SignUp { account, .. } => (*account, 0),
    };
    let response = RegistrationResponse::from_json(&body.credential)?;
    // No passkey is kept that the application would refuse: it would ask for another one at once.
    let policy = authorize::policy_at(&x, policy::of(&x, &account).await?, request.as_ref()).await?;
    let mut registered = match verify(&state::expected(&x, &ceremony), response, &policy, x.now) {
        Ok(registered) => registered,
        Err(refused) => return Err(wrong_host::told(&x, refused, account).await),
    };
    let entry = match registered.model_key() {
        Some(model) => x.app.store.find_model(&model).await?,
        None => None,
    };
    registered.assess(&policy, entry.as_ref(), x.now);
    let policy = Policy { max_passkeys: ceremony.purpose.most_passkeys(&policy), ..policy.as_ref().clone() };
    if let Some(violation) = judge_registration(&policy, &registered, existing).first() {
        return Err(Problem::api(403, violation.code(), violation.public()));
    }
    let name = clean_name(body.name.as_deref()).unwrap_or_else(|| proposed_name(&registered, entry.as_ref()));
    let passkey = registered.into_passkey(account, &ceremony.rp_id, name, x.now);
    let record = record(&passkey);
    let next = finish(&x, &policy, &ceremony, passkey, request.as_ref()).await?;
    let mut body = record;
    if let Some(members) = body.as_object_mut() {
        members.insert("next".to_owned(), next.into());
    }
    x.reply(201, &body)
}

/// Keeps the passkey; where the browser goes on.
async fn finish(
    x: &Exchange,
    policy: &Policy,
    ceremony: &CeremonyState,
    passkey: Passkey,
    request: Option<&AuthorizationRequest>,
) -> Result<String, Problem> {
    if matches!(ceremony.purpose, CeremonyPurpose::SignUp { .. }) {
        return newcomer::write(x, &ceremony.purpose, passkey, state::used(ceremony), request).await;
    }
    let next = write(x, policy, ceremony, passkey).await?;
    if let Some(request) = request {
        // Making a passkey authenticates nobody: the sign-in goes on and asks for it.
        let partial = Partial::read(x, Some(request.id)).is_some();
        let stand = if partial { Stand::SecondFactor } else { Stand::Complete };
        return next_url(x, stand, Some(request));
    }
    if Partial::read(x, None).is_some() {
        return next_url(x, Stand::SecondFactor, None);
    }
    Ok(next)
}

/// A name as its owner typed it, if there is anything to it.
pub fn clean_name(name: Option<&str>) -> Option<String> {
    let shown: String = name?.chars().filter(|c| !c.is_control()).collect();
    let name: String = shown.trim().chars().take(MOST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// What keeps it, if that is known, else what kind of thing it is.
fn proposed_name(registered: &Registered, entry: Option<&Entry>) -> String {
    use idp_core::passkey::policy::PasskeyType::{Device, Phone, SecurityKey};
    if let Some(provider) = provider(&registered.aaguid, entry) {
        return provider.name;
    }
    let kind = match (registered.passkey_type(), registered.backup_eligible) {
        (Some(SecurityKey), _) => "Security key",
        (Some(Phone), _) => "Phone",
        (Some(Device), false) => "This device",
        (_, true) => "Synced passkey",
        (None, false) => "Passkey",
    };
    kind.to_owned()
}

/// The record as the contract shows it.
fn record(passkey: &Passkey) -> Value {
    json!({
        "id": base64url(&passkey.credential_id),
        "name": passkey.name,
        "rp_id": passkey.rp_id,
        "alg": passkey.alg,
        "synced": passkey.backup_eligible,
        "discoverable": passkey.discoverable,
        "transports": passkey.transports,
        "created_at": passkey.created.secs(),
    })
}

/// Checks again what allowed the ceremony, since five minutes may have passed, and counts the passkeys there are.
async fn allowed(
    x: &Exchange,
    (account, pass): (AccountId, Option<Hash>),
    request: Option<&AuthorizationRequest>,
) -> Result<usize, Problem> {
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account).await?;
    let by_partial = || async { Ok::<_, Problem>(Enrolling::by_partial(x, request).await?.filter(|e| e.may(x))) };
    if pass.is_none() && by_partial().await?.is_none_or(|e| e.account.id != account) {
        let visitor = x.visitor().await?.filter(|v| v.account.id == account).ok_or_else(Problem::signed_out)?;
        fresh::require_to_enrol(x, &visitor, &passkeys)?;
    }
    Ok(passkeys.iter().filter(|p| p.takes_place(&x.rp.rp_id)).count())
}

/// The same for one without a dialogue: the policy may have changed, or a passkey been made in another tab.
async fn allowed_upgrade(
    x: &Exchange,
    account: AccountId,
    request: Option<&AuthorizationRequest>,
) -> Result<usize, Problem> {
    let visitor = x.visitor().await?.filter(|v| v.account.id == account).ok_or_else(Problem::signed_out)?;
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account).await?;
    ending::require_upgrade(x, &visitor, &passkeys, request).await?;
    Ok(passkeys.iter().filter(|p| p.takes_place(&x.rp.rp_id)).count())
}

async fn write(x: &Exchange, policy: &Policy, ceremony: &CeremonyState, passkey: Passkey) -> Result<String, Problem> {
    match &ceremony.purpose {
        CeremonyPurpose::Register { account, pass } => add(x, policy, ceremony, (passkey, *account, *pass)).await,
        CeremonyPurpose::Upgrade { account } => add(x, policy, ceremony, (passkey, *account, None)).await,
        CeremonyPurpose::SetUp { .. } => match set_up(x, ceremony, passkey).await? {
            OwnerSetUp::Done => Ok("/setup/done".to_owned()),
            OwnerSetUp::ChallengeUsed => Err(used()),
            OwnerSetUp::PassGone => Err(over()),
            OwnerSetUp::CredentialExists => Err(taken()),
            OwnerSetUp::NameTaken(NameTaken::Username) => {
                Err(Problem::api(409, "username_taken", "this user name is taken: choose another one"))
            }
            OwnerSetUp::NameTaken(NameTaken::Email) => {
                Err(Problem::api(409, "email_taken", "this e-mail address belongs to another account"))
            }
            OwnerSetUp::NameTaken(NameTaken::PasskeyName) => {
                Err(Problem::api(409, "passkey_name_taken", "another user's passkeys have this name"))
            }
        },
        CeremonyPurpose::Authenticate { .. } | CeremonyPurpose::SignUp { .. } => {
            Err(Problem::bad("ceremony_invalid", "this ceremony is for something else"))
        }
    }
}

fn taken() -> Problem {
    Problem::from(Refused::new(Ceremony::Registration, Reason::Registered))
}

fn used() -> Problem {
    Problem::api(409, "ceremony_used", "this passkey was kept already")
}

fn over() -> Problem {
    Problem::api(403, "link_over", "this link was used or is too old: ask for another one")
}

/// One more passkey of an account that is there.
async fn add(
    x: &Exchange,
    policy: &Policy,
    ceremony: &CeremonyState,
    (passkey, account, pass): (Passkey, AccountId, Option<Hash>),
) -> Result<String, Problem> {
    let automatic = matches!(ceremony.purpose, CeremonyPurpose::Upgrade { .. });
    let mut detail = json!({ "passkey": passkey.name, "synced": passkey.backup_eligible });
    if automatic && let Some(fields) = detail.as_object_mut() {
        fields.insert("automatic".to_owned(), true.into());
    }
    let actor = if pass.is_some() { Actor::Pass } else { Actor::Account(account) };
    let mut audit = x.audit(AuditEvent::PasskeyRegistered, actor, detail);
    audit.account_id = Some(account);
    let op = RegisterPasskey {
        realm: x.realm.id,
        passkey,
        challenge: state::used(ceremony),
        pass,
        max_passkeys: i64::from(policy.max_passkeys),
        automatic,
        now: x.now,
        audit,
    };
    match x.app.store.write(op).await? {
        PasskeyRegistered::Registered if pass.is_some() => {
            x.app.session_ended.notify_one();
            Ok("/setup/done".to_owned())
        }
        PasskeyRegistered::Registered => Ok("/account/security?added=1".to_owned()),
        PasskeyRegistered::ChallengeUsed => Err(used()),
        PasskeyRegistered::PassGone => Err(over()),
        PasskeyRegistered::CredentialExists => Err(taken()),
        PasskeyRegistered::TooMany => {
            Err(Problem::api(409, "too_many_passkeys", "you have as many passkeys as are allowed"))
        }
        PasskeyRegistered::AccountGone => Err(Problem::api(403, "account_disabled", "this account is switched off")),
    }
}

async fn set_up(x: &Exchange, ceremony: &CeremonyState, passkey: Passkey) -> Result<OwnerSetUp, Problem> {
    let CeremonyPurpose::SetUp { pass, account, username, email, name, user_handle } = &ceremony.purpose else {
        return Err(Problem::bad("ceremony_invalid", "this ceremony is for something else"));
    };
    let mut audit = x.audit(AuditEvent::AccountCreated, Actor::Pass, json!({ "username": username, "role": "owner" }));
    audit.account_id = Some(*account);
    let account = Account {
        id: *account,
        username: username.clone(),
        profile: Profile { name: name.clone(), email: email.clone(), ..Profile::default() },
        user_handle: user_handle.clone(),
        role: Role::Owner,
        state: AccountState::Active,
        password_hash: None,
        password_version: 0,
        preferences: Default::default(),
        totp: None,
        recovery: None,
        created: x.now,
        updated: x.now,
    };
    let op = SetUpOwner {
        realm: x.realm.id,
        account,
        passkey,
        challenge: state::used(ceremony),
        pass: *pass,
        now: x.now,
        audit,
    };
    Ok(x.app.store.write(op).await?)
}
