//! `/login/recovery`: the way back for whoever has lost every factor. NIST SP 800-63B-4 §4.2.
//!
//! A name that does not exist costs the same statements and gets the same answers. What is proved opens an enrolment
//! in this browser, never a session.

use idp_core::account::{Account, AccountState};
use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::held::Held;
use idp_core::credential::recovery::{Decision, PASS_LIFETIME_S, Proof, READY_LIFETIME_S, Recovery, decide};
use idp_core::credential::recovery_code::{MAILED_LIFETIME_S, hash, mailed, mailed_as_typed};
use idp_core::encoding::base64url;
use idp_core::id::AccountId;
use idp_core::mail::{Mail, MailTemplate};
use idp_core::oauth::params::RawParams;
use idp_core::pass::{Pass, PassKind};
use idp_core::passkey::policy::usable_in;
use idp_core::seal::Purpose;
use idp_core::secret::{Hash, sha256};
use idp_core::time::Timestamp;
use idp_store::recoveries::Recovery as Waiting;
use idp_store::recoveries::{
    Brought, MailRecoveryCode, OpenRecovery, Outcome as Opens, ProveRecovery, Recovered, Tried, TryRecovery,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::password::named;
use super::throttle::{self, Guess};
use crate::http::answer;
use crate::http::cookies::CookieKind;
use crate::http::exchange::{Exchange, Outcome};
use crate::http::letter::letter;
use crate::http::owners;
use crate::http::policy;
use crate::http::problem::Problem;
use crate::views::{self, CodeNotice, Page, RecoveryStep};

/// How long somebody may take to bring the codes, in seconds.
const LIFETIME_S: i64 = 1800;

/// A recovery on its way, sealed in a cookie of this browser.
#[derive(Clone, Serialize, Deserialize)]
struct Begun {
    /// As typed: what guesses are counted by.
    username: String,
    /// Of a name that does not exist an account that does not either.
    account: AccountId,
    /// Random; its hash names the recovery once it waits.
    secret: [u8; 32],
    /// When it opens, once it was proved and waits.
    ready: Option<Timestamp>,
    expires: Timestamp,
}

/// `GET /login/recovery`.
pub async fn get(x: Exchange) -> Outcome {
    let begun = begun(&x).filter(|_| x.query().one("again").is_none());
    let step = match begun {
        None => RecoveryStep::Ask,
        Some(Begun { ready: None, .. }) => step_prove(&x),
        Some(Begun { ready: Some(at), .. }) if x.now < at => RecoveryStep::Wait { until: at },
        Some(_) => RecoveryStep::Ready,
    };
    show(x, step, None).await
}

/// `POST /login/recovery`: the user name was typed; never says whether it exists. Where too many codes were mailed to it
/// lately, whoever kept one can go on with that: strangers who ask must not be in the way.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    is_on(&x)?;
    let username: String = form.one("username").unwrap_or_default().trim().chars().take(254).collect();
    if username.is_empty() {
        return show(x, RecoveryStep::Ask, None).await;
    }
    if let Err(Problem::Wait { seconds, status: 429, .. }) = throttle::begin_recovery(&x, true).await {
        return throttled(x, RecoveryStep::Ask, seconds).await;
    }
    let account = named(&x, &username).await?;
    let nobody = AccountId::new(x.now, x.app.random());
    let begun = Begun {
        username,
        account: account.as_ref().map_or(nobody, |account| account.id),
        secret: x.app.random(),
        ready: None,
        expires: x.now.plus_s(LIFETIME_S),
    };
    keep(&mut x, &begun)?;
    if x.recovery().mails() {
        match throttle::begin_recovery_mail(&x, &begun.username).await {
            Err(Problem::Wait { seconds, status: 429, .. }) => {
                let step = step_prove(&x);
                return throttled(x, step, seconds).await;
            }
            guess => mail_code(&mut x, &guess?, account.as_ref(), nobody).await?,
        }
    }
    x.go("/login/recovery")
}

