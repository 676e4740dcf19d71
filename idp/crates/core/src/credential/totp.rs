//! Codes of an authenticator app. RFC 6238: HMAC-SHA-1, six digits, thirty seconds, one step to either side.

use totp_rs::{Builder, Secret as Base32, Totp as Generator};
use url::form_urlencoded::byte_serialize;

use crate::rule::Rule;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Bytes of a secret: as long as the hash (RFC 4226 §4).
pub const SECRET_BYTES: usize = 20;

/// How long an authenticator app must have been there to count when a first passkey is made, in seconds.
pub const SETTLED_S: i64 = 24 * 3600;

/// The rules, for documentation.
pub const RULES: &[Rule] = &[
    Rule {
        id: "totp.window",
        spec: "RFC 6238 §5.2",
        text: "A code counts in its step of 30 seconds, the one before and the one after.",
    },
    Rule {
        id: "totp.once",
        spec: "RFC 6238 §5.2",
        text: "A step counts once: neither its code nor an older one is taken again.",
    },
    Rule {
        id: "totp.confirmed",
        spec: "NIST SP 800-63B-4 §4.1.2",
        text: "A secret is kept once a code of it was right.",
    },
    Rule {
        id: "totp.throttled",
        spec: "NIST SP 800-63B-4 §3.2.2",
        text: "Wrong codes are throttled in buckets of their own; a passkey is never stopped by them.",
    },
];

/// The secret that an authenticator app and we share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpSecret(Secret<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// From random bytes.
    pub const fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// The bytes, to be sealed.
    pub const fn expose(&self) -> &[u8; SECRET_BYTES] {
        self.0.expose()
    }

    /// The step in which `code` counts; blanks in it do not. `None`: it is wrong, or not of these three steps.
    /// Whether the step was used before, only the store can tell.
    pub fn step_of(&self, code: &str, now: Timestamp) -> Option<i64> {
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.len() != 6 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let seconds = u64::try_from(now.secs()).ok()?;
        i64::try_from(self.generator().check(&digits, seconds)?).ok()
    }

    /// The code of this moment.
    pub fn code(&self, now: Timestamp) -> String {
        self.generator().generate(u64::try_from(now.secs()).unwrap_or(0)).to_string()
    }

    /// The secret as people type it: groups of four.
    pub fn text(&self) -> String {
        let text = self.base32();
        let groups: Vec<String> =
            text.as_bytes().chunks(4).map(|four| four.iter().copied().map(char::from).collect()).collect();
        groups.join(" ")
    }

    /// What the QR code holds (Key URI format): type, label, secret.
    pub fn uri(&self, issuer: &str, account: &str) -> String {
        // A colon parts issuer and account, so none may be in them; apps show a plus sign as one.
        let plain =
            |text: &str| byte_serialize(text.replace(':', " ").as_bytes()).collect::<String>().replace('+', "%20");
        let (issuer, account, secret) = (plain(issuer), plain(account), self.base32());
        format!("otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
    }

    fn base32(&self) -> String {
        Base32::from(self.expose().to_vec()).to_base32()
    }

    fn generator(&self) -> Generator {
        // The defaults are the RFC's; "noncompliant" means that names for a URI need not be set.
        Builder::new().with_secret(Base32::from(self.expose().to_vec())).with_skew(1).build_noncompliant()
    }
}

#[cfg(test)]
mod tests {
    use super::TotpSecret;
    use crate::time::Timestamp;

    const RFC: TotpSecret = TotpSecret::new(*b"12345678901234567890");

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ms(s * 1000)
    }

    #[test]
    fn agrees_with_the_vectors_of_rfc_6238() {
        // Appendix B, the last six of eight digits.
        for (s, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(RFC.code(at(s)), code);
            assert_eq!(RFC.step_of(code, at(s)), Some(s / 30), "{s}");
        }
    }

    #[test]
    fn counts_one_step_early_and_late_and_no_more() {
        let code = RFC.code(at(1_234_567_890));
        let step = 1_234_567_890 / 30;
        let begin = step * 30;
        for (s, expected) in [(-31, None), (-30, Some(step)), (0, Some(step)), (59, Some(step)), (60, None)] {
            assert_eq!(RFC.step_of(&code, at(begin + s)), expected, "totp.window: {s}");
        }
        assert_eq!(RFC.step_of(" 005 924 ", at(1_234_567_890)), Some(step));
        for bad in ["", "5924", "00592", "0059244", "00592x", "٠٠٥٩٢٤", "-05924", "+05924"] {
            assert_eq!(RFC.step_of(bad, at(1_234_567_890)), None, "{bad}");
        }
    }

    #[test]
    fn is_read_by_authenticator_apps() {
        assert_eq!(RFC.text(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            RFC.uri("Nörd: wind", "ada+x@example.test"),
            "otpauth://totp/N%C3%B6rd%20%20wind:ada%2Bx%40example.test?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=N%C3%B6rd%20%20wind&algorithm=SHA1&digits=6&period=30"
        );
        assert_eq!(format!("{RFC:?}"), "TotpSecret([secret])");
    }
}
