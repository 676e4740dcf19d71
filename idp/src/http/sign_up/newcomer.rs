//! A newcomer between the form and the account: admitted, checked, carried by the ceremony, written in one commit.
//! NIST SP 800-63A-4 §2.

use idp_core::account::{Account, AccountState, Preferences, Role};
use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::id::AccountId;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::ceremony::CeremonyPurpose;
use idp_core::passkey::record::Passkey;
use idp_core::passkey::{Ceremony, Reason, Refused};
use idp_core::sign_up::{Newcomer, USERNAME, newcomer, possible};
use idp_core::user_schema;
use idp_store::accounts::NameTaken;
use idp_store::sign_up::{SignUp, SignedUp};
use idp_store::used_once::Once;
use serde_json::{Map, Value, json};

use crate::http::exchange::Exchange;
use crate::http::login::throttle::{self, network};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;

/// Checks of user names and addresses in a minute from one address. Each tells whether a name is free, which signing
/// up cannot hide; so nobody gets to ask often.
const CHECKS: u32 = 20;

/// Whether anybody may sign up here.
///
/// # Errors
/// 403 where nobody may.
pub fn possible_here(x: &Exchange) -> Result<(), Problem> {
    possible(&x.realm).map_err(|text| Problem::api(403, "sign_up_off", text))
}

/// The same, and that whoever is at this address may ask now.
///
/// # Errors
/// 403 where nobody may, 429 after too many tries.
pub fn admit(x: &Exchange) -> Result<(), Problem> {
    possible_here(x)?;
    may_check(x).map_err(|seconds| Problem::Wait { status: 429, code: "sign_up_rate", seconds })
}

/// That whoever is at this address may ask now whether a name is free; `Err`: in how many seconds again.
pub fn may_check(x: &Exchange) -> Result<(), i64> {
    let key = x.app.sealer().mac(x.realm.id, "sign_up.address", &[&network(x.address)]);
    x.app.rates.admit(key, CHECKS, x.now)
}

/// Reads what a newcomer brings and looks whether the names are free.
///
/// # Errors
/// [`Problem::Traits`] with everything to change.
pub async fn check(x: &Exchange, username: Option<&str>, traits: Map<String, Value>) -> Result<Newcomer, Problem> {
    let newcomer = newcomer(&x.realm.settings, username, traits).map_err(Problem::Traits)?;
    let store = &x.app.store;
    let mut taken = Vec::new();
    // Both look-ups always.
    let name = store.find_account_by_username(x.realm.id, &newcomer.username).await?;
    let email = match &newcomer.profile.email {
        Some(email) => store.find_account_by_email(x.realm.id, email).await?,
        None => None,
    };
    let by_email = username.is_none_or(|name| name.trim().is_empty());
    if name.is_some() && !by_email {
        taken.push(is_taken(x, NameTaken::Username));
    }
    if email.is_some() || (name.is_some() && by_email) {
        taken.push(is_taken(x, NameTaken::Email));
    }
    if taken.is_empty() { Ok(newcomer) } else { Err(Problem::Traits(taken)) }
}

fn is_taken(x: &Exchange, what: NameTaken) -> user_schema::Problem {
    match what {
        NameTaken::Username => user_schema::Problem::new(&[USERNAME.to_owned()], "is taken: choose another one"),
        NameTaken::Email => {
            let path = x.realm.settings.schema().email().map(|part| part.path.clone()).unwrap_or_default();
            user_schema::Problem::new(&path, "has an account already: sign in instead")
        }
        NameTaken::PasskeyName => user_schema::Problem::of_all("they would name your passkey as another user's"),
    }
}

/// What travels in the ceremony.
pub fn purpose(x: &Exchange, newcomer: &Newcomer, account: AccountId, user_handle: Vec<u8>) -> CeremonyPurpose {
    CeremonyPurpose::SignUp {
        account,
        username: newcomer.username.clone(),
        traits: Value::Object(x.realm.settings.schema().document(&newcomer.profile)).to_string(),
        user_handle,
    }
}

/// Makes account and passkey; where to sign in with it, for the request that brought the newcomer.
///
/// # Errors
/// 403 where nobody may sign up any more, 409 for what was taken meanwhile, 429 after many accounts from one address.
pub async fn write(
    x: &Exchange,
    purpose: &CeremonyPurpose,
    passkey: Passkey,
    challenge: Once,
    request: Option<&AuthorizationRequest>,
) -> Result<String, Problem> {
    let CeremonyPurpose::SignUp { account, username, traits, user_handle } = purpose else {
        return Err(Problem::bad("ceremony_invalid", "this ceremony is for something else"));
    };
    possible_here(x)?;
    let traits = serde_json::from_str(traits).map_err(Problem::internal)?;
    // The schema may have changed since.
    let newcomer = newcomer(&x.realm.settings, Some(username), traits).map_err(Problem::Traits)?;
    let guess = throttle::begin_sign_up(x).await?;
    let detail = json!({ "username": username, "by": "sign_up", "passkey": passkey.name });
    let op = SignUp {
        realm: x.realm.id,
        account: Account {
            id: *account,
            username: newcomer.username,
            profile: newcomer.profile,
            user_handle: user_handle.clone(),
            role: Role::User,
            state: AccountState::Active,
            password_hash: None,
            password_version: 0,
            totp: None,
            recovery: None,
            preferences: Preferences::default(),
            created: x.now,
            updated: x.now,
        },
        passkey,
        challenge,
        throttle: throttle::counted(x, &guess),
        audit: Audit { account_id: Some(*account), ..x.audit(AuditEvent::AccountCreated, Actor::Anonymous, detail) },
    };
    match x.app.store.write(op).await? {
        SignedUp::Done => Ok(match request {
            Some(request) => format!("/login?switch=1&signed-up=1&request={}", authorize::seal(x, request)?),
            None => "/login?switch=1&signed-up=1".to_owned(),
        }),
        SignedUp::ChallengeUsed => Err(Problem::api(409, "ceremony_used", "this account was made already")),
        SignedUp::CredentialExists => Err(Refused::new(Ceremony::Registration, Reason::Registered).into()),
        SignedUp::NameTaken(what) => Err(Problem::Traits(vec![is_taken(x, what)])),
    }
}
