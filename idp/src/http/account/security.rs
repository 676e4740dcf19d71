//! `/account/security`: the passkeys of an account, and at a glance everything else about its sign-ins.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::held::Held;
use idp_core::encoding::{base64url, from_base64url};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::enrolment::FirstPasskey;
use idp_core::passkey::policy::{Mode, PasskeyType, usable, usable_in};
use idp_core::passkey::provider::{Icon, Provider, provider};
use idp_core::passkey::record::{Passkey, PasskeyState};
use idp_core::passkey::standing::standing;
use idp_core::session::Method;
use idp_store::passkey_removal::{PasskeyRemoved, RemovePasskey};
use idp_store::passkeys::RenamePasskey;
use serde_json::json;

use super::removal::{self, removal, way_in};
use super::{activity, applications, fresh, preferences, sessions};
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::login::enrol::code_form;
use crate::http::problem::Problem;
use crate::http::webauthn::register::clean_name;
use crate::views::{
    self, Adding, CodeNotice, Factors, Page, PasskeyKind, PasskeyRow, Person, Removal, Security, SecurityNotice,
};

/// Sessions, applications and events shown here; each has a page with all of them.
const AT_A_GLANCE: usize = 5;

/// `GET /account/security`.
pub async fn get(x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let query = x.query();
    let passkeys = list(&x, &visitor).await?;
    let named = |key: &str| query.one(key).and_then(from_base64url).and_then(|id| find(&passkeys, &id));
    let notice = if query.one("added").is_some() {
        passkeys.iter().max_by_key(|p| p.created).map(|p| SecurityNotice::Added { name: p.name.clone() })
    } else if let Some(passkey) = named("renamed") {
        Some(SecurityNotice::Renamed { name: passkey.name.clone() })
    } else if query.one("removed").is_some() {
        Some(SecurityNotice::Removed)
    } else if query.one("bad-name").is_some() {
        Some(SecurityNotice::BadName)
    } else if let Some(asks) = query.one("asks") {
        Some(SecurityNotice::Asks { on: asks == "1" })
    } else {
        changed(&query)
    };
    show(x, visitor, &passkeys, (notice, None)).await
}

/// The page again, with what is to be said of the code that confirms who makes a first passkey.
///
/// # Errors
/// When the store fails or the theme is faulty.
pub async fn show_code(x: Exchange, visitor: Visitor, passkeys: &[Passkey], notice: Option<CodeNotice>) -> Outcome {
    show(x, visitor, passkeys, (None, notice)).await
}

/// What was changed on another page.
fn changed(query: &RawParams) -> Option<SecurityNotice> {
    match (query.one("password"), query.one("totp"), query.one("recovery")) {
        (Some("set"), ..) => Some(SecurityNotice::PasswordSet),
        (Some("removed"), ..) => Some(SecurityNotice::PasswordRemoved),
        (_, Some("set"), _) => Some(SecurityNotice::TotpSet),
        (_, Some("removed"), _) => Some(SecurityNotice::TotpRemoved),
        (.., Some("cancelled")) => Some(SecurityNotice::RecoveryCancelled),
        _ => None,
    }
}

/// What an account has besides passkeys.
async fn factors(x: &Exchange, visitor: &Visitor) -> Result<Factors, Problem> {
    let (store, realm, account) = (&x.app.store, x.realm.id, &visitor.account);
    let codes = match x.realm.settings.recovery.takes_codes() {
        true => Some(store.count_recovery_codes(realm, &account.id).await?),
        false => None,
    };
    let recovery = store.find_recovery(realm, &account.id, x.now).await?;
    Ok(Factors {
        password: account.password_hash.is_some(),
        passwords: visitor.policy.mode != Mode::PasskeyOnly,
        totp: account.totp,
        recovery_codes: codes,
        recovery: recovery.map(|recovery| recovery.ready),
    })
}

