//! The schema of users: what it takes, what it refuses, what traits fit it.

use idp_core::account::Profile;
use idp_core::credential::held::Held;
use idp_core::credential::recovery::{effective, is_ready};
use idp_core::realm::RealmSettings;
use idp_core::sign_up::newcomer;
use idp_core::user_schema::{FieldKind, Problem, Shown, UserSchema};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// The identity schema of Ory Kratos' guide to passkeys, as it stands there.
fn kratos() -> UserSchema {
    let marks = json!({
        "credentials": { "passkey": { "display_name": true } },
        "verification": { "via": "email" },
        "recovery": { "via": "email" }
    });
    UserSchema::new(json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {
            "traits": {
                "type": "object",
                "properties": {
                    "email": { "type": "string", "format": "email", "title": "E-Mail", "ory.sh/kratos": marks },
                    "name": {
                        "type": "object",
                        "properties": {
                            "first": { "type": "string", "title": "First Name" },
                            "last": { "type": "string", "title": "Last Name" }
                        }
                    }
                },
                "required": ["email"]
            }
        }
    }))
    .unwrap()
}

fn of(properties: Value) -> UserSchema {
    UserSchema::new(json!({ "type": "object", "properties": properties, "additionalProperties": false })).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn said(schema: &UserSchema, traits: Value) -> Vec<String> {
    let problems = schema.apply(&mut Profile::default(), object(traits)).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}

fn refused(source: Value) -> String {
    UserSchema::new(source).unwrap_err().join("; ")
}

#[test]
fn the_identity_schema_of_kratos_is_taken_as_it_stands() {
    let schema = kratos();
    let [email, first, last] = schema.traits() else { panic!("{:?}", schema.traits()) };
    assert!(email.required && email.display_name && email.verification && email.recovery);
    assert_eq!(email.claim.unwrap().name, "email");
    assert_eq!((first.path.join("."), last.title.as_deref()), ("name.first".to_owned(), Some("Last Name")));
    let mut profile = Profile::default();
    let document = object(json!({ "email": "ada@example.org", "name": { "first": "Ada" } }));
    schema.apply(&mut profile, document.clone()).unwrap();
    assert_eq!(profile.email.as_deref(), Some("ada@example.org"));
    assert_eq!(
        Value::Object(profile.traits.clone()),
        json!({ "name": { "first": "Ada" } }),
        "the address is kept once"
    );
    assert_eq!(schema.document(&profile), document);
    assert!(schema.recovers_by_email());
}

#[test]
fn what_does_not_fit_is_named_by_its_path_in_words() {
    assert_eq!(said(&kratos(), json!({})), ["email: is needed"], "{}", "user_schema.traits");
    assert_eq!(said(&kratos(), json!({ "email": "ada" })), ["email: must be an e-mail address"]);
    assert_eq!(said(&kratos(), json!({ "email": "a@b.ch", "name": { "first": 1 } })), ["name.first: must be a text"]);
    let schema = of(json!({
        "size": { "type": "integer", "minimum": 30, "maximum": 50 },
        "unit": { "enum": ["lab", "shop"] },
        "code": { "type": "string", "pattern": "^[a-z]+$", "maxLength": 4, "minLength": 1 },
        "tags": { "type": "array", "items": { "type": "string" }, "maxItems": 1, "uniqueItems": true },
        "terms": { "const": true },
        "half": { "multipleOf": 0.5 },
        "two": { "type": ["string", "null"] },
        "one/two": { "anyOf": [{ "type": "string" }, { "type": "number" }] },
        "born": { "type": "string", "format": "date" },
        "site": { "type": "string", "format": "uri" }
    }));
    for (traits, expected) in [
        (json!({ "size": 20 }), "size: must be at least 30"),
        (json!({ "size": 51 }), "size: must be at most 50"),
        (json!({ "size": 40.5 }), "size: must be a whole number"),
        (json!({ "unit": "pub" }), "unit: must be one of lab, shop"),
        (json!({ "code": "A" }), "code: must have the form ^[a-z]+$"),
        (json!({ "code": "abcde" }), "code: must have at most 4 characters"),
        (json!({ "code": "" }), "code: must not be empty"),
        (json!({ "tags": ["a", "b"] }), "tags: must have at most 1 entries"),
        (json!({ "tags": [1] }), "tags.0: must be a text"),
        (json!({ "terms": false }), "terms: must be true"),
        (json!({ "half": 0.7 }), "half: must be a multiple of 0.5"),
        (json!({ "two": 2 }), "two: must be"),
        (json!({ "one/two": true }), "one/two: fits none"),
        (json!({ "born": "yesterday" }), "born: must be a date"),
        (json!({ "site": "here" }), "site: must be a web address"),
        (json!({ "shoe": 1 }), "shoe: is not known"),
        (json!({ "code": "a\u{0}" }), "code: must"),
    ] {
        let said = said(&schema, traits.clone());
        assert!(said.len() == 1 && said.iter().all(|one| one.starts_with(expected)), "{traits}: {said:?}");
    }
}

#[test]
fn a_schema_is_bounded_also_when_its_references_are_followed() {
    assert!(refused(json!(true)).contains("JSON object"), "{}", "user_schema.bounded");
    assert!(refused(json!({ "description": "x".repeat(33_000) })).contains("32768 bytes"));
    let back = json!({ "properties": { "a": { "$ref": "#/$defs/a" } }, "$defs": { "a": { "items": { "$ref": "#/$defs/a" } } } });
    assert!(refused(back).contains("back to itself"));
    let twice = |n: usize| json!({ "allOf": [{ "$ref": format!("#/$defs/{n}") }, { "$ref": format!("#/$defs/{n}") }] });
    let defs: Map<String, Value> =
        (0..20).map(|n| (n.to_string(), if n == 19 { json!({}) } else { twice(n + 1) })).collect();
    assert!(refused(json!({ "properties": { "a": twice(0) }, "$defs": defs })).contains("20000 parts"));
    let deep = (0..70).fold(json!({}), |inner, _| json!({ "not": inner }));
    assert!(refused(deep).contains("64 levels"));
    assert!(refused(json!({ "type": "text" })).contains("type"));
    assert!(refused(json!({ "properties": { "a": { "pattern": "(a" } } })).contains("pattern"));
    let huge = json!({ "properties": { "a": { "pattern": "((a{1000}){1000}){1000}" } } });
    assert!(UserSchema::new(huge).is_err(), "a pattern that explodes is refused when it is saved");
    assert!(UserSchema::new(json!({ "properties": { "a": { "pattern": "(a)\\1" } } })).is_err(), "no backtracking");
}

#[test]
fn nothing_is_fetched() {
    let rule = "user_schema.local";
    for reference in ["https://example.org/s.json", "other.json", "file:///etc/passwd", "#", "#name", "#/$defs/none"] {
        let text = refused(json!({ "properties": { "a": { "$ref": reference } } }));
        assert!(text.contains("nothing is fetched"), "{rule} {reference}: {text}");
    }
    assert!(refused(json!({ "properties": { "a": { "$dynamicRef": "#a" } } })).contains("not supported"));
    assert!(refused(json!({ "properties": { "a": { "$id": "https://b.example/" } } })).contains("at the top alone"));
    assert!(refused(json!({ "$schema": "https://example.org/own" })).contains("example.org"));
    let schema = UserSchema::new(json!({
        "$id": "https://example.org/person",
        "properties": { "mail": { "$ref": "#/$defs/an%20address", "title": "Mail" } },
        "$defs": { "an address": { "type": "string", "format": "email", "idp": { "claim": "email" } } }
    }))
    .unwrap();
    assert_eq!(said(&schema, json!({ "mail": "x" })), ["mail: must be an e-mail address"]);
    assert_eq!(schema.email().unwrap().title.as_deref(), Some("Mail"));
}

#[test]
fn a_claim_comes_from_one_text_and_marks_stand_where_they_are_seen() {
    let rule = "user_schema.claims";
    let text = |mark: Value| json!({ "type": "string", "idp": mark });
    for (properties, word) in [
        (json!({ "a": text(json!({ "claim": "shoe_size" })) }), "no standard claim"),
        (json!({ "a": text(json!({ "claim": "email_verified" })) }), "no standard claim"),
        (json!({ "a": text(json!({ "claims": "email" })) }), "unknown field"),
        (json!({ "a": { "type": "integer", "idp": { "claim": "email" } } }), "is a text"),
        (json!({ "a": text(json!({ "claim": "email" })), "email": { "type": "string" } }), "are both"),
        (json!({ "a": text(json!({ "claim": "name", "verification": "email" })) }), "only an e-mail"),
        (json!({ "a": { "type": "string", "ory.sh/kratos": { "verification": { "via": "sms" } } } }), "sms"),
        (json!({ "a": { "allOf": [text(json!({ "claim": "email" }))] } }), "not seen"),
        (
            json!({ "a": text(json!({ "display_name": true })), "b": text(json!({ "display_name": true })) }),
            "more than",
        ),
    ] {
        let said = refused(json!({ "properties": properties }));
        assert!(said.contains(word), "{rule} {properties}: {said}");
    }
    let kept = json!({ "credentials": { "password": { "identifier": true }, "code": { "identifier": true, "via": "email" } } });
    let schema = of(json!({ "email": { "type": "string", "ory.sh/kratos": kept }, "idp": { "type": "string" } }));
    assert!(!schema.recovers_by_email() && !schema.email().unwrap().verification);
    // No code would be mailed, so it brings nobody back.
    let settings = RealmSettings { user_schema: Some(schema), ..RealmSettings::default() };
    let held = Held { verified_email: true, ..Held::default() };
    assert!(!is_ready(effective(&settings, true), &held));
    assert!(is_ready(effective(&RealmSettings::default(), true), &held));
}

#[test]
fn claims_keep_their_own_checks_and_a_changed_address_is_unverified() {
    let schema =
        of(json!({ "page": { "type": "string", "idp": { "claim": "website" } }, "email": { "type": "string" } }));
    assert_eq!(said(&schema, json!({ "page": "javascript:x" })), ["page: write an http or https URL"]);
    let mut profile = Profile {
        email: Some("a@b.ch".to_owned()),
        email_verified: true,
        gender: Some("x".to_owned()),
        ..Profile::default()
    };
    schema.apply(&mut profile, object(json!({ "email": "a@b.ch" }))).unwrap();
    assert!(profile.email_verified && profile.gender.is_some(), "what the schema does not name stays");
    let before = profile.clone();
    assert!(schema.apply(&mut profile, object(json!({ "email": "c@d.ch", "more": 1 }))).is_err());
    assert_eq!(profile, before, "nothing changes in part");
    schema.apply(&mut profile, object(json!({ "email": "c@d.ch" }))).unwrap();
    assert!(!profile.email_verified);
}

#[test]
fn without_a_schema_traits_are_flat_and_free() {
    let schema = UserSchema::standard();
    assert_eq!(schema.check(), Vec::<String>::new());
    assert_eq!(said(schema, json!({ "email": "a@b.ch", "level.max": 3 })), Vec::<String>::new());
    assert_eq!(schema.path("level.max"), ["level.max"]);
    assert!(said(schema, json!({ "a": {} }))[0].contains("a value is"));
    assert_eq!(kratos().path("name.first"), ["name", "first"]);
}

#[test]
fn documents_are_bounded() {
    let schema = UserSchema::new(json!({})).unwrap();
    let deep = (0..8).fold(json!(1), |inner, _| json!({ "a": inner }));
    assert_eq!(said(&schema, json!({ "a": deep })).len(), 1);
    assert_eq!(said(&schema, json!({ "a": "x".repeat(17_000) })).len(), 1);
    assert_eq!(said(&schema, json!({ "a\u{7}": 1 })).len(), 1);
}

#[test]
fn a_form_asks_for_what_an_input_can_hold_and_reads_it_back() {
    let schema = of(json!({
        "unit": { "enum": ["lab", 7], "idp": { "order": -1 } },
        "news": { "type": "boolean" },
        "terms": { "type": "boolean", "const": true },
        "size": { "type": "integer", "minimum": 30 },
        "grade": { "type": "string", "readOnly": true },
        "tags": { "type": "array" }
    }));
    let typed = |name: &str| match name {
        "traits.unit" => Some("7"),
        "traits.size" => Some(" 40 "),
        "traits.grade" => Some("A"),
        _ => None,
    };
    let mut document = object(json!({ "grade": "B", "tags": ["x"], "news": true }));
    schema.fill(&mut document, typed);
    assert_eq!(Value::Object(document.clone()), json!({ "grade": "B", "tags": ["x"], "unit": 7, "size": 40 }));
    let problems = [Problem::new(&["size".to_owned()], "must be less")];
    let fields = schema.fields(&Shown { document: &document, problems: &problems, editable: true });
    let names: Vec<_> = fields.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["traits.unit", "traits.grade", "traits.news", "traits.size", "traits.terms"]);
    assert_eq!((fields[0].value.as_str(), fields[3].problem.as_deref()), ("7", Some("Must be less.")));
    let fixed = schema.fields(&Shown { document: &document, problems: &[], editable: false });
    assert!(fixed.iter().all(|f| f.kind == FieldKind::Fixed));
}

