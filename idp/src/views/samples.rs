//! A sample of every page in every state it can have.
//!
//! Rendered by the tests, and looked at by whoever changes a theme (`cargo run --example pages`).

mod account;
mod factors;
mod hosts;
mod people;
mod secrets;
mod security;

use idp_core::mail::MailTemplate;
use idp_core::time::Timestamp;

use super::{
    Application, Choose, Consent, ConsentItem, DemoClaims, DemoError, DemoHome, DemoRow, Device, DeviceConfirm,
    DeviceNotice, ErrorKind, ErrorPage, FormPost, Frame, GoOn, LetterView, LoggedOut, Login, LoginNotice, LoginStep,
    LogoutConfirm, LogoutFrames, Message, MessageKind, Page, Person, Setup, SetupCode, SetupKind, WebUrl,
};

/// What a malicious person types wherever they may.
pub const MARKUP: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const REQUEST: &str = "/authorize/resume?request=c2VhbGVk";

/// The frame of the samples: 15 January 2027, somebody signed in.
pub fn sample_frame() -> Frame {
    Frame {
        realm_name: "Northwind".into(),
        brand_color: None,
        lang: "en".into(),
        request_id: "01J9Z6W3KQ4T".into(),
        signed_in_as: Some("ada".into()),
        help: WebUrl::parse("https://northwind.example/help"),
        privacy: WebUrl::parse("https://northwind.example/privacy"),
        now: NOW,
    }
}

/// Every page in every state, by a name that fits a file.
pub fn sample_pages() -> Vec<(String, Page)> {
    let mut all = Vec::new();
    logins(&mut all);
    hosts::samples(&mut all);
    factors::add_all(&mut all);
    asks(&mut all);
    devices(&mut all);
    security::add_all(&mut all);
    account::lists(&mut all);
    secrets::all(&mut all);
    setups(&mut all);
    people::add_all(&mut all);
    ends(&mut all);
    errors(&mut all);
    demo(&mut all);
    all
}

/// Every mail in every state, by a name that fits a file.
pub fn sample_letters() -> Vec<(String, LetterView)> {
    let letter = |template: MailTemplate, what: &str, by: &str| LetterView {
        template: template.text(),
        kind: template.kind(),
        realm_name: "Northwind".into(),
        name: Some("Ada Lovelace".into()),
        username: Some("ada".into()),
        what: what.into(),
        automatic: false,
        by: by.into(),
        at: NOW,
        client: Some("Firefox on Linux".into()),
        place: Some("203.0.113.*".into()),
        code: Some("K7QP-2M9X".into()),
        until: Some(NOW.plus_s(86_400)),
        minutes: 10,
        href: "https://id.northwind.example/account/security".into(),
        host: "id.northwind.example".into(),
    };
    let mut all: Vec<_> =
        MailTemplate::ALL.iter().map(|t| (t.text().to_owned(), letter(*t, "Laptop", "self"))).collect();
    for state in ["active", "locked", "disabled"] {
        all.push((format!("account-state-{state}"), letter(MailTemplate::AccountState, state, "operator")));
    }
    let silent = LetterView { automatic: true, ..letter(MailTemplate::PasskeyRegistered, "Laptop", "self") };
    all.push(("passkey-registered-automatic".to_owned(), silent));
    for template in [MailTemplate::PasskeyRegistered, MailTemplate::AddressCode] {
        let strange = LetterView {
            realm_name: MARKUP.into(),
            name: None,
            username: None,
            client: None,
            place: None,
            ..letter(template, MARKUP, "operator")
        };
        all.push((format!("{}-markup", template.text()), strange));
        let stranger = LetterView { name: None, username: None, ..letter(template, "none", "self") };
        all.push((format!("{}-stranger", template.text()), stranger));
    }
    all
}

type Samples = Vec<(String, Page)>;

fn add(all: &mut Samples, name: &str, page: Page) {
    all.push((name.to_owned(), page));
}

fn application() -> Application {
    Application {
        host: Some("files.northwind.example".into()),
        policy: WebUrl::parse("https://files.northwind.example/privacy"),
        terms: WebUrl::parse("https://files.northwind.example/terms"),
        ..Application::named("Northwind Files")
    }
}

fn hostile() -> Application {
    Application { host: Some(MARKUP.into()), ..Application::named(MARKUP) }
}

fn long() -> String {
    "Wolfeschlegelsteinhausenbergerdorff".repeat(6).chars().take(200).collect()
}

fn ada() -> Person {
    Person::new("ada", Some("Ada Lovelace"))
}

fn mallory() -> Person {
    Person::new(MARKUP, Some(MARKUP))
}

