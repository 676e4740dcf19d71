//! `/userinfo`. OIDC Core §5.3, RFC 6750.

mod claims;
mod mappings;
mod tokens;
