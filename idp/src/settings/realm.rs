//! Section `realm`: the issuer and the hosts and RP IDs derived from it.
//!
//! OIDC Discovery §3 (issuer), WebAuthn L3 §5.1.2 (RP ID and origins).

use super::load::{Reader, Value};
use super::{Problem, Realm};
use idp_core::realm::RelyingParty;
use idp_core::realm::relying_party::{self, host_of, is_localhost};
use std::collections::BTreeMap;
use url::{Host, Url};

const RELYING_PARTIES: &str = "realm.relying_parties";

/// Reads the section; doubts go to `warnings`.
pub fn read(reader: &mut Reader, warnings: &mut Vec<Problem>) -> Option<Realm> {
    let name = reader.text("realm.name", |text| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        (!text.is_empty() && text.len() <= 64 && text.chars().all(plain)).then(|| text.to_owned())
    });
    let display_name = reader.text("realm.display_name", |text| {
        let text = text.trim();
        (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.to_owned())
    });
    let issuer = issuer(reader);
    let tables = reader.raw(RELYING_PARTIES);
    let issuer = issuer?;
    let relying_parties = relying_parties(reader, tables, &issuer, warnings);
    let display_name = display_name.unwrap_or_else(|| issuer.host_str().unwrap_or_default().to_owned());
    Some(Realm { name: name?, issuer: origin(&issuer), display_name, relying_parties: relying_parties? })
}

/// The origin as browsers serialise it (RFC 6454 §6.2); equal to a good issuer.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The issuer in normal form: everything that only looks like it is refused with the spelling to use.
fn issuer(reader: &mut Reader) -> Option<Url> {
    const PATH: &str = "realm.issuer";
    let text = reader.text(PATH, |text| Some(text.to_owned()))?;
    let source = reader.origin(PATH);
    let mut refuse = |what: String, instead: String| {
        reader.report(PATH, source.clone(), what, &instead);
        None
    };
    let Some(url) = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
    else {
        return refuse(
            format!("{text:?} is not an https origin"),
            r#"write for example "https://id.example.org""#.into(),
        );
    };
    if url.scheme() == "http" && !is_localhost(url.host_str().unwrap_or_default()) {
        let mut https = url.clone();
        let _ = https.set_scheme("https");
        return refuse(
            format!("{text:?} is not https; only localhost may do without"),
            format!("write {:?}; passkeys do not work on plain http", origin(&https)),
        );
    }
    if !matches!(url.host(), Some(Host::Domain(_))) {
        return refuse(
            format!("{text:?} names an IP address, to which no passkey can be bound"),
            r#"write a host name, or "http://localhost:8080" to try it out"#.into(),
        );
    }
    if text != origin(&url) {
        return refuse(
            format!("{text:?} is not an origin in normal form (lower case, no path, trailing slash, query, fragment)"),
            format!("write {:?}", origin(&url)),
        );
    }
    Some(url)
}

/// The settings' relying parties, if they name any.
fn relying_parties(
    reader: &mut Reader,
    tables: Option<Value>,
    issuer: &Url,
    warnings: &mut Vec<Problem>,
) -> Option<Option<Vec<RelyingParty>>> {
    let own = host_of(issuer).unwrap_or_default();
    let said = tables.is_some();
    let source = if said { reader.origin(RELYING_PARTIES) } else { reader.origin("realm.issuer") };
    let mut problems = Vec::new();
    let parties: Vec<RelyingParty> = match tables {
        None => vec![RelyingParty::alone(&origin(issuer))],
        Some(Value::Tables(tables)) if !tables.is_empty() => {
            tables.into_iter().flat_map(|table| parties_of(table, issuer.scheme(), &mut problems)).collect()
        }
        Some(_) => {
            problems.push("this is not an array of tables `{ rp_id, hosts, origins, related_origins }`".to_owned());
            Vec::new()
        }
    };
    if problems.is_empty() {
        problems = relying_party::problems(&parties, &own);
    }
    let instead = format!(
        "write for example [{{ rp_id = {:?}, hosts = [{own:?}] }}], or leave it out",
        issuer.host_str().unwrap_or_default()
    );
    let good = problems.is_empty();
    for what in problems {
        reader.report(RELYING_PARTIES, source.clone(), what, &instead);
    }
    warnings.extend(relying_party::warnings(&parties).into_iter().map(|what| Problem {
        path: RELYING_PARTIES.into(),
        origin: source.clone(),
        what,
        instead: "else make it narrower".into(),
    }));
    good.then_some(said.then_some(parties))
}

/// One table of the array: a relying party, or without an RP ID one for each of its hosts.
fn parties_of(mut table: BTreeMap<String, Value>, scheme: &str, problems: &mut Vec<String>) -> Vec<RelyingParty> {
    let mut list = |key: &str| match table.remove(key) {
        Some(Value::List(items)) => items,
        Some(_) => {
            problems.push(format!("`{key}` is not an array of texts"));
            Vec::new()
        }
        None => Vec::new(),
    };
    let (hosts, origins, related_origins) = (list("hosts"), list("origins"), list("related_origins"));
    let rp_id = match table.remove("rp_id") {
        Some(Value::Text(text)) => Some(text).filter(|text| !text.is_empty()),
        Some(_) => {
            problems.push("`rp_id` is not a text".into());
            return Vec::new();
        }
        None => None,
    };
    for key in table.keys() {
        problems.push(format!("a relying party has no `{key}`, only `rp_id`, `hosts`, `origins`, `related_origins`"));
    }
    if hosts.is_empty() {
        problems.push("a relying party needs `hosts`, at least one".into());
    }
    let mut parties = match rp_id {
        Some(rp_id) => vec![RelyingParty::new(&rp_id, scheme, hosts)],
        None => RelyingParty::each(scheme, hosts),
    };
    for party in &mut parties {
        party.related_origins.clone_from(&related_origins);
        party.accept(origins.iter().cloned());
    }
    parties
}
