use http::HeaderMap;

use crate::error::ApiError;
use crate::rotation::RotationKey;

/// The rotation key of a refresh, from the header `Idempotency-Key` or a field.
pub(crate) fn rotation_key(
    headers: &HeaderMap,
    field: Option<&str>,
) -> Result<Option<RotationKey>, ApiError> {
    let mut sent = headers.get_all("idempotency-key").iter();
    let header = sent.next();
    if sent.next().is_some() {
        return Err(ApiError::InvalidRequest("the header Idempotency-Key occurs twice"));
    }
    let header = header.map(|value| value.to_str().ok().and_then(RotationKey::parse).ok_or(BAD));
    let field = field.map(|text| RotationKey::parse(text).ok_or(BAD));
    match (header.transpose()?, field.transpose()?) {
        (Some(header), Some(field)) if header != field => {
            Err(ApiError::InvalidRequest("header and field carry different rotation keys"))
        }
        (header, field) => Ok(header.or(field)),
    }
}

const BAD: ApiError =
    ApiError::InvalidRequest("a rotation key has 16 to 128 printable ASCII characters");
