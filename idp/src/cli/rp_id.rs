//! `idp rp-id`: another RP ID for a realm's passkeys, without anybody losing access on the way.
//!
//! WebAuthn L3 §5.1.2: a passkey belongs to its RP ID for ever, so everybody makes a new one, at their next sign-in.

use clap::{Args, Subcommand};
use idp_core::realm::relying_party::{is_under, problems, warnings, without_port};
use idp_core::realm::{Realm, RelyingParty};
use idp_store::rp_ids::Moving;
use serde_json::{Value, json};

use super::operator::{At, Operator, facts, table};
use super::realm_record::save;
use super::relying_party::{beside, in_settings, refuse};
use super::{Failure, usage};

/// User names shown at most.
const NAMES: i64 = 20;

/// Another RP ID for passkeys.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Who is affected and what changes; nothing is saved.
    Plan {
        #[command(flatten)]
        to: To,
    },
    /// Begin: new passkeys are made for the new RP ID, old ones work on at the old host.
    Start {
        #[command(flatten)]
        to: To,
    },
    /// How many users have moved.
    Status,
    /// End: passkeys of the old RP ID stop working.
    Finish {
        /// The old RP ID, where there are several.
        rp_id: Option<String>,
        /// Also where users are left whose only passkey is the old one.
        #[arg(long)]
        leave_behind: bool,
    },
}

#[derive(Args)]
struct To {
    /// The new RP ID.
    #[arg(value_name = "NEW")]
    rp_id: String,
    /// The issuer's host from then on; the one it has where that lies under NEW, else NEW itself.
    #[arg(long, value_name = "HOST[:PORT]")]
    host: Option<String>,
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Plan { to } => plan(at, &to).await,
            Action::Start { to } => start(at, &to).await,
            Action::Status => status(at).await,
            Action::Finish { rp_id, leave_behind } => finish(at, rp_id, leave_behind).await,
        })
    }
}

/// The realm before and after.
struct Change {
    from: RelyingParty,
    after: Realm,
    /// `iss` changes.
    moves: bool,
    /// The host was named.
    asked: bool,
}

impl Change {
    fn of(at: &Operator, to: &To) -> Result<Self, Failure> {
        let realm = &at.realm;
        let (scheme, home) = realm.home();
        let from = realm.relying_party(home).ok_or("no relying party answers the issuer's host")?.clone();
        if from.rp_id == to.rp_id {
            return Err(usage(format!("{}: is the RP ID already", to.rp_id)));
        }
        let stays = is_under(without_port(home), &to.rp_id);
        let host = match &to.host {
            Some(host) => host.clone(),
            None if stays => home.to_owned(),
            None => beside(realm, &to.rp_id),
        };
        let mut parties = realm.relying_parties.clone();
        // The first of several at one host makes the new passkeys there.
        let mut new = match parties.iter().position(|party| party.rp_id == to.rp_id) {
            Some(place) => parties.remove(place),
            None => RelyingParty::new(&to.rp_id, scheme, Vec::new()),
        };
        if !new.answers(&host) {
            let more = RelyingParty::new(&to.rp_id, scheme, vec![host.clone()]);
            new.hosts.extend(more.hosts);
            new.accept(more.origins);
        }
        // Applications for phones come along: their origins belong to no host.
        new.accept(from.origins.iter().filter(|origin| origin.starts_with("android:")).cloned());
        parties.insert(0, new);
        let issuer = format!("{scheme}://{host}");
        let moves = issuer != realm.issuer;
        refuse(problems(&parties, &host))?;
        let after = Realm { issuer, relying_parties: parties, ..Realm::clone(realm) };
        Ok(Self { from, after, moves, asked: to.host.is_some() })
    }

    fn to(&self) -> &str {
        self.after.relying_parties.first().map_or("", |party| &party.rp_id)
    }

    /// A host at which passkeys of the old RP ID work on.
    fn old_host(&self) -> &str {
        self.from.hosts.first().map_or("", String::as_str)
    }
}

