//! Throttling of guesses: buckets of failures, bounded in number, the same for names that do not exist.
//! NIST SP 800-63B-4 §3.2.2. A throttle delays guesses at secrets; it never stops a passkey and kills no token.

use crate::time::Timestamp;

/// Failures older than this many seconds are forgotten.
pub const WINDOW_S: i64 = 3600;

/// Buckets for accounts: enough that two names seldom share one, few enough that they fit any disk.
const ACCOUNT_BITS: u32 = 22;

/// What a bucket counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketKind {
    /// Guesses from one address, whatever the name. Charged and asked first, so that spraying names from
    /// one place stops before it heats up accounts.
    Address,
    /// Guesses at one account name from browsers it never signed in with.
    Account,
    /// Guesses at one account from a browser that signed in to it before: an attacker cannot fill this one.
    KnownBrowser,
    /// Guesses at user codes of devices from one address.
    CodeAddress,
    /// Guesses at user codes of devices by one account.
    CodeAccount,
    /// Clients registered from one address without a token.
    Registration,
    /// Guesses at codes of authenticator apps from one address.
    TotpAddress,
    /// Guesses at the codes of one account's authenticator app, by whoever has its first factor.
    Totp,
    /// Recoveries asked for from one address.
    AskAddress,
    /// Recoveries asked for by one name: what is mailed to one person.
    Ask,
    /// Guesses at codes of recoveries from one address. There is none for a name: what is mailed has tries of its own,
    /// what people keep cannot be guessed, and strangers must not keep an owner from bringing it.
    RecoveryAddress,
    /// Accounts made from one address.
    SignUp,
    /// Codes mailed to the address of one account.
    MailCode,
    /// Guesses at such codes by one account.
    CodeGuess,
}

impl BucketKind {
    /// Failures that cost nothing.
    const fn free(self) -> i64 {
        match self {
            Self::Registration => 100,
            Self::Address | Self::CodeAddress | Self::TotpAddress | Self::SignUp => 50,
            Self::AskAddress | Self::RecoveryAddress => 20,
            Self::Account | Self::KnownBrowser | Self::CodeAccount | Self::Totp => 5,
            Self::MailCode | Self::CodeGuess => 5,
            Self::Ask => 3,
        }
    }
}

/// The number of a bucket, from a keyed hash of what it counts.
pub fn bucket(kind: BucketKind, keyed_hash: [u8; 32]) -> i64 {
    let [a, b, c, d, ..] = keyed_hash;
    let slot = u32::from_be_bytes([a, b, c, d]) >> (32 - ACCOUNT_BITS);
    (kind as i64) << ACCOUNT_BITS | i64::from(slot)
}

/// One bucket's count as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heat {
    pub failures: i64,
    pub updated: Timestamp,
}

/// Seconds to wait before another guess is looked at; `None`: now. Doubles with each failure past the free
/// ones, up to fifteen minutes.
pub fn wait_s(kind: BucketKind, heat: Option<Heat>, now: Timestamp) -> Option<i64> {
    let heat = heat.filter(|h| now.ms_since(h.updated) < WINDOW_S * 1000)?;
    let over = heat.failures - kind.free();
    if over < 0 {
        return None;
    }
    let delay_s = 1_i64.checked_shl(u32::try_from(over).unwrap_or(u32::MAX)).filter(|d| *d > 0).unwrap_or(900).min(900);
    let left_ms = delay_s * 1000 - now.ms_since(heat.updated);
    (left_ms > 0).then_some((left_ms + 999) / 1000)
}

#[cfg(test)]
mod tests {
    use super::{BucketKind, Heat, bucket, wait_s};
    use crate::time::Timestamp;

    #[test]
    fn delays_double_after_five_failures_and_end_within_an_hour() {
        let t = Timestamp::from_ms(1_000_000);
        let wait =
            |failures, after_s| wait_s(BucketKind::Account, Some(Heat { failures, updated: t }), t.plus_s(after_s));
        assert_eq!(wait(4, 0), None);
        assert_eq!(wait(5, 0), Some(1));
        assert_eq!(wait(6, 0), Some(2));
        assert_eq!(wait(10, 0), Some(32));
        assert_eq!(wait(10, 31), Some(1));
        assert_eq!(wait(10, 32), None);
        assert_eq!(wait(1_000_000, 0), Some(900));
        assert_eq!(wait(1_000_000, 3600), None);
        assert_eq!(wait_s(BucketKind::Account, None, t), None);
    }

    #[test]
    fn buckets_of_different_kinds_never_meet() {
        use BucketKind::*;
        let kinds = [
            Address,
            Account,
            KnownBrowser,
            CodeAddress,
            CodeAccount,
            Registration,
            TotpAddress,
            Totp,
            AskAddress,
            Ask,
            RecoveryAddress,
            SignUp,
            MailCode,
            CodeGuess,
        ];
        let edges: Vec<_> = kinds.iter().flat_map(|k| [bucket(*k, [0; 32]), bucket(*k, [255; 32])]).collect();
        assert!(edges.windows(2).all(|w| w[0] < w[1]), "{edges:?}");
    }
}
