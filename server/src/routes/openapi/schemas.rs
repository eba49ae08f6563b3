use utoipa::openapi::schema::{ArrayBuilder, SchemaType};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Components, ComponentsBuilder, ObjectBuilder, Ref, Type};

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
                "exp?#",
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
    names.iter().fold(ObjectBuilder::new().schema_type(Type::Object), |object, marked| {
        let name = marked.trim_end_matches(['*', '#', '!', '?']);
        let marks = &marked[name.len()..];
        let kind = match name {
            "exp" => Type::Integer,
            _ if marks.contains('#') => Type::Integer,
            _ if marks.contains('!') => Type::Boolean,
            _ => Type::String,
        };
        let nullable = marks.contains('?') || name == "phone";
        let kind = if nullable {
            SchemaType::Array(vec![kind, Type::Null])
        } else {
            SchemaType::Type(kind)
        };
        let object = object.property(name, ObjectBuilder::new().schema_type(kind));
        if marks.contains('*') { object.required(name) } else { object }
    })
}

pub(super) fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}
