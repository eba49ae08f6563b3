use utoipa::openapi::schema::{ArrayBuilder, SchemaType};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ComponentsBuilder, ObjectBuilder, Ref, Type};

use crate::extract::{LONGEST_NAME, LONGEST_PASSWORD};

pub(super) fn components() -> Components {
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    let basic = HttpBuilder::new().scheme(HttpAuthScheme::Basic).build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("__Host-everfresh"));
    let devices = ArrayBuilder::new().items(Ref::from_schema_name("Device"));
    ComponentsBuilder::new()
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("basic", SecurityScheme::Http(basic))
        .security_scheme("cookie", SecurityScheme::ApiKey(cookie))
        .schema("Error", fields(&["error*", "error_description", "error_code"]))
        .schema(
            "TokenResponse",
            fields(&[
                "access_token*",
                "token_type*",
                "expires_in*#",
                "refresh_token",
                "refresh_in#",
                "session_expires_in#",
            ]),
        )
        .schema("Device", fields(&["id*", "name?", "current*!", "created_at*#", "last_used_at*#"]))
        .schema("Devices", ObjectBuilder::new().property("devices", devices).required("devices"))
        .schema("Profile", fields(&["name*", "phone?", "is_manager*!"]))
        .schema(
            "Claims",
            fields(&[
                "iss*",
                "sub*",
                "aud*",
                "client_id*",
                "iat*#",
                "exp*#",
                "jti*",
                "sid*",
                "auth_time*#",
                "session_expiry#",
                "name*",
                "phone?",
                "is_manager*!",
            ]),
        )
        .schema(
            "Introspection",
            fields(&[
                "active*!",
                "sub",
                "username",
                "client_id",
                "sid",
                "iat#",
                "exp#?",
                "token_type",
                "iss",
                "aud",
                "jti",
            ]),
        )
        .build()
}

/// An object of these fields. Marks behind a name: a star for required, a hash for a whole number,
/// an exclamation mark for true or false, a question mark for null as well.
pub(super) fn fields(names: &[&str]) -> ObjectBuilder {
    object(names, |_, field| field)
}

/// What a request may carry: fields, within the limits that the routes set.
pub(super) fn asked(names: &[&str]) -> ObjectBuilder {
    object(names, |name, field| match name {
        "grant_type" => field.enum_values(Some(["refresh_token"])),
        "rotation_key" => rotation_key(field),
        "token" | "refresh_token" => field.min_length(Some(1)),
        "username" | "device_name" | "client_id" | "name" | "phone" => {
            field.max_length(Some(LONGEST_NAME))
        }
        "password" => field.max_length(Some(LONGEST_PASSWORD)),
        "new_password" => field.min_length(Some(1)).max_length(Some(LONGEST_PASSWORD)),
        "exp" => field.minimum(Some(0)),
        _ => field,
    })
}

pub(super) fn rotation_key(text: ObjectBuilder) -> ObjectBuilder {
    text.min_length(Some(16)).max_length(Some(128)).pattern(Some("^[ -~]*$"))
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn object(names: &[&str], limit: impl Fn(&str, ObjectBuilder) -> ObjectBuilder) -> ObjectBuilder {
    names.iter().fold(ObjectBuilder::new().schema_type(Type::Object), |object, marked| {
        let name = marked.trim_end_matches(['*', '#', '!', '?']);
        let marks = &marked[name.len()..];
        let kind = match marks {
            _ if marks.contains('#') => Type::Integer,
            _ if marks.contains('!') => Type::Boolean,
            _ => Type::String,
        };
        let kind = if marks.contains('?') {
            SchemaType::Array(vec![kind, Type::Null])
        } else {
            SchemaType::Type(kind)
        };
        let object = object.property(name, limit(name, ObjectBuilder::new().schema_type(kind)));
        if marks.contains('*') { object.required(name) } else { object }
    })
}
