//! The command line: one file a command.

mod dev;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// An OpenID Connect identity provider whose heart is the passkey.
#[derive(Parser)]
#[command(name = "idp", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: everything on this machine, with a demo application. Not for production.
    Dev(dev::Dev),
    /// Run in production.
    Serve(serve::Serve),
    /// Bring the database up to date.
    Migrate(serve::Migrate),
}

/// What a command fails with; printed with its causes.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Parses the arguments and runs the command. Exit code 1: it failed, 2: the arguments are wrong.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Dev(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Migrate(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&*failure);
            ExitCode::FAILURE
        }
    }
}

/// `idp: what went wrong: because`, on standard error.
#[expect(clippy::print_stderr, reason = "the command line speaks to people here")]
fn complain(failure: &(dyn std::error::Error + 'static)) {
    let mut text = failure.to_string();
    let mut cause = failure.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    eprintln!("idp: {text}");
}

/// A runtime for commands that wait for the database or serve.
///
/// # Errors
/// When the system gives no threads.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Waits for Ctrl-C or SIGTERM.
async fn asked_to_stop() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
