//! `idp realm rp`: the hosts of a realm and the RP IDs of their passkeys. WebAuthn L3 §5.1.2, §5.11.

use clap::Subcommand;
use idp_core::realm::relying_party::{problems, warnings, without_port};
use idp_core::realm::{Realm, RelyingParty};
use serde_json::{Value, json};

use super::operator::{Operator, table, with};
use super::realm_record::save;
use super::{Failure, usage};

#[derive(Subcommand)]
pub enum Action {
    /// Hosts, origins, and how many passkeys each RP ID has.
    List,
    /// Answer at further hosts under another RP ID.
    Add {
        #[command(flatten)]
        what: What,
    },
    /// Replace hosts or origins of an RP ID; what is not named stays.
    Set {
        #[command(flatten)]
        what: What,
    },
    /// Take an RP ID away.
    Remove {
        rp_id: String,
        /// Also where passkeys stop working.
        #[arg(long)]
        drop_passkeys: bool,
    },
}

#[derive(clap::Args)]
pub struct What {
    /// A host or a parent domain of all its hosts.
    rp_id: String,
    /// A host that is answered, with port unless it is the default one; the RP ID itself by default. May be repeated.
    #[arg(long = "host", value_name = "HOST[:PORT]")]
    hosts: Vec<String>,
    /// An origin besides those of the hosts: a further port, or android:apk-key-hash:… May be repeated.
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
    /// An origin that is not under the RP ID and may use it all the same. May be repeated.
    #[arg(long = "related-origin", value_name = "ORIGIN")]
    related_origins: Vec<String>,
}

/// Runs it.
///
/// # Errors
/// What the person at the terminal is to change.
pub async fn run(at: &Operator, action: Action) -> Result<(), Failure> {
    let mut parties = at.realm.relying_parties.clone();
    let place = |rp_id: &str| parties.iter().position(|party| party.rp_id == rp_id);
    let unknown = |rp_id: &str| format!("there is no RP ID \"{rp_id}\": idp realm rp list shows them");
    let scheme = at.realm.home().0;
    match action {
        Action::List => list(at).await,
        Action::Add { what } => {
            if place(&what.rp_id).is_some() {
                return Err(usage(format!("{}: is there already; idp realm rp set changes it", what.rp_id)));
            }
            let hosts = if what.hosts.is_empty() { vec![beside(&at.realm, &what.rp_id)] } else { what.hosts };
            let mut party = RelyingParty::new(&what.rp_id, scheme, hosts);
            party.accept(what.origins);
            party.related_origins = what.related_origins;
            parties.push(party);
            change(at, parties, &format!("Added {}.", what.rp_id)).await
        }
        Action::Set { what } => {
            let found = place(&what.rp_id).ok_or_else(|| unknown(&what.rp_id))?;
            if let Some(party) = parties.get_mut(found) {
                *party = changed(party, what, scheme);
            }
            change(at, parties, "Set.").await
        }
        Action::Remove { rp_id, drop_passkeys } => {
            let found = place(&rp_id).ok_or_else(|| unknown(&rp_id))?;
            let counts = at.app.store.count_by_rp_id(at.realm.id).await?;
            if let Some(bound) = counts.iter().find(|c| c.rp_id == rp_id).filter(|_| !drop_passkeys) {
                return Err(format!(
                    "{} passkeys of {} users are made for {rp_id} and would stop working; see idp rp-id plan, or let them \
                     go: --drop-passkeys",
                    bound.passkeys, bound.accounts
                )
                .into());
            }
            parties.remove(found);
            change(at, parties, &format!("Removed {rp_id}.")).await
        }
    }
}

/// A host at the port of the issuer.
pub fn beside(realm: &Realm, name: &str) -> String {
    let host = realm.home().1;
    host.strip_prefix(without_port(host)).map_or_else(|| name.to_owned(), |port| format!("{name}{port}"))
}