/// A schema in which names are an administrator's in every way there is to say so.
fn guarded() -> UserSchema {
    UserSchema::new(json!({
        "type": "object",
        "properties": {
            "email": { "type": "string" },
            "tags": { "type": "array" },
            "free": {},
            "grade": { "type": "string", "readOnly": true },
            "org": { "readOnly": true, "properties": { "unit": { "type": "string" } } },
            "home": { "properties": { "city": { "type": "string" }, "zone": { "$ref": "#/$defs/fixed" } } },
            "level": { "type": "integer" },
            "x_role": { "type": "string" },
            "rank": { "$ref": "#/$defs/plain", "readOnly": true },
            "list": { "type": "array", "items": { "readOnly": true } },
            "late": { "type": "string" }
        },
        "allOf": [
            { "properties": { "level": { "readOnly": true }, "hidden": { "type": "string" } } },
            { "if": { "required": ["late"] }, "then": { "properties": { "late": { "readOnly": true } } } }
        ],
        "patternProperties": { "^x_": { "readOnly": true } },
        "$defs": { "fixed": { "type": "string", "readOnly": true }, "plain": { "type": "string" } }
    }))
    .unwrap()
}

/// The paths of what is no object.
fn leaves(value: &Value, path: &str) -> Vec<String> {
    match value {
        Value::Object(members) => members.iter().flat_map(|(name, v)| leaves(v, &format!("{path}/{name}"))).collect(),
        _ => vec![path.to_owned()],
    }
}