/// Mails a code to the verified address of an account. Where there is none, the same statements write nothing.
async fn mail_code(
    x: &mut Exchange,
    guess: &Guess,
    account: Option<&Account>,
    nobody: AccountId,
) -> Result<(), Problem> {
    let recovers = x.realm.settings.schema().recovers_by_email();
    let verified = |a: &&Account| {
        recovers && a.profile.email_verified && a.profile.email.is_some() && a.state == AccountState::Active
    };
    let target = account.filter(verified).map_or(nobody, |account| account.id);
    let code = mailed(x.app.random());
    let mut audit = x.audit(AuditEvent::RecoveryAsked, Actor::Anonymous, json!({}));
    audit.account_id = account.map(|account| account.id);
    let op = MailRecoveryCode {
        realm: x.realm.id,
        account: target,
        hash: mailed_hash(x, target, &code),
        browser: x.browser_hash(),
        expires: x.now.plus_s(MAILED_LIFETIME_S),
        count: throttle::RecordFailure { audit: Some(audit), ..throttle::counted(x, guess) },
        mail: letter(x, (target, MailTemplate::RecoveryCode), MAILED_LIFETIME_S, json!({}), Some(&code))?,
    };
    x.app.store.write(op).await?;
    Ok(())
}

/// `POST /login/recovery/prove`: the codes.
pub async fn prove(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    is_on(&x)?;
    let Some(begun) = begun(&x).filter(|begun| begun.ready.is_none()) else { return x.go("/login/recovery") };
    let step = step_prove(&x);
    let Some(brought) = brought(&x, &begun, &form) else {
        return show(x, step, Some(CodeNotice::Wrong)).await;
    };
    let guess = match throttle::begin_recovery(&x, false).await {
        Err(Problem::Wait { seconds, status: 429, .. }) => return throttled(x, step, seconds).await,
        other => other?,
    };
    let Some(tried) = check(&mut x, &begun, brought, guess).await? else {
        return show(x, step, Some(CodeNotice::Wrong)).await;
    };
    let gone = || Problem::api(403, "account_disabled", "this account is switched off: ask your administrator");
    let account = x.app.store.find_account(x.realm.id, &begun.account).await?.ok_or_else(gone)?;
    let set_by_password = account.profile.email_settled.filter(|_| brought.mailed.is_some());
    let proof = Proof {
        email_code: brought.mailed.is_some(),
        recovery_code: brought.kept.is_some(),
        settled: tried.kept.map(|kept| kept.settled).max(set_by_password),
        weak: set_by_password.is_some() || tried.kept.is_some_and(|kept| kept.weak),
    };
    let held = held(&x, &account).await?;
    let rules = (x.recovery(), x.realm.settings.recovery_wait_h);
    match decide(rules, account.state, &held, proof, x.now) {
        Decision::NotEnough => show(x, step, Some(CodeNotice::NotEnough)).await,
        Decision::Refused => Err(gone()),
        Decision::Open => open(x, &account, (brought, proof)).await,
        Decision::Wait(ready) => wait(x, (begun, &account), (brought, proof, ready)).await,
    }
}

/// What a form brings of what the realm takes; `None`: nothing.
fn brought(x: &Exchange, begun: &Begun, form: &RawParams) -> Option<Brought> {
    let recovery = x.recovery();
    let typed = |name: &str| form.one(name).map(str::trim).filter(|text| !text.is_empty());
    let email_code = typed("email_code").filter(|_| recovery.mails());
    let mailed = email_code.map(|code| mailed_hash(x, begun.account, &mailed_as_typed(code)));
    let kept = typed("recovery_code").filter(|_| recovery.takes_codes()).map(hash);
    (mailed.is_some() || kept.is_some()).then_some(Brought { mailed, kept })
}

