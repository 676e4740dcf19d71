//! `clientDataJSON`: form, type, challenge, origin, frames. WebAuthn L3 §5.8.1, §7.1 steps 5 to 11, §7.2 steps 8 to 14.

use idp_softkey::Faults;
use serde_json::{Value, json};

use super::{Row, Stage, client_data, soft, then};
use crate::rules::rule;
use crate::world::acts::refused;

/// The client data with members added or replaced; `null` removes one.
fn with(bytes: &[u8], members: Value) -> Vec<u8> {
    let mut data: Value = serde_json::from_slice(bytes).unwrap();
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => drop(data.as_object_mut().unwrap().remove(name)),
            value => data[name] = value.clone(),
        }
    }
    data.to_string().into_bytes()
}

/// The client data with a member as text, for what no JSON writer would write.
fn after_brace(bytes: &[u8], text: &str) -> Vec<u8> {
    [b"{", text.as_bytes(), b",", &bytes[1..]].concat()
}

fn unreadable() -> Vec<Row> {
    let row = |what, bend| (what, client_data(bend), "client_data");
    vec![
        row("empty", |_| Vec::new()),
        row("not JSON", |_| b"x".to_vec()),
        row("null", |_| b"null".to_vec()),
        row("a text", |_| b"\"webauthn.get\"".to_vec()),
        row("an array of the members' values", |b| {
            let data: Value = serde_json::from_slice(&b).unwrap();
            json!([data["type"], data["challenge"], data["origin"], false, null]).to_string().into_bytes()
        }),
        row("cut off", |b| b[..b.len() - 1].to_vec()),
        row("something after it", |b| then(b, b"x")),
        row("a second document after it", |b| then(b, b"{}")),
        row("a NUL after it", |b| then(b, b"\0")),
        row("no UTF-8", |b| after_brace(&b, "\"x\":\"").into_iter().chain([0xff, 0xfe]).collect()),
        row("UTF-16", |b| [0xff, 0xfe].into_iter().chain(b.into_iter().flat_map(|c| [c, 0])).collect()),
        row("two byte order marks", |b| [b"\xef\xbb\xbf\xef\xbb\xbf".as_slice(), &b].concat()),
        row("no type", |b| with(&b, json!({ "type": null }))),
        row("no challenge", |b| with(&b, json!({ "challenge": null }))),
        row("no origin", |b| with(&b, json!({ "origin": null }))),
        row("type is a number", |b| with(&b, json!({ "type": 1 }))),
        row("challenge is an array", |b| with(&b, json!({ "challenge": [1, 2] }))),
        row("origin is an object", |b| with(&b, json!({ "origin": {} }))),
        row("crossOrigin is a text", |b| with(&b, json!({ "crossOrigin": "false" }))),
        row("crossOrigin is a number", |b| with(&b, json!({ "crossOrigin": 0 }))),
        row("topOrigin is a number", |b| with(&b, json!({ "topOrigin": 1 }))),
        row("two types", |b| after_brace(&b, "\"type\":\"webauthn.get\"")),
        row("two challenges", |b| after_brace(&b, "\"challenge\":\"AAAA\"")),
        row("two origins", |b| after_brace(&b, "\"origin\":\"https://evil.example\"")),
        row("two origins, one in escapes", |b| after_brace(&b, "\"\\u006frigin\":\"https://evil.example\"")),
        row("two crossOrigins", |b| after_brace(&b, "\"crossOrigin\":false")),
        row("nested without end", |b| after_brace(&b, &format!("\"x\":{}", "[".repeat(500)))),
    ]
}

