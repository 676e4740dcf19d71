//! Which COSE keys are read, and which are usable.

use ciborium::{Value, cbor};
use idp_core::passkey::cose::{KeyError, PublicKey};
use idp_core::passkey::registration::Registered;
use idp_softkey::{Alg, Options, SoftKey};

use crate::support::*;

fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(value, &mut out).unwrap();
    out
}

fn own_key(alg: Alg) -> Value {
    let mut key = SoftKey::new(alg, Options::platform());
    let Registered { public_key, .. } =
        verify_registration(&key.create(&creation_options(&lenient()), ORIGIN), &lenient()).unwrap();
    ciborium::from_reader(public_key.as_slice()).unwrap()
}

/// The key with one label set to something else; `None`: left out.
fn with(key: &Value, label: i64, value: Option<Value>) -> Result<PublicKey, KeyError> {
    let mut map = key.as_map().unwrap().clone();
    map.retain(|(k, _)| k.as_integer() != Some(label.into()));
    map.extend(value.map(|value| (Value::from(label), value)));
    PublicKey::parse(&bytes(&Value::Map(map)))
}

#[test]
fn a_key_of_one_algorithm_is_refused_under_every_other() {
    for (alg, own) in [(Alg::Es256, -7), (Alg::Ed25519, -8), (Alg::Rs256, -257)] {
        let key = own_key(alg);
        for claimed in [-7, -8, -35, -36, -257] {
            let read = with(&key, 3, Some(claimed.into()));
            assert_eq!(read.is_ok(), claimed == own, "{alg:?} as {claimed}");
        }
        assert_eq!(with(&key, 3, Some((-47).into())), Err(KeyError::Algorithm(-47)));
        assert_eq!(with(&key, 3, None), Err(KeyError::Malformed));
    }
}

#[test]
fn refuses_parameters_that_are_not_the_algorithms() {
    let ec = own_key(Alg::Es256);
    for (label, value) in [
        (1, Value::from(3)),
        (-1, Value::from(2)),
        (-2, Value::Bytes(vec![1; 31])),
        (-2, Value::Bytes(vec![0; 33])),
        // The compressed form: a sign instead of y.
        (-3, Value::Bool(true)),
    ] {
        assert_eq!(with(&ec, label, Some(value.clone())), Err(KeyError::Parameters), "{label} {value:?}");
        assert!(with(&ec, label, None).is_err());
    }
    let rsa = own_key(Alg::Rs256);
    for (label, value) in [
        (-1, Value::Bytes(vec![0xff; 255])),
        (-1, Value::Bytes([vec![0], vec![0xff; 256]].concat())),
        (-1, Value::Bytes(vec![0xff; 1025])),
        (-2, Value::Bytes(vec![])),
        (-2, Value::Bytes(vec![0, 1, 0, 1])),
        (-2, Value::Bytes(vec![1; 6])),
        (-2, Value::Bytes(vec![1])),
        (-2, Value::Bytes(vec![2])),
    ] {
        assert_eq!(with(&rsa, label, Some(value)), Err(KeyError::Parameters));
    }
}

#[test]
fn a_point_off_the_curve_is_no_key() {
    let ec = own_key(Alg::Es256);
    assert!(with(&ec, 99, None).unwrap().is_valid());
    assert!(!with(&ec, -3, Some(Value::Bytes(vec![1; 32]))).unwrap().is_valid());
}

#[test]
fn refuses_what_two_readers_could_read_differently() {
    let ec = own_key(Alg::Es256);
    let twice = Value::Map([ec.as_map().unwrap().clone(), vec![(3.into(), (-8).into())]].concat());
    assert_eq!(PublicKey::parse(&bytes(&twice)), Err(KeyError::Malformed));
    let followed = [bytes(&ec), vec![0]].concat();
    assert_eq!(PublicKey::parse(&followed), Err(KeyError::Malformed));
    for other in [cbor!([1, 2]).unwrap(), cbor!({}).unwrap(), cbor!("key").unwrap()] {
        assert_eq!(PublicKey::parse(&bytes(&other)), Err(KeyError::Malformed));
    }
}