/// Checks the codes in a task of its own: a caller who hangs up does not escape the count. `None`: one was wrong.
async fn check(x: &mut Exchange, begun: &Begun, brought: Brought, guess: Guess) -> Result<Option<Tried>, Problem> {
    let browser = x.browser_hash();
    let attempt = TryRecovery { realm: x.realm.id, account: begun.account, brought, browser, now: x.now };
    let audit = x.audit(AuditEvent::RecoveryFailed, Actor::Anonymous, json!({}));
    let failure = throttle::RecordFailure { audit: Some(audit), ..throttle::counted(x, &guess) };
    let app = std::sync::Arc::clone(&x.app);
    let checked: Result<Option<Tried>, Problem> = tokio::spawn(async move {
        let tried = app.store.write(attempt).await?;
        // Whatever was brought must be right: a wrong one beside a right one is a guess, too.
        if tried.mailed == brought.mailed.is_some() && tried.kept.is_some() == brought.kept.is_some() {
            return Ok(Some(tried));
        }
        app.store.write(failure).await?;
        drop(guess);
        Ok(None)
    })
    .await
    .map_err(Problem::internal)?;
    checked
}

async fn held(x: &Exchange, account: &Account) -> Result<Held, Problem> {
    let policy = policy::of(x, &account.id).await?;
    let passkeys = x.app.store.list_passkeys(x.realm.id, &account.id).await?;
    let codes = x.app.store.count_recovery_codes(x.realm.id, &account.id).await?;
    Ok(Held::of(account, &passkeys, (usable_in(&passkeys, &x.realm.relying_parties, &policy), &policy), codes))
}

/// Opens the enrolment at once.
async fn open(mut x: Exchange, account: &Account, (codes, proof): (Brought, Proof)) -> Outcome {
    let (secret, pass) = pass(&mut x, account.id);
    let mut audit = x.audit(AuditEvent::RecoveryOpened, Actor::Anonymous, json!({ "proof": proof.text() }));
    audit.account_id = Some(account.id);
    let op = ProveRecovery {
        realm: x.realm.id,
        account: account.id,
        proof: codes,
        outcome: Opens::Open(pass),
        tell: tell_owners(&x, account).await?,
        now: x.now,
        audit,
    };
    let recovered = x.app.store.write(op).await?;
    enrol(x, recovered, &secret).await
}

/// Lets the recovery wait; its owner is told, and how to cancel it.
async fn wait(
    mut x: Exchange,
    (begun, account): (Begun, &Account),
    (codes, proof, ready): (Brought, Proof, Timestamp),
) -> Outcome {
    let cancel = base64url(x.app.random::<32>());
    let expires = ready.plus_s(READY_LIFETIME_S);
    let detail = json!({ "proof": proof.text(), "ready": ready.secs() });
    let mut audit = x.audit(AuditEvent::RecoveryWaits, Actor::Anonymous, detail);
    audit.account_id = Some(begun.account);
    let waiting = Waiting {
        account: begun.account,
        hash: sha256(&begun.secret),
        cancel_hash: sha256(cancel.as_bytes()),
        created: x.now,
        ready,
        expires,
    };
    let detail = json!({ "ready": ready.secs() });
    let stop = (account.id, MailTemplate::RecoveryWaits);
    let stop = letter(&x, stop, ready.secs() - x.now.secs(), detail, Some(&cancel))?;
    let op = ProveRecovery {
        realm: x.realm.id,
        account: begun.account,
        proof: codes,
        outcome: Opens::Wait(waiting, stop),
        tell: tell_owners(&x, account).await?,
        now: x.now,
        audit,
    };
    match x.app.store.write(op).await? {
        Recovered::Done => {
            keep(&mut x, &Begun { ready: Some(ready), expires, ..begun })?;
            x.go("/login/recovery")
        }
        other => enrol(x, other, "").await,
    }
}

