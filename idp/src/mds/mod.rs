//! The FIDO metadata: fetched, verified, weighed, and what they say of registered passkeys carried out.
//! FIDO Metadata Service v3.1 §3.2.
//!
//! A BLOB that is broken or not newer changes nothing. One that would suspend too much waits for an admin.

pub mod options;
mod weigh;

use std::path::PathBuf;
use std::time::Duration;

use idp_core::audit::{Actor, Audit, AuditEvent};
use idp_core::passkey::mds::blob::{self, Blob, BlobError};
use idp_store::mds::{KeepMdsBlob, Slot, UpdateModel};
use idp_store::passkey_removal::{PasskeyRemoved, SuspendPasskey};
use serde_json::{Value, json};

use crate::app::App;
use crate::outbound::OutboundError;
pub use options::{Options, Source};
use weigh::{Suspension, Weight};

/// Time for the whole BLOB: some MiB.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no new BLOB. What counted before still counts.
#[derive(Debug, thiserror::Error)]
pub enum MdsError {
    #[error("no source is set: `mds.source` names one, `idp mds import FILE` reads a file")]
    NoSource,
    #[error("the BLOB cannot be fetched")]
    Fetch(#[from] OutboundError),
    #[error("{} cannot be read", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the BLOB is not taken")]
    Blob(#[from] BlobError),
    #[error("the BLOB has number {number}, but {counts} counts already: it must not go back")]
    Older { number: i64, counts: i64 },
    #[error("reading the BLOB panicked")]
    Panicked,
    #[error("no BLOB waits to be released")]
    NothingHeld,
    #[error(transparent)]
    Store(#[from] idp_store::Error),
}

/// What became of a BLOB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counts from now on.
    Accepted { number: i64, models: usize, skipped: usize, suspended: usize },
    /// It counted already.
    Same { number: i64 },
    /// It waits for an admin.
    Held { number: i64, because: String },
}

/// Fetches the BLOB from where the settings say, and takes it.
///
/// # Errors
/// [`MdsError`].
pub async fn refresh(app: &App) -> Result<Outcome, MdsError> {
    let bytes = match app.mds.source.as_ref().ok_or(MdsError::NoSource)? {
        Source::Url(url) => app.outbound.get_bytes(url, blob::MOST_BYTES, TIMEOUT).await?,
        Source::File(path) => {
            let read = tokio::fs::read(path).await;
            read.map_err(|source| MdsError::File { path: path.clone(), source })?
        }
    };
    take(app, bytes, Actor::System, false).await
}

/// Lets the BLOB act that waits.
///
/// # Errors
/// [`MdsError::NothingHeld`], and whatever speaks against it by now.
pub async fn release(app: &App) -> Result<Outcome, MdsError> {
    let bytes = app.store.find_mds_blob(Slot::Held).await?.ok_or(MdsError::NothingHeld)?;
    take(app, bytes, Actor::Operator, true).await
}

/// Verifies a BLOB, weighs what it would do, and does it – or has it wait, unless `released`.
///
/// # Errors
/// [`MdsError`]; nothing changed then.
pub async fn take(app: &App, bytes: Vec<u8>, actor: Actor, released: bool) -> Result<Outcome, MdsError> {
    let (signer, now) = (app.mds.signer.clone(), app.now());
    // Megabytes of JSON and certificates of others: off the threads that answer, and a panic is an error.
    let reading = tokio::task::spawn_blocking(move || (blob::read(&bytes, &signer, now), bytes));
    let (blob, bytes) = reading.await.map_err(|_| MdsError::Panicked)?;
    let blob = blob?;
    let kept = app.store.list_mds_blobs().await?;
    let counts = kept.iter().find(|kept| kept.slot == Slot::Current).map(|kept| kept.number);
    match counts {
        Some(counts) if counts == blob.number => return Ok(Outcome::Same { number: counts }),
        Some(counts) if counts > blob.number => return Err(MdsError::Older { number: blob.number, counts }),
        _ => {}
    }
    let weight = weigh::weigh(app, &blob).await?;
    let because = weight.too_heavy(app.mds.hold_percent).filter(|_| !released);
    if let Some(because) = because {
        return hold(app, blob, bytes, because, &weight, actor).await;
    }
    let mut suspended = 0;
    for realm in &weight.realms {
        for (alike, model) in &realm.updates {
            app.store.write(UpdateModel { realm: realm.id, alike: alike.clone(), model: model.clone() }).await?;
        }
        for suspension in &realm.suspensions {
            suspended += usize::from(suspend(app, realm.id, suspension, &blob).await?);
        }
    }
    let (number, models, skipped) = (blob.number, blob.entries.len(), blob.skipped);
    // Last, so that a refresh cut short is done again.
    let detail = json!({ "number": number, "models": models, "suspended": suspended });
    let kept = keep(app, blob, bytes, None, audits(app, &weight, AuditEvent::MdsAccepted, &actor, &detail)).await?;
    Ok(if kept { Outcome::Accepted { number, models, skipped, suspended } } else { Outcome::Same { number } })
}

async fn hold(
    app: &App,
    blob: Blob,
    bytes: Vec<u8>,
    because: String,
    weight: &Weight,
    actor: Actor,
) -> Result<Outcome, MdsError> {
    let number = blob.number;
    let held = app.store.list_mds_blobs().await?;
    // Told once, not each day.
    if !held.iter().any(|kept| kept.slot == Slot::Held && kept.number == number) {
        let detail = json!({ "number": number, "because": because });
        let audits = audits(app, weight, AuditEvent::MdsHeld, &actor, &detail);
        keep(app, blob, bytes, Some(because.clone()), audits).await?;
    }
    Ok(Outcome::Held { number, because })
}

async fn keep(
    app: &App,
    blob: Blob,
    bytes: Vec<u8>,
    held_because: Option<String>,
    audits: Vec<(idp_core::id::RealmId, Audit)>,
) -> Result<bool, MdsError> {
    let op = KeepMdsBlob {
        slot: if held_because.is_some() { Slot::Held } else { Slot::Current },
        number: blob.number,
        next_update: blob.next_update,
        held_because,
        blob: bytes,
        entries: blob.entries,
        now: app.now(),
        audits,
    };
    Ok(app.store.write(op).await?)
}

/// One row for each realm.
fn audits(
    app: &App,
    weight: &Weight,
    event: AuditEvent,
    actor: &Actor,
    detail: &Value,
) -> Vec<(idp_core::id::RealmId, Audit)> {
    weight.realms.iter().map(|realm| (realm.id, app.audit(event, actor.clone(), "mds", detail.clone()))).collect()
}

/// Sets one passkey aside, ends the sessions it opened, and revokes what was granted in them. `false`: it was gone.
async fn suspend(
    app: &App,
    realm: idp_core::id::RealmId,
    suspension: &Suspension,
    blob: &Blob,
) -> Result<bool, MdsError> {
    let Suspension { passkey, statuses } = suspension;
    let reason = format!("mds:{}", statuses.join(","));
    let detail = json!({ "passkey": passkey.name, "reason": reason, "number": blob.number });
    let mut audit = app.audit(AuditEvent::PasskeySuspended, Actor::System, "mds", detail);
    audit.account_id = Some(passkey.account_id);
    let (account, credential_id) = (passkey.account_id, passkey.credential_id.clone());
    let op = SuspendPasskey { realm, account, credential_id, reason, tell: Vec::new(), audit };
    match app.store.write(op).await? {
        PasskeyRemoved::Done { sessions } => {
            if sessions > 0 {
                app.session_ended.notify_one();
            }
            Ok(true)
        }
        PasskeyRemoved::LastWayIn | PasskeyRemoved::Gone => Ok(false),
    }
}
