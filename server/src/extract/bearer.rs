use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::error::ApiError;
use crate::jwt::Flaw;

/// The token in the one header that may carry it.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let mut sent = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        return Err(ApiError::InvalidRequest("the header Authorization occurs twice"));
    }
    let text = value.to_str().map_err(|_| refuse(&Flaw::Format))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    Ok(Some(token.trim_start_matches(' ')))
}

pub(crate) fn refuse(flaw: &Flaw) -> ApiError {
    ApiError::InvalidToken(match flaw {
        Flaw::Expired => "the access token has expired",
        Flaw::TooLong => "the access token is too long",
        Flaw::Format => "the access token is malformed",
        Flaw::Header => "the access token is of another kind",
        Flaw::Key => "the access token is signed with an unknown key",
        Flaw::Signature => "the signature of the access token is wrong",
        Flaw::Claims => "a claim of the access token is missing, mistyped or contradictory",
        Flaw::Foreign => "the access token is not meant for this server",
        Flaw::Early => "the times of the access token lie in the future; compare the clocks",
    })
}
