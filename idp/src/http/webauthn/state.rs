//! A ceremony's state: sealed on the way out, opened and bound to the browser on the way in.

use idp_core::passkey::ceremony::{CeremonyPurpose, CeremonyState};
use idp_core::passkey::{CEREMONY_LIFETIME_S, Expected};
use idp_core::seal::Purpose;
use idp_core::secret::{same, sha256};
use idp_store::used_once::Once;
use poem::http::HeaderName;

use crate::http::exchange::Exchange;
use crate::http::problem::Problem;

/// A ceremony that begins now.
///
/// # Errors
/// Only when it cannot be sealed.
pub fn begin(x: &mut Exchange, purpose: CeremonyPurpose) -> Result<(CeremonyState, String), Problem> {
    let state = CeremonyState {
        challenge: x.app.random(),
        issued: x.now,
        browser: browser_hash(x),
        rp_id: x.rp.rp_id.clone(),
        purpose,
    };
    let sealed = x.seal(Purpose::Ceremony, &state)?;
    Ok((state, sealed))
}

/// Opens the ceremony a finishing call names, after checking origin, token and browser.
///
/// # Errors
/// 400 for a ceremony that is not one of ours, 403 for another browser's.
pub fn reopen(x: &mut Exchange, sealed: &str) -> Result<CeremonyState, Problem> {
    x.check_origin()?;
    let token = x.header(HeaderName::from_static("x-csrf-token")).map(str::to_owned);
    x.check_csrf(token.as_deref())?;
    let state: Option<CeremonyState> = x.open(Purpose::Ceremony, sealed);
    let state = state.ok_or_else(|| Problem::bad("ceremony_invalid", "this ceremony was not started here"))?;
    if !same(&state.browser, &browser_hash(x)) {
        return Err(Problem::api(403, "ceremony_foreign", "this ceremony was started in another browser"));
    }
    if !x.take_rp(&state.rp_id) {
        return Err(Problem::bad("ceremony_invalid", "this ceremony was started on another host"));
    }
    Ok(state)
}

/// What the checks hold a response against.
pub fn expected<'a>(x: &'a Exchange, state: &'a CeremonyState) -> Expected<'a> {
    Expected {
        challenge: &state.challenge,
        origins: &x.rp.origins,
        rp_id: &state.rp_id,
        issued: state.issued,
        conditional: matches!(state.purpose, CeremonyPurpose::Upgrade { .. }),
    }
}

/// The mark that a challenge was used; kept until the ceremony could not be finished any more.
pub fn used(state: &CeremonyState) -> Once {
    Once { hash: sha256(&state.challenge), expires: state.issued.plus_s(CEREMONY_LIFETIME_S + 60) }
}

fn browser_hash(x: &mut Exchange) -> [u8; 32] {
    let browser = x.browser();
    x.app.sealer().mac(x.realm.id, "ceremony", &[browser.as_bytes()])
}
