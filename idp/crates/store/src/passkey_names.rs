//! Names of accounts in authenticators: made by the realm's pattern, unique in the realm. WebAuthn L3 §5.4.3.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use idp_core::account::{Profile, name_key};
use idp_core::id::{AccountId, RealmId};
use idp_core::realm::RealmSettings;

use crate::accounts::NameTaken;
use crate::error::Result;
use crate::sql::{Conn, FromRow, Locking, Row, for_share};
use crate::vals;

/// Accounts read at once.
const PAGE: i64 = 500;
/// Clashes told at most.
const MOST_CLASHES: usize = 20;

/// Two users whom a pattern would give one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameClash {
    pub name: String,
    pub usernames: [String; 2],
}

struct Settings(RealmSettings);

impl FromRow for Settings {
    fn from_row(row: &mut Row<'_>) -> Result<Self> {
        row.json("realms.settings").map(Settings)
    }
}

/// Settings of a realm as they stand, kept from changing until the commit: a name made by yesterday's pattern would
/// escape the check of today's.
pub(crate) async fn settings(c: &mut Conn, realm: RealmId) -> Result<RealmSettings> {
    const SQL: Locking = for_share!("SELECT settings FROM realms WHERE realm_id = $1");
    let found: Vec<Settings> = c.lock_all(SQL, vals![realm]).await?;
    Ok(found.into_iter().next().map(|settings| settings.0).unwrap_or_default())
}

/// The name of an account, by the realm as it stands.
pub(crate) async fn key(c: &mut Conn, realm: RealmId, username: &str, profile: &Profile) -> Result<String> {
    Ok(settings(c, realm).await?.naming().key(username, profile))
}

/// What of these names an account other than `id` has.
pub(crate) async fn taken(
    c: &mut Conn,
    realm: RealmId,
    id: &AccountId,
    (username, email, name): (&str, Option<&str>, &str),
) -> Result<Option<NameTaken>> {
    struct Keys(String, Option<String>);
    impl FromRow for Keys {
        fn from_row(row: &mut Row<'_>) -> Result<Self> {
            Ok(Self(row.text()?.to_owned(), row.text_or_null()?.map(str::to_owned)))
        }
    }
    const SQL: &str = "SELECT username_key, email_key FROM accounts WHERE realm_id = $1 AND account_id <> $2 \
         AND (username_key = $3 OR email_key = $4 OR passkey_name = $5)";
    let others: Vec<Keys> = c.all(SQL, vals![realm, id, username, email, name]).await?;
    Ok(if others.iter().any(|other| other.0 == username) {
        Some(NameTaken::Username)
    } else if email.is_some() && others.iter().any(|other| other.1.as_deref() == email) {
        Some(NameTaken::Email)
    } else {
        (!others.is_empty()).then_some(NameTaken::PasskeyName)
    })
}

/// Names all accounts of a realm anew. Not empty: it would clash, and nothing was written.
pub(crate) async fn rename_all(c: &mut Conn, realm: RealmId, settings: &RealmSettings) -> Result<Vec<NameClash>> {
    struct Named {
        id: AccountId,
        username: String,
        profile: Profile,
        now: Option<String>,
    }
    impl FromRow for Named {
        fn from_row(row: &mut Row<'_>) -> Result<Self> {
            Ok(Self {
                id: row.id("accounts.account_id")?,
                username: row.text()?.to_owned(),
                profile: row.json("accounts.profile")?,
                now: row.text_or_null()?.map(str::to_owned),
            })
        }
    }
    const SQL: &str = "SELECT account_id, username, profile, passkey_name FROM accounts \
         WHERE realm_id = $1 AND username_key > $2 ORDER BY username_key LIMIT $3";
    const SET: &str = "UPDATE accounts SET passkey_name = $3 WHERE realm_id = $1 AND account_id = $2";
    let naming = settings.naming();
    let (mut owners, mut changes, mut clashes) = (HashMap::new(), Vec::new(), Vec::new());
    let mut after = String::new();
    loop {
        let page: Vec<Named> = c.all(SQL, vals![realm, &after, PAGE]).await?;
        let Some(last) = page.last() else { break };
        after = name_key(&last.username);
        for Named { id, username, profile, now } in page {
            let key = naming.key(&username, &profile);
            match owners.entry(key.clone()) {
                Entry::Occupied(other) if clashes.len() < MOST_CLASHES => {
                    let usernames = [String::clone(other.get()), username];
                    clashes.push(NameClash { name: key, usernames });
                }
                Entry::Occupied(_) => {}
                Entry::Vacant(free) => {
                    free.insert(username);
                    if now.as_ref() != Some(&key) {
                        changes.push((id, key));
                    }
                }
            }
        }
    }
    if !clashes.is_empty() {
        return Ok(clashes);
    }
    // Two who swap their names must not meet halfway.
    for (id, _) in &changes {
        c.exec(SET, vals![realm, id, None::<&str>]).await?;
    }
    for (id, key) in &changes {
        c.exec(SET, vals![realm, id, key]).await?;
    }
    Ok(Vec::new())
}
