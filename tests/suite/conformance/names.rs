//! Every module of the plans has its test, and every test its module.
//! The list is [`super::modules`]; the tests are those that this binary itself lists.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::Command;

use super::modules::{FAPI2_PREFIX, OTHER_VARIANTS, PLANS, Plan, SKIPPED};

/// Names of this binary's tests of conformance, without `conformance::`.
fn listed(ignored: bool) -> BTreeSet<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--list", "--format", "terse"]);
    if ignored {
        command.arg("--ignored");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let names = lines.lines().filter_map(|line| line.strip_suffix(": test")?.strip_prefix("conformance::"));
    names.map(str::to_owned).collect()
}

/// The test function of a module.
fn function(module: &str) -> String {
    module.strip_prefix(FAPI2_PREFIX).unwrap_or(module).replace('-', "_").to_lowercase()
}

impl Plan {
    fn is_test_of(&self, module: &str, test: &str) -> bool {
        test.starts_with(&format!("{}::", self.folder))
            && test.ends_with(&format!("::{}{}", function(module), self.tail))
    }
}

#[test]
fn every_module_of_the_plans_has_a_test() {
    let tests = listed(false);
    let mut missing = Vec::new();
    for plan in PLANS {
        for module in plan.modules {
            let count = tests.iter().filter(|test| plan.is_test_of(module, test)).count();
            if count != 1 {
                missing.push(format!("{}: {module}: {count} tests", plan.name));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_test_belongs_to_a_module() {
    let known = |test: &String| PLANS.iter().any(|p| p.modules.iter().any(|m| p.is_test_of(m, test)));
    let own = |test: &String| test.starts_with("names::");
    let strange: Vec<_> = listed(false).into_iter().filter(|test| !own(test) && !known(test)).collect();
    assert!(strange.is_empty(), "{strange:#?}");
}

#[test]
fn a_skipped_module_has_a_reason_and_a_test_of_it() {
    for skipped in SKIPPED {
        assert!(PLANS.iter().any(|plan| plan.modules.contains(&skipped.module)), "{}", skipped.module);
        assert!(!skipped.reason.is_empty());
    }
    for left_out in OTHER_VARIANTS {
        assert!(PLANS.iter().all(|plan| !plan.modules.contains(&left_out.module)), "{}", left_out.module);
        assert!(!left_out.reason.is_empty());
    }
}

/// What still waits for a part of the product is said in each run, whatever captures the output of tests.
#[test]
fn says_how_many_tests_still_wait() {
    let (all, waiting) = (listed(false), listed(true));
    let mut out = std::io::stderr();
    for plan in PLANS {
        let of = |tests: &BTreeSet<String>| {
            tests.iter().filter(|test| plan.modules.iter().any(|m| plan.is_test_of(m, test))).count()
        };
        writeln!(out, "{}: {} modules, {} tests ignored", plan.name, of(&all), of(&waiting)).unwrap();
    }
}
