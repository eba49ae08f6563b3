//! The options as pkg/src/parse-options.ts has checked them: plain values, read field by field.

use js_sys::{Array, Object};
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    core::{
        clock::Millis,
        policy::{IdleMode, Policy},
    },
    engine::{
        Settings,
        endpoint::{Carrier, Credentials, Endpoint, Style},
        records::Storage,
    },
    web::js::get,
};

/// Longer durations are taken for this, about 35,000 years, so that sums do not overflow.
const LONGEST: f64 = 1e15;

pub(super) fn read(options: &JsValue) -> Settings {
    let text = |name| get(options, name).as_string();
    let limit = |name| {
        let value = get(options, name).as_f64().unwrap_or_default();
        value.is_finite().then_some(value.min(LONGEST) as Millis)
    };
    let millis = |name| limit(name).unwrap_or(LONGEST as Millis);
    Settings {
        policy: Policy {
            lead: millis("lead"),
            jitter: millis("jitter"),
            min_interval: millis("minInterval"),
            idle: limit("idle"),
            idle_mode: match text("idleMode").as_deref() {
                Some("end") => IdleMode::End,
                _ => IdleMode::Lapse,
            },
            extend_by_touch: get(options, "extendByTouch").is_truthy(),
            warn: millis("warn"),
            max_session: limit("maxSession"),
            timeout: millis("timeout"),
            wait: limit("wait"),
            ..Policy::default()
        },
        endpoint: Endpoint {
            style: match text("style").as_deref() {
                Some("json") => Style::Json,
                Some("cookie") => Style::Cookie,
                Some("renew") => Style::Renew,
                Some("function") => Style::Function,
                _ => Style::OAuth2,
            },
            url: text("url").unwrap_or_default(),
            client_id: text("clientId"),
            headers: pairs(&get(options, "headers")),
            credentials: match text("credentials").as_deref() {
                Some("omit") => Some(Credentials::Omit),
                Some("same-origin") => Some(Credentials::SameOrigin),
                Some("include") => Some(Credentials::Include),
                _ => None,
            },
            revoke_url: text("revokeUrl"),
            params: pairs(&get(options, "params")),
            foreign: get(options, "foreign").is_truthy(),
            revoke_foreign: get(options, "revokeForeign").is_truthy(),
            rotation_key: match text("rotationKey").as_deref() {
                Some("param") => Some(Carrier::Param),
                Some("header") => Some(Carrier::Header),
                Some("off") => Some(Carrier::Off),
                _ => None,
            },
        },
        storage: match text("storage").as_deref() {
            Some("memory") => Storage::Memory,
            Some("session") => Storage::Session,
            Some("local") => Storage::Local,
            _ => Storage::Custom,
        },
    }
}

/// The application's own place, if it gave one.
pub(super) fn place(options: &JsValue) -> Option<JsValue> {
    Some(get(options, "storage")).filter(|place| place.as_string().is_none())
}

/// Whether no other tab may share the session.
pub(super) fn alone(options: &JsValue) -> bool {
    get(options, "alone").is_truthy()
}

pub(super) fn activity_events(options: &JsValue) -> Vec<String> {
    texts(get(options, "activityEvents"))
}

fn texts(list: JsValue) -> Vec<String> {
    list.unchecked_into::<Array>().iter().filter_map(|text| text.as_string()).collect()
}

fn pairs(object: &JsValue) -> Vec<(String, String)> {
    if !object.is_object() {
        return Vec::new();
    }
    let pair = |entry| <[String; 2]>::try_from(texts(entry)).ok().map(Into::into);
    Object::entries(object.unchecked_ref()).iter().filter_map(pair).collect()
}
