//! Signing keys by the calendar: what is due is done by whichever process comes first.

use std::sync::Arc;
use std::time::Duration;

use idp_core::audit::{Actor, AuditEvent};
use idp_core::jose::keyset::{KeyState, StoredKey};
use idp_core::jose::schedule::{Turn, due};
use idp_core::realm::Realm;
use idp_store::keys::{EnsureKeys, RotateKey};
use serde_json::json;
use tokio::sync::watch;

use crate::app::App;
use crate::keys::{self, KeysError};

/// Time from the start to the first look at the calendar: whatever starts has other things to do.
const FIRST: Duration = Duration::from_secs(60);
/// Time between looks.
const EVERY: Duration = Duration::from_secs(600);

/// Looks at the calendar until `stopped` becomes true.
pub async fn rotate(app: Arc<App>, mut stopped: watch::Receiver<bool>) {
    let mut pause = FIRST;
    loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = stopped.wait_for(|stop| *stop) => return,
        }
        pause = EVERY;
        if let Err(error) = turn(&app).await {
            tracing::warn!(%error, "the keys could not be looked after; it is tried again in ten minutes");
        }
    }
}

/// Does what is due now in all realms.
///
/// # Errors
/// [`KeysError`].
pub async fn turn(app: &App) -> Result<(), KeysError> {
    for realm in app.store.list_realms().await? {
        let stored = app.store.cached_signing_keys(realm.id).await?;
        for turn in due(&stored, realm.settings.key_rotation_days.saturating_mul(24 * 3600), app.now()) {
            take(app, &realm, turn).await?;
        }
    }
    Ok(())
}

async fn take(app: &App, realm: &Realm, turn: Turn) -> Result<(), KeysError> {
    let done = match turn {
        Turn::Make(alg) => {
            let key = keys::make(alg, realm.id, app.sealer(), app.random(), app.now())?;
            let key = StoredKey { state: KeyState::Next, activated: None, ..key };
            let audit =
                app.audit(AuditEvent::KeyCreated, Actor::System, "job", json!({ "kids": [key.kid], "by": "schedule" }));
            app.store.write(EnsureKeys { realm: realm.id, keys: vec![key], audit }).await? > 0
        }
        Turn::Rotate(alg) => {
            let audit = app.audit(
                AuditEvent::KeyActivated,
                Actor::System,
                "job",
                json!({ "alg": alg.text(), "by": "schedule" }),
            );
            app.store.write(RotateKey { realm: realm.id, alg, now: app.now(), audit }).await?
        }
    };
    if done {
        tracing::info!(realm = realm.name, ?turn, "signing keys, by schedule");
    }
    Ok(())
}
