//! Which owners a policy would lock out: asked before it is saved.

use idp_core::account::{Account, AccountState, Role};
use idp_core::interact::usable;
use idp_core::passkey::policy::{Combination, EnrolmentRequires, Holds, Policy, Verdict};
use idp_core::passkey::record::Passkey;

use super::Failure;
use super::operator::Operator;

/// Accounts read at once.
const PAGE: i64 = 500;

/// Owners who can sign in now.
#[derive(Default)]
pub struct Owners {
    /// Those who still could under the new policy.
    pub kept: Vec<String>,
    /// Those who could not.
    pub lost: Vec<String>,
}

/// Compares what the realm's policy and `next` mean for each active owner.
///
/// # Errors
/// Those of the database.
pub async fn compare(at: &Operator, next: &Policy) -> Result<Owners, Failure> {
    let mut owners = Owners::default();
    let mut after = String::new();
    loop {
        let page = at.app.store.list_accounts(at.realm.id, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(owners) };
        after = last.username.clone();
        for account in page.into_iter().filter(|a| a.role == Role::Owner && a.state == AccountState::Active) {
            let passkeys = at.app.store.list_passkeys(at.realm.id, &account.id).await?;
            let gets_in = |policy: &Policy| {
                at.realm.relying_parties.iter().any(|rp| gets_in(policy, &account, &passkeys, &rp.rp_id))
            };
            match (gets_in(&at.realm.policy), gets_in(next)) {
                (true, true) => owners.kept.push(account.username.clone()),
                (true, false) => owners.lost.push(account.username.clone()),
                (false, _) => {}
            }
        }
    }
}

/// Whether some combination of what the account has lets it in at an RP ID.
fn gets_in(policy: &Policy, account: &Account, passkeys: &[Passkey], rp_id: &str) -> bool {
    let passkey = usable(passkeys, rp_id, policy).next().is_some();
    let holds =
        Holds { passkey, password: account.password_hash.is_some(), totp: false, asks_passkey: false, grace: false };
    Combination::ALL.into_iter().any(|combination| {
        let has = match combination {
            Combination::PasskeyAlone => holds.passkey,
            Combination::PasswordAlone => holds.password,
            Combination::PasswordAndPasskey => holds.password && holds.passkey,
            Combination::PasswordAndTotp => holds.password && holds.totp,
            Combination::PasskeyAndTotp => holds.passkey && holds.totp,
        };
        has && match policy.verdict(combination, holds) {
            Verdict::In => true,
            Verdict::Enrol => policy.allow_registration && policy.enrolment_requires == EnrolmentRequires::Any,
            Verdict::Refused | Verdict::AskPasskey | Verdict::AskPassword | Verdict::AskTotp => false,
        }
    })
}
