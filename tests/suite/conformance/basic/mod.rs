//! Plans basic and formpost-basic: the same modules, the answer in the query or posted by a form.
//! `oidcc-basic-certification-test-plan`, `oidcc-formpost-basic-certification-test-plan`.

mod claims;
mod codes;
mod prompts;
mod request_objects;
mod requests;
mod server;
mod userinfo;

/// Runs each module once for each plan: `modules! { async fn oidcc_server(op) { … } }`.
macro_rules! modules {
    ($($(#[$meta:meta])* async fn $name:ident($op:ident) $body:block)*) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn check(mut $op: $crate::conformance::op::Op) $body

            $(#[$meta])*
            #[tokio::test]
            async fn query() {
                use $crate::conformance::op::{Mode, Op};
                check(Op::start(Mode::Query).await).await;
            }

            $(#[$meta])*
            #[tokio::test]
            async fn form_post() {
                use $crate::conformance::op::{Mode, Op};
                check(Op::start(Mode::FormPost).await).await;
            }
        }
    )*};
}
use modules;
