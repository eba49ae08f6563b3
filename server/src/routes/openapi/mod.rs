//! `/openapi.json`: the routes, described for machines.

mod schemas;

use axum::handler::Handler;
use axum::routing::MethodRouter;
use serde_json::json;
use utoipa::openapi::link::Link;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{AdditionalProperties, SchemaType};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Content, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, OpenApiVersion,
    Paths, Ref, Required, Response, ResponseBuilder, Schema, Type,
};

use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::UtoipaMethodRouter;

use self::schemas::{asked, components, rotation_key, text};
use crate::state::AppState;

/// One method of one route.
pub(super) struct Operation {
    pub(super) method: HttpMethod,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    /// Who may call: names of security schemes, of which any one will do; [`NONE`] asks for none.
    pub(super) security: &'static [&'static str],
    pub(super) body: Body,
    pub(super) success: Success,
    /// The error statuses, beside 429 and 503, which any route may give.
    pub(super) errors: &'static [u16],
}

/// What a request carries.
pub(super) enum Body {
    None,
    /// Fields in JSON; a star marks those that are required.
    Json(&'static [&'static str]),
    /// The same, and no other field.
    OnlyJson(&'static [&'static str]),
    /// Fields in a form.
    Form(&'static [&'static str]),
    /// Anything.
    Any,
}

/// What a good answer holds.
pub(super) enum Success {
    /// A schema by name, in JSON.
    Json(&'static str),
    /// JSON that is not described further.
    Object,
    /// Nothing, with 204.
    NoContent,
    /// Nothing, with 200.
    Empty,
    /// Text of this type.
    Text(&'static str),
}

/// Stands for no credentials where they may be left out.
pub(super) const NONE: &str = "";

/// The description before there are routes.
pub(super) fn undescribed() -> OpenApi {
    let licence = LicenseBuilder::new().name("MIT OR Apache-2.0").build();
    let info = InfoBuilder::new()
        .title("everfresh-server")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Issues, rotates, verifies and revokes session tokens."))
        .license(Some(licence));
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info.build())
        .components(Some(components()))
        .build()
}

/// An operation with its handler.
pub(super) fn on<H, T>(operation: &Operation, handler: H) -> UtoipaMethodRouter<AppState>
where
    H: Handler<T, AppState>,
    T: 'static,
{
    let method = &operation.method;
    let handler = MethodRouter::new().on(method.to_method_filter(), handler);
    let mut paths = Paths::new();
    paths.add_path_operation(operation.path, vec![method.clone()], describe(operation).build());
    (Vec::new(), paths, handler)
}

fn describe(operation: &Operation) -> OperationBuilder {
    let mut described = OperationBuilder::new().summary(Some(operation.summary));
    for scheme in operation.security {
        let requirement = match *scheme {
            NONE => SecurityRequirement::default(),
            scheme => SecurityRequirement::new(scheme, [] as [&str; 0]),
        };
        described = described.security(requirement);
    }
    if operation.path.contains("{id}") {
        let id = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path);
        described = described.parameter(id.required(Required::True).schema(Some(text())).build());
    }
    if operation.path == "/auth/refresh" {
        let header = ParameterBuilder::new().name("X-Everfresh").parameter_in(ParameterIn::Header);
        let one = ObjectBuilder::new().schema_type(Type::String).enum_values(Some(["1"]));
        described = described.parameter(header.required(Required::True).schema(Some(one)).build());
    }
    if matches!(operation.path, "/auth/refresh" | "/oauth/token") {
        let key = ParameterBuilder::new().name("Idempotency-Key").parameter_in(ParameterIn::Header);
        let why = "The rotation key: repeat it on every retry, and get the same answer again";
        let key = key.description(Some(why)).required(Required::False);
        let key = key.schema(Some(rotation_key(text())));
        described = described.parameter(key.build());
    }
    described = described.request_body(body(&operation.body));
    let (status, mut success) = success(&operation.success);
    if matches!(operation.path, "/auth/login" | "/oauth/token") {
        success.links.insert("refresh".to_owned(), refresh().into());
    }
    described = described.response(status, success);
    for status in operation.errors.iter().chain(&[429, 503]) {
        described = described.response(status.to_string(), failure(*status));
    }
    described
}

fn body(body: &Body) -> Option<RequestBody> {
    let (kind, names, others) = match body {
        Body::None => return None,
        Body::Json(names) => ("application/json", *names, None),
        Body::OnlyJson(names) => ("application/json", *names, Some(NO_OTHERS)),
        Body::Form(names) => {
            // Ignored if they are not known, but none may occur twice, as a list would.
            let texts = AdditionalProperties::RefOr(Schema::from(text()).into());
            ("application/x-www-form-urlencoded", *names, Some(texts))
        }
        Body::Any => {
            let any = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
            let any = Content::new(Some(any.build()));
            return Some(RequestBodyBuilder::new().content("*/*", any).build());
        }
    };
    let required = matches!(body, Body::OnlyJson(_)) || names.iter().any(|name| name.contains('*'));
    let required = if required { Required::True } else { Required::False };
    let content = Content::new(Some(asked(names).additional_properties(others)));
    Some(RequestBodyBuilder::new().content(kind, content).required(Some(required)).build())
}