fn changed(before: &RelyingParty, what: What, scheme: &str) -> RelyingParty {
    let or = |new: Vec<String>, old: &[String]| if new.is_empty() { old.to_vec() } else { new };
    let own = RelyingParty::new(&before.rp_id, scheme, before.hosts.clone()).origins;
    let further: Vec<String> = before.origins.iter().filter(|o| !own.contains(o)).cloned().collect();
    let mut party = RelyingParty::new(&before.rp_id, scheme, or(what.hosts, &before.hosts));
    party.accept(or(what.origins, &further));
    party.related_origins = or(what.related_origins, &before.related_origins);
    party
}

async fn list(at: &Operator) -> Result<(), Failure> {
    let counts = at.app.store.count_by_rp_id(at.realm.id).await?;
    let passkeys = |rp_id: &str| counts.iter().find(|c| c.rp_id == rp_id).map_or(0, |c| c.passkeys);
    let served = at.realm.relying_parties.iter();
    let values: Vec<Value> =
        served.clone().map(|party| with(json!(party), "passkeys", passkeys(&party.rp_id).into())).collect();
    let row = |party: &RelyingParty| {
        vec![
            party.rp_id.clone(),
            passkeys(&party.rp_id).to_string(),
            party.hosts.join(" "),
            party.origins.join(" "),
            party.related_origins.join(" "),
        ]
    };
    let rows: Vec<_> = served.map(row).collect();
    let mut text = table(&["RP ID", "PASSKEYS", "HOSTS", "ORIGINS", "RELATED ORIGINS"], &rows);
    for lost in counts.iter().filter(|c| at.realm.relying_party_of(&c.rp_id).is_none()) {
        text.push_str(&format!("\n{} passkeys are bound to {}, which is not served.", lost.passkeys, lost.rp_id));
    }
    at.answer(&json!(values), &text)
}

async fn change(at: &Operator, parties: Vec<RelyingParty>, done: &str) -> Result<(), Failure> {
    refuse(problems(&parties, at.realm.home().1))?;
    let realm = Realm { relying_parties: parties, ..Realm::clone(&at.realm) };
    let rp_ids: Vec<_> = realm.relying_parties.iter().map(|party| party.rp_id.clone()).collect();
    save(at, realm.clone(), json!({ "rp_ids": rp_ids })).await?;
    let warnings = warnings(&realm.relying_parties);
    let told = warnings.iter().map(|warning| format!("\nNote: {warning}.")).collect::<String>();
    let text = format!("{done}{told}\n{}", in_settings(&realm));
    at.answer(&json!({ "relying_parties": realm.relying_parties, "warnings": warnings }), &text)
}

/// Refuses what nobody could sign in with.
///
/// # Errors
/// All problems, one a line.
pub fn refuse(problems: Vec<String>) -> Result<(), Failure> {
    if problems.is_empty() { Ok(()) } else { Err(usage(problems.join("\n     "))) }
}

/// What settings must say from now on, if they say anything: `serve` refuses to start on another realm than its own.
pub fn in_settings(realm: &Realm) -> String {
    let list = |items: &[String]| items.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>().join(", ");
    let party = |party: &RelyingParty| {
        let mut text = format!("  {{ rp_id = {:?}, hosts = [{}]", party.rp_id, list(&party.hosts));
        let own = RelyingParty::new(&party.rp_id, realm.home().0, party.hosts.clone()).origins;
        let further: Vec<String> = party.origins.iter().filter(|o| !own.contains(o)).cloned().collect();
        for (key, items) in [("origins", &further), ("related_origins", &party.related_origins)] {
            if !items.is_empty() {
                text.push_str(&format!(", {key} = [{}]", list(items)));
            }
        }
        text + " },"
    };
    let parties: Vec<_> = realm.relying_parties.iter().map(party).collect();
    format!(
        "If the settings of idp serve name realm.relying_parties, they must say before the next start:\n\
         relying_parties = [\n{}\n]",
        parties.join("\n")
    )
}