fn login(step: LoginStep, username: &str) -> Login {
    Login {
        csrf: "csrf".into(),
        request: Some("sealed".into()),
        application: Some(application()),
        step,
        username: username.into(),
        passkey_allowed: true,
        password_allowed: true,
        again: false,
        recovers: true,
        rp_host: "northwind.example".into(),
        elsewhere: Vec::new(),
        notice: None,
        restart_href: "/login?request=sealed".into(),
        sign_up_href: None,
    }
}

fn logins(all: &mut Samples) {
    use LoginStep::{Identify, Prove};
    let first = || login(Identify, "");
    let proof = || login(Prove, "ada");
    let plain = Login { request: None, application: None, ..first() };
    add(all, "login", Page::Login(first()));
    add(all, "login-plain", Page::Login(plain.clone()));
    add(all, "login-again", Page::Login(Login { again: true, ..proof() }));
    add(all, "login-again-plain", Page::Login(Login { again: true, ..plain }));
    add(all, "login-nameless", Page::Login(Login { application: None, ..first() }));
    add(all, "login-password", Page::Login(proof()));
    add(all, "login-password-first", Page::Login(Login { passkey_allowed: false, ..proof() }));
    add(all, "login-passkey-only", Page::Login(Login { password_allowed: false, ..proof() }));
    let notices = [
        ("wrong-password", LoginNotice::WrongPassword),
        ("throttled", LoginNotice::Throttled { minutes: 5 }),
        ("expired", LoginNotice::Expired),
        ("passkey-needed", LoginNotice::PasskeyNeeded),
    ];
    for (name, notice) in notices {
        add(all, &format!("login-{name}"), Page::Login(Login { notice: Some(notice), ..proof() }));
    }
    let markup = Login {
        csrf: MARKUP.into(),
        request: Some(MARKUP.into()),
        application: Some(hostile()),
        rp_host: MARKUP.into(),
        restart_href: MARKUP.into(),
        ..login(Prove, MARKUP)
    };
    add(all, "login-markup", Page::Login(markup.clone()));
    add(all, "login-markup-first", Page::Login(Login { step: Identify, ..markup }));
    let long_names = Login { application: Some(Application::named(&long())), ..login(Prove, &long()) };
    add(all, "login-long", Page::Login(long_names));
}

/// Chooser, consent.
fn asks(all: &mut Samples) {
    let choose = |application, person| Choose {
        csrf: "csrf".into(),
        request: "sealed".into(),
        application,
        person,
        switch_href: "/login?request=sealed&switch=1".into(),
    };
    add(all, "choose", Page::Choose(choose(Some(application()), ada())));
    add(all, "choose-markup", Page::Choose(choose(Some(hostile()), mallory())));
    add(all, "choose-long", Page::Choose(choose(None, Person::new(&long(), None))));

    let consent = |application, person, items| Consent {
        csrf: "csrf".into(),
        request: "sealed".into(),
        application,
        person,
        items,
        switch_href: "/login?request=sealed&switch=1".into(),
    };
    let items = |value: Option<&str>, scope: &str| {
        let value = value.map(str::to_owned);
        vec![
            ConsentItem::Identity { value: None },
            ConsentItem::Profile { value: value.clone() },
            ConsentItem::Email { value: value.clone() },
            ConsentItem::Phone { value: value.clone() },
            ConsentItem::Address { value: value.clone() },
            ConsentItem::Groups { value: value.clone() },
            ConsentItem::Roles { value: value.clone() },
            ConsentItem::Offline,
            ConsentItem::Other { scope: scope.into(), description: value },
        ]
    };
    let usual = vec![
        ConsentItem::Identity { value: None },
        ConsentItem::Profile { value: Some("Ada Lovelace".into()) },
        ConsentItem::Email { value: Some("ada@northwind.example".into()) },
    ];
    add(all, "consent", Page::Consent(consent(application(), ada(), usual)));
    let unverified = Application { unverified: true, ..application() };
    add(all, "consent-unverified", Page::Consent(consent(unverified, ada(), items(None, "payments"))));
    add(all, "consent-markup", Page::Consent(consent(hostile(), mallory(), items(Some(MARKUP), MARKUP))));
    let long_one = consent(Application::named(&long()), Person::new(&long(), None), items(None, &long()));
    add(all, "consent-long", Page::Consent(long_one));
}

