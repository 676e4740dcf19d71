//! OAuth and OpenID Connect endpoints.

pub mod authorize;
pub mod logout;
pub mod token;
pub mod userinfo;
