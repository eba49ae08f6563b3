use serde::{Deserialize, Serialize};

use super::Seconds;
use crate::store::User;

/// What an access token says, after RFC 9068.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// The user.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// The client that asked for it.
    pub client_id: String,
    /// When it was issued.
    pub iat: Seconds,
    /// From when on it is worth nothing.
    pub exp: Seconds,
    /// Its own name.
    pub jti: String,
    /// The session family.
    pub sid: String,
    /// When the user proved who they are.
    pub auth_time: Seconds,
    /// When the session ends whatever happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_expiry: Option<Seconds>,
    /// The generation of the refresh token that it came with; only where the server has to know
    /// that an answer arrived.
    #[serde(default, rename = "gen", skip_serializing_if = "Option::is_none")]
    pub generation: Option<u32>,
    /// The user's version; only where a newer one voids the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ver: Option<u32>,
    /// Who the user is.
    #[serde(flatten)]
    pub profile: Profile,
}

/// The part of a user's record that goes into tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// What they are called.
    pub name: String,
    /// Their telephone number, or null.
    #[serde(default)]
    pub phone: Option<String>,
    /// Whether they manage others.
    #[serde(default)]
    pub is_manager: bool,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self { name: user.name.clone(), phone: user.phone.clone(), is_manager: user.is_manager }
    }
}
