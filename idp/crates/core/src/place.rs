//! Where somebody was, as far as it is kept: the network of an address, not the address.
//!
//! GDPR Art. 5(1)(c): as little as tells "at home" from "elsewhere".

use core::net::{IpAddr, Ipv6Addr};

/// The network of an address: the first three numbers of IPv4, the first 48 bits of IPv6, which is what one
/// household or office gets.
pub fn of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.*")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            let network = Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string();
            format!("{}:*", network.trim_end_matches(':'))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn keeps_the_network_and_forgets_the_address() {
        for (address, place) in [
            ("203.0.113.77", "203.0.113.*"),
            ("::ffff:203.0.113.77", "203.0.113.*"),
            ("2001:db8:12:34::1", "2001:db8:12:*"),
            ("2001:db8::1", "2001:db8:*"),
            ("::1", ":*"),
        ] {
            assert_eq!(of(address.parse().unwrap()), place);
        }
    }
}
