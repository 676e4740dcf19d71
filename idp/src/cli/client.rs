//! `idp client`: applications people sign in to.

use clap::{Args, Subcommand};
use idp_core::audit::{Audit, AuditEvent};
use idp_core::client::check::doubt;
use idp_core::client::{Client, ClientState};
use idp_core::encoding::base64url;
use idp_core::id::ClientId;
use idp_core::pass::{Pass, PassKind};
use idp_core::realm::Registration;
use idp_core::secret::sha256;
use idp_store::clients::{ClientUpdated, CreateClient, DeleteClient, UpdateClient};
use idp_store::passes::IssuePass;
use serde_json::{Value, json};

use super::access_pass::lifetime;
use super::client_settings::Flags;
use super::operator::{At, Operator, facts, table, time, with, word};
use super::{Failure, usage};

/// Applications people sign in to.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Register a client; prints its secret, once.
    Create {
        /// Its client_id: letters, digits and . _ ~ -
        #[arg(required_unless_present = "generate")]
        id: Option<String>,
        /// Make up a client_id.
        #[arg(long, conflicts_with = "id")]
        generate: bool,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// All clients.
    List,
    /// One client.
    Show { id: String },
    /// Change a client.
    Set {
        id: String,
        #[command(flatten)]
        flags: Box<Flags>,
    },
    /// Switch a client off: no sign-ins, no tokens.
    Disable { id: String },
    /// Switch it on again.
    Enable { id: String },
    /// Delete a client; what it was granted is revoked.
    Delete { id: String },
    /// Make an initial access token for /register and print it, once.
    Invite {
        /// How long it works, 10m to 30d.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = lifetime)]
        lifetime: i64,
        /// It registers clients until it expires; otherwise one.
        #[arg(long)]
        many: bool,
    },
    /// Make a new secret and print it, once; the old one stops working.
    Secret { id: String },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::Create { id, flags, .. } => create(at, id, *flags).await,
            Action::List => list(at).await,
            Action::Show { id } => show(at, &id).await,
            Action::Set { id, flags } => set(at, &id, *flags).await,
            Action::Disable { id } => switch(at, &id, ClientState::Disabled).await,
            Action::Enable { id } => switch(at, &id, ClientState::Active).await,
            Action::Delete { id } => delete(at, &id).await,
            Action::Invite { lifetime, many } => invite(at, lifetime, many).await,
            Action::Secret { id } => new_secret(at, &id).await,
        })
    }
}

fn value(client: &Client) -> Value {
    let facts = [
        ("client_id", json!(client.id.as_str())),
        ("state", json!(client.state)),
        ("created", json!(time(client.created))),
        ("updated", json!(time(client.updated))),
    ];
    let settings = serde_json::to_value(&client.settings).unwrap_or_default();
    facts.into_iter().fold(settings, |value, (key, fact)| with(value, key, fact))
}

fn audit(at: &Operator, event: AuditEvent, id: &ClientId, what: &str) -> Audit {
    Audit { client_id: Some(id.clone()), ..at.audit(event, json!({ "what": what })) }
}

/// The client of an identifier.
///
/// # Errors
/// When there is none.
pub async fn find(at: &Operator, id: &str) -> Result<Client, Failure> {
    let parsed = ClientId::parse(id).ok();
    let client = match parsed {
        Some(id) => at.app.store.find_client(at.realm.id, &id).await?,
        None => None,
    };
    client.ok_or_else(|| format!("there is no client \"{id}\": idp client list shows them").into())
}

/// 256 random bits, so that its SHA-256 may stand in the database.
fn fresh_secret(at: &Operator) -> String {
    base64url(at.app.random::<32>())
}

async fn create(at: &Operator, id: Option<String>, flags: Flags) -> Result<(), Failure> {
    let id = id.unwrap_or_else(|| base64url(at.app.random::<16>()));
    let id = ClientId::parse(&id)
        .map_err(|_| usage("ID: a client_id has 1 to 128 letters, digits and . _ ~ - (or use --generate)"))?;
    let settings = flags.into_new(&at.realm)?;
    let secret = settings.auth_method.has_secret().then(|| fresh_secret(at));
    let now = at.app.now();
    let client = Client {
        id: id.clone(),
        state: ClientState::Active,
        secret_hash: secret.as_ref().map(|secret| sha256(secret.as_bytes())),
        registration_hash: None,
        settings,
        created: now,
        updated: now,
    };
    let audit = audit(at, AuditEvent::ClientCreated, &id, "created");
    if !at.app.store.write(CreateClient { realm: at.realm.id, client: client.clone(), audit }).await? {
        return Err(format!("ID: there is a client \"{id}\" already").into());
    }
    answer(at, &client, secret, &format!("Made the client {id}."))
}

fn answer(at: &Operator, client: &Client, secret: Option<String>, text: &str) -> Result<(), Failure> {
    let mut value = value(client);
    let mut text = text.to_owned();
    if let Some(secret) = secret {
        text.push_str(&format!(
            "\n\n  client_id      {}\n  client_secret  {secret}\n\nIt is not shown again.",
            client.id
        ));
        value = with(value, "client_secret", json!(secret));
    }
    if let Some(doubt) = doubt(&client.settings) {
        text.push_str(&format!("\nNote: {doubt}."));
    }
    at.answer(&value, &text)
}

