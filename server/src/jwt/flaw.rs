/// Why an access token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Longer than any token of ours.
    #[error("the access token is too long")]
    TooLong,
    /// Not three strict base64url parts of JSON without duplicates.
    #[error("the access token is malformed")]
    Format,
    /// Another type, algorithm or critical extension.
    #[error("the access token is of another kind")]
    Header,
    /// A key that is not published.
    #[error("the access token is signed with an unknown key")]
    Key,
    /// Not signed by us.
    #[error("the signature of the access token is wrong")]
    Signature,
    /// A claim is missing, has the wrong type, or contradicts another.
    #[error("a claim of the access token is missing, mistyped or contradictory")]
    Claims,
    /// Another issuer or audience.
    #[error("the access token is not meant for this server")]
    Foreign,
    /// Its times have not come: this clock is behind, or the issuer's was ahead.
    #[error("the times of the access token lie in the future; compare the clocks")]
    Early,
    /// Too old.
    #[error("the access token has expired")]
    Expired,
}
