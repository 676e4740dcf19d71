//! Authenticator data and what is around them: lengths, hash, flags, extensions. WebAuthn L3 §6.1, §6.5.1, §6.5.4.

use idp_softkey::{Faults, Options};

use super::{Row, Stage, auth_data, put, soft, then};

/// Place of the flags; before it stands the hash of the RP ID, after it four bytes of counter.
const FLAGS: usize = 32;
const ED: u8 = 0x80;

fn sha256(text: &str) -> [u8; 32] {
    idp_core::secret::sha256(text.as_bytes())
}

fn hash_of(bytes: &[u8], rp_id: &str) -> Vec<u8> {
    [&sha256(rp_id), &bytes[32..]].concat()
}

/// Flips flags.
fn flip(bytes: Vec<u8>, flags: u8) -> Vec<u8> {
    let now = bytes[FLAGS];
    put(bytes, FLAGS, now ^ flags)
}

fn both() -> Vec<Row> {
    let data = |what, bend| (what, auth_data(bend), "authenticator_data");
    let rp_id = |what, bend| (what, auth_data(bend), "rp_id_mismatch");
    vec![
        data("empty", |_| Vec::new()),
        data("a byte", |_| vec![0]),
        data("one byte short of a counter", |b| b[..36].to_vec()),
        data("a byte too many", |b| then(b, &[0])),
        data("a second copy behind it", |b| [b.clone(), b].concat()),
        data("extensions promised, none there", |b| flip(b, ED)),
        data("extensions there, none promised", |b| then(b, &[0xa0])),
        data("extensions are no CBOR", |b| then(flip(b, ED), &[0xff])),
        data("extensions are a number", |b| then(flip(b, ED), &[0x01])),
        data("extensions are an array", |b| then(flip(b, ED), &[0x80])),
        data("extensions are a text", |b| then(flip(b, ED), &[0x61, b'x'])),
        data("extensions are cut off", |b| then(flip(b, ED), &[0xa1, 0x61, b'x'])),
        data("extensions promise four billion entries", |b| then(flip(b, ED), &[0xba, 0xff, 0xff, 0xff, 0xff])),
        data("extensions with a key twice", |b| then(flip(b, ED), &[0xa2, 0x61, b'x', 1, 0x61, b'x', 2])),
        data("extensions nested too deep", |b| then(flip(b, ED), &[[0xa1, 0x01].repeat(50), vec![0xa0]].concat())),
        data("something after the extensions", |b| then(flip(b, ED), &[0xa0, 0x00])),
        data("a second map after the extensions", |b| then(flip(b, ED), &[0xa0, 0xa0])),
        rp_id("a hash of zeros", |b| [&[0; 32], &b[32..]].concat()),
        rp_id("the hash of nothing", |b| hash_of(&b, "")),
        rp_id("the hash of a subdomain", |b| hash_of(&b, "www.localhost")),
        rp_id("the hash of other case", |b| hash_of(&b, "LOCALHOST")),
        rp_id("the hash with a trailing dot", |b| hash_of(&b, "localhost.")),
        rp_id("the hash of an origin", |b| hash_of(&b, "http://localhost")),
        rp_id("the hash of another site", |b| hash_of(&b, "evil.example")),
        rp_id("one bit of the hash", |b| {
            let first = b[0];
            put(b, 0, first ^ 1)
        }),
        ("no user present", auth_data(|b| flip(b, 0x01)), "user_not_present"),
        ("no user present or verified", auth_data(|b| flip(b, 0x05)), "user_not_present"),
        ("no user verified", auth_data(|b| flip(b, 0x04)), "user_not_verified"),
        ("backed up, not eligible", auth_data(|b| flip(b, 0x10)), "backup_state"),
    ]
}

#[tokio::test]
async fn each_forgery_of_an_assertion_has_its_reason() {
    let mut rows = both();
    rows.extend([
        ("a credential promised, none there", auth_data(|b| flip(b, 0x40)), "authenticator_data"),
        ("no flags at all", auth_data(|b| put(b, FLAGS, 0)), "user_not_present"),
        ("all flags", auth_data(|b| put(b, FLAGS, 0xff)), "authenticator_data"),
        ("eligible for backup all at once", auth_data(|b| flip(b, 0x08)), "backup_eligibility_changed"),
        ("backed up all at once", auth_data(|b| flip(b, 0x18)), "backup_eligibility_changed"),
    ]);
    Stage::new().await.refuses_assertions(rows).await;
}

