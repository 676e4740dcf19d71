//! `sub`: what a user is called towards a client. OIDC Core §8.
//!
//! A pairwise subject is keyed by the account's user handle: 64 random bytes that never change and that no client
//! sees. So it outlives a change of the encryption key, and nobody can compute it from another client's subject.

use aws_lc_rs::hmac;
use url::{Host, Url};

use crate::account::Account;
use crate::client::{Client, ClientSettings, SubjectType};
use crate::encoding::base64url;
use crate::id::{RealmId, Sid};
use crate::seal::Sealer;

/// Why a client cannot have pairwise subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSector {
    #[error("the redirect URIs have several hosts, or none: name the sector")]
    Hosts,
    #[error("a sector is a host name in lower case, such as example.org")]
    Form,
}

/// `sub` of `account` as `client` knows it: the account id, or one for the client's sector alone.
pub fn of(client: &Client, account: &Account) -> String {
    match client.settings.subject_type {
        SubjectType::Public => account.id.to_string(),
        SubjectType::Pairwise => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, &account.user_handle);
            let mut context = hmac::Context::with_key(&key);
            context.update(b"pairwise\0");
            context.update(sector_of(client).as_bytes());
            base64url(context.sign())
        }
    }
}

/// `sid` of a session as `client` knows it: its own identifier, or one for the client's sector alone, so that clients
/// cannot find by it what pairwise subjects keep apart. Keyed by the realm: a session is over before keys change.
pub fn sid(sealer: &Sealer, realm: RealmId, client: &Client, sid: &Sid) -> String {
    match client.settings.subject_type {
        SubjectType::Public => sid.to_string(),
        SubjectType::Pairwise => {
            let mac = sealer.mac(realm, "pairwise-sid", &[sector_of(client).as_bytes(), sid.as_bytes()]);
            base64url(mac.split_at(16).0)
        }
    }
}

/// The sector; only settings that [`sector`] refuses lack one, and such a client is a sector of its own.
fn sector_of(client: &Client) -> String {
    sector(&client.settings).unwrap_or_else(|_| format!("client:{}", client.id))
}

/// The sector of a client: the one set, else the one host of all redirect URIs (OIDC Core §8.1). Pairwise settings are
/// saved only where there is one.
///
/// # Errors
/// [`InvalidSector`].
pub fn sector(settings: &ClientSettings) -> Result<String, InvalidSector> {
    if let Some(sector) = &settings.sector {
        let normal = Host::parse(sector).map_err(|_| InvalidSector::Form)?.to_string();
        return if normal == *sector { Ok(normal) } else { Err(InvalidSector::Form) };
    }
    let host = |uri: &String| Some(Url::parse(uri).ok()?.host_str()?.to_owned());
    let mut hosts = settings.redirect_uris.iter().map(host);
    let first = hosts.next().flatten().ok_or(InvalidSector::Hosts)?;
    if hosts.all(|host| host.as_ref() == Some(&first)) { Ok(first) } else { Err(InvalidSector::Hosts) }
}

#[cfg(test)]
mod tests {
    use super::{InvalidSector, sector};
    use crate::client::ClientSettings;

    #[test]
    fn a_sector_is_the_one_set_or_the_one_host_of_all_redirect_uris() {
        let of = |uris: &[&str], set: Option<&str>| {
            sector(&ClientSettings {
                redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
                sector: set.map(str::to_owned),
                ..ClientSettings::default()
            })
        };
        let (a, b) = ("https://a.example/cb", "https://b.example/cb");
        assert_eq!(of(&[a, "https://a.example:8443/other"], None).as_deref(), Ok("a.example"));
        assert_eq!(of(&[a, b], Some("example")).as_deref(), Ok("example"));
        for uris in [&[a, b][..], &[], &["com.example.app:/cb"], &[a, "com.example.app:/cb"]] {
            assert_eq!(of(uris, None), Err(InvalidSector::Hosts), "{uris:?}");
        }
        for wrong in ["", "https://a.example", "A.example", "a b", "a.example/x", "a.example:8443"] {
            assert_eq!(of(&[a], Some(wrong)), Err(InvalidSector::Form), "{wrong}");
        }
    }
}
