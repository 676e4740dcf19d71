//! OpenID Connect: ID tokens, userinfo claims, logout.

pub mod claims;
pub mod id_token;
pub mod logout;
pub mod mapping;
pub mod subject;
