//! OpenID Connect: ID tokens, userinfo claims, logout.

pub mod backchannel;
pub mod claims;
pub mod frontchannel;
pub mod id_token;
pub mod logout;
pub mod mapping;
pub mod standard;
pub mod subject;
