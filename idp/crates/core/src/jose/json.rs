//! JSON in which no object has a member twice: what one reader takes from the first, another takes from the last.
//! RFC 7515 §4, RFC 7519 §4.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// An object that fills `bytes`, without doubled members at any depth. Nesting beyond 128 and numbers beyond a double
/// are no JSON here.
pub(crate) fn object(bytes: &[u8]) -> Option<Map<String, Value>> {
    match serde_json::from_slice::<Once>(bytes) {
        Ok(Once(Value::Object(map))) => Some(map),
        _ => None,
    }
}

struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader).map(Self)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without doubled members")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Once(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Once(value))) = members.next_entry::<String, Once>()? {
            if map.insert(name, value).is_some() {
                return Err(A::Error::custom("a member came twice"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn takes_an_object_whose_members_come_once_at_any_depth() {
        for good in [r#"{}"#, r#" {"a":[1,-1,1.5,null,true,"x",{"b":{}}],"c":"d"} "#] {
            assert_eq!(
                object(good.as_bytes()).map(serde_json::Value::Object),
                serde_json::from_str(good).ok(),
                "{good}"
            );
        }
        let deep = "[".repeat(100_000);
        for bad in ["", "[]", "1", r#"{"a":1,"a":1}"#, r#"{"a":{"b":1,"\u0062":2}}"#, r#"{"a":1e400}"#, "{} x", &deep] {
            assert_eq!(object(bad.as_bytes()), None);
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), None);
    }
}
