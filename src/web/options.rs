//! The options, already validated by the face.

use wasm_bindgen::prelude::*;

use super::fields::{flag, millis, value};
use crate::core::policy::{Credential, IdleMode, Policy};

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
}

impl From<&EngineOptions> for Options {
    fn from(options: &EngineOptions) -> Self {
        let duration = |name| millis(options, name).unwrap_or_default();
        let mode = if flag(options, "endWhenIdle") { IdleMode::End } else { IdleMode::Lapse };
        Self {
            policy: Policy {
                lead: duration("lead"),
                jitter: duration("jitter"),
                min_interval: duration("minInterval"),
                idle: millis(options, "idle"),
                idle_mode: mode,
                warn: duration("warn"),
                max_session: millis(options, "maxSession"),
                timeout: duration("timeout"),
                wait: millis(options, "wait"),
                credential: match duration("credential") {
                    0 => Credential::RefreshToken,
                    1 => Credential::AccessToken,
                    2 => Credential::Cookie,
                    _ => Credential::Function,
                },
            },
            endpoint: value(options, "endpoint"),
            storage: value(options, "storage"),
            activity_events: value(options, "activityEvents"),
        }
    }
}
