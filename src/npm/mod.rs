//! What pkg/src drives: one class, a method for each thing that can happen.

#![expect(unreachable_pub, reason = "wasm-bindgen exports public items only")]

#[cfg(any(target_family = "wasm", test))]
mod allocator;
mod face;
mod settings;

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use self::face::{Face, JsFace, failure};
use crate::{
    core::{
        ids::{LeaseId, StartId},
        input::Input,
    },
    engine::{jwt, read_tokens},
    web::{
        formats::{WebFormats, to_js},
        host::{WebEngine, open},
    },
};

#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: allocator::SizeClasses = allocator::SizeClasses::new();

/// One session of one name. Waiters are numbers that the caller chooses; durations are in
/// milliseconds.
#[wasm_bindgen]
#[expect(missing_debug_implementations, reason = "it would print what JavaScript says")]
pub struct Engine(Rc<WebEngine<JsFace>>);

#[wasm_bindgen]
impl Engine {
    /// Nothing happens before it is told to.
    #[wasm_bindgen(constructor)]
    pub fn new(face: Face, name: &str, options: &JsValue) -> Self {
        let engine = Self(open(JsFace(face), name, settings::read(options)));
        engine.use_places(options);
        engine
    }

    /// Newer options win.
    pub fn configure(&self, options: &JsValue) {
        self.0.configure(settings::read(options));
        self.use_places(options);
    }

    fn use_places(&self, options: &JsValue) {
        self.0.host.set_alone(settings::alone(options));
        self.0.host.configure(settings::activity_events(options), settings::place(options));
    }

    /// Begins or replaces the session; returns the number of this start. `late`: bad tokens end the
    /// session, for no caller is left to tell.
    ///
    /// # Errors
    /// `{ code, message }`
    pub fn start(&self, tokens: &JsValue, late: bool) -> Result<u32, JsValue> {
        self.0.host.forget_cause();
        self.0.host.listen();
        let tokens = read_tokens::<WebFormats>(tokens).unwrap_or_default();
        if late {
            return Ok(self.0.start_late(tokens).0);
        }
        self.0.start(tokens).map(|start| start.0).map_err(failure)
    }

    /// Adopts the token that a response brought; `lease` is that of the request.
    ///
    /// # Errors
    /// `{ code, message }`
    pub fn adopt(&self, access_token: String, lease: u32) -> Result<(), JsValue> {
        self.0.adopt(access_token, LeaseId(lease)).map_err(failure)
    }

    /// Stops here, quietly; with a start, only that one.
    pub fn cancel(&self, start: Option<u32>) {
        self.0.feed(Input::Cancel(start.map(StartId)));
    }

    /// Page load: finds the session.
    pub fn restore(&self, waiter: u32) {
        self.0.host.listen();
        self.0.ask(waiter, |waiter| Input::Restore { waiter });
    }

    /// Ends the session in every tab and on the server.
    #[wasm_bindgen(js_name = signOut)]
    pub fn sign_out(&self, waiter: u32, everywhere: bool) {
        self.0.ask(waiter, |waiter| Input::SignOut { waiter, everywhere });
    }

    /// A token that is good for as many milliseconds.
    pub fn token(&self, waiter: u32, min_validity: f64) {
        let min_validity = min_validity as i64;
        self.0.ask(waiter, |waiter| Input::TokenWanted { waiter, min_validity });
    }

    /// A request with this lease got 401; without a waiter no caller waits for a newer token.
    pub fn unauthorized(&self, waiter: Option<u32>, lease: u32) {
        let lease = LeaseId(lease);
        match waiter {
            None => self.0.feed(Input::Unauthorized { waiter: None, lease }),
            Some(waiter) => {
                self.0.ask(waiter, |id| Input::Unauthorized { waiter: Some(id), lease });
            }
        }
    }

    /// A refresh, now.
    pub fn refresh(&self, waiter: u32) {
        self.0.ask(waiter, |waiter| Input::RefreshWanted { waiter });
    }

    /// A waiter's caller has given up.
    pub fn abandon(&self, waiter: u32) {
        self.0.abandon(|known| *known == waiter);
    }

    /// Counts as user input.
    pub fn touch(&self) {
        self.0.feed(Input::Touch);
    }

    /// Continuous input begins or ends.
    pub fn hold(&self, begins: bool) {
        self.0.feed(Input::Hold(begins));
    }

    /// The counters.
    pub fn stats(&self) -> JsValue {
        to_js(&self.0.stats())
    }

    /// Lets go of everything.
    pub fn dispose(&self) {
        self.0.feed(Input::Dispose);
    }
}

/// Parses the claims of a JWT; verifies nothing.
///
/// # Errors
/// `{ code, message }`
#[wasm_bindgen(js_name = decodeJwt)]
pub fn decode_jwt(token: &str) -> Result<JsValue, JsValue> {
    jwt::claims::<WebFormats>(token).map_err(failure)
}
