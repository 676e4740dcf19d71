//! The load generator: starts the product, signs in over HTTP with software passkeys, says what it cost.
//!
//! Closed loop: each connection starts its next operation when the last one ended. docs/performance.md explains the
//! numbers. Ends with 1 on any error, since a fast wrong answer is worth nothing.

mod http;
mod measure;
mod prepare;
mod product;
mod sign_in;
mod simulate;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// What an operation or a run fails with.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures the product by signing in.
#[derive(Parser)]
#[command(name = "idp-load")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Whole passkey sign-ins: authorize, options, assertion, code, token, userinfo.
    Login {
        #[command(flatten)]
        load: Load,
        /// Single sign-on instead: the session is there, so only authorize, code, token, userinfo.
        #[arg(long)]
        sso: bool,
    },
    /// Anonymous starts: authorize up to the sign-in page; must write nothing.
    Anonymous(Load),
    /// `idp policy simulate` on a realm with many accounts.
    Simulate {
        /// Accounts, each with two passkeys; every third is in a group, every second has a password.
        #[arg(long, default_value_t = 100_000)]
        accounts: usize,
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Start-up time to the first 200 and idle memory.
    Start {
        /// Print one line of JSON.
        #[arg(long)]
        json: bool,
    },
}

/// How much, and how.
#[derive(Args, Clone, Copy)]
pub struct Load {
    /// Operations that are measured.
    #[arg(long, default_value_t = 4000)]
    pub ops: usize,
    /// Operations before, which are not.
    #[arg(long, default_value_t = 500)]
    pub warm_up: usize,
    /// Connections, each with one operation at a time.
    #[arg(long, default_value_t = 8)]
    pub connections: usize,
    /// Accounts, at least one a connection.
    #[arg(long, default_value_t = 200)]
    pub accounts: usize,
    /// Print one line of JSON.
    #[arg(long)]
    pub json: bool,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Login { load, sso: false } => measure::load(measure::Operation::LogIn, &load),
        Command::Login { load, sso: true } => measure::load(measure::Operation::SingleSignOn, &load),
        Command::Anonymous(load) => measure::load(measure::Operation::Anonymous, &load),
        Command::Simulate { accounts, json } => simulate::measure(accounts, json),
        Command::Start { json } => measure::start(json),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("idp-load: {failure}");
            ExitCode::FAILURE
        }
    }
}
