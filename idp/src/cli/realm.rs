//! `idp realm`: issuer, hosts and settings of a realm.

use clap::{Args, Subcommand};
use idp_core::realm::{FIELDS, Realm, RelyingParty, SelfRegistration};
use idp_core::sign_up;
use serde_json::{Value, json};

use super::operator::{At, Operator, facts, pair, table, with};
use super::policy::twice;
use super::realm_record::{save, value};
use super::{Failure, relying_party, schema, scope, usage};
use crate::settings::Settings;

/// Issuer, hosts and settings.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All realms.
    List,
    /// One realm: hosts and settings.
    Show,
    /// Set the display name or settings.
    Set {
        /// Such as session_lifetime_s=28800, display_name=Example or brand_color=#3355aa
        #[arg(required = true, value_name = "KEY=VALUE", value_parser = pair)]
        fields: Vec<(String, String)>,
    },
    /// Scopes besides the standard ones, and the claims they open.
    Scope {
        #[command(subcommand)]
        action: scope::Action,
    },
    /// Which traits users have (JSON Schema), and which of them are claims.
    Schema {
        #[command(subcommand)]
        action: schema::Action,
    },
    /// Hosts, and the RP IDs of their passkeys.
    Rp {
        #[command(subcommand)]
        action: relying_party::Action,
    },
    /// Take issuer and relying parties from --config; then restart `idp serve`.
    Update {
        /// The realm to change; the one of the settings by default.
        name: Option<String>,
        /// Also where passkeys stop working because their RP ID goes.
        #[arg(long)]
        drop_rp_ids: bool,
    },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(mut self) -> Result<(), Failure> {
        if let Action::Update { name, drop_rp_ids } = self.action {
            let Some(file) = self.at.config.clone() else {
                return Err(usage("--config FILE: issuer and relying parties are taken from it"));
            };
            self.at.realm = name.or(self.at.realm);
            let settings = Settings::load(&file, std::env::vars())?;
            return self.at.act(async move |at| update(at, &settings, drop_rp_ids).await);
        }
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::List => list(at).await,
            Action::Set { fields } => set(at, &fields).await,
            Action::Scope { action } => scope::run(at, action).await,
            Action::Schema { action } => schema::run(at, action).await,
            Action::Rp { action } => relying_party::run(at, action).await,
            Action::Show | Action::Update { .. } => show(at, &at.realm),
        })
    }
}

async fn list(at: &Operator) -> Result<(), Failure> {
    let realms = at.app.store.list_realms().await?;
    let rows: Vec<_> = realms.iter().map(|r| vec![r.name.clone(), r.issuer.clone(), r.display_name.clone()]).collect();
    let values: Vec<_> = realms.iter().map(value).collect();
    at.answer(&json!(values), &table(&["REALM", "ISSUER", "DISPLAY NAME"], &rows))
}

fn show(at: &Operator, realm: &Realm) -> Result<(), Failure> {
    let mut rows = vec![
        ("name", realm.name.clone()),
        ("issuer", realm.issuer.clone()),
        ("display_name", realm.display_name.clone()),
    ];
    for rp in &realm.relying_parties {
        let mut text = format!("{} at {}, origins {}", rp.rp_id, rp.hosts.join(" "), rp.origins.join(" "));
        if !rp.related_origins.is_empty() {
            text.push_str(&format!(", related {}", rp.related_origins.join(" ")));
        }
        rows.push(("relying party", text));
    }
    let settings = serde_json::to_value(&realm.settings)?;
    rows.extend(FIELDS.iter().map(|(name, _)| (*name, settings.get(*name).map(Value::to_string).unwrap_or_default())));
    at.answer(&value(realm), &facts(&rows))
}

async fn set(at: &Operator, fields: &[(String, String)]) -> Result<(), Failure> {
    let mut realm = Realm::clone(&at.realm);
    let mut problems = twice(fields);
    for (name, text) in fields {
        if name == "display_name" {
            if text.trim().is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
                problems.push("display_name: write what people shall read, 1 to 100 characters".to_owned());
            }
            text.trim().clone_into(&mut realm.display_name);
        } else if let Err(problem) = realm.settings.set(name, text) {
            problems.push(problem);
        }
    }
    problems.extend(realm.settings.check());
    if !problems.is_empty() {
        return Err(usage(problems.join("\n     ")));
    }
    let changed: Vec<_> = fields.iter().map(|(name, _)| name.as_str()).collect();
    save(at, realm.clone(), json!({ "fields": changed })).await?;
    let mut text = format!("Set {}.", changed.join(", "));
    if realm.settings.self_registration != SelfRegistration::Off
        && let Err(problem) = sign_up::possible(&realm)
    {
        text.push_str(&format!("\nNote: for now, {problem} (idp policy)."));
    }
    // What the association files let an application ask for, its ceremonies must be accepted for too.
    for origin in realm.settings.native_apps.origins() {
        if changed.contains(&"native_apps") && !realm.relying_parties.iter().any(|rp| rp.origins.contains(&origin)) {
            text.push_str(&format!("\nIts ceremonies are refused until: idp realm rp set RP_ID --origin {origin}"));
        }
    }
    at.answer(&value(&realm), &text)
}

async fn update(at: &Operator, settings: &Settings, drop_rp_ids: bool) -> Result<(), Failure> {
    let mut realm = Realm::clone(&at.realm);
    let ids = |parties: &[RelyingParty]| parties.iter().map(|rp| rp.rp_id.clone()).collect::<Vec<_>>();
    let next = settings.realm.relying_parties.clone();
    let next = next.unwrap_or_else(|| vec![RelyingParty::alone(&settings.realm.issuer)]);
    let (before, after) = (ids(&realm.relying_parties), ids(&next));
    let dropped: Vec<_> = before.into_iter().filter(|id| !after.contains(id)).collect();
    if !dropped.is_empty() && !drop_rp_ids {
        let (gone, new) = (dropped.join(", "), after.join(", "));
        return Err(format!(
            "passkeys made for {gone} would stop working: a passkey belongs to its RP ID for ever, and the settings \
             only know {new}. To keep them, add {{ rp_id = {:?}, hosts = [\"its host\"] }} to realm.relying_parties; \
             to let them go (everybody makes a new passkey, by access pass): --drop-rp-ids",
            dropped.first().map_or("", String::as_str)
        )
        .into());
    }
    let was = std::mem::replace(&mut realm.issuer, settings.realm.issuer.clone());
    realm.relying_parties = next;
    save(at, realm.clone(), json!({ "issuer": realm.issuer, "was": was, "dropped_rp_ids": dropped })).await?;
    let mut text = format!("The realm {} is now {}.", realm.name, realm.issuer);
    if was != realm.issuer {
        text.push_str("\nClients must be given the new issuer: `iss` in their tokens changes.");
    }
    if dropped.is_empty() {
        text.push_str("\nAll passkeys keep working.");
    } else {
        let text_dropped = dropped.join(", ");
        text.push_str(&format!("\nPasskeys made for {text_dropped} no longer work: idp access-pass create USER"));
    }
    text.push_str("\nRestart idp serve.");
    at.answer(&with(value(&realm), "dropped_rp_ids", json!(dropped)), &text)
}
