//! `/login/enrol`: a passkey is made in the midst of a sign-in, or put off.

use idp_core::interact::{EnrolReason, Step};
use idp_core::passkey::record::PasskeyState;
use idp_core::realm::relying_party::without_port;
use idp_core::session::Method;

use crate::http::exchange::{Exchange, Outcome, Visitor};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{Enrol, Page, Person};

/// The page.
pub const PAGE: &str = "/login/enrol";
const ACCOUNT: &str = "/account/security";

/// `GET /login/enrol`.
pub async fn get(mut x: Exchange) -> Outcome {
    let visitor = x.visitor().await?;
    let (visitor, reason, voluntary, sealed) = match x.query().one("request") {
        None => match visitor {
            Some(visitor) if moved(&x, &visitor).await? => (visitor, EnrolReason::Moved, true, None),
            _ => return x.go(ACCOUNT),
        },
        Some(sealed) => {
            let request = authorize::reopen(&x, Some(sealed)).await?;
            let client = authorize::client_of(&x, &request).await?;
            match (authorize::decide(&x, &request, &client, visitor.as_ref()).await?, visitor) {
                (Step::Enrol { reason, voluntary }, Some(visitor)) => {
                    (visitor, reason, voluntary, Some(authorize::seal(&x, &request)?))
                }
                // It was made, or put off: back and reload lead on.
                _ => return authorize::proceed(x, request).await,
            }
        }
    };
    let account = &visitor.account;
    let page = Enrol {
        csrf: x.csrf(),
        person: Person::new(&account.username, account.profile.name.as_deref()),
        moved: reason == EnrolReason::Moved,
        voluntary,
        rp_host: x.rp.rp_id.clone(),
        home_host: without_port(&x.host).to_owned(),
        next_href: sealed.as_deref().map_or(ACCOUNT.to_owned(), authorize::resume_url),
        request: sealed,
    };
    x.page(&Page::Enrol(page))
}

/// `POST /login/enrol`: not now. Where the passkey is required, the dispatcher leads back here.
pub async fn post(mut x: Exchange) -> Outcome {
    let form = x.form().await?;
    x.check_csrf(form.one("csrf"))?;
    let Some(sealed) = form.one("request") else { return x.go(ACCOUNT) };
    let mut request = authorize::reopen(&x, Some(sealed)).await?;
    x.visitor().await?.ok_or_else(Problem::signed_out)?;
    request.enrol_declined = true;
    let next = authorize::resume_url(&authorize::seal(&x, &request)?);
    x.go(&next)
}

/// Whether somebody came in by a passkey of a former RP ID and has none of this one.
async fn moved(x: &Exchange, visitor: &Visitor) -> Result<bool, Problem> {
    if !visitor.policy.enabled || !visitor.policy.allow_registration {
        return Ok(false);
    }
    let passkeys = x.app.store.list_passkeys(x.realm.id, &visitor.account.id).await?;
    let here = |rp_id: &str| rp_id == x.rp.rp_id;
    let used = |id: &[u8]| {
        let is = |method: &Method| matches!(method, Method::Passkey(proof) if proof.credential_id == id);
        visitor.session.events.iter().any(|event| is(&event.method))
    };
    let own = passkeys.iter().any(|p| here(&p.rp_id) && p.state == PasskeyState::Active);
    Ok(!own && passkeys.iter().any(|p| !here(&p.rp_id) && used(&p.credential_id)))
}
