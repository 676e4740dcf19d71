//! The one form of a password, however a keyboard composes its letters. NIST SP 800-63B-4 §3.1.1.2, RFC 8265 §4.2.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization as _, is_nfc_quick};

/// The form in which passwords are hashed and compared: NFC.
pub fn normalise(password: &str) -> Cow<'_, str> {
    match is_nfc_quick(password.chars()) {
        IsNormalized::Yes => Cow::Borrowed(password),
        _ => Cow::Owned(password.nfc().collect()),
    }
}
