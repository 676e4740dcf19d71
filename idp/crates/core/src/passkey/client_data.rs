//! Client data: what the browser says about the ceremony.
//!
//! WebAuthn L3 §5.8.1. Members that are not known are ignored, since browsers add some.

use serde::Deserialize;

/// `type` of a registration.
pub const CREATE: &str = "webauthn.create";
/// `type` of an assertion.
pub const GET: &str = "webauthn.get";

/// Parsed `clientDataJSON`. It is the browser's word, signed over by the authenticator.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ClientData {
    /// [`CREATE`] or [`GET`].
    #[serde(rename = "type")]
    pub type_: String,
    /// base64url of the challenge.
    pub challenge: String,
    /// Origin of the page that ran the ceremony.
    pub origin: String,
    /// The page was in a frame of another origin.
    #[serde(default, rename = "crossOrigin")]
    pub cross_origin: Option<bool>,
    /// Origin of the outermost page, if that is another one.
    #[serde(default, rename = "topOrigin")]
    pub top_origin: Option<String>,
}

impl ClientData {
    /// Reads UTF-8 JSON, with or without a byte order mark (the "UTF-8 decode" of WebAuthn L3 §7.2 step 8).
    /// A known member that occurs twice is refused.
    ///
    /// # Errors
    /// What serde_json says about it.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // serde would also take an array of the members' values.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(serde::de::Error::custom("not a JSON object"));
        }
        serde_json::from_slice(bytes)
    }
}