/// What people may set in [`guarded`].
const OWN: [&str; 4] = ["/email", "/free", "/home/city", "/tags"];

#[test]
fn people_set_what_the_schema_names_and_keeps_for_nobody() {
    let (rule, schema) = ("user_schema.own", guarded());
    let mut own: Vec<String> =
        schema.traits().iter().filter(|t| !t.read_only).map(|t| format!("/{}", t.path.join("/"))).collect();
    own.sort();
    assert_eq!(own, OWN, "{rule}");
    for (traits, told) in [
        (json!({ "role": "admin" }), "role: is set by an administrator"),
        (json!({ "grade": "A" }), "grade: is set by an administrator"),
        (json!({ "org": { "unit": "R" } }), "org.unit: is set by an administrator"),
        (json!({ "org": { "boss": true } }), "org.boss: is set by an administrator"),
        (json!({ "org": "x" }), "org: is set by an administrator"),
        (json!({ "home": { "role": "x" } }), "home.role: is set by an administrator"),
        (json!({ "home": "x" }), "home: must be an object"),
        (json!({ "level": 9 }), "level: is set by an administrator"),
        (json!({ "hidden": "x" }), "hidden: is set by an administrator"),
        (json!({ "x_role": "x" }), "x_role: is set by an administrator"),
        (json!({ "x_other": "x" }), "x_other: is set by an administrator"),
        (json!({ "rank": "x" }), "rank: is set by an administrator"),
        (json!({ "list": ["x"] }), "list: is set by an administrator"),
        (json!({ "late": "x" }), "late: is set by an administrator"),
        (json!({ "email_verified": true }), "email_verified: is set by an administrator"),
        (json!({ "home.city": "x" }), "home.city: is set by an administrator"),
        (json!({ "free": { "role": "x" } }), "free: must be a text, a number, true, false or a list of these"),
        (json!({ "tags": [{ "role": "x" }] }), "tags: must be a text, a number, true, false or a list of these"),
    ] {
        let (own, problems) = schema.own(&object(traits.clone()));
        assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [told], "{traits}");
        assert!(own.is_empty(), "{traits}: {own:?}");
    }
    let brought = json!({ "email": "a@b.ch", "tags": ["x", 1], "free": false, "home": { "city": "Bern" } });
    assert_eq!(schema.own(&object(brought.clone())), (object(brought), Vec::new()));
    let many = (0..100).map(|n| (format!("t{n}"), json!(n))).collect();
    assert_eq!(schema.own(&many).1.len(), 20, "not all are told");
    let (own, problems) = UserSchema::standard().own(&object(json!({ "name": "Ada", "nickname": "A" })));
    assert_eq!(
        (Value::Object(own), problems.len()),
        (json!({ "name": "Ada" }), 1),
        "without a schema: name and address"
    );
}

