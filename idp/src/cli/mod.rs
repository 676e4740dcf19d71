//! The command line: one file a command.

mod access_pass;
mod audit;
mod client;
mod client_settings;
mod config;
mod dev;
mod docs;
mod doctor;
mod group;
mod key;
mod mds;
mod operator;
mod policy;
mod profile;
mod realm;
mod realm_record;
mod relying_party;
mod rp_id;
mod schema;
mod scope;
mod serve;
mod terminal;
mod user;
mod user_factors;

use std::io;
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
    /// Check the settings, or print what can be set.
    Config(config::Command),
    /// People who sign in.
    User(user::Command),
    /// Groups and their members.
    Group(group::Command),
    /// Applications people sign in to.
    Client(client::Command),
    /// Issuer, hosts and settings.
    Realm(realm::Command),
    /// Another RP ID for passkeys: plan, start, follow, finish.
    RpId(rp_id::Command),
    /// What is asked of passkeys.
    Policy(policy::Command),
    /// One-time links that let a user enrol.
    AccessPass(access_pass::Command),
    /// FIDO's metadata about models of authenticators.
    Mds(mds::Command),
    /// Signing keys.
    Key(key::Command),
    /// What happened, newest first.
    Audit(audit::Command),
    /// Look for what is wrong.
    Doctor(doctor::Doctor),
    /// Generated documents.
    Docs(docs::Command),
}

/// What a command fails with; printed with its causes.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The arguments are wrong: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn usage(text: impl Into<String>) -> Failure {
    Box::new(Usage(text.into()))
}

/// Parses the arguments and runs the command. Exit code 1: it failed, 2: the arguments are wrong.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Dev(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Migrate(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::User(command) => command.run(),
        Command::Group(command) => command.run(),
        Command::Client(command) => command.run(),
        Command::Realm(command) => command.run(),
        Command::RpId(command) => command.run(),
        Command::Policy(command) => command.run(),
        Command::AccessPass(command) => command.run(),
        Command::Mds(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Docs(command) => command.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough: `idp audit list | head`.
        Err(failure) if failure.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            complain(&*failure);
            if failure.is::<Usage>() { ExitCode::from(2) } else { ExitCode::FAILURE }
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

/// Ctrl-C and SIGTERM, caught from now on: a stop that comes while the product still starts is a stop, not a kill.
struct Stop {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

impl Stop {
    /// Begins to catch them.
    fn catch() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for one of them.
    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn every_flag_of_every_command_is_well_formed() {
        super::Cli::command().debug_assert();
    }
}