fn wrong_members() -> Vec<Row> {
    let ty = |what, bend| (what, client_data(bend), "ceremony_type");
    let challenge = |what, bend| (what, client_data(bend), "challenge_mismatch");
    vec![
        ty("type is empty", |b| with(&b, json!({ "type": "" }))),
        ty("type in capitals", |b| with(&b, json!({ "type": "WEBAUTHN.GET" }))),
        ty("type with a space", |b| with(&b, json!({ "type": "webauthn.get " }))),
        ty("a payment (SPC §6)", |b| with(&b, json!({ "type": "payment.get" }))),
        ty("a U2F sign", |b| with(&b, json!({ "type": "navigator.id.getAssertion" }))),
        challenge("an own challenge", |b| {
            with(&b, json!({ "challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }))
        }),
        challenge("no challenge at all", |b| with(&b, json!({ "challenge": "" }))),
        challenge("padded", |b| edit_challenge(&b, |c| format!("{c}="))),
        challenge("with a NUL", |b| edit_challenge(&b, |c| format!("{c}\0"))),
        challenge("with a line break", |b| edit_challenge(&b, |c| format!("{c}\n"))),
        challenge("longer", |b| edit_challenge(&b, |c| format!("{c}AAAA"))),
        challenge("shorter", |b| edit_challenge(&b, |c| c[..40].to_owned())),
        challenge("other case", |b| edit_challenge(&b, |c| c.chars().map(flip).collect())),
        challenge("base64 of the text", |b| edit_challenge(&b, |c| idp_core::encoding::base64url(c))),
        challenge("a megabyte would not fit, 16 KiB do", |b| edit_challenge(&b, |_| "A".repeat(16 * 1024))),
    ]
}

fn flip(c: char) -> char {
    if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
}

fn edit_challenge(bytes: &[u8], edit: impl Fn(&str) -> String) -> Vec<u8> {
    let data: Value = serde_json::from_slice(bytes).unwrap();
    with(bytes, json!({ "challenge": edit(data["challenge"].as_str().unwrap()) }))
}

fn frames() -> Vec<Row> {
    let cross = |what, bend| (what, client_data(bend), "cross_origin");
    let top = |what, bend| (what, client_data(bend), "top_origin");
    vec![
        cross("in a frame", |b| with(&b, json!({ "crossOrigin": true }))),
        cross("in a frame, its top named", |b| {
            with(&b, json!({ "crossOrigin": true, "topOrigin": "https://a.example" }))
        }),
        top("a top without a frame", |b| with(&b, json!({ "topOrigin": "https://a.example" }))),
        top("an empty top", |b| with(&b, json!({ "topOrigin": "" }))),
        top("the same origin as top", |b| {
            let data: Value = serde_json::from_slice(&b).unwrap();
            with(&b, json!({ "topOrigin": data["origin"], "crossOrigin": false }))
        }),
    ]
}

fn all() -> Vec<Row> {
    unreadable().into_iter().chain(wrong_members()).chain(frames()).collect()
}

#[tokio::test]
async fn each_forgery_of_an_assertion_has_its_reason() {
    Stage::new().await.refuses_assertions(all()).await;
}

#[tokio::test]
async fn each_forgery_of_a_registration_has_its_reason() {
    Stage::new().await.refuses_registrations(soft, all()).await;
}

#[tokio::test]
async fn origins_that_only_look_like_ours_are_refused() {
    let mut stage = Stage::new().await;
    let issuer = stage.w.issuer.clone();
    let port = issuer.rsplit(':').next().unwrap().to_owned();
    let origins = [
        format!("https://localhost:{port}"),
        format!("HTTP://localhost:{port}"),
        format!("http://LOCALHOST:{port}"),
        format!("http://localhost.:{port}"),
        format!("http://localhost:{port}/login"),
        format!("http://localhost:{port}?"),
        format!("http://localhost:{port}#"),
        format!("http://localhost:0{port}"),
        format!("http://localhost:{port}0"),
        format!("http://ann@localhost:{port}"),
        format!("http://localhost:{port}@evil.example"),
        format!("http://www.localhost:{port}"),
        format!("http://localhost.example:{port}"),
        format!("http://xlocalhost:{port}"),
        format!("http://l\u{43e}calhost:{port}"),
        format!("http://127.0.0.1:{port}"),
        format!("http://[::1]:{port}"),
        format!("ws://localhost:{port}"),
        format!("file://localhost:{port}"),
        format!(" {issuer}"),
        format!("{issuer}\0"),
        format!("{issuer}, {issuer}"),
        "http://localhost".to_owned(),
        "http://localhost:80".to_owned(),
        "localhost".to_owned(),
        "*".to_owned(),
        "null".to_owned(),
        String::new(),
        "android:apk-key-hash:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "ios:bundle-id:com.example".to_owned(),
        "chrome-extension://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_owned(),
    ];
    for origin in origins {
        let assertion = stage.ann.keys[0].get(&stage.sign_in, &origin);
        let id = rule("webauthn.assertion.origin_mismatch");
        assert_eq!(stage.assert(assertion).await, refused(400, "origin_mismatch"), "{id}: {origin:?}");
        let registration = soft().create(&stage.enrol, &origin);
        let id = rule("webauthn.registration.origin_mismatch");
        assert_eq!(stage.register(registration).await, refused(400, "origin_mismatch"), "{id}: {origin:?}");
    }
}

#[tokio::test]
async fn the_challenge_of_an_earlier_or_the_other_ceremony_is_no_challenge_of_this_one() {
    let mut stage = Stage::new().await;
    let earlier = stage.browser.begin_sign_in().await;
    for other in [&earlier, &stage.enrol.clone()] {
        let challenge = other["publicKey"]["challenge"].as_str().unwrap().to_owned();
        let faults = Faults { challenge: Some(challenge), ..Faults::default() };
        let assertion = stage.ann.keys[0].get_with(&stage.sign_in, &stage.w.issuer, &faults);
        assert_eq!(stage.assert(assertion).await, refused(400, "challenge_mismatch"));
    }
    let challenge = stage.sign_in["publicKey"]["challenge"].as_str().unwrap().to_owned();
    let faults = Faults { challenge: Some(challenge), ..Faults::default() };
    let registration = soft().create_with(&stage.enrol, &stage.w.issuer, &faults);
    assert_eq!(stage.register(registration).await, refused(400, "challenge_mismatch"));
}

#[tokio::test]
async fn members_that_browsers_add_are_no_fault() {
    // `tokenBinding` is reserved since Level 3 (§5.8.1) and not looked at; unknown members come and go.
    let added = [
        json!({ "tokenBinding": { "status": "present", "id": "AA" } }),
        json!({ "tokenBinding": "unused" }),
        json!({ "other_keys_can_be_added_here": "do not compare clientDataJSON against a template" }),
        json!({ "androidPackageName": "com.android.chrome" }),
        json!({ "topOrigin": null }),
        json!({ "crossOrigin": null }),
    ];
    let w = crate::world::World::sqlite().await;
    let mut ann = w.person("ann").await;
    for members in added {
        let faults = Faults { client_data: members.as_object().unwrap().clone(), ..Faults::default() };
        assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &faults).await.stand(), "complete", "{members}");
    }
    let marked = client_data(|b| [b"\xef\xbb\xbf".as_slice(), &b].concat());
    assert_eq!(w.browser().try_passkey(&mut ann.keys[0], &marked).await.stand(), "complete", "a byte order mark");
}