async fn list(at: &Operator) -> Result<(), Failure> {
    let clients = at.app.store.list_clients(at.realm.id).await?;
    let row = |c: &Client| {
        let redirect = c.settings.redirect_uris.first().cloned().unwrap_or_default();
        vec![c.id.to_string(), c.settings.name.clone(), word(&c.settings.auth_method), word(&c.state), redirect]
    };
    let rows: Vec<_> = clients.iter().map(row).collect();
    let values: Vec<_> = clients.iter().map(value).collect();
    at.answer(&json!(values), &table(&["CLIENT", "NAME", "AUTHENTICATION", "STATE", "REDIRECT URI"], &rows))
}

async fn show(at: &Operator, id: &str) -> Result<(), Failure> {
    let client = find(at, id).await?;
    let value = value(&client);
    let mut rows = vec![("client_id", client.id.to_string())];
    for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| *key != "client_id") {
        match value {
            Value::Array(items) => {
                let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
                rows.extend(items.iter().map(|item| (key.as_str(), text(item))));
            }
            Value::String(text) => rows.push((key, text.clone())),
            other => rows.push((key, other.to_string())),
        }
    }
    at.answer(&value, &facts(&rows))
}

/// Saves a changed client, unless somebody else changed it meanwhile.
///
/// # Errors
/// When somebody did.
pub async fn save(at: &Operator, seen: &Client, client: Client, what: &str) -> Result<Client, Failure> {
    let client = Client { updated: at.app.now(), ..client };
    let audit = audit(at, AuditEvent::ClientChanged, &client.id, what);
    let op = UpdateClient { realm: at.realm.id, client: client.clone(), seen: seen.updated, audit };
    match at.app.store.write(op).await? {
        ClientUpdated::Updated => Ok(client),
        ClientUpdated::Changed => {
            Err(format!("somebody changed {} at the same time: look at it and try again", client.id).into())
        }
    }
}

async fn set(at: &Operator, id: &str, flags: Flags) -> Result<(), Failure> {
    let seen = find(at, id).await?;
    let mut client = Client { settings: flags.apply(seen.settings.clone(), &at.realm)?, ..seen.clone() };
    if client.settings == seen.settings {
        return Err(usage("nothing to change: name what to set, such as --redirect-uri"));
    }
    let mut secret = None;
    match (client.settings.auth_method.has_secret(), client.secret_hash) {
        (false, _) => client.secret_hash = None,
        (true, None) => {
            let fresh = fresh_secret(at);
            client.secret_hash = Some(sha256(fresh.as_bytes()));
            secret = Some(fresh);
        }
        _ => {}
    }
    let client = save(at, &seen, client, "settings").await?;
    answer(at, &client, secret, &format!("Changed {id}."))
}

async fn switch(at: &Operator, id: &str, state: ClientState) -> Result<(), Failure> {
    let seen = find(at, id).await?;
    if seen.state == state {
        return Err(format!("{id} is {} already", word(&state)).into());
    }
    let client = save(at, &seen, Client { state, ..seen.clone() }, &word(&state)).await?;
    at.answer(&value(&client), &format!("{id} is {}.", word(&state)))
}

async fn delete(at: &Operator, id: &str) -> Result<(), Failure> {
    let client = find(at, id).await?;
    let audit = audit(at, AuditEvent::ClientDeleted, &client.id, "deleted");
    if !at.app.store.write(DeleteClient { realm: at.realm.id, id: client.id, audit }).await? {
        return Err(format!("{id} was deleted meanwhile").into());
    }
    at.answer(&json!({ "deleted": id }), &format!("Deleted {id}; what it was granted is revoked."))
}

async fn invite(at: &Operator, lifetime_s: i64, many: bool) -> Result<(), Failure> {
    let token = fresh_secret(at);
    let now = at.app.now();
    let pass = Pass {
        hash: sha256(token.as_bytes()),
        kind: if many { PassKind::Registrations } else { PassKind::Registration },
        account_id: None,
        created: now,
        expires: now.plus_s(lifetime_s),
        used: None,
        browser: None,
    };
    let (kind, expires) = (word(&pass.kind), time(pass.expires));
    let audit = at.audit(AuditEvent::PassIssued, json!({ "kind": kind, "expires": expires }));
    if !at.app.store.write(IssuePass { realm: at.realm.id, pass, audit }).await? {
        return Err("no token was made: try again".into());
    }
    let uses = if many { "registers clients" } else { "registers one client" };
    let mut text = format!("Initial access token, {uses} until {expires}:\n\n  {token}\n\nIt is not shown again.");
    if at.realm.settings.registration == Registration::Off {
        text.push_str("\nNote: registration is off: idp realm set registration=token");
    }
    at.answer(&json!({ "initial_access_token": token, "kind": kind, "expires": expires }), &text)
}

async fn new_secret(at: &Operator, id: &str) -> Result<(), Failure> {
    let seen = find(at, id).await?;
    if !seen.settings.auth_method.has_secret() {
        return Err(format!("{id} has no secret: idp client set {id} --secret-basic gives it a secret").into());
    }
    let secret = fresh_secret(at);
    let hash = Some(sha256(secret.as_bytes()));
    let client = save(at, &seen, Client { secret_hash: hash, ..seen.clone() }, "secret").await?;
    answer(at, &client, Some(secret), &format!("Made a new secret for {id}; the old one stopped working."))
}
