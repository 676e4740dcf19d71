//! What people reach, what is refused when saved, whom a change hits, and why.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use idp_core::account::{Account, AccountState, Profile, Role};
use idp_core::acr::Acr;
use idp_core::client::{Client, ClientSettings, ClientState};
use idp_core::id::{ClientId, RealmId};
use idp_core::passkey::explain::{Source, explain};
use idp_core::passkey::mds::{Certification, Model};
use idp_core::passkey::policy::*;
use idp_core::passkey::reach::{Holder, Reach, problems, reach};
use idp_core::passkey::record::{Attestation, Passkey};
use idp_core::passkey::simulate::{Change, Demands, Outcome};
use idp_core::realm::{Realm, RealmSettings, RelyingParty};
use idp_core::secret::{Secret, sha256};
use idp_softkey::{Alg, Maker, Options};
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

pub fn realm(policy: Policy) -> Realm {
    let rp = RelyingParty::new(RP_ID, "https", Vec::new());
    Realm {
        id: RealmId(1),
        name: "default".to_owned(),
        issuer: ORIGIN.to_owned(),
        display_name: "Example".to_owned(),
        relying_parties: vec![rp],
        settings: RealmSettings::default(),
        policy: Arc::new(policy),
        group_policies: Vec::new(),
    }
}

pub fn holder(username: &str, password: bool, totp: bool, passkeys: Vec<Passkey>) -> Holder {
    let account = Account {
        id: account(),
        username: username.to_owned(),
        profile: Profile::default(),
        user_handle: HANDLE.to_vec(),
        role: Role::User,
        state: AccountState::Active,
        password_hash: password.then(|| Secret::new("hash".to_owned())),
        password_version: 0,
        preferences: Default::default(),
        totp: totp.then_some(NOW),
        recovery: None,
        created: NOW,
        updated: NOW,
    };
    Holder { account, groups: Vec::new(), passkeys, mails: true }
}

fn passkey(options: Options) -> Passkey {
    Bench::new(Alg::Es256, options).passkey
}

fn demands(fields: &[(&str, &str)]) -> ClientPolicy {
    let mut demands = ClientPolicy::default();
    for (name, value) in fields {
        demands.set(name, value).unwrap();
    }
    demands
}

fn client(id: &str, policy: ClientPolicy) -> Client {
    Client {
        id: ClientId::parse(id).unwrap(),
        state: ClientState::Active,
        secret_hash: None,
        registration_hash: None,
        settings: ClientSettings { policy, ..ClientSettings::default() },
        created: NOW,
        updated: NOW,
    }
}

const MODES: [Mode; 5] =
    [Mode::PasskeyOnly, Mode::PasskeyFirst, Mode::PasswordThenPasskey, Mode::PasskeyThenSecondFactor, Mode::Optional];

/// Policies of a realm that differ in what decides about ways in, and can be saved.
fn small_policies() -> Vec<Policy> {
    let phone = AllowedTypes::Only(BTreeSet::from([PasskeyType::Phone]));
    let mut all = Vec::new();
    for bits in 0..8 {
        let [enabled, allow_login, allow_second_factor] = [1, 2, 4].map(|bit| bits & bit != 0);
        for mode in MODES {
            for allowed_types in [AllowedTypes::Any, phone.clone()] {
                let policy =
                    Policy { enabled, allow_login, allow_second_factor, mode, allowed_types, ..Policy::default() };
                all.extend(policy.check().is_empty().then_some(policy));
            }
        }
    }
    all
}

fn small_demands() -> Vec<ClientPolicy> {
    let only = |types: &[PasskeyType]| Some(AllowedTypes::Only(types.iter().copied().collect()));
    let types = [None, only(&[PasskeyType::SecurityKey]), only(&[PasskeyType::Phone])];
    let acrs = [None, Some(Acr::Phr), Some(Acr::Aal2), Some(Acr::Phrh)];
    let mut all = Vec::new();
    for mode in std::iter::once(None).chain(MODES.map(Some)) {
        for allowed_types in &types {
            for minimum_acr in acrs {
                let allowed_types = allowed_types.clone();
                all.push(ClientPolicy { mode, allowed_types, minimum_acr, ..ClientPolicy::default() });
            }
        }
    }
    all
}

