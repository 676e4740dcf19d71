//! Relying parties: which hosts are answered, and the RP ID their passkeys are bound to.
//! WebAuthn L3 §5.1.2 (RP ID), §5.8.1 (origins), §5.11 (related origins).

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::encoding::from_base64url;

/// Names of registrable domains that browsers read from a list of related origins at least (WebAuthn L3 §5.11.1).
const MOST_LABELS: usize = 5;
/// How Android names an application: SHA-256 of the certificate that signed it, base64url.
const ANDROID: &str = "android:apk-key-hash:";

/// Hosts that share passkeys: one RP ID and where it is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelyingParty {
    /// The RP ID: the host or a parent domain of it.
    pub rp_id: String,
    /// `Host` values that are answered, with port unless it is the scheme's default.
    pub hosts: Vec<String>,
    /// Origins whose ceremonies are accepted, in the serialised form of the browser: those of the hosts, further ports,
    /// native applications.
    pub origins: Vec<String>,
    /// Origins that are not under the RP ID and may use it all the same: what `/.well-known/webauthn` lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related_origins: Vec<String>,
}

impl RelyingParty {
    /// A relying party at some hosts, whose origins are accepted.
    pub fn new(rp_id: &str, scheme: &str, hosts: Vec<String>) -> Self {
        let origins = hosts.iter().map(|host| format!("{scheme}://{host}")).collect();
        Self { rp_id: rp_id.to_owned(), hosts, origins, related_origins: Vec::new() }
    }

    /// What a realm has where nothing else is said: the issuer's host alone.
    pub fn alone(issuer: &str) -> Self {
        let (scheme, host) = issuer.split_once("://").unwrap_or(("https", issuer));
        Self::new(without_port(host), scheme, vec![host.to_owned()])
    }

    /// Hosts without an RP ID: each name is its own.
    pub fn each(scheme: &str, hosts: Vec<String>) -> Vec<Self> {
        let mut parties: Vec<Self> = Vec::new();
        for host in hosts {
            let name = without_port(&host).to_owned();
            let more = Self::new(&name, scheme, vec![host]);
            match parties.iter_mut().find(|party| party.rp_id == name) {
                Some(party) => {
                    party.hosts.extend(more.hosts);
                    party.accept(more.origins);
                }
                None => parties.push(more),
            }
        }
        parties
    }

    /// Takes over further origins, each once.
    pub fn accept(&mut self, origins: impl IntoIterator<Item = String>) {
        for origin in origins {
            if !self.origins.contains(&origin) {
                self.origins.push(origin);
            }
        }
    }

    /// Whether it answers a `Host` value.
    pub fn answers(&self, host: &str) -> bool {
        self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
    }
}

