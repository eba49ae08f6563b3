//! What an application's refresh function gave, until its answer is no longer wanted.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{cell::RefCell, rc::Rc};

use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::js::{Callback, call};
use crate::engine::Called;

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
