//! Redirect URIs: what may be registered, and when a requested one is the registered one.
//! RFC 6749 §3.1.2, RFC 8252 §7 and §8.4, RFC 9700 §2.1.

use url::{Host, Url};

/// Why a URI cannot be registered as a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRedirect {
    #[error("is not an absolute URI")]
    NotAbsolute,
    #[error("has a fragment, user information, a wildcard, a blank or a control character")]
    Forbidden,
    #[error("uses http for another host than localhost or a loopback address")]
    PlainHttp,
    #[error("uses a scheme that is neither https nor a private one in reversed domain form (com.example.app)")]
    Scheme,
}

/// Checks a URI for registration.
///
/// # Errors
/// [`InvalidRedirect`] says what is wrong.
pub fn check(uri: &str) -> Result<(), InvalidRedirect> {
    let foreign = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '*' | '\\' | '#');
    if uri.len() > 2048 || uri.chars().any(foreign) {
        return Err(InvalidRedirect::Forbidden);
    }
    let url = Url::parse(uri).map_err(|_| InvalidRedirect::NotAbsolute)?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidRedirect::Forbidden);
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        "http" => Err(InvalidRedirect::PlainHttp),
        // RFC 8252 §7.1: a private scheme is a domain in reverse, so it has a dot; `javascript` and `data` have none.
        scheme if scheme.contains('.') => Ok(()),
        _ => Err(InvalidRedirect::Scheme),
    }
}

/// Checks a URI that pages link to (logo, policy, terms, home page): https, or http on loopback.
pub fn is_web_address(uri: &str) -> bool {
    uri.len() <= 2048
        && !uri.chars().any(|c| c.is_whitespace() || c.is_control())
        && Url::parse(uri)
            .is_ok_and(|u| u.has_host() && (u.scheme() == "https" || u.scheme() == "http" && is_loopback(&u)))
}

/// Whether `requested` is `registered`: byte for byte, except that the port of `http://127.0.0.1` and
/// `http://[::1]` may be any (RFC 8252 §7.3).
pub fn matches(registered: &str, requested: &str) -> bool {
    registered == requested
        || loopback_without_port(registered).is_some_and(|r| Some(r) == loopback_without_port(requested))
}

/// Whether a URI is https, or a loopback IP literal of a native client (FAPI 2.0 Security Profile §5.3.2.2).
pub fn is_confidential(uri: &str) -> bool {
    uri.starts_with("https://") || loopback_without_port(uri).is_some()
}

/// Whether anybody on the user's machine could receive what is sent there (RFC 8252 §8.6).
pub fn is_impersonable(uri: &str) -> bool {
    Url::parse(uri).map_or(true, |u| u.scheme() != "https")
}

/// The origin of a redirect URI, where it is a web origin.
pub fn origin(uri: &str) -> Option<String> {
    let url = Url::parse(uri).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

/// What allows a page to post a form to a redirect URI (CSP Level 3 §6.4.2); `None`: nothing can be posted there. The
/// scheme and not the origin: browsers hold each redirect that follows a form to it, and clients send people on to
/// other origins.
pub fn form_action(uri: &str) -> Option<String> {
    origin(uri)?;
    Url::parse(uri).ok().map(|url| format!("{}:", url.scheme()))
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// A loopback-literal redirect URI as (address, what follows the port); works on the text, so that no
/// normalisation can make two spellings equal.
fn loopback_without_port(uri: &str) -> Option<(&str, &str)> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|prefix| {
        let rest = uri.strip_prefix(prefix)?;
        let Some(port_on) = rest.strip_prefix(':') else {
            return (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((prefix, rest));
        };
        let end = port_on.find(|c: char| !c.is_ascii_digit()).unwrap_or(port_on.len());
        let (port, path) = port_on.split_at_checked(end)?;
        let real = port.parse::<u16>().is_ok_and(|p| p > 0);
        (real && (path.is_empty() || path.starts_with(['/', '?']))).then_some((prefix, path))
    })
}

#[cfg(test)]
mod tests {
    use super::{InvalidRedirect, check, matches};

    #[test]
    fn matches_exactly_or_by_loopback_port_alone() {
        assert!(matches("https://rp.example/cb?x=1", "https://rp.example/cb?x=1"));
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:4711/cb"));
        assert!(matches("http://[::1]:1/cb", "http://[::1]:65535/cb"));
        for other in [
            "https://rp.example/cb",
            "https://rp.example/cb?x=1&y=2",
            "https://rp.example/CB?x=1",
            "https://rp.example/..;/cb?x=1",
            "https://rp.example/%2e%2e/cb?x=1",
            "https://rp.example//cb?x=1",
            "https://rp.example@evil.example/cb?x=1",
            "https://evil.example\\@rp.example/cb?x=1",
            "https://rp.example:443/cb?x=1",
            "https://rp.example./cb?x=1",
            "https://rpXexample/cb?x=1",
            "https://*/cb?x=1",
        ] {
            assert!(!matches("https://rp.example/cb?x=1", other), "{other}");
        }
        for other in [
            "http://127.0.0.1.evil/cb",
            "http://127.0.0.1:80@evil/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:70000/cb",
            "http://127.0.0.1:/cb",
            "http://127.1/cb",
            "http://0x7f.1/cb",
            "http://localhost:4711/cb",
            "https://127.0.0.1/cb",
            "http://127.0.0.1:4711/cb/",
            "http://127.0.0.1:4711evil/cb",
        ] {
            assert!(!matches("http://127.0.0.1/cb", other), "{other}");
        }
        assert!(!matches("http://localhost:1/cb", "http://localhost:2/cb"), "only literals vary");
    }

    #[test]
    fn refuses_to_register_dangerous_uris() {
        assert_eq!(check("https://rp.example/cb"), Ok(()));
        assert_eq!(check("com.example.app:/cb"), Ok(()));
        assert_eq!(check("http://localhost:3000/cb"), Ok(()));
        assert_eq!(check("http://rp.example/cb"), Err(InvalidRedirect::PlainHttp));
        for uri in ["JaVaScript:alert(1)", "data:text/html,x", " javascript:alert(1)", "https://*.example/cb", "/cb"] {
            assert!(check(uri).is_err(), "{uri}");
        }
        for uri in ["https://rp.example/cb#f", "https://a:b@rp.example/cb", "https://rp.example\\@evil/cb"] {
            assert_eq!(check(uri), Err(InvalidRedirect::Forbidden), "{uri}");
        }
    }
}