/// The field for a device's code, and the answer.
fn devices(all: &mut Samples) {
    let page =
        |user_code: &str, notice| Page::Device(Device { csrf: "csrf".into(), user_code: user_code.into(), notice });
    add(all, "device", page("", None));
    add(all, "device-filled", page("WDJB-MJHT", None));
    add(all, "device-markup", page(MARKUP, Some(DeviceNotice::WrongCode)));
    for (name, notice) in [
        ("wrong-code", DeviceNotice::WrongCode),
        ("throttled", DeviceNotice::Throttled { minutes: 2 }),
        ("over", DeviceNotice::Over),
        ("cancelled", DeviceNotice::Cancelled),
        ("refused", DeviceNotice::Refused),
    ] {
        add(all, &format!("device-{name}"), page("WDJB-MJHX", Some(notice)));
    }
    let confirm = |application, person, items| DeviceConfirm {
        csrf: "csrf".into(),
        request: "sealed".into(),
        application,
        person,
        items,
        user_code: "WDJB-MJHT".into(),
        address: "2001:db8:85a3:1234:5678:8a2e:370:7334".into(),
        started: NOW.plus_s(-130),
        switch_href: "/login/choose?request=sealed".into(),
    };
    let items =
        vec![ConsentItem::Identity { value: None }, ConsentItem::Email { value: Some("ada@northwind.example".into()) }];
    add(all, "device-confirm", Page::DeviceConfirm(confirm(application(), ada(), items)));
    let other = vec![ConsentItem::Other { scope: MARKUP.into(), description: Some(MARKUP.into()) }];
    add(all, "device-confirm-markup", Page::DeviceConfirm(confirm(hostile(), mallory(), other)));
    let long = confirm(Application::named(&long()), Person::new(&long(), None), Vec::new());
    add(all, "device-confirm-long", Page::DeviceConfirm(long));
    let elsewhere = Some(Application { elsewhere: true, ..application() });
    add(all, "login-device", Page::Login(Login { application: elsewhere, ..login(LoginStep::Identify, "") }));
    for (name, kind) in [("allowed", MessageKind::DeviceAllowed), ("denied", MessageKind::DeviceDenied)] {
        let page = Message { kind, person: None, href: "/account/security".into() };
        add(all, &format!("device-{name}"), Page::Message(page));
    }
}

fn setups(all: &mut Samples) {
    let setup = |kind, username: &str| Setup {
        csrf: "csrf".into(),
        pass: "pass".into(),
        kind,
        username: username.into(),
        email: String::new(),
        passkey_allowed: true,
        password_allowed: kind == SetupKind::AccessPass,
        password_min: 12,
        rp_host: "northwind.example".into(),
        expires: NOW.plus_s(3_600),
        notice: None,
    };
    use SetupKind::{AccessPass, FirstOwner};
    add(all, "setup-code", Page::SetupCode(SetupCode {}));
    add(all, "setup-owner", Page::Setup(setup(FirstOwner, "")));
    add(all, "setup-pass", Page::Setup(setup(AccessPass, "ada")));
    let password_only = Setup { passkey_allowed: false, ..setup(AccessPass, "ada") };
    add(all, "setup-password-only", Page::Setup(password_only.clone()));
    add(all, "setup-nothing", Page::Setup(Setup { password_allowed: false, ..password_only }));
    add(all, "setup-passkey-only", Page::Setup(Setup { password_allowed: false, ..setup(AccessPass, "ada") }));
    for (name, notice) in secrets::password_notices() {
        let page = Setup { notice: Some(notice), ..setup(AccessPass, "ada") };
        add(all, &format!("setup-{name}"), Page::Setup(page));
    }
    let markup = Setup { email: MARKUP.into(), pass: MARKUP.into(), ..setup(FirstOwner, MARKUP) };
    add(all, "setup-markup", Page::Setup(markup));
    for (name, kind) in [("passkey", MessageKind::PasskeyCreated), ("password", MessageKind::PasswordSet)] {
        let page = Message { kind, person: Some(ada()), href: "/login".into() };
        add(all, &format!("setup-done-{name}"), Page::Message(page));
    }
    let page = Message { kind: MessageKind::PasswordSet, person: None, href: MARKUP.into() };
    add(all, "message-markup", Page::Message(page));
}

