//! The options, already validated by the face.

use wasm_bindgen::prelude::*;

use crate::core::{
    clock::Millis,
    policy::{Credential, IdleMode, Policy},
};

/// All that can change while a session lives.
pub(crate) struct Options {
    pub(crate) policy: Policy,
    /// What transport.js sends to.
    pub(crate) endpoint: JsValue,
    /// `memory`, `session`, `local`, or the application's own.
    pub(crate) storage: JsValue,
    /// Which DOM events count as user input.
    pub(crate) activity_events: JsValue,
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** Durations in milliseconds; `Infinity` switches off what can be switched off. */
export interface EngineOptions {
  lead: number;
  jitter: number;
  minInterval: number;
  idle: number;
  endWhenIdle: boolean;
  warn: number;
  maxSession: number;
  timeout: number;
  wait: number;
  /** 0 refresh token, 1 access token, 2 cookie, 3 function. */
  credential: number;
  endpoint: unknown;
  storage: unknown;
  activityEvents: string[];
}
"#;

#[wasm_bindgen]
extern "C" {
    /// The options as the face passes them.
    #[wasm_bindgen(typescript_type = "EngineOptions")]
    pub type EngineOptions;

    #[wasm_bindgen(method, getter)]
    fn lead(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    fn jitter(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter, js_name = minInterval)]
    fn min_interval(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    fn idle(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter, js_name = endWhenIdle)]
    fn end_when_idle(this: &EngineOptions) -> bool;
    #[wasm_bindgen(method, getter)]
    fn warn(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter, js_name = maxSession)]
    fn max_session(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    fn timeout(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    fn wait(this: &EngineOptions) -> f64;
    #[wasm_bindgen(method, getter)]
    fn credential(this: &EngineOptions) -> u32;
    #[wasm_bindgen(method, getter)]
    fn endpoint(this: &EngineOptions) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn storage(this: &EngineOptions) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = activityEvents)]
    fn activity_events(this: &EngineOptions) -> JsValue;
}

impl From<&EngineOptions> for Options {
    fn from(options: &EngineOptions) -> Self {
        let bound = |limit: f64| limit.is_finite().then_some(limit as Millis);
        Self {
            policy: Policy {
                lead: options.lead() as Millis,
                jitter: options.jitter() as Millis,
                min_interval: options.min_interval() as Millis,
                idle: bound(options.idle()),
                idle_mode: if options.end_when_idle() { IdleMode::End } else { IdleMode::Lapse },
                warn: options.warn() as Millis,
                max_session: bound(options.max_session()),
                timeout: options.timeout() as Millis,
                wait: bound(options.wait()),
                credential: match options.credential() {
                    0 => Credential::RefreshToken,
                    1 => Credential::AccessToken,
                    2 => Credential::Cookie,
                    _ => Credential::Function,
                },
            },
            endpoint: options.endpoint(),
            storage: options.storage(),
            activity_events: options.activity_events(),
        }
    }
}
