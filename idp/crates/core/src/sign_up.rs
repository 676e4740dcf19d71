//! Who may make an account, and what a newcomer brings: a user name and traits that fit, and a passkey.
//! NIST SP 800-63A-4 §2.

use serde_json::{Map, Value};

use crate::account::{Profile, check_username, is_own_name};
use crate::passkey::policy::{Combination, Holds, Verdict};
use crate::realm::{Realm, RealmSettings, SelfRegistration};
use crate::rule::Rule;
use crate::user_schema::Problem;

/// The rules of signing up, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "sign_up.off",
        spec: "NIST SP 800-63A-4 §2",
        text: "Nobody makes an account of their own unless the realm allows it and a passkey alone lets in.",
    },
    Rule {
        id: "sign_up.username",
        spec: "ASVS 5.0 §6.3",
        text: "A user name is free and well formed; one with @ is the newcomer's own e-mail address.",
    },
    Rule {
        id: "sign_up.domain",
        spec: "ASVS 5.0 §6.3",
        text: "Where domains are listed, the e-mail address is of one of them.",
    },
    Rule {
        id: "sign_up.traits",
        spec: "JSON Schema 2020-12 §10",
        text: "The traits fit the schema, and each is one that people set themselves.",
    },
];

/// Path under which a problem with the user name is told.
pub const USERNAME: &str = "username";

/// Somebody about to get an account.
#[derive(Clone, Debug)]
pub struct Newcomer {
    pub username: String,
    pub profile: Profile,
}

/// Why nobody can sign up here, if so.
///
/// # Errors
/// A sentence.
pub fn possible(realm: &Realm) -> Result<(), &'static str> {
    let policy = &realm.policy;
    if realm.settings.self_registration == SelfRegistration::Off {
        return Err("nobody makes an account of their own here: ask the administrator");
    }
    let holds = Holds { passkey: true, ..Holds::default() };
    let alone = policy.verdict(Combination::PasskeyAlone, holds) == Verdict::In;
    if !policy.enabled || !policy.allow_registration || !alone {
        return Err("accounts cannot be made here, because a passkey alone does not let in");
    }
    Ok(())
}

/// Reads what a newcomer brings. Without a user name the e-mail address is it.
///
/// # Errors
/// Everything that cannot be used, by path; the user name's is [`USERNAME`].
pub fn newcomer(
    settings: &RealmSettings,
    username: Option<&str>,
    traits: Map<String, Value>,
) -> Result<Newcomer, Vec<Problem>> {
    let schema = settings.schema();
    let (own, mut problems) = schema.own(&traits);
    let mut profile = Profile::default();
    problems.extend(schema.apply(&mut profile, own).err().unwrap_or_default());
    // An address that cannot be used is told once, as a trait.
    let email = profile.email.as_deref();
    let username = username.map(str::trim).filter(|name| !name.is_empty()).or(email).unwrap_or_default();
    let of_name = |text: &str| Problem::new(&[USERNAME.to_owned()], text);
    if let Err(problem) = check_username(username) {
        problems.push(of_name(&problem.to_string()));
    } else if !is_own_name(username, email) {
        problems.push(of_name("a user name with @ must be your own e-mail address"));
    }
    if let SelfRegistration::Domains(domains) = &settings.self_registration {
        let domain = email.and_then(|email| email.rsplit_once('@')).map(|(_, domain)| domain);
        if !domain.is_some_and(|domain| domains.iter().any(|one| one.eq_ignore_ascii_case(domain))) {
            let path = schema.email().map(|part| part.path.clone()).unwrap_or_default();
            problems.push(Problem::new(&path, format!("must be an address at {}", domains.join(" or "))));
        }
    }
    if problems.is_empty() { Ok(Newcomer { username: username.to_owned(), profile }) } else { Err(problems) }
}

/// Whether the forms ask for a user name: not where everybody has an address to be known by.
pub fn asks_username(settings: &RealmSettings) -> bool {
    !settings.schema().email().is_some_and(|part| part.required)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{asks_username, newcomer};
    use crate::realm::{RealmSettings, SelfRegistration};
    use crate::user_schema::UserSchema;

    fn said(settings: &RealmSettings, username: &str, traits: Value) -> Vec<String> {
        let problems = newcomer(settings, Some(username), traits.as_object().unwrap().clone()).err();
        problems.unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    fn open() -> RealmSettings {
        RealmSettings { self_registration: SelfRegistration::Open, ..RealmSettings::default() }
    }

    #[test]
    fn a_user_name_with_an_at_sign_is_ones_own_address() {
        let rule = "sign_up.username";
        let mail = json!({ "email": "Ada@example.org" });
        assert_eq!(said(&open(), "ada@example.org", mail.clone()), Vec::<String>::new(), "{rule}");
        assert!(said(&open(), "eve@example.org", mail.clone())[0].contains("your own e-mail address"));
        assert!(said(&open(), "eve@example.org", json!({}))[0].contains("your own"));
        assert!(said(&open(), "", json!({}))[0].starts_with("username: a user name has"));
        assert_eq!(newcomer(&open(), None, mail.as_object().unwrap().clone()).unwrap().username, "Ada@example.org");
        assert!(asks_username(&open()));
    }

    #[test]
    fn where_domains_are_listed_the_address_is_of_one_of_them() {
        let rule = "sign_up.domain";
        let domains = vec!["example.org".to_owned(), "lab.example.org".to_owned()];
        let settings = RealmSettings { self_registration: SelfRegistration::Domains(domains), ..open() };
        for good in ["ada@example.org", "ada@LAB.example.org"] {
            assert_eq!(said(&settings, "ada", json!({ "email": good })), Vec::<String>::new(), "{rule}");
        }
        for bad in ["ada@example.com", "ada@x.example.org", "ada@example.org.evil"] {
            let said = said(&settings, "ada", json!({ "email": bad }));
            assert_eq!(said, ["email: must be an address at example.org or lab.example.org"], "{bad}");
        }
        assert_eq!(said(&settings, "ada", json!({})).len(), 1);
    }

    #[test]
    fn traits_fit_and_none_is_an_administrators() {
        let rule = "sign_up.traits";
        let grade = json!({ "type": "string", "readOnly": true });
        let properties = json!({ "email": { "type": "string" }, "grade": grade });
        let schema = UserSchema::new(json!({ "properties": properties, "required": ["email"] })).unwrap();
        let settings = RealmSettings { user_schema: Some(schema), ..open() };
        assert_eq!(said(&settings, "ada", json!({})), ["email: is needed"], "{rule}");
        let email = "a@b.ch";
        let said = |traits| said(&settings, "ada", traits);
        assert_eq!(said(json!({ "email": email, "grade": "A" })), ["grade: is set by an administrator"]);
        assert_eq!(said(json!({ "email": email, "role": "admin" })), ["role: is set by an administrator"]);
        assert!(!asks_username(&settings), "everybody has an address");
    }
}
