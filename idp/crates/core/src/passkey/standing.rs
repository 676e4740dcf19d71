//! How well an account stands if a device is lost: what its pages advise.
//!
//! WebAuthn L3 §13.4.6 (loss of an authenticator), FIDO guidance for relying parties: at least two passkeys.

use super::record::Passkey;

/// What could still be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// There is no passkey.
    None,
    /// There is one: losing it would lock its owner out.
    One,
    /// There are several, but each is bound to one device.
    Bound,
    Good,
}

/// Judges the passkeys that sign in here. Where the policy lets no synced ones in, several bound ones are all that can
/// be asked for.
pub fn standing<'a>(usable: impl Iterator<Item = &'a Passkey>, deny_synced: bool) -> Standing {
    let (mut count, mut synced) = (0_usize, false);
    for passkey in usable {
        count += 1;
        synced |= passkey.backup_eligible;
    }
    match count {
        0 => Standing::None,
        1 => Standing::One,
        _ if synced || deny_synced => Standing::Good,
        _ => Standing::Bound,
    }
}
