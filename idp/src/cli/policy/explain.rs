//! `idp policy explain`: which policy counts for somebody and why.

use idp_core::passkey::explain::{Explained, Source, explain};
use idp_core::passkey::reach::Holder;

use crate::cli::operator::{Operator, facts, table, word};
use crate::cli::{Failure, client};

/// Runs it.
///
/// # Errors
/// When there is no such user or client.
pub async fn run(at: &Operator, user: &str, id: Option<&str>) -> Result<(), Failure> {
    let account = at.account(user).await?;
    let client = match id {
        Some(id) => Some(client::find(at, id).await?),
        None => None,
    };
    let groups = at.app.store.list_groups_of(at.realm.id, &account.id).await?;
    let holder = Holder {
        groups: groups.into_iter().map(|group| group.name).collect(),
        passkeys: at.app.store.list_passkeys(at.realm.id, &account.id).await?,
        account,
        mails: at.app.store.queues_mail(),
    };
    let explained = explain(&at.realm, client.as_ref().map(|client| &client.settings.policy), &holder, at.app.now());
    at.answer(&serde_json::to_value(&explained)?, &text(&explained, id))
}

fn text(explained: &Explained, id: Option<&str>) -> String {
    let from = |source: &Source| match source {
        Source::Default => "default".to_owned(),
        Source::Realm => "realm".to_owned(),
        Source::Group(name) => format!("group {name}"),
        Source::Client => format!("client {}", id.unwrap_or_default()),
    };
    let rows =
        explained.fields.iter().map(|line| vec![line.field.to_owned(), line.value.to_string(), from(&line.from)]);
    let fields = table(&["FIELD", "VALUE", "FROM"], &rows.collect::<Vec<_>>());
    let passkeys = explained.passkeys.iter().map(|passkey| {
        let why = if passkey.why.is_empty() { "taken".to_owned() } else { passkey.why.join(", ") };
        vec![passkey.name.clone(), passkey.rp_id.clone(), why]
    });
    let passkeys = table(&["PASSKEY", "RP ID", "POLICY"], &passkeys.collect::<Vec<_>>());
    let ways = explained.ways.iter().map(|way| {
        let held = if way.held { "held" } else { "" };
        vec![word(&way.combination), held.to_owned(), word(&way.leads_to)]
    });
    let ways = table(&["COMBINATION", "", "LEADS TO"], &ways.collect::<Vec<_>>());
    let yes = |held: bool| if held { "yes" } else { "no" }.to_owned();
    let holds = facts(&[
        ("password", yes(explained.password)),
        ("one-time passwords", yes(explained.totp)),
        ("comes in", word(&explained.reach)),
    ]);
    format!("{fields}\n\n{passkeys}\n\n{ways}\n\n{holds}")
}