/// The host without its port.
pub fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// Whether plain http is allowed there: `localhost` and all names under it never leave the machine (RFC 6761 §6.3).
pub fn is_localhost(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a host is the domain or lies under it.
pub fn is_under(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

/// Everything that keeps relying parties from being saved: what browsers would refuse at the first ceremony.
/// `issuer_host`: with port, as in `hosts`.
pub fn problems(parties: &[RelyingParty], issuer_host: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (at, party) in parties.iter().enumerate() {
        rp_id(&party.rp_id, &mut problems);
        if parties.iter().take(at).any(|before| before.rp_id == party.rp_id) {
            problems.push(format!("RP ID {:?} occurs twice: write all its hosts into one relying party", party.rp_id));
        }
        hosts(party, &mut problems);
        origins(party, &mut problems);
        related(party, &mut problems);
    }
    if problems.is_empty() && !parties.iter().any(|party| party.answers(issuer_host)) {
        problems.push(format!("no relying party answers the issuer's host {issuer_host:?}"));
    }
    problems
}

/// What is allowed and should be known, each a sentence.
pub fn warnings(parties: &[RelyingParty]) -> Vec<String> {
    let parent = |party: &&RelyingParty| party.hosts.iter().any(|host| without_port(host) != party.rp_id);
    let wide = parties.iter().filter(parent).filter(|party| !is_localhost(&party.rp_id)).map(|party| {
        format!(
            "RP ID {0:?} is a parent domain: every host under {0:?} can ask for these passkeys; keep it only if all of \
             them are yours",
            party.rp_id
        )
    });
    let long = parties.iter().filter(|party| labels(party) > MOST_LABELS).map(|party| {
        format!(
            "RP ID {:?} has related origins under more than {MOST_LABELS} names: browsers may read no further",
            party.rp_id
        )
    });
    wide.chain(long).collect()
}

fn rp_id(rp_id: &str, problems: &mut Vec<String>) {
    match Host::parse(rp_id) {
        Ok(Host::Domain(name)) if name == *rp_id => {
            if is_public_suffix(rp_id) && !is_localhost(rp_id) {
                problems.push(format!(
                    "RP ID {rp_id:?} is a public suffix or a bare name: anybody can have a host there; it needs a dot \
                     and a name of your own"
                ));
            }
        }
        Ok(Host::Domain(name)) => problems.push(format!("RP ID {rp_id:?} must be spelled {name:?}")),
        Ok(_) => problems.push(format!("RP ID {rp_id:?} is an IP address; only a domain can be one")),
        Err(_) => problems.push(format!("RP ID {rp_id:?} is not a domain")),
    }
}

/// By the list of the day the product was built: <https://publicsuffix.org>.
fn is_public_suffix(domain: &str) -> bool {
    psl::suffix(domain.as_bytes()).is_some_and(|suffix| suffix.as_bytes() == domain.as_bytes())
}

fn hosts(party: &RelyingParty, problems: &mut Vec<String>) {
    if party.hosts.is_empty() {
        problems.push("a relying party needs `hosts`, at least one".to_owned());
    }
    for host in &party.hosts {
        let name = without_port(host);
        if Url::parse(&format!("https://{host}")).ok().and_then(|url| host_of(&url)).as_ref() != Some(host) {
            problems.push(format!("host {host:?} is not a host name with a port unless it is the default one"));
        } else if !is_under(name, &party.rp_id) && !is_related(party, name) {
            problems.push(format!(
                "RP ID {:?} is neither the host {name:?} nor a parent of it; to let that host use it all the same, name \
                 its origin among the related origins",
                party.rp_id
            ));
        }
    }
}

fn origins(party: &RelyingParty, problems: &mut Vec<String>) {
    for text in &party.origins {
        if let Some(hash) = text.strip_prefix(ANDROID) {
            if from_base64url(hash).is_none_or(|hash| hash.len() != 32) {
                problems.push(format!(
                    "origin {text:?} is no Android application: after {ANDROID} stands the SHA-256 of its signing \
                     certificate in base64url, 43 characters"
                ));
            }
            continue;
        }
        // The origin of a host was not typed: it has the issuer's scheme.
        let of_host = |host: &&str| {
            party.hosts.iter().any(|other| other == host) && !party.origins.contains(&format!("https://{host}"))
        };
        let plain = text.strip_prefix("http://").filter(of_host);
        match (web_origin(text), plain) {
            (None, Some(host)) => problems.push(format!(
                "host {host:?}: this issuer is http, so that further hosts must be under localhost"
            )),
            (None, None) => problems.push(format!(
                "origin {text:?} is not an https origin as browsers send it, nor {ANDROID}…; an iOS application has the \
                 https origin of the host it is associated with"
            )),
            (Some(host), _) if !is_under(&host, &party.rp_id) && !is_related(party, &host) => problems.push(format!(
                "origin {text:?} is not under RP ID {:?}: browsers refuse it there, unless it is a related origin",
                party.rp_id
            )),
            (Some(_), _) => {}
        }
    }
}

fn related(party: &RelyingParty, problems: &mut Vec<String>) {
    for text in &party.related_origins {
        match web_origin(text) {
            None => problems.push(format!("related origin {text:?} is not an https origin as browsers send it")),
            Some(host) if is_under(&host, &party.rp_id) => problems
                .push(format!("related origin {text:?} is under RP ID {:?} and need not be listed", party.rp_id)),
            Some(_) => {}
        }
    }
}

fn is_related(party: &RelyingParty, host: &str) -> bool {
    party.related_origins.iter().filter_map(|origin| web_origin(origin)).any(|other| other == host)
}

/// How many names of registrable domains the related origins have: `example` of `login.example.co.uk`.
fn labels(party: &RelyingParty) -> usize {
    let mut labels: Vec<String> = party
        .related_origins
        .iter()
        .filter_map(|origin| web_origin(origin))
        .map(|host| {
            let domain = psl::domain(host.as_bytes()).map(|d| String::from_utf8_lossy(d.as_bytes()).into_owned());
            domain.unwrap_or(host).split('.').next().unwrap_or_default().to_owned()
        })
        .collect();
    labels.sort();
    labels.dedup();
    labels.len()
}

/// The host of an origin of the web in the form of the browser: https, or http on this machine.
fn web_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_localhost(host));
    (secure && url.origin().ascii_serialization() == text).then(|| host.to_owned())
}

