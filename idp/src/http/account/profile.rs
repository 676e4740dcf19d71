//! `/account`: what the realm knows about whoever is signed in, and what of it they may change.
//! OIDC Core §5.1.

use idp_core::account::Profile;
use idp_core::audit::{Actor, AuditEvent};
use idp_core::realm::SelfRegistration;
use idp_core::user_schema::{self, Field, FieldKind, Shown};
use idp_store::accounts::{AccountChange, UpdateAccount};
use serde_json::{Map, Value, json};

use super::fresh;
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;
use crate::http::sign_up::newcomer;
use crate::views::{self, EmailCard, Page, Person, ProfileNotice};

/// `GET /account`.
pub async fn get(x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let query = x.query();
    let notice = if query.one("saved").is_some() {
        Some(ProfileNotice::Saved)
    } else if query.one("verified").is_some() {
        Some(ProfileNotice::Verified).filter(|_| visitor.account.profile.email_verified)
    } else {
        query.one("email-saved").map(|_| ProfileNotice::EmailSaved)
    };
    let document = x.realm.settings.schema().document(&visitor.account.profile);
    show(x, visitor, Shows { document, problems: Vec::new(), notice, verification: None }).await
}

/// `POST /account`: names and whatever else does not decide about ways in.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    may_edit(&x)?;
    let schema = x.realm.settings.schema();
    let mut document = schema.document(&visitor.account.profile);
    let email = schema.email().map(|part| (part.path.clone(), user_schema::find(&document, &part.path).cloned()));
    schema.fill(&mut document, |name| form.one(name));
    // The address has a form of its own.
    if let Some((path, value)) = email {
        user_schema::put(&mut document, &path, value);
    }
    save(x, visitor, document, "/account?saved=1").await
}

/// `POST /account/email`: another address, which nobody proved to have. It may lead back into the account, so that
/// changing it needs a fresh sign-in.
pub async fn change_email(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let visitor = x.visitor().await?.ok_or_else(Problem::signed_out)?;
    may_edit(&x)?;
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    let schema = x.realm.settings.schema();
    let Some(part) = schema.email().filter(|part| !part.read_only) else {
        return Err(Problem::api(403, "trait_fixed", "an administrator sets the e-mail address here"));
    };
    let mut document = schema.document(&visitor.account.profile);
    let typed = form.one("email").map(str::trim).filter(|typed| !typed.is_empty());
    user_schema::put(&mut document, &part.path, typed.map(Into::into));
    save(x, visitor, document, "/account?email-saved=1").await
}

/// Without a schema that says what is theirs, people change what they brought themselves.
fn is_editable(x: &Exchange) -> bool {
    let settings = &x.realm.settings;
    settings.user_schema.is_some() || settings.self_registration != SelfRegistration::Off
}

fn may_edit(x: &Exchange) -> Result<(), Problem> {
    if is_editable(x) {
        return Ok(());
    }
    Err(Problem::api(403, "profile_fixed", "an administrator sets what is known about you here"))
}