async fn show(
    mut x: Exchange,
    visitor: Visitor,
    passkeys: &[Passkey],
    (notice, of_code): (Option<SecurityNotice>, Option<CodeNotice>),
) -> Outcome {
    let account = &visitor.account;
    let here = || usable(passkeys, &x.rp.rp_id, &visitor.policy);
    let all = removal::held(&x, &visitor, passkeys).await?;
    let mut rows = Vec::with_capacity(passkeys.len());
    for passkey in passkeys {
        rows.push(row(&x, &visitor, all, passkey).await?);
    }
    let standing = standing(here(), visitor.policy.deny_synced);
    // Recovery codes are no factor.
    let held = Held::of(account, passkeys, (here(), &visitor.policy), 0);
    let ask_passkey = preferences::ask_passkey(&visitor, here().next().is_some());
    let (mut sessions, applications) =
        (sessions::rows(&x, &visitor).await?, applications::rows(&x, &visitor, AT_A_GLANCE).await?);
    let adding = adding(&x, &visitor, passkeys);
    sessions.truncate(AT_A_GLANCE);
    let page = Security {
        csrf: x.csrf(),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        passkeys: rows,
        // What takes no place widens the room that is shown.
        limit: usize::from(visitor.policy.max_passkeys)
            + passkeys.iter().filter(|p| !p.takes_place(&x.rp.rp_id)).count(),
        adding,
        code: match adding {
            Adding::ByCode => code_form(&x, account, FirstPasskey::ByCode, of_code),
            Adding::Here | Adding::ByLink | Adding::Off => None,
        },
        factors: factors(&x, &visitor).await?,
        rp_host: x.rp.rp_id.clone(),
        standing: standing.into(),
        first_factors: held.first_factors(&visitor.policy),
        second_factors: held.second_factors(&visitor.policy),
        ask_passkey,
        sessions,
        applications,
        activity: activity::newest(&x, &visitor, AT_A_GLANCE).await?,
        notice,
    };
    let name = account.username.clone();
    let status = page.notice.as_ref().map_or(200, SecurityNotice::status);
    x.page_with(of_code.map_or(status, CodeNotice::status), &Page::Security(Box::new(page)), Some(name))
}

fn adding(x: &Exchange, visitor: &Visitor, passkeys: &[Passkey]) -> Adding {
    let policy = &visitor.policy;
    if !policy.enabled || !policy.allow_registration {
        Adding::Off
    } else {
        fresh::enrol_way(x, (&visitor.account, policy), &visitor.session.events, passkeys).into()
    }
}

/// `POST /account/security/rename`. By names people tell which passkey to remove, so that whoever found a browser open
/// must not swap them.
pub async fn rename(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let passkey = asked(&x, &visitor, &form).await?;
    if fresh::require(&x, &visitor, &list(&x, &visitor).await?).is_err() {
        return x.go("/login?again=1");
    }
    let Some(name) = clean_name(form.one("name")) else { return x.go("/account/security?bad-name=1") };
    let detail = json!({ "from": passkey.name, "to": name });
    let audit = x.audit(AuditEvent::PasskeyRenamed, Actor::Account(visitor.account.id), detail);
    let id = base64url(&passkey.credential_id);
    let op = RenamePasskey {
        realm: x.realm.id,
        account: visitor.account.id,
        credential_id: passkey.credential_id,
        name,
        audit,
    };
    x.app.store.write(op).await?;
    x.go(&format!("/account/security?renamed={id}"))
}

/// `GET /account/security/remove`: the question before.
pub async fn confirm_remove(x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let passkey = asked(&x, &visitor, &x.query()).await?;
    let passkeys = list(&x, &visitor).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    fresh::require_to_remove(&x, &visitor, &passkey)?;
    ask(x, visitor, (&passkeys, &passkey), 200).await
}

/// The question, and what it would mean.
async fn ask(mut x: Exchange, visitor: Visitor, (all, passkey): (&[Passkey], &Passkey), status: u16) -> Outcome {
    let held = removal::held(&x, &visitor, all).await?;
    let page = views::RemovePasskey { csrf: x.csrf(), passkey: row(&x, &visitor, held, passkey).await? };
    let name = visitor.account.username;
    x.page_with(status, &Page::RemovePasskey(page), Some(name))
}

