//! OAuth 2.0: parameters, errors, the authorization request, client authentication, grants.

pub mod access_token;
pub mod authorize;
pub mod client_auth;
pub mod device;
pub mod discovery;
pub mod dpop;
pub mod error;
pub mod grants;
pub mod introspect;
pub mod params;
pub mod redirect;
pub mod registration;
pub mod resource;
pub mod revoke;
pub mod scope;
