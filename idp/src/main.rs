//! The binary `idp`.

use std::process::ExitCode;

fn main() -> ExitCode {
    idp::cli::run()
}
