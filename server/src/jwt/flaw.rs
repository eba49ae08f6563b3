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
    /// Missing, mistyped or foreign claims, or a time that has not come.
    #[error("the access token is not meant for this server")]
    Claims,
    /// Too old.
    #[error("the access token has expired")]
    Expired,
}
