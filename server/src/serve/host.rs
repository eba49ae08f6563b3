//! Which host a request says that it is for. What reads HTTP here looks at no `Host`.

use std::net::Ipv6Addr;

use http::header::HOST;
use http::{Request, Version};

/// What is wrong with the `Host` of a request, if anything is (RFC 9112, 3.2): one that proxies before
/// us may have read in another way than what comes after us.
pub(super) fn fault<B>(request: &Request<B>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if request.version() < Version::HTTP_11 => None,
        (None, _) => Some("the header Host is missing"),
        (Some(_), Some(_)) => Some("there are several headers Host; send one"),
        (Some(host), None) if host.to_str().is_ok_and(is_host) => None,
        (Some(_), None) => Some("the header Host is not a host with or without a port"),
    }
}

/// `uri-host [ ":" port ]` of RFC 9110, 7.2; empty where the target has no authority.
fn is_host(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) => (address.parse::<Ipv6Addr>().is_ok(), port),
        None => {
            let (name, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            (name.bytes().all(is_of_a_name), port)
        }
    };
    let digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    host && (port.is_empty() || port.strip_prefix(':').is_some_and(digits))
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte)
}