#[test]
fn a_schema_of_kratos_is_guarded_from_its_root_on() {
    let fixed = json!({ "properties": { "traits": { "properties": { "role": { "readOnly": true } } } } });
    let traits = json!({ "properties": { "email": { "type": "string" }, "role": { "type": "string" } } });
    let schema = UserSchema::new(json!({ "properties": { "traits": traits }, "allOf": [fixed] })).unwrap();
    let own: Vec<_> = schema.traits().iter().filter(|t| !t.read_only).map(|t| t.path.join(".")).collect();
    assert_eq!(own, ["email"], "user_schema.own");
}

/// What a stranger might send: names that the schema knows, at any place.
fn any_traits() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), ".{0,6}".prop_map(Value::from)];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let names = [
            "email",
            "tags",
            "free",
            "grade",
            "org",
            "unit",
            "home",
            "city",
            "zone",
            "level",
            "x_role",
            "rank",
            "list",
            "late",
            "hidden",
            "role",
            "traits",
            "home.city",
            "name",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(prop::sample::select(names.to_vec()).prop_map(str::to_owned), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Any JSON, small.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("#/properties/a")),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let name = prop_oneof![
            Just("properties"),
            Just("$ref"),
            Just("type"),
            Just("a"),
            Just("traits"),
            Just("email"),
            Just("idp"),
            Just("enum"),
            Just("required"),
            Just("allOf"),
            Just("pattern"),
            Just("ory.sh/kratos"),
            Just("claim"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_a_stranger_sends_only_what_is_theirs_is_kept(traits in any_traits()) {
        let Value::Object(traits) = traits else { return Ok(()) };
        let schema = guarded();
        let (own, problems) = schema.own(&traits);
        let kept = leaves(&Value::Object(own.clone()), "");
        prop_assert!(kept.iter().all(|path| OWN.contains(&path.as_str())), "{kept:?}");
        let nested = own.values().flat_map(|v| v.as_array()).flatten().any(|item| item.is_object() || item.is_array());
        prop_assert!(!nested, "{own:?}");
        prop_assert!(!problems.is_empty() || leaves(&Value::Object(traits.clone()), "") == kept);
        let settings = RealmSettings { user_schema: Some(schema), ..RealmSettings::default() };
        if let Ok(newcomer) = newcomer(&settings, Some("ada"), traits) {
            let stored = Value::Object(settings.schema().document(&newcomer.profile));
            let stored = leaves(&stored, "");
            prop_assert!(stored.iter().all(|path| OWN.contains(&path.as_str())), "{stored:?}");
            prop_assert!(!newcomer.profile.email_verified);
        }
    }

    #[test]
    fn no_schema_and_no_traits_panic(source in any_json(), traits in any_json()) {
        if let (Ok(schema), Value::Object(traits)) = (UserSchema::new(source), traits) {
            let mut profile = Profile::default();
            if schema.apply(&mut profile, traits.clone()).is_ok() {
                prop_assert_eq!(schema.fits(&profile), Ok(()));
            }
            let _ = schema.fields(&Shown { document: &traits, problems: &[], editable: true });
        }
    }

    #[test]
    fn what_was_applied_is_read_back(first in "[a-zé]{1,9}", email in "[a-z]{1,9}@[a-z]{1,9}\\.org") {
        let (schema, mut profile) = (kratos(), Profile::default());
        let document = object(json!({ "email": email, "name": { "first": first } }));
        prop_assert!(schema.apply(&mut profile, document.clone()).is_ok());
        prop_assert_eq!(schema.document(&profile), document);
    }
}