async fn save(x: Exchange, visitor: Visitor, document: Map<String, Value>, done: &str) -> Outcome {
    let account = &visitor.account;
    let mut profile: Profile = account.profile.clone();
    let shows =
        |problems, notice| Shows { document: document.clone(), problems, notice: Some(notice), verification: None };
    if let Err(problems) = x.realm.settings.schema().apply(&mut profile, document.clone()) {
        return show(x, visitor, shows(problems, ProfileNotice::Unfit)).await;
    }
    if profile == account.profile {
        return x.go(done);
    }
    if profile.email != account.profile.email {
        profile.email_settled = Some(fresh::settles(&x, &visitor)).filter(|at| *at > x.now);
    }
    let (event, detail) = if profile.email == account.profile.email {
        (AuditEvent::AccountChanged, json!({ "what": "claims" }))
    } else {
        // Whether an address has an account is told here as it is to newcomers, and as seldom.
        if let Err(seconds) = newcomer::may_check(&x) {
            let notice = ProfileNotice::throttled(seconds);
            return show(
                x,
                visitor,
                Shows { document, problems: Vec::new(), notice: Some(notice), verification: None },
            )
            .await;
        }
        (AuditEvent::EmailChanged, json!({ "email": profile.email }))
    };
    let op = UpdateAccount {
        realm: x.realm.id,
        id: account.id,
        profile,
        seen: account.updated,
        now: x.now,
        audit: x.audit(event, Actor::Account(account.id), detail),
    };
    let email = x.realm.settings.schema().email().map(|part| part.path.clone()).unwrap_or_default();
    match x.app.store.write(op).await? {
        AccountChange::Done => x.go(done),
        AccountChange::EmailTaken => {
            let taken = user_schema::Problem::new(&email, "belongs to another account");
            show(x, visitor, shows(vec![taken], ProfileNotice::Unfit)).await
        }
        AccountChange::NamedByAddress => {
            let needed = "is your user name, too: give another address, of at most 128 characters";
            let needed = user_schema::Problem::new(&email, needed);
            show(x, visitor, shows(vec![needed], ProfileNotice::Unfit)).await
        }
        AccountChange::PasskeyNameTaken => {
            let taken = user_schema::Problem::of_all("they would name your passkeys as another user's");
            show(x, visitor, shows(vec![taken], ProfileNotice::Unfit)).await
        }
        AccountChange::Changed | AccountChange::Gone | AccountChange::LastOwner => {
            show(x, visitor, shows(Vec::new(), ProfileNotice::Changed)).await
        }
    }
}

/// What the page shows.
pub(super) struct Shows {
    pub document: Map<String, Value>,
    pub problems: Vec<user_schema::Problem>,
    pub notice: Option<ProfileNotice>,
    /// What the form sends back with a mailed code.
    pub verification: Option<String>,
}

/// Answers with the page; 422 where something typed does not fit, 429 where it must wait.
///
/// # Errors
/// When the store fails or the theme is faulty.
pub(super) async fn show(mut x: Exchange, visitor: Visitor, shows: Shows) -> Outcome {
    let account = &visitor.account;
    let schema = x.realm.settings.schema();
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
    let fresh = fresh::require(&x, &visitor, &passkeys).is_ok();
    let mut fields =
        schema.fields(&Shown { document: &shows.document, problems: &shows.problems, editable: is_editable(&x) });
    let at = fields.iter().position(|field| field.claim == Some("email"));
    let email = at.map(|at| fields.remove(at));
    let unseen = |problem: &&user_schema::Problem| !schema.traits().iter().any(|part| part.path == problem.path);
    let problem = shows.problems.iter().find(unseen).map(ToString::to_string);
    let card = schema.email().map(|part| EmailCard {
        address: account.profile.email.clone().unwrap_or_default(),
        verified: account.profile.email_verified,
        sign_in_again: !fresh && email.as_ref().is_some_and(may_change),
        field: email.filter(|field| fresh && may_change(field)),
        can_verify: part.verification
            && x.app.store.queues_mail()
            && account.profile.email.is_some()
            && !account.profile.email_verified,
        verification: shows.verification,
    });
    let status = match shows.notice {
        Some(ProfileNotice::Throttled { .. }) => 429,
        Some(ProfileNotice::WrongCode | ProfileNotice::CodeOver) => 422,
        _ if !shows.problems.is_empty() => 422,
        _ => 200,
    };
    let page = views::Profile {
        csrf: x.csrf(),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        editable: fields.iter().any(may_change),
        fields,
        problem,
        email: card,
        notice: shows.notice,
    };
    let name = account.username.clone();
    x.page_with(status, &Page::Profile(Box::new(page)), Some(name))
}

fn may_change(field: &Field) -> bool {
    field.kind != FieldKind::Fixed
}
