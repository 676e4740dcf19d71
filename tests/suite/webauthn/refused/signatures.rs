//! Signatures that are not the passkey's. WebAuthn L3 §6.5.5 (forms), §7.2 step 21, §13.4.1.

use idp_softkey::{Alg, Bend, Faults, Options, SoftKey};
use serde_json::json;

use super::{Stage, base64url, from_base64url, put, then};
use crate::world::acts::refused;

fn faults(bend: Bend) -> Faults {
    Faults { bend_signature: Some(bend), ..Faults::default() }
}

/// The numbers of a DER signature, leading zeros taken off.
fn numbers(der: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let r_len = usize::from(der[3]);
    let trim = |n: &[u8]| n.iter().copied().skip_while(|b| *b == 0).collect::<Vec<_>>();
    (trim(&der[4..4 + r_len]), trim(&der[6 + r_len..]))
}

/// Big-endian bytes of a number that is not negative.
fn positive(n: Vec<u8>) -> Vec<u8> {
    if n[0] & 0x80 == 0 { n } else { [vec![0], n].concat() }
}

/// `n - s` for the order `n` of P-256: the other half of a signature that is as good (FIPS 186-5 §6.4.2).
fn mirrored(s: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut borrow = 0;
    let mut out: Vec<u8> = (0..32)
        .rev()
        .map(|at| {
            let below = 32 - s.len();
            let digit = if at < below { 0 } else { i16::from(s[at - below]) };
            let left = i16::from(ORDER[at]) - digit - borrow;
            borrow = i16::from(left < 0);
            u8::try_from(left.rem_euclid(256)).unwrap()
        })
        .collect();
    out.reverse();
    out.into_iter().skip_while(|b| *b == 0).collect()
}

/// DER of two numbers as they are.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let int = |n: &[u8]| [&[2, u8::try_from(n.len()).unwrap()], n].concat();
    let body = [int(r), int(s)].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], body.as_slice()].concat()
}

#[tokio::test]
async fn each_malformed_signature_is_refused() {
    let row = |what: &'static str, bend: Bend| (what, faults(bend), "signature");
    let rows = vec![
        row("none", |_| Vec::new()),
        row("a byte", |_| vec![0]),
        row("cut off", |b| b[..b.len() - 1].to_vec()),
        row("a byte after it", |b| then(b, &[0])),
        row("a byte inside of the sequence", |b| {
            let length = b[1];
            then(put(b, 1, length + 1), &[0])
        }),
        row("twice", |b| [b.clone(), b].concat()),
        row("no sequence", |b| put(b, 0, 0x31)),
        row("a length too short", |b| {
            let length = b[1];
            put(b, 1, length - 1)
        }),
        row("a length too long", |b| {
            let length = b[1];
            put(b, 1, length + 1)
        }),
        row("a length in long form", |b| [&[0x30, 0x81], &b[1..]].concat()),
        row("a length without end", |b| [&[0x30, 0x80], &b[2..], &[0, 0]].concat()),
        row("no integer", |b| put(b, 2, 3)),
        row("raw numbers (P1363)", |b| {
            let (r, s) = numbers(&b);
            [r, s].concat()
        }),
        row("r is zero", |b| der(&[0], &numbers(&b).1)),
        row("s is zero", |b| der(&numbers(&b).0, &[0])),
        row("both are zero", |_| der(&[0], &[0])),
        row("both are one", |_| der(&[1], &[1])),
        row("r is empty", |b| der(&[], &numbers(&b).1)),
        row("r is negative", |b| der(&[[0x80].as_slice(), &numbers(&b).0[1..]].concat(), &numbers(&b).1)),
        row("r with zeros in front", |b| der(&[&[0, 0, 0], numbers(&b).0.as_slice()].concat(), &numbers(&b).1)),
        row("r and s changed places", |b| {
            let (r, s) = numbers(&b);
            der(&positive(s), &positive(r))
        }),
        row("beyond the order of the curve", |_| der(&[&[0], [0xff; 32].as_slice()].concat(), &[1])),
        row("all bits", |b| vec![0xff; b.len()]),
        row("a bit of r", |b| {
            let bit = b[20];
            put(b, 20, bit ^ 1)
        }),
        row("8 KiB", |_| vec![0x30; 8192]),
        row("JSON", |_| b"{\"r\":1,\"s\":1}".to_vec()),
    ];
    Stage::new().await.refuses_assertions(rows).await;
}

