//! `acr_values` (voluntary) and `claims.id_token.acr` (essential where it says so).
//! An `acr` of the `claims` parameter takes the place of `acr_values` (OIDC Core §5.5.1.1).

use serde_json::Value;

use super::super::{AcrDemand, Input};
use crate::oauth::error::{ErrorCode, OAuthError};

/// More values than this are a mistake or an attack.
const MOST_VALUES: usize = 16;

/// Reads both parameters.
///
/// # Errors
/// `invalid_request` when `claims` is not the JSON object of OIDC Core §5.5, or there are too many values.
pub fn parse(input: &Input<'_>) -> Result<AcrDemand, OAuthError> {
    let refuse = |text| OAuthError::new(ErrorCode::InvalidRequest, "acr.form", text);
    let asked = match input.params.one("claims") {
        None => None,
        Some(text) => {
            let claims: Value = serde_json::from_str(text).map_err(|_| refuse("claims is not JSON"))?;
            let claims = claims.as_object().ok_or_else(|| refuse("claims is not a JSON object"))?;
            match claims.get("id_token") {
                None | Some(Value::Null) => None,
                Some(Value::Object(id_token)) => of_claim(id_token.get("acr")).map_err(refuse)?,
                Some(_) => return Err(refuse("claims.id_token is not an object")),
            }
        }
    };
    let demand = asked.unwrap_or_else(|| AcrDemand {
        values: input
            .params
            .one("acr_values")
            .unwrap_or_default()
            .split(' ')
            .filter(|v| !v.is_empty())
            .map(str::to_owned)
            .collect(),
        essential: false,
    });
    if demand.values.len() > MOST_VALUES || demand.values.iter().any(|v| v.len() > 128) {
        return Err(refuse("too many or too long acr values"));
    }
    Ok(demand)
}

/// One claim request: `null`, or an object with `essential`, `value`, `values`.
fn of_claim(acr: Option<&Value>) -> Result<Option<AcrDemand>, &'static str> {
    let claim = match acr {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(claim)) => claim,
        Some(_) => return Err("claims.id_token.acr is not an object"),
    };
    let essential = match claim.get("essential") {
        None => false,
        Some(Value::Bool(essential)) => *essential,
        Some(_) => return Err("essential is not true or false"),
    };
    let texts = |values: &[Value]| {
        let texts = values.iter().map(|v| v.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
        texts.ok_or("an acr value is not a text")
    };
    let values = match (claim.get("value"), claim.get("values")) {
        (Some(value), _) => texts(std::slice::from_ref(value))?,
        (None, Some(Value::Array(values))) => texts(values)?,
        (None, None) => Vec::new(),
        (None, Some(_)) => return Err("values is not an array"),
    };
    // Essential without a value asks for any acr at all, which every token carries.
    Ok(Some(AcrDemand { essential: essential && !values.is_empty(), values }))
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
