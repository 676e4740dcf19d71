//! Every rule of the tables is named by a test: a rule without one fails here.

use std::path::Path;

use idp_core::passkey::{Ceremony, Reason, Refused};
use idp_core::{interact, oauth, passkey};

/// Every rule id there is.
fn every_rule() -> Vec<&'static str> {
    let mut ids: Vec<&'static str> = oauth::authorize::rules::RULES.iter().map(|r| r.rule.id).collect();
    ids.extend(oauth::client_auth::METHODS.iter().map(|(.., rule)| rule.id));
    ids.extend(idp_core::tables::TABLES.iter().flat_map(|(_, table)| table.iter().map(|r| r.id)));
    ids.extend(interact::CHECKS.iter().map(|c| c.rule.id));
    ids.extend(passkey::registration::RULES.iter().map(|r| r.id));
    ids.extend(passkey::assertion::RULES.iter().map(|r| r.id));
    ids.extend(passkey::policy::CHECKS.iter().map(|c| c.rule.id));
    ids
}

/// The id of a rule a test is about, for its messages.
///
/// # Panics
/// When there is no such rule: a test must not outlive its rule.
pub fn rule(id: &'static str) -> &'static str {
    assert!(every_rule().contains(&id), "there is no rule {id}");
    id
}

/// The text of every test source below `folder`: files of `tests` folders whole, others from their test module on.
fn sources(folder: &Path, only_modules: bool, out: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, only_modules, out);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("suite/rules.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            out.push_str(if only_modules {
                text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
            } else {
                &text
            });
        }
    }
}

/// Every reason a ceremony is refused for; a rule whose reason were missing here would count as untested.
const REASONS: &[Reason] = {
    use Reason::*;
    &[
        Malformed,
        Expired,
        CredentialType,
        Id,
        NotAllowed,
        Unknown,
        User,
        ClientData,
        Type,
        Challenge,
        Origin,
        CrossOrigin,
        TopOrigin,
        AttestationObject,
        AuthenticatorData,
        RpId,
        UserPresent,
        UserVerified,
        BackupState,
        BackupEligible,
        Algorithm,
        PublicKey,
        Attestation,
        CredentialIdLength,
        Registered,
        Signature,
    ]
};

/// The tests of the ceremonies name a rule by the [`Reason`] it refuses for.
fn reason_of(id: &str) -> Option<String> {
    let ceremony = match id.split('.').nth(1)? {
        "registration" => Ceremony::Registration,
        "assertion" => Ceremony::Assertion,
        _ => return None,
    };
    let of = |reason: &&Reason| Refused::new(ceremony, **reason).rule().is_some_and(|rule| rule.id == id);
    REASONS.iter().find(of).map(|reason| format!("{reason:?}"))
}

/// The ceremonies' and the policy's own tests in core, by what they compare with: a reason's name, a check's code.
fn in_core(root: &Path, id: &str) -> bool {
    let source = |name: &str| {
        let path = root.join(format!("idp/crates/core/tests/passkey/{name}.rs"));
        std::fs::read_to_string(path).unwrap_or_default()
    };
    let check = passkey::policy::CHECKS.iter().find(|check| check.rule.id == id);
    if let Some(check) = check {
        return source("policy").contains(&format!("\"{}\"", check.code));
    }
    let ceremony = id.split('.').nth(1).unwrap_or_default();
    let text = source(ceremony);
    reason_of(id).is_some_and(|name| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == name))
}

#[test]
fn every_rule_has_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut text = String::new();
    sources(&root.join("tests/suite"), false, &mut text);
    sources(&root.join("idp/crates/core/tests"), false, &mut text);
    sources(&root.join("idp/crates/core/src"), true, &mut text);
    let named = |id: &str| text.contains(&format!("\"{id}\"")) || in_core(&root, id);
    let untested: Vec<_> = every_rule().into_iter().filter(|id| !named(id)).collect();
    assert!(untested.is_empty(), "rules that no test names: {untested:#?}");
}

/// Every function and browser test, and every file, that documents may name as a test.
fn tests(root: &Path) -> (String, String) {
    let mut functions = String::new();
    for folder in ["tests/suite", "tests/smoke", "idp/crates/core/tests", "idp/crates/store/tests"] {
        sources(&root.join(folder), false, &mut functions);
    }
    for folder in ["idp/crates/core/src", "idp/src"] {
        sources(&root.join(folder), true, &mut functions);
    }
    functions.push_str(&std::fs::read_to_string(root.join("tests/suite/rules.rs")).unwrap());
    let mut titles = String::new();
    for entry in std::fs::read_dir(root.join("tests/browser")).unwrap().flatten() {
        if entry.path().extension().is_some_and(|e| e == "mjs") {
            titles.push_str(&std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    (functions, titles)
}

#[test]
fn every_test_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (functions, titles) = tests(&root);
    let is_there = |name: &str| match name.contains('/') {
        true => root.join(name).exists(),
        false => functions.contains(&format!("fn {name}(")) || titles.contains(&format!("test('{name}'")),
    };
    let table = std::fs::read_to_string(root.join("docs/seeds.md")).unwrap();
    // The last cell of a row; it is `| # | asked | here | shown by |`.
    let rows = table.lines().filter(|line| line.starts_with("| ")).filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        Some((*cells.first()?, *cells.last()?))
    });
    let named = rows.flat_map(|(row, cell)| cell.split('`').skip(1).step_by(2).map(move |name| (row, name)));
    let gone: Vec<_> = named.filter(|(_, name)| !is_there(name)).collect();
    assert!(gone.is_empty(), "docs/seeds.md names what is not there: {gone:#?}");
}