#[test]
fn what_nobody_could_meet_is_refused_and_nothing_else() {
    let keys: Vec<_> =
        [Options::security_key(), Options::phone(), Options::platform(), Options::synced()].map(passkey).to_vec();
    let mut people = Vec::new();
    for bits in 0..4 {
        let (password, totp) = (bits & 1 != 0, bits & 2 != 0);
        people.push(holder("ann", password, totp, Vec::new()));
        people.extend(keys.iter().map(|key| holder("ann", password, totp, vec![key.clone()])));
    }
    let mut refused = 0;
    for policy in small_policies() {
        for uv_counts_as_second_factor in [true, false] {
            let mut realm = realm(policy.clone());
            realm.settings.uv_counts_as_second_factor = uv_counts_as_second_factor;
            for client in small_demands() {
                let met = client.meet(&policy);
                let types = !policy.enabled || met.allowed_types.iter().next().is_some();
                let somebody = people.iter().any(|who| reach(&realm, Some(&client), who, NOW) >= Reach::Perhaps);
                let found = problems(&realm, &client);
                assert_eq!(found.is_empty(), somebody && types, "{policy:?}\n{client:?}\n{found:?}");
                refused += usize::from(!found.is_empty());
            }
        }
    }
    assert!(refused > 500, "{refused}");
}

const A: &str = "61206b6e-6f77-6e20-6d6f-64656c203a29";
const B: &str = "08080808-0808-0808-0808-080808080808";

/// Of which no field speaks.
const C: &str = "09090909-0909-0909-0909-090909090909";

/// Values of the fields about models, with nothing first; own roots are listed by no metadata.
fn of_models() -> Vec<Vec<(&'static str, String)>> {
    let root = json!([MAKER.pem()]).to_string();
    let trust = ["", "mds", &root];
    let mut all = Vec::new();
    for trust in trust {
        for allow in ["", A] {
            for deny in ["", A, B] {
                for least in ["", "FIDO_CERTIFIED_L1"] {
                    for refused in ["", "RETIRED"] {
                        let fields = [
                            ("attestation_trust", trust),
                            ("aaguid_allow", allow),
                            ("aaguid_deny", deny),
                            ("mds_min_certification", least),
                            ("mds_refuse_status", refused),
                        ];
                        let set = fields.into_iter().filter(|(_, value)| !value.is_empty());
                        all.push(set.map(|(name, value)| (name, value.to_owned())).collect());
                    }
                }
            }
        }
    }
    all
}

static MAKER: LazyLock<Maker> = LazyLock::new(|| Maker::new("Maker"));

/// Passkeys of three models as their records tell: by nobody's word, or, where it is asked for, by that of an own root or
/// of the metadata, with and without a certification.
fn of_each_make(asked: bool) -> Vec<Passkey> {
    let plain = passkey(Options::security_key());
    let mut all = vec![plain.clone()];
    for aaguid in [A, B, C].map(|text| *uuid::Uuid::parse_str(text).unwrap().as_bytes()) {
        all.push(Passkey { aaguid, ..plain.clone() });
        for (root, certification) in
            [(sha256(MAKER.root()), Certification::None), ([7; 32], Certification::None), ([7; 32], Certification::L1)]
        {
            let model = Model { vouched: root == [7; 32], certification, ..plain.model.clone() };
            let (attestation, attestation_root) = (Attestation::Verified, Some(root));
            all.extend(asked.then_some(Passkey { aaguid, attestation, attestation_root, model, ..plain.clone() }));
        }
    }
    all
}

