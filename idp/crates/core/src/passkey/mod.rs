//! Passkeys: the ceremonies' checks, the policy, the record.

pub mod policy;
pub mod record;
