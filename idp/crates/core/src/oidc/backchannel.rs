//! Back-channel logout: the logout token, and what a client's answer means.
//! OpenID Connect Back-Channel Logout 1.0 §2.4, §2.5 and §2.8.

use serde_json::{Value, json};

use crate::client::Client;
use crate::encoding::base64url;
use crate::realm::Realm;
use crate::rule::Rule;
use crate::time::Timestamp;

/// The rules.
pub const RULES: &[Rule] = &[
    Rule {
        id: "logout.backchannel.everyone",
        spec: "Back-Channel Logout §2.5",
        text: "Whatever ends a session, each client that was granted something in it and has a `backchannel_logout_uri` \
               is told, in an order of its own.",
    },
    Rule {
        id: "logout.backchannel.token",
        spec: "Back-Channel Logout §2.4",
        text: "The logout token is signed as the client's ID tokens are, has the type `logout+jwt`, `iss`, `aud`, `iat`, \
               `exp` within two minutes, `jti`, `sub`, `sid` and the event, and never a `nonce`.",
    },
    Rule {
        id: "logout.backchannel.again",
        spec: "Back-Channel Logout §2.5",
        text: "What was not answered with success is sent again, less and less often, for a day; a client that is down \
               delays no other.",
    },
    Rule {
        id: "logout.backchannel.refused",
        spec: "Back-Channel Logout §2.8",
        text: "An answer of 400 is the client's last word.",
    },
];

/// The member of `events` that makes a token a logout token.
pub const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Life of a logout token in seconds.
const LIFETIME_S: i64 = 120;
/// How long a client is tried, in seconds.
const KEEP_TRYING_S: i64 = 24 * 3600;
/// Longest time between two tries, in seconds.
const LONGEST_PAUSE_S: i64 = 3600;

/// The claims of a logout token. `subject` is the account as the client knows it, `None` where nobody knows any more.
pub fn claims(
    realm: &Realm,
    client: &Client,
    (subject, sid): (Option<&str>, &str),
    jti: [u8; 16],
    now: Timestamp,
) -> Value {
    let mut claims = json!({
        "iss": realm.issuer,
        "aud": client.id.as_str(),
        "iat": now.secs(),
        "exp": now.secs() + LIFETIME_S,
        "jti": base64url(jti),
        "sid": sid,
        "events": { EVENT: {} },
    });
    if let (Some(claims), Some(subject)) = (claims.as_object_mut(), subject) {
        claims.insert("sub".to_owned(), subject.into());
    }
    claims
}

/// What an answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The client ended its session.
    Done,
    /// The client will not: the token is wrong to it, or its logout failed.
    Refused,
    /// No answer of a working client.
    Again,
}

/// Reads the status of an answer.
pub const fn answer(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Done,
        400 => Answer::Refused,
        _ => Answer::Again,
    }
}

/// When to try again after `attempts` tries of what is to be told since `created`: after 2 s, then twice as long each
/// time, an hour at most, and a random quarter more or less, so that what failed together does not come together.
/// `None`: never.
pub fn next_try(attempts: i64, created: Timestamp, now: Timestamp, random: u8) -> Option<Timestamp> {
    let doubled = 1_i64 << attempts.clamp(1, 12);
    let pause_ms = doubled.min(LONGEST_PAUSE_S) * 1000;
    let next = Timestamp::from_ms(now.ms() + pause_ms * (768 + 2 * i64::from(random)) / 1024);
    (next < created.plus_s(KEEP_TRYING_S)).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_again_less_and_less_often_for_a_day() {
        let created = Timestamp::from_ms(1_763_600_000_000);
        let (mut now, mut tries, mut pause) = (created, 1, 0);
        while let Some(next) = next_try(tries, created, now, 128) {
            assert!(next.ms() - now.ms() >= pause, "logout.backchannel.again");
            pause = next.ms() - now.ms();
            (now, tries) = (next, tries + 1);
        }
        assert_eq!(next_try(1, created, created, 128), Some(created.plus_s(2)));
        assert_eq!(pause, 3_600_000);
        assert!((30..40).contains(&tries), "{tries} tries");
        assert!(now > created.plus_s(22 * 3600));
        let spread = |random| next_try(11, created, created, random).unwrap().ms() - created.ms();
        assert!(spread(0) == 1_536_000 && spread(255) > 2_550_000 && spread(255) < 2_570_000);
    }

    #[test]
    fn only_400_is_a_refusal() {
        assert_eq!([200, 204].map(answer), [Answer::Done; 2]);
        assert_eq!(answer(400), Answer::Refused, "logout.backchannel.refused");
        assert_eq!([302, 401, 404, 429, 500, 501, 503].map(answer), [Answer::Again; 7]);
    }
}
