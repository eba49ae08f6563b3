use std::net::{IpAddr, Ipv6Addr};

use axum::extract::{FromRef, FromRequestParts};
use http::request::Parts;

use super::forwarded;
use crate::error::ApiError;
use crate::serve::Peer;
use crate::state::AppState;

/// The address that a request comes from, as far as it is known: that of the connection, or the one
/// that a trusted proxy names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) Option<IpAddr>);

impl Client {
    /// What is counted as one party: an IPv6 customer has a whole /64 to choose from.
    pub(crate) fn party(self) -> Option<IpAddr> {
        self.0.map(|address| match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(address) => {
                let network = u128::from(address) & (u128::MAX << 64);
                IpAddr::V6(Ipv6Addr::from(network))
            }
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client
where
    AppState: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = AppState::from_ref(state);
        let peer = parts.extensions.get::<Peer>().map(|Peer(peer)| peer.ip());
        let trusted = &app.settings.trusted_proxies;
        Ok(Self(peer.map(|peer| forwarded::client(peer, &parts.headers, trusted))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_network_is_one_party_and_an_ipv4_address_is_another() {
        let party = |text: &str| Client(text.parse().ok()).party();
        assert_eq!(party("2001:db8:1:2:3:4:5:6"), party("2001:db8:1:2::1"));
        assert_ne!(party("2001:db8:1:2::1"), party("2001:db8:1:3::1"));
        assert_ne!(party("192.0.2.1"), party("192.0.2.2"));
        assert_eq!(Client(None).party(), None);
    }
}
