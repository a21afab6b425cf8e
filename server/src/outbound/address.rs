//! Which addresses are out on the public internet.
//!
//! After IANA's registries of special-purpose addresses for IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), prefix)
}

const fn v6(a: u16, b: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), prefix)
}

/// Whose addresses are not global: this network, private ones, those shared behind a carrier, loopback, link-local (where
/// clouds keep their metadata), protocol assignments, documentation, old relays, benchmarks, multicast, and the reserved rest.
const NOT_GLOBAL_V4: [Ipv4Net; 15] = [
    v4(0, 0, 0, 8),
    v4(10, 0, 0, 8),
    v4(100, 64, 0, 10),
    v4(127, 0, 0, 8),
    v4(169, 254, 0, 16),
    v4(172, 16, 0, 12),
    v4(192, 0, 0, 24),
    v4(192, 0, 2, 24),
    v4(192, 88, 99, 24),
    v4(192, 168, 0, 16),
    v4(198, 18, 0, 15),
    v4(198, 51, 100, 24),
    v4(203, 0, 113, 24),
    v4(224, 0, 0, 4),
    v4(240, 0, 0, 4),
];
/// All that is global of IPv6 is in here,
const GLOBAL_V6: Ipv6Net = v6(0x2000, 0, 3);
/// but for protocol assignments (Teredo among them), documentation (twice), and 6to4, whose relays reach any IPv4 address.
const NOT_GLOBAL_V6: [Ipv6Net; 4] = [v6(0x2001, 0, 23), v6(0x2001, 0xdb8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];
/// IPv4 addresses as a network that speaks only IPv6 sees them (RFC 6052).
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 96);
const NEAR_V4: [Ipv4Net; 4] = [v4(10, 0, 0, 8), v4(127, 0, 0, 8), v4(172, 16, 0, 12), v4(192, 168, 0, 16)];
const UNIQUE_LOCAL: Ipv6Net = v6(0xfc00, 0, 7);

pub fn is_global(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(ip) => !NOT_GLOBAL_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => GLOBAL_V6.contains(&ip) && !NOT_GLOBAL_V6.iter().any(|net| net.contains(&ip)),
    }
}

/// This machine, and the private networks around it.
pub fn is_near(address: IpAddr) -> bool {
    match plain(address) {
        IpAddr::V4(ip) => NEAR_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => ip.is_loopback() || UNIQUE_LOCAL.contains(&ip),
    }
}

/// The IPv4 address that an IPv6 address is another way of writing.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(ip) if NAT64.contains(&ip) => {
            let [.., a, b, c, d] = ip.octets();
            Ipv4Addr::new(a, b, c, d).into()
        }
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}
