//! What it means that one of somebody's factors goes: it is said before the click, and judged again by the write.
//!
//! passkey policy: the last factor that lets a user in stays unless recovery is ready.

use idp_core::credential::held::Held;
use idp_core::credential::recovery::{Recovery, is_ready, ready};
use idp_core::oauth::params::RawParams;
use idp_core::passkey::policy::usable_in;
use idp_core::passkey::record::Passkey;
use idp_store::held::WayIn;

use crate::http::exchange::{Exchange, Visitor};
use crate::http::problem::Problem;
use crate::views::{Removal, ReturnBy};

/// What must remain when a factor of a visitor goes. A recovery will do for whoever was told so: their form says it.
pub fn way_in(x: &Exchange, visitor: &Visitor, form: &RawParams) -> WayIn {
    let told = form.one("last").is_some();
    let recovery = if told { x.recovery() } else { Recovery::Off };
    WayIn { policy: visitor.policy.as_ref().clone(), recovery }
}

/// All that a visitor holds, at any host of the realm, with those of their passkeys that are given.
///
/// # Errors
/// Only when the store fails.
pub async fn held(x: &Exchange, visitor: &Visitor, passkeys: &[Passkey]) -> Result<Held, Problem> {
    let codes = x.app.store.count_recovery_codes(x.realm.id, &visitor.account.id).await?;
    let usable = usable_in(passkeys, &x.realm.relying_parties, &visitor.policy);
    Ok(Held::of(&visitor.account, passkeys, (usable, &visitor.policy), codes))
}

/// What it means that a factor goes, after which this is held.
pub fn removal(x: &Exchange, visitor: &Visitor, without: &Held) -> Removal {
    if without.let_in(&visitor.policy) {
        return Removal::Free;
    }
    let recovery = x.recovery();
    if !is_ready(recovery, without) {
        return Removal::Kept;
    }
    let (mail, codes) = ready(recovery, without);
    Removal::Last {
        by: match (mail, codes) {
            (true, true) if recovery == Recovery::Both => ReturnBy::Both,
            (true, true) => ReturnBy::Either,
            (true, false) => ReturnBy::Mail,
            (false, _) => ReturnBy::Code,
        },
        email: visitor.account.profile.email.clone().filter(|_| mail).unwrap_or_default(),
        codes: without.recovery_codes,
    }
}