fn success(success: &Success) -> (&'static str, Response) {
    let good = |content: Option<(&str, Content)>| {
        let response = ResponseBuilder::new().description("Good");
        match content {
            Some((kind, content)) => response.content(kind, content).build(),
            None => response.build(),
        }
    };
    match success {
        Success::Json(name) => {
            let content = Content::new(Some(Ref::from_schema_name(*name)));
            ("200", good(Some(("application/json", content))))
        }
        Success::Object => {
            let any = Content::new(Some(ObjectBuilder::new().schema_type(Type::Object).build()));
            ("200", good(Some(("application/json", any))))
        }
        Success::Text(kind) => ("200", good(Some((kind, Content::new(Some(text())))))),
        Success::NoContent => ("204", good(None)),
        Success::Empty => ("200", good(None)),
    }
}

/// What to do with the refresh token of an answer.
fn refresh() -> Link {
    Link::builder()
        .operation_ref("#/paths/~1oauth~1token/post")
        .request_body(Some(json!({
            "grant_type": "refresh_token",
            "refresh_token": "$response.body#/refresh_token",
        })))
        .build()
}

fn failure(status: u16) -> Response {
    let why = match status {
        400 => "The request does not say what it must, or the grant is no longer good",
        401 => "No credentials, or no good ones",
        403 => "A foreign page could have sent it, or the policy does not allow it",
        404 => "There is no such thing",
        408 => "The body did not come in time",
        413 => "The body is too long",
        415 => "The body is of another type",
        429 => "Too many; come again after Retry-After seconds",
        _ => "The store did not answer; try again",
    };
    let content = Content::new(Some(Ref::from_schema_name("Error")));
    ResponseBuilder::new().description(why).content("application/json", content).build()
}

const NO_OTHERS: AdditionalProperties<Schema> = AdditionalProperties::FreeForm(false);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use http::{Request, StatusCode};
    use serde_json::Value;
    use tower::ServiceExt as _;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::jwt::Keyring;
    use crate::password::Passwords;
    use crate::routes::table::document;
    use crate::store::MemoryStore;

    /// Every method of every route of the router is described, and nothing else is.
    #[tokio::test]
    async fn describes_exactly_what_the_router_serves() {
        for samples in [false, true] {
            let served = served(samples).await;
            assert_eq!(served, described(samples));
            assert_eq!(served.iter().any(|(path, _)| path == "/api/echo"), samples);
        }
    }

    async fn served(samples: bool) -> BTreeSet<(String, String)> {
        let app = crate::app(state(samples));
        let mut served = BTreeSet::new();
        for path in paths_of_the_router(samples) {
            for method in ["get", "post", "put", "patch", "delete"] {
                let request = Request::builder()
                    .method(method.to_uppercase().as_str())
                    .uri(path.replace("{id}", "x"))
                    .body(axum::body::Body::empty());
                let answer = app.clone().oneshot(request.unwrap()).await.unwrap();
                if answer.status() != StatusCode::METHOD_NOT_ALLOWED {
                    served.insert((path.clone(), method.to_owned()));
                }
            }
        }
        served
    }

    fn described(samples: bool) -> BTreeSet<(String, String)> {
        let document = serde_json::to_value(document("https://auth.example", samples)).unwrap();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let methods = item.as_object().unwrap().keys();
            described.extend(methods.map(|method| (path.clone(), method.clone())));
        }
        described
    }

    #[test]
    fn is_of_version_3_1_and_every_reference_leads_somewhere() {
        let document = serde_json::to_value(document("https://auth.example", true)).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert_eq!(document["servers"][0]["url"], "https://auth.example");
        let mut references = Vec::new();
        collect(&document, "$ref", &mut references);
        assert!(references.len() > 40);
        for reference in references {
            let pointer = reference.as_str().unwrap().trim_start_matches('#');
            assert!(document.pointer(pointer).is_some(), "{reference}");
        }
        let mut schemes = Vec::new();
        collect(&document["paths"], "security", &mut schemes);
        let schemes = schemes.iter().flat_map(|any| any.as_array().unwrap());
        for scheme in schemes.flat_map(|scheme| scheme.as_object().unwrap().keys()) {
            assert!(document["components"]["securitySchemes"][scheme].is_object(), "{scheme}");
        }
    }

    fn collect(value: &Value, name: &str, found: &mut Vec<Value>) {
        match value {
            Value::Object(members) => {
                found.extend(members.get(name).cloned());
                members.values().for_each(|value| collect(value, name, found));
            }
            Value::Array(items) => items.iter().for_each(|value| collect(value, name, found)),
            _ => {}
        }
    }

    /// The router tells its paths only when it is printed.
    fn paths_of_the_router(samples: bool) -> BTreeSet<String> {
        let printed = format!("{:?}", crate::routes::router(samples));
        let paths: BTreeSet<String> = printed
            .split('"')
            .skip(1)
            .step_by(2)
            // What stands in for routes that do not exist is none.
            .filter(|text| text.len() > 1 && text.starts_with('/') && !text.contains("__private"))
            .map(str::to_owned)
            .collect();
        assert!(paths.contains("/oauth/token") && paths.contains("/auth/devices/{id}"));
        paths
    }

    fn state(samples: bool) -> AppState {
        let settings = Settings { samples, ..Settings::default() };
        let keys = Keyring::ephemeral().unwrap();
        let store = Arc::new(MemoryStore::new(AppState::terms(&settings, &keys)));
        let passwords = Passwords::with_cost(8, 1).unwrap();
        AppState::new(settings, Clock::frozen_at(0), store, keys, passwords)
    }
}
