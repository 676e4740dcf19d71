//! CBOR as authenticators write it: one item, no duplicate keys, bounded depth.
//!
//! CTAP 2.1 §8 (message encoding), RFC 8949.

use ciborium::Value;

/// Deepest nesting that is read; CTAP 2.1 §8 itself allows four levels.
const DEPTH: usize = 8;

/// Reads one item from the front of `bytes`; answers it and what follows it.
pub(super) fn read(bytes: &[u8]) -> Option<(Value, &[u8])> {
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH).ok()?;
    Some((value, rest))
}

/// A map's entries. Two entries of one key are refused: readers would disagree about which of them counts.
pub(super) fn entries(value: Value) -> Option<Vec<(Value, Value)>> {
    let Value::Map(entries) = value else { return None };
    let mut seen: Vec<&Value> = Vec::with_capacity(entries.len().min(16));
    for (key, _) in &entries {
        // More keys than any structure here has: do not spend quadratic time on them.
        if seen.len() > 64 || seen.contains(&key) {
            return None;
        }
        seen.push(key);
    }
    Some(entries)
}

/// Takes the value of a text key out of a map.
pub(super) fn take(entries: &mut Vec<(Value, Value)>, key: &str) -> Option<Value> {
    let at = entries.iter().position(|(k, _)| k.as_text() == Some(key))?;
    Some(entries.swap_remove(at).1)
}

/// The value of an integer key of a map.
pub(super) fn at(entries: &[(Value, Value)], key: i64) -> Option<&Value> {
    entries.iter().find(|(k, _)| integer(k) == Some(key)).map(|(_, v)| v)
}

/// An integer that fits 64 bits.
pub(super) fn integer(value: &Value) -> Option<i64> {
    value.as_integer().and_then(|n| i64::try_from(n).ok())
}
