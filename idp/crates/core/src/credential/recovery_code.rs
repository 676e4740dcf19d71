//! Codes that open a recovery: ten to keep, each once, and one by mail for ten minutes.
//! NIST SP 800-63B-4 §4.2.1 (recovery codes).

use crate::secret::{Hash, sha256};

/// How many an account gets at once.
pub const COUNT: usize = 10;

/// Random bytes of a code to keep: guessing one is hopeless even with the hashes at hand.
pub const CODE_BYTES: usize = 10;

/// Life of a mailed code in seconds (NIST SP 800-63B-4 §4.2.1.2: at most 24 hours).
pub const MAILED_LIFETIME_S: i64 = 600;

/// Wrong tries after which a mailed code is worth nothing.
pub const MAILED_TRIES: i64 = 5;

/// Crockford's digits: none looks like another.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A code to keep: `xxxx-xxxx-xxxx-xxxx`.
pub fn text(bytes: [u8; CODE_BYTES]) -> String {
    let number = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let digit = |at: usize| DIGITS.get((number >> (75 - 5 * at) & 31) as usize).map_or('0', |d| char::from(*d));
    let groups: Vec<String> = (0..4).map(|group| (group * 4..group * 4 + 4).map(digit).collect()).collect();
    groups.join("-")
}

/// What the store keeps of a code, however it was typed.
pub fn hash(typed: &str) -> Hash {
    let meant = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    sha256(typed.chars().filter(|c| c.is_ascii_alphanumeric()).map(meant).collect::<String>().as_bytes())
}

/// A code to mail: eight digits. Short, so that it lives ten minutes and few tries.
pub fn mailed(random: [u8; 8]) -> String {
    format!("{:08}", u64::from_be_bytes(random) % 100_000_000)
}

/// A mailed code as typed, without blanks and hyphens.
pub fn mailed_as_typed(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_digit).take(16).collect()
}

#[cfg(test)]
mod tests {
    use super::{hash, mailed, mailed_as_typed, text};

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        assert_eq!(text([0; 10]), "0000-0000-0000-0000");
        assert_eq!(text([255; 10]), "zzzz-zzzz-zzzz-zzzz");
        let code = text([1, 35, 69, 103, 137, 171, 205, 239, 1, 35]);
        assert_eq!(code, "04hm-asw9-nf6y-y093");
        for typed in ["04HMASW9NF6YY093", " 04hm asw9 nf6y yo93 ", "O4hm–asw9–nf6y–y093"] {
            assert_eq!(hash(typed), hash(&code), "{typed}");
        }
        assert_ne!(hash("04hm-asw9-nf6y-y094"), hash(&code));
    }

    #[test]
    fn a_mailed_code_has_eight_digits() {
        assert_eq!(mailed([0; 8]), "00000000");
        assert_eq!(mailed(100_000_007_u64.to_be_bytes()), "00000007");
        assert_eq!(mailed_as_typed(" 1234-5678\n"), "12345678");
        assert_eq!(mailed_as_typed("x"), "");
    }
}
