//! Samples of the pages of passwords, authenticator apps, recovery codes and recovery.

use super::{MARKUP, NOW, Samples, ada, add, application, mallory};
use crate::advice::Advice;
use crate::views::{
    CodeNotice, Factors, Message, MessageKind, Page, PasswordForm, PasswordNotice, QrPath, Recovery, RecoveryCancel,
    RecoveryCodes, RecoveryStep, Removal, ReturnBy, TotpForm, TotpLogin, TotpState,
};

/// Everything there is besides passkeys.
pub fn held() -> Factors {
    Factors {
        password: true,
        passwords: true,
        totp: Some(NOW.plus_s(-86_400 * 20)),
        recovery_codes: Some(7),
        recovery: None,
    }
}

/// Nothing besides passkeys.
pub fn bare() -> Factors {
    Factors { password: false, passwords: true, totp: None, recovery_codes: Some(0), recovery: None }
}

/// What can be wrong with a new password.
pub fn password_notices() -> Vec<(&'static str, PasswordNotice)> {
    use Advice::{Common, Dates, Names, Repeats, Rows, Sequences, Tricks, Words};
    vec![
        ("short", PasswordNotice::TooShort),
        ("common", PasswordNotice::Common),
        ("pattern", PasswordNotice::Pattern),
        ("name", PasswordNotice::Name),
        ("advice", PasswordNotice::Advice { advice: vec![Repeats, Common, Words] }),
        ("advice-all", PasswordNotice::Advice { advice: vec![Rows, Sequences, Names, Dates, Tricks] }),
    ]
}

pub fn all(all: &mut Samples) {
    passwords(all);
    totp(all);
    recovery(all);
}

/// The last way in, while a recovery is ready.
pub fn last(by: ReturnBy) -> Removal {
    Removal::Last { by, email: "ada@northwind.example".into(), codes: 7 }
}

fn passwords(all: &mut Samples) {
    let form = || PasswordForm {
        csrf: "csrf".into(),
        username: "ada".into(),
        is_set: true,
        settable: true,
        asks_current: true,
        least: 15,
        removal: Removal::Free,
        notice: None,
    };
    add(all, "password", Page::PasswordForm(form()));
    let first = PasswordForm { is_set: false, asks_current: false, removal: Removal::Kept, ..form() };
    add(all, "password-first", Page::PasswordForm(first));
    let last = PasswordForm { removal: last(ReturnBy::Mail), ..form() };
    add(all, "password-recovers", Page::PasswordForm(last));
    let off = PasswordForm { settable: false, username: MARKUP.into(), ..form() };
    add(all, "password-off", Page::PasswordForm(off));
    let more = [
        ("wrong-current", PasswordNotice::WrongCurrent),
        ("throttled", PasswordNotice::Throttled { minutes: 2 }),
        ("last", PasswordNotice::LastWayIn),
    ];
    for (name, notice) in password_notices().into_iter().chain(more) {
        let page = PasswordForm { removal: Removal::Kept, notice: Some(notice), ..form() };
        add(all, &format!("password-{name}"), Page::PasswordForm(page));
    }
}

fn totp(all: &mut Samples) {
    let qr = || QrPath { path: "M0 0h1v1h-1zM2 0h1v1h-1zM1 1h1v1h-1z".into(), width: 3 };
    let new = || TotpState::New { sealed: "sealed".into(), text: "GEZD GNBV GY3T QOJQ".into(), qr: qr() };
    let form = |state, notice| TotpForm { csrf: "csrf".into(), username: "ada".into(), state, notice };
    add(all, "totp", Page::TotpForm(form(new(), None)));
    add(all, "totp-wrong", Page::TotpForm(form(new(), Some(CodeNotice::Wrong))));
    let set = |removal| TotpState::Set { since: NOW.plus_s(-86_400), removal };
    add(all, "totp-set", Page::TotpForm(form(set(Removal::Free), None)));
    add(all, "totp-recovers", Page::TotpForm(form(set(last(ReturnBy::Code)), None)));
    add(all, "totp-last", Page::TotpForm(form(set(Removal::Kept), Some(CodeNotice::LastWayIn))));

    let login = || TotpLogin {
        csrf: "csrf".into(),
        request: Some("sealed".into()),
        application: Some(application()),
        person: ada(),
        voluntary: false,
        after_passkey: false,
        password_href: None,
        switch_href: "/login?switch=1&request=sealed".into(),
        notice: None,
    };
    add(all, "totp-login", Page::TotpLogin(login()));
    let after = TotpLogin { after_passkey: true, password_href: Some("/login?password=1".into()), ..login() };
    add(all, "totp-login-after-passkey", Page::TotpLogin(after));
    add(all, "totp-login-voluntary", Page::TotpLogin(TotpLogin { voluntary: true, ..login() }));
    for (name, notice) in [("wrong", CodeNotice::Wrong), ("throttled", CodeNotice::Throttled { minutes: 1 })] {
        add(all, &format!("totp-login-{name}"), Page::TotpLogin(TotpLogin { notice: Some(notice), ..login() }));
    }
    let markup = TotpLogin {
        request: None,
        application: None,
        person: mallory(),
        password_href: Some(MARKUP.into()),
        switch_href: MARKUP.into(),
        ..login()
    };
    add(all, "totp-login-markup", Page::TotpLogin(markup));
}

fn recovery(all: &mut Samples) {
    let codes = |left, codes: Vec<String>| RecoveryCodes { csrf: "csrf".into(), left, codes, wait_h: 24 };
    add(all, "recovery-codes", Page::RecoveryCodes(codes(3, Vec::new())));
    add(all, "recovery-codes-none", Page::RecoveryCodes(RecoveryCodes { wait_h: 0, ..codes(0, Vec::new()) }));
    let ten = (0..10).map(|n| format!("04hm-asw9-nf6y-y09{n}")).collect();
    add(all, "recovery-codes-new", Page::RecoveryCodes(codes(10, ten)));

    let prove = |mail, code, all| RecoveryStep::Prove { mail, code, all };
    for (name, step, notice) in [
        ("ask", RecoveryStep::Ask, None),
        ("ask-throttled", RecoveryStep::Ask, Some(CodeNotice::Throttled { minutes: 4 })),
        ("prove", prove(true, true, false), None),
        ("prove-mail", prove(true, false, false), Some(CodeNotice::Wrong)),
        ("prove-code", prove(false, true, false), None),
        ("prove-both", prove(true, true, true), Some(CodeNotice::NotEnough)),
        ("wait", RecoveryStep::Wait { until: NOW.plus_s(86_400) }, None),
        ("ready", RecoveryStep::Ready, None),
        ("over", RecoveryStep::Over, None),
        ("off", RecoveryStep::Off, None),
    ] {
        let page = Recovery { csrf: "csrf".into(), step, notice };
        add(all, &format!("recovery-{name}"), Page::Recovery(page));
    }
    let cancel = RecoveryCancel { csrf: "csrf".into(), token: MARKUP.into() };
    add(all, "recovery-cancel", Page::RecoveryCancel(cancel));
    for (name, kind) in
        [("recovery-cancelled", MessageKind::RecoveryCancelled), ("recovery-stopped", MessageKind::RecoveryStopped)]
    {
        add(all, name, Page::Message(Message { kind, person: None, href: "/account/security".to_owned() }));
    }
}
