//! What an authorization request needs next: the one dispatcher to which every page returns.
//! OIDC Core §3.1.2.3 and §3.1.2.4, RFC 9470 §4.

mod client;
pub mod consent;
pub mod enrol;
mod login;
mod step_up;

use crate::account::Account;
use crate::acr::{Authenticated, Demand, Evidence, Freshness};
use crate::client::Client;
use crate::id::FlowId;
use crate::oauth::authorize::AuthorizationRequest;
use crate::oauth::error::{ErrorCode, OAuthError};
use crate::oauth::scope::Scopes;
use crate::passkey::policy::{Combination, Effective, Holds, Policy, has_passkey, resolve};
use crate::passkey::record::Passkey;
use crate::realm::Realm;
use crate::rule::Rule;
use crate::session::{PasskeyProof, Session};
use crate::time::Timestamp;

/// Whether somebody in `groups` may use a client.
pub fn is_member<'a>(client: &Client, mut groups: impl Iterator<Item = &'a str>) -> bool {
    let allowed = &client.settings.allowed_groups;
    allowed.is_empty() || groups.any(|group| allowed.iter().any(|a| a == group))
}

/// What the user agreed to before.
#[derive(Clone, Debug)]
pub struct Consent {
    pub scope: Scopes,
    /// The request in which the user last said yes: what `prompt=consent` asks for.
    pub flow: FlowId,
}

/// Who is signed in with this browser, as far as loaded.
pub struct Visitor<'a> {
    pub session: &'a Session,
    pub account: &'a Account,
    /// `sub` as the client of the request knows it.
    pub subject: &'a str,
    /// Names of the account's groups; `None`: not loaded yet.
    pub groups: Option<&'a [String]>,
    /// `None`: not loaded yet.
    pub consent: Option<Option<&'a Consent>>,
    /// `None`: not loaded yet.
    pub passkeys: Option<&'a [Passkey]>,
}

/// The facts of one decision.
pub struct Facts<'a> {
    pub request: &'a AuthorizationRequest,
    pub realm: &'a Realm,
    /// The RP ID of the host at hand; passkeys of others are of no use here.
    pub rp_id: &'a str,
    pub client: &'a Client,
    pub visitor: Option<Visitor<'a>>,
    /// Mails are sent here: a code can confirm who makes a first passkey.
    pub mails: bool,
    pub now: Timestamp,
}

/// Facts to load before deciding again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Groups,
    Passkeys,
    Consent,
}

/// What to ask on top of what the session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    Passkey,
    Password,
    Totp,
}

/// Why a passkey is to be made in the midst of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnrolReason {
    /// The policy or the client takes nothing that the account has.
    Demanded,
    /// The person came in by a passkey of the realm's former RP ID.
    Moved,
    /// The policy asks for one, and may be put off.
    Nudge,
    /// The policy requires one, and the grace period is over.
    Required,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Load this and decide again.
    Need(Need),
    /// Somebody signs in. `again`: there is a session, but this request wants a new ceremony.
    Login { again: bool },
    /// An account is chosen.
    Choose,
    /// One more factor for this session. `voluntary`: the user may go on without it.
    StepUp { factor: Factor, voluntary: bool },
    /// A passkey is made. `voluntary`: the user may go on without.
    Enrol { reason: EnrolReason, voluntary: bool },
    /// The user is asked to agree.
    Consent,
    /// The code is issued on this authentication.
    Issue(Box<Authenticated>),
    /// The client gets an error.
    Deny(OAuthError),
}

/// One row: what must hold before a code is issued, and what `prompt=none` is told when it does not.
pub struct Check {
    pub rule: Rule,
    /// The error under `prompt=none` in place of a page; `None`: the check asks for none then.
    pub silent: Option<ErrorCode>,
    check: fn(&Facts<'_>, &Visitor<'_>) -> Option<Step>,
}

macro_rules! checks {
    ($($id:literal, $spec:literal, $text:literal, $silent:expr => $check:path;)*) => {
        /// The table, in the order it is asked. The first row (`login.session`) holds for requests without a visitor.
        pub const CHECKS: &[Check] = &[$(Check {
            rule: Rule { id: $id, spec: $spec, text: $text },
            silent: $silent,
            check: $check,
        },)*];
    };
}

use ErrorCode::{AccountSelectionRequired, ConsentRequired, InteractionRequired, LoginRequired};
checks! {
    "login.session", "OIDC Core §3.1.2.3", "Somebody is signed in.", Some(LoginRequired) => login::session;
    "login.hint", "OIDC Core §3.1.2.1", "Whoever `id_token_hint` names is the one signed in.", Some(LoginRequired) => login::hinted;
    "login.subject", "OIDC Core §5.5.1", "Whoever `claims` names by a value of `sub` is the one signed in.", Some(LoginRequired) => login::named;
    "login.select_account", "OIDC Core §3.1.2.1", "`prompt=select_account`: an account was chosen for this request.", Some(AccountSelectionRequired) => login::selected;
    "login.fresh", "OIDC Core §3.1.2.1", "`prompt=login`: an event of this very request; `max_age`: one young enough, or of this request.", Some(LoginRequired) => login::fresh;
    "client.groups", "RFC 6749 §4.1.2.1", "Whoever is signed in is in a group that may use the client; else `access_denied`, also silently.", None => client::groups;
    "policy.resolved", "passkey policy", "What the policy depends on is known: the account's groups, and its passkeys where the client judges them.", None => step_up::resolved;
    "step_up.policy", "WebAuthn L3 §1.2", "The policies of the user and of the client let the session's factors in, else a factor that fits is asked for, or a passkey made; where nothing would help, it is said to the client.", Some(LoginRequired) => step_up::policy;
    "step_up.essential", "OIDC Core §5.5.1.1", "An essential `acr` is met, else stepped up to, else refused.", Some(LoginRequired) => step_up::essential;
    "step_up.voluntary", "OIDC Core §3.1.2.1", "`acr_values`: stepped up to where the user can and wants to.", None => step_up::voluntary;
    "enrol.moved", "passkey policy", "Whoever came in by a passkey of a former RP ID makes one of the realm's own, in the same visit; may be put off.", None => enrol::moved;
    "enrol.asked", "passkey policy", "Whoever signed in without a passkey and has none is asked to make one, as `enrolment` says; silently only where it is overdue.", Some(InteractionRequired) => enrol::asked;
    "consent.given", "OIDC Core §3.1.2.4", "The user agreed to each scope, or the client is set to `skip`.", Some(ConsentRequired) => consent::given;
    "consent.asked", "OIDC Core §3.1.2.1", "`prompt=consent`: the user agreed in this very request.", Some(InteractionRequired) => consent::asked;
}