#[tokio::test]
async fn a_synced_passkey_does_not_become_one_of_a_device() {
    let mut stage = Stage::with(Options::synced()).await;
    let rows = vec![
        ("no longer backed up or eligible", auth_data(|b| flip(b, 0x18)), "backup_eligibility_changed"),
        ("backed up, no longer eligible", auth_data(|b| flip(b, 0x08)), "backup_state"),
    ];
    stage.refuses_assertions(rows).await;
}

/// Where the length of the credential id stands in a registration: hash, flags, counter, AAGUID.
const LENGTH: usize = 32 + 1 + 4 + 16;

#[tokio::test]
async fn each_forgery_of_a_registration_has_its_reason() {
    let data = |what, bend| (what, auth_data(bend), "authenticator_data");
    let mut rows = both();
    rows.extend([
        data("no flags at all", |b| put(b, FLAGS, 0)),
        data("no credential promised, one there", |b| flip(b, 0x40)),
        data("no credential promised, none there", |b| flip(b[..37].to_vec(), 0x40)),
        data("ends with the counter", |b| b[..37].to_vec()),
        data("ends within the AAGUID", |b| b[..45].to_vec()),
        data("ends with the AAGUID", |b| b[..LENGTH].to_vec()),
        data("ends within the credential id", |b| b[..LENGTH + 10].to_vec()),
        data("ends with the credential id", |b| b[..LENGTH + 2 + 32].to_vec()),
        data("ends within the key", |b| b[..b.len() - 1].to_vec()),
        data("an empty credential id", |b| [&b[..LENGTH], &[0, 0], &b[LENGTH + 34..]].concat()),
        data("a credential id longer than everything", |b| put(b, LENGTH, 0xff)),
        // What was its last byte is no key.
        (
            "a credential id one byte shorter",
            auth_data(|b| put(put(b, LENGTH + 1, 31), LENGTH + 33, 0)),
            "authenticator_data",
        ),
    ]);
    let object = |what, bend| {
        let faults = Faults { bend_object: Some(bend), ..Faults::default() };
        (what, faults, "attestation_object")
    };
    rows.extend([
        object("an empty object", |_| Vec::new()),
        object("an object that is a map of nothing", |_| vec![0xa0]),
        object("an object that is an array", |_| vec![0x80]),
        object("an object cut off", |b| b[..b.len() - 1].to_vec()),
        object("something after the object", |b| then(b, &[0])),
        object("a second object after it", |b| [b.clone(), b].concat()),
        object("fmt is there twice", |b| [&[0xa4, 0x63], b"fmt".as_slice(), &[0x64], b"none", &b[1..]].concat()),
        object("fmt is a number", |b| [&b[..5], &[0x01], &b[10..]].concat()),
        object("fmt is missing", |b| [&[0xa2], &b[10..]].concat()),
        object("attStmt is an array", |b| replaced(&b, b"attStmt\xa0", b"attStmt\x80")),
        object("authData is a text", |b| replaced(&b, b"authData\x58", b"authData\x78")),
        object("a map without end", |b| put(b, 0, 0xbb)),
        object("JSON", |_| br#"{"fmt":"none","attStmt":{},"authData":""}"#.to_vec()),
    ]);
    Stage::new().await.refuses_registrations(soft, rows).await;
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes.windows(old.len()).position(|w| w == old).expect("there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

#[tokio::test]
async fn extensions_nobody_asked_for_and_reserved_flags_are_no_fault() {
    // WebAuthn L3 §7.1 step 19 and §7.2 step 22: unsolicited outputs are ignored; §6.1: reserved bits too.
    let mut stage = Stage::new().await;
    let harmless: [idp_softkey::Bend; 3] =
        [|b| then(flip(b, ED), &[0xa1, 0x61, b'x', 0xf6]), |b| flip(b, 0x02), |b| flip(b, 0x20)];
    for bend in harmless {
        let answer = stage.w.browser().try_passkey(&mut stage.ann.keys[0], &auth_data(bend)).await;
        assert_eq!(answer.stand(), "complete");
    }
    let odd = auth_data(|b| then(flip(b, ED | 0x22), &[0xa1, 0x61, b'x', 0xf6]));
    let answer = stage.browser.register(&stage.enrol, &mut soft(), &odd).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}
