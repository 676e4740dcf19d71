//! The life of signing keys by the calendar: published before they sign, published until what they signed has ended.
//! OIDC Core §10.1.1.

use crate::client::SigningAlg;
use crate::jose::keyset::{KeyState, StoredKey};
use crate::time::Timestamp;

/// How long a key is published before it signs by schedule, in seconds: longer than clients cache a key set.
pub const LEAD_S: i64 = 24 * 3600;

/// How long a key is published after it last signed, in seconds: longer than any token lives.
pub const KEPT_S: i64 = 24 * 3600;

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Make and publish the next key.
    Make(SigningAlg),
    /// Let the next key sign.
    Rotate(SigningAlg),
}

/// What is due now, where a key signs for `rotation_s` seconds; 0: never by schedule.
pub fn due(keys: &[StoredKey], rotation_s: i64, now: Timestamp) -> Vec<Turn> {
    let of = |alg: SigningAlg, state| keys.iter().find(move |key| key.alg == alg && key.state == state);
    let turn = |&alg: &SigningAlg| {
        let active = of(alg, KeyState::Active)?;
        let ends = active.activated.unwrap_or(active.created).plus_s(rotation_s);
        match of(alg, KeyState::Next) {
            None => (now >= ends.plus_s(-LEAD_S)).then_some(Turn::Make(alg)),
            Some(next) => (now >= ends && now >= next.created.plus_s(LEAD_S)).then_some(Turn::Rotate(alg)),
        }
    };
    if rotation_s <= 0 { Vec::new() } else { SigningAlg::ALL.iter().filter_map(turn).collect() }
}

/// Whether a key stands in the JWK set. A retired one leaves it when nothing it signed can be good any more; it still
/// verifies hints, whose age does not matter (RP-Initiated Logout §2).
pub fn is_published(key: &StoredKey, now: Timestamp) -> bool {
    match key.state {
        KeyState::Active | KeyState::Next => true,
        KeyState::Retired => key.retired.is_none_or(|retired| now < retired.plus_s(KEPT_S)),
        KeyState::Revoked => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT_S, LEAD_S, Turn, due, is_published};
    use crate::client::SigningAlg;
    use crate::jose::keyset::{KeyState, StoredKey};
    use crate::time::Timestamp;

    const DAY: i64 = 24 * 3600;

    fn key(state: KeyState, at: i64) -> StoredKey {
        let at = Timestamp::from_ms(at * 1000);
        let activated = (state != KeyState::Next).then_some(at);
        let retired = (state == KeyState::Retired).then_some(at);
        let (kid, public_jwk, alg) = (String::new(), String::new(), SigningAlg::ES256);
        StoredKey { kid, alg, state, public_jwk, private_sealed: Vec::new(), created: at, activated, retired }
    }

    #[test]
    fn a_key_is_made_a_day_before_it_signs() {
        let at = |s: i64| Timestamp::from_ms(s * 1000);
        let active = key(KeyState::Active, 0);
        assert_eq!(due(std::slice::from_ref(&active), 90 * DAY, at(89 * DAY - 1)), []);
        assert_eq!(due(std::slice::from_ref(&active), 90 * DAY, at(89 * DAY)), [Turn::Make(SigningAlg::ES256)]);
        assert_eq!(due(std::slice::from_ref(&active), 0, at(1000 * DAY)), [], "not by schedule");
        let both = [active, key(KeyState::Next, 95 * DAY)];
        assert_eq!(due(&both, 90 * DAY, at(95 * DAY + LEAD_S - 1)), [], "published too late: it still waits");
        assert_eq!(due(&both, 90 * DAY, at(95 * DAY + LEAD_S)), [Turn::Rotate(SigningAlg::ES256)]);
    }

    #[test]
    fn a_key_is_published_until_what_it_signed_has_ended() {
        let at = |s: i64| Timestamp::from_ms(s * 1000);
        assert!(is_published(&key(KeyState::Retired, 0), at(KEPT_S - 1)));
        assert!(!is_published(&key(KeyState::Retired, 0), at(KEPT_S)));
        assert!(!is_published(&key(KeyState::Revoked, 0), at(0)));
        assert!(is_published(&key(KeyState::Next, 0), at(0)));
    }
}
