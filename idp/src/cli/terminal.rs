//! Passwords from people: asked without echo, or one line of standard input.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use idp_core::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::{Failure, usage};

/// One line of standard input; what a script pipes in.
///
/// # Errors
/// When there is none; names `flag`.
pub fn password_line(flag: &str) -> Result<Secret<String>, Failure> {
    let line = read_line()?;
    if line.expose().is_empty() { Err(usage(format!("{flag}: nothing came on standard input"))) } else { Ok(line) }
}

fn read_line() -> io::Result<Secret<String>> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    Ok(Secret::new(line))
}

/// Asks twice for a new password, without echo.
///
/// # Errors
/// When standard input is no terminal, or the two differ.
pub fn ask_new_password(name: &str) -> Result<Secret<String>, Failure> {
    if !io::stdin().is_terminal() {
        return Err(usage("there is no terminal to ask at: use --stdin and pipe the password in"));
    }
    let first = ask(&format!("New password for {name}: "))?;
    let second = ask("Once more: ")?;
    if first == second { Ok(first) } else { Err("the two passwords differ; nothing was changed".into()) }
}

fn ask(prompt: &str) -> Result<Secret<String>, Failure> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{prompt}")?;
    terminal.flush()?;
    let shown = tcgetattr(io::stdin())?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
    let line = read_line();
    tcsetattr(io::stdin(), OptionalActions::Flush, &shown)?;
    writeln!(terminal)?;
    Ok(line?)
}