/// Signing out, going on.
fn ends(all: &mut Samples) {
    let confirm =
        |application, person| LogoutConfirm { csrf: "csrf".into(), logout: MARKUP.into(), application, person };
    add(all, "logout", Page::LogoutConfirm(confirm(Some(application()), ada())));
    add(all, "logout-plain", Page::LogoutConfirm(confirm(None, mallory())));
    let over = |kept, application, href: Option<&str>| LoggedOut { kept, application, href: href.map(str::to_owned) };
    add(all, "logged-out", Page::LoggedOut(over(false, Some(application()), Some("https://files.northwind.example/"))));
    add(all, "logged-out-plain", Page::LoggedOut(over(false, None, Some("/login"))));
    add(all, "logged-out-bare", Page::LoggedOut(over(false, None, None)));
    add(all, "logged-in-still", Page::LoggedOut(over(true, None, Some("/account/security"))));
    let frames = |href: &str| LogoutFrames {
        frames: vec!["https://files.northwind.example/out?a=b&c=d".into(), format!("https://x.example/?{MARKUP}")],
        href: href.into(),
        application: Some(application()),
    };
    add(all, "logout-frames", Page::LogoutFrames(frames("https://files.northwind.example/")));
    add(all, "logout-frames-markup", Page::LogoutFrames(frames(MARKUP)));
    let on = GoOn { href: REQUEST.into(), application: Some(application()), upgrades: false };
    add(all, "go-on-upgrade", Page::GoOn(GoOn { application: None, upgrades: true, ..on.clone() }));
    add(all, "go-on", Page::GoOn(on));
    let fields = |text: &str| vec![("code", text.to_owned()), ("state", text.to_owned())];
    let post = |text: &str| Page::FormPost(FormPost::new("https://files.northwind.example/cb".into(), fields(text)));
    add(all, "form-post", post(REQUEST));
    add(all, "form-post-markup", post(MARKUP));
    add(all, "go-on-plain", Page::GoOn(GoOn { href: MARKUP.into(), application: None, upgrades: false }));
}

fn errors(all: &mut Samples) {
    let kinds = [
        (ErrorKind::UnknownApplication, "invalid_client"),
        (ErrorKind::RedirectMismatch, "redirect_uri_mismatch"),
        (ErrorKind::BadRequest, "invalid_request"),
        (ErrorKind::Expired, "request_expired"),
        (ErrorKind::Cookies, "cookie_missing"),
        (ErrorKind::LinkOver, "pass_over"),
        (ErrorKind::NotEntered, "device_not_entered"),
        (ErrorKind::NotFound, "not_found"),
        (ErrorKind::Forbidden, "forbidden"),
        (ErrorKind::TooMany, "too_many_requests"),
        (ErrorKind::Internal, "internal_error"),
        (ErrorKind::Unavailable, "unavailable"),
    ];
    for (kind, code) in kinds {
        let known = kind == ErrorKind::Expired;
        let page = ErrorPage {
            kind,
            code: code.into(),
            detail: (kind == ErrorKind::RedirectMismatch).then(|| {
                "redirect_uri https://files.northwind.example/cb?x=1 is not registered; register it exactly as sent"
                    .into()
            }),
            application: known.then(application),
            href: match kind {
                ErrorKind::Expired => Some("https://files.northwind.example/".into()),
                ErrorKind::NotEntered => Some("/device".into()),
                _ => None,
            },
        };
        add(all, &format!("error-{code}"), Page::Error(page));
    }
    let page = ErrorPage {
        kind: ErrorKind::NotFound,
        code: MARKUP.into(),
        detail: Some(MARKUP.into()),
        application: None,
        href: Some("/account".into()),
    };
    add(all, "error-markup", Page::Error(page));
}

fn demo(all: &mut Samples) {
    let home = DemoHome { issuer: "http://localhost:8080".into(), sign_in_href: "/login".into() };
    add(all, "demo-home", Page::DemoHome(home));
    let row = |name: &str, value: &str| DemoRow { name: name.into(), value: value.into() };
    let claims = DemoClaims {
        claims_json: "{\n  \"iss\": \"http://localhost:8080\",\n  \"sub\": \"0192f6c4\",\n  \"acr\": \"phr\"\n}".into(),
        acr: Some("phr".into()),
        amr: ["swk", "pop", "user", "mfa"].map(str::to_owned).into(),
        auth_time: Some(NOW.plus_s(-30)),
        userinfo: vec![row("sub", "0192f6c4"), row("name", "Ada Lovelace"), row("email", "ada@northwind.example")],
        step_up_href: "/step-up".into(),
        sign_out_href: "/logout".into(),
    };
    add(all, "demo-claims", Page::DemoClaims(claims.clone()));
    let markup = DemoClaims {
        claims_json: MARKUP.into(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        userinfo: vec![row(MARKUP, MARKUP)],
        ..claims
    };
    add(all, "demo-claims-markup", Page::DemoClaims(markup));
    let error = |description| DemoError { code: "access_denied".into(), description, home_href: "/".into() };
    add(all, "demo-error", Page::DemoError(error(None)));
    add(all, "demo-error-markup", Page::DemoError(error(Some(MARKUP.into()))));
}