#[tokio::test]
async fn what_was_signed_is_what_was_sent() {
    let mut stage = Stage::new().await;
    let issuer = stage.w.issuer.clone();
    let good = stage.ann.keys[0].get(&stage.sign_in, &issuer);
    let bytes = |name: &str| from_base64url(good["response"][name].as_str().unwrap()).unwrap();
    let mut rows = Vec::new();
    let mut with = |name: &str, value: Vec<u8>| {
        let mut credential = good.clone();
        credential["response"][name] = json!(base64url(value));
        rows.push(credential);
    };
    // A member more or a space more in the client data; another counter or a reserved flag in the authenticator data.
    with("clientDataJSON", then(bytes("clientDataJSON"), b" "));
    with("clientDataJSON", [b"{\"x\":1,", &bytes("clientDataJSON")[1..]].concat());
    with("authenticatorData", put(bytes("authenticatorData"), 36, 9));
    with("authenticatorData", put(bytes("authenticatorData"), 32, 0x07));
    // Another key's signature over the same; this key's over another challenge.
    let mut other = SoftKey::new(Alg::Es256, Options::platform());
    other.user_handle.clone_from(&stage.ann.keys[0].user_handle);
    let theirs = other.get(&stage.sign_in, &issuer);
    with("signature", from_base64url(theirs["response"]["signature"].as_str().unwrap()).unwrap());
    let begun = stage.browser.begin_sign_in().await;
    let before = stage.ann.keys[0].get(&begun, &issuer);
    with("signature", from_base64url(before["response"]["signature"].as_str().unwrap()).unwrap());
    for credential in rows {
        assert_eq!(stage.assert(credential.clone()).await, refused(400, "signature"), "{credential}");
    }
    stage.honest_assertion().await;
}

#[tokio::test]
async fn keys_of_other_algorithms_are_held_to_their_own_form() {
    for alg in [Alg::Ed25519, Alg::Rs256] {
        let mut stage = Stage::new().await;
        let mut key = SoftKey::new(alg, Options::platform());
        let enrolled = stage.browser.register(&stage.enrol, &mut key, &Faults::default()).await;
        assert_eq!(enrolled.status, 201, "{}", enrolled.body);
        stage.sign_in = stage.browser.begin_sign_in().await;
        let bends: [Bend; 5] = [
            |_| Vec::new(),
            |b| b[..b.len() - 1].to_vec(),
            |b| then(b, &[0]),
            |b| vec![0; b.len()],
            |_| der(&[1], &[1]),
        ];
        for bend in bends {
            let credential = key.get_with(&stage.sign_in, &stage.w.issuer, &faults(bend));
            assert_eq!(stage.assert(credential).await, refused(400, "signature"), "{alg:?}");
        }
        let answer = stage.browser.assert_with(&stage.sign_in, &mut key, &Faults::default()).await;
        assert_eq!(answer.stand(), "complete", "{alg:?}");
    }
}

#[tokio::test]
async fn both_halves_of_a_signature_are_good_for_one_ceremony() {
    // Who mirrors a signature in flight has gained nothing: the challenge is used up by either half.
    let mut stage = Stage::new().await;
    let bend: Bend = |b| {
        let (r, s) = numbers(&b);
        der(&positive(r), &positive(mirrored(&s)))
    };
    let good = stage.ann.keys[0].get(&stage.sign_in, &stage.w.issuer);
    let mut other = good.clone();
    let signature = from_base64url(good["response"]["signature"].as_str().unwrap()).unwrap();
    other["response"]["signature"] = json!(base64url(bend(signature)));
    let send = async |credential: &serde_json::Value| {
        let body = json!({ "ceremony": stage.sign_in["ceremony"], "credential": credential });
        stage.browser.clone().json("/webauthn/authenticate", &body).await
    };
    assert_eq!(send(&other).await.stand(), "complete");
    assert_eq!(send(&good).await.verdict(), refused(409, "ceremony_used"));
}
