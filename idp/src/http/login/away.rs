//! `GET /login/away`: a passkey of another RP ID, at the host where it works; the way there from the issuer's host.
//! docs/decisions/0012-handoff.md.

use idp_core::id::AccountId;
use idp_core::oauth::authorize::AuthorizationRequest;
use idp_core::passkey::handoff::{ERRAND_LIFETIME_S, Errand};
use idp_core::realm::RelyingParty;
use idp_core::realm::relying_party::without_port;
use idp_core::seal::Purpose;
use idp_core::secret::Hash;

use crate::http::exchange::{Exchange, Outcome};
use crate::http::oauth::authorize;
use crate::http::problem::Problem;
use crate::views::{Away, Elsewhere, Page};

/// Who is to use a passkey elsewhere, as far as that was proved here.
#[derive(Clone, Copy, Default)]
pub struct Known<'a> {
    pub account: Option<AccountId>,
    /// The proof waits in the login cookie.
    pub second: bool,
    /// RP IDs of the account's passkeys; `None`: not to be told to whoever asks.
    pub rp_ids: Option<&'a [String]>,
}

/// The links to the realm's other RP IDs. Where nobody proved anything they are the same for everybody.
///
/// # Errors
/// Only when they cannot be sealed.
pub fn elsewhere(
    x: &mut Exchange,
    request: Option<(&AuthorizationRequest, &str)>,
    known: Known<'_>,
) -> Result<Vec<Elsewhere>, Problem> {
    let has = |party: &&RelyingParty| known.rp_ids.is_none_or(|ids| ids.contains(&party.rp_id));
    let others = x.realm.relying_parties.iter().filter(|party| party.rp_id != x.rp.rp_id).filter(has);
    let others: Vec<RelyingParty> = others.cloned().collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let browser = browser_hash(x);
    let link = |party: RelyingParty| {
        let host =
            if party.answers(&x.host) { x.host.clone() } else { party.hosts.first().cloned().unwrap_or_default() };
        let errand = Errand {
            rp_id: party.rp_id,
            flow: request.map(|(request, _)| request.id),
            browser,
            account: known.account,
            second: known.second,
            expires: x.now.plus_s(ERRAND_LIFETIME_S),
        };
        let mut href = format!("{}://{host}/login/away?errand={}", x.realm.home().0, x.seal(Purpose::Errand, &errand)?);
        if let Some((_, sealed)) = request {
            href.push_str(&format!("&request={sealed}"));
        }
        Ok(Elsewhere { rp_host: errand.rp_id, href })
    };
    others.into_iter().map(link).collect()
}

/// Keyed hash of the cookie that tells this browser at the issuer's host.
pub fn browser_hash(x: &mut Exchange) -> Hash {
    let browser = x.browser();
    x.app.sealer().mac(x.realm.id, "handoff", &[browser.as_bytes()])
}

/// Opens an errand and takes its relying party.
///
/// # Errors
/// 400 when it is not one of ours, too old, for another request, or for another host.
pub fn open(x: &mut Exchange, sealed: &str, request: Option<&AuthorizationRequest>) -> Result<Errand, Problem> {
    let errand: Option<Errand> = x.open(Purpose::Errand, sealed);
    let good = |errand: &Errand| x.now < errand.expires && errand.flow == request.map(|r| r.id);
    let errand = errand.filter(good).filter(|errand| x.take_rp(&errand.rp_id));
    errand.ok_or_else(|| Problem::Request {
        status: 400,
        code: "errand_invalid",
        detail: "this sign-in cannot be continued here: start again".to_owned(),
        next: Some(format!("{}/login", x.realm.issuer)),
    })
}

/// `GET /login/away`. Nothing is written, and no session is made here.
pub async fn get(mut x: Exchange) -> Outcome {
    let query = x.query();
    let request = authorize::reopen_some(&x, query.one("request")).await?;
    let errand = query.one("errand").unwrap_or_default();
    open(&mut x, errand, request.as_ref())?;
    let (application, sealed) = match &request {
        None => (None, None),
        Some(request) => {
            let client = authorize::client_of(&x, request).await?;
            (Some(authorize::application_of(&client, request)), Some(authorize::seal(&x, request)?))
        }
    };
    let back = sealed.as_ref().map(|sealed| format!("?request={sealed}")).unwrap_or_default();
    let page = Away {
        errand: errand.to_owned(),
        application,
        rp_host: x.rp.rp_id.clone(),
        home_host: without_port(x.realm.home().1).to_owned(),
        back_href: format!("{}/login{back}", x.realm.issuer),
        request: sealed,
    };
    x.page(&Page::Away(page))
}
