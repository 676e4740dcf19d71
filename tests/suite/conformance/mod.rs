//! One test for each module of the OpenID Foundation's conformance plans: the same request, the same expectation.
//! OpenID Foundation conformance suite, plans of an OpenID provider and of FAPI 2.0 Security Profile Final.
//!
//! A test has the name of its module with `_` for `-`; `modules` is the list, `names` holds the tests against it.
//! Where the suite only warns, the test is strict. [`op::Op`] is the suite's side: a registered client, somebody with
//! every claim, and a browser that fills in forms and runs no script.

mod backchannel_logout;
mod basic;
mod checks;
mod config;
mod fapi2;
mod frontchannel_logout;
mod modules;
mod names;
mod op;
mod rp_initiated_logout;