#[test]
fn demands_on_models_that_nobody_could_meet_are_refused_and_nothing_else() {
    let mut found = [0; 2];
    for attestation in ["none", "direct"] {
        let people: Vec<_> =
            of_each_make(attestation != "none").into_iter().map(|key| holder("ann", false, false, vec![key])).collect();
        for own in of_models() {
            let mut policy = Policy { mode: Mode::PasskeyOnly, ..Policy::default() };
            policy.set("attestation", attestation).unwrap();
            own.iter().for_each(|(name, value)| policy.set(name, value).unwrap());
            if !policy.check().is_empty() {
                continue;
            }
            let realm = realm(policy);
            for demanded in of_models() {
                let fields: Vec<_> = demanded.iter().map(|(name, value)| (*name, value.as_str())).collect();
                let client = demands(&fields);
                let somebody = people.iter().any(|who| reach(&realm, Some(&client), who, NOW) == Reach::In);
                let problems = problems(&realm, &client);
                found[usize::from(somebody)] += 1;
                // Certifications are demanded together with whose word on them counts, though it might be met without.
                let unsaid = problems.iter().any(|problem| problem.field == "mds_min_certification");
                assert!(problems.is_empty() == somebody || (somebody && unsaid), "{own:?}\n{fields:?}\n{problems:?}");
            }
        }
    }
    assert!(found.iter().all(|count| *count > 1000), "{found:?}");
}

#[test]
fn a_group_may_be_the_only_one_that_can_meet_a_client() {
    let mut realm = realm(Policy { mode: Mode::PasskeyOnly, ..Policy::default() });
    let client = demands(&[("mode", "password_then_passkey")]);
    let nothing = ClientPolicy { allowed_types: Some(AllowedTypes::Only(BTreeSet::new())), ..ClientPolicy::default() };
    assert_eq!(problems(&realm, &nothing)[0].field, "allowed_types");
    assert_eq!(problems(&realm, &demands(&[("minimum_acr", "phrh")]))[0].field, "minimum_acr");
    // There a password and a passkey are let in by both, so only a realm without passwords refuses.
    assert_eq!(problems(&realm, &client), []);
    realm.policy = Arc::new(Policy { enabled: false, mode: Mode::PasskeyFirst, ..Policy::default() });
    assert_eq!(problems(&realm, &client)[0].field, "mode");
    let policy = Arc::new(Policy::default());
    realm.group_policies = vec![GroupPolicy { group: "staff".to_owned(), priority: 1, policy }];
    assert_eq!(problems(&realm, &client), []);
}

#[test]
fn attested_keys_can_be_demanded_where_somebody_asks_for_attestation() {
    for demand in [("attestation_trust", "mds"), ("minimum_acr", "phrh")] {
        let silent = problems(&realm(Policy::default()), &demands(&[demand]));
        assert!(!silent.is_empty(), "{demand:?}: nobody is asked for attestation");
        assert_eq!(problems(&realm(policy(&[("attestation", "direct")])), &demands(&[demand])), [], "{demand:?}");
    }
    let asks = realm(policy(&[("attestation", "direct"), ("attestation_trust", "mds")]));
    assert_eq!(problems(&asks, &demands(&[("mds_min_certification", "FIDO_CERTIFIED_L2")])), []);
    let believes_nobody = realm(policy(&[("attestation", "direct")]));
    let found = problems(&believes_nobody, &demands(&[("mds_min_certification", "FIDO_CERTIFIED_L2")]));
    assert_eq!(found[0].field, "mds_min_certification");
}

