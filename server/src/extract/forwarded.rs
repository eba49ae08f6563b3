//! Who a request comes from behind proxies. By hand: what reads such headers believes the left end.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;

/// The client of a connection. A header is believed only where a trusted proxy wrote it, which is at
/// its right end: from there on each trusted address vouches for the one before it, and the first
/// that is not trusted is the client. Whatever stands further left the client may have invented.
///
/// Most proxies write one of the two headers and let the other pass, so a client can choose what is
/// in that. Where both are there they have to agree; else the proxy itself counts as the client.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    if !is_trusted(peer) {
        return peer;
    }
    let follow = |chain: Vec<Option<IpAddr>>| {
        let mut client = peer;
        for address in chain.into_iter().rev() {
            // What cannot be read is nobody's address; who wrote it is as far as we can see.
            let Some(address) = address else { break };
            client = address;
            if !is_trusted(client) {
                break;
            }
        }
        client
    };
    let standard = chain(headers, FORWARDED.as_str(), for_node);
    let usual = chain(headers, "x-forwarded-for", |item| Some(item));
    match (standard.map(follow), usual.map(follow)) {
        (Some(standard), Some(usual)) if standard != usual => peer,
        (Some(client), _) | (None, Some(client)) => client,
        (None, None) => peer,
    }
}

/// The addresses of a list that may go over several lines, nearest last; none without the header.
fn chain(
    headers: &HeaderMap,
    name: &str,
    node: fn(&str) -> Option<&str>,
) -> Option<Vec<Option<IpAddr>>> {
    let lines: Vec<_> = headers.get_all(name).iter().collect();
    let items = lines.iter().flat_map(|line| match line.to_str() {
        Ok(text) => text.split(',').map(|item| node(item.trim()).and_then(address)).collect(),
        Err(_) => vec![None],
    });
    (!lines.is_empty()).then(|| items.collect())
}

/// The node that an element of `Forwarded` (RFC 7239) is for.
fn for_node(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    Some(node.trim().trim_matches('"'))
}

/// An address, perhaps in brackets and with a port.
fn address(node: &str) -> Option<IpAddr> {
    let bare = node.strip_prefix('[').and_then(|node| node.strip_suffix(']')).unwrap_or(node);
    let with_port = || node.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn found(peer: &str, headers: &[(&'static str, &str)]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap()).into();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        client(peer.parse().unwrap(), &map, &trusted).to_string()
    }

    #[test]
    fn a_header_counts_only_from_a_trusted_proxy_and_from_the_right() {
        for (peer, list, client) in [
            ("192.0.2.9", "203.0.113.1", "192.0.2.9"),
            ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
            ("::ffff:10.0.0.1", "203.0.113.1", "203.0.113.1"),
            ("10.0.0.1", "198.51.100.7, 203.0.113.1", "203.0.113.1"),
            ("10.0.0.1", "198.51.100.7, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
            ("10.0.0.1", "203.0.113.1:4711", "203.0.113.1"),
            ("10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1"),
            ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
            ("10.0.0.1", "203.0.113.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "203.0.113.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("fd00::1", "203.0.113.1", "203.0.113.1"),
        ] {
            assert_eq!(found(peer, &[("x-forwarded-for", list)]), client, "{peer} {list}");
        }
        let lines = [("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "203.0.113.1")];
        assert_eq!(found("10.0.0.1", &lines), "203.0.113.1");
        assert_eq!(found("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_too() {
        for (list, client) in [
            ("for=203.0.113.1", "203.0.113.1"),
            ("For=\"[2001:db8::1]:80\";proto=https;by=10.0.0.1", "2001:db8::1"),
            ("for=198.51.100.7, proto=http; for=203.0.113.1;host=x", "203.0.113.1"),
            ("for=203.0.113.1, for=_hidden", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
        ] {
            assert_eq!(found("10.0.0.1", &[("forwarded", list)]), client, "{list}");
        }
    }

    #[test]
    fn a_client_cannot_choose_its_address_by_the_header_that_the_proxy_lets_pass() {
        let both = |standard, usual| {
            found("10.0.0.1", &[("forwarded", standard), ("x-forwarded-for", usual)])
        };
        assert_eq!(both("for=198.51.100.7", "203.0.113.1"), "10.0.0.1");
        assert_eq!(both("for=203.0.113.1", "203.0.113.1"), "203.0.113.1");
    }
}
