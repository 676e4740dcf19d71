//! `idp key`: signing keys of the realm. A key is published before it signs and for a day after; by schedule
//! (`key_rotation_days`) or by these commands.

use clap::{Args, Subcommand};
use idp_core::audit::AuditEvent;
use idp_core::client::SigningAlg;
use idp_core::jose::keyset::{KeyState, StoredKey};
use idp_store::keys::{EnsureKeys, RetireKey, RevokeKey, RotateKey};
use serde_json::{Value, json};

use super::Failure;
use super::client_settings::Alg;
use super::operator::{At, Operator, table, time, word};
use crate::keys;

/// How long a key is published before it signs, in seconds: JWK sets are cached 5 minutes by what we say and an hour
/// by what many clients do.
const PUBLISHED_FIRST_S: i64 = 3600;

/// Signing keys.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// All keys, oldest first.
    List,
    /// Make and publish the next key; it does not sign yet.
    Create {
        /// Only for this algorithm.
        #[arg(long)]
        alg: Option<Alg>,
    },
    /// Let the next key sign and retire the one that did.
    Rotate {
        /// Only this algorithm.
        #[arg(long)]
        alg: Option<Alg>,
        /// Do not wait until caches know the next key.
        #[arg(long)]
        now: bool,
    },
    /// Retire a key that shall not sign.
    Retire { kid: String },
    /// Stop believing a key that others may have: nothing it signed verifies any more. Another signs in its place.
    Revoke { kid: String },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let action = self.action;
        self.at.act(async move |at| match action {
            Action::List => list(at).await,
            Action::Create { alg } => create(at, &algs(alg)).await,
            Action::Rotate { alg, now } => rotate(at, &algs(alg), now).await,
            Action::Retire { kid } => retire(at, &kid).await,
            Action::Revoke { kid } => revoke(at, &kid).await,
        })
    }
}

fn algs(alg: Option<Alg>) -> Vec<SigningAlg> {
    alg.map_or_else(|| SigningAlg::ALL.to_vec(), |alg| vec![alg.into()])
}

fn value(key: &StoredKey) -> Value {
    json!({
        "kid": key.kid,
        "alg": key.alg.text(),
        "state": key.state,
        "created": time(key.created),
        "activated": key.activated.map(time),
        "retired": key.retired.map(time),
    })
}

async fn list(at: &Operator) -> Result<(), Failure> {
    let keys = at.app.store.list_signing_keys(at.realm.id).await?;
    let row = |k: &StoredKey| {
        let retired = k.retired.map(time).unwrap_or_default();
        vec![k.kid.clone(), k.alg.text().to_owned(), word(&k.state), time(k.created), retired]
    };
    let rows: Vec<_> = keys.iter().map(row).collect();
    let values: Vec<_> = keys.iter().map(value).collect();
    at.answer(&json!(values), &table(&["KID", "ALG", "STATE", "CREATED", "RETIRED"], &rows))
}

async fn create(at: &Operator, algs: &[SigningAlg]) -> Result<(), Failure> {
    let existing = at.app.store.list_signing_keys(at.realm.id).await?;
    let mut made = Vec::new();
    for alg in algs {
        if let Some(key) = existing.iter().find(|k| k.alg == *alg && k.state == KeyState::Next) {
            return Err(format!("there is a next {} key already: {} (idp key rotate)", alg.text(), key.kid).into());
        }
        let key = keys::make(*alg, at.realm.id, at.app.sealer(), at.app.random(), at.app.now())?;
        made.push(StoredKey { state: KeyState::Next, activated: None, ..key });
    }
    let kids: Vec<_> = made.iter().map(|key| key.kid.clone()).collect();
    let audit = at.audit(AuditEvent::KeyCreated, json!({ "kids": kids }));
    let op = EnsureKeys { realm: at.realm.id, keys: made.clone(), audit };
    if at.app.store.write(op).await? != made.len() {
        return Err("somebody made next keys at the same time: idp key list shows them".into());
    }
    let values: Vec<_> = made.iter().map(value).collect();
    let text = format!("Published {}. In an hour, when caches know: idp key rotate", kids.join(", "));
    at.answer(&json!(values), &text)
}

async fn rotate(at: &Operator, algs: &[SigningAlg], now: bool) -> Result<(), Failure> {
    let existing = at.app.store.list_signing_keys(at.realm.id).await?;
    let mut turns = Vec::new();
    // All are looked at before the first is rotated.
    for alg in algs {
        let Some(next) = existing.iter().find(|k| k.alg == *alg && k.state == KeyState::Next) else {
            return Err(format!("there is no next {} key: idp key create first", alg.text()).into());
        };
        let ready = next.created.plus_s(PUBLISHED_FIRST_S);
        if !now && at.app.now() < ready {
            let text = "clients that cached the key set would refuse its signatures";
            return Err(format!("{} is too new: {text}. Wait until {}, or add --now", next.kid, time(ready)).into());
        }
        turns.push((*alg, next.kid.clone()));
    }
    for (alg, kid) in &turns {
        let audit = at.audit(AuditEvent::KeyActivated, json!({ "alg": alg.text(), "kid": kid }));
        let op = RotateKey { realm: at.realm.id, alg: *alg, now: at.app.now(), audit };
        if !at.app.store.write(op).await? {
            return Err(format!("the next {} key is gone: idp key list", alg.text()).into());
        }
    }
    let kids: Vec<_> = turns.into_iter().map(|(_, kid)| kid).collect();
    at.answer(&json!({ "signing": kids }), &format!("Signing now: {}.", kids.join(", ")))
}

async fn retire(at: &Operator, kid: &str) -> Result<(), Failure> {
    let existing = at.app.store.list_signing_keys(at.realm.id).await?;
    let key = existing.iter().find(|k| k.kid == kid);
    let key = key.ok_or_else(|| format!("KID: there is no key \"{kid}\": idp key list shows them"))?;
    match key.state {
        KeyState::Active => {
            return Err(format!("{kid} signs: idp key create and idp key rotate put another in its place").into());
        }
        KeyState::Retired | KeyState::Revoked => {
            return Err(format!("{kid} is {} already", word(&key.state)).into());
        }
        KeyState::Next => {}
    }
    let audit = at.audit(AuditEvent::KeyRetired, json!({ "kid": kid }));
    let op = RetireKey { realm: at.realm.id, kid: kid.to_owned(), now: at.app.now(), audit };
    if !at.app.store.write(op).await? {
        return Err(format!("{kid} was retired meanwhile").into());
    }
    at.answer(&json!({ "retired": kid }), &format!("Retired {kid}."))
}

async fn revoke(at: &Operator, kid: &str) -> Result<(), Failure> {
    let existing = at.app.store.list_signing_keys(at.realm.id).await?;
    let key = existing.iter().find(|k| k.kid == kid && k.state != KeyState::Revoked);
    let key = key.ok_or_else(|| format!("KID: there is no key \"{kid}\" to revoke: idp key list shows them"))?;
    let replacement = keys::make(key.alg, at.realm.id, at.app.sealer(), at.app.random(), at.app.now())?;
    let audit = at.audit(AuditEvent::KeyRevoked, json!({ "kid": kid }));
    let op = RevokeKey { realm: at.realm.id, kid: kid.to_owned(), replacement, now: at.app.now(), audit };
    if !at.app.store.write(op).await? {
        return Err(format!("{kid} was revoked meanwhile").into());
    }
    let text = format!(
        "Revoked {kid}. What it signed is not believed here any more; clients learn it when they fetch the key set \
         again (5 minutes by what we say)."
    );
    at.answer(&json!({ "revoked": kid }), &text)
}
