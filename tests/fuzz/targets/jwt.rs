//! Tokens of others, as far as they are read before and after a signature was verified.
#![no_main]

use idp_core::client::SigningAlg;
use idp_core::jose::foreign::{Demand, Unverified, peek, unsigned};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|token: &str| {
    let demand = Demand { algs: SigningAlg::ALL, types: &["JWT"], untyped: true };
    let _ = peek(token, "sub");
    let _ = unsigned(token, &demand);
    if let Ok(read) = Unverified::read(token, &demand) {
        assert!(read.by_its_own_key().is_err(), "signed by chance");
    }
});
