//! What an application's refresh function is given, and what it gave, until its answer is no longer
//! wanted.

use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{cell::RefCell, rc::Rc};

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::{
    formats::{WebFormats, from_js},
    js::{Callback, call},
};
use crate::{
    core::{effect, reason::RefreshReason},
    engine::{Called, jwt},
};

/// What an application's refresh function is given. Send its request by a plain client: the session's
/// own `fetch` would wait for this very refresh.
#[derive(Clone)]
#[non_exhaustive]
pub struct RefreshRequest {
    /// The current access token, while there is one.
    pub access_token: Option<String>,
    /// The refresh token, if the page holds one.
    pub refresh_token: Option<String>,
    /// The same on every retry of one rotation, in whatever tab: 32 hexadecimal digits.
    pub rotation_key: String,
    /// Why.
    pub reason: RefreshReason,
    /// Last user input, milliseconds since the Unix epoch by the local clock.
    pub last_activity_at: i64,
    /// Aborted when the answer is no longer wanted, when what the function gave is dropped too: for a
    /// request that would go on. `None` where the platform has no `AbortController`.
    pub signal: Option<AbortSignal>,
}

impl RefreshRequest {
    pub(super) fn new(request: effect::RefreshRequest, signal: Option<AbortSignal>) -> Self {
        let effect::RefreshRequest {
            access_token,
            refresh_token,
            rotation_key,
            reason,
            last_activity_at,
        } = request;
        Self { access_token, refresh_token, rotation_key, reason, last_activity_at, signal }
    }

    /// What the current access token says, not verified here; `None` where it is no JWT, where there
    /// is none, and where its claims are no `T`.
    #[must_use]
    pub fn claims<T: DeserializeOwned>(&self) -> Option<T> {
        from_js(jwt::claims::<WebFormats>(self.access_token.as_deref()?).ok()?)
    }
}

/// No token is shown.
impl fmt::Debug for RefreshRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshRequest({})", self.reason.as_str())
    }
}

/// Drops the future at the abort of its request, and has failed then.
pub(super) fn until_aborted<F: Future<Output = Called>>(
    future: Pin<Box<F>>,
    signal: Option<AbortSignal>,
) -> impl Future<Output = Called> {
    let waker: Rc<RefCell<Option<Waker>>> = Rc::default();
    let wake = {
        let waker = Rc::clone(&waker);
        Callback::new(move |_| {
            let waiting = waker.take();
            waiting.into_iter().for_each(Waker::wake);
            JsValue::UNDEFINED
        })
    };
    let listening = signal.map(|signal| Listening::new(signal, wake));
    UntilAborted { future: Some(future), waker, listening }
}

struct UntilAborted<F> {
    future: Option<Pin<Box<F>>>,
    waker: Rc<RefCell<Option<Waker>>>,
    listening: Option<Listening>,
}

impl<F: Future<Output = Called>> Future for UntilAborted<F> {
    type Output = Called;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Called> {
        let aborted = self.listening.as_ref().is_some_and(|it| it.signal.aborted());
        *self.waker.borrow_mut() = Some(context.waker().clone());
        match self.future.as_mut().filter(|_| !aborted) {
            Some(future) => future.as_mut().poll(context),
            None => {
                self.future = None;
                Poll::Ready(Called::Failed { terminal: false })
            }
        }
    }
}

/// Listens until it is dropped.
struct Listening {
    signal: AbortSignal,
    wake: Callback,
}

impl Listening {
    fn new(signal: AbortSignal, wake: Callback) -> Self {
        let _ = call(&signal, "addEventListener", [&"abort".into(), wake.as_ref()]);
        Self { signal, wake }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = call(&self.signal, "removeEventListener", [&"abort".into(), self.wake.as_ref()]);
    }
}
