//! The future of a caller that waits for the engine.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use std::{cell::RefCell, rc::Rc};

use super::error::Error;
use crate::core::effect::Outcome;

/// Where the answer comes in.
#[derive(Clone, Default)]
pub(crate) struct Slot(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    outcome: Option<Outcome>,
    waker: Option<Waker>,
}

impl Slot {
    pub(super) fn settle(&self, outcome: Outcome) {
        let waker = {
            let mut state = self.0.borrow_mut();
            state.outcome = Some(outcome);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// Waits for the answer. Dropped before, it tells the engine that this caller waits no more.
pub(super) struct Answer {
    slot: Slot,
    give_up: Box<dyn Fn(&Slot)>,
    settled: bool,
}

impl Answer {
    pub(super) fn new(slot: Slot, give_up: impl Fn(&Slot) + 'static) -> Self {
        Self { slot, give_up: Box::new(give_up), settled: false }
    }
}

impl Future for Answer {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = {
            let mut state = self.slot.0.borrow_mut();
            let outcome = state.outcome.take();
            if outcome.is_none() {
                state.waker = Some(context.waker().clone());
            }
            outcome
        };
        match outcome {
            None => Poll::Pending,
            Some(outcome) => {
                self.settled = true;
                Poll::Ready(match outcome {
                    Outcome::Failed(error) => Err(Error::from(error)),
                    outcome => Ok(outcome),
                })
            }
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.settled {
            (self.give_up)(&self.slot);
        }
    }
}
