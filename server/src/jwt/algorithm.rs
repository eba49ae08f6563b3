/// The algorithms of signatures that can be verified. Each key has one of them, and a token's
/// header may only repeat it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519: small, fast, and the same signature each time. What this server signs with.
    EdDsa,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA with PKCS #1 padding and SHA-256, which RFC 9068 wants every resource server to know.
    Rs256,
    /// HMAC with SHA-256: whoever can verify can also forge.
    Hs256,
}

impl Algorithm {
    /// What a header calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Hs256 => "HS256",
        }
    }

    /// Reads the name, which is told from others to the letter.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Es256, Self::Rs256, Self::Hs256]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}
