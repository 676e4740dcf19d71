//! JOSE: signing keys, JWS, JWK. RFC 7515, RFC 7517, RFC 7518.

pub mod foreign;
pub(crate) mod json;
pub mod jwk;
pub mod jws;
pub mod keyset;
pub mod schedule;