async fn plan(at: &Operator, to: &To) -> Result<(), Failure> {
    let change = Change::of(at, to)?;
    let moving = at.app.store.count_moving(at.realm.id, &change.from.rp_id, change.to()).await?;
    let counts = at.app.store.count_by_rp_id(at.realm.id).await?;
    let passkeys = |rp_id: &str| counts.iter().find(|c| c.rp_id == rp_id).map_or(0, |c| c.passkeys);
    let clients = at.app.store.list_clients(at.realm.id).await?.len();
    let (warnings, steps) = (warnings(&change.after.relying_parties), steps(&change, clients));
    let value = json!({
        "from": change.from.rp_id,
        "to": change.to(),
        "issuer": { "before": at.realm.issuer, "after": change.after.issuer, "changes": change.moves },
        "users": counted(moving),
        "passkeys": { "from": passkeys(&change.from.rp_id), "to": passkeys(change.to()) },
        "clients": clients,
        "warnings": warnings,
        "steps": steps,
    });
    let mut text = facts(&[
        ("RP ID", format!("{} becomes {}", change.from.rp_id, change.to())),
        (
            "issuer",
            if change.moves {
                format!("{} becomes {}", at.realm.issuer, change.after.issuer)
            } else {
                "stays".to_owned()
            },
        ),
        (
            "passkeys",
            format!("{} of the old RP ID, {} of the new one", passkeys(&change.from.rp_id), passkeys(change.to())),
        ),
        ("users", format!("{} have to make a new passkey, {} have one", moving.left, moving.moved)),
        ("without a password", format!("{} of them", moving.passkey_alone)),
    ]);
    for warning in &warnings {
        text.push_str(&format!("\nNote: {warning}."));
    }
    for (at, step) in steps.iter().enumerate() {
        text.push_str(&format!("\n{}. {step}", at + 1));
    }
    at.answer(&value, &text)
}

/// What is to be done, in order.
fn steps(change: &Change, clients: usize) -> Vec<String> {
    let (old, new) = (change.old_host(), change.to());
    let mut steps = Vec::new();
    if change.moves {
        let host = change.after.home().1;
        steps.push(format!("Let {host} lead here too (DNS, certificate, proxy), and keep {old} as it is."));
    }
    let host = change.after.home().1;
    let at = if change.asked && host != new { format!(" --host {host}") } else { String::new() };
    steps.push(format!(
        "idp rp-id start {new}{at}: from then on passkeys are made for {new}; those of {} work on{}.",
        change.from.rp_id,
        if change.moves { format!(", at {old}") } else { String::new() },
    ));
    if change.moves {
        steps.push(format!(
            "Write the new issuer into the settings, and tell the {clients} applications: `iss` in their tokens becomes {}. \
             Until then they are led on from {old}, and refuse the tokens they get. `sub` stays. People sign in anew once.",
            change.after.issuer
        ));
    }
    steps.push(
        "Whoever signs in with an old passkey makes a new one in the same visit; idp rp-id status counts.".to_owned(),
    );
    steps.push(
        "For whoever is left: idp access-pass create USER, or a password where the policy lets it in.".to_owned(),
    );
    steps.push(format!("idp rp-id finish: passkeys of {} stop working.", change.from.rp_id));
    if change.moves {
        steps.push(format!(
            "Or keep {0} and change the host alone: idp realm rp set {0} --host {1} --host {2} --related-origin {3}, then \
             idp realm update with the new issuer. Nobody makes a new passkey, but {0} must stay yours for ever, and \
             browsers without related origins find no passkey.",
            change.from.rp_id,
            old,
            change.after.home().1,
            change.after.issuer
        ));
    }
    steps
}

async fn start(at: &Operator, to: &To) -> Result<(), Failure> {
    let change = Change::of(at, to)?;
    let detail = json!({
        "rp_id": change.to(), "rp_id_was": change.from.rp_id, "issuer": change.after.issuer, "was": at.realm.issuer,
    });
    save(at, change.after.clone(), detail).await?;
    let warnings = warnings(&change.after.relying_parties);
    let mut text = format!("New passkeys are made for {}; those of {} work on.", change.to(), change.from.rp_id);
    for warning in &warnings {
        text.push_str(&format!("\nNote: {warning}."));
    }
    if change.moves {
        text.push_str(&format!(
            "\nThe issuer is {0} now: applications must be given it. Before the next start of idp serve, its settings must \
             say issuer = {0:?}.",
            change.after.issuer
        ));
    }
    text.push_str(&format!("\n{}", in_settings(&change.after)));
    let value = json!({
        "from": change.from.rp_id, "to": change.to(), "issuer": change.after.issuer,
        "relying_parties": change.after.relying_parties, "warnings": warnings,
    });
    at.answer(&value, &text)
}

