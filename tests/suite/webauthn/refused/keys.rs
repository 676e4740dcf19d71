//! The new credential's public key: form, type, curve, algorithm. WebAuthn L3 §5.8.5, §6.5.1.1; RFC 9052 §7, RFC 9053.

use idp_softkey::{Alg, Bend, Faults, Options, SoftKey};

use super::{Row, Stage, put, soft, then};

/// Places in the ES256 key: `{1: 2, 3: -7, -1: 1, -2: x, -3: y}` in this order, coordinates of 32 bytes.
const KTY: usize = 2;
const ALG: usize = 4;
const CRV: usize = 6;
const X: usize = 10;
const Y: usize = 45;

fn row(what: &'static str, bend: Bend, code: &'static str) -> Row {
    (what, Faults { bend_key: Some(bend), ..Faults::default() }, code)
}

#[tokio::test]
async fn each_faulty_p256_key_has_its_reason() {
    let key = |what, bend| row(what, bend, "public_key");
    let alg = |what, bend| row(what, bend, "algorithm_not_allowed");
    let rows = vec![
        row("no CBOR", |_| vec![0xff], "authenticator_data"),
        row("cut off", |b| b[..b.len() - 1].to_vec(), "authenticator_data"),
        row("something after it", |b| then(b, &[0]), "authenticator_data"),
        key("a map of nothing", |_| vec![0xa0]),
        key("an array", |_| vec![0x80]),
        key("a number", |_| vec![0x01]),
        key("no key type", |b| [&[0xa4], &b[3..]].concat()),
        key("no algorithm", |b| [&[0xa4], &b[1..3], &b[5..]].concat()),
        key("the key type twice", |b| [&[0xa6, 1, 2], &b[1..]].concat()),
        key("the algorithm twice", |b| [&[0xa6, 3, 0x26], &b[1..]].concat()),
        key("x twice", |b| [&[0xa6], &b[7..42], &b[1..]].concat()),
        key("key type OKP", |b| put(b, KTY, 1)),
        key("key type RSA", |b| put(b, KTY, 3)),
        key("key type symmetric", |b| put(b, KTY, 4)),
        key("key type 0, reserved", |b| put(b, KTY, 0)),
        key("key type as text", |b| [&b[..2], &[0x61, b'2'], &b[3..]].concat()),
        key("algorithm as text", |b| [&b[..4], &[0x65], b"ES256".as_slice(), &b[5..]].concat()),
        alg("algorithm 0, reserved", |b| put(b, ALG, 0)),
        alg("algorithm HS256", |b| put(b, ALG, 5)),
        alg("algorithm RS1", |b| [&b[..4], &[0x39, 0xff, 0xfe], &b[5..]].concat()),
        alg("algorithm ES256K", |b| [&b[..4], &[0x38, 46], &b[5..]].concat()),
        alg("an algorithm of 64 bits", |b| [&b[..4], &[0x3b, 0x7f, 0, 0, 0, 0, 0, 0, 0], &b[5..]].concat()),
        key("algorithm EdDSA", |b| put(b, ALG, 0x27)),
        key("algorithm ES384 without being one", |b| [&b[..4], &[0x38, 34], &b[5..]].concat()),
        key("curve P-384", |b| put(b, CRV, 2)),
        key("curve P-521", |b| put(b, CRV, 3)),
        key("curve secp256k1", |b| put(b, CRV, 8)),
        key("curve Ed25519", |b| put(b, CRV, 6)),
        key("no curve", |b| [&[0xa4], &b[1..5], &b[7..]].concat()),
        key("x a byte short", |b| [&b[..9], &[31], &b[11..]].concat()),
        key("x a byte long", |b| [&b[..9], &[33, 0], &b[X..]].concat()),
        key("no x", |b| [&[0xa4], &b[1..7], &b[42..]].concat()),
        key("no y", |b| [&[0xa4], &b[1..42]].concat()),
        key("y a sign alone, a compressed point", |b| [&b[..43], &[0xf5]].concat()),
        key("y as text", |b| put(b, 43, 0x78)),
        key("not on the curve, by x", |b| {
            let x = b[X];
            put(b, X, x ^ 1)
        }),
        key("not on the curve, by y", |b| {
            let y = b[Y];
            put(b, Y, y ^ 1)
        }),
        key("the point at zero", |b| [&b[..X], &[0; 32], &b[42..Y], &[0; 32]].concat()),
        key("coordinates beyond the field", |b| [&b[..X], &[0xff; 32], &b[42..Y], &[0xff; 32]].concat()),
        key("3 KiB of it", |b| [&[0xa6, 0x18, 99, 0x59, 0x0c, 0], [0; 3072].as_slice(), &b[1..]].concat()),
    ];
    let rows = rows.into_iter().map(|(what, faults, code)| match what {
        // A text of bytes that are no UTF-8 is no CBOR at all.
        "y as text" => (what, faults, "authenticator_data"),
        _ => (what, faults, code),
    });
    Stage::new().await.refuses_registrations(soft, rows.collect()).await;
}

fn ed25519() -> SoftKey {
    SoftKey::new(Alg::Ed25519, Options::platform())
}

#[tokio::test]
async fn each_faulty_ed25519_key_has_its_reason() {
    let key = |what, bend| row(what, bend, "public_key");
    let rows = vec![
        key("curve X25519", |b| put(b, CRV, 4)),
        key("curve Ed448", |b| put(b, CRV, 7)),
        key("curve P-256", |b| put(b, CRV, 1)),
        key("key type EC2", |b| put(b, KTY, 2)),
        key("x a byte short", |b| [&b[..9], &[31], &b[11..]].concat()),
        key("no x", |b| [&[0xa3], &b[1..7]].concat()),
    ];
    Stage::new().await.refuses_registrations(ed25519, rows).await;
}

fn rs256() -> SoftKey {
    // Slow to make; nothing here depends on which key it is.
    SoftKey::new(Alg::Rs256, Options::platform())
}

#[tokio::test]
async fn each_faulty_rsa_key_has_its_reason() {
    // `{1: 3, 3: -257, -1: n (256 bytes from 10), -2: e (3 bytes)}`.
    const N: usize = 11;
    let key = |what, bend| row(what, bend, "public_key");
    let rows = vec![
        key("exponent 1: anybody could sign", |b| [&b[..b.len() - 4], &[0x41, 1]].concat()),
        key("an even exponent", |b| [&b[..b.len() - 1], &[0]].concat()),
        key("an empty exponent", |b| [&b[..b.len() - 4], &[0x40]].concat()),
        key("an even modulus", |b| {
            let last = N + 255;
            put(b, last, 0)
        }),
        key("a modulus of zeros in front", |b| put(b, N, 0)),
        key("a modulus of 1024 bits", |b| [&b[..N - 2], &[0, 128], &b[N..N + 127], &[1], &b[N + 256..]].concat()),
    ];
    Stage::new().await.refuses_registrations(rs256, rows).await;
}
