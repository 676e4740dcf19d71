//! Section `realm`: the issuer and the hosts and RP IDs derived from it.
//!
//! OIDC Discovery §3 (issuer), WebAuthn L3 §5.1.2 (RP ID and origins).

use super::load::{Reader, Value};
use super::{Origin, Problem, Realm};
use idp_core::realm::RelyingParty;
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

fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// The settings' relying parties, or the issuer's host alone.
fn relying_parties(
    reader: &mut Reader,
    tables: Option<Value>,
    issuer: &Url,
    warnings: &mut Vec<Problem>,
) -> Option<Vec<RelyingParty>> {
    let own = host_and_port(issuer);
    let source = if tables.is_some() { reader.origin(RELYING_PARTIES) } else { reader.origin("realm.issuer") };
    let mut problems = Vec::new();
    let parties: Vec<RelyingParty> = match tables {
        None => vec![RelyingParty {
            rp_id: issuer.host_str().unwrap_or_default().to_owned(),
            hosts: vec![own.clone()],
            origins: vec![origin(issuer)],
        }],
        Some(Value::Tables(tables)) if !tables.is_empty() => {
            tables.into_iter().filter_map(|table| party(table, issuer.scheme(), &mut problems)).collect()
        }
        Some(_) => {
            problems.push("this is not an array of tables `{ rp_id, hosts, origins }`".to_owned());
            Vec::new()
        }
    };
    for party in &parties {
        check(party, &mut problems);
    }
    let answered = parties.iter().any(|party| party.hosts.contains(&own));
    if problems.is_empty() && !answered {
        problems.push(format!("no relying party answers the issuer's host {own:?}"));
    }
    let instead = format!(
        "write for example [{{ rp_id = {:?}, hosts = [{own:?}] }}], or leave it out",
        issuer.host_str().unwrap_or_default()
    );
    let good = problems.is_empty();
    for what in problems {
        reader.report(RELYING_PARTIES, source.clone(), what, &instead);
    }
    warnings.extend(parties.iter().filter_map(|party| parent_rp_id(party, source.clone())));
    good.then_some(parties)
}

/// `host`, or `host:port` unless it is the scheme's default.
fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// One table of the array.
fn party(mut table: BTreeMap<String, Value>, scheme: &str, problems: &mut Vec<String>) -> Option<RelyingParty> {
    let mut list = |key: &str| match table.remove(key) {
        Some(Value::List(items)) => Some(items),
        Some(_) => {
            problems.push(format!("`{key}` is not an array of texts"));
            None
        }
        None => None,
    };
    let hosts = list("hosts").unwrap_or_default();
    let origins = list("origins");
    let rp_id = match table.remove("rp_id") {
        Some(Value::Text(text)) => Some(text),
        Some(_) => {
            problems.push("`rp_id` is not a text".into());
            None
        }
        None => hosts.first().map(|host| without_port(host).to_owned()),
    };
    for key in table.keys() {
        problems.push(format!("a relying party has no `{key}`, only `rp_id`, `hosts` and `origins`"));
    }
    if hosts.is_empty() {
        problems.push("a relying party needs `hosts`, at least one".into());
    }
    let origins = origins.unwrap_or_else(|| hosts.iter().map(|host| format!("{scheme}://{host}")).collect());
    Some(RelyingParty { rp_id: rp_id?, hosts, origins })
}

fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// What browsers would refuse at the first ceremony, said at start instead.
fn check(party: &RelyingParty, problems: &mut Vec<String>) {
    let RelyingParty { rp_id, hosts, origins } = party;
    match Host::parse(rp_id) {
        Ok(Host::Domain(name)) if name == *rp_id => {
            if !rp_id.contains('.') && rp_id != "localhost" {
                problems.push(format!("RP ID {rp_id:?} is a public suffix or a bare name; it needs a dot"));
            }
        }
        Ok(Host::Domain(name)) => problems.push(format!("RP ID {rp_id:?} must be spelled {name:?}")),
        Ok(_) => problems.push(format!("RP ID {rp_id:?} is an IP address; only a domain can be one")),
        Err(_) => problems.push(format!("RP ID {rp_id:?} is not a domain")),
    }
    for host in hosts {
        let normal = Url::parse(&format!("https://{host}")).ok().map(|url| host_and_port(&url));
        if normal.as_ref() != Some(host) {
            problems.push(format!("host {host:?} is not a host name with a port unless it is the default one"));
        } else if !is_under(without_port(host), rp_id) {
            problems.push(format!("RP ID {rp_id:?} is neither the host {:?} nor a parent of it", without_port(host)));
        }
    }
    for text in origins {
        let web = Url::parse(text).ok().filter(|url| {
            let secure = url.scheme() == "https" || is_localhost(url.host_str().unwrap_or_default());
            secure && origin(url) == *text
        });
        // Applications have origins of their own (WebAuthn L3 §5.8.1 leaves the form to the platform).
        if web.is_none() && !text.starts_with("android:apk-key-hash:") {
            problems.push(format!("origin {text:?} is not an https origin as browsers send it"));
        }
    }
}

fn is_under(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

/// A parent domain as RP ID lets every host under it ask for these passkeys: legal, but to be known.
fn parent_rp_id(party: &RelyingParty, origin: Origin) -> Option<Problem> {
    let is_parent = party.hosts.iter().any(|host| without_port(host) != party.rp_id);
    is_parent.then(|| Problem {
        path: RELYING_PARTIES.into(),
        origin,
        what: format!("RP ID {0:?} is a parent domain: every host under {0:?} can ask for these passkeys", party.rp_id),
        instead: "keep it only if all hosts under it are yours".into(),
    })
}
