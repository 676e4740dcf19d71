//! `/userinfo`. OIDC Core §5.3, RFC 6750.

mod by_name;
mod claims;
mod mappings;
mod pairwise;
mod signed;
mod step_up;
mod tokens;
