//! Samples of the page that shows an account to its owner.

use super::secrets::last;
use super::{MARKUP, NOW, Samples, account, ada, add, long, mallory, secrets};
use crate::views::{
    Adding, CodeForm, CodeNotice, Factors, Page, PasskeyKind, PasskeyRow, Removal, RemovePasskey, ReturnBy, Security,
    SecurityNotice, Standing,
};

fn passkey(name: &str, kind: PasskeyKind) -> PasskeyRow {
    PasskeyRow {
        id: "cGFzc2tleQ".into(),
        name: name.into(),
        kind,
        provider: None,
        icon: match kind {
            PasskeyKind::Synced => "cloud",
            PasskeyKind::ThisDevice => "laptop",
            PasskeyKind::OnePhone => "phone",
            PasskeyKind::SecurityKey => "stick",
        },
        host: None,
        created: NOW.plus_s(-86_400 * 75),
        last_used: Some(NOW.plus_s(-7_300)),
        last_used_client: Some("Safari on iOS".into()),
        last_used_place: Some("203.0.113.*".into()),
        suspended: false,
        current: false,
        removal: Removal::Free,
    }
}

/// Every state of the page, and of the question before a passkey goes.
pub fn add_all(all: &mut Samples) {
    use PasskeyKind::{OnePhone, SecurityKey, Synced, ThisDevice};
    let page =
        |passkeys, notice| Security { csrf: "csrf".into(), person: ada(), passkeys, notice, ..account::security() };
    let usual = || {
        vec![
            PasskeyRow { current: true, ..passkey("Ada’s iPhone", Synced) },
            PasskeyRow {
                last_used: Some(NOW.plus_s(-86_400)),
                last_used_client: Some("Edge on Windows".into()),
                provider: Some("Windows Hello".into()),
                host: Some("login.northwind.example".into()),
                ..passkey("Work laptop", ThisDevice)
            },
            PasskeyRow { last_used: None, last_used_client: None, ..passkey("Blue key", SecurityKey) },
        ]
    };
    add(all, "security", Page::Security(Box::new(page(usual(), None))));
    let unset = Security { factors: secrets::bare(), standing: Standing::None, ..page(Vec::new(), None) };
    add(all, "security-empty", Page::Security(Box::new(unset)));
    let waiting = Factors { recovery: Some(NOW.plus_s(7_200)), recovery_codes: None, ..secrets::held() };
    let waiting = Security { factors: waiting, ..page(usual(), None) };
    add(all, "security-recovery", Page::Security(Box::new(waiting)));
    for (state, sent, notice) in [
        ("security-code", false, None),
        ("security-code-sent", true, None),
        ("security-code-wrong", true, Some(CodeNotice::Wrong)),
    ] {
        let code = Some(CodeForm { address: "a…@northwind.example".into(), sent, notice });
        let factors = secrets::bare();
        let page =
            Security { adding: Adding::ByCode, code, factors, standing: Standing::None, ..page(Vec::new(), None) };
        add(all, state, Page::Security(Box::new(page)));
    }
    for (state, adding) in [("security-by-link", Adding::ByLink), ("security-off", Adding::Off)] {
        add(
            all,
            state,
            Page::Security(Box::new(Security { adding, standing: Standing::None, ..page(Vec::new(), None) })),
        );
    }
    let only = PasskeyRow { removal: Removal::Kept, last_used: Some(NOW), ..passkey("Work laptop", ThisDevice) };
    add(all, "security-last", Page::Security(Box::new(page(vec![only.clone()], Some(SecurityNotice::LastWayIn)))));
    let one = Security { standing: Standing::One, ask_passkey: Some(false), ..page(vec![only], None) };
    add(all, "security-one", Page::Security(Box::new(one)));
    let bound = vec![passkey("Work laptop", ThisDevice), passkey("Pixel", OnePhone), passkey("Blue key", SecurityKey)];
    let bound = Security {
        standing: Standing::Bound,
        ask_passkey: Some(true),
        sessions: Vec::new(),
        applications: Vec::new(),
        activity: Vec::new(),
        ..page(bound, None)
    };
    add(all, "security-bound", Page::Security(Box::new(bound)));
    let many = (1..=10i64).map(|n| PasskeyRow {
        created: NOW.plus_s(-2_700_000 * n * n),
        last_used: Some(NOW.plus_s(-60 * n * n * n * n)),
        suspended: n == 4,
        ..passkey(&format!("Key {n}"), SecurityKey)
    });
    add(all, "security-full", Page::Security(Box::new(page(many.collect(), Some(SecurityNotice::BadName)))));
    let strange = PasskeyRow {
        last_used_client: Some(MARKUP.into()),
        provider: Some(MARKUP.into()),
        host: Some(MARKUP.into()),
        ..passkey(MARKUP, Synced)
    };
    let markup = Security {
        person: mallory(),
        rp_host: MARKUP.into(),
        ..page(vec![strange.clone(), passkey(&long(), Synced)], None)
    };
    add(all, "security-markup", Page::Security(Box::new(markup)));
    let name = || MARKUP.to_owned();
    let notices = [
        ("added", SecurityNotice::Added { name: "Work laptop".into() }),
        ("renamed", SecurityNotice::Renamed { name: name() }),
        ("removed", SecurityNotice::Removed),
        ("asks", SecurityNotice::Asks { on: true }),
        ("asks-not", SecurityNotice::Asks { on: false }),
        ("password-set", SecurityNotice::PasswordSet),
        ("password-removed", SecurityNotice::PasswordRemoved),
        ("totp-set", SecurityNotice::TotpSet),
        ("totp-removed", SecurityNotice::TotpRemoved),
        ("recovery-cancelled", SecurityNotice::RecoveryCancelled),
    ];
    for (state, notice) in notices {
        add(all, &format!("security-{state}"), Page::Security(Box::new(page(usual(), Some(notice)))));
    }
    for (state, row) in [
        ("remove", passkey("Work laptop", ThisDevice)),
        ("remove-key", passkey("Blue key", SecurityKey)),
        ("remove-markup", strange.clone()),
        ("remove-last-mail", PasskeyRow { removal: last(ReturnBy::Mail), ..strange.clone() }),
        ("remove-last-code", PasskeyRow { removal: last(ReturnBy::Code), ..passkey("Work laptop", ThisDevice) }),
        ("remove-last-either", PasskeyRow { removal: last(ReturnBy::Either), ..passkey("Work laptop", ThisDevice) }),
        ("remove-last-both", PasskeyRow { removal: last(ReturnBy::Both), ..passkey("Work laptop", ThisDevice) }),
        ("remove-kept", PasskeyRow { removal: Removal::Kept, ..strange }),
    ] {
        add(all, state, Page::RemovePasskey(RemovePasskey { csrf: "csrf".into(), passkey: row }));
    }
}