/// The RP ID of new passkeys.
fn current(at: &Operator) -> Result<&RelyingParty, Failure> {
    Ok(at.realm.relying_party(at.realm.home().1).ok_or("no relying party answers the issuer's host")?)
}

async fn status(at: &Operator) -> Result<(), Failure> {
    let current = &current(at)?.rp_id;
    let counts = at.app.store.count_by_rp_id(at.realm.id).await?;
    let served = at.realm.relying_parties.iter().map(|party| party.rp_id.as_str());
    let lost = counts.iter().map(|c| c.rp_id.as_str()).filter(|id| at.realm.relying_party_of(id).is_none());
    let (mut rows, mut values) = (Vec::new(), Vec::new());
    for rp_id in served.chain(lost) {
        let count = counts.iter().find(|c| c.rp_id == rp_id);
        let (passkeys, users) = count.map_or((0, 0), |c| (c.passkeys, c.accounts));
        let state = match at.realm.relying_party_of(rp_id) {
            _ if rp_id == current => "current",
            Some(_) => "old",
            None => "not served",
        };
        let moving = at.app.store.count_moving(at.realm.id, rp_id, current).await?;
        let left = if rp_id == current { "-".to_owned() } else { moving.left.to_string() };
        rows.push(vec![rp_id.to_owned(), state.to_owned(), passkeys.to_string(), users.to_string(), left]);
        values.push(json!({
            "rp_id": rp_id, "state": state, "passkeys": passkeys, "users": users,
            "moving": if rp_id == current { Value::Null } else { counted(moving) },
        }));
    }
    at.answer(&json!(values), &table(&["RP ID", "STATE", "PASSKEYS", "USERS", "NOT MOVED"], &rows))
}

fn counted(moving: Moving) -> Value {
    json!({ "left": moving.left, "moved": moving.moved, "passkey_alone": moving.passkey_alone })
}

async fn finish(at: &Operator, rp_id: Option<String>, leave_behind: bool) -> Result<(), Failure> {
    let current = &current(at)?.rp_id;
    let old: Vec<&str> =
        at.realm.relying_parties.iter().map(|party| party.rp_id.as_str()).filter(|id| id != current).collect();
    let rp_id = match (rp_id, old.as_slice()) {
        (Some(rp_id), old) if old.contains(&rp_id.as_str()) => rp_id,
        (Some(rp_id), _) => return Err(usage(format!("{rp_id}: is no old RP ID; idp rp-id status shows them"))),
        (None, [only]) => (*only).to_owned(),
        (None, []) => return Err("there is no old RP ID: nothing is left to finish".into()),
        (None, old) => return Err(usage(format!("name the one to finish: {}", old.join(", ")))),
    };
    let moving = at.app.store.count_moving(at.realm.id, &rp_id, current).await?;
    if moving.left > 0 && !leave_behind {
        let names = at.app.store.list_not_moved(at.realm.id, &rp_id, current, NAMES).await?;
        let more = if moving.left > NAMES { ", …" } else { "" };
        return Err(format!(
            "{} users have no passkey for {current} yet ({}{more}), and {} of them no password either. Give them an access \
             pass, or leave them behind: --leave-behind",
            moving.left,
            names.join(", "),
            moving.passkey_alone
        )
        .into());
    }
    let mut realm = Realm::clone(&at.realm);
    realm.relying_parties.retain(|party| party.rp_id != rp_id);
    save(at, realm.clone(), json!({ "rp_id_finished": rp_id, "left_behind": moving.left })).await?;
    let text = format!(
        "Passkeys of {rp_id} no longer work, and its hosts are not answered. idp realm rp add {rp_id} would bring both \
         back.\n{}",
        in_settings(&realm)
    );
    at.answer(
        &json!({ "finished": rp_id, "left_behind": moving.left, "relying_parties": realm.relying_parties }),
        &text,
    )
}