#[test]
fn demands_are_set_from_words_and_taken_away() {
    let mut all = demands(&[
        ("mode", "passkey_only"),
        ("allowed_types", "security_key,device"),
        ("deny_synced", "true"),
        ("user_verification", "required"),
        ("attestation_trust", "mds"),
        ("aaguid_allow", "2fc0579f-8113-47ea-b116-bb5a8db9202a"),
        ("aaguid_deny", "ee882879-721c-4913-9775-3dfcce97072a"),
        ("mds_refuse_status", "REVOKED"),
        ("mds_min_certification", "FIDO_CERTIFIED_L1"),
        ("minimum_acr", "aal2"),
    ]);
    assert_eq!(all.values().keys().collect::<BTreeSet<_>>().len(), DEMANDS.len());
    assert_eq!(all.minimum_acr, Some(Acr::Aal2));
    for (text, acr) in [
        ("https://refeds.org/profile/mfa", Acr::RefedsMfa),
        ("http://idmanagement.gov/ns/assurance/aal/2", Acr::Aal2),
        ("phr", Acr::Phr),
    ] {
        all.set("minimum_acr", text).unwrap();
        assert_eq!(all.minimum_acr, Some(acr));
    }
    for (name, text) in [("mode", "any"), ("minimum_acr", "gold"), ("max_passkeys", "3"), ("deny_synced", "x")] {
        let before = all.clone();
        assert_eq!(all.set(name, text).unwrap_err().field, name);
        assert_eq!(all, before, "unchanged");
    }
    assert!(all.set("colour", "red").unwrap_err().text.contains("minimum_acr"));
    for name in DEMANDS {
        all.unset(name).unwrap();
    }
    assert!(all.is_empty() && all.unset("max_passkeys").is_err());
}

#[test]
fn a_change_names_whom_it_locks_out_and_which_passkeys_stop() {
    let now = realm(Policy::default());
    let next = realm(Policy { mode: Mode::PasskeyOnly, deny_synced: true, ..Policy::default() });
    let mut owner = holder("owner", false, false, vec![passkey(Options::synced())]);
    owner.account.role = Role::Owner;
    let mut unverified = passkey(Options::security_key());
    unverified.uv_initialized = false;
    let mut gone = holder("gone", true, false, Vec::new());
    gone.account.state = AccountState::Disabled;
    let people = [
        holder("pat", true, false, Vec::new()),
        holder("key", false, false, vec![passkey(Options::security_key())]),
        holder("both", true, false, vec![passkey(Options::synced()), passkey(Options::platform())]),
        holder("nothing", false, false, Vec::new()),
        owner,
        gone,
    ];
    let app = client("app", demands(&[("allowed_types", "security_key")]));
    let clients = [Demands { client: &app, next: app.settings.policy.clone() }];
    let change = Change { now: &now, next: &next, clients: &clients, at: NOW };
    let mut outcome = Outcome::default();
    people.iter().for_each(|who| outcome.judge(change, who));
    outcome.sort();
    let names = |of: &[idp_core::passkey::simulate::Affected]| {
        of.iter().map(|who| (who.username.clone(), who.owner, who.client.is_some(), who.certain)).collect::<Vec<_>>()
    };
    assert_eq!(outcome.accounts, 5);
    assert_eq!(
        names(&outcome.locked_out),
        [("owner".to_owned(), true, false, true), ("pat".to_owned(), false, false, true)]
    );
    assert_eq!((outcome.owners_lost().collect::<Vec<_>>(), outcome.owners_kept), (vec!["owner"], 0));
    let stopped: Vec<_> = outcome.passkeys.iter().map(|p| (p.of.username.as_str(), p.why.clone())).collect();
    assert_eq!(stopped, [("both", vec!["synced_not_allowed"]), ("owner", vec!["synced_not_allowed"])]);

    // A passkey that never verified its user may or may not be able to.
    let now = realm(policy(&[("user_verification", "preferred")]));
    let next = realm(Policy::default());
    let change = Change { now: &now, next: &next, clients: &[], at: NOW };
    let mut outcome = Outcome::default();
    outcome.judge(change, &holder("u2f", false, false, vec![unverified]));
    assert_eq!(names(&outcome.locked_out), [("u2f".to_owned(), false, false, false)]);
    assert_eq!(outcome.passkeys[0].why, ["user_not_verified"]);
    assert!(!outcome.passkeys[0].of.certain);
}

