//! Who the client is: the peer, or what trusted proxies say.
//!
//! `X-Forwarded-For` and `X-Forwarded-Proto` as reverse proxies append them; RFC 7239 §8.1 names the danger.

use super::Options;
use ipnet::IpNet;
use poem::http::HeaderMap;
use poem::http::uri::Scheme;
use std::net::{IpAddr, SocketAddr};

/// The client's address: the peer, or the rightmost hop that is not one of our proxies. Request data of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub IpAddr);

/// Where a request came from.
pub struct Origin {
    pub client: ClientAddr,
    pub scheme: Scheme,
}

/// Whether `address` may speak for others.
pub fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The origin of a request that came over a connection from `peer`.
pub fn origin(peer: IpAddr, trusted: bool, tls: bool, headers: &HeaderMap, options: &Options) -> Origin {
    let own = if tls { Scheme::HTTPS } else { Scheme::HTTP };
    if !trusted {
        return Origin { client: ClientAddr(peer), scheme: own };
    }
    let scheme = match rightmost(headers, "x-forwarded-proto").next() {
        Some(proto) if proto.eq_ignore_ascii_case("https") => Scheme::HTTPS,
        Some(proto) if proto.eq_ignore_ascii_case("http") => Scheme::HTTP,
        _ => own,
    };
    // From the right, since everything left of the first untrusted hop is whatever that hop chose to send.
    let mut client = peer;
    for hop in rightmost(headers, "x-forwarded-for") {
        let Some(address) = address(hop) else { break };
        client = address;
        if !is_trusted(address, &options.trusted_proxies) {
            break;
        }
    }
    Origin { client: ClientAddr(client), scheme }
}

/// Stands for a line that is no text: no address, so the walk ends there instead of passing it over.
const UNREADABLE: &str = "?";

/// The elements of a list header over all its lines, last one first.
fn rightmost<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    let lines: Vec<_> = headers.get_all(name).iter().map(|line| line.to_str().unwrap_or(UNREADABLE)).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim).filter(|element| !element.is_empty())
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    let ip = bare.parse::<IpAddr>().or_else(|_| hop.parse::<SocketAddr>().map(|address| address.ip()));
    ip.ok().map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let options = Options {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            ..Options::default()
        };
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let peer = peer.parse().unwrap();
        let trusted = is_trusted(peer, &options.trusted_proxies);
        origin(peer, trusted, false, &headers, &options).client.0.to_string()
    }

    #[test]
    fn believes_nobody_but_trusted_proxies() {
        assert_eq!(client("203.0.113.7", &["198.51.100.1"]), "203.0.113.7");
        assert_eq!(client("10.0.0.1", &["198.51.100.1"]), "198.51.100.1");
        assert_eq!(client("fd00::1", &["[2001:db8::5]:4711"]), "2001:db8::5");
    }

    #[test]
    fn takes_the_rightmost_hop_that_is_not_ours() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["1.1.1.1", "198.51.100.1", "10.0.0.2"]), "198.51.100.1");
        assert_eq!(client("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn stops_at_a_hop_that_is_no_address() {
        assert_eq!(client("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(client("10.0.0.1", &["for=evil"]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn takes_the_scheme_from_trusted_proxies_only() {
        let options = Options::default();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", "https".parse().unwrap());
        let peer = "10.0.0.1".parse().unwrap();
        assert_eq!(origin(peer, true, false, &headers, &options).scheme, Scheme::HTTPS);
        assert_eq!(origin(peer, false, false, &headers, &options).scheme, Scheme::HTTP);
        assert_eq!(origin(peer, false, true, &HeaderMap::new(), &options).scheme, Scheme::HTTPS);
    }
}
