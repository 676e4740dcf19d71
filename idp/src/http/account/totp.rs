//! `/account/totp`: an authenticator app is set up, confirmed by one code, and removed. RFC 6238, Key URI format.

use idp_core::audit::{Actor, AuditEvent};
use idp_core::credential::held::Held;
use idp_core::credential::totp::{SECRET_BYTES, TotpSecret};
use idp_core::id::AccountId;
use idp_core::passkey::record::Passkey;
use idp_core::seal::Purpose;
use idp_core::time::Timestamp;
use idp_store::totp::{FactorRemoved, RemoveTotp, SetTotp};
use qrcode::{Color, QrCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::fresh;
use super::password::owner;
use super::removal::{held, removal, way_in};
use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::problem::Problem;
use crate::views::{CodeNotice, Page, QrPath, TotpForm, TotpState};

/// How long a secret waits for its first code, in seconds.
const LIFETIME_S: i64 = 900;

/// A secret that was shown and is not confirmed; travels sealed in the form.
#[derive(Serialize, Deserialize)]
struct Shown {
    account: AccountId,
    secret: [u8; SECRET_BYTES],
    expires: Timestamp,
}

/// `GET /account/totp`.
pub async fn get(x: Exchange) -> Outcome {
    let Some(visitor) = x.visitor().await? else { return x.go("/login") };
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    if fresh::require(&x, &visitor, &passkeys).is_err() {
        return x.go("/login?again=1");
    }
    let secret = x.app.random();
    show(x, &visitor, &passkeys, (secret, None)).await
}

/// `POST /account/totp`: the first code of the app confirms it.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    let (visitor, passkeys) = match owner(&mut x, &form).await? {
        Some(owner) => owner,
        None => return x.go("/login?again=1"),
    };
    let account = visitor.account.id;
    let shown: Option<Shown> = x.open(Purpose::Totp, form.one("secret").unwrap_or_default());
    let good = |shown: &Shown| shown.account == account && x.now < shown.expires;
    // Too old, or not ours: begin anew.
    let Some(shown) = shown.filter(good) else { return x.go("/account/totp") };
    let secret = TotpSecret::new(shown.secret);
    let Some(step) = secret.step_of(form.one("code").unwrap_or_default(), x.now) else {
        return show(x, &visitor, &passkeys, (shown.secret, Some(CodeNotice::Wrong))).await;
    };
    let op = SetTotp {
        realm: x.realm.id,
        account,
        sealed: seal(&x, &secret)?,
        step,
        now: x.now,
        audit: x.audit(AuditEvent::TotpSet, Actor::Account(account), json!({})),
    };
    if !x.app.store.write(op).await? {
        return Err(Problem::api(403, "account_disabled", "this account is switched off: ask your administrator"));
    }
    x.go("/account/security?totp=set")
}

/// `POST /account/totp/remove`.
pub async fn remove(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    let (visitor, passkeys) = match owner(&mut x, &form).await? {
        Some(owner) => owner,
        None => return x.go("/login?again=1"),
    };
    let account = visitor.account.id;
    let op = RemoveTotp {
        realm: x.realm.id,
        account,
        way_in: Some(way_in(&x, &visitor, &form)),
        keep: Some(visitor.session.sid),
        audit: x.audit(AuditEvent::TotpRemoved, Actor::Account(account), json!({})),
    };
    match x.app.store.write(op).await? {
        FactorRemoved::Done | FactorRemoved::Gone => {
            x.app.session_ended.notify_one();
            x.go("/account/security?totp=removed")
        }
        FactorRemoved::LastWayIn => {
            let secret = x.app.random();
            show(x, &visitor, &passkeys, (secret, Some(CodeNotice::LastWayIn))).await
        }
    }
}

/// Seals a secret for the store.
///
/// # Errors
/// Only when the cryptographic library fails.
pub fn seal(x: &Exchange, secret: &TotpSecret) -> Result<Vec<u8>, Problem> {
    let (sealer, nonce) = (x.app.sealer(), x.app.random());
    sealer.seal_bytes(Purpose::Totp, x.realm.id, nonce, secret.expose()).map_err(Problem::internal)
}

/// Opens a secret of the store.
///
/// # Errors
/// When its key is gone.
pub fn open(x: &Exchange, sealed: &[u8]) -> Result<TotpSecret, Problem> {
    let bytes = x.app.sealer().open_bytes(Purpose::Totp, x.realm.id, sealed).map_err(Problem::internal)?;
    let bytes = bytes.try_into().map_err(|_| Problem::internal("a TOTP secret has another length"))?;
    Ok(TotpSecret::new(bytes))
}

async fn show(
    mut x: Exchange,
    visitor: &Visitor,
    passkeys: &[Passkey],
    (secret, notice): ([u8; SECRET_BYTES], Option<CodeNotice>),
) -> Outcome {
    let account = &visitor.account;
    let state = match account.totp {
        Some(since) => {
            let without = Held { totp: None, ..held(&x, visitor, passkeys).await? };
            TotpState::Set { since, removal: removal(&x, visitor, &without) }
        }
        None => {
            let shown = Shown { account: account.id, secret, expires: x.now.plus_s(LIFETIME_S) };
            let secret = TotpSecret::new(secret);
            let uri = secret.uri(&x.realm.display_name, &account.username);
            TotpState::New { sealed: x.seal(Purpose::Totp, &shown)?, text: secret.text(), qr: qr(&uri)? }
        }
    };
    let page = TotpForm { csrf: x.csrf(), username: account.username.clone(), state, notice };
    let status = notice.map_or(200, CodeNotice::status);
    x.page_with(status, &Page::TotpForm(page), Some(account.username.clone()))
}

/// A QR code as the path of an SVG: one square a dark module.
fn qr(text: &str) -> Result<QrPath, Problem> {
    let code = QrCode::new(text).map_err(Problem::internal)?;
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == Color::Dark);
    let squares = dark.map(|(at, _)| format!("M{} {}h1v1h-1z", at % width, at / width));
    Ok(QrPath { path: squares.collect(), width })
}