#[test]
fn a_client_locks_out_of_itself_alone_and_only_its_users() {
    let now = realm(policy(&[("enrolment_requires", "any")]));
    let mut staff = client("app", ClientPolicy::default());
    staff.settings.allowed_groups = vec!["staff".to_owned()];
    let next = demands(&[("allowed_types", "security_key"), ("mode", "passkey_only")]);
    let clients = [Demands { client: &staff, next }];
    let change = Change { now: &now, next: &now, clients: &clients, at: NOW };
    let phone = || vec![passkey(Options::phone())];
    let in_staff = |mut who: Holder| {
        who.groups = vec!["staff".to_owned()];
        who
    };
    let mut outcome = Outcome::default();
    for who in [
        holder("outsider", false, false, phone()),
        in_staff(holder("member", false, false, phone())),
        in_staff(holder("key", false, false, vec![passkey(Options::security_key())])),
    ] {
        outcome.judge(change, &who);
    }
    // Whoever has a passkey may make another one; it is the old one that is refused there.
    assert_eq!(outcome.locked_out, []);
    let enrol: Vec<_> = outcome.must_enrol.iter().map(|who| (who.username.as_str(), who.client.is_some())).collect();
    assert_eq!(enrol, [("member", true)]);
    let stopped: Vec<_> = outcome.passkeys.iter().map(|p| (p.of.username.as_str(), p.why.clone())).collect();
    assert_eq!(stopped, [("member", vec!["type_not_allowed"])]);

    // Where no passkey may be made, it is a lock-out.
    let closed = realm(policy(&[("allow_registration", "false")]));
    let change = Change { now: &closed, next: &closed, ..change };
    let mut outcome = Outcome::default();
    outcome.judge(change, &in_staff(holder("member", false, false, phone())));
    assert_eq!(outcome.locked_out.len(), 1);
    assert_eq!(outcome.owners_lost().count(), 0);
}

#[test]
fn a_required_passkey_that_cannot_be_made_locks_out() {
    let carl = holder("carl", true, false, Vec::new());
    for (requires, enrolment, expected) in [
        ("any", "required:0", Reach::Enrols),
        ("access_pass", "required:0", Reach::Out),
        ("access_pass", "required:5", Reach::In),
        ("access_pass", "nudge:5", Reach::In),
        ("confirmed", "required:0", Reach::Out),
    ] {
        let realm = realm(policy(&[("enrolment_requires", requires), ("enrolment", enrolment)]));
        assert_eq!(reach(&realm, None, &carl, NOW), expected, "{requires} {enrolment}");
    }
    // A mailed code confirms whoever has a verified address, where mails are sent.
    let realm = realm(policy(&[("enrolment", "required:0")]));
    let mut ann = carl.clone();
    ann.account.profile.email = Some("ann@example.org".to_owned());
    assert_eq!(reach(&realm, None, &ann, NOW), Reach::Out, "not verified");
    ann.account.profile.email_verified = true;
    assert_eq!(reach(&realm, None, &ann, NOW), Reach::Enrols);
    ann.account.totp = Some(NOW);
    assert_eq!(reach(&realm, None, &ann, NOW), Reach::Out, "an authenticator app that is too young, and none instead");
    (ann.account.totp, ann.mails) = (None, false);
    assert_eq!(reach(&realm, None, &ann, NOW), Reach::Out, "no mails");
}

