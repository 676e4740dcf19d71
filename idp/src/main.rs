//! The binary `idp`.

use std::process::ExitCode;

/// A sign-in allocates some hundreds of times. The system's allocator takes a tenth of its instructions, this one a
/// third of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    idp::cli::run()
}
