//! The `claims` parameter: single claims asked for by name. OIDC Core §5.5.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// More claims than this are a mistake or an attack.
const MOST: usize = 50;
/// Longest name, in bytes.
const LONGEST_NAME: usize = 128;

/// One claim asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRequest {
    pub name: String,
    /// The client cannot do without it; never a reason to refuse, but for `acr` (OIDC Core §5.5.1).
    pub essential: bool,
    /// `value` or `values`, each as JSON text; empty: any.
    pub values: Vec<String>,
}

/// Claims asked for by name, and where they shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    pub id_token: Vec<ClaimRequest>,
    pub userinfo: Vec<ClaimRequest>,
}

impl ClaimsRequest {
    /// Whether nothing is asked for.
    pub const fn is_empty(&self) -> bool {
        self.id_token.is_empty() && self.userinfo.is_empty()
    }

    /// Reads the parameter. Members that the specification does not name are ignored, as it demands.
    ///
    /// # Errors
    /// A sentence for the client's developer.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let whole: Value = serde_json::from_str(text).map_err(|_| "claims is not JSON")?;
        let whole = whole.as_object().ok_or("claims is not a JSON object")?;
        let request = Self { id_token: requests(whole, "id_token")?, userinfo: requests(whole, "userinfo")? };
        if request.id_token.len() + request.userinfo.len() > MOST {
            return Err("claims asks for more than 50 claims");
        }
        Ok(request)
    }

    /// A claim asked for in the ID token.
    pub fn in_id_token(&self, name: &str) -> Option<&ClaimRequest> {
        self.id_token.iter().find(|claim| claim.name == name)
    }

    /// Whether somebody whose `sub` is `subject` may be the answer: a value asked for anywhere names nobody else.
    pub fn admits_subject(&self, subject: &str) -> bool {
        let subject = Value::from(subject).to_string();
        let mut named = self.id_token.iter().chain(&self.userinfo).filter(|c| c.name == "sub" && !c.values.is_empty());
        named.all(|claim| claim.values.contains(&subject))
    }
}

/// The members of `id_token` or `userinfo`.
fn requests(whole: &Map<String, Value>, place: &str) -> Result<Vec<ClaimRequest>, &'static str> {
    match whole.get(place) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(claims)) => claims.iter().map(|(name, asked)| request(name, asked)).collect(),
        Some(_) => Err("a member of claims is not an object"),
    }
}

/// `null`, or an object with `essential`, `value`, `values` (OIDC Core §5.5.1).
fn request(name: &str, asked: &Value) -> Result<ClaimRequest, &'static str> {
    if name.len() > LONGEST_NAME {
        return Err("a claim in claims has a name of more than 128 bytes");
    }
    let none = Map::new();
    let asked = match asked {
        Value::Null => &none,
        Value::Object(asked) => asked,
        _ => return Err("a claim in claims is neither null nor an object"),
    };
    let essential = match asked.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err("essential in claims is not true or false"),
    };
    let values = match (asked.get("value"), asked.get("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value.to_string()],
        (None, Some(Value::Array(values))) => values.iter().map(Value::to_string).collect(),
        (None, Some(_)) => return Err("values in claims is not an array"),
        (Some(_), Some(_)) => return Err("a claim in claims has value and values"),
    };
    Ok(ClaimRequest { name: name.to_owned(), essential, values })
}

#[cfg(test)]
mod tests {
    use super::{ClaimRequest, ClaimsRequest};

    #[test]
    fn reads_the_example_of_the_specification() {
        let text = r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,"http://example.info/x":null},
            "id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:silver"]},"n":{"value":[1,{"a":2}]}},
            "other":7}"#;
        let request = ClaimsRequest::parse(text).unwrap();
        let claim = |name: &str, essential, values: &[&str]| ClaimRequest {
            name: name.to_owned(),
            essential,
            values: values.iter().map(|v| (*v).to_owned()).collect(),
        };
        let mut userinfo = request.userinfo.clone();
        userinfo.sort_by(|a, b| a.name.cmp(&b.name));
        let expected =
            [claim("given_name", true, &[]), claim("http://example.info/x", false, &[]), claim("nickname", false, &[])];
        assert_eq!(userinfo, expected);
        assert_eq!(request.in_id_token("acr"), Some(&claim("acr", false, &["\"urn:mace:silver\""])));
        assert_eq!(request.in_id_token("n"), Some(&claim("n", false, &["[1,{\"a\":2}]"])));
        assert!(ClaimsRequest::parse("{}").unwrap().is_empty());
        assert!(ClaimsRequest::parse(r#"{"id_token":null}"#).unwrap().is_empty());
    }

    #[test]
    fn admits_whom_every_value_of_sub_names() {
        let admits = |text: &str| ClaimsRequest::parse(text).unwrap().admits_subject("ann\"");
        assert!(admits("{}") && admits(r#"{"id_token":{"sub":null}}"#));
        assert!(admits(r#"{"id_token":{"sub":{"value":"ann\""}}}"#));
        assert!(admits(r#"{"userinfo":{"sub":{"values":["bob","ann\""]}}}"#));
        assert!(!admits(r#"{"id_token":{"sub":{"value":"bob"}}}"#));
        assert!(!admits(r#"{"id_token":{"sub":{"value":"ann\""}},"userinfo":{"sub":{"value":"bob"}}}"#));
        assert!(!admits(r#"{"id_token":{"sub":{"value":7}}}"#));
    }

    #[test]
    fn refuses_every_other_form_and_size() {
        let fifty_one: Vec<String> = (0..51).map(|n| format!("\"c{n}\":null")).collect();
        for text in [
            "",
            "{",
            "[]",
            "7",
            r#"{"id_token":[]}"#,
            r#"{"userinfo":"x"}"#,
            r#"{"userinfo":{"a":true}}"#,
            r#"{"userinfo":{"a":{"essential":1}}}"#,
            r#"{"userinfo":{"a":{"values":"x"}}}"#,
            r#"{"userinfo":{"a":{"value":1,"values":[1]}}}"#,
            &format!("{{\"userinfo\":{{\"{}\":null}}}}", "n".repeat(129)),
            &format!("{{\"userinfo\":{{{}}}}}", fifty_one.join(",")),
            &"[".repeat(100_000),
        ] {
            assert!(ClaimsRequest::parse(text).is_err(), "{text:.100}");
        }
    }
}
