//! What the npm package's face calls.

use std::rc::Rc;

use wasm_bindgen::prelude::*;

use crate::{
    core::{
        clock::Millis,
        effect::WaiterId,
        input::{Input, LeaseId, StartId},
        stats::Stats,
        token::Jwt,
    },
    web::{EngineOptions, Face, Options, Shell, parse},
};

/// One session. Every method feeds the machine one input; answers come through the face.
#[wasm_bindgen]
#[expect(missing_debug_implementations, reason = "for JavaScript, which would not see it")]
pub struct Engine(Rc<Shell>);

#[wasm_bindgen]
impl Engine {
    /// A session that has not begun.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(face: Face, name: &str, options: &EngineOptions) -> Self {
        Self(Shell::new(face, name, Options::from(options)))
    }

    /// Newer options win.
    pub fn configure(&self, options: &EngineOptions) {
        self.0.set_options(Options::from(options));
    }

    /// Begins or replaces the session.
    ///
    /// # Errors
    /// An error made by the face, for tokens that cannot be used. Nothing has changed then, unless
    /// the start was `queued`: it can only be answered by ending the session.
    pub fn start(&self, tokens: &JsValue, start: StartId, queued: bool) -> Result<(), JsValue> {
        let input = match parse(tokens, self.0.face()) {
            Ok(grant) => Input::Start { grant, start },
            Err(error) if queued => Input::StartFailed(error),
            Err(error) => return Err(self.0.face().error(&error)),
        };
        self.0.listen();
        self.0.feed(input);
        Ok(())
    }

    /// Finds a session on page load.
    pub fn restore(&self, waiter: WaiterId) {
        self.0.listen();
        self.0.feed(Input::Restore { waiter });
    }

    /// Stops here; with a start, only if it is still the current one.
    pub fn cancel(&self, start: Option<StartId>) {
        self.0.feed(Input::Cancel(start));
    }

    /// Ends the session in every tab and on the server.
    #[wasm_bindgen(js_name = signOut)]
    pub fn sign_out(&self, waiter: WaiterId, everywhere: bool) {
        self.0.feed(Input::SignOut { waiter, everywhere });
    }

    /// Asks for a token that is good for `validity` milliseconds.
    #[wasm_bindgen(js_name = tokenWanted)]
    pub fn token_wanted(&self, waiter: WaiterId, validity: f64) {
        self.0.feed(Input::TokenWanted { waiter, min_validity: validity as Millis });
    }

    /// Reports a 401; without a waiter when the request cannot be sent again.
    pub fn unauthorized(&self, waiter: Option<WaiterId>, lease: LeaseId) {
        self.0.feed(Input::Unauthorized { waiter, lease });
    }

    /// Asks for new claims.
    pub fn refresh(&self, waiter: WaiterId) {
        self.0.feed(Input::RefreshWanted { waiter });
    }

    /// User input.
    pub fn touch(&self) {
        self.0.feed(Input::Activity);
    }

    /// Continuous input begins or ends.
    pub fn hold(&self, begins: bool) {
        self.0.feed(Input::Hold(begins));
    }

    /// A waiter's caller has given up.
    pub fn abandon(&self, waiter: WaiterId) {
        self.0.feed(Input::Abandon(waiter));
    }

    /// A response carried a newer token.
    ///
    /// # Errors
    /// An error made by the face, when it is not usable.
    #[wasm_bindgen(js_name = headerToken)]
    pub fn header_token(&self, token: &JsValue, lease: LeaseId) -> Result<(), JsValue> {
        let face = self.0.face();
        let grant = parse(token, face).map_err(|error| face.error(&error))?;
        self.0.feed(Input::HeaderToken { grant, lease });
        Ok(())
    }

    /// Lets go of everything. Free it afterwards, but not from inside one of its calls.
    pub fn dispose(&self) {
        self.0.feed(Input::Dispose);
    }

    /// One of the counters, in the order of `Stats`; `waited` is not among them.
    #[must_use]
    pub fn stat(&self, index: usize) -> u32 {
        self.0.stats(|Stats { refreshes, outcomes, locks, storage, .. }| {
            let counters = [
                refreshes.scheduled,
                refreshes.unauthorized,
                refreshes.demanded,
                refreshes.explicit,
                refreshes.wake,
                refreshes.restore,
                outcomes.committed,
                outcomes.adopted,
                outcomes.transient,
                outcomes.r#final,
                outcomes.discarded,
                locks.requested,
                locks.granted,
                locks.timed_out,
                storage.reads,
                storage.writes,
                storage.failures,
            ];
            counters.get(index).copied().unwrap_or_default()
        })
    }
}

/// The payload of a JWT, unverified.
///
/// # Errors
/// A text with the cause, when it is none.
#[wasm_bindgen(js_name = decodePayload)]
#[expect(unreachable_pub, reason = "wasm-bindgen exports public functions only")]
pub fn decode_payload(token: &str) -> Result<String, JsValue> {
    Ok(Jwt::decode(token)?.payload)
}
