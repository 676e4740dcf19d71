//! `idp audit`: what happened, newest first.

use clap::{Args, Subcommand};
use idp_core::audit::AuditEvent;
use idp_core::id::AuditId;
use idp_store::audit::{AuditFilter, AuditRow};
use serde_json::json;

use super::Failure;
use super::operator::{At, Operator, table, time};

/// What happened, newest first.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List events.
    List {
        /// Only this event, such as sign_in.failed
        #[arg(long, value_name = "EVENT", value_parser = event)]
        event: Option<AuditEvent>,
        /// Only what concerns this user: name, address, or the id of one that was deleted.
        #[arg(long, value_name = "USER")]
        user: Option<String>,
        /// Only what is older than this row: the last id of the page before.
        #[arg(long, value_name = "ID")]
        before: Option<AuditId>,
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let Action::List { event, user, before, limit } = self.action;
        self.at.act(async move |at| {
            let account = match user {
                Some(user) => Some(match user.parse() {
                    Ok(id) => id,
                    Err(_) => at.account(&user).await?.id,
                }),
                None => None,
            };
            list(at, AuditFilter { event, account, before }, limit).await
        })
    }
}

async fn list(at: &Operator, filter: AuditFilter, limit: i64) -> Result<(), Failure> {
    let rows = at.app.store.list_audit(at.realm.id, &filter, limit).await?;
    let value = |r: &AuditRow| {
        json!({ "id": r.id.to_string(), "at": time(r.at), "event": r.event, "actor": r.actor,
            "account_id": r.account_id.map(|id| id.to_string()), "client_id": r.client_id,
            "request_id": r.request_id, "detail": r.detail })
    };
    let line = |r: &AuditRow| {
        let account = r.account_id.map(|id| id.to_string()).unwrap_or_default();
        let about = [account, r.client_id.clone().unwrap_or_default()].join(" ");
        vec![time(r.at), r.event.clone(), r.actor.clone(), about.trim().to_owned(), r.detail.to_string()]
    };
    let values: Vec<_> = rows.iter().map(value).collect();
    let lines: Vec<_> = rows.iter().map(line).collect();
    at.answer(&json!(values), &table(&["AT", "EVENT", "ACTOR", "ABOUT", "DETAIL"], &lines))
}

fn event(text: &str) -> Result<AuditEvent, String> {
    let names = || AuditEvent::ALL.iter().map(|event| event.text()).collect::<Vec<_>>().join(", ");
    let found = AuditEvent::ALL.iter().copied().find(|event| event.text() == text);
    found.ok_or_else(|| format!("no such event; there are {}", names()))
}
