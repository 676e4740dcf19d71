//! Samples of sign-up and profile.

use idp_core::account::Profile as Claims;
use idp_core::account::claims::TEXTS;
use idp_core::user_schema::{Field, Problem, Shown, UserSchema};
use serde_json::{Map, Value, json};

use super::{MARKUP, Samples, ada, add, application, hostile, login, long, mallory};
use crate::views::{
    Application, EmailCard, Login, LoginNotice, LoginStep, Page, Person, Profile, ProfileNotice, SignUp, SignUpStep,
};

/// One of each kind, with what an operator may write.
fn every_kind(text: &str) -> UserSchema {
    let fixed = json!({ "type": "string", "title": "Staff number", "readOnly": true });
    let properties = json!({
        "email": { "type": "string", "format": "email", "title": "Work address", "description": text },
        "name": { "type": "object", "properties": {
            "first": { "type": "string", "title": "First name", "maxLength": 40 },
            "last": { "type": "string", "title": text, "minLength": 1 }
        }, "required": ["last"] },
        "born": { "type": "string", "format": "date" },
        "desk": { "type": "integer", "minimum": 1, "maximum": 400, "title": "Desk" },
        "news": { "type": "boolean", "title": "Send me news", "description": "Once a month." },
        "staff": fixed,
        "terms": { "type": "boolean", "title": "I agree to the rules of the house", "const": true },
        "unit": { "enum": ["Lab", "Shop", text], "title": "Unit" }
    });
    let required = json!(["email", "name", "terms", "unit"]);
    UserSchema::new(json!({ "properties": properties, "required": required })).unwrap_or_else(|_| standard())
}

fn standard() -> UserSchema {
    UserSchema::standard().clone()
}

/// All standard claims, so that each has its word.
fn every_claim() -> UserSchema {
    let properties: Map<String, Value> =
        TEXTS.iter().map(|claim| (claim.name.to_owned(), json!({ "type": "string" }))).collect();
    UserSchema::new(json!({ "properties": properties })).unwrap_or_else(|_| standard())
}

fn fields(schema: &UserSchema, document: &Value, problems: &[Problem], editable: bool) -> Vec<Field> {
    let document = document.as_object().cloned().unwrap_or_default();
    schema.fields(&Shown { document: &document, problems, editable })
}

fn sign_up(application: Option<Application>, fields: Vec<Field>) -> SignUp {
    SignUp {
        csrf: "csrf".into(),
        request: application.as_ref().map(|_| "c2VhbGVk".to_owned()),
        application,
        step: SignUpStep::Details,
        asks_username: true,
        username: String::new(),
        username_problem: None,
        fields,
        problem: None,
        traits: "{}".into(),
        person: ada(),
        rp_host: "northwind.example".into(),
        login_href: "/login?switch=1&request=c2VhbGVk".into(),
    }
}

fn profile(fields: Vec<Field>, notice: Option<ProfileNotice>) -> Profile {
    Profile { csrf: "csrf".into(), person: ada(), fields, editable: true, problem: None, email: None, notice }
}

fn card() -> EmailCard {
    EmailCard {
        address: "ada@northwind.example".into(),
        verified: false,
        field: None,
        sign_in_again: true,
        can_verify: true,
        verification: None,
    }
}

pub fn add_all(all: &mut Samples) {
    let first = Login { sign_up_href: Some("/signup".into()), ..login(LoginStep::Identify, "") };
    add(all, "login-new", Page::Login(first.clone()));
    add(all, "login-signed-up", Page::Login(Login { notice: Some(LoginNotice::SignedUp), ..first }));
    sign_ups(all);
    profiles(all);
}