#[test]
fn explains_where_each_value_is_from() {
    let mut realm = realm(policy(&[("max_passkeys", "7")]));
    let strict = Arc::new(policy(&[("deny_synced", "true")]));
    realm.group_policies = vec![GroupPolicy { group: "staff".to_owned(), priority: 1, policy: strict }];
    let demands = demands(&[("mode", "passkey_only"), ("allowed_types", "security_key"), ("minimum_acr", "phr")]);
    let mut ann = holder("ann", true, false, vec![passkey(Options::synced()), passkey(Options::security_key())]);
    let explained = explain(&realm, None, &ann, NOW);
    let from = |explained: &idp_core::passkey::explain::Explained, name: &str| {
        explained.fields.iter().find(|line| line.field == name).map(|line| (line.from.clone(), line.value.clone()))
    };
    assert_eq!(from(&explained, "max_passkeys"), Some((Source::Realm, json!(7))));
    assert_eq!(from(&explained, "mode"), Some((Source::Default, json!("passkey_first"))));
    assert!(explained.passkeys.iter().all(|passkey| passkey.why.is_empty()));

    ann.groups = vec!["staff".to_owned()];
    let explained = explain(&realm, Some(&demands), &ann, NOW);
    let group = Source::Group("staff".to_owned());
    assert_eq!(from(&explained, "max_passkeys"), Some((group.clone(), json!(5))));
    assert_eq!(from(&explained, "deny_synced"), Some((group, json!(true))));
    assert_eq!(from(&explained, "mode"), Some((Source::Client, json!(["passkey_first", "passkey_only"]))));
    assert_eq!(from(&explained, "allowed_types"), Some((Source::Client, json!(["security_key"]))));
    assert_eq!(from(&explained, "minimum_acr"), Some((Source::Client, json!("phr"))));
    assert_eq!(explained.passkeys[0].why, ["type_not_allowed", "synced_not_allowed"]);
    assert_eq!(explained.reach, Reach::In);
    let alone = explained.ways.iter().find(|way| way.combination == Combination::PasswordAlone).unwrap();
    assert_eq!((alone.held, alone.leads_to), (true, Verdict::AskPasskey));
}

#[test]
fn strangers_are_asked_for_whatever_one_of_the_policies_takes() {
    let off = Policy { enabled: false, ..Policy::default() };
    let of = |policy: Policy| GroupPolicy { group: "g".to_owned(), priority: 1, policy: Arc::new(policy) };
    assert!(!of_strangers(&off, &[]).enabled);
    let asked = of_strangers(&off, &[of(policy(&[("user_verification", "preferred")]))]).into_owned();
    assert!(asked.enabled);
    assert_eq!(asked.user_verification, PerType::all(Requirement::Preferred));
    let keys = policy(&[("allowed_types", "security_key"), ("user_verification", "required")]);
    let phones = policy(&[("allowed_types", "phone"), ("user_verification", "discouraged")]);
    let asked = of_strangers(&keys, &[of(phones), of(off)]).into_owned();
    assert_eq!(asked.allowed_types.iter().collect::<Vec<_>>(), [PasskeyType::SecurityKey, PasskeyType::Phone]);
    assert_eq!(asked.user_verification, PerType::all(Requirement::Preferred), "nobody is locked out by asking");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a client demands, and be it an acr alone: nobody comes further than without.
    #[test]
    fn a_demand_never_lets_in_more(
        base in prop::sample::select(small_policies()),
        mut demands in prop::sample::select(small_demands()),
        bits in any::<[bool; 6]>(),
        kind in prop::sample::select(vec!["security_key", "phone", "synced", "none"]),
    ) {
        let [password, totp, deny_synced, verified, counts, asks] = bits;
        let mut realm = realm(base);
        realm.settings.uv_counts_as_second_factor = counts;
        let mut keys = match kind {
            "security_key" => vec![passkey(Options::security_key())],
            "phone" => vec![passkey(Options::phone())],
            "synced" => vec![passkey(Options::synced())],
            _ => Vec::new(),
        };
        keys.iter_mut().for_each(|key| key.uv_initialized = verified);
        let mut who = holder("ann", password, totp, keys);
        who.account.preferences.ask_passkey = asks;
        demands.deny_synced = deny_synced;
        let all = reach(&realm, None, &who, NOW);
        let acr_alone = ClientPolicy { minimum_acr: demands.minimum_acr, ..ClientPolicy::default() };
        let by_acr = reach(&realm, Some(&acr_alone), &who, NOW);
        prop_assert!(by_acr <= all, "{by_acr:?} {all:?}");
        let by_all = reach(&realm, Some(&demands), &who, NOW);
        prop_assert!(by_all <= all, "{by_all:?} {all:?}");
    }
}
