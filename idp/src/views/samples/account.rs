//! Samples of the pages that show an account to its owner.

use idp_core::audit::AuditEvent;

use super::{MARKUP, NOW, Samples, ada, add, application, long, secrets};
use crate::views::{
    Activity, ActivityRow, Adding, Application, ApplicationRow, Applications, ConsentItem, Page, Security, SessionRow,
    Sessions, SessionsNotice, Standing,
};

/// A page of somebody well protected, without passkeys and notices.
pub fn security() -> Security {
    Security {
        csrf: "csrf".into(),
        person: ada(),
        passkeys: Vec::new(),
        limit: 10,
        adding: Adding::Here,
        code: None,
        factors: secrets::held(),
        rp_host: "northwind.example".into(),
        standing: Standing::Good,
        first_factors: 4,
        second_factors: 3,
        ask_passkey: None,
        sessions: sessions(),
        applications: vec![files(), shop()],
        activity: vec![
            ActivityRow { doubtful: false, ..event("sign-in", "", 2) },
            event("passkey-registered", "Blue key", 86_400),
            event("sign-in", "", 90_000),
            event("sign-in-failed", "", 90_030),
            event("consent-given", "Northwind Files", 200_000),
        ],
        notice: None,
    }
}

fn sessions() -> Vec<SessionRow> {
    let session = |id: &str, client: &str, place: &str, age_s: i64| SessionRow {
        id: id.into(),
        client: Some(client.into()),
        place: Some(place.into()),
        created: NOW.plus_s(-age_s * 3),
        active: NOW.plus_s(-age_s),
        current: age_s < 10,
    };
    vec![
        session("0192f6c4-0001-7000-8000-000000000000", "Firefox on Linux", "203.0.113.*", 2),
        session("0192f6c4-0002-7000-8000-000000000000", "Safari on iPhone", "2001:db8:12:*", 7_300),
    ]
}

fn files() -> ApplicationRow {
    let value = || Some("ada@northwind.example".into());
    ApplicationRow {
        id: "files".into(),
        application: application(),
        items: vec![
            ConsentItem::Identity { value: Some("ada".into()) },
            ConsentItem::Profile { value: Some("Ada Lovelace".into()) },
            ConsentItem::Email { value: value() },
            ConsentItem::Phone { value: None },
            ConsentItem::Address { value: None },
            ConsentItem::Groups { value: None },
            ConsentItem::Roles { value: None },
            ConsentItem::Offline,
            ConsentItem::Other { scope: "files".into(), description: Some("Read your files".into()) },
        ],
        since: Some(NOW.plus_s(-86_400 * 40)),
        offline: true,
    }
}

fn shop() -> ApplicationRow {
    let application = Application { unverified: true, ..Application::named("Shop") };
    let items = vec![ConsentItem::Identity { value: Some("ada".into()) }];
    ApplicationRow { id: "shop".into(), application, items, since: None, offline: false }
}

fn event(kind: &str, what: &str, age_s: i64) -> ActivityRow {
    ActivityRow {
        kind: kind.into(),
        at: NOW.plus_s(-age_s),
        what: what.into(),
        client: Some("Firefox on Linux".into()),
        place: Some("203.0.113.*".into()),
        by_operator: false,
        factor_href: (kind == "passkey-registered").then_some("/account/security#passkeys"),
        doubtful: true,
    }
}

/// The pages with all of each list.
pub fn lists(all: &mut Samples) {
    for (state, sessions, notice) in [
        ("sessions", sessions(), None),
        ("sessions-ended", sessions(), Some(SessionsNotice::Ended)),
        ("sessions-others-ended", sessions().into_iter().take(1).collect(), Some(SessionsNotice::OthersEnded)),
        (
            "sessions-markup",
            vec![
                SessionRow { client: Some(MARKUP.into()), ..sessions().remove(1) },
                SessionRow { client: None, place: None, ..sessions().remove(1) },
            ],
            None,
        ),
    ] {
        add(all, state, Page::Sessions(Sessions { csrf: "csrf".into(), sessions, notice }));
    }
    let strange = ApplicationRow {
        application: Application::named(MARKUP),
        items: vec![ConsentItem::Other { scope: MARKUP.into(), description: None }],
        id: MARKUP.into(),
        ..shop()
    };
    for (state, applications, revoked) in [
        ("applications", vec![files(), shop()], false),
        ("applications-empty", Vec::new(), true),
        (
            "applications-markup",
            vec![strange, ApplicationRow { application: Application::named(&long()), ..files() }],
            false,
        ),
    ] {
        add(all, state, Page::Applications(Applications { csrf: "csrf".into(), applications, revoked }));
    }
    // Every event that is shown has words.
    let shown = AuditEvent::ALL.iter().filter(|event| event.is_activity());
    let rows = shown.map(|event| ActivityRow { by_operator: event.text().starts_with("account"), ..event_of(*event) });
    let mut rows: Vec<_> = rows.collect();
    for state in ["active", "locked", "disabled", "on", "off"] {
        let kind = if state.starts_with('o') { "account-second-factor" } else { "account-state-changed" };
        rows.push(event(kind, state, 60));
    }
    let page = |rows, older: bool| Activity {
        csrf: "csrf".into(),
        rows,
        older_href: older.then(|| "/account/activity?before=0192f6c4-0001-7000-8000-000000000000".into()),
    };
    add(all, "activity", Page::Activity(page(rows, true)));
    add(all, "activity-empty", Page::Activity(page(Vec::new(), false)));
    let strange = ActivityRow { client: Some(MARKUP.into()), place: None, ..event("passkey-renamed", MARKUP, 5) };
    add(all, "activity-markup", Page::Activity(page(vec![strange], false)));
}

fn event_of(shown: AuditEvent) -> ActivityRow {
    event(&shown.text().replace(['.', '_'], "-"), "Laptop", 3_600)
}