fn sign_ups(all: &mut Samples) {
    let typed = json!({ "email": "ada", "name": { "first": "Ada" }, "desk": 7, "news": true, "terms": true });
    let house = every_kind("Where colleagues write to you");
    let problems = [
        Problem::new(&["email".to_owned()], "must be an e-mail address"),
        Problem::new(&["terms".to_owned()], "must be true"),
        Problem::new(&["unit".to_owned()], "is needed"),
    ];
    let plain = fields(&standard(), &json!({}), &[], true);
    add(all, "sign-up", Page::SignUp(sign_up(None, plain)));
    let asked = fields(&house, &json!({}), &[], true);
    add(all, "sign-up-schema", Page::SignUp(SignUp { asks_username: false, ..sign_up(Some(application()), asked) }));
    let wrong = SignUp {
        username: "ada".into(),
        username_problem: Some("Is taken: choose another one.".into()),
        problem: Some("traits: they have at most 16384 bytes and 8 levels".into()),
        ..sign_up(Some(application()), fields(&house, &typed, &problems, true))
    };
    add(all, "sign-up-wrong", Page::SignUp(wrong));
    let good = SignUp {
        step: SignUpStep::Passkey,
        username: "ada".into(),
        traits: typed.to_string(),
        ..sign_up(Some(application()), fields(&house, &typed, &[], true))
    };
    add(all, "sign-up-passkey", Page::SignUp(good.clone()));
    add(all, "sign-up-passkey-markup", Page::SignUp(SignUp { traits: MARKUP.into(), person: mallory(), ..good }));
    let strange = json!({ "email": MARKUP, "name": { "first": MARKUP, "last": MARKUP }, "unit": MARKUP });
    let hostile = SignUp {
        username: MARKUP.into(),
        username_problem: Some(MARKUP.into()),
        problem: Some(MARKUP.into()),
        ..sign_up(
            Some(hostile()),
            fields(&every_kind(MARKUP), &strange, &[Problem::new(&["email".into()], MARKUP)], true),
        )
    };
    add(all, "sign-up-markup", Page::SignUp(hostile));
}

fn profiles(all: &mut Samples) {
    let document =
        json!({ "name": { "first": "Ada", "last": "Lovelace" }, "staff": "A-17", "unit": "Lab", "terms": true });
    let house = every_kind("Where colleagues write to you");
    let about = |problems: &[Problem], editable| {
        let mut fields = fields(&house, &document, problems, editable);
        fields.retain(|field| field.claim != Some("email"));
        fields
    };
    let mut add_profile = |name: &str, page: Profile| add(all, name, Page::Profile(Box::new(page)));
    add_profile("profile", Profile { email: Some(card()), ..profile(about(&[], true), None) });
    let names: Claims = Claims::default();
    let claims = Value::Object(every_claim().document(&names));
    add_profile("profile-claims", profile(fields(&every_claim(), &claims, &[], true), Some(ProfileNotice::Saved)));
    let fixed = Profile { editable: false, ..profile(about(&[], false), None) };
    let verified = EmailCard { verified: true, can_verify: false, sign_in_again: false, ..card() };
    add_profile("profile-fixed", Profile { email: Some(verified), ..fixed });
    let problems = [Problem::new(&["name".into(), "last".into()], "is needed")];
    let unfit = profile(about(&problems, true), Some(ProfileNotice::Unfit));
    add_profile("profile-unfit", unfit.clone());
    add_profile("profile-unfit-whole", Profile { problem: Some(MARKUP.into()), ..unfit });
    let email = |problem: Option<&str>| {
        let problems = problem.map(|text| Problem::new(&["email".into()], text));
        fields(&standard(), &json!({ "email": "ada@northwind.example" }), problems.as_slice(), true)
            .into_iter()
            .find(|field| field.claim == Some("email"))
    };
    let fresh = EmailCard { field: email(None), sign_in_again: false, ..card() };
    let taken = EmailCard { field: email(Some("belongs to another account")), ..fresh.clone() };
    let none = EmailCard { address: String::new(), can_verify: false, ..fresh.clone() };
    let sent = EmailCard { verification: Some("c2VhbGVk".into()), ..fresh.clone() };
    let mail = |card: EmailCard, notice| Profile { email: Some(card), ..profile(Vec::new(), notice) };
    add_profile("profile-email", mail(fresh.clone(), Some(ProfileNotice::EmailSaved)));
    add_profile("profile-email-taken", mail(taken, Some(ProfileNotice::Unfit)));
    add_profile("profile-email-none", mail(none, None));
    for (name, notice) in [
        ("code", ProfileNotice::CodeSent),
        ("wrong-code", ProfileNotice::WrongCode),
        ("throttled", ProfileNotice::Throttled { minutes: 1 }),
    ] {
        add_profile(&format!("profile-{name}"), mail(sent.clone(), Some(notice)));
    }
    for (name, notice) in [
        ("code-over", ProfileNotice::CodeOver),
        ("verified", ProfileNotice::Verified),
        ("changed", ProfileNotice::Changed),
    ] {
        add_profile(&format!("profile-{name}"), mail(card(), Some(notice)));
    }
    let strange = json!({ "name": { "last": MARKUP }, "staff": MARKUP, "unit": long() });
    let markup = Profile {
        person: Person::new(MARKUP, Some(&long())),
        email: Some(EmailCard { address: long(), verification: Some(MARKUP.into()), ..card() }),
        ..profile(fields(&every_kind(MARKUP), &strange, &[], true), None)
    };
    add_profile("profile-markup", markup);
}