/// `POST /login/recovery/finish`: the hour has come.
pub async fn finish(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    is_on(&x)?;
    let begun = begun(&x).filter(|begun| begun.ready.is_some_and(|at| at <= x.now));
    let Some(begun) = begun else { return x.go("/login/recovery") };
    let (secret, pass) = pass(&mut x, begun.account);
    let mut audit = x.audit(AuditEvent::RecoveryOpened, Actor::Anonymous, json!({ "proof": "waited" }));
    audit.account_id = Some(begun.account);
    let hash = sha256(&begun.secret);
    let op = OpenRecovery { realm: x.realm.id, account: begun.account, hash, pass, now: x.now, audit };
    let recovered = x.app.store.write(op).await?;
    enrol(x, recovered, &secret).await
}

/// Goes on to the enrolment, or says why not.
async fn enrol(mut x: Exchange, recovered: Recovered, secret: &str) -> Outcome {
    match recovered {
        Recovered::Done => {
            x.remove_cookie(CookieKind::Recovery);
            x.go(&format!("/setup?token={secret}"))
        }
        Recovered::Over => {
            x.remove_cookie(CookieKind::Recovery);
            show(x, RecoveryStep::Over, None).await
        }
        Recovered::AccountGone => {
            Err(Problem::api(403, "account_disabled", "this account is switched off: ask your administrator"))
        }
    }
}

/// The access pass of a recovery: short, and for this browser.
fn pass(x: &mut Exchange, account: AccountId) -> (String, Pass) {
    let secret = base64url(x.app.random::<32>());
    let pass = Pass {
        hash: sha256(secret.as_bytes()),
        kind: PassKind::Access,
        account_id: Some(account),
        created: x.now,
        expires: x.now.plus_s(PASS_LIFETIME_S),
        used: None,
        browser: Some(x.browser_hash()),
    };
    (secret, pass)
}

/// Mails to the realm's owners, where they want to know of recoveries.
async fn tell_owners(x: &Exchange, of: &Account) -> Result<Vec<Mail>, Problem> {
    if !x.realm.settings.recovery_tells_owners {
        return Ok(Vec::new());
    }
    owners::told(x, of, MailTemplate::RecoveryOfUser).await
}

/// Keyed: eight digits are found again from a plain hash.
fn mailed_hash(x: &Exchange, account: AccountId, code: &str) -> Hash {
    x.app.sealer().mac(x.realm.id, "recovery.mailed", &[account.as_bytes(), code.as_bytes()])
}

fn is_on(x: &Exchange) -> Result<(), Problem> {
    if x.recovery() != Recovery::Off {
        return Ok(());
    }
    Err(Problem::api(403, "recovery_off", "accounts are recovered by an administrator here: ask for an access pass"))
}

fn begun(x: &Exchange) -> Option<Begun> {
    let begun: Begun = x.cookie(CookieKind::Recovery).and_then(|sealed| x.open(Purpose::Recovery, sealed))?;
    (x.now < begun.expires).then_some(begun)
}

fn keep(x: &mut Exchange, begun: &Begun) -> Result<(), Problem> {
    let sealed = x.seal(Purpose::Recovery, begun)?;
    x.set_cookie(CookieKind::Recovery, &sealed);
    Ok(())
}

fn step_prove(x: &Exchange) -> RecoveryStep {
    let recovery = x.recovery();
    RecoveryStep::Prove { mail: recovery.mails(), code: recovery.takes_codes(), all: recovery == Recovery::Both }
}

async fn throttled(x: Exchange, step: RecoveryStep, seconds: i64) -> Outcome {
    let mut response = show(x, step, Some(CodeNotice::throttled(seconds))).await?;
    answer::header(&mut response, "retry-after", &seconds.to_string());
    Ok(response)
}

async fn show(mut x: Exchange, step: RecoveryStep, notice: Option<CodeNotice>) -> Outcome {
    let step = if x.recovery() == Recovery::Off { RecoveryStep::Off } else { step };
    let page = views::Recovery { csrf: x.csrf(), step, notice };
    let status = notice.map_or(200, CodeNotice::status);
    x.page_with(status, &Page::Recovery(page), None)
}