/// `POST /account/security/remove`. Ends the sessions the passkey opened, perhaps this one.
pub async fn remove(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    let passkey = asked(&x, &visitor, &form).await?;
    let passkeys = list(&x, &visitor).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    fresh::require_to_remove(&x, &visitor, &passkey)?;
    let detail = json!({ "passkey": passkey.name });
    let audit = x.audit(AuditEvent::PasskeyRemoved, Actor::Account(visitor.account.id), detail);
    let op = RemovePasskey {
        realm: x.realm.id,
        account: visitor.account.id,
        credential_id: passkey.credential_id.clone(),
        way_in: Some(way_in(&x, &visitor, &form)),
        audit,
    };
    match x.app.store.write(op).await? {
        PasskeyRemoved::Gone | PasskeyRemoved::Done { .. } => {
            x.app.session_ended.notify_one();
            x.go("/account/security?removed=1")
        }
        // It was not the last one when the question was asked, or nobody asked it.
        PasskeyRemoved::LastWayIn => {
            let passkeys = list(&x, &visitor).await?;
            match removal_of(&x, &visitor, removal::held(&x, &visitor, &passkeys).await?, &passkey) {
                Removal::Kept => show(x, visitor, &passkeys, (Some(SecurityNotice::LastWayIn), None)).await,
                Removal::Free | Removal::Last { .. } => ask(x, visitor, (&passkeys, &passkey), 409).await,
            }
        }
    }
}

async fn list(x: &Exchange, visitor: &Visitor) -> Result<Vec<Passkey>, Problem> {
    Ok(x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?)
}

fn find<'a>(passkeys: &'a [Passkey], id: &[u8]) -> Option<&'a Passkey> {
    passkeys.iter().find(|p| p.credential_id == id)
}

/// The passkey a form or link names; only one's own can be named.
async fn asked(x: &Exchange, visitor: &Visitor, params: &RawParams) -> Result<Passkey, Problem> {
    let id = params.one("passkey").and_then(from_base64url).unwrap_or_default();
    let passkeys = list(x, visitor).await?;
    find(&passkeys, &id).cloned().ok_or_else(|| Problem::api(404, "passkey_unknown", "you have no such passkey"))
}

/// What keeps a passkey: by our own table, and only where that does not know it by the metadata.
async fn kept_by(x: &Exchange, passkey: &Passkey) -> Result<Option<Provider>, Problem> {
    let known = provider(&passkey.aaguid, None);
    let Some(model) = passkey.model_key().filter(|_| known.is_none()) else { return Ok(known) };
    let entry = x.app.store.find_model(&model).await?;
    Ok(provider(&passkey.aaguid, entry.as_ref()))
}

async fn row(x: &Exchange, visitor: &Visitor, held: Held, passkey: &Passkey) -> Result<PasskeyRow, Problem> {
    let kind = match (passkey.backup_eligible, passkey.passkey_type()) {
        (true, _) => PasskeyKind::Synced,
        (false, Some(PasskeyType::SecurityKey)) => PasskeyKind::SecurityKey,
        (false, Some(PasskeyType::Phone)) => PasskeyKind::OnePhone,
        (false, _) => PasskeyKind::ThisDevice,
    };
    let provider = kept_by(x, passkey).await?;
    let icon = provider.as_ref().map_or_else(|| icon(kind), |provider| provider.icon);
    Ok(PasskeyRow {
        id: base64url(&passkey.credential_id),
        name: passkey.name.clone(),
        kind,
        // Most passkeys are named by what keeps them: nothing is said twice.
        provider: provider.map(|provider| provider.name).filter(|name| !passkey.name.contains(name)),
        icon: icon.name(),
        host: (passkey.rp_id != x.rp.rp_id).then(|| passkey.rp_id.clone()),
        created: passkey.created,
        last_used: passkey.last_used,
        last_used_client: passkey.last_used_client.clone(),
        last_used_place: passkey.last_used_place.clone(),
        suspended: passkey.state == PasskeyState::Suspended,
        current: visitor
            .session
            .events
            .iter()
            .any(|e| matches!(&e.method, Method::Passkey(proof) if proof.credential_id == passkey.credential_id)),
        removal: removal_of(x, visitor, held, passkey),
    })
}

/// The picture for a passkey of which nobody says what keeps it.
const fn icon(kind: PasskeyKind) -> Icon {
    match kind {
        PasskeyKind::Synced => Icon::Manager,
        PasskeyKind::ThisDevice => Icon::Device,
        PasskeyKind::OnePhone => Icon::Phone,
        PasskeyKind::SecurityKey => Icon::SecurityKey,
    }
}

/// What it means that a passkey goes, of all that is held.
fn removal_of(x: &Exchange, visitor: &Visitor, held: Held, passkey: &Passkey) -> Removal {
    let counted = usable_in(std::slice::from_ref(passkey), &x.realm.relying_parties, &visitor.policy).count();
    removal(x, visitor, &Held { passkeys: held.passkeys.saturating_sub(counted), ..held })
}
