//! Calls to other servers: which are made at all. Case 25 of what worked on others: `jwks_uri`, sector and back-channel
//! addresses that lead inside.

mod client_keys;
mod guard;
