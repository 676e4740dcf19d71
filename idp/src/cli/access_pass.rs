//! `idp access-pass`: one-time links that let a user make a passkey or set a password. They authenticate nobody.

use clap::{Args, Subcommand};
use idp_core::account::{Account, AccountState};
use idp_core::audit::AuditEvent;
use idp_core::pass::{self, Pass, PassKind};
use idp_store::passes::IssuePass;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::{Value, json};

use super::Failure;
use super::operator::{At, Operator, time};
use crate::start;

/// Life of a pass in seconds where nobody says otherwise.
pub const DEFAULT_LIFETIME_S: i64 = 24 * 3600;
const SHORTEST_S: i64 = 600;
const LONGEST_S: i64 = 30 * 86_400;

/// One-time links that let a user enrol.
#[derive(Args)]
pub struct Command {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Issue a pass and print its link, once.
    Create {
        /// User name or e-mail address.
        user: String,
        /// How long the link works, 10m to 30d.
        #[arg(long, value_name = "TIME", default_value = "1d", value_parser = lifetime)]
        lifetime: i64,
        /// The RP ID the passkey is to be made for, one of `idp realm rp list`; the issuer's by default.
        #[arg(long, value_name = "RP_ID")]
        rp_id: Option<String>,
    },
}

impl Command {
    /// Runs it.
    ///
    /// # Errors
    /// What the person at the terminal is to change.
    pub fn run(self) -> Result<(), Failure> {
        let Action::Create { user, lifetime, rp_id } = self.action;
        self.at.act(async move |at| {
            let account = at.account(&user).await?;
            if account.state != AccountState::Active {
                return Err(format!("{user} may not sign in: idp user enable (or unlock) {user} first").into());
            }
            let issued = issue(at, &account, lifetime, rp_id.as_deref()).await?;
            at.answer(&issued.value, &issued.text)
        })
    }
}

/// A pass that was just issued.
pub struct Issued {
    pub value: Value,
    pub text: String,
}

/// Issues an access pass. The link is in the answer and nowhere else: the store keeps its hash.
///
/// # Errors
/// An RP ID that is not the realm's; when the account is gone or the store fails.
pub async fn issue(at: &Operator, account: &Account, lifetime_s: i64, rp_id: Option<&str>) -> Result<Issued, Failure> {
    let unknown = |id: &str| format!("--rp-id: there is no RP ID \"{id}\": idp realm rp list shows them");
    let find = |id: &str| at.realm.relying_party_of(id).ok_or_else(|| unknown(id));
    let party = rp_id.map(find).transpose()?;
    let secret = pass::code(at.app.random());
    let now = at.app.now();
    let pass = Pass {
        hash: pass::hash(&secret),
        kind: PassKind::Access,
        account_id: Some(account.id),
        created: now,
        expires: now.plus_s(lifetime_s),
        used: None,
        browser: None,
    };
    let expires = time(pass.expires);
    let audit = at.audit_of(AuditEvent::PassIssued, account, json!({ "kind": "access", "expires": expires }));
    if !at.app.store.write(IssuePass { realm: at.realm.id, pass, audit }).await? {
        return Err(format!("{} was deleted meanwhile", account.username).into());
    }
    let mut url = start::setup_url(&at.realm, &secret);
    if let Some(host) = party.and_then(|party| party.hosts.first()).filter(|host| !at.realm.is_home(host)) {
        url = format!("{}://{host}/setup?token={secret}&here=1", at.realm.home().0);
    }
    let text = format!(
        "Access pass for {}, works once until {expires}. It lets them make a passkey or set a password:\n\n  {url}\n\n{}\n\n\
         Or they open {} and type in {secret}.",
        account.username,
        qr(&url),
        url.split('?').next().unwrap_or_default(),
    );
    Ok(Issued { value: json!({ "user": account.username, "url": url, "code": secret, "expires": expires }), text })
}

/// A QR code in half blocks, for the camera of a phone.
fn qr(text: &str) -> String {
    let dark_on_light =
        |code: QrCode| code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    QrCode::new(text).map(dark_on_light).unwrap_or_default()
}

/// `30m`, `12h`, `7d` in seconds.
pub fn lifetime(text: &str) -> Result<i64, String> {
    let unit = |suffix, seconds: i64| text.strip_suffix(suffix).map(|number| (number, seconds));
    let parsed = unit('m', 60).or_else(|| unit('h', 3600)).or_else(|| unit('d', 86_400));
    let seconds = parsed.and_then(|(number, unit)| number.parse::<i64>().ok()?.checked_mul(unit));
    seconds.filter(|s| (SHORTEST_S..=LONGEST_S).contains(s)).ok_or_else(|| "write 10m to 30d, such as 12h".to_owned())
}
