use std::io;

/// The keys could not be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file is not one of ours.
    #[error(
        "not a key file of this server; restore it from a backup, or move it away to start \
             afresh, which signs everybody out"
    )]
    Unreadable,
    /// The keys are sealed, and nothing was given to open them with.
    #[error("the keys are sealed; name the file with the key to them with --seal-key-file")]
    IsSealed,
    /// The keys are sealed with another key.
    #[error("the seal key does not open the keys; give the one that they were sealed with")]
    WrongSeal,
    /// What should seal the keys could be guessed.
    #[error("the seal key file must hold at least 32 random bytes, like those of openssl rand 32")]
    ShortSeal,
    /// Another process put keys of another server in the place of ours.
    #[error("the keys were replaced by those of another server; restart to use them")]
    OtherPepper,
    /// The operating system gives no randomness.
    #[error("no randomness: {0}")]
    Random(#[from] getrandom::Error),
}
