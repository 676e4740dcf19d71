//! OAuth and OpenID Connect endpoints.

mod access;
pub mod authorize;
pub mod client;
pub mod device_authorization;
pub mod introspect;
mod issue;
pub mod logout;
pub mod par;
pub mod person;
pub mod proof;
pub mod register;
pub mod request_object;
pub mod revoke;
pub mod token;
pub mod userinfo;
mod validated;