/// `host`, or `host:port` unless it is the scheme's default.
pub fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::{RelyingParty, problems, warnings};

    fn party(rp_id: &str, hosts: &[&str]) -> RelyingParty {
        RelyingParty::new(rp_id, "https", hosts.iter().map(|host| (*host).to_owned()).collect())
    }

    fn said(party: &RelyingParty) -> String {
        problems(std::slice::from_ref(party), &party.hosts[0]).join("; ")
    }

    #[test]
    fn an_rp_id_is_the_host_or_a_parent_of_it_and_nothing_that_others_share() {
        for (rp_id, host) in [
            ("id.example.org", "id.example.org"),
            ("id.example.org", "id.example.org:8443"),
            ("example.org", "id.example.org"),
            ("example.co.uk", "id.example.co.uk"),
            ("idp.internal", "login.idp.internal"),
            ("localhost", "localhost:8080"),
            ("idp.localhost", "a.idp.localhost:8080"),
        ] {
            assert_eq!(said(&party(rp_id, &[host])), "", "{rp_id} at {host}");
        }
        for (rp_id, host, what) in [
            ("org", "id.example.org", "public suffix"),
            ("co.uk", "id.example.co.uk", "public suffix"),
            ("github.io", "idp.github.io", "public suffix"),
            ("github.io", "github.io", "public suffix"),
            ("intranet", "intranet", "bare name"),
            ("10.0.0.1", "10.0.0.1", "IP address"),
            ("[::1]", "[::1]", "IP address"),
            ("Example.org", "id.example.org", "must be spelled"),
            ("ample.org", "id.example.org", "neither the host"),
            ("id.example.org", "example.org", "neither the host"),
            ("example.org.", "id.example.org", "neither the host"),
            ("example org", "id.example.org", "not a domain"),
            ("example.org", "id.example.org:443", "default one"),
            ("example.org", "ID.example.org", "not a host name"),
        ] {
            let said = said(&party(rp_id, &[host]));
            assert!(said.contains(what), "{rp_id} at {host}: {said}");
        }
    }

    #[test]
    fn an_origin_is_under_the_rp_id_or_an_android_application_or_related() {
        let with = |origin: &str| {
            let mut party = party("example.org", &["id.example.org"]);
            party.accept([origin.to_owned()]);
            said(&party)
        };
        for origin in [
            "https://id.example.org:8443",
            "https://example.org",
            "android:apk-key-hash:vN2rqbB9ApBcIcXrB8nCz_9vBbEZCyyWC1jZm2OeHfA",
        ] {
            assert_eq!(with(origin), "", "{origin}");
        }
        for origin in [
            "http://id.example.org",
            "https://id.example.org/",
            "https://id.example.org:443",
            "https://other.example",
            "https://10.0.0.1",
            "android:apk-key-hash:vN2rqbB9ApBcIcXrB8nCz_9vBbEZCyyWC1jZm2OeHf",
            "android:apk-key-hash:vN2rqbB9ApBcIcXrB8nCz_9vBbEZCyyWC1jZm2OeHfA=",
            "android:apk-key-hash:",
            "ios:bundle-id:org.example.app",
            "null",
        ] {
            assert_ne!(with(origin), "", "{origin}");
        }
    }

    #[test]
    fn further_hosts_of_a_plain_http_issuer_are_under_localhost() {
        let party = |host: &str| RelyingParty::new(host, "http", vec![format!("{host}:8080")]);
        assert_eq!(said(&party("login.localhost")), "");
        let told = said(&party("login.example.org"));
        assert!(told.contains("this issuer is http") && !told.contains("origin"), "{told}");
    }

    #[test]
    fn a_related_origin_lets_a_host_use_an_rp_id_that_is_no_parent_of_it() {
        let mut shared = party("example.org", &["id.example.org", "login.example.net"]);
        assert!(said(&shared).contains("neither the host"));
        shared.related_origins = vec!["https://login.example.net".to_owned()];
        assert_eq!(said(&shared), "");
        for wrong in ["https://login.example.net/", "login.example.net", "https://id.example.org"] {
            shared.related_origins = vec!["https://login.example.net".to_owned(), wrong.to_owned()];
            assert!(said(&shared).contains("related origin"), "{wrong}");
        }
    }

    #[test]
    fn each_rp_id_stands_once_and_the_issuers_host_is_answered() {
        let twice = [party("example.org", &["a.example.org"]), party("example.org", &["b.example.org"])];
        assert!(problems(&twice, "a.example.org").join("; ").contains("occurs twice"));
        let other = [party("example.org", &["a.example.org"])];
        assert!(problems(&other, "b.example.org").join("; ").contains("issuer's host"));
        assert!(said(&RelyingParty { hosts: vec![String::new()], ..party("example.org", &[]) }).contains("host"));
    }

    #[test]
    fn warns_of_a_parent_and_of_more_names_than_browsers_read() {
        assert_eq!(warnings(&[party("id.example.org", &["id.example.org:8443"])]), Vec::<String>::new());
        let parent = warnings(&[party("example.org", &["id.example.org"])]).join("; ");
        assert!(parent.contains("every host under \"example.org\""), "{parent}");
        let mut shared = party("example.org", &["example.org"]);
        for name in ["a", "b", "c", "d", "e"] {
            shared.related_origins.push(format!("https://{name}.example"));
            shared.related_origins.push(format!("https://login.{name}.co.uk"));
        }
        assert_eq!(warnings(std::slice::from_ref(&shared)), Vec::<String>::new(), "five names");
        shared.related_origins.push("https://f.example".to_owned());
        assert!(warnings(&[shared]).join("; ").contains("more than 5"));
    }
}
