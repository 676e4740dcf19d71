//! Plan FAPI 2.0 Security Profile Final. `fapi2-security-profile-final-test-plan`; variants `plain_fapi`,
//! `openid_connect`, `private_key_jwt`, `dpop`, `simple`.
//! FAPI 2.0 Security Profile §5.3, RFC 9126, RFC 9449, RFC 7523.

mod assertions;
mod codes;
mod dpop;
mod flows;
mod par;
mod proofs;
mod redirects;
mod refresh;
mod stage;