/// Decides what comes next.
pub fn next_step(facts: &Facts<'_>) -> Step {
    let none = facts.request.prompt.none;
    let Some(visitor) = &facts.visitor else {
        return if none { silent(CHECKS.first(), LoginRequired) } else { Step::Login { again: false } };
    };
    for row in CHECKS {
        match ((row.check)(facts, visitor), row.silent) {
            (None, _) => {}
            (Some(step @ (Step::Need(_) | Step::Deny(_))), _) => return step,
            (Some(step), _) if !none => return step,
            (Some(_), Some(code)) => return silent(Some(row), code),
            (Some(_), None) => {}
        }
    }
    match authenticate(facts, visitor, true) {
        Some(authenticated) => Step::Issue(Box::new(authenticated)),
        None => Step::Login { again: true },
    }
}

fn silent(row: Option<&Check>, otherwise: ErrorCode) -> Step {
    let code = row.and_then(|r| r.silent).unwrap_or(otherwise);
    let rule = row.map_or("login.session", |r| r.rule.id);
    Step::Deny(OAuthError::new(code, rule, "the user would have to be asked, and prompt=none forbids it"))
}

/// The set of events this request's tokens would rest on. `policy`: only sets that the policy lets in.
fn authenticate(facts: &Facts<'_>, visitor: &Visitor<'_>, policy: bool) -> Option<Authenticated> {
    let evidence = Evidence { events: &visitor.session.events, active: visitor.session.active, now: facts.now };
    if !policy {
        let demand = Demand { minimum: None, ..demand(facts) };
        return crate::acr::choose(&evidence, &facts.realm.settings, &demand, |_, _| true);
    }
    let effective = facts.policy(visitor);
    let lets_in = |c: Combination, proof: Option<&PasskeyProof>| lets_in(facts, visitor, &effective, (c, proof));
    crate::acr::choose(&evidence, &facts.realm.settings, &demand(facts), lets_in)
}

/// Whether the policies let a combination in, and the client takes the passkey in it.
fn lets_in(
    facts: &Facts<'_>,
    visitor: &Visitor<'_>,
    effective: &Effective<'_>,
    (combination, proof): (Combination, Option<&PasskeyProof>),
) -> bool {
    let judges = effective.client.is_some_and(|client| client.judges_passkeys());
    let taken = !judges
        || proof.is_none_or(|proof| {
            let mut passkeys = visitor.passkeys.unwrap_or_default().iter();
            let passkey = passkeys.find(|passkey| passkey.credential_id == proof.credential_id);
            passkey.is_some_and(|passkey| effective.takes(passkey, proof.user_verified))
        });
    taken && effective.accepts(combination, |policy| holds(facts, visitor, policy))
}

/// What the account has to sign in with under a policy. Passkeys that were not loaded: nothing so far rested on them,
/// so the stricter case is assumed.
fn holds(facts: &Facts<'_>, visitor: &Visitor<'_>, policy: &Policy) -> Holds {
    let account = visitor.account;
    let passkey = visitor.passkeys.is_none_or(|all| has_passkey(all, &facts.realm.relying_parties, (account, policy)));
    Holds {
        passkey,
        password: account.password_hash.is_some(),
        totp: account.totp.is_some(),
        asks_passkey: account.preferences.ask_passkey,
        grace: policy.enrolment.in_grace(&account.preferences, facts.now),
    }
}

impl Facts<'_> {
    /// The policy that counts for a visitor of this client.
    fn policy(&self, visitor: &Visitor<'_>) -> Effective<'_> {
        let groups = visitor.groups.unwrap_or_default();
        resolve(&self.realm.policy, &self.realm.group_policies, groups, Some(&self.client.settings.policy))
    }
}

/// What a request demands of the events.
fn demand(facts: &Facts<'_>) -> Demand {
    let request = facts.request;
    let fresh = Freshness { max_age_s: request.max_age_s, this_flow: request.id, forced: request.prompt.login };
    Demand {
        acr: request.acr.values.clone(),
        // Judged by its own check, which knows whether stepping up could help.
        essential: false,
        minimum: facts.client.settings.policy.minimum_acr,
        fresh: (request.max_age_s.is_some() || request.prompt.login).then_some(fresh),
        another_device: request.to.device().is_some(),
    }
}
