//! `acr_values`, or the `acr` of `claims.id_token`, which takes its place (OIDC Core §5.5.1.1), or the client's default.

use serde_json::Value;

use super::super::{AcrDemand, Input};
use super::claims;
use crate::oauth::error::{ErrorCode, OAuthError};

/// More values than this are a mistake or an attack.
const MOST_VALUES: usize = 16;

/// Reads what is asked for.
///
/// # Errors
/// `invalid_request` when there are too many values, or one is no text.
pub fn parse(input: &Input<'_>) -> Result<AcrDemand, OAuthError> {
    let refuse = |text| OAuthError::new(ErrorCode::InvalidRequest, "acr.form", text);
    let demand = match claims::parse(input)?.in_id_token("acr") {
        Some(claim) => {
            let texts = claim.values.iter().map(|v| serde_json::from_str::<Value>(v).ok()?.as_str().map(str::to_owned));
            let values: Vec<String> =
                texts.collect::<Option<_>>().ok_or_else(|| refuse("an acr value is not a text"))?;
            // Essential without a value asks for any acr at all, which every token carries.
            AcrDemand { essential: claim.essential && !values.is_empty(), values }
        }
        None => of_parameter(input),
    };
    if demand.values.len() > MOST_VALUES || demand.values.iter().any(|v| v.len() > 128) {
        return Err(refuse("too many or too long acr values"));
    }
    Ok(demand)
}

/// `acr_values` is voluntary (OIDC Core §3.1.2.1), but binding where a resource server asked for it (RFC 9470 §5) or
/// the client is set up so.
fn of_parameter(input: &Input<'_>) -> AcrDemand {
    let settings = &input.client.settings;
    let values = match input.params.one("acr_values") {
        Some(text) => text.split(' ').filter(|v| !v.is_empty()).map(str::to_owned).collect(),
        None => settings.default_acr_values.clone(),
    };
    let binding = settings.acr_binding || input.params.every("resource").next().is_some();
    AcrDemand { essential: binding && !values.is_empty(), values }
}

pub fn check(input: &Input<'_>) -> Result<(), OAuthError> {
    parse(input).map(drop)
}
